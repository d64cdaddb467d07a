"""Who is here: online, away, offline, whatever browsers and processes do."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from chat.accounts.sessions import write_use
from chat.core.database import db
from chat.presence import store, tracker
from chat.presence.store import ALIVE, MemoryStore, RedisStore
from chat.presence.tracker import IDLE, Tracker
from tests.conftest import Cast, Town, populate
from tests.services import Redis, Site

ALICE, BOB = "alice", "bob"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(store.time, "time", clock.time)
    monkeypatch.setattr(tracker.time, "time", clock.time)
    return clock


@pytest.fixture(params=["memory", "redis"])
def make_tracker(request: pytest.FixtureRequest):
    if request.param == "redis":
        server: Redis = request.getfixturevalue("redis_server")
        RedisStore(server.url)._redis.flushall()

    shared = MemoryStore()

    def make(connected: set[tuple[str, str]]) -> Tracker:
        kept = RedisStore(request.getfixturevalue("redis_server").url) if request.param == "redis" else shared
        return Tracker(kept, lambda: connected)

    return make


def states(changes) -> dict[str, str]:
    return {change.user_id: change.state for change in changes}


def test_who_connects_is_here(make_tracker, time: Clock):
    one = make_tracker(set())
    one.arrive(ALICE, "desk")
    assert states(one.look()) == {ALICE: "online"}
    assert one.look() == []


def test_who_does_nothing_for_five_minutes_is_away(make_tracker, time: Clock):
    connected = {(ALICE, "desk")}
    one = make_tracker(connected)
    one.arrive(ALICE, "desk")
    one.look()
    for _ in range(20):
        time.now += 15
        assert one.look() == []
    time.now += 15
    assert states(one.look()) == {ALICE: "away"}
    one.act(ALICE, "desk")
    assert states(one.look()) == {ALICE: "online"}


def test_one_browser_in_use_is_enough(make_tracker, time: Clock):
    one = make_tracker({(ALICE, "desk"), (ALICE, "phone")})
    one.look()
    time.now += IDLE - 10
    one.act(ALICE, "phone")
    one.look()
    time.now += 30
    assert states(one.look()) == {}
    assert one.state(ALICE) == "online"


def test_who_is_gone_is_offline_a_minute_later(make_tracker, time: Clock):
    connected = {(ALICE, "desk")}
    one = make_tracker(connected)
    one.look()
    connected.clear()
    time.now += ALIVE - 1
    assert one.look() == []
    last = time.now - (ALIVE - 1)
    time.now += 2
    (change,) = one.look()
    assert (change.user_id, change.state) == (ALICE, "offline")
    assert change.seen_at == pytest.approx(last, abs=1)


def test_reloading_a_page_is_not_leaving(make_tracker, time: Clock):
    connected = {(ALICE, "desk")}
    one = make_tracker(connected)
    one.look()
    connected.clear()
    time.now += 5
    one.look()
    connected.add((ALICE, "desk"))
    one.arrive(ALICE, "desk")
    time.now += 5
    assert one.look() == []


def test_closing_one_of_two_browsers_is_not_leaving(make_tracker, time: Clock):
    connected = {(ALICE, "desk"), (ALICE, "phone")}
    one = make_tracker(connected)
    one.look()
    connected.discard((ALICE, "phone"))
    for _ in range(6):
        time.now += 15
        assert one.look() == []


def test_signing_out_is_leaving_at_once(make_tracker, time: Clock):
    one = make_tracker(set())
    one.arrive(ALICE, "desk")
    one.arrive(BOB, "bench")
    one.look()
    one.depart(ALICE, "desk")
    assert states(one.look()) == {ALICE: "offline"}


def test_signing_out_of_one_of_two_is_not(make_tracker, time: Clock):
    one = make_tracker({(ALICE, "desk"), (ALICE, "phone")})
    one.look()
    one.depart(ALICE, "phone")
    assert one.look() == []


def test_coming_back_after_a_night_is_being_here(make_tracker, time: Clock):
    connected = {(ALICE, "desk")}
    one = make_tracker(connected)
    one.look()
    connected.clear()
    time.now += 10 * 3600
    one.look()
    one.arrive(ALICE, "desk")
    assert states(one.look()) == {ALICE: "online"}


def test_a_process_that_died_takes_nobody_with_it_for_ever(make_tracker, time: Clock):
    """Alice was connected to a process that was killed; bob's process notices."""
    killed, alive = make_tracker({(ALICE, "desk")}), make_tracker({(BOB, "bench")})
    killed.look()
    assert states(alive.look()) == {ALICE: "online", BOB: "online"}
    time.now += 30
    alive.look()
    time.now += 31
    assert states(alive.look()) == {ALICE: "offline"}


