"""A process that starts while the database is away: it waits for it, and serves when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.services import GUNICORN, Postgres, Redis, Site, wait_for


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """One that may be stopped."""
    server = Postgres()
    yield server
    server.remove()


def status(site: Site) -> int:
    return requests.get(f"{site.url}/readyz", timeout=10).status_code


def test_a_worker_that_starts_meanwhile_does_not_end_its_gunicorn(
    tmp_path: Path, own_postgres: Postgres, redis_server: Redis
):
    shared = {"DATABASE_URL": own_postgres.create("away"), "REDIS_URL": redis_server.url}
    first = Site(tmp_path / "one", **shared)
    first.stop()
    own_postgres.stop()
    site = Site(tmp_path / "two", command=GUNICORN, **shared)
    assert status(site) == 503
    own_postgres.start()
    wait_for(lambda: status(site) == 200, 20, "the database to be used again")
    site.stop()
