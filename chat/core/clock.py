"""The one source of time, so that a test can stop it."""

from __future__ import annotations

from datetime import UTC, datetime

#: Later than anything, for what has no end and is compared with a moment in a query.
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """Return the present as an aware datetime in UTC, cut to milliseconds.

    Milliseconds, because PostgreSQL, SQLite and the browser must print and compare the same value.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
