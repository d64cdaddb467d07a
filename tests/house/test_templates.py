"""Templates are what their headers, their contexts and ``docs/templates.md`` say."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import meta, nodes

from app import create_app
from chat.themes import headers
from chat.themes.headers import Template
from chat.themes.rendering import Renderer
from chat.themes.samples import contexts
from chat.web import templating
from tests.conftest import Cast, configured, dispose, make_cast
from tests.house import templates_page
from tests.house.templates_page import PAGE
from tests.services import ROOT

ALL = list(headers.read_all(ROOT / "templates").values())
GIVEN = [each for each in ALL if each.context]
CONTEXTS = contexts()


@pytest.fixture(scope="module")
def cast(sqlite_template: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """One application for all templates: to render them changes nothing."""
    file, ids = sqlite_template
    folder = tmp_path_factory.mktemp("templates")
    shutil.copy(file, folder / "confab.sqlite3")
    app = create_app(configured(folder))
    yield make_cast(app, ids)
    dispose(app)


@pytest.fixture
def app(cast: Cast) -> Flask:
    return cast.app


def named(each: Any) -> str:
    return each.name


def test_the_page_about_templates_is_what_they_say(app: Flask):
    assert PAGE.read_text() == templates_page.page(app), "run .venv/bin/python -m tests.house.templates_page"


@pytest.mark.parametrize("template", GIVEN, ids=named)
def test_a_template_uses_what_its_header_names(app: Flask, template: Template):
    tree = app.jinja_env.parse((ROOT / "templates" / template.name).read_text(), template.name)
    own = {each.name for each in tree.find_all(nodes.Name) if each.ctx == "store"}
    own |= {name for line in tree.find_all(nodes.FromImport) for name in line.names if isinstance(name, str)}
    own |= {each.name for each in tree.find_all(nodes.Macro)}
    used = meta.find_undeclared_variables(tree) - own - {*app.jinja_env.globals, "layout", "plain"}
    used -= {each.node.name for each in tree.find_all(nodes.Test) if each.name == "defined"}
    assert used <= template.fields


@pytest.mark.parametrize("template", GIVEN, ids=named)
def test_a_context_has_what_a_header_names(template: Template):
    for names, cls in template.given:
        own = {each.name for each in dataclasses.fields(CONTEXTS[cls])}
        assert set(names) <= own or len(names) == 1


@pytest.mark.parametrize("cls", CONTEXTS.values(), ids=lambda cls: cls.__name__)
def test_a_context_cannot_be_changed_and_has_a_sample(cls: Any):
    found = cls.sample()
    assert isinstance(found, cls)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(found, dataclasses.fields(cls)[0].name, None)


@pytest.mark.parametrize("template", GIVEN, ids=named)
def test_a_template_can_be_rendered_in_every_state(app: Flask, template: Template):
    """Without a request, a database or anybody who looks; a broadcast also without what pages may ask for."""
    with app.app_context():
        renderer = Renderer(app, None)
        found = [renderer.render(template.name, template, *given) for given in renderer.states(template).values()]
    assert any(html.strip() for html in found)
    assert not template.is_broadcast or 'name="csrf_token"' not in "".join(found)


@pytest.mark.parametrize(
    "template", [each for each in GIVEN if "/_" not in each.name and "mail/" not in each.name], ids=named
)
def test_a_page_can_be_rendered_of_its_sample(cast: Cast, template: Template):
    with cast.alice.client:
        cast.alice.get("/rooms")  # whose request is then the current one
        html = templating.render_page(template.name, CONTEXTS[template.context].sample())  # type: ignore[attr-defined]
    assert html.strip()
