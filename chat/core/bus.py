"""The unit of work: a transaction, the events that happen in it, and who reacts to them.

A service writes inside ``transaction()`` and says what happened with ``emit()``. Two ways to react:

* ``@during(Event)`` runs at once, inside the transaction. An error there refuses the whole thing.
* ``@after(Event)`` runs when the transaction has committed. An error there is logged and stops nobody,
  for what happened is already true.

A listener of a base class hears every subclass, and before the listeners of the subclass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from chat.core.database import db

log = logging.getLogger(__name__)

E = TypeVar("E")
Listener = Callable[[Any], None]

_during: dict[type, list[Listener]] = {}
_after: dict[type, list[Listener]] = {}
_unit: ContextVar[list[Any] | None] = ContextVar("unit", default=None)


@contextmanager
def transaction() -> Iterator[None]:
    """Open a writing transaction on ``db.session``, commit at the end, then release the events.

    Inside another one it joins it: the outermost commits. What was read before it began is from an older
    snapshot; whatever decides over the write has to be read again inside.
    """
    if _unit.get() is not None:
        yield
        return
    if db.session.new or db.session.dirty or db.session.deleted:
        raise RuntimeError("Something was changed outside transaction().")
    db.session.commit()  # ends the read before it; a writing transaction says so at its start
    db.session.connection(execution_options={"rw": True})
    events: list[Any] = []
    token = _unit.set(events)
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        _unit.reset(token)
    for event in events:
        _release(event)


def emit(event: Any) -> None:
    """Say that something happened. Only inside ``transaction()``; heard by others only if it commits."""
    events = _unit.get()
    if events is None:
        raise RuntimeError(f"{type(event).__name__} was emitted outside transaction().")
    for listener in _listeners(_during, event):
        listener(event)
    events.append(event)


def during(*types: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a listener that runs inside the transaction of the event and may refuse it."""
    return _registrar(_during, types)


def after(*types: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a listener that runs once the event's transaction has committed."""
    return _registrar(_after, types)


def _listeners(registry: dict[type, list[Listener]], event: Any) -> Iterator[Listener]:
    for cls in reversed(type(event).__mro__):
        yield from registry.get(cls, ())


def _registrar(registry: dict[type, list[Listener]], types: tuple[type, ...]) -> Callable[[Any], Any]:
    def register(listener: Listener) -> Listener:
        for each in types:
            registry.setdefault(each, []).append(listener)
        return listener

    return register


def _release(event: Any) -> None:
    for listener in _listeners(_after, event):
        try:
            listener(event)
        except Exception:
            log.exception("%s after %s failed", listener.__qualname__, type(event).__name__)
