"""Starting Confab: what it says, what it refuses, and how it stops."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.people import PASSWORD, Person
from tests.services import GUNICORN, ROOT, SECRET, Postgres, Redis, Site, free_port, wait_for


def refused(**settings: str) -> str:
    """Start it with settings that it refuses; return what it says."""
    env = {"PATH": os.environ["PATH"], "SECRET_KEY": SECRET} | settings
    done = subprocess.run([sys.executable, "wsgi.py"], cwd=ROOT, env=env, text=True, capture_output=True, timeout=30)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.mark.smoke
def test_it_prints_the_address_and_the_set_up_link_until_there_is_an_account(site: Site):
    assert f"Confab is at {site.url}/" in site.output()
    Person(site.url).set_up(site.setup_link)
    site.stop()
    assert not list(site.folder.glob("*-wal")), "who copies the database file has all of it"
    (site.folder / "site.log").unlink()
    site.start()
    assert f"Confab is at {site.url}/" in site.output()
    assert "/setup" not in site.output()


def test_a_port_that_is_taken_is_said_to_be(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused(PORT=str(port), INSTANCE_PATH=str(tmp_path))
    assert f"Cannot listen on 127.0.0.1:{port} (Address already in use)" in line
    assert f"PORT={port + 1} bin/run" in line


def test_a_folder_that_cannot_be_written_is_said_to_be():
    assert "The instance folder /proc/confab cannot be written" in refused(INSTANCE_PATH="/proc/confab")


def test_a_second_process_on_the_same_folder_is_refused(site: Site):
    line = refused(PORT=str(free_port()), INSTANCE_PATH=str(site.folder))
    assert "Another process serves from" in line
    assert requests.get(f"{site.url}/readyz", timeout=5).ok


def test_it_goes_on_with_a_database_of_a_newer_release(site: Site):
    """Going back a release, or a host that restarts in the middle of a deploy: migrations only add."""
    site.stop()
    with closing(sqlite3.connect(site.folder / "confab.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'of the future'")
    site.start()
    assert "migrated by a newer release" in site.output()
    assert requests.get(f"{site.url}/readyz", timeout=5).text == "ready\n"


def test_a_database_that_is_behind_is_not_ready(tmp_path: Path):
    """A host of the new release that is started before anybody has migrated gets no visitors."""
    site = Site(tmp_path / "site", GUNICORN)
    try:
        answer = requests.get(f"{site.url}/readyz", timeout=5)
        assert (answer.status_code, answer.text) == (
            503,
            "database: migrations are missing; run bin/flask db upgrade\n",
        )
    finally:
        site.stop()


def test_more_workers_without_redis_are_refused(tmp_path: Path):
    assert "set REDIS_URL" in refused(WORKERS="2", INSTANCE_PATH=str(tmp_path))


def test_it_stops_politely_while_somebody_keeps_a_connection(site: Site):
    session = requests.Session()
    assert session.get(f"{site.url}/healthz", timeout=5).ok
    assert site.stop() == 0, "an idle connection holds nothing up"


def test_a_request_under_way_is_finished_first(site: Site):
    """A body that is still arriving when the process is told to stop."""
    alice = Person(site.url).set_up(site.setup_link)
    room = alice.make_room()
    alice.get(f"/rooms/{room}")
    body = f"csrf_token={alice.token}&body=last+words&client_id=client-1"
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in alice.http.cookies)
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as sock:
        head = (
            f"POST /rooms/{room}/messages HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nCookie: {cookies}\r\nHX-Request: true\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        sock.sendall(head.encode() + body[:20].encode())
        wait_for(lambda: requests.get(f"{site.url}/healthz", timeout=5).ok)
        site.process.process.terminate()
        wait_for(lambda: not _accepts(site.port), what="the listener to close")
        sock.sendall(body[20:].encode())
        answer = sock.recv(4096)
    assert answer.startswith(b"HTTP/1.1 201"), answer
    assert site.process.process.wait(5) == 0


def _accepts(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("form", ["wsgi", "gunicorn"])
def test_several_processes_serve_one_site(tmp_path: Path, postgres: Postgres, redis_server: Redis, form: str):
    name = f"workers_{form}"
    url = postgres.create(name)
    settings = {"DATABASE_URL": url, "REDIS_URL": redis_server.url, "WORKERS": "2"}
    if form == "gunicorn":
        first = Site(tmp_path / "first", **settings | {"WORKERS": "1"})
        link = first.setup_link
        first.stop()
        site = Site(tmp_path / "site", GUNICORN, **settings)
    else:
        site = Site(tmp_path / "site", **settings)
        link = site.setup_link
    try:
        alice = Person(site.url).set_up(link.replace(link.split("/setup")[0], site.url))
        room = alice.make_room()
        streams = [alice.elsewhere().listen(room) for _ in range(8)]
        said = [alice.say(room, f"number {n}") for n in range(8)]
        for stream in streams:
            assert [event.seq for event in stream.until(said[-1].seq)] == [each.seq for each in said]
        workers = {stream.socket.getpeername() for stream in streams}
        assert len(workers) == 1, "one listener"
        assert site.stop() == 0
        for stream in streams:
            stream.next("bye")
            stream.wait_end()
        assert "Traceback" not in site.output(), site.output()
        assert "WARNING" not in site.output().replace("chat.accounts", ""), site.output()
    finally:
        if site.process.process.poll() is None:
            site.kill()
        postgres.drop(name)


def test_accounts_are_made_on_the_command_line(site: Site):
    done = site.flask("user", "add", "Ada Lindqvist", "ada@example.org", "--role", "administrator", "--password-stdin",
                      input=PASSWORD + "\n")  # fmt: skip
    assert done.returncode == 0, done.stderr
    ada = Person(site.url, email="ada@example.org").sign_in()
    assert ada.get("/moderation/audit").status_code == 200
    again = site.flask("user", "add", "Ada", "ada@example.org", "--password-stdin", input=PASSWORD + "\n")
    assert again.returncode == 1
    assert "There is an account with the address" in again.stderr
    weak = site.flask("user", "add", "Bob", "bob@example.org", "--password-stdin", input="password\n")
    assert "anybody would try" in weak.stderr


def test_the_doctor_says_all_is_well(site: Site):
    done = site.flask("doctor")
    assert (done.returncode, done.stdout.strip()) == (0, "All is well.")
