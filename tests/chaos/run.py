"""One run: the processes, the people, the faults, the end; then the checker."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.async_api import Browser, Page, async_playwright

from tests.chaos import checker, schedule
from tests.chaos.checker import Stored, Violation
from tests.chaos.faults import FAULTS, World, strike
from tests.chaos.history import Converged, History, Recorder, load
from tests.chaos.readers import Reader
from tests.chaos.schedule import Shape
from tests.chaos.stack import Embedded, Plan, Scaled, Seeded, Stack
from tests.chaos.web import Client
from tests.chaos.writers import Comer, Host, Worker, Writer
from tests.services import ROOT

#: Seconds that readers get to reach the head after the last fault was healed; the time taken is reported.
PATIENCE = 60.0
_MESSAGES = """() => [...document.querySelectorAll('#timeline .message')].map(
    (each) => [each.id, Number(each.dataset.seq), each.textContent.replace(/\\s+/g, ' ').trim()])"""


@dataclass
class Outcome:
    """What came out of a run."""

    shape: Shape
    seed: int
    folder: Path
    history: History
    stored: Stored
    violations: list[Violation]
    counts: dict[str, int]
    converged: float
    seconds: float
    notes: list[str] = field(default_factory=list)


def say(text: str) -> None:
    """Tell the person who waits what happens."""
    print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


async def perform(shape: Shape, seed: int, folder: Path, tree: Path = ROOT) -> Outcome:
    """Run it and check it."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    stack: Stack = (Embedded if shape.form == "embedded" else Scaled)(folder, tree)
    recorder = Recorder(folder / "history.jsonl")
    extra: list[Violation] = []
    notes: list[str] = []
    try:
        plan, cast = _plan(shape, seed)
        await stack.start(plan)
        say(
            f"{shape.form}: {len(stack.hosts)} process(es), {shape.readers} readers, {shape.writers} writers, seed {seed}"
        )
        world, converged = await _live(stack, shape, seed, cast, recorder, extra, notes)
        stored = await asyncio.to_thread(_read, stack)
    finally:
        await stack.stop()
        recorder.close()
    say(f"{shape.form}: checking {recorder.counts['Heard']:,} deliveries")
    history = load(recorder.path)
    violations = checker.check(history, stored) + extra
    seconds = time.monotonic() - began
    return Outcome(shape, seed, folder, history, stored, violations, world.counts, converged, seconds, notes)


def _read(stack: Stack) -> Stored:
    if isinstance(stack, Scaled):
        return checker.read_postgres(stack.url)
    assert isinstance(stack, Embedded)
    return checker.read_sqlite(stack.database)


