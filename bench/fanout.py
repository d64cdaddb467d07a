"""Fan-out: what it costs to bring a message to everybody who reads, next to what others need for it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.contenders import EVERYBODY, Confab, Contender, Missing, Nchan, Readers, SocketIO
from bench.stage import take_sides

Cells = dict[str, float]


def measure(
    contenders: Sequence[type[Contender]],
    readers: int,
    rounds: int,
    what: Callable[[Contender, Readers], Cells],
    rooms: int = 1,
) -> dict[str, Cells]:
    """Measure several contenders in turn, a few rounds of them all; return the medians by name."""
    take_sides()
    found: dict[str, list[Cells]] = {}
    for _ in range(rounds):
        for kind in contenders:
            contender = kind()
            try:
                contender.start(readers, rooms)
            except Missing as reason:
                print(f"({kind.name}: {reason})", flush=True)
                continue
            streams = Readers(contender, [contender.request(number) for number in range(readers)])
            try:
                found.setdefault(kind.name, []).append(what(contender, streams))
            finally:
                streams.close()
                contender.stop()
    return {
        name: {cell: statistics.median(each[cell] for each in rows) for cell in rows[0]} for name, rows in found.items()
    }


def at_rate(contender: Contender, streams: Readers, rate: float, seconds: float, first: int = 0) -> dict[str, Any]:
    """Publish on a schedule; return the readers' report with the server's time per delivery in microseconds."""
    count = int(rate * seconds)
    start, step = time.monotonic_ns() + 1_500_000_000, int(1e9 / rate)
    pieces = [contender.piece(first + number, start + number * step) for number in range(count)]
    streams.tell("clear")
    before = contender.cpu()
    published = streams.publish(pieces, start, step)
    report = streams.tell("report")
    report["cost"] = (contender.cpu() - before) / max(1, report["delivered"]) * 1e6
    report["lost"] = published["expected"] - published["arrived"]
    return report


def saturated(contender: Contender, streams: Readers, count: int, window: int = 32, first: int = 0) -> dict[str, Any]:
    """Keep some messages in flight; return deliveries a second and the server's time for each."""
    pieces = [contender.piece(first + number, 0) for number in range(count)]
    streams.tell("clear")
    before = contender.cpu()
    published = streams.publish(pieces, window=window)
    report = streams.tell("report")
    report["rate"] = report["delivered"] / published["seconds"]
    report["cost"] = (contender.cpu() - before) / max(1, report["delivered"]) * 1e6
    report["lost"] = published["expected"] - published["arrived"]
    return report


def table(title: str, columns: dict[str, tuple[str, str]], found: dict[str, Cells], best: str = "Socket.IO 4") -> str:
    """Return medians as a table; columns are name: (heading, format)."""
    rows = [
        f"| {title} | " + " | ".join(heading for heading, _ in columns.values()) + " |",
        "| --- |" + " --- |" * len(columns),
    ]
    rows += [
        f"| {name} | "
        + " | ".join(format(cells[cell], shape).replace("nan", "") for cell, (_, shape) in columns.items())
        + " |"
        for name, cells in found.items()
    ]
    return "\n".join(rows) + "\n"


def run() -> str:
    """Return the tables of fan-out."""
    return one_room() + "\n" + load_curve() + "\n" + small_rooms()


def one_room(readers: int = 1000, rate: float = 10, rounds: int = 3, seconds: float = 8) -> str:
    """Everybody in one room, at a moderate rate and as fast as it goes."""

    def what(contender: Contender, streams: Readers) -> Cells:
        streams.connect()
        streams.tell("wait 3")
        saturated(contender, streams, 20)
        moderate = at_rate(contender, streams, rate, seconds, first=1000)
        most = saturated(contender, streams, 1500, first=10_000)
        return {
            "cost": moderate["cost"],
            "p50": moderate["p50"],
            "p99": moderate["p99"],
            "rate": most["rate"],
            "full": most["cost"],
            "reader": most["cpu"] / max(1, most["delivered"]) * 1e6,
            "lost": moderate["lost"] + most["lost"] + moderate["disorder"] + most["disorder"],
        }

    found = measure(EVERYBODY, readers, rounds, what)
    columns = {
        "cost": (f"CPU µs/delivery at {rate:g}/s", ".1f"),
        "p50": ("p50 ms", ".1f"),
        "p99": ("p99 ms", ".1f"),
        "rate": ("saturated deliveries/s", ",.0f"),
        "full": ("CPU µs/delivery", ".2f"),
        "reader": ("reader's CPU µs", ".2f"),
        "lost": ("lost", ".0f"),
    }
    return table(f"{readers:,} readers of one room", columns, found)


def load_curve(readers: int = 1000, rates: Sequence[int] = (25, 100, 200), seconds: float = 5, rounds: int = 1) -> str:
    """How long a message takes when more and more of them come."""

    def what(contender: Contender, streams: Readers) -> Cells:
        streams.connect()
        streams.tell("wait 3")
        cells: Cells = {}
        for rate in rates:
            report = at_rate(contender, streams, rate, seconds, first=rate * 1000)
            cells |= {f"{rate} p50": report["p50"], f"{rate} p99": report["p99"], f"{rate} cost": report["cost"]}
        return cells

    found = measure([Confab, Nchan, SocketIO], readers, rounds, what)
    columns = {}
    for rate in rates:
        columns[f"{rate} p50"] = (f"{rate}/s: p50 ms", ".1f")
        columns[f"{rate} p99"] = ("p99 ms", ".1f")
        columns[f"{rate} cost"] = ("CPU µs/delivery", ".1f")
    return table(f"{readers:,} readers, messages a second", columns, found)


def small_rooms(rooms: int = 500, each: int = 10, rounds: int = 3) -> str:
    """Many rooms of a few people: nothing to join across rooms."""

    def what(contender: Contender, streams: Readers) -> Cells:
        streams.connect()
        streams.tell("wait 3")
        most = saturated(contender, streams, 20_000, window=2 * rooms)
        return {"rate": most["rate"], "full": most["cost"], "lost": most["lost"]}

    found = measure([Confab, Nchan, SocketIO], rooms * each, rounds, what, rooms)
    return table(
        f"{rooms} rooms of {each}",
        {"rate": ("saturated deliveries/s", ",.0f"), "full": ("CPU µs/delivery", ".2f"), "lost": ("lost", ".0f")},
        found,
    )
