"""Tables that change rarely, as every process keeps them at hand: each request is held against them, none looks them up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar, cast

from flask import Flask, current_app

from chat import realtime
from chat.core import background, bus
from chat.core.database import db

T = TypeVar("T")


class _Kept(Generic[T]):
    """What one application has of one cache."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.filled = False
        self.version: Hashable = None
        self.value: T


class Cache(Generic[T]):
    """Something read from the database when it is first asked for, again when a process says that it changed it, and, for what
    no message told of, when its version is found to be another one, which is looked at once a second.

    :param name: in the messages between processes.
    :param changed: the event after which every process looks.
    :param version: returns what is another one whenever the rows are; asked each second, so it costs one small query.
    :param read: returns what is kept; None where that is the version itself.
    """

    def __init__(
        self, name: str, changed: type, version: Callable[[], Hashable], read: Callable[[], T] | None = None
    ) -> None:
        self._name, self._version, self._read = name, version, read
        #: Called with the new value whenever it has changed.
        self.listeners: list[Callable[[T], None]] = []
        bus.after(changed)(self._tell_processes)
        background.every(1.0)(self.look)

    def init_app(self, app: Flask) -> None:
        """Have the application keep it."""
        app.extensions.setdefault("caches", {})[self] = _Kept()
        process: realtime.Realtime = app.extensions["realtime"]
        process.controls[self._name] = self._told

    @property
    def value(self) -> T:
        """What is kept."""
        kept = self._kept()
        if not kept.filled:
            self.look()
        return kept.value

    def look(self) -> None:
        """Read it again if its version is another one than before."""
        version, kept = self._version(), self._kept()
        with kept.lock:
            if kept.filled and version == kept.version:
                return
            kept.value = self._read() if self._read else cast("T", version)
            kept.version, kept.filled = version, True
        for each in self.listeners:
            each(kept.value)

    def at_hand(self, app: Flask) -> T | None:
        """Return the value that an application has, without refreshing it; None if there is none yet."""
        kept: _Kept[T] = app.extensions["caches"][self]
        return kept.value if kept.filled else None

    def _kept(self) -> _Kept[T]:
        kept: _Kept[T] = current_app.extensions["caches"][self]
        return kept

    def _tell_processes(self, event: object) -> None:
        realtime.here().tell_all(self._name)

    def _told(self, message: dict[str, Any]) -> None:
        self.look()
        db.session.remove()
