"""Short scenes, each of which a certain mistake cannot survive. The mutants name theirs; the true tree survives all."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import resource
import shutil
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import redis
from playwright.async_api import Page, Route, async_playwright

from chat.realtime import broker
from tests.chaos import checker
from tests.chaos.checker import Violation
from tests.chaos.faults import World, poisoned
from tests.chaos.history import Adopted, History, Membered, Recorder, Sent, load, new_mark
from tests.chaos.readers import Reader
from tests.chaos.run import _converge, _read
from tests.chaos.stack import Embedded, Plan, Scaled, Stack
from tests.chaos.web import ERRORS, Client
from tests.chaos.writers import Own, Writer
from tests.services import Redis

Scene = Callable[["Stage"], Awaitable[None]]


class Stage:
    """Processes with one room of ann, bob and eve, and a history."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.recorder = Recorder(folder / "history.jsonl")
        self.violations: list[Violation] = []
        self.reading: list[tuple[Reader, asyncio.Task[None]]] = []

    @property
    def room(self) -> str:
        return self.stack.rooms["room"]

    def client(self, name: str, host: int | None = None) -> Client:
        """Return somebody's client, at one of the hosts if given."""
        person = self.stack.people[name]
        port = self.stack.edge.port if host is None else self.stack.hosts[host].port
        return Client(port, {"confab-session": person.secret}, person.token)

    def writer(self, name: str, host: int | None = None) -> Writer:
        person = self.stack.people[name]
        return Writer(name, person.id, self.client(name, host), [self.room], 1.0, self.recorder, name)

    def reader(self, name: str, host: int | None = None, cursor: tuple[str, int] | None = None) -> Reader:
        """Have somebody read the room, from a cursor or from its page."""
        person = self.stack.people[name]
        label = f"{name}{len(self.reading)}"
        reader = Reader(label, person.id, self.client(name, host), [self.room], self.recorder, label)
        if cursor is not None:
            reader.cursors[self.room] = cursor
            reader.missing.clear()
            self.recorder.note(Adopted(label, person.id, time.time(), time.time(), self.room, *cursor, []))
        self.reading.append((reader, asyncio.create_task(reader.run())))
        return reader

    async def ready(self, reader: Reader, seq: int = 0) -> None:
        """Wait until a reader has a cursor, and has come to a ``seq``."""
        for _ in range(200):
            if self.room in reader.cursors and reader.cursors[self.room][1] >= seq:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)

    def wrong(self, invariant: str, what: str) -> None:
        self.violations.append(Violation(invariant, what))

    async def end(self, calm: float = 0.05) -> list[Violation]:
        """Let the readers come to the head, stop, and check."""
        from tests.chaos import run

        run.PATIENCE, patience = 12.0, run.PATIENCE
        try:
            readers = [reader for reader, _ in self.reading]
            await _converge(self.stack, readers, self.recorder)
        finally:
            run.PATIENCE = patience
        for _, task in self.reading:
            task.cancel()
        done = await asyncio.gather(*(task for _, task in self.reading), return_exceptions=True)
        for problem in done:
            if isinstance(problem, Exception):
                self.wrong("odd", f"a reader failed: {problem!r}")
        self.recorder.close()
        history = load(self.recorder.path)
        return checker.check(history, await asyncio.to_thread(_read, self.stack), calm) + self.violations


async def play(name: str, folder: Path, tree: Path) -> list[Violation]:
    """Play a scene on a tree; return what was broken."""
    form, act, calm = SCENES[name]
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(["ann", "bob", "eve"], [{"name": "room", "kind": "group", "owner": "ann", "members": ["bob", "eve"]}])
    async with _stack(form, folder, tree) as stack:
        await stack.start(plan)
        stage = Stage(stack, folder)
        try:
            await act(stage)
            return await stage.end(calm)
        finally:
            for _, task in stage.reading:
                task.cancel()


