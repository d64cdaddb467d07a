"""The look of the site in the console, what pages load of it, and the way around it."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request
from werkzeug.datastructures import FileStorage

from chat import pictures
from chat.accounts.guards import maybe_viewer, signed_in
from chat.core.errors import Conflict, Invalid, NotFound
from chat.look import accent, queries, service, site, styles
from chat.look.contexts import LookDropPage, LookPage, LookPreviewPage, RatioContext, SafeModePage
from chat.look.forms import LookForm
from chat.look.models import SITE
from chat.look.site import SAFE, Shown
from chat.rooms.guards import office
from chat.web import forms, rate_limits, security
from chat.web.htmx import see_other
from chat.web.static import YEAR
from chat.web.templating import render_page
from chat.web.urls import path_for

blueprint = Blueprint("look", __name__)

_TOO_MANY = "You tried many logos. Try the next one in {wait}."


# -- in the console


@blueprint.get("/moderation/look")
@signed_in
def index() -> str:
    """Show the form: with what one tries out, or with the look of the site."""
    return render_page("look/look.html", _page(office("look.change"), saved=forms.argument("saved") == "1"))


@blueprint.post("/moderation/look/draft")
@signed_in
@security.takes(pictures.MAX_BYTES + 1024 * 1024)
def draft() -> Response:
    """Keep what the form holds, for oneself alone, and go to see it."""
    actor_id, form = office("look.change"), LookForm.read()
    try:
        form = form.checked()
        logo = b"" if form.no_logo else _safe_logo(request.files.get("logo"), actor_id)
    except Invalid as problem:
        return Response(render_page("look/look.html", _page(actor_id, form, problem.fields)), problem.status)
    service.draft(actor_id, name=form.name, accent=form.accent, css=form.css, logo=logo)
    return see_other(path_for("look.preview"))


@blueprint.post("/moderation/look/reset")
@signed_in
def reset() -> Response:
    """Try out what we ship."""
    service.draft(office("look.change"), name="", accent="", css="", logo=b"")
    return see_other(path_for("look.preview"))


@blueprint.get("/moderation/look/drop")
@signed_in
def drop_form() -> Response | str:
    """Ask once more before a draft is dropped, with its styles to be copied."""
    found, standing = queries.get_look(office("look.change")), queries.get_look(SITE)
    if found is None:
        return see_other(path_for("look.index"))
    return render_page("look/drop.html", LookDropPage(service.changes(standing, found), found.css))


@blueprint.post("/moderation/look/drop")
@signed_in
def drop() -> Response:
    """Forget what one tries out."""
    service.drop_draft(office("look.change"))
    return see_other(path_for("look.index"))


@blueprint.get("/moderation/look/preview")
@signed_in
def preview() -> Response:
    """Show what one tries out, in that look."""
    return _preview(office("look.change"))


@blueprint.post("/moderation/look")
@signed_in
def update() -> Response:
    """Give the site the look that one tries out."""
    actor_id = office("look.change")
    try:
        service.publish(actor_id, forms.line("seen"))
    except NotFound:
        return see_other(path_for("look.index"))
    except Conflict as problem:
        return _preview(actor_id, problem)
    return see_other(path_for("look.index", saved=1))


def _preview(actor_id: str, problem: Conflict | None = None) -> Response:
    found, standing = queries.get_look(actor_id), queries.get_look(SITE)
    if found is None:
        return see_other(path_for("look.index"))
    tried = Shown.of(found)
    site.try_on(tried)
    made = accent.derived(tried.accent) if tried.accent else None
    page = LookPreviewPage(
        tried.name or current_app.config["SITE_NAME"], tried.accent, made.light["accent"] if made else "",
        made.dark["accent"] if made else "", _ratios(tried.accent),
        service.changes(standing, found), service.comparison(standing, found),
        problem.sentence if problem else "",
    )  # fmt: skip
    return Response(render_page("look/preview.html", page), problem.status if problem else 200)


@blueprint.get("/moderation/look/preview.css")
@signed_in
def draft_style() -> Response:
    """Send the style sheet of what one tries out."""
    return Response(Shown.of(queries.get_look(office("look.change"))).sheet, mimetype="text/css")


@blueprint.get("/moderation/look/preview.webp")
@signed_in
def draft_logo() -> Response:
    """Send the logo of what one tries out, or else that of the site."""
    found = queries.get_look(office("look.change")) or queries.get_look(SITE)
    return _picture(Shown.of(found).logo, "no-store")


# -- what every page loads


@blueprint.get("/look/<digest>.css")
def style(digest: str) -> Response:
    """Send the style sheet of the site; a page of before gets that of now, but must not keep it."""
    found = site.shown()
    sheet = found.accent_sheet if digest == found.accent_digest else found.sheet
    caching = YEAR if digest in (found.digest, found.accent_digest) else "no-cache"
    return Response(sheet, mimetype="text/css", headers={"Cache-Control": caching})


@blueprint.get("/look/<digest>.webp")
def logo(digest: str) -> Response:
    """Send the logo of the site, to anybody: it is on the page to sign in."""
    found = site.shown()
    return _picture(found.logo, YEAR if digest == found.logo_digest else "no-cache")


# -- around it


@blueprint.get("/-/safe-mode")
def safe_mode() -> str:
    """Show the page of safe mode. Its address is typed, where styles may hide every button."""
    return render_page("look/safe_mode.html", SafeModePage(_where_to_mend()))


@blueprint.post("/-/safe-mode")
@security.for_anybody(lambda: see_other(path_for("look.safe_mode")), session=True)
def switch_safe_mode() -> Response:
    """Leave the site's own look out in this browser, or show it again, and go where it can be mended."""
    response = see_other(_where_to_mend())
    if forms.line("on") == "1":
        security.set_cookie(response, SAFE, "on", life=None)
    else:
        security.drop_cookie(response, SAFE)
    return response


