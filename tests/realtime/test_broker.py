"""What processes tell each other through Redis: only what one of them said, once, and nothing else has an effect."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from bench.contenders import sealed
from chat.core import redis_link
from chat.realtime import broker
from chat.realtime.broker import RedisBroker
from tests.services import Redis, wait_for

CHANNEL = "confab:all"


@pytest.fixture
def listening(redis_server: Redis) -> Iterator[tuple[RedisBroker, list[dict[str, Any]]]]:
    heard: list[dict[str, Any]] = []
    made = _broker(redis_server, heard.append)
    yield made, heard
    made.stop()


@pytest.fixture
def telling(redis_server: Redis) -> Iterator[RedisBroker]:
    made = _broker(redis_server, lambda _: None)
    yield made
    made.stop()


def _broker(server: Redis, hear: Callable[[dict[str, Any]], None]) -> RedisBroker:
    made = RedisBroker(server.url, b"k" * 32)
    made.follow(CHANNEL)
    made.start(lambda _, message: hear(message), lambda: None)
    wait_for(made.healthy, what="the subscription")
    return made


@pytest.fixture
def recorded(redis_server: Redis) -> Iterator[Callable[[], bytes]]:
    """Listen as somebody would who reads Redis; returns the next message."""
    link = redis.Redis.from_url(redis_server.url)
    ears = link.pubsub(ignore_subscribe_messages=True)
    ears.subscribe(CHANNEL)
    wait_for(lambda: link.pubsub_numsub(CHANNEL)[0][1] >= 1, what="the ears")
    yield lambda: wait_for(lambda: ears.get_message(timeout=1), what="a message")["data"]
    ears.close()
    link.close()


def test_what_was_recorded_is_not_heard_again(listening, telling: RedisBroker, recorded, redis_server: Redis):
    _, heard = listening
    link = redis_link.client(redis_server.url)
    for n in range(3):
        telling.publish(CHANNEL, {"kind": "shown", "n": n})
    copies = [recorded() for _ in range(3)]
    for copy in [*copies, *reversed(copies)]:
        link.publish(CHANNEL, copy)
    telling.publish(CHANNEL, {"kind": "shown", "n": "last"})
    wait_for(lambda: heard and heard[-1]["n"] == "last", what="the last one")
    assert [each["n"] for each in heard] == [0, 1, 2, "last"]


def test_what_was_recorded_long_ago_is_not_shown_to_a_process_that_is_new(
    telling: RedisBroker, recorded, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
):
    real = time.time
    monkeypatch.setattr(broker.time, "time", lambda: real() - 2 * broker.STALE)
    telling.publish(CHANNEL, {"kind": "shown", "n": "old"})
    old = recorded()
    telling.publish(CHANNEL, {"kind": "revoked", "n": "old"})
    revoked = recorded()
    monkeypatch.setattr(broker.time, "time", real)
    heard: list[dict[str, Any]] = []
    new = _broker(redis_server, heard.append)
    for each in (old, revoked):
        redis_link.client(redis_server.url).publish(CHANNEL, each)
    wait_for(lambda: heard, what="the one that may be late")
    assert [each["kind"] for each in heard] == ["revoked"]
    new.stop()


def test_forged_ones_have_no_effect_and_do_not_fill_the_log(
    listening, telling: RedisBroker, recorded, redis_server: Redis, caplog
):
    _, heard = listening
    link = redis_link.client(redis_server.url)
    telling.publish(CHANNEL, {"kind": "shown", "n": "genuine"})
    genuine = recorded()
    forged = [
        b"",
        b"x",
        genuine[:20],
        genuine[:47],
        genuine[:48],
        genuine[:-1] + b"!",
        b"\xff" * 100,
        genuine.replace(b"genuine", b"forgery"),
    ]
    for each in forged * 200:
        link.publish(CHANNEL, each)
    telling.publish(CHANNEL, {"kind": "shown", "n": "after"})
    wait_for(lambda: len(heard) == 2, what="what is genuine")
    assert [each["n"] for each in heard] == ["genuine", "after"]
    assert (
        len([each for each in caplog.records if "not from us" in each.getMessage()]) <= 2
    )  # each of the two brokers says it once


def test_what_the_bench_publishes_is_heard(listening, redis_server: Redis):
    _, heard = listening
    stage = RedisBroker(redis_server.url, b"k" * 32)
    for n in range(3):
        channel, told = sealed(stage, CHANNEL, {"kind": "frame", "n": n})
        redis_link.client(redis_server.url).publish(channel, told)
    wait_for(lambda: len(heard) == 3, what="all of it")


def test_a_sender_that_is_forgotten_does_not_grow_without_end(listening):
    made, _ = listening
    for n in range(3 * broker._SENDERS):
        body = n.to_bytes(16, "big") + broker._ORDER.pack(1, time.time()) + b'{"kind":"revoked"}'
        made._open(CHANNEL, made._mac(CHANNEL, body) + body, lambda *_: None)
    assert len(made._last) == broker._SENDERS