@contextlib.asynccontextmanager
async def _stack(form: str, folder: Path, tree: Path) -> AsyncIterator[Stack]:
    broker = await asyncio.to_thread(Redis) if form == "embedded with Redis" else None
    sizes = {"one host": 1, "two hosts": 2}
    stack = Scaled(folder, tree, sizes[form], nginx=False) if form in sizes else Embedded(folder, tree)
    if broker is not None:
        stack.settings["REDIS_URL"] = broker.url
    try:
        yield stack
    finally:
        await stack.stop()
        if broker is not None:
            await asyncio.to_thread(broker.process.kill)


SCENES: dict[str, tuple[str, Scene, float]] = {}


def scene(form: str = "embedded", calm: float = 0.05) -> Callable[[Scene], Scene]:
    """Register a scene, with the processes it needs and the seconds after which all must know everything."""

    def register(act: Scene) -> Scene:
        SCENES[getattr(act, "__name__", "")] = (form, act, calm)
        return act

    return register


def _world(stage: Stage) -> World:
    import random

    return World(stage.stack, [], [], stage.recorder, random.Random(1), stage.client("eve"))


async def _sqlite(stage: Stage, *statements: str) -> None:
    assert isinstance(stage.stack, Embedded)
    path = stage.stack.database

    def work() -> None:
        connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        for statement in statements:
            connection.execute(statement)
        connection.close()

    await asyncio.to_thread(work)


# -- the log and its hints


@scene(calm=10.0)
async def a_row_without_a_hint(stage: Stage) -> None:
    """A change that no message told of is found all the same."""
    reader = stage.reader("bob")
    await stage.ready(reader)
    await poisoned(_world(stage))


@scene(calm=10.0)
async def a_row_without_a_hint_and_one_with(stage: Stage) -> None:
    """The frame after a hole waits until the hole is filled."""
    reader = stage.reader("bob")
    await stage.ready(reader)
    writer = stage.writer("ann")
    for _ in range(3):
        await poisoned(_world(stage))
        await writer.say(stage.room)


@scene("embedded with Redis", calm=10.0)
async def a_forged_frame(stage: Stage) -> None:
    """Somebody who can write to Redis puts no word on a page."""
    reader = stage.reader("bob")
    await stage.ready(reader)
    epoch, seq = reader.cursors[stage.room]
    html = '<li class="message" id="message_aaaaaaaaaaaaaaaa" data-seq="9">forged</li>'
    body = {
        "kind": "frame", "epoch": epoch, "room_id": stage.room, "seq": seq + 1, "name": "message.posted",
        "ref_id": "a" * 16, "html": html,
    }  # fmt: skip
    link = redis.Redis.from_url(stage.stack.settings["REDIS_URL"])
    # All of it as a process would, but for the seal.
    head = b"x" * broker._MAC_BYTES + b"another process!" + broker._ORDER.pack(1, time.time())
    assert len(head) == broker._HEAD_BYTES
    link.publish(f"confab:room:{stage.room}", head + json.dumps(body).encode())
    link.close()
    await asyncio.sleep(1)
    await stage.writer("ann").say(stage.room)


@scene(calm=10.0)
async def a_disk_that_is_full_at_commit(stage: Stage) -> None:
    """What cannot be committed is on no page."""
    reader = stage.reader("bob")
    await stage.ready(reader)
    writer = stage.writer("ann")
    await writer.say(stage.room)
    process = stage.stack.hosts[0].serving()
    assert process is not None
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    posts = [asyncio.create_task(writer.say(stage.room)) for _ in range(3)]
    await asyncio.sleep(1.5)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await asyncio.gather(*posts)


@scene(calm=10.0)
async def a_post_that_is_refused(stage: Stage) -> None:
    """A refusal leaves no hole in the log."""
    ann, bob = stage.client("ann"), stage.writer("bob")
    reader = stage.reader("eve")
    await stage.ready(reader)
    await ann.post(f"/rooms/{stage.room}/members/{stage.stack.people['bob'].id}/remove")
    await bob.say(stage.room)
    await stage.writer("ann").say(stage.room)


