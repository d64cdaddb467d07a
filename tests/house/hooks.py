"""What scripts, streams and style sheets hold on to, found in the sources: what contracts have to name."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag

from tests.services import ROOT

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}", re.DOTALL)
#: Attributes that an element has only sometimes.
_SOMETIMES = re.compile(r"\{% if [^%]*%\}((?: [\w-]+=\"[^\"]*\")+)\{% endif %\}")
_CONTROLS = {"input", "select", "textarea", "button"}


def _scripts() -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "static/js").rglob("*.js")))


def _asked() -> tuple[set[str], set[str], set[str]]:
    """Return the ids, classes and data attributes that scripts, links and the viewer's style sheet name."""
    scripts, viewer = _scripts(), (ROOT / "templates/accounts/viewer.css").read_text()
    pages = "\n".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    code = "\n".join(path.read_text() for path in (ROOT / "chat").rglob("*.py"))
    asked = "\n".join(re.findall(r"(?:querySelector(?:All)?|closest|matches|contains)\(\s*[\"`](.*?)[\"`]", scripts))
    ids = set(re.findall(r"#([a-z][\w-]*)", asked)) | set(re.findall(r"getElementById\(\"([\w-]+)\"", scripts))
    ids |= set(re.findall(r"(?:hx-target=\"|href=\")#([a-z][\w-]*)\"", pages))
    ids |= set(re.findall(r"_anchor=['\"]([\w-]+)['\"]", pages + code)) | set(
        re.findall(r"copy\(\"([\w-]+)\"", scripts)
    )
    classes = set(re.findall(r"\.([a-z][\w-]*)", asked + viewer))
    attributes = set(re.findall(r"\[(data-[\w-]+)", asked + viewer))
    named = set(re.findall(r"dataset\.(\w+)", scripts))
    for together in re.findall(r"(?:const|constructor\() ?\{ ([\w, ]+) \}(?: = [^;]*dataset;|, seq)", scripts):
        named |= set(together.split(", "))
    attributes |= {"data-" + _dashed(name) for name in named}
    return ids, classes, attributes


def _dashed(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "-" + match[0].lower(), name)


ASKED = _asked()
#: How ids begin that are made of a name and an id, and asked for.
PREFIXES = {"message_", "held_", "look_", "peek_", "member_", "row_", "more-"}


def hooks(source: str) -> list[str]:
    """Return selectors of the elements of a template that something holds on to, in their order."""
    text = re.sub(r"\{\{.*?\}\}", "�", source, flags=re.DOTALL)
    text = _JINJA.sub("", _SOMETIMES.sub(lambda match: re.sub(r" (?=[\w-]+=)", " sometimes-", match[1]), text))
    found: dict[str, None] = {}
    for tag in BeautifulSoup(text, "html.parser").find_all(True):
        rare = {name: value for name, value in tag.attrs.items() if name.startswith("sometimes-")}
        tag.attrs = {name: value for name, value in tag.attrs.items() if name not in rare}
        always = _selector(tag)
        found |= dict.fromkeys(filter(None, [always]))
        tag.attrs = {name.removeprefix("sometimes-"): value for name, value in rare.items()}
        more = _selector(tag) if rare else ""
        found |= dict.fromkeys([always.partition("[")[0] + more] if more.startswith("[") else [])
    return list(found)


def _selector(tag: Tag) -> str:
    ids, classes, asked = ASKED
    own = [name for name in tag.get("class", []) if name in classes and "�" not in name]
    told: list[str] = []
    start = f".{own[0]}" if own else tag.name if "-" in tag.name else ""
    for name, value in tag.attrs.items():
        value = " ".join(value) if isinstance(value, list) else value
        if name == "id" and "�" in value:
            if (prefix := value.partition("�")[0]) and prefix in PREFIXES:
                told.append(f'[id^="{prefix}"]')
        elif name == "id" and value in ids:
            start = f"#{value}"
        elif name == "name" and "�" in value:
            continue
        elif name.startswith(("hx-", "sse-")) or (name == "name" and tag.name in _CONTROLS and value != "csrf_token"):
            told.append(f"[{name}]" if "�" in value or name in {"hx-headers", "hx-request"} else f'[{name}="{value}"]')
        elif name in asked:
            told.append(f"[{name}]")
    return start + "".join(told)
