"""The database: ``db``, the declarative base, column types, and how connections are opened.

SQLite and PostgreSQL run the same code. What differs between them is in ``sqlite.py`` and ``postgresql.py``.
Reading is an ordinary session; writing goes through ``chat.core.bus.transaction`` and nothing else.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Flask, Response
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Dialect, Engine, Integer, MetaData, String, TypeDecorator, event
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase

from chat.core import metrics
from chat.core.database import postgresql, schema, sqlite


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can name it too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


log = logging.getLogger(__name__)

db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


class Utc(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite has no zones: there it is stored without one and comes back with."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what the driver stores."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: An identifier of ``chat.core.ids``.
Id = String(16)
#: A number that never wraps: ``seq`` and counts.
Big = BigInteger().with_variant(Integer, "sqlite")


def init_app(app: Flask) -> None:
    """Bind ``db`` to the database that the settings name."""
    settings = app.config["SETTINGS"]
    module = sqlite if settings.database_uri.startswith("sqlite") else postgresql
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = module.engine_options(settings)
    db.init_app(app)
    app.after_request(_let_go)
    schema.known_revisions()
    with app.app_context():
        module.prepare(db.engine)
        event.listen(db.engine, "checkout", _count)  # an event of each statement would cost 9 µs each


def _count(*_: object) -> None:
    metrics.CHECKOUTS.inc()


def _let_go(response: Response) -> Response:
    """Give the connection back while the answer cannot be lost over it; at the end of the context a failure would be a 500.

    Registered before every other, so it runs after them.
    """
    try:
        db.session.remove()
    except SQLAlchemyError as problem:
        log.warning("lost a connection after its work was done: %s", type(problem).__name__)
    return response


def is_away(error: Exception) -> bool:
    """Tell whether an error says that the database is away or busy, and not that it was asked something wrong."""
    return isinstance(error, (OperationalError, PoolTimeout)) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def is_sqlite(engine: Engine) -> bool:
    """Tell which of the two databases an engine speaks to."""
    return engine.dialect.name == "sqlite"


__all__ = ["Base", "Big", "Id", "Model", "Utc", "db", "init_app", "is_away", "is_sqlite"]