@scene(calm=10.0)
async def a_clock_that_leaps(stage: Stage) -> None:
    """Time orders nothing: it may go back in the middle of the log."""
    reader = stage.reader("bob")
    await stage.ready(reader)
    epoch, seq = reader.cursors[stage.room]
    writer = stage.writer("ann")
    for _ in range(8):
        await writer.say(stage.room)
    await stage.ready(reader, seq + 8)
    await _sqlite(stage, f"UPDATE room_events SET created_at = '2020-01-01 00:00:00' WHERE seq > {seq + 4}")
    await asyncio.to_thread(stage.stack.hosts[0].stop)
    await asyncio.to_thread(stage.stack.hosts[0].start)
    late = stage.reader("eve", cursor=(epoch, seq + 2))
    await stage.ready(late, seq + 8)
    if late.resets:
        stage.wrong("I4", "a gap of six was not replayed")
    # When it came is not the point here.
    await _sqlite(stage, f"UPDATE room_events SET created_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE seq > {seq}")


# -- repeats


@scene(calm=10.0)
async def equal_posts_at_once(stage: Stage) -> None:
    """A double click, five times over, is one message."""
    writer = stage.writer("ann")
    for _ in range(25):
        await writer.say(stage.room, doubled=True)


@scene(calm=10.0)
async def a_repeat_after_a_long_time(stage: Stage) -> None:
    """A client_id is known for ever."""
    client, user = stage.client("ann"), stage.stack.people["ann"].id
    mark = new_mark()
    for number in range(2):
        started = time.time()
        answer = await client.post(f"/rooms/{stage.room}/messages", body=mark, client_id="client-long-ago")
        seq = int(answer.headers.get("chat-seq", 0))
        ref = answer.headers.get("location", "").rsplit("/", 1)[-1]
        outcome = "acked" if answer.status == 201 else "refused"
        stage.recorder.note(
            Sent(
                "ann",
                user,
                stage.room,
                mark,
                "client-long-ago",
                started,
                time.time(),
                outcome,
                seq,
                ref,
                answer.status,
                1,
                0,
            )
        )
        if number == 0:
            await _sqlite(stage, "UPDATE messages SET created_at = '2020-01-01 00:00:00'")


# -- pages, rings, sockets


@scene("one host", calm=10.0)
async def a_page_on_a_slow_way(stage: Stage) -> None:
    """What is posted while a page is read is on it or comes after its cursor."""
    proxy = stage.stack.hosts[0].postgres
    assert proxy is not None
    writers = [stage.writer(name) for name in ("ann", "bob")]
    await writers[0].say(stage.room)
    proxy.delay = 0.02
    stop = time.monotonic() + 4

    async def write(writer: Writer) -> None:
        while time.monotonic() < stop:
            await writer.say(stage.room)

    async def look() -> None:
        reader = Reader("eve", stage.stack.people["eve"].id, stage.client("eve"), [stage.room], stage.recorder, "e")
        while time.monotonic() < stop:
            reader.missing.add(stage.room)
            reader._retry_at = 0.0
            with contextlib.suppress(*ERRORS):
                await reader._adopt_missing()

    await asyncio.gather(*(write(writer) for writer in writers), look(), return_exceptions=False)
    proxy.delay = 0.0


@scene(calm=10.0)
async def a_reader_far_behind(stage: Stage) -> None:
    """Who is further behind than a ring reaches gets a reset, and the page again."""
    reader = stage.reader("bob")
    await stage.ready(reader)
    epoch, seq = reader.cursors[stage.room]
    writers = [stage.writer(name) for name in ("ann", "bob", "eve")]
    for _ in range(9):
        await asyncio.gather(*(writer.say(stage.room, ordered=False) for writer in writers for _ in range(20)))
    await stage.ready(reader, seq + 500)
    stage.reader("eve", cursor=(epoch, seq))