def test_without_redis_what_was_known_stays(redis_server: Redis, time: Clock):
    one = Tracker(RedisStore(f"redis://127.0.0.1:{redis_server.port + 1}/0"), lambda: {(ALICE, "desk")})
    one.states = {BOB: "online"}
    assert one.look() == []
    assert one.state(BOB) == "online"
    one.act(ALICE, "desk")
    one.depart(ALICE, "desk")


# -- over real sockets


def test_those_who_share_a_room_see_it(town: Town):
    stream = town.alice.listen(town.room)
    stream.next("hello")
    other = town.bob.listen(town.room)
    here = stream.next("presence", containing=f"presence:{town.bob.id}")
    assert 'data-state="online"' in here.data
    assert "2 of 2 here" in stream.next("presence", containing="2 of 2").data
    town.bob.post("/sign-out")
    gone = stream.next("presence", containing='data-state="offline"')
    assert f"presence:{town.bob.id}" in gone.data
    assert "Last seen" in gone.data
    other.close()


def test_who_comes_later_sees_who_is_here_and_who_is_not(town: Town):
    """A page may be older than its stream, and a stream may have been cut while somebody left."""
    town.bob.listen(town.room).next("presence", containing="1 of 2 here")
    first = town.alice.listen(town.room)
    shown = first.next("presence", containing=f"presence:{town.bob.id}").data
    assert "2 of 2 here" in shown
    assert shown.count('data-state="online"') == 2
    town.bob.post("/sign-out")
    first.next("presence", containing='data-state="offline"')
    shown = town.alice.listen(town.room).next("presence", containing=f"presence:{town.bob.id}").data
    assert "1 of 2 here" in shown
    assert 'data-state="offline"' in shown
    assert "Last seen" in shown


def _fill(town: Town, count: int) -> None:
    """Add so many people to the room, past the pages."""
    with closing(sqlite3.connect(town.site.folder / "confab.sqlite3")) as database, database:
        for table, owner in (("users", "id"), ("memberships", "user_id")):
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            for number in range(count):
                other = f"{number:a>16}".replace("0", "b").translate(str.maketrans("123456789", "cdefghijk"))
                shown = [
                    f"'{other}'" if name == owner else f"'{other}@example.org'" if name == "email" else name
                    for name in names
                ]
                database.execute(
                    f"INSERT INTO {table} SELECT {', '.join(shown)} FROM {table} WHERE {owner} = ?", (town.bob.id,)
                )


def test_in_a_large_room_only_the_number_is_shown(town: Town):
    """A mark for each would cost everybody more than all that is said."""
    _fill(town, 99)
    page = town.alice.page(f"/rooms/{town.room}")
    assert page.select(".people__list--many .member")
    assert not page.select(".people .presence")
    stream = town.alice.listen(town.room)
    assert "1 of 101 here" in stream.next("presence", 15, containing="1 of 101").data
    town.bob.listen(town.room)
    assert "2 of 101 here" in stream.next("presence", 15, containing="2 of 101").data
    assert b"data-state" not in stream.raw


