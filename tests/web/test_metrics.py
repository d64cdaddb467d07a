"""/metrics: figures for whoever runs the site, and for nobody else; none of them says what anybody wrote."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import populate
from tests.people import Person
from tests.services import Postgres, Redis, Site, wait_for

TOKEN = "a-token-for-the-monitoring"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One that people reach by a name, through a proxy on the same machine."""
    site = Site(tmp_path_factory.mktemp("public"), BASE_URL="https://chat.example.org")
    yield site
    site.stop()


def figures(site: Site, **headers: str) -> dict[str, float]:
    answer = requests.get(f"{site.url}/metrics", headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {name: float(value) for name, value in re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", answer.text, re.MULTILINE)}


def test_they_follow_what_happens(site: Site):
    town = populate(site)
    wait_for(lambda: figures(site)["confab_database_connections_limit"] > 0, 5, "the figures of the first second")
    before = figures(site)
    stream = town.bob.listen(town.room)
    said = town.alice.say(town.room, "a secret lamp")
    stream.until(said.seq)
    wait_for(lambda: figures(site)["confab_streams"] == before["confab_streams"] + 1, 5, "the stream in the figures")
    now = figures(site)
    posted = 'confab_log_events_total{name="message.posted"}'
    assert now[posted] == before.get(posted, 0) + 1
    assert now["confab_fanout_seconds_count"] > before["confab_fanout_seconds_count"]
    assert now['confab_request_seconds_count{endpoint="messages.create",status="201"}'] >= 1
    assert now["confab_feeds"] >= 1
    assert now["confab_database_connections_in_use"] < now["confab_database_connections_limit"]
    assert now["confab_broker_up"] == 1
    assert now["confab_database_checkouts_total"] > before["confab_database_checkouts_total"]
    assert now["confab_jobs_lag_seconds"] < 5
    assert {"confab_ring_misses_total", "confab_log_gaps_filled_total", "confab_sweep_hits_total"} <= now.keys()
    stream.close()
    wait_for(lambda: figures(site)["confab_streams"] == before["confab_streams"], 5, "the stream to be gone")


def test_what_the_sweep_finds_is_counted(pair: tuple[Site, Site], redis_server: Redis):
    town = populate(*pair)
    stream = town.bob.listen(town.room)
    before = figures(pair[1])
    redis_server.process.kill()
    try:
        said = town.alice.say(town.room, "nobody tells the other process")
        stream.until(said.seq)
        now = figures(pair[1])
        assert now["confab_sweep_hits_total"] > before["confab_sweep_hits_total"]
        assert now["confab_log_gaps_filled_total"] > before["confab_log_gaps_filled_total"]
        wait_for(lambda: figures(pair[1])["confab_broker_up"] == 0, 5, "the broker to be seen as away")
    finally:
        redis_server.start()


def test_nothing_private_is_in_them(site: Site):
    town = populate(site)
    town.alice.say(town.room, "a-very-private-word")
    text = requests.get(f"{site.url}/metrics", timeout=10).text
    for private in ("a-very-private-word", town.room, town.alice.id, town.alice.email, town.alice.name):
        assert private not in text


@pytest.mark.parametrize(
    "headers", [{}, {"Host": "127.0.0.1"}, {"Host": "localhost"}, {"Authorization": "Bearer "}], ids=str
)
def test_a_public_site_shows_them_to_nobody_without_a_token(public: Site, headers: dict[str, str]):
    """A proxy on the same machine makes everybody look as if they were on it."""
    assert requests.get(f"{public.url}/metrics", headers=headers, timeout=10).status_code == 403


def test_checks_are_answered_under_any_name(public: Site):
    for path in ("/healthz", "/readyz"):
        assert requests.get(public.url + path, headers={"Host": "10.0.0.5:8000"}, timeout=10).status_code == 200
    assert requests.get(f"{public.url}/sign-in", headers={"Host": "10.0.0.5:8000"}, timeout=10).status_code == 400


def test_with_a_token_they_are_for_who_has_it(tmp_path: Path):
    site = Site(tmp_path / "site", METRICS_TOKEN=TOKEN)
    try:
        assert figures(site, Authorization=f"Bearer {TOKEN}")["confab_streams"] == 0
        assert figures(site, Authorization=f"Bearer {TOKEN}", **{"X-Forwarded-For": "198.51.100.7"})
        for wrong in ("", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer ü"):
            sent = {"Authorization": wrong.encode("latin-1")} if wrong else {}
            assert requests.get(f"{site.url}/metrics", headers=sent, timeout=10).status_code == 403, wrong
    finally:
        site.stop()


def test_workers_that_share_a_port_answer_for_each_other(tmp_path: Path, postgres: Postgres, redis_server: Redis):
    settings = {"DATABASE_URL": postgres.create("figures"), "REDIS_URL": redis_server.url, "WORKERS": "2"}
    site = Site(tmp_path / "site", **settings)
    try:
        first = Person(site.url).set_up(site.setup_link)
        room = first.make_room()
        cursor = first.cursor(room)
        streams = [first.elsewhere().listen(room, after={room: cursor}) for _ in range(6)]
        wait_for(lambda: figures(site)["confab_streams"] == len(streams), 5, "the streams of both workers")
        for number in range(6):
            first.say(room, f"hello {number}")
        assert figures(site)['confab_log_events_total{name="message.posted"}'] == 6
        assert {figures(site)["confab_streams"] for _ in range(20)} == {len(streams)}, "whoever answers"
        for stream in streams:
            stream.close()
    finally:
        site.stop()
