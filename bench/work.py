"""Posting messages and reading a room's page: how many a second one core does, and where its time goes."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from bench.native import load
from bench.stage import Place, Stage, cpu, take_sides

CONNECTIONS = 16
ROOMS = 50
#: Enough that the limit of 20 messages in 10 seconds, which is on, refuses nobody.
PEOPLE = 1600
SECONDS = 8
ROUNDS = 3
PAGE_MESSAGES = 40


def run_post() -> str:
    """Return messages a second on both databases."""
    take_sides()
    rows = [
        f"| POST, {CONNECTIONS} connections, {ROOMS} rooms, {PEOPLE} people | messages/s | CPU µs | p50 ms | p99 ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for database in ("sqlite", "postgresql"):
        with Stage(database, settings={"RATE_LIMITS": "on"}) as stage:
            places = _rooms(stage)
            requests = [
                stage.post(guest, place.id, "Tide is out until five, and the lift starts at two")
                for group in zip(*(place.members for place in places), strict=True)
                for guest, place in zip(group, places, strict=True)
            ]
            rows.append(_row(stage, f"{_name(database)}", requests))
    rows.append(f"\nfdatasync of 4 KiB: {sync_time():.2f} ms (median)")
    return "\n".join(rows) + "\n"


def run_page() -> str:
    """Return pages a second on both databases."""
    take_sides()
    rows = [
        f"| room page, {PAGE_MESSAGES} messages, {CONNECTIONS} connections | pages/s | CPU µs | p50 ms | p99 ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for database in ("sqlite", "postgresql"):
        with Stage(database) as stage:
            places = _rooms(stage, messages=PAGE_MESSAGES)
            requests = [stage.get(guest, f"/rooms/{place.id}") for place in places for guest in place.members]
            rows.append(_row(stage, _name(database), requests))
    return "\n".join(rows) + "\n"


def _rooms(stage: Stage, messages: int = 0) -> list[Place]:
    guests = stage.invite(PEOPLE)
    each = PEOPLE // ROOMS
    return [
        stage.open(guests[number * each : (number + 1) * each], messages, f"Room {number}") for number in range(ROOMS)
    ]


def _row(stage: Stage, name: str, requests: list[bytes]) -> str:
    rounds = []
    for _ in range(ROUNDS):
        before = cpu(stage.pid)
        found = load(stage.port, requests, CONNECTIONS, SECONDS)
        spent = (cpu(stage.pid) - before) / (found["answered"] / SECONDS * (SECONDS + 2)) * 1e6
        rounds.append((found["answered"] / SECONDS, spent, found["p50"], found["p99"]))
    rate, spent, p50, p99 = (statistics.median(each) for each in zip(*rounds, strict=True))
    low, high = min(each[0] for each in rounds), max(each[0] for each in rounds)
    return f"| {name} | {rate:.0f} ({low:.0f}–{high:.0f}) | {spent:.0f} | {p50:.1f} | {p99:.1f} |"


def _name(database: str) -> str:
    return {"sqlite": "SQLite, synchronous=FULL", "postgresql": "PostgreSQL, fsync on"}[database]


def sync_time() -> float:
    """Return how long the disk takes to have four kilobytes, in milliseconds."""
    taken = []
    with tempfile.NamedTemporaryFile(dir=Path.cwd()) as file:
        for _ in range(200):
            os.write(file.fileno(), b"x" * 4096)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)
