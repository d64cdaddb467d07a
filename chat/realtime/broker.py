"""What processes tell each other: frames, typing, revoked sessions. Never the truth, only the fast path to it.

``LocalBroker`` is for one process, which has nobody to tell. ``RedisBroker`` is Redis pub/sub. A message is authenticated
with a key derived from SECRET_KEY, so a shared or hijacked Redis cannot put a word on anybody's page; its number and its time
are authenticated with it, so one that was recorded cannot be played again. Publishing never blocks a request and may lose a
message: the sweep finds what was lost within a second.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import queue
import random
import struct
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from chat.core import ids, metrics, redis_link

log = logging.getLogger(__name__)

Receive = Callable[[str, dict[str, Any]], None]

_MAC_BYTES = 16
_SENDER_BYTES = _MAC_BYTES + 16
#: The number of a message, counted by its sender, and its time in Unix seconds.
_ORDER = struct.Struct(">Qd")
#: The bytes before the message: its MAC, sender, number and time.
_HEAD_BYTES = _SENDER_BYTES + _ORDER.size
#: Seconds after which typing and the like are not worth showing; the clocks of two hosts may differ by as much.
STALE = 30.0
#: Senders whose last number is remembered.
_SENDERS = 1000
#: Seconds for which nothing is published after a publish that failed.
BREAKER = 1.0
#: Seconds of silence on the subscription after which it is asked, and given up.
ASK_AFTER = 2.0
DEAD_AFTER = 5.0


class Broker(Protocol):
    """Carries small dictionaries from this process to all others."""

    def start(self, receive: Receive, reconnected: Callable[[], None]) -> None:
        """Begin to listen. ``reconnected`` is called whenever messages may have been missed."""

    def publish(self, channel: str, message: dict[str, Any]) -> None:
        """Tell the other processes; returns at once."""

    def follow(self, channel: str) -> None:
        """Listen to one more channel."""

    def unfollow(self, channel: str) -> None:
        """Listen to one channel less."""

    def healthy(self) -> bool:
        """Tell whether messages get through as far as we know."""

    def stop(self) -> None:
        """Stop listening and publishing."""


class LocalBroker:
    """The broker of a single process: nobody else to tell."""

    def start(self, receive: Receive, reconnected: Callable[[], None]) -> None:
        """Do nothing."""

    def publish(self, channel: str, message: dict[str, Any]) -> None:
        """Do nothing: this process has already told itself."""

    def follow(self, channel: str) -> None:
        """Do nothing."""

    def unfollow(self, channel: str) -> None:
        """Do nothing."""

    def healthy(self) -> bool:
        """Return True."""
        return True

    def stop(self) -> None:
        """Do nothing."""


class RedisBroker:
    """Redis pub/sub: one connection that listens, one that publishes from a short queue."""

    def __init__(self, url: str, key: bytes) -> None:
        self._key = key
        self._me = ids.new().encode()
        self._outgoing: queue.Queue[tuple[str, bytes]] = queue.Queue(maxsize=2000)
        self._publisher = redis_link.client(url)
        self._subscriber = redis_link.client(url, timeout=None)
        self._channels: set[str] = set()
        self._pubsub: Any = None
        self._broken_until = 0.0
        #: The number of the last message of each sender; the sender that was silent for longest is first.
        self._last: dict[bytes, int] = {}
        self._number = 0
        self._foreign = redis_link.Oddities(log, "%s messages on Redis are not from us, or were played again")
        self._started = False
        self._listening = False
        self._stopping = False

    def start(self, receive: Receive, reconnected: Callable[[], None]) -> None:
        """Start the two threads."""
        self._started = True
        threading.Thread(target=self._publish_loop, name="broker publish", daemon=True).start()
        threading.Thread(
            target=self._listen_loop, args=(receive, reconnected), name="broker listen", daemon=True
        ).start()

    def publish(self, channel: str, message: dict[str, Any]) -> None:
        """Queue a message; dropped when the queue is full or Redis has just failed."""
        if time.monotonic() < self._broken_until:
            metrics.BROKER_DROPPED.inc()
            return
        body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
        try:
            self._outgoing.put_nowait((channel, body))
        except queue.Full:
            metrics.BROKER_DROPPED.inc()

    def follow(self, channel: str) -> None:
        """Listen to one more channel, now and after every reconnect."""
        self._channels.add(channel)
        self._tell_redis("subscribe", channel)

    def unfollow(self, channel: str) -> None:
        """Listen to one channel less."""
        self._channels.discard(channel)
        self._tell_redis("unsubscribe", channel)

    def healthy(self) -> bool:
        """Tell whether the subscription stands and the last publish went through; before the start, whether Redis answers."""
        if self._started:
            return self._listening and time.monotonic() >= self._broken_until
        try:
            return bool(self._publisher.ping())
        except redis_link.ERRORS:
            return False

    def stop(self) -> None:
        """Stop both threads at their next turn."""
        self._stopping = True

    def sealed(self, channel: str, body: bytes) -> bytes:
        """Return a message as it goes to Redis. Each has the next number, so messages are sent in the order of their making."""
        self._number += 1
        told = self._me + _ORDER.pack(self._number, time.time()) + body
        return self._mac(channel, told) + told

    def _mac(self, channel: str, body: bytes) -> bytes:
        return hmac.digest(self._key, channel.encode() + b"\0" + body, hashlib.sha256)[:_MAC_BYTES]

    def _tell_redis(self, command: str, channel: str) -> None:
        pubsub = self._pubsub
        if pubsub is not None:
            try:
                getattr(pubsub, command)(channel)
            except redis_link.ERRORS:
                pass  # the listening thread meets the same error and subscribes to everything anew

    def _publish_loop(self) -> None:
        while not self._stopping:
            batch = [self._outgoing.get()]
            while len(batch) < 100 and not self._outgoing.empty():
                batch.append(self._outgoing.get())
            try:
                pipeline = self._publisher.pipeline(transaction=False)
                for channel, body in batch:
                    pipeline.publish(channel, self.sealed(channel, body))
                pipeline.execute()
            except redis_link.ERRORS as problem:
                self._broken_until = time.monotonic() + BREAKER
                metrics.BROKER_DROPPED.inc(len(batch))
                log.warning("cannot publish: %s", type(problem).__name__)

    def _listen_loop(self, receive: Receive, reconnected: Callable[[], None]) -> None:
        pause, complained = 0.1, False
        while not self._stopping:
            try:
                with self._subscriber.pubsub() as pubsub:  # type: ignore[no-untyped-call]
                    asked = tuple(self._channels)
                    pubsub.subscribe(*asked)
                    self._pubsub, self._listening = pubsub, True
                    for channel in self._channels.difference(asked):  # followed while we were connecting
                        pubsub.subscribe(channel)
                    reconnected()
                    pause = 0.1
                    self._listen(pubsub, receive)
            except redis_link.ERRORS as problem:
                if self._listening or not complained:
                    log.warning("no subscription to Redis, so others are heard later: %s", type(problem).__name__)
                    complained = True
            finally:
                self._pubsub, self._listening = None, False
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause = min(pause * 2, 2.0)

    def _listen(self, pubsub: Any, receive: Receive) -> None:
        heard = asked = time.monotonic()
        while not self._stopping:
            message = pubsub.get_message(timeout=1.0)
            now = time.monotonic()
            if message is not None:
                heard = now
                if message["type"] == "message":
                    self._open(message["channel"].decode(), message["data"], receive)
            elif now - heard > DEAD_AFTER:
                raise ConnectionError("silent")
            elif now - max(heard, asked) > ASK_AFTER:
                pubsub.ping()
                asked = now

    def _open(self, channel: str, payload: bytes, receive: Receive) -> None:
        sender = payload[_MAC_BYTES:_SENDER_BYTES]
        if sender == self._me:  # our own, or somebody's who claims so: nothing to us
            return
        if len(payload) < _HEAD_BYTES or not hmac.compare_digest(
            payload[:_MAC_BYTES], self._mac(channel, payload[_MAC_BYTES:])
        ):
            self._foreign.note()
            return
        number, sent_at = _ORDER.unpack_from(payload, _SENDER_BYTES)
        if number <= self._last.get(sender, 0):
            self._foreign.note()
            return
        self._last.pop(sender, None)
        self._last[sender] = number
        if len(self._last) > _SENDERS:
            del self._last[next(iter(self._last))]
        try:
            message = json.loads(payload[_HEAD_BYTES:])
            # Everything else may come late: the log has its own order, and the rest makes one look at what is true.
            if message["kind"] != "shown" or abs(time.time() - sent_at) <= STALE:
                receive(channel, message)
        except Exception:
            log.exception("cannot take a message from %s", channel)
