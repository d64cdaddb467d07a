"""How cost grows: with readers, rooms, the length of a room's history, and processes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.contenders import Confab, Readers
from bench.fanout import at_rate, saturated
from bench.native import load
from bench.stage import Stage, cpu, take_sides
from bench.streams import posted

READERS = (100, 1000, 10_000)
ROOMS = (1, 100, 10_000)
MESSAGES = (1000, 10_000, 100_000, 1_000_000)


def run() -> str:
    """Return all tables."""
    take_sides()
    return "\n".join([by_readers(), by_rooms(), by_messages(), by_processes()])


def by_readers() -> str:
    """Readers of one room."""
    rows = [
        "| readers of one room | CPU µs/delivery | p50 ms | p99 ms | saturated deliveries/s | memory per stream, bytes |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for readers in READERS:
        contender = Confab()
        contender.start(readers)
        streams = Readers(contender, [contender.request(number) for number in range(readers)])
        try:
            before = contender.memory()
            streams.connect()
            streams.tell("wait 4")
            held = (contender.memory() - before) / readers
            paced = at_rate(contender, streams, max(1, 10_000 / readers), 8)
            most = saturated(contender, streams, 1000, first=100_000)
            rows.append(
                f"| {readers:,} | {paced['cost']:.1f} | {paced['p50']:.1f} | {paced['p99']:.1f} "
                f"| {most['rate']:,.0f} | {held:,.0f} |"
            )
        finally:
            streams.close()
            contender.stop()
    return "\n".join(rows) + "\n"


def by_rooms() -> str:
    """Rooms that one process has open, a reader in each and 100 messages a second spread over them."""
    rows = ["| rooms open | CPU µs/delivery | p50 ms | p99 ms | idle, % of a core |", "| --- | --- | --- | --- | --- |"]
    for rooms in ROOMS:
        contender = Confab()
        contender.start(rooms, rooms)
        streams = Readers(contender, [contender.request(number) for number in range(rooms)])
        try:
            streams.connect()
            streams.tell("wait 10")
            before = contender.cpu()
            streams.tell("wait 10")
            idle = (contender.cpu() - before) * 10
            paced = at_rate(contender, streams, 100, 8)
            rows.append(f"| {rooms:,} | {paced['cost']:.0f} | {paced['p50']:.1f} | {paced['p99']:.1f} | {idle:.1f} |")
        finally:
            streams.close()
            contender.stop()
    return "\n".join(rows) + "\n"


def by_messages() -> str:
    """Messages that a room has, by what its page costs."""
    rows = [
        "| messages in the room | page, CPU µs | p50 ms | 40 from the middle, CPU µs | POST, CPU µs |",
        "| --- | --- | --- | --- | --- |",
    ]
    with Stage() as stage:
        guests = stage.invite(32)
        for messages in MESSAGES:
            place = stage.open(guests, messages, f"Room of {messages}")
            page = [stage.get(each, f"/rooms/{place.id}") for each in guests]
            middle = [stage.get(each, f"/rooms/{place.id}/messages?before={messages // 2}") for each in guests]
            posts = [stage.post(each, place.id, "Tide is out until five") for each in guests]
            (page_cpu, page_p50), (middle_cpu, _), (post_cpu, _) = (
                _cost(stage, each) for each in (page, middle, posts)
            )
            rows.append(f"| {messages:,} | {page_cpu:.0f} | {page_p50:.1f} | {middle_cpu:.0f} | {post_cpu:.0f} |")
    return "\n".join(rows) + "\n"


def _cost(stage: Stage, requests: list[bytes], seconds: float = 4) -> tuple[float, float]:
    before = cpu(stage.pid)
    found = load(stage.port, requests, 4, seconds, warm=1)
    return (cpu(stage.pid) - before) / (found["answered"] / seconds * (seconds + 1)) * 1e6, found["p50"]


def by_processes(readers: int = 1000) -> str:
    """One and two processes on the two cores of everything else: what a second one costs, not what it brings."""
    rows = [
        "| processes | CPU µs/delivery, all of them | p50 ms | p99 ms | POST p50 ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for processes in (1, 2):
        with Stage("postgresql", redis=True, processes=processes) as stage:
            contender = _Running(stage, readers)
            streams = Readers(contender, [contender.request(number) for number in range(readers)])
            try:
                streams.connect()
                streams.tell("wait 4")
                found = posted(contender, streams, rate=20, seconds=8)
                rows.append(
                    f"| {processes} | {found['cost']:.1f} | {found['p50']:.1f} | {found['p99']:.1f} | {found['post']:.1f} |"
                )
            finally:
                streams.close()
    return "\n".join(rows) + "\n"


class _Running(Confab):
    """Ours on a stage that stands already."""

    def __init__(self, stage: Stage, readers: int) -> None:
        self.stage = stage
        self.guests = stage.invite(readers)
        self.places = [stage.open(self.guests)]
        self.port = stage.port
        self._seq = [0]

    def pids(self) -> list[int]:
        workers = _children(self.stage.pid)
        return workers or [self.stage.pid]


def _children(pid: int) -> list[int]:
    if not Path(f"/proc/{pid}").exists():
        return []
    found: Iterable[str] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]
