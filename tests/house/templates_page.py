"""``docs/templates.md``, made of what the templates and their contexts say of themselves.

Run ``.venv/bin/python -m tests.house.templates_page`` to write it again.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import Environment

from app import create_app
from chat.themes import headers
from chat.themes.samples import contexts
from chat.web import templating
from tests.conftest import configured, dispose
from tests.services import ROOT

PAGE = ROOT / "docs/templates.md"
FILTERS = ["iso", "clock_time", "day", "when", "ago", "since", "stamp"]
GLOBALS = ["path_for", "static_url", "has_static", "icon", "for_room"]

HEAD = """\
# Templates

<!-- Made by tests/house/templates_page.py. Change what the templates and contexts say, then run
     .venv/bin/python -m tests.house.templates_page -->

Set `THEME_DIR` to a folder that has `templates/` and `static/` like ours: a file of the same name there takes the place of
ours. `default/` is always ours, so a theme can change one block and keep the rest. Its `theme.css` is in a
layer above all of ours; only the styles that an administrator writes under Look win over it. Pages with `layout.look.plain`
have neither.

```jinja
{# templates/rooms/show.html of a theme #}
{% extends "default/rooms/show.html" %}
{% block notices %}
  <p class="notice">{{ room.name }}: be kind, be brief.</p>
  {{ super() }}
{% endblock %}
```

A template gets the fields of its **context**, a frozen dataclass, and nothing else; a name that is not there is an error.
A partial (`_name.html`) that says *broadcast* is rendered once for everybody in a room, without a request: it does not know
who looks. A *contract* has the selectors that scripts, streams and style sheets hold on to: a theme keeps them wherever ours
has them. [extending.md](extending.md) makes a theme step by step, and says how contracts change.
"""


def page(app: Flask) -> str:
    """Return the text of ``docs/templates.md``."""
    return "\n".join([HEAD, *_layout(), *_helpers(app.jinja_env), *_templates(), *_contexts()]).rstrip() + "\n"


def _layout() -> Iterator[str]:
    yield "## What every page may ask for\n"
    yield "Pages and their parts also have `layout`; broadcast partials do not.\n"
    yield "| name | what |\n| --- | --- |"
    for name, provider in templating.provided().items():
        yield f"| `layout.{name}` | {_sentence(provider)} |"
    yield ""


def _helpers(environment: Environment) -> Iterator[str]:
    yield "## Functions and filters\n"
    yield "| name | what |\n| --- | --- |"
    for name in GLOBALS:
        function = environment.globals[name]
        yield f"| `{name}({', '.join(inspect.signature(function).parameters)})` | {_sentence(function)} |"
    for name in FILTERS:
        yield f"| `moment\\|{name}` | {_sentence(environment.filters[name])} |"
    yield "\n`shared/_macros.html` has the small pieces that pages share:\n"
    yield "| macro | what |\n| --- | --- |"
    source = (ROOT / "templates/shared/_macros.html").read_text()
    for comment, signature in re.findall(r"\{# ((?:(?!#\}).)*) #\}\n\{% macro (.*?) %\}", source, re.DOTALL):
        yield f"| `{signature}` | {' '.join(comment.split())} |"
    yield ""


def _templates() -> Iterator[str]:
    yield "## The templates\n"
    yield "| template | what | context | more | contract |\n| --- | --- | --- | --- | --- |"
    for each in headers.read_all(ROOT / "templates").values():
        context = "; ".join(f"`{', '.join(names)}`: [{cls}](#{cls.lower()})" for names, cls in each.given)
        yield f"| `{each.name}` | {_cell(each.sentence)} | {context} | {_cell(each.more)} | {_contract(each)} |"
    yield ""


def _contract(template: headers.Template) -> str:
    """Return the version of a contract and its hooks, and those of the one that comes."""
    words = []
    for each in (template.contract, template.coming):
        if each is not None and (each.hooks or each.release):
            hooks = " ".join(f"`{hook}`" for hook in each.hooks)
            words.append(
                f"{each.version}{f' from {each.release}' if each.release else ''}: {hooks}".replace("|", "\\|")
            )
    return " ".join(words)


def _contexts() -> Iterator[str]:
    known = contexts()
    yield "## The contexts\n"
    for name, cls in known.items():
        yield f"### {name}\n\n{_sentence(cls)}\n\n| field | type | |\n| --- | --- | --- |"
        comments = _comments(cls)
        for each in dataclasses.fields(cls):
            yield f"| `{each.name}` | {_type(str(each.type), known)} | {_cell(comments.get(each.name, ''))} |"
        for attribute, value in vars(cls).items():
            if isinstance(value, property):
                kind = str(inspect.signature(value.fget).return_annotation)  # type: ignore[arg-type]
                yield f"| `{attribute}` | {_type(kind, known)} | {_cell(_sentence(value))} |"
        yield ""


def _type(written: str, known: dict[str, type]) -> str:
    """Return a type as code, or with links where it names other contexts."""
    parts = re.split(r"(\w+)", written)
    if not any(part in known for part in parts):
        return f"`{written}`".replace("|", "\\|")
    return "".join(f"[{part}](#{part.lower()})" if part in known else part for part in parts).replace("|", "\\|")


def _comments(cls: type) -> dict[str, str]:
    """Return what ``#:`` lines say above each field."""
    found: dict[str, str] = {}
    said: list[str] = []
    for line in inspect.getsource(cls).splitlines():
        if comment := re.match(r"\s+#: (.*)", line):
            said.append(comment[1])
        else:
            if field := re.match(r"    (\w+): ", line):
                found[field[1]] = " ".join(said)
            said = []
    return found


def _sentence(thing: Any) -> str:
    first = (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ").replace("``", "`")
    return re.sub(r"^Return (\W?\w)", lambda match: match[1].upper(), _cell(first))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("``", "`")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = create_app(configured(Path(folder)))
        PAGE.write_text(page(made))
        dispose(made)
