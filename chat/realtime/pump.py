"""From the log to the rings, in the order of ``seq`` and nothing else.

After a commit the process that made it renders the event once, offers the frame to its own ring and publishes it. A ring
takes a frame only when it is exactly the next; one that came early waits, and what is still missing after 20 ms is read
from the log. A sweep once a second compares heads, so a lost message costs a second and nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any

from flask import Flask

from chat.core import log as room_log
from chat.core import metrics
from chat.core.database import db
from chat.core.log import REPLAY_LIMIT, LogEvent
from chat.core.threads import turn
from chat.realtime import channels
from chat.realtime.broker import Broker
from chat.realtime.feed import Feed
from chat.realtime.frames import Frame, render
from chat.realtime.hub import Hub
from chat.realtime.ring import Ring

log = logging.getLogger(__name__)

#: Seconds a missing frame is waited for before the log is read.
HOLE_WAIT = 0.02
#: Seconds a feed without readers is kept.
IDLE_LIMIT = 60.0
#: How many frames below the asked place are read when a ring is extended, for the readers that follow.
EXTRA = 64

#: Returns where the log of a room stands and everybody who may read it, from one snapshot; raises NotFound.
Audience = Callable[[str], tuple[int, Collection[str]]]


class Pump:
    """The feeds of this process, and what fills them."""

    def __init__(self, app: Flask, hub: Hub, broker: Broker) -> None:
        self._app = app
        self._hub = hub
        self._broker = broker
        self.feeds: dict[str, Feed] = {}
        self.epoch = ""
        self.audience: Audience = lambda room_id: (room_log.head(room_id), ())
        #: Called with each frame that a room's readers here are about to get; must not wait, or appending would.
        self.hearers: list[Callable[[Feed, Frame], None]] = []
        self._due: dict[str, float] = {}
        self._wake = threading.Event()
        self._loading: dict[str, threading.Lock] = {}

    def start(self) -> None:
        """Start the thread that reads what is missing from the log."""
        threading.Thread(target=self._fill_loop, name="pump", daemon=True).start()

    # -- what comes in

    def released(self, event: LogEvent) -> None:
        """Take an event that this process has just committed."""
        metrics.LOG_EVENTS.labels(event.name).inc()
        (frame,) = render([event])
        epoch = self.current_epoch()
        self._broker.publish(channels.room(event.room_id), {"kind": "frame", "epoch": epoch} | vars(frame))
        self.offer(epoch, frame)

    def receive(self, message: dict[str, Any]) -> None:
        """Take a frame that another process committed."""
        self.offer(
            message["epoch"],
            Frame(message["room_id"], message["seq"], message["name"], message["ref_id"], message["html"]),
        )

    def offer(self, epoch: str, frame: Frame) -> None:
        """Append a frame if it is the next; keep it if it is early; drop it if it is old or of another history."""
        with self._hub.lock:
            feed = self.feeds.get(frame.room_id)
            if feed is None or feed.ring.epoch != epoch or frame.seq <= feed.ring.tail:
                return
            if frame.seq > feed.ring.tail + 1:
                feed.early[frame.seq] = frame
                self._fill_soon(feed, frame.seq, HOLE_WAIT)
                return
            self._append(feed, [frame])

    # -- feeds

    def ready(self, room_id: str, seq: int | None) -> Feed | None:
        """Return the feed of a room if it is loaded and its ring covers ``seq``; never waits."""
        feed = self.feeds.get(room_id)
        if feed is None or not (seq is None or feed.ring.covers(seq)):
            return None
        return feed

    def load(self, room_id: str, seq: int | None) -> Feed:
        """Return the feed of a room, loaded and if possible reaching back to ``seq``. May read the database.

        :raises NotFound: there is no such room.
        """
        while True:
            lock = self._loading.setdefault(room_id, threading.Lock())
            with lock:
                if self._loading.get(room_id) is not lock:
                    continue  # whoever had it is done; others may hold the next one by now
                try:
                    return self._load(room_id, seq)
                finally:
                    del self._loading[room_id]

    def current_epoch(self) -> str:
        """Return the name of the history we are in, read once and watched by the sweep."""
        if not self.epoch:
            self.epoch = room_log.epoch()
        return self.epoch

    def sweep(self) -> None:
        """Find what no message told us of: new events, another epoch; forget rooms that nobody reads."""
        if not self.feeds:
            self.epoch = room_log.epoch()
            return
        epoch = room_log.epoch()
        if epoch != self.epoch:
            self.epoch = epoch
            self.forget_all()
            return
        heads = room_log.heads(self.feeds)
        db.session.remove()
        for feed in tuple(self.feeds.values()):
            head = heads.get(feed.room_id)
            if head is None:
                self._close(feed)
            elif head > feed.ring.tail:
                metrics.SWEEP_HITS.inc()
                self._fill_soon(feed, head, 0.0)
            elif not feed.places and time.monotonic() - feed.idle_since > IDLE_LIMIT:
                self._close(feed)

    def forget_all(self) -> None:
        """Drop every feed; its readers are sent ``reset`` and fetch their page again."""
        for feed in tuple(self.feeds.values()):
            self._close(feed)

    # -- inside

    def _load(self, room_id: str, seq: int | None) -> Feed:
        feed = self.ready(room_id, seq)
        if feed is None:
            feed = self.feeds.get(room_id) or self._open(room_id)
            if seq is not None and seq > feed.ring.tail:
                self._fill(feed)
            if seq is not None and feed.ring.base - REPLAY_LIMIT <= seq < feed.ring.base:
                metrics.RING_MISSES.inc()
                self._extend(feed, seq)
        return feed

    def _open(self, room_id: str) -> Feed:
        """Make the feed: listen first, then read where the log stands, so that nothing falls between the two."""
        epoch = self.current_epoch()
        self._broker.follow(channels.room(room_id))
        try:
            head, members = self.audience(room_id)
        except BaseException:
            self._broker.unfollow(channels.room(room_id))
            raise
        finally:
            db.session.remove()
        feed = Feed(Ring(room_id, epoch, head), dict.fromkeys(members), written=head)
        self.feeds[room_id] = feed
        return feed

    def _close(self, feed: Feed) -> None:
        with self._hub.lock:
            feed.closed = True
            if self.feeds.get(feed.room_id) is feed:
                del self.feeds[feed.room_id]
                self._broker.unfollow(channels.room(feed.room_id))
            for place in tuple(feed.places):
                self._hub.reset(place)

    def _append(self, feed: Feed, frames: Sequence[Frame]) -> None:
        """Append those that are next, then those that waited for them, and have them written."""
        waiting = deque(frames)
        while waiting or feed.ring.tail + 1 in feed.early:
            frame = waiting.popleft() if waiting else feed.early.pop(feed.ring.tail + 1)
            if not feed.ring.append(frame):
                continue
            change = room_log.event_types().get(frame.name, LogEvent).audience_change
            if change > 0:
                feed.members[frame.ref_id] = None
            elif change < 0:
                feed.members.pop(frame.ref_id, None)
                self._hub.cut(feed, frame.ref_id)
            if feed.places:
                for hear in self.hearers:
                    hear(feed, frame)
        if feed.early:
            feed.early = {seq: frame for seq, frame in feed.early.items() if seq > feed.ring.tail}
        self._hub.changed(feed)

    def _fill_soon(self, feed: Feed, seq: int, wait: float) -> None:
        """Have the log read up to ``seq`` after a wait, unless the frames arrive before."""
        due = time.monotonic() + wait
        feed.known = max(feed.known, seq)
        self._due[feed.room_id] = min(due, self._due.get(feed.room_id, due))
        self._wake.set()

    def _fill_loop(self) -> None:
        while True:
            wait = min(self._due.values()) - time.monotonic() if self._due else None
            self._wake.wait(wait if wait is None or wait > 0 else 0)
            self._wake.clear()
            now = time.monotonic()
            for room_id in [each for each, due in self._due.items() if due <= now]:
                del self._due[room_id]
                feed = self.feeds.get(room_id)
                if feed is not None and feed.known > feed.ring.tail:
                    self._fill_safely(feed)

    def _fill_safely(self, feed: Feed) -> None:
        try:
            with self._app.app_context():
                self._fill(feed)
        except Exception as problem:  # the database is away: the next sweep tries again
            log.warning("cannot read the log of room %s: %s", feed.room_id, type(problem).__name__)

    def _fill(self, feed: Feed) -> None:
        events = room_log.read(feed.room_id, feed.ring.tail)
        frames = _render_gently(events)
        db.session.remove()
        with self._hub.lock:
            before = feed.ring.tail
            self._append(feed, frames)
            metrics.GAPS_FILLED.inc(feed.ring.tail - before)
        if feed.known > feed.ring.tail and events:
            self._fill_soon(feed, feed.known, HOLE_WAIT)

    def _extend(self, feed: Feed, seq: int) -> None:
        """Read what lies before the ring, back to ``seq`` and a little further for those who come next."""
        base = feed.ring.base
        start = seq if base - seq + EXTRA > REPLAY_LIMIT else max(seq - EXTRA, 0)
        while True:
            tail = feed.ring.tail
            frames = _render_gently(room_log.read(feed.room_id, start, limit=base - start))
            db.session.remove()
            with self._hub.lock:
                # Something edited or deleted while we rendered: what we hold would bring its old text back.
                if feed.ring.tail == tail or not feed.ring.changed_since(tail, {frame.ref_id for frame in frames}):
                    feed.ring.prepend(frames)
                    return


def _render_gently(events: list[LogEvent]) -> list[Frame]:
    """Render a few at a time, so that a long gap does not hold up everybody else."""
    frames: list[Frame] = []
    for start in range(0, len(events), 20):
        frames.extend(render(events[start : start + 20]))
        turn()
    return frames
