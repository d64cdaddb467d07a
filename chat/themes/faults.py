"""What can be wrong with a piece of HTML whatever it is about: read from what a template of a theme rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from chat.themes.rendering import SOURCE
from chat.themes.samples import RIGHT_TO_LEFT

_FIELDS = "input:not([type=hidden], [type=submit]), select, textarea"
_LOADS = (("img", "src"), ("script", "src"), ("link", "href"), ("source", "srcset"))
#: Where text cannot be isolated, and is shown by itself.
_PLAIN = {"title", "option", "textarea", "script", "template"}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and the element it is about."""

    sentence: str
    remedy: str
    #: File and line; empty where the element is not the theme's.
    source: str


def parse(html: str) -> BeautifulSoup:
    """Return HTML as a tree; a fragment stays one."""
    return BeautifulSoup(html, "html.parser")


def find(page: BeautifulSoup, selector: str) -> list[Tag]:
    """Return the elements that a selector finds in a page and in its templates.

    Each ``<template>`` is a tree of its own, into which some versions of soupsieve look from outside and others do not.
    """
    found = {id(tag): tag for tree in (page, *page.find_all("template")) for tag in tree.select(selector)}
    return [*found.values()]


def _tree(tag: Tag) -> int:
    """Return a key of the tree that an element belongs to: the page, or the template that it stands in."""
    return id(tag.find_parent("template"))


def _shown_at_once(page: BeautifulSoup, selector: str) -> list[Tag]:
    """Return the elements that a selector finds in a page outside its templates, which only a script shows."""
    return [tag for tag in page.select(selector) if tag.find_parent("template") is None]


def faults(page: BeautifulSoup) -> Iterator[Fault]:
    """Yield what is wrong with a page or a part of one."""
    yield from _labels(page)
    yield from _ids(page)
    yield from _policy(page)
    yield from _without_script(page)
    yield from _directions(page)
    for tag in find(page, "[data-written]"):
        yield _fault(
            tag, "is what somebody wrote, as a piece of the page.", "Leave |safe out: they could write a script."
        )


def _fault(tag: Tag, sentence: str, remedy: str) -> Fault:
    return Fault(f"{_shown(tag)} {sentence}", remedy, source(tag))


def source(tag: Tag | None) -> str:
    """Return the file and line of an element, or of the nearest one around it that is the theme's."""
    while tag is not None:
        if tag.get(SOURCE):
            return str(tag[SOURCE])
        tag = tag.parent
    return ""


def _shown(tag: Tag) -> str:
    """Return the start of an element as a person finds it again."""
    told = [f'{name}="{_value(tag, name)}"' for name in ("id", "class", "name", "href", "src") if tag.get(name)]
    return f"<{' '.join([tag.name, *told[:2]])}>"


def _value(tag: Tag, name: str) -> str:
    value = tag.get(name, "")
    return " ".join(value) if isinstance(value, list) else str(value)


# -- labels


def _labels(page: BeautifulSoup) -> Iterator[Fault]:
    for tag in find(page, "button, a[href], summary"):
        if not _name(page, tag):
            remedy = 'Give it text; beside an icon in <span class="visually-hidden">, or as aria-label.'
            yield _fault(tag, "has no name that a screen reader can say.", remedy)
    for tag in find(page, _FIELDS):
        label = page.find("label", attrs={"for": tag["id"]}) if tag.get("id") else None
        around = tag.find_parent("label")
        if not _said(page, tag) and not (label and _text(label)) and not (around and _text(around)):
            yield _fault(
                tag, "has no label.", "Put a <label for> beside it, a <label> around it, or an aria-label on it."
            )
    for tag in find(page, "img:not([alt])"):
        yield _fault(tag, "has no alternative text.", 'Give it alt="…", or alt="" if it says nothing.')


def _name(page: BeautifulSoup, tag: Tag) -> str:
    return _said(page, tag) or _text(tag) or " ".join(_value(each, "alt") for each in tag.select("img[alt]")).strip()


