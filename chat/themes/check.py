"""Checking a theme: everything that it overrides is rendered from samples, and compared with what ours promises."""

from __future__ import annotations

import dataclasses
import difflib
import re
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import soupsieve
from bs4 import BeautifulSoup, Tag
from flask import Flask
from jinja2 import Environment, TemplateError, TemplateNotFound, TemplateSyntaxError, UndefinedError, nodes

from chat.core import ids
from chat.rooms import kinds
from chat.themes import lock
from chat.themes.contrast import Sheets, lost, outside, sheets_of
from chat.themes.faults import Fault, faults, find, parse, source
from chat.themes.headers import Template
from chat.themes.problems import Problem
from chat.themes.rendering import Renderer
from chat.themes.samples import contexts
from chat.web.templating import provided

_PARTS = re.compile(r"^[\w-]+|#[\w-]+|\.[\w-]+|\[[^\]]+\]")


def check(theme: Path, app: Flask) -> list[Problem]:
    """Return what is wrong with a theme, by file and line."""
    unreadable = [*_unreadable(theme)]
    if unreadable:
        return unreadable
    found = [*_Check(theme, app).problems(), *_written_against(theme, app), *_sheets(theme, app)]
    states: dict[Problem, set[str]] = {}
    for each in found:
        states.setdefault(dataclasses.replace(each, states=()), set()).update(each.states)
    return sorted(dataclasses.replace(each, states=tuple(sorted(where))) for each, where in states.items())


def _unreadable(theme: Path) -> Iterator[Problem]:
    for file in lock.files(theme):
        if file.startswith("templates/") or file.endswith((".css", ".js")):
            text = (theme / file).read_bytes()
            try:
                text.decode("utf-8")
            except UnicodeDecodeError as error:
                line = text[: error.start].count(b"\n") + 1
                yield Problem(file, line, "This is not UTF-8.", "Save it as UTF-8, or take it out of the theme.")