@dataclass
class Cast:
    """Who is where at the beginning: names of rooms by name of person."""

    readers: dict[str, list[str]] = field(default_factory=dict)
    writers: dict[str, list[str]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    comers: dict[str, str] = field(default_factory=dict)
    #: By owner: pairs of room and reader that may be removed.
    guests: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


def _plan(shape: Shape, seed: int) -> tuple[Plan, Cast]:
    dice = random.Random(f"{seed} {shape.form} people")
    rooms = ["hot", *(f"room{number}" for number in range(1, shape.rooms))]
    cast = Cast()
    owners = {room: f"owner-{room}" for room in rooms}
    members: dict[str, list[str]] = {room: ["visitor"] for room in rooms}
    for number in range(shape.writers):
        # Everywhere somebody writes; a writer is at home in up to four rooms.
        loud = rooms[: len(rooms) - shape.quiet]
        cast.writers[f"writer{number}"] = sorted({rooms[number % len(rooms)], *dice.sample(loud, min(3, len(loud)))})
    for number in range(shape.readers):
        cast.readers[f"reader{number}"] = sorted(
            {rooms[number % len(rooms)], *dice.sample(rooms, dice.choice([0, 0, 1]))}
        )
    for number in range(shape.pages):
        cast.pages[f"page{number}"] = rooms[number if number < 2 else 1 - number]
    for number in range(3):
        cast.comers[f"comer{number}"] = "hot"
    for name, where in (*cast.writers.items(), *cast.readers.items()):
        for room in where:
            members[room].append(name)
    for name, room in cast.pages.items():
        members[room].append(name)
    for name in cast.comers:
        members["hot"].append(name)
    for room in rooms:
        here = [name for name in members[room] if name in cast.readers]
        cast.guests[owners[room]] = [(room, name) for name in dice.sample(here, min(3, len(here)))]
    people = ["visitor", *owners.values(), *cast.writers, *cast.readers, *cast.pages, *cast.comers]
    made = [
        {"name": room, "kind": "open" if room == "hot" else "group", "owner": owners[room], "members": members[room]}
        for room in rooms
    ]
    return Plan(people, made), cast


async def _live(
    stack: Stack, shape: Shape, seed: int, cast: Cast, recorder: Recorder, extra: list[Violation], notes: list[str]
) -> tuple[World, float]:
    def client(name: str) -> Client:
        person = stack.people[name]
        return Client(stack.edge.port, {"confab-session": person.secret}, person.token)

    def who(name: str) -> tuple[str, str, Client]:
        return name, stack.people[name].id, client(name)

    def where(names: list[str]) -> list[str]:
        return [stack.rooms[name] for name in names]

    readers = [Reader(*who(name), where(rooms), recorder, f"{seed} {name}") for name, rooms in cast.readers.items()]
    # Those who come and go look on as well.
    readers += [Reader(*who(name), where([room]), recorder, f"{seed} {name}") for name, room in cast.comers.items()]
    rate = shape.rate / shape.writers
    writers = [
        Writer(*who(name), where(rooms), rate, recorder, f"{seed} {name}") for name, rooms in cast.writers.items()
    ]
    workers: list[Worker] = [*writers]
    for owner, guests in cast.guests.items():
        pairs = [(stack.rooms[room], stack.people[name].id) for room, name in guests]
        workers.append(Host(*who(owner), pairs, 6.0, recorder, f"{seed} {owner}"))
    workers += [
        Comer(*who(name), stack.rooms[room], 8.0, recorder, f"{seed} {name}") for name, room in cast.comers.items()
    ]
    dice = random.Random(f"{seed} {shape.form} choices")
    world = World(stack, readers, writers, recorder, dice, client("visitor"))
    reading = [asyncio.create_task(reader.run()) for reader in readers]
    async with _pages(stack, cast) as pages:
        await _until(lambda: all(reader.cursors for reader in readers), 30)
        working = [asyncio.create_task(worker.run()) for worker in workers]
        started = time.monotonic()
        striking = []
        for second, name in schedule.faults(shape, seed):
            await asyncio.sleep(max(0.0, started + second - time.monotonic()))
            striking.append(asyncio.create_task(strike(world, name)))
        await asyncio.sleep(max(0.0, started + shape.seconds - time.monotonic()))
        say(
            f"{shape.form}: {recorder.counts['Sent']:,} messages, {recorder.counts['Heard']:,} deliveries; coming to rest"
        )
        await _gather(striking, 90, "faults", extra)
        for worker in workers:
            worker.finishing.set()
        if not await _settled(working, 60):
            for worker in workers:
                worker.late = True
        await _gather(working, 30, "writers", extra)
        converged = await _converge(stack, readers, recorder)
        say(f"{shape.form}: all readers at the head after {converged:.1f} s")
        for name, page in pages.items():
            extra.extend(await _same_as_fresh(name, page, stack.rooms[cast.pages[name]], stack))
    for task in reading:
        task.cancel()
    failed = [each for each in await asyncio.gather(*reading, return_exceptions=True) if isinstance(each, Exception)]
    extra.extend(Violation("odd", f"a reader failed: {each!r}") for each in failed)
    extra.extend(await _resources(stack, notes))
    return world, converged


async def _until(check: Any, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.1)
    return True


async def _settled(tasks: list[asyncio.Task[None]], seconds: float) -> bool:
    _, late = await asyncio.wait(tasks, timeout=seconds)
    return not late


async def _gather(tasks: list[asyncio.Task[Any]], seconds: float, what: str, extra: list[Violation]) -> None:
    if not tasks:
        return
    done, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
        extra.append(Violation("odd", f"{what} did not end: {task!r}"))
    for task in done:
        problem = task.exception()
        if problem is not None:
            extra.append(Violation("odd", f"{what} failed: {problem!r}"))


async def _converge(stack: Stack, readers: list[Reader], recorder: Recorder) -> float:
    """Wait until every reader stands at the head of every room it belongs to."""
    began = time.monotonic()
    behind: list[str] = []
    stored = await asyncio.to_thread(_read, stack)
    while time.monotonic() - began < PATIENCE:
        behind = [
            f"{reader.name} in {room}: {reader.cursors.get(room)} of {stored.rooms[room][0]}"
            for reader in readers
            for room in reader.rooms
            if (room, reader.user) in stored.members
            and (room not in reader.cursors or reader.cursors[room][1] < stored.rooms[room][0])
        ]
        if not behind:
            seconds = time.monotonic() - began
            recorder.note(Converged(time.time(), seconds, []))
            return seconds
        await asyncio.sleep(0.1)
    recorder.note(Converged(time.time(), -1.0, behind))
    return -1.0


# -- real pages


@contextlib.asynccontextmanager
async def _pages(stack: Stack, cast: Cast) -> Any:
    """Open a room in a real browser for each who is to have one."""
    if not cast.pages:
        yield {}
        return
    async with async_playwright() as driver:
        path = shutil.which("chromium")
        browser = await driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        pages = {}
        for name, room in cast.pages.items():
            pages[name] = await _page(browser, stack, stack.people[name])
            await pages[name].goto(f"http://127.0.0.1:{stack.edge.port}/rooms/{stack.rooms[room]}")
        try:
            yield pages
        finally:
            await browser.close()


async def _page(browser: Browser, stack: Stack, person: Seeded) -> Page:
    # What moves is painted sixty times a second, which eight pages on two cores do not leave room for.
    context = await browser.new_context(viewport={"width": 390, "height": 480}, reduced_motion="reduce")
    url = f"http://127.0.0.1:{stack.edge.port}"
    await context.add_cookies([{"name": "confab-session", "value": person.secret, "url": url}])
    return await context.new_page()


async def _same_as_fresh(name: str, page: Page, room: str, stack: Stack) -> list[Violation]:
    """I10: what the page shows after all that is what a new page shows."""
    stored = await asyncio.to_thread(_read, stack)
    last = max((message.seq for message in stored.messages if message.room == room), default=0)
    live: list[Any] = []
    for _ in range(450):
        live = await page.evaluate(_MESSAGES)
        if live and live[-1][1] >= last:
            break
        await asyncio.sleep(0.1)
    if not live or live[-1][1] < last:
        return [Violation("I10", f"{name} ends at {live[-1][1] if live else 'nothing'}, the room at {last}")]
    await asyncio.sleep(0.5)
    live = await page.evaluate(_MESSAGES)
    fresh_page = await page.context.new_page()
    await fresh_page.goto(page.url)
    await fresh_page.wait_for_selector("#timeline .message")
    await asyncio.sleep(0.5)
    fresh = await fresh_page.evaluate(_MESSAGES)
    await fresh_page.close()
    first, end = max(live[0][1], fresh[0][1]), min(live[-1][1], fresh[-1][1])
    ours = [each for each in live if first <= each[1] <= end]
    theirs = [each for each in fresh if first <= each[1] <= end]
    if ours == theirs and len(ours) > 3:
        return []
    differ = [(mine, other) for mine, other in zip(ours, theirs, strict=False) if mine != other][:2]
    return [Violation("I10", f"{name}: {len(ours)} messages, a fresh page has {len(theirs)}; {differ}")]


# -- I11


async def _resources(stack: Stack, notes: list[str]) -> list[Violation]:
    """Connections of clients and of the database are given back once the clients have gone."""
    found: list[Violation] = []
    for host in stack.hosts:
        process = host.serving()
        if process is None:
            found.append(Violation("I11", f"{host.name} does not run at the end"))
            continue
        # nginx keeps 16 connections for later.
        if not await _until(lambda process=process, host=host: _clients(process, host.port) <= 17, 20):
            found.append(
                Violation("I11", f"{host.name} still has {_clients(process, host.port)} connections of clients")
            )
        memory = process.memory_info().rss / 2**20
        notes.append(f"{host.name}: {process.num_fds()} files, {process.num_threads()} threads, {memory:.0f} MiB")
    if isinstance(stack, Scaled):
        with stack.connect() as connection:
            rows = connection.execute(
                "SELECT state, count(*) FROM pg_stat_activity WHERE application_name = 'confab' GROUP BY state"
            ).fetchall()
        states = {state or "": count for state, count in rows}
        notes.append(f"PostgreSQL connections at rest: {states}")
        if sum(count for state, count in states.items() if state.startswith("idle in transaction")) > len(stack.hosts):
            found.append(Violation("I11", f"connections sit in transactions: {states}"))
    return found


def _clients(process: psutil.Process, port: int) -> int:
    with contextlib.suppress(psutil.Error):
        return sum(
            1 for each in process.net_connections("tcp")
            if each.laddr and each.laddr.port == port and each.status in {"ESTABLISHED", "CLOSE_WAIT"}
        )  # fmt: skip
    return 0


def run(work: Awaitable[Outcome]) -> Outcome:
    """Run one to its end."""
    return asyncio.run(work)  # type: ignore[arg-type]


__all__ = ["FAULTS", "Outcome", "perform", "run", "say"]
