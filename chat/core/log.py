"""The durable order of a room: every change takes the room's next ``seq`` in the transaction that makes it.

A row of the log points at what it is about and never holds its text, so that reading it later shows what is true
then. ``seq`` is 1, 2, 3, … without a gap: the number is taken by updating the room's row, which holds its lock until
COMMIT, and a rollback gives the number back. No serial id, timestamp or counter elsewhere orders or resumes anything.

The room's row belongs to ``chat.rooms``; this module knows only its ``id`` and ``head``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import Connection, ForeignKey, String, Table, bindparam, column, insert, select, table, text, update
from sqlalchemy.orm import Mapped, mapped_column

from chat.core import bus, clock, ids
from chat.core.database import Big, Id, Model, Utc, db, is_sqlite
from chat.core.errors import NoSuchRoom

#: Longest piece of the log that is replayed to one reader; who is further behind fetches the page again.
REPLAY_LIMIT = 500


class LogRow(Model):
    """One change of a room."""

    __tablename__ = "room_events"

    room_id: Mapped[str] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(Big, primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    ref_id: Mapped[str] = mapped_column(Id)
    actor_id: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Utc)


class Meta(Model):
    """Facts about the whole database, by name."""

    __tablename__ = "meta"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))


@dataclass(frozen=True)
class LogEvent:
    """A change of a room that has its place in the log. Features subclass it and give it a name.

    ``ref_id`` is what it is about (a message, a person, the room). ``subject`` is that very thing as a context, when
    the writer still has it at hand: it spares the one who renders a query, and is never stored.
    """

    name: ClassVar[str]
    #: 1: ``ref_id`` is a person who may read the room from here on. -1: one who no longer may.
    audience_change: ClassVar[int] = 0

    room_id: str
    seq: int
    ref_id: str
    actor_id: str | None = None
    subject: Any = field(default=None, compare=False, repr=False)


_types: dict[str, type[LogEvent]] = {}
_rooms = table("rooms", column("id"), column("head"))
# Built once: building a statement costs more than running it.
_TAKE = update(_rooms).where(_rooms.c.id == bindparam("room")).values(head=_rooms.c.head + 1).returning(_rooms.c.head)
_LOCK = update(_rooms).where(_rooms.c.id == bindparam("room")).values(head=_rooms.c.head)
_INSERT = insert(cast("Table", LogRow.__table__))
_EVENTS = (
    select(LogRow.name, LogRow.seq, LogRow.ref_id, LogRow.actor_id)
    .where(LogRow.room_id == bindparam("room"), LogRow.seq > bindparam("after"))
    .order_by(LogRow.seq)
    .limit(bindparam("limit"))
)


def event_type(cls: type[LogEvent]) -> type[LogEvent]:
    """Class decorator: make a kind of log event known by its name, so that a row can be turned back into it."""
    _types[cls.name] = cls
    return cls


def event_types() -> dict[str, type[LogEvent]]:
    """Return every kind of log event by name."""
    return dict(_types)


def take(room_id: str) -> int:
    """Take the room's lock and its next ``seq``, in the current ``transaction()``.

    What decides over the change must be read after this, not before.

    :raises NotFound: there is no such room.
    """
    seq: int | None = db.session.connection().execute(_TAKE, {"room": room_id}).scalar()
    if seq is None:
        raise NoSuchRoom
    return seq


def lock(room_id: str) -> None:
    """Take the room's lock alone, for what may turn out to change nothing: a ``seq`` that is taken has to be written."""
    if db.session.connection().execute(_LOCK, {"room": room_id}).rowcount != 1:
        raise NoSuchRoom


def take_many(room_id: str, count: int) -> range:
    """Take the room's lock and its next ``count`` places at once, in the current ``transaction()``; all have to be written.

    :raises NotFound: there is no such room.
    """
    statement = update(_rooms).where(_rooms.c.id == room_id).values(head=_rooms.c.head + count).returning(_rooms.c.head)
    head: int | None = db.session.connection().execute(statement).scalar()
    if head is None:
        raise NoSuchRoom
    return range(head - count + 1, head + 1)


def write(*events: LogEvent) -> None:
    """Add events to the log, each at the ``seq`` that ``take`` gave for it, and emit them."""
    now = clock.now()
    rows = [
        {
            "room_id": event.room_id,
            "seq": event.seq,
            "name": event.name,
            "ref_id": event.ref_id,
            "actor_id": event.actor_id,
            "created_at": now,
        }
        for event in events
    ]
    db.session.connection().execute(_INSERT, rows)
    for event in events:
        bus.emit(event)


def head(room_id: str) -> int:
    """Return the last ``seq`` of a room; 0 when nothing happened yet.

    :raises NotFound: there is no such room.
    """
    seq: int | None = db.session.connection().execute(select(_rooms.c.head).where(_rooms.c.id == room_id)).scalar()
    if seq is None:
        raise NoSuchRoom
    return seq


def heads(room_ids: Collection[str]) -> dict[str, int]:
    """Return the last ``seq`` of several rooms; rooms that do not exist are left out."""
    statement = select(_rooms.c.id, _rooms.c.head).where(_rooms.c.id.in_(sorted(room_ids)))
    return {row.id: row.head for row in db.session.connection().execute(statement)}


def read(room_id: str, after: int, limit: int = REPLAY_LIMIT) -> list[LogEvent]:
    """Return the events that follow a ``seq``, in order."""
    rows = db.session.connection().execute(_EVENTS, {"room": room_id, "after": after, "limit": limit})
    return [_types.get(name, LogEvent)(room_id, seq, ref_id, actor_id) for name, seq, ref_id, actor_id in rows]


def epoch() -> str:
    """Return the name of this history: the database's own mark and, on PostgreSQL, its timeline.

    Restoring a backup rotates the mark, promoting a standby starts a timeline: either way a ``seq`` may be handed out a
    second time, and every cursor of the old history must stop to count.
    """
    connection = db.session.connection()
    mark = connection.execute(select(Meta.value).where(Meta.name == "epoch")).scalar()
    return f"{mark or '0'}{_timeline(connection)}"


def take_turns(name: str, shared: bool = False) -> None:
    """Hold the lock that a fact of ``Meta`` is, until the end of ``transaction()``: such changes come one after the other.

    :param shared: with whoever else shares it; whoever does not waits for all of them.
    """
    db.session.execute(select(Meta.value).where(Meta.name == name).with_for_update(read=shared)).one()


def rotate_epoch() -> str:
    """Give the history a new name and return it, in the current ``transaction()``; after restoring a backup."""
    name = ids.new()[:8]
    db.session.connection().execute(update(Meta).where(Meta.name == "epoch").values(value=name))
    return name


def _timeline(connection: Connection) -> str:
    if is_sqlite(connection.engine):
        return ""
    timeline: int = connection.execute(text("SELECT timeline_id FROM pg_control_checkpoint()")).scalar_one()
    return f"t{timeline:x}"