class _Check:
    """The templates of one theme."""

    def __init__(self, theme: Path, app: Flask) -> None:
        self.theme = theme
        self.theirs = Renderer(app, theme)
        self.ours = Renderer(app, None)
        self.names = [each.removeprefix("templates/") for each in lock.files(theme) if each.startswith("templates/")]
        self.statics = {*lock.files(theme), *lock.files(Path(app.root_path))}
        sprites = [Path(app.root_path) / f"static/icons/{each}.svg" for each in ("icons", "console")]
        self.icons = {
            name for each in sprites for name in re.findall(r'<symbol id="([\w-]+)"', each.read_text("utf-8"))
        }
        self.sources = {name: (theme / "templates" / name).read_text("utf-8") for name in self.names}

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        readable = []
        for name in self.names:
            try:
                self.theirs.environment.compile(self.sources[name], name)  # which says what filters it does not know
                tree = self.theirs.environment.parse(self.sources[name], name)
            except TemplateSyntaxError as problem:
                yield self._problem(
                    name, problem.lineno, f"{problem.message}", "Jinja cannot read the template: mend it here."
                )
                continue
            template = self.theirs.template(name)
            if template is None:
                yield from self._unknown(name)
                continue
            endless = [*self._extended(name, tree)]
            yield from self._suffixed(name, template)
            yield from endless or self._blocks(name, template, tree)
            if not endless:
                readable.append((name, template))
        for name, template in readable:
            yield from self._rendered(name, template)

    def _problem(self, name: str, line: int, sentence: str, remedy: str, states: tuple[str, ...] = ()) -> Problem:
        return Problem(f"templates/{name}", line, sentence, remedy, states)

    # -- what is there

    def _unknown(self, name: str) -> Iterator[Problem]:
        if any(f'"{name}"' in text or f"'{name}'" in text for text in self.sources.values()):
            return  # a part of the theme's own
        near = difflib.get_close_matches(name, self.ours.headers, 1, 0.5)
        remedy = f"Is it {near[0]}?" if near else "The names are in docs/templates.md."
        yield self._problem(name, 1, "Nothing shows this template: ours has none of this name.", remedy)

    def _suffixed(self, name: str, template: Template) -> Iterator[Problem]:
        suffix = name.rpartition(".")[0].rpartition("-")[2]
        if name != template.name and not ids.is_id(suffix) and suffix not in kinds.names():
            near = difflib.get_close_matches(suffix, kinds.names(), 1)
            remedy = f"Is it {near[0]}?" if near else f"Kinds are: {', '.join(kinds.names())}."
            yield self._problem(
                name, 1, f"{suffix} is neither a room's id nor a kind of room, so this is never shown.", remedy
            )

    def _extended(self, name: str, tree: nodes.Template) -> Iterator[Problem]:
        found: list[nodes.Extends | nodes.Include] = [*tree.find_all(nodes.Extends), *tree.find_all(nodes.Include)]
        for each in found:
            wanted = each.template
            if isinstance(wanted, nodes.Const) and wanted.value == name:
                yield self._problem(name, each.lineno, "It extends itself.", f"Write default/{name} for ours.")

    def _blocks(self, name: str, template: Template, tree: nodes.Template) -> Iterator[Problem]:
        if tree.find(nodes.Extends) is None:
            return
        known = _all_blocks(self.ours.environment, template.name)
        for extended in tree.find_all(nodes.Extends):
            if isinstance(extended.template, nodes.Const):
                known |= _all_blocks(self.theirs.environment, extended.template.value)
        outer = {each.name for each in tree.body if isinstance(each, nodes.Block)}
        for each in tree.find_all(nodes.Block):
            if each.name in outer and each.name not in known:
                near = difflib.get_close_matches(each.name, known, 1)
                remedy = f"Is it {near[0]}?" if near else f"It has: {', '.join(sorted(known))}."
                yield self._problem(
                    name, each.lineno, f"{template.name} has no block {each.name}, so this is never shown.", remedy
                )

    # -- what it renders

    def _rendered(self, name: str, template: Template) -> Iterator[Problem]:
        """Render a template; one that is given nothing by itself, in those that have it."""
        shown = [(name, template)] if template.given else self._users(template)
        for used, seen in shown:
            wanted = template.contract.hooks if used != name else self._hooks(template)
            every = self.ours.states(seen)
            found: dict[Problem, list[str]] = {}
            for state, (given, layout) in every.items():
                plain = self.ours.render(seen.name, seen, given, layout)
                try:
                    html = self.theirs.render(used, seen, given, layout)
                except TemplateSyntaxError:
                    continue  # in a part, which is looked at itself
                except Exception as error:  # whatever a template may run into
                    found.setdefault(self._failed(name, seen, error), []).append(state)
                    continue
                page, expected = parse(html), parse(plain)
                lacking = [*self._missing(name, template, wanted, expected, page)]
                for each in [*lacking, *self._faults(name, expected, page)]:
                    found.setdefault(each, []).append(state)
            for problem, states in found.items():
                # Where it is so in the plain state one sees it there.
                yield dataclasses.replace(problem, states=() if "as it is" in states else tuple(states))

    def _users(self, template: Template) -> list[tuple[str, Template]]:
        """Return a few of the templates in which one is seen."""
        users = [each for each in self.ours.headers.values() if each.given and template.name in self._inside(each.name)]
        return [(each.name, each) for each in sorted(users, key=lambda each: len(self._inside(each.name)))[:3]]

    def _hooks(self, template: Template) -> list[str]:
        """Return the hooks of a template and of what it includes, but for what the theme replaces: that is looked at itself."""
        inside = [self.ours.headers[name] for name in self._inside(template.name) if name not in self.names]
        return list(dict.fromkeys(hook for each in (template, *inside) for hook in each.contract.hooks))

    def _inside(self, name: str, known: frozenset[str] = frozenset()) -> set[str]:
        """Return the templates that one of ours extends and includes, and those that they do."""
        text = (self.ours.shipped / name).read_text("utf-8").partition("#}\n")[2]
        found = {each for each in re.findall(r'"([\w/]+\.(?:html|css))"', text) if each in self.ours.headers} - known
        return found | {more for each in found for more in self._inside(each, known | found | {name})}

    def _missing(
        self, name: str, template: Template, hooks: Iterable[str], expected: BeautifulSoup, page: BeautifulSoup
    ) -> Iterator[Problem]:
        there, here = _Index(expected), _Index(page)
        for hook in hooks:
            if not there.has(hook):
                continue
            if here.has(hook):
                yield from self._other_values(name, hook, there, here)
                continue
            lost, near = _nearest(hook, page)
            file, line = self._place(name, source(near) if near is not None else "")
            text = (self.ours.shipped / template.name).read_text("utf-8")
            sentence = f"{hook} is missing" if near is None else f"This is not {hook}: it lacks {lost}"
            yield Problem(
                file,
                line,
                f"{sentence}. Scripts, streams or styles hold on to it (contract {template.contract.version}).",
                f"Write it as ours does: {_as_written(text, lost)}",
            )

    def _other_values(self, name: str, hook: str, there: _Index, here: _Index) -> Iterator[Problem]:
        """Find ids and data that are there, and say something else: both are rendered from the same sample."""
        for attribute in re.findall(r"\[(id|data-[\w-]+)[\]^]", hook):
            ours = {str(tag.get(attribute)) for tag in there.matching(hook)}
            for tag in here.matching(hook):
                if str(tag.get(attribute)) not in ours and source(tag):
                    yield Problem(
                        *self._place(name, source(tag)),
                        f"{attribute} is {str(tag.get(attribute))!r}, where ours is {min(ours)!r}.",
                        "Scripts and streams find it by that. Write it as ours does.",
                    )

    def _faults(self, name: str, expected: BeautifulSoup, page: BeautifulSoup) -> Iterator[Problem]:
        if name.startswith("mail/"):
            return  # no browser and no policy of ours shows it
        found = [each for each in (*faults(page), *self._lost(page)) if each.source]
        ours = {each.sentence for each in faults(expected)} if found else set()
        for each in found:
            if each.sentence not in ours:
                yield Problem(*self._place(name, each.source), each.sentence, each.remedy)

    def _lost(self, page: BeautifulSoup) -> Iterator[Fault]:
        """Find static files and icons that are not there."""
        for tag in find(page, '[src^="/static/"], [href^="/static/"]'):
            address, _, icon = str(tag.get("src") or tag.get("href")).partition("#")
            file = f"static/{address.split('/', 3)[3]}"
            if file not in self.statics:
                yield Fault(f"There is no {file}.", "Put it into static/ of the theme.", source(tag))
            elif icon and icon not in self.icons:
                near = difflib.get_close_matches(icon, self.icons, 1, 0.5)
                yield Fault(
                    f"There is no icon {icon}.", f"Is it {near[0]}?" if near else "See static/icons.", source(tag)
                )

    def _place(self, name: str, source: str) -> tuple[str, int]:
        file, _, line = source.rpartition(":")
        return (file, int(line)) if file else (f"templates/{name}", 1)

    def _failed(self, name: str, template: Template, error: Exception) -> Problem:
        file, line = f"templates/{name}", 1
        for frame in traceback.extract_tb(error.__traceback__):
            if Path(frame.filename).is_relative_to(self.theme):
                file, line = Path(frame.filename).relative_to(self.theme).as_posix(), frame.lineno or 1
        if isinstance(error, TemplateNotFound):
            wanted = (error.name or "").removeprefix("default/")
            near = difflib.get_close_matches(wanted, self.ours.headers, 1, 0.5)
            remedy = f"Is it {near[0]}?" if near else "The names are in docs/templates.md."
            return Problem(file, line, f"There is no template {error.name}.", remedy)
        told = str(error) or type(error).__name__
        return Problem(file, line, f"It cannot be rendered: {told}.", _remedy(template, error))