# -- inside


def _where_to_mend() -> str:
    who, page = maybe_viewer(), path_for("look.index")
    if who is None:
        return path_for("accounts.sign_in_form", next=page)
    return page if who.may("look.change") else path_for("rooms.index")


def _picture(data: bytes, caching: str) -> Response:
    if not data:
        raise NotFound
    headers = {"Cache-Control": caching, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(data, mimetype="image/webp", headers=headers)


def _safe_logo(chosen: FileStorage | None, actor_id: str) -> bytes | None:
    if chosen is None or not chosen.filename:
        return None
    rate_limits.limit("20/hour", _TOO_MANY, "logos", actor_id)
    try:
        return pictures.face(chosen.stream, actor_id)
    except Invalid as problem:
        raise Invalid(problem.sentence, {"logo": problem.sentence}) from None


def _page(
    actor_id: str, form: LookForm | None = None, errors: dict[str, str] | None = None, saved: bool = False
) -> LookPage:
    tried = queries.get_look(actor_id)
    now = tried or queries.get_look(SITE) or Shown()
    made = accent.derived(now.accent) if now.accent else None
    return LookPage(
        name=form.name if form else now.name,
        accent=form.accent if form else now.accent,
        css=form.css if form else now.css,
        logo=path_for("look.draft_logo", v=now.logo_digest) if now.logo else "",
        usual_name=current_app.config["SITE_NAME"],
        drafted=tried is not None,
        ratios=_ratios(now.accent),
        light=made.light["accent"] if made else "",
        dark=made.dark["accent"] if made else "",
        css_limit=styles.LIMIT,
        saved=saved,
        errors=errors or {},
    )


def _ratios(chosen: str) -> tuple[RatioContext, ...]:
    return tuple(RatioContext(each.words, each.floor, each.light, each.dark) for each in accent.ratios(chosen))