@scene(calm=30.0)
async def a_socket_that_takes_nothing(stage: Stage) -> None:
    """Who reads slowly loses nothing."""
    stage.stack.edge.receive_buffer = 4096
    reader = stage.reader("bob")
    await stage.ready(reader)
    held = tuple(stage.stack.edge.links)
    for link in held:
        link.hold(60.0)
    direct = stage.writer("ann", host=0)

    async def long() -> None:
        text = f"{new_mark()} " + "the lamp turns " * 400
        await direct._post(stage.room, text, text.split()[0], hashlib.sha256(text.encode()).hexdigest()[:20], 0, True)

    for _ in range(12):
        await asyncio.gather(*(long() for _ in range(6)))
    for link in held:
        link.let_go()
    await direct.say(stage.room)


# -- who may


@scene("one host", calm=10.0)
async def removed_while_waiting_for_the_lock(stage: Stage) -> None:
    """Who is removed while their post waits for the room's lock is refused."""
    assert isinstance(stage.stack, Scaled)
    writer = stage.writer("bob")
    url, room, bob = stage.stack.url, stage.room, writer.user

    def remove() -> None:
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "UPDATE rooms SET head = head + 1 WHERE id = %s RETURNING head", (room,)
            ).fetchone()
            assert row is not None
            time.sleep(1.2)
            connection.execute("DELETE FROM memberships WHERE room_id = %s AND user_id = %s", (room, bob))
            connection.execute(
                "INSERT INTO room_events (room_id, seq, name, ref_id, created_at) VALUES (%s, %s, 'member.left', %s, now())",
                (room, row[0], bob),
            )

    removing = asyncio.create_task(asyncio.to_thread(remove))
    await asyncio.sleep(0.4)
    await writer.say(stage.room)
    await removing


@scene(calm=10.0)
async def a_member_is_removed(stage: Stage) -> None:
    """Nothing after the removal reaches who was removed."""
    reader = stage.reader("bob")
    await stage.ready(reader)
    bob, started = stage.stack.people["bob"].id, time.time()
    await stage.client("ann").post(f"/rooms/{stage.room}/members/{bob}/remove")
    stage.recorder.note(Membered("removed", bob, stage.room, started, time.time(), "acked"))
    writer = stage.writer("ann")
    for _ in range(5):
        await writer.say(stage.room)
    await asyncio.sleep(1)


@scene("two hosts", calm=10.0)
async def a_session_ends_without_redis(stage: Stage) -> None:
    """Ending a session reaches the streams of every process, Redis or not."""
    assert isinstance(stage.stack, Scaled)
    twin = Client(stage.stack.hosts[0].port)
    page = await twin.get("/sign-in")
    twin.token = page.body.partition(b'name="csrf-token" content="')[2].partition(b'"')[0].decode()
    form = {"email": "bob@example.org", "password": "a quiet lamp over the bay", "csrf_token": twin.token}
    await twin.post("/sign-in", **form)
    rooms = await twin.get("/rooms")
    twin.token = rooms.body.partition(b'name="csrf-token" content="')[2].partition(b'"')[0].decode()
    theirs = stage.client("bob", host=1)
    async with theirs.stream("/events?") as (answer, pieces):
        await asyncio.wait_for(anext(pieces), 5)
        stage.stack.redis.process.kill()
        await asyncio.sleep(0.5)
        ended = await twin.post("/devices/end-others")
        if answer.status != 200 or ended.status >= 400:
            stage.wrong("odd", f"could not play: {answer.status}, {ended.status}")
        try:
            async with asyncio.timeout(8):
                while await anext(pieces, b""):
                    pass
        except TimeoutError:
            stage.wrong("I7", "a stream outlives its session")


@scene()
async def a_deleted_message_is_replayed(stage: Stage) -> None:
    """A replay of what was before a deletion does not bring the words back."""
    first = stage.reader("bob")
    await stage.ready(first)
    epoch, seq = first.cursors[stage.room]
    writer = stage.writer("ann")
    for _ in range(4):
        await writer.say(stage.room)
    own: list[Own] = list(writer._own)
    await writer._change("delete", own[0], own[0].mark, "")
    await writer._change("edit", own[1], own[1].mark, new_mark(), body=f"{new_mark()} other words")
    await stage.ready(first, seq + 6)
    stage.reader("eve", cursor=(epoch, seq))


