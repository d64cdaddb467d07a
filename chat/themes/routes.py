"""The pattern page: every template in every state, while somebody develops, and nowhere else."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from flask import Blueprint, Response, current_app, request
from markupsafe import Markup

from chat.core.errors import NotFound
from chat.themes import samples
from chat.themes.contexts import PatternContext, PatternPage, PatternsPage, PreviewPage
from chat.themes.headers import Template
from chat.themes.rendering import Renderer
from chat.web import security
from chat.web.static import static_url
from chat.web.templating import render_page

blueprint = Blueprint("patterns", __name__, url_prefix="/-/patterns")


#: What is nothing without the one that it is a part of.
_OF_OTHERS = {"shared/_macros.html", "layouts/_scripts.html", "messages/_more.html"}

#: A picture that the site keeps, of which a sample has only the address.
_PICTURES = re.compile(r'(<img\b[^>]*?\ssrc)="/(?!static/)[^"]*"')

#: What there is to see of an element: its words, or what it is.
_VISIBLE = re.compile(r">[^<]*[^<\s]|<(?:img|svg|input|progress)\b")


@blueprint.before_request
def _while_developing() -> None:
    if not current_app.debug or not security.from_this_machine():
        raise NotFound


@blueprint.get("")
def index() -> Response:
    """Show all templates."""
    renderer = _renderer()
    # Ours, and those that a theme has for one room or one kind of room.
    names = [name for name in renderer.environment.list_templates() if not name.startswith("default/")]
    found = [(name, template) for name in names if (template := renderer.template(name)) and _is_shown(template)]
    patterns = tuple(_pattern(renderer, *each) for each in found)
    page = PatternsPage(patterns, _version())
    return _with_frames(render_page("patterns/index.html", page))


@blueprint.get("/version")
def version() -> Response:
    """Say what the files are now, for pages that look again when one was saved."""
    return Response(_version(), mimetype="text/plain")


@blueprint.get("/<path:name>")
def show(name: str) -> Response:
    """Show one template in every state."""
    renderer = _renderer()
    template = _template(renderer, name)
    source = renderer.environment.loader.get_source(renderer.environment, name)[0]  # type: ignore[union-attr]
    page = PatternPage(
        pattern=_pattern(renderer, name, template),
        states=_states(renderer, name, template),
        contract=template.contract.version,
        hooks=template.contract.hooks,
        given=tuple(f"{', '.join(names)}: {cls}" for names, cls in template.given),
        source=source,
        version=_version(),
        direction=_direction(),
        script=request.args.get("script") != "off",
    )
    return _with_frames(render_page("patterns/show.html", page))


@blueprint.get("/preview/<path:name>")
def preview(name: str) -> Response:
    """Show one template in one state: a page as it is, a part of one by itself. Nothing of it runs."""
    renderer = _renderer()
    template = _template(renderer, name)
    state = request.args.get("state", "as it is")
    theme = request.args.get("theme", "auto")
    given = samples.states(template).get(state)
    if given is None or theme not in ("auto", "light", "dark"):
        raise NotFound
    html = renderer.render(name, template, given, samples.layout(template, state, theme))
    if not template.is_page:
        html = render_page("patterns/preview.html", PreviewPage(_in_its_place(html), theme))
    html = _PICTURES.sub(rf'\1="{static_url("icons/sample.svg")}"', html)
    # Neither scripts, which would ask for what is not there, nor a focus, which would take that of the page around it.
    html = re.sub(r"<script\b.*?</script>| autofocus\b", "", html, flags=re.DOTALL)
    response = Response(html.replace("<html ", f'<html dir="{_direction()}" ', 1))
    policy = current_app.config["SECURITY_HEADERS"]["Content-Security-Policy"]
    response.headers["Content-Security-Policy"] = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _with_frames(html: str) -> Response:
    """Return a page that may show others of ours in frames; else the policy is that of every page."""
    response = Response(html)
    policy = current_app.config["SECURITY_HEADERS"]["Content-Security-Policy"]
    response.headers["Content-Security-Policy"] = f"{policy}; frame-src 'self'"
    return response


def _version() -> str:
    folders = [Path(current_app.root_path) / name for name in ("templates", "static")]
    if current_app.config["THEME_DIR"]:
        folders.append(Path(current_app.config["THEME_DIR"]))
    digest = hashlib.sha256()
    for path in sorted(each for folder in folders for each in folder.rglob("*") if each.is_file()):
        digest.update(f"{path} {path.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _renderer() -> Renderer:
    theme = current_app.config["THEME_DIR"]
    return Renderer(current_app._get_current_object(), Path(theme).resolve() if theme else None)  # type: ignore[attr-defined]


def _template(renderer: Renderer, name: str) -> Template:
    """Return a template that can be shown.

    :raises NotFound: there is none of this name, or it is nothing by itself.
    """
    found = renderer.template(name)
    loader = renderer.environment.loader
    if found is None or not _is_shown(found) or loader is None or name not in loader.list_templates():
        raise NotFound
    return found


def _is_shown(template: Template) -> bool:
    """Tell whether a template is something to look at by itself; layouts are seen in every page."""
    part = "/_" in template.name and template.name not in _OF_OTHERS
    shown = template.name.endswith(".html") and not template.name.startswith(("mail/", "patterns/"))
    return shown and (bool(template.given) or part)


def _states(renderer: Renderer, name: str, template: Template) -> tuple[str, ...]:
    """Return the states in which a template looks different, without those in which there is nothing to see."""
    seen: dict[str, str] = {}
    for state, (given, layout) in renderer.states(template).items():
        seen.setdefault(renderer.render(name, template, given, layout), state)
    return tuple(state for html, state in seen.items() if _VISIBLE.search(html)) or tuple(seen.values())


def _pattern(renderer: Renderer, name: str, template: Template) -> PatternContext:
    themed = renderer.theme is not None and (renderer.theme / "templates" / name).is_file()
    return PatternContext(name, template.sentence, template.is_page, themed)


def _direction() -> str:
    return "rtl" if request.args.get("direction") == "rtl" else "ltr"


def _in_its_place(html: str) -> Markup:
    """Return a part inside of what it is a part of: lines stand in a list."""
    part = Markup(html)  # noqa: S704 - templates escape
    return Markup('<ol class="timeline">{}</ol>').format(part) if html.lstrip().startswith("<li") else part