def test_partners_of_a_direct_room_see_it_in_their_list(town: Town):
    town.alice.post("/rooms/direct", person=town.mallory.id)
    stream = town.alice.listen()
    stream.next("hello")
    town.mallory.listen()
    assert 'data-state="online"' in stream.next("presence", containing=f"presence:{town.mallory.id}").data


def test_strangers_do_not(town: Town):
    stranger, friend = town.mallory.listen(), town.alice.listen(town.room)
    stranger.next("hello")
    town.bob.listen(town.room)
    friend.next("presence", containing=f"presence:{town.bob.id}")
    assert town.bob.id.encode() not in stranger.raw


def test_it_is_seen_at_another_process(pair: tuple[Site, Site]):
    town = populate(*pair)
    stream = town.alice.listen(town.room)
    stream.next("hello")
    town.bob.listen(town.room)
    stream.next("presence", containing=f"presence:{town.bob.id}")
    town.bob.post("/sign-out")
    stream.next("presence", containing='data-state="offline"')


def test_when_somebody_was_last_seen_is_kept(cast: Cast):
    with cast.app.app_context():
        write_use({"some-session": cast.bob.id})
        db.session.remove()
    room = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"]
    page = cast.alice.get(room).get_data(as_text=True)
    assert "Last seen" in page


def test_typing_is_shown_to_the_room(town: Town):
    stream = town.bob.listen(town.room)
    stream.next("hello")
    assert town.alice.post(f"/rooms/{town.room}/typing").status_code == 204
    shown = stream.next("typing").data
    assert f'data-person-id="{town.alice.id}"' in shown
    assert "Alice Okafor" in shown
    assert not stream.next("typing").id, "never replayed"


@pytest.mark.parametrize(
    "member", [b"odd", b"", b".", b"a.b.c", b"\xff\xfe.desk", b"alice.", b".desk", b"al\0ice.desk", b"x" * 200 + b".y"]
)
def test_what_is_no_sign_of_life_stops_nobody(redis_server: Redis, time: Clock, caplog, member: bytes):
    """Somebody else writes to the same Redis."""
    kept = RedisStore(redis_server.url)
    kept._redis.flushall()
    one = Tracker(kept, lambda: {(ALICE, "desk")})
    one.look()
    kept._redis.zadd(RedisStore._ALIVE_KEY, {member: time.now + 1})
    one.arrive(BOB, "phone")
    time.now += 1
    assert states(one.look()) == {BOB: "online"}
    time.now += 15
    assert one.look() == []
    assert kept._redis.zscore(RedisStore._ALIVE_KEY, member) is None
    assert one.state(ALICE) == "online"
    assert len([each for each in caplog.records if "not ours" in each.getMessage()]) == 1


def test_nobody_is_here_for_ever(redis_server: Redis, time: Clock):
    kept = RedisStore(redis_server.url)
    kept._redis.flushall()
    kept._redis.zadd(RedisStore._ALIVE_KEY, {"bob.phone": "+inf", "alice.desk": time.now + 10 * ALIVE})
    kept._redis.zadd(RedisStore._ACTIVE_KEY, {"mallory.desk": "+inf"})
    one = Tracker(kept, set)
    assert one.look() == []
    assert kept._redis.zcard(RedisStore._ALIVE_KEY) == 0


@pytest.mark.parametrize("key", ["_ALIVE_KEY", "_ACTIVE_KEY"])
def test_a_key_that_has_become_something_else_is_made_anew(redis_server: Redis, time: Clock, key: str):
    kept = RedisStore(redis_server.url)
    kept._redis.flushall()
    one = Tracker(kept, lambda: {(ALICE, "desk")})
    assert states(one.look()) == {ALICE: "online"}
    kept._redis.set(getattr(RedisStore, key), "odd")
    one.arrive(BOB, "phone")
    time.now += 1
    one.look()
    time.now += 1
    assert states(one.look()) == {BOB: "online"}
    assert one.state(ALICE) == "online"