# -- the database


@scene("one host", calm=30.0)
async def postgres_stops_right_after_an_answer(stage: Stage) -> None:
    """What was acknowledged is there when PostgreSQL comes back from a crash."""
    assert isinstance(stage.stack, Scaled)
    writers = [stage.writer(name) for name in ("ann", "bob", "eve")]
    stopping = False

    async def write(writer: Writer) -> None:
        while not stopping:
            await writer.say(stage.room)

    for _ in range(3):
        stopping = False
        writing = [asyncio.create_task(write(writer)) for writer in writers]
        await asyncio.sleep(1.2)
        restart = asyncio.create_task(asyncio.to_thread(stage.stack.postgres.restart, signal.SIGKILL))
        stopping = True
        await restart
        await asyncio.gather(*writing)


@scene(calm=30.0)
async def a_backup_is_restored(stage: Stage) -> None:
    """After a restore numbers are given out again; no reader goes on as if nothing had happened."""
    assert isinstance(stage.stack, Embedded)
    host, path, writer = stage.stack.hosts[0], stage.stack.database, stage.writer("ann")
    await writer.say(stage.room)
    await _sqlite(stage, f"VACUUM INTO '{stage.folder / 'backup'}'")
    reader = stage.reader("bob")
    await stage.ready(reader)
    # These are lost with the disk; nobody may take what comes in their place for the same.
    await asyncio.gather(*(stage.client("ann").post(f"/rooms/{stage.room}/messages", body="lost") for _ in range(4)))
    await stage.ready(reader, reader.cursors[stage.room][1] + 4)
    await asyncio.to_thread(host.kill)
    for each in path.parent.glob("confab.sqlite3*"):
        each.unlink()
    shutil.copy(stage.folder / "backup", path)
    # Rotated as after any restore. What was heard until now is of a history that is gone.
    await _sqlite(stage, "UPDATE meta SET value = 'restored' WHERE name = 'epoch'")
    stage.recorder = reader._recorder = writer.recorder = Recorder(stage.folder / "restored.jsonl")
    await asyncio.to_thread(host.start)
    for _ in range(6):
        await writer.say(stage.room)
    for _ in range(100):
        if reader.cursors.get(stage.room, ("", 0))[0].startswith("restored"):
            return
        await asyncio.sleep(0.1)
    stage.wrong("I4", f"{reader.name} goes on in a history that is over: {reader.cursors}")


# -- the page's script


@contextlib.asynccontextmanager
async def _browser(stage: Stage, name: str) -> AsyncIterator[Page]:
    async with async_playwright() as driver:
        chromium = shutil.which("chromium")
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context()
        url = f"http://127.0.0.1:{stage.stack.edge.port}"
        await context.add_cookies([{"name": "confab-session", "value": stage.stack.people[name].secret, "url": url}])
        page = await context.new_page()
        await page.goto(f"{url}/rooms/{stage.room}")
        await page.wait_for_selector("html[data-stream=up]", timeout=20_000)
        try:
            yield page
        finally:
            await browser.close()


async def _shows(page: Page, mark: str, seconds: float = 8.0) -> bool:
    for _ in range(int(seconds / 0.1)):
        if mark in await page.inner_text("#timeline"):
            return True
        await asyncio.sleep(0.1)
    return False


@scene(calm=30.0)
async def a_page_is_cut_off(stage: Stage) -> None:
    """A page that lost its stream shows what was posted meanwhile."""
    writer = stage.writer("ann")
    async with _browser(stage, "bob") as page:
        writer.client.port = stage.stack.hosts[0].port
        for _ in range(3):
            stage.stack.edge.refuse()
            stage.stack.edge.reset()
            await writer.say(stage.room)
            stage.stack.edge.greet = None
            if not await _shows(page, writer._own[-1].mark, 10):
                stage.wrong("I10", f"the page lacks {writer._own[-1].mark}")


