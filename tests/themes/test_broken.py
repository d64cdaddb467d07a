"""A theme with a fault in it: what it says to people, and what to who develops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

Make = Callable[..., tuple[Flask, dict[str, str]]]


@pytest.fixture
def broken(make_app: Make, tmp_path: Path, request: pytest.FixtureRequest) -> Flask:
    name, source = request.param
    path = tmp_path / "templates" / name
    path.parent.mkdir(parents=True)
    path.write_text(source)
    app, _ = make_app(THEME_DIR=str(tmp_path))
    app.testing = False
    return app


CARD = '{% extends "default/accounts/sign_in.html" %}\n{% block card %}\n  {{ nothing.at.all }}\n{% endblock %}\n'
FAULTS = [("accounts/sign_in.html", CARD), ("layouts/base.html", "<html>\n<body>\n{% if %}\n")]


@pytest.mark.parametrize("broken", FAULTS, indirect=True, ids=["a page", "every page"])
def test_people_are_told_in_words(broken: Flask):
    answer = broken.test_client().get("/sign-in")
    assert answer.status_code == 500
    assert "Something broke on our side." in answer.text
    assert "nothing" not in answer.text.replace("Nothing you wrote", "")
    assert ".html" not in answer.text


@pytest.mark.parametrize("broken", FAULTS, indirect=True, ids=["a page", "every page"])
def test_who_develops_is_told_where(broken: Flask, tmp_path: Path):
    broken.debug = True
    answer = broken.test_client().get("/sign-in")
    assert answer.status_code == 500
    (file,) = (tmp_path / "templates").rglob("*.html")
    assert f"{file}, line 3." in answer.text
    elsewhere = broken.test_client().get("/sign-in", environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert str(tmp_path) not in elsewhere.text