class _Index:
    """The elements of a page by what a selector may begin with: asking the whole page for each hook takes seconds."""

    def __init__(self, page: BeautifulSoup) -> None:
        self._found: dict[str, list[Tag]] = {}
        for tag in page.find_all(True):
            classes = [f".{each}" for each in tag.get_attribute_list("class")]
            for key in {tag.name, f"#{tag.get('id')}", *classes, *(f"[{name}" for name in tag.attrs)}:
                self._found.setdefault(key, []).append(tag)

    def has(self, hook: str) -> bool:
        """Tell whether an element is what a selector asks for."""
        return next(self.matching(hook), None) is not None

    def matching(self, hook: str) -> Iterator[Tag]:
        """Yield the elements that are what a selector asks for."""
        keys = [re.split(r"[\]^=]", part)[0] for part in _PARTS.findall(hook)]
        candidates = min((self._found.get(key, []) for key in keys), key=len)
        return (tag for tag in candidates if soupsieve.match(hook, tag))


def _remedy(template: Template, error: Exception) -> str:
    """Return what is there instead of a name that is not."""
    told = re.fullmatch(r"'(?:[\w.]*\.)?(\w+)(?: object)?' has no attribute '(\w+)'", str(error))
    lone = re.fullmatch(r"'(\w+)' is undefined", str(error))
    if isinstance(error, UndefinedError) and told and told[1] in contexts():
        cls = contexts()[told[1]]
        return _near(told[2], [each for each in vars(cls) if not each.startswith("_")] + _field_names(cls), told[1])
    if told and told[1] == "Layout":
        return _near(told[2], list(provided()), "layout")
    if lone and lone[1] == "layout" and template.is_broadcast:
        return "It is sent to everybody at once, so it does not know who looks: leave layout out."
    if lone:
        return _near(lone[1], sorted(template.fields), template.context)
    return f"docs/templates.md says what {template.name} is given."


def _field_names(cls: Any) -> list[str]:
    return [each.name for each in dataclasses.fields(cls)]


def _near(name: str, known: list[str], cls: str) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    own = [each for each in dict.fromkeys(known) if each not in {"sample", "samples"}]
    return f"{f'Is it {near[0]}? ' if near else ''}{cls} has: {', '.join(own)}."


