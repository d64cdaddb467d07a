"""The pattern page is for who develops, at that machine: it shows sources."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

Make = Callable[..., tuple[Flask, dict[str, str]]]
PATHS = ("/-/patterns", "/-/patterns/version", "/-/patterns/messages/_message.html")


def statuses(app: Flask, address: str) -> set[int]:
    client = app.test_client()
    return {client.get(path, environ_overrides={"REMOTE_ADDR": address}).status_code for path in PATHS}


def test_it_is_there_while_somebody_develops(make_app: Make):
    app, _ = make_app()
    app.debug = True
    assert statuses(app, "127.0.0.1") == {200}
    assert statuses(app, "192.0.2.7") == {404}, "another machine"


def test_it_is_not_there_otherwise(make_app: Make):
    app, _ = make_app()
    assert statuses(app, "127.0.0.1") == {404}


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.7"])
def test_a_site_with_a_name_has_none_even_then(make_app: Make, address: str):
    """What asks from here may be a proxy that passes on what anybody asks."""
    app, _ = make_app(BASE_URL="https://chat.example.org")
    app.debug = True
    client = app.test_client()
    for path in PATHS:
        answer = client.get(path, base_url="https://chat.example.org", environ_overrides={"REMOTE_ADDR": address})
        assert answer.status_code == 404
