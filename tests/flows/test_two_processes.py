"""The scaled form: two processes on PostgreSQL and Redis, each person at another one."""

from __future__ import annotations

import threading

import pytest
import redis

from tests.conftest import populate
from tests.people import Stream
from tests.services import Redis, Site, stopped, wait_for

Pair = tuple[Site, Site]


@pytest.mark.smoke
def test_what_one_says_the_other_sees(pair: Pair):
    town = populate(*pair)
    stream = town.bob.listen(town.room)
    said = town.alice.say(town.room, "hello over there")
    town.alice.post(f"/messages/{said.id}/edit", body="hello over there!")
    town.alice.post(f"/messages/{said.id}/delete")
    town.alice.post(f"/messages/{said.id}/restore")
    town.alice.post(f"/rooms/{town.room}/typing")
    events = stream.until(said.seq + 3)
    assert [event.name for event in events] == [
        "message.posted",
        "message.edited",
        "message.deleted",
        "message.restored",
    ]
    stream.next("typing", containing="Alice")


def test_it_resumes_at_the_other_process(pair: Pair):
    town = populate(*pair)
    stream = town.bob.listen(town.room)
    first = town.alice.say(town.room, "before")
    stream.until(first.seq)
    stream.close()
    second = town.alice.say(town.room, "between")
    moved = town.bob.elsewhere(pair[0].url)
    moved.get("/rooms")
    resumed = Stream(moved, f"/events?room={town.room}&after={stream.last_id}")
    third = town.alice.say(town.room, "after")
    assert [event.seq for event in resumed.until(third.seq)] == [second.seq, third.seq]


def test_both_write_at_once_and_nothing_is_lost(pair: Pair):
    town = populate(*pair)
    streams = [town.alice.listen(town.room), town.bob.listen(town.room)]
    said = []

    def talk(person) -> None:
        said.extend(person.say(town.room, f"{person.name} {n}") for n in range(40))

    threads = [threading.Thread(target=talk, args=(person,)) for person in (town.alice, town.bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = max(each.seq for each in said)
    for stream in streams:
        seqs = [event.seq for event in stream.until(last)]
        assert seqs == sorted(each.seq for each in said)
        stream.close()


def test_a_removal_and_a_sign_out_reach_the_other_process(pair: Pair):
    town = populate(*pair)
    other = town.bob.make_room("his own")
    stream = town.bob.listen(town.room, other)
    town.alice.post(f"/rooms/{town.room}/members/{town.bob.id}/remove")
    town.alice.say(town.room, "canary")
    stream.next("reset", containing=town.room)
    twin = town.bob.elsewhere(pair[0].url)
    twin.post("/devices/end-others")
    stream.wait_end(2.0)
    assert b"canary" not in stream.raw
    wait_for(lambda: town.bob.get("/rooms").status_code == 303, 2, "the session to end at the other process")


def test_without_redis_it_takes_a_moment_longer(pair: Pair, redis_server: Redis):
    town = populate(*pair)
    stream = town.bob.listen(town.room)
    stream.next("hello")
    with stopped(redis_server.process):
        said = [town.alice.say(town.room, f"{n} without Redis") for n in range(5)]
        events = stream.until(said[-1].seq, seconds=4)
        town.bob.elsewhere(pair[0].url).post("/devices/end-others")
        stream.wait_end(4.0)
    assert [event.seq for event in events] == [each.seq for each in said]
    again = town.bob.sign_in().listen(town.room)
    fast = town.alice.say(town.room, "Redis is back")
    again.until(fast.seq)


def test_a_killed_process_is_left_for_the_other(pair: Pair):
    town = populate(*pair)
    stream = town.bob.listen(town.room)
    first = town.alice.say(town.room, "before")
    stream.until(first.seq)
    pair[1].kill()
    stream.wait_end()
    second = town.alice.say(town.room, "meanwhile")
    moved = town.bob.elsewhere(pair[0].url)
    moved.get("/rooms")
    resumed = Stream(moved, f"/events?room={town.room}&after={stream.last_id}")
    assert [event.seq for event in resumed.until(second.seq)] == [second.seq]
    stream.close()
    pair[1].start()


def test_nobody_else_can_put_words_on_a_page(pair: Pair, redis_server: Redis):
    """Somebody who can write to Redis, but does not know the key."""
    town = populate(*pair)
    stream = town.bob.listen(town.room)
    stream.next("hello")
    link = redis.Redis.from_url(redis_server.url)
    overheard = link.pubsub()
    overheard.subscribe(f"confab:room:{town.room}")
    overheard.get_message(timeout=1)
    said = town.alice.say(town.room, "genuine")
    stream.until(said.seq)
    copied = wait_for(lambda: overheard.get_message(timeout=1, ignore_subscribe_messages=True))["data"]
    forged = copied.replace(b"genuine", b"forged!").replace(
        f'"seq":{said.seq}'.encode(), f'"seq":{said.seq + 1}'.encode()
    )
    link.publish(f"confab:room:{town.room}", forged)
    link.publish(f"confab:room:{town.room}", copied)
    link.publish(f"confab:room:{town.room}", b"nonsense")
    link.publish("confab:all", copied)
    after = town.alice.say(town.room, "and after")
    assert [event.seq for event in stream.until(after.seq)] == [said.seq, after.seq]
    assert b"forged" not in stream.raw
    overheard.close()
    link.close()


def test_pages_and_lists_agree(pair: Pair):
    town = populate(*pair)
    stream = town.bob.listen()
    town.alice.say(town.room, "unread")
    assert 'data-count="1"' in stream.next("room.unread", containing=town.room).data
    badge = town.bob.page("/rooms").select_one(f'[data-live="unread:{town.room}"]')
    assert badge["data-count"] == "1"
    town.bob.post(f"/rooms/{town.room}/read", seq="999")
    stream.next("room.unread", containing='data-count="0"')