def _nearest(hook: str, page: BeautifulSoup) -> tuple[str, Any]:
    """Return what of a selector has to be left out so that an element has the rest, and that element; all and None for none."""
    parts = _PARTS.findall(hook)
    for left in sorted(range(len(parts)), key=lambda at: not parts[at].startswith("[")):
        rest = "".join(part for at, part in enumerate(parts) if at != left)
        found = next(iter(find(page, rest)), None) if rest else None
        if found is not None and len(parts) > 1:
            return parts[left], found
    for part in parts if len(parts) > 2 else []:
        found = next(iter(find(page, part)), None)
        if found is not None:
            return " ".join(each for each in parts if each != part), found
    return hook, None


def _as_written(text: str, part: str) -> str:
    """Return how the text of a template writes what a selector asks for."""
    name = re.match(r'\[([\w-]+)(?:\^?="([^"]*))?', part)
    if name:
        attribute, begin = re.escape(name[1]), re.escape(name[2] or "")
        valued = rf'(?<![\w-]){attribute}="{begin}(?:{{{{.*?}}}}|[^"{{])*"'
        bare = rf"(?<![\w.-]){attribute}(?=[\s>])"
        pattern = valued if re.search(valued, text.partition("#}\n")[2], re.DOTALL) else bare
    elif part.startswith("#"):
        pattern = rf'id="{re.escape(part[1:])}"'
    else:
        pattern = rf'<[\w-]+[^<>]*class="[^"]*\b{re.escape(part.lstrip("."))}\b(?:{{{{.*?}}}}|[^"])*"'
    found = re.search(pattern, text.partition("#}\n")[2], re.DOTALL)
    return found[0] if found else part


def _all_blocks(environment: Environment, name: str) -> set[str]:
    """Return the blocks of a template and of those that it extends."""
    assert environment.loader is not None  # noqa: S101 - for mypy
    try:
        text = environment.loader.get_source(environment, name)[0]
        tree = environment.parse(text, name)
    except TemplateError:
        return set()
    found = {each.name for each in tree.find_all(nodes.Block)}
    for extended in tree.find_all(nodes.Extends):
        if isinstance(extended.template, nodes.Const) and extended.template.value != name:
            found |= _all_blocks(environment, extended.template.value)
    return found


# -- what it was written against, and its style sheets


def _written_against(theme: Path, app: Flask) -> Iterator[Problem]:
    renderer = Renderer(app, None)
    known = lock.read(theme)
    for file, _ in lock.overridden(theme, renderer):
        template = renderer.template(file.removeprefix("templates/"))
        if file not in known:
            yield Problem(file, 1, f"{lock.NAME} does not say what this was written against.", "Run flask theme lock.")
        elif template and template.contract.version != known[file].contract:
            yield Problem(
                file,
                1,
                f"It keeps contract {known[file].contract} of {template.name}, which now has {template.contract.version}.",
                "The changelog says what changed; then run flask theme lock.",
            )
    for change in lock.changes(theme, renderer):
        text = (theme / change.file).read_text("utf-8")
        what = f"The block {change.block} of ours" if change.block else "Ours"
        line = next(
            (n for n, each in enumerate(text.splitlines(), 1) if re.search(rf"block\s+{change.block}\b", each)), 1
        )
        yield Problem(
            change.file,
            line if change.block else 1,
            f"{what} is another one since this theme was written.",
            "See flask theme diff, take over what you want, then run flask theme lock.",
        )


def _sheets(theme: Path, app: Flask) -> Iterator[Problem]:
    static = Path(app.root_path) / "static/css"
    used = "\n".join(each.read_text("utf-8") for each in static.rglob("*.css"))
    sheets, ours = sheets_of(theme), Path(app.root_path)
    yield from Sheets((static / "tokens.css").read_text("utf-8")).problems(sheets, used)
    known = {*lock.files(theme), *lock.files(ours)}
    for file, text in sheets.items():
        if not (ours / file).is_file():  # else it has the layer of ours
            yield from outside(file, text)
        yield from lost(file, text, known)


def coming(theme: Path, app: Flask) -> Iterator[str]:
    """Yield, in sentences, which contracts of what a theme overrides will be others."""
    renderer = Renderer(app, None)
    for file, _ in lock.overridden(theme, renderer):
        template = renderer.template(file.removeprefix("templates/"))
        if template and template.coming:
            hooks = "; ".join(each for each in template.coming.hooks if each not in template.contract.hooks)
            yield f"{file}: from {template.coming.release} contract {template.coming.version} holds, with {hooks or 'less'}."
