"""What every response says, and what is refused before anything is done."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Cast

PAGES = ["/sign-in", "/sign-up", "/nope", "/healthz", "/static/x/icons/icons.svg", "/setup"]
OWN_PAGES = ["/rooms", "/rooms/new", "/profile", "/devices", "/rooms/{room}", "/rooms/{room}/members", "/rooms/list"]


def everywhere(cast: Cast):
    for path in PAGES:
        yield path, cast.nobody.get(path)
    for path in OWN_PAGES:
        yield path, cast.alice.get(path.format(room=cast.room))
    yield "POST refused", cast.alice.client.post("/rooms")
    yield "too large", cast.nobody.post("/sign-in", data={"x": "y" * 300_000})


def test_no_page_may_run_or_load_anything_but_ours(cast: Cast):
    for path, response in everywhere(cast):
        policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'", path
        if path.startswith("/static"):
            continue
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
        assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in str(policy)


def test_the_observatory_would_be_pleased(cast: Cast):
    """Mozilla's rules: 100, and points for a strict policy, for cookies, referrers, framing, CORP, COOP."""
    for path, response in everywhere(cast):
        if path.startswith("/static"):
            continue
        headers = response.headers
        score = 100
        score += 10 if "unsafe" not in headers["Content-Security-Policy"] else 0
        score += 5 if headers["Referrer-Policy"] in {"same-origin", "no-referrer"} else -5
        score += 5 if "frame-ancestors 'none'" in headers["Content-Security-Policy"] else 0
        score += 10 if headers["Cross-Origin-Resource-Policy"] == "same-origin" else 0
        score += 10 if headers["Cross-Origin-Opener-Policy"] == "same-origin" else 0
        score += 5 if all("HttpOnly" in line and "SameSite" in line for line in headers.getlist("Set-Cookie")) else -20
        score += 0 if headers["X-Content-Type-Options"] == "nosniff" else -5
        assert "Access-Control-Allow-Origin" not in headers
        assert score >= 145, (path, score)


def test_nothing_is_kept_but_static_files(cast: Cast):
    for path, response in everywhere(cast):
        if path.startswith("/static"):
            continue
        assert "no-store" in response.headers["Cache-Control"], path
        assert {"cookie", "hx-request"} <= {each.lower() for each in response.vary}


def test_static_files_are_kept_for_a_year_under_todays_name(cast: Cast):
    address = cast.nobody.get("/sign-in").get_data(as_text=True).split('<link rel="stylesheet" href="')[1].split('"')[0]
    response = cast.nobody.get(address, headers={"Accept-Encoding": "gzip"})
    assert "max-age=31536000" in response.headers["Cache-Control"]
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Encoding"] == "gzip"
    plain = cast.nobody.get(address, headers={"Accept-Encoding": "br;q=0, gzip;q=0"})
    smaller = cast.nobody.get(address, headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    assert smaller.headers["Content-Encoding"] == "br"
    assert brotli.decompress(smaller.data) == gzip.decompress(response.data) == plain.data
    assert len(smaller.data) < len(response.data) < len(plain.data)
    old = cast.nobody.get("/static/another-release/css/app.css")
    assert old.headers["Cache-Control"] == "no-cache"
    assert cast.nobody.get("/static/x/../../config.py").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/static/x/..%2f..%2fconfig.py", "/static/x//etc/passwd", "/static/x/%2e%2e/app.py", "/static/x/css/%00", "/.git/config",
     "/static/x/", "/static/", "/.env", "/instance/secret_key", "/console", "/admin", "/static/x/css/", "/rooms/..", "/debug"],
)  # fmt: skip
def test_there_is_nothing_else(cast: Cast, path: str):
    assert cast.nobody.get(path).status_code in {404, 308}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "a\\b"])
def test_it_answers_to_its_own_names_only(cast: Cast, host: str):
    response = cast.nobody.get("/sign-in", headers={"Host": host})
    assert response.status_code == 400
    assert host not in response.get_data(as_text=True)


def test_cookies_over_https_are_bound_to_this_host(make_app: Callable[..., tuple[Flask, dict[str, str]]]):
    app, _ = make_app(BASE_URL="https://chat.example.org")
    client = app.test_client()
    page = client.get("/sign-in", base_url="https://chat.example.org")
    token = page.get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "email": "alice@example.org", "password": "a quiet lamp over the bay"}
    answer = client.post("/sign-in", data=data, base_url="https://chat.example.org")
    assert answer.status_code == 303
    page = client.get("/rooms", base_url="https://chat.example.org")
    cookies = answer.headers.getlist("Set-Cookie") + page.headers.getlist("Set-Cookie")
    assert {line.split("=")[0] for line in cookies} == {"__Host-session", "__Host-ticket", "__Host-browser"}
    for line in cookies:
        attributes = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"secure", "httponly", "path=/"} <= attributes
        assert attributes & {"samesite=lax", "samesite=strict"}
        assert not any(each.startswith("domain") for each in attributes)
    assert page.headers["Strict-Transport-Security"]


def test_a_body_may_be_so_large_and_no_larger(cast: Cast):
    response = cast.nobody.post("/sign-in", data={"email": "x" * 300_000})
    assert response.status_code == 413
    big = {"body": "x" * 300_000, "csrf_token": cast.alice.token}
    assert cast.alice.client.post(f"/rooms/{cast.room}/messages", data=big).status_code == 422, "counted, and kept"
    assert cast.nobody.post(f"/rooms/{cast.room}/messages", data=big).status_code == 413, "strangers do not upload"
    parts = {f"field{n}": "x" for n in range(200)}
    response = cast.alice.client.post("/rooms", data=parts, content_type="multipart/form-data")
    assert response.status_code == 413


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(cast: Cast, method: str):
    response = cast.alice.client.open("/rooms", method=method)
    assert response.status_code in {403, 405}


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override"])
def test_a_get_cannot_pretend_to_be_a_post(cast: Cast, header: str):
    cast.alice.client.get(f"/rooms/{cast.room}/leave", headers={header: "POST"})
    assert cast.alice.get(f"/rooms/{cast.room}").status_code == 200


def test_json_in_plain_text_is_no_form(cast: Cast):
    response = cast.alice.client.post("/rooms", data='{"csrf_token": "x", "name": "y"}', content_type="text/plain")
    assert response.status_code == 403


def test_an_error_is_a_page_or_a_fragment_and_never_a_traceback(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    from chat.rooms import queries

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(queries, "open_rooms", broken)
    page = cast.alice.get("/rooms")
    assert page.status_code == 500
    text = page.get_data(as_text=True)
    assert "Something broke on our side" in text
    assert "Reference" in text
    assert "secret detail" not in text
    assert "Traceback" not in text
    fragment = cast.alice.get("/rooms", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert fragment.startswith("<p")
    assert "<html" not in fragment


@pytest.mark.parametrize(
    "path", ["/rooms/{room}?before=abc", "/rooms/{room}?around=-1", "/rooms/{room}?after=" + "9" * 30]
)
def test_a_place_that_is_none_is_said_to_be(cast: Cast, path: str):
    response = cast.alice.get(path.format(room=cast.room))
    assert response.status_code == 422
    assert "is not a place in a timeline" in response.get_data(as_text=True)


def test_the_server_does_not_say_what_it_is(cast: Cast):
    client: FlaskClient = cast.nobody
    assert "Server" not in client.get("/sign-in").headers