def _said(page: BeautifulSoup, tag: Tag) -> str:
    by = [page.find(id=name) for name in _value(tag, "aria-labelledby").split()]
    return (_value(tag, "aria-label") or _value(tag, "title") or " ".join(_text(each) for each in by if each)).strip()


def _text(tag: Tag | NavigableString) -> str:
    """Return the text of an element without what is hidden from screen readers."""
    if not isinstance(tag, Tag):
        return str(tag)
    if tag.get("aria-hidden") == "true":
        return ""
    return "".join(_text(each) for each in tag.children if isinstance(each, Tag | NavigableString)).strip()


def _ids(page: BeautifulSoup) -> Iterator[Fault]:
    counted = Counter((_tree(tag), _value(tag, "id")) for tag in page.find_all(id=True))
    for tag in page.find_all(id=True):
        if counted[_tree(tag), _value(tag, "id")] > 1:
            yield _fault(
                tag, "is not the only one with this id.", "Put something of its own into it, such as {{ message.id }}."
            )


# -- the content security policy, and pages without script


def _policy(page: BeautifulSoup) -> Iterator[Fault]:
    for tag in page.find_all(True):
        for name in tag.attrs:
            if name == "style" or name.startswith(("on", "hx-on")):
                yield _fault(
                    tag, f"has the attribute {name}, which the policy refuses.", "Use a class, or a file in static/."
                )
            if name.startswith("hx-") and _value(tag, name).startswith(("js:", "javascript:")):
                yield _fault(
                    tag, f"has a script in {name}, which the policy refuses.", "Send what it needs in a field."
                )
        if tag.name == "style" or (tag.name == "script" and not tag.get("src")):
            yield _fault(
                tag, "stands in the page, which the policy refuses.", "Put it into static/ and name it by static_url."
            )
    for name, attribute in _LOADS:
        for tag in find(page, f'{name}[{attribute}^="http"], {name}[{attribute}^="//"]'):
            yield _fault(tag, "loads from another host, which the policy refuses.", "Put the file into static/.")


def _without_script(page: BeautifulSoup) -> Iterator[Fault]:
    for tag in _shown_at_once(page, "a[hx-get]:not([href]), a[hx-post]:not([href])"):
        yield _fault(tag, "leads nowhere without script.", "Give it the href of the page that does the same.")
    for tag in _shown_at_once(page, "form[hx-post]:not([action])"):
        yield _fault(tag, "goes nowhere without script.", "Give it method and action beside hx-post.")
    for tag in _shown_at_once(page, "button[hx-post], button[hx-get]"):
        form = tag.find_parent("form")
        if form is None or not form.get("action"):
            yield _fault(tag, "does nothing without script.", "Put it into a form with method and action.")
    for tag in _shown_at_once(page, 'form:has(> [name="csrf_token"]):not([method="post" i])'):
        yield _fault(tag, "puts what is typed into the address.", 'Give it method="post".')
    for tag in _shown_at_once(page, 'form[method="post" i]:has([type="file"]):not([enctype="multipart/form-data"])'):
        yield _fault(tag, "sends no files.", 'Give it enctype="multipart/form-data".')
    for tag in _shown_at_once(page, 'form[method="post" i]'):
        if tag.select_one('[name="csrf_token"]') is None:
            yield _fault(tag, "has no csrf_token, so it is refused.", "Write {{ csrf(layout.csrf_token) }} into it.")


# -- from right to left


def _directions(page: BeautifulSoup) -> Iterator[Fault]:
    """Find where a name that is read right to left would turn round what stands beside it."""
    for text in page.find_all(string=lambda found: bool(found) and RIGHT_TO_LEFT in found):
        around = [text.parent, *text.parent.parents] if text.parent else []
        own = around[0] if around else None
        unseen = any("visually-hidden" in _value(each, "class") for each in around)
        if own is None or own.name in _PLAIN or unseen or any(each.name == "bdi" or each.get("dir") for each in around):
            continue
        remedy = 'Put it into <bdi>, or give the element dir="auto".'
        yield _fault(own, "shows what somebody wrote, which may be read from right to left.", remedy)