@scene(calm=30.0)
async def a_tab_with_an_old_page(stage: Stage) -> None:
    """A second tab that stands further back has frames said again; the first one does not apply them again."""
    writer = stage.writer("ann")
    async with _browser(stage, "bob") as page:
        old = await page.context.request.get(page.url)
        html = await old.text()
        await page.evaluate(
            """() => { window.took = []; document.addEventListener('confab:message',
                ({ detail }) => window.took.push(detail.message.id)); }"""
        )
        for _ in range(4):
            await writer.say(stage.room)
        await _shows(page, writer._own[-1].mark)
        tab = await page.context.new_page()

        async def stale(route: Route) -> None:
            await route.fulfill(body=html, content_type="text/html")

        await tab.route("**/rooms/*", stale)
        await tab.goto(page.url)
        if not await _shows(tab, writer._own[-1].mark, 10):
            stage.wrong("I10", "the second tab lacks a message")
        await asyncio.sleep(0.5)
        took: list[Any] = await page.evaluate("window.took")
        if len(took) != len(set(took)):
            stage.wrong("I4", f"the first tab applied {len(took)} frames, {len(set(took))} of them different")


async def _type(page: Page, text: str) -> None:
    await page.fill("#body", text)
    await page.press("#body", "Enter")


@scene(calm=30.0)
async def an_answer_is_lost(stage: Stage) -> None:
    """A page that did not hear whether its message arrived sends it again as the same one."""
    mark, lost = new_mark(), 0
    async with _browser(stage, "bob") as page:

        async def lose(route: Route) -> None:
            nonlocal lost
            if route.request.method == "POST" and not lost:
                lost += 1
                stage.stack.edge.refuse()  # nothing comes by the stream either
                for link in tuple(stage.stack.edge.links):
                    link.silence()
                direct = stage.client("bob", host=0)
                fields = route.request.post_data or ""
                answer = await direct.request("POST", f"/rooms/{stage.room}/messages", fields.encode())
                if answer.status != 201:
                    stage.wrong("odd", f"could not play: {answer.status}")
                stage.stack.edge.heal()
                await route.abort()
            else:
                await route.continue_()

        await page.route(f"**/rooms/{stage.room}/messages", lose)
        await _type(page, f"{mark} hello")
        await asyncio.sleep(5)
        if not await _shows(page, mark, 8):
            stage.wrong("I10", "the page lacks its own message")
        if not lost:
            stage.wrong("odd", "could not play: nothing was posted")


@scene(calm=30.0)
async def a_reset_while_sending(stage: Stage) -> None:
    """What is being sent stays on the page when the timeline is fetched again."""
    mark, writer = new_mark(), stage.writer("ann")
    async with _browser(stage, "bob") as page:

        async def fail(route: Route) -> None:
            if route.request.method == "POST":
                await route.abort()
            else:
                await route.continue_()

        await page.route(f"**/rooms/{stage.room}/messages", fail)
        await _type(page, f"{mark} hello")
        await page.wait_for_selector("#outbox .message", timeout=5000)
        await page.unroute(f"**/rooms/{stage.room}/messages")
        await page.route(f"**/rooms/{stage.room}/messages", fail)
        host = stage.stack.hosts[0]
        await asyncio.to_thread(host.stop)
        await _sqlite(stage, "UPDATE meta SET value = 'another' WHERE name = 'epoch'")
        await asyncio.to_thread(host.start)
        await writer.say(stage.room)
        if not await _shows(page, writer._own[-1].mark, 15):
            stage.wrong("I10", "the page did not come back after the reset")
        if mark not in await page.inner_text("#outbox"):
            stage.wrong("I10", "what was being sent is gone from the page")


__all__ = ["SCENES", "History", "play"]
