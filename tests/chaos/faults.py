"""The faults, each a coroutine that breaks one thing and heals it. The row is that of the table in docs/delivery.md."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import psutil
import psycopg
import redis

from tests.chaos.history import Fault, Recorder
from tests.chaos.readers import Reader
from tests.chaos.stack import Embedded, Host, Scaled, Stack
from tests.chaos.web import ERRORS, Client
from tests.chaos.writers import Writer
from tests.services import Redis


@dataclass
class World:
    """What a fault can reach."""

    stack: Stack
    readers: list[Reader]
    writers: list[Writer]
    recorder: Recorder
    random: random.Random
    #: A member of every room who does nothing of its own.
    visitor: Client
    #: Kills by kind, for the report.
    counts: dict[str, int] = field(default_factory=dict)
    #: One deploy, restart or kill of a host at a time, or a run may stop all of them at once.
    hosts: asyncio.Lock = field(default_factory=asyncio.Lock)
    redis: asyncio.Lock = field(default_factory=asyncio.Lock)
    postgres: asyncio.Lock = field(default_factory=asyncio.Lock)

    def count(self, what: str, more: int = 1) -> None:
        """Count something for the report."""
        self.counts[what] = self.counts.get(what, 0) + more

    @property
    def host(self) -> Host:
        """One of the hosts."""
        return self.random.choice(self.stack.hosts)

    @property
    def scaled(self) -> Scaled:
        assert isinstance(self.stack, Scaled)
        return self.stack

    @property
    def embedded(self) -> Embedded:
        assert isinstance(self.stack, Embedded)
        return self.stack

    @property
    def room(self) -> str:
        return self.random.choice(sorted(self.stack.rooms.values()))


Act = Callable[[World], Awaitable[str | None]]
FAULTS: dict[str, tuple[str, frozenset[str], Act]] = {}
_BOTH = ("embedded", "scaled")


def fault(row: str, *forms: str) -> Callable[[Act], Act]:
    """Register a fault by its function's name, with its row and the forms that it is for."""

    def register(act: Act) -> Act:
        FAULTS[getattr(act, "__name__", "")] = (row, frozenset(forms or _BOTH), act)
        return act

    return register


async def strike(world: World, name: str) -> None:
    """Break one thing, heal it, and write both down."""
    row, _, act = FAULTS[name]
    began = time.time()
    world.count(name)
    try:
        note = await act(world) or ""
    except (psycopg.Error, redis.RedisError, sqlite3.Error, OSError) as problem:
        note = f"could not: {type(problem).__name__}"  # another fault has what this one needs
    world.recorder.note(Fault(name, row, began, time.time(), note))


# -- processes


@fault("1, 2")
async def process_killed(world: World) -> str:
    """Kill -9 of the process that serves, with requests under way and streams open."""
    async with world.hosts:
        host = world.host
        world.count("app kills")
        if host.kill_worker():
            await asyncio.sleep(0.2)
        else:
            await asyncio.to_thread(host.kill)
            await asyncio.sleep(world.random.uniform(0, 0.5))
            await asyncio.to_thread(host.start)
        await asyncio.to_thread(host.wait)
        return host.name


@fault("1, 2, 16", "scaled")
async def host_killed(world: World) -> str:
    """A whole host goes, manager and all, and stays away for a while."""
    async with world.hosts:
        host = world.host
        world.count("app kills")
        await asyncio.to_thread(host.kill)
        await asyncio.sleep(world.random.uniform(0.5, 3))
        await asyncio.to_thread(host.start)
        return host.name


@fault("17")
async def deployed(world: World) -> str:
    """Every host is stopped politely and started again, one after the other."""
    async with world.hosts:
        world.count("deploys")
        for host in world.stack.hosts:
            code = await asyncio.to_thread(host.stop)
            if code != 0:
                world.recorder.odd("deployed", f"{host.name} ended with {code}")
            await asyncio.to_thread(host.start)
        return ""


@fault("17", "scaled")
async def reloaded(world: World) -> str:
    """Gunicorn is told to replace its worker."""
    async with world.hosts:
        host = world.host
        before = {child.pid for child in host.workers()}
        assert host.process is not None
        host.process.process.send_signal(signal.SIGHUP)
        for _ in range(200):
            await asyncio.sleep(0.1)
            now = {child.pid for child in host.workers()}
            if now and not now & before:
                break
        await asyncio.to_thread(host.wait)
        return host.name


@fault("14, 26")
async def process_frozen(world: World) -> str:
    """The process that serves stands still, as under a debugger or a starved machine."""
    async with world.hosts:
        host = world.host
        process = host.serving()
        if process is None:
            return "nobody there"
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
            await asyncio.sleep(world.random.uniform(1, 4))
            process.resume()
        return host.name


@fault("26")
async def many_sign_in(world: World) -> str:
    """Twenty people type their passwords at once: hashing must not stop the streams."""
    clients = [Client(world.stack.edge.port) for _ in range(20)]

    async def try_to(client: Client) -> None:
        with contextlib.suppress(*ERRORS):
            page = await client.get("/sign-in")
            token = page.body.partition(b'name="csrf-token" content="')[2].partition(b'"')[0].decode()
            client.token = token
            answer = await client.post("/sign-in", 20, email="nobody@example.org", password="a wrong password")
            if answer.status == 500:
                world.recorder.odd("many_sign_in", "500")

    await asyncio.gather(*(try_to(client) for client in clients))
    return ""


# -- Redis


@fault("3", "scaled")
async def redis_killed(world: World) -> str:
    """Redis is killed, is away for some seconds, and comes back empty."""
    async with world.redis:
        world.count("Redis kills")
        world.scaled.redis.process.kill()
        pause = world.random.uniform(1, 6)
        await asyncio.sleep(pause)
        await asyncio.to_thread(world.scaled.redis.start)
        return f"{pause:.1f} s"


@fault("3", "scaled")
async def redis_wiped(world: World) -> str:
    """FLUSHALL."""
    async with world.redis:
        with redis.Redis.from_url(world.scaled.redis.url, socket_timeout=1) as link:
            link.flushall()
        return ""


@fault("4", "scaled")
async def redis_frozen(world: World) -> str:
    """Redis stands still with its connections open."""
    async with world.redis:
        pause = world.random.uniform(2, 6)
        world.scaled.redis.process.send(signal.SIGSTOP)
        await asyncio.sleep(pause)
        world.scaled.redis.process.send(signal.SIGCONT)
        return f"{pause:.1f} s"


@fault("5", "scaled")
async def redis_half_open(world: World) -> str:
    """One host's connections to Redis go silent without an error; new ones pass."""
    proxy = world.host.redis
    assert proxy is not None
    proxy.silence()
    await asyncio.sleep(world.random.uniform(5, 8))
    proxy.heal()
    return ""


@fault("5", "scaled")
async def redis_unreachable(world: World) -> str:
    """One host's packets to Redis vanish, those of new connections too."""
    proxy = world.host.redis
    assert proxy is not None
    proxy.swallow()
    proxy.silence()
    await asyncio.sleep(world.random.uniform(2, 6))
    proxy.heal()
    return ""


@fault("6", "scaled")
async def redis_failed_over(world: World) -> str:
    """The master dies, and its replica, which lags behind, takes over its address."""
    async with world.redis:
        world.count("Redis failovers")
        stack = world.scaled
        heir = await asyncio.to_thread(Redis)
        with redis.Redis.from_url(heir.url, socket_timeout=2) as link:
            link.replicaof("127.0.0.1", str(stack.redis.port))
            for _ in range(100):
                if link.info("replication").get("master_link_status") == "up":
                    break
                await asyncio.sleep(0.05)
            heir.process.send(signal.SIGSTOP)
            await asyncio.sleep(world.random.uniform(0.2, 1.0))
            stack.redis.remove()
            heir.process.send(signal.SIGCONT)
            pause = world.random.uniform(0.5, 3)
            await asyncio.sleep(pause)
            link.replicaof("NO", "ONE")
        stack.redis = heir
        for host in stack.hosts:
            assert host.redis is not None
            host.redis.target = heir.port
        return f"{pause:.1f} s"


@fault("7", "scaled")
async def subscribers_dropped(world: World) -> str:
    """Redis ends every subscription, as it does to subscribers whose output buffer is full."""
    async with world.redis:
        with redis.Redis.from_url(world.scaled.redis.url, socket_timeout=1) as link:
            return str(link.execute_command("CLIENT", "KILL", "TYPE", "pubsub"))


# -- the database


@fault("8", "scaled")
async def postgres_restarted(world: World) -> str:
    """PostgreSQL is stopped fast and started again."""
    return await _restart(world, signal.SIGINT)


@fault("8", "scaled")
async def postgres_stopped_at_once(world: World) -> str:
    """PostgreSQL is stopped with ``-m immediate`` and recovers."""
    return await _restart(world, signal.SIGQUIT)


async def _restart(world: World, mode: signal.Signals) -> str:
    async with world.postgres:
        world.count("PostgreSQL restarts")
        await asyncio.to_thread(world.scaled.postgres.restart, mode, world.random.uniform(0, 1.5))
        return mode.name


@fault("10", "scaled")
async def postgres_slow(world: World) -> str:
    """Everything between one host and PostgreSQL takes 100 ms more each way."""
    proxy = world.host.postgres
    assert proxy is not None
    proxy.delay = 0.1
    await asyncio.sleep(world.random.uniform(2, 5))
    proxy.heal()
    return ""


@fault("10", "scaled")
async def postgres_cut(world: World) -> str:
    """One host's connections to PostgreSQL are reset, some in the middle of an answer; it refuses new ones for a moment."""
    proxy = world.host.postgres
    assert proxy is not None
    for link in tuple(proxy.links):
        link.left = world.random.randint(0, 2000)
    await asyncio.sleep(0.5)
    proxy.refuse()
    proxy.reset()
    await asyncio.sleep(world.random.uniform(0.2, 2))
    proxy.heal()
    return ""


@fault("10", "scaled")
async def postgres_half_open(world: World) -> str:
    """One host's connections to PostgreSQL go silent; new ones pass."""
    proxy = world.host.postgres
    assert proxy is not None
    proxy.silence()
    await asyncio.sleep(world.random.uniform(3, 6))
    proxy.heal()
    return ""


@fault("10", "scaled")
async def row_locked(world: World) -> str:
    """A stray session holds the lock of one room; the others go on."""
    room = world.room

    def hold() -> None:
        with psycopg.connect(world.scaled.url, connect_timeout=5) as connection:
            connection.execute("SELECT 1 FROM rooms WHERE id = %s FOR UPDATE", (room,))
            time.sleep(4)
            connection.rollback()

    await asyncio.to_thread(hold)
    return room


@fault("18", "scaled")
async def migrated(world: World) -> str:
    """A column comes and goes under load, as a migration that is safe while the old code serves would do it."""

    def migrate() -> None:
        with world.scaled.connect() as connection:
            connection.execute("SET lock_timeout = '1500ms'")
            for statement in (
                "ALTER TABLE messages ADD COLUMN IF NOT EXISTS chaos integer",
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS chaos_index ON messages (chaos)",
                "DROP INDEX CONCURRENTLY IF EXISTS chaos_index",
                "ALTER TABLE messages DROP COLUMN IF EXISTS chaos",
            ):
                for _ in range(10):
                    try:
                        connection.execute(statement)
                        break
                    except psycopg.errors.LockNotAvailable:
                        time.sleep(0.2)

    async with world.postgres:
        await asyncio.to_thread(migrate)
    return ""


@fault("20", "embedded")
async def disk_full(world: World) -> str:
    """The kernel refuses the process any file that grows: SQLite cannot write."""
    process = world.stack.hosts[0].serving()
    if process is None:
        return "nobody there"
    size = (world.embedded.folder / "embedded" / "confab.sqlite3-wal").stat().st_size // 2
    async with world.hosts:
        before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        await asyncio.sleep(world.random.uniform(1, 3))
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
    return f"{size} bytes"


@fault("25", "embedded")
async def file_locked(world: World) -> str:
    """Another process holds SQLite's write lock for three seconds."""

    def hold() -> None:
        connection = sqlite3.connect(world.embedded.database, timeout=10, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(3)
        connection.execute("ROLLBACK")
        connection.close()

    await asyncio.to_thread(hold)
    return ""


@fault("31")
async def poisoned(world: World) -> str:
    """A row of the log whose message does not exist: its renderer raises."""
    room, ref = world.room, "a" * 16
    row = (ref,)

    def insert() -> None:
        if isinstance(world.stack, Scaled):
            with psycopg.connect(world.scaled.url, connect_timeout=5) as connection:
                found = connection.execute("UPDATE rooms SET head = head + 1 WHERE id = %s RETURNING head", (room,))
                seq = found.fetchone()
                assert seq is not None
                connection.execute(
                    "INSERT INTO room_events (room_id, seq, name, ref_id, created_at)"
                    " VALUES (%s, %s, 'message.posted', %s, now())",
                    (room, seq[0], *row),
                )
        else:
            connection = sqlite3.connect(world.embedded.database, timeout=10, isolation_level=None)
            connection.execute("BEGIN IMMEDIATE")
            (seq,) = connection.execute(
                "UPDATE rooms SET head = head + 1 WHERE id = ? RETURNING head", (room,)
            ).fetchone()
            connection.execute(
                "INSERT INTO room_events (room_id, seq, name, ref_id, created_at)"
                " VALUES (?, ?, 'message.posted', ?, strftime('%Y-%m-%d %H:%M:%f', 'now'))",
                (room, seq, *row),
            )
            connection.execute("COMMIT")
            connection.close()
            connection.close()

    async with world.postgres:
        await asyncio.to_thread(insert)
    return room


# -- the network in front, and clients


@fault("16", "scaled")
async def nginx_reloaded(world: World) -> str:
    """nginx takes its configuration anew; streams end within two seconds."""
    assert world.scaled.nginx is not None
    world.scaled.nginx.process.send_signal(signal.SIGHUP)
    await asyncio.sleep(2.5)
    return ""


@fault("16")
async def sockets_cut(world: World) -> str:
    """Some connections of clients are reset, in the middle of whatever they carry."""
    links = sorted(world.stack.edge.links, key=id)
    chosen = world.random.sample(links, min(len(links), 10))
    world.count("socket cuts", len(chosen))
    for link in chosen:
        if world.random.random() < 0.5:
            link.reset()
        else:
            link.left = world.random.randint(0, 4000)
    await asyncio.sleep(0.5)
    return f"{len(chosen)} sockets"


@fault("16")
async def nobody_gets_in(world: World) -> str:
    """New connections are refused for a moment."""
    world.stack.edge.refuse()
    await asyncio.sleep(world.random.uniform(0.5, 3))
    world.stack.edge.greet = None
    return ""


@fault("29")
async def all_dropped(world: World) -> str:
    """Every connection is reset at once; all readers come back together."""
    world.count("socket cuts", len(world.stack.edge.links))
    world.stack.edge.reset()
    await asyncio.sleep(0.1)
    return ""


@fault("12, 14")
async def readers_asleep(world: World) -> str:
    """A few clients stop reading, then go on; long enough and the server closes them."""
    seconds = world.random.choice([3.0, 8.0, 8.0, 33.0])
    links = sorted(world.stack.edge.links, key=id)
    chosen = world.random.sample(links, min(len(links), 5))
    for link in chosen:
        link.hold(seconds)
    await asyncio.sleep(seconds)
    return f"{len(chosen)} for {seconds:.0f} s"


@fault("13")
async def clients_half_open(world: World) -> str:
    """A few clients lose the server without a word, as when a network changes; they notice by the silence."""
    links = sorted(world.stack.edge.links, key=id)
    chosen = world.random.sample(links, min(len(links), 4))
    for link in chosen:
        link.silence()
    await asyncio.sleep(42.0)
    for link in chosen:
        if not link.ended:
            link.reset()
    return f"{len(chosen)} clients"


@fault("10, 16")
async def network_slow(world: World) -> str:
    """Everything between clients and us takes 150 ms more each way, and is narrow."""
    edge = world.stack.edge
    edge.delay, edge.rate = 0.15, 40_000.0
    await asyncio.sleep(world.random.uniform(2, 4))
    edge.delay = edge.rate = 0.0
    return ""


@fault("28")
async def burst(world: World) -> str:
    """A public room gets a hundred messages as fast as they can be sent."""
    room = world.stack.rooms["hot"]
    writers = [writer for writer in world.writers if room in writer.rooms]
    if not writers:
        return "nobody writes there"
    count = 100 // len(writers) + 1
    world.count("messages in bursts", count * len(writers))
    await asyncio.gather(*(writer.say(room, ordered=False) for writer in writers for _ in range(count)))
    return f"{count * len(writers)} messages"


@fault("30")
async def foreign_cursors(world: World) -> str:
    """Cursors that are huge, negative, of another room or another history: a reset, never an error or foreign words."""
    room, other = world.room, "a" * 16
    for cursor in (
        f"{room}.{'z' * 8}.1", f"{other}.x.1", f"{room}.x.-1", f"{room}.x.{'9' * 30}", "%00", "..", f"{room}..1", "🙂",
        f"{room}.{'e' * 8}.999999999999999999",
    ):  # fmt: skip
        with contextlib.suppress(*ERRORS):
            path = f"/events?room={room}&after={cursor.encode().decode('latin-1')}"
            async with world.visitor.stream(path, 8) as (answer, pieces):
                if answer.status not in {200, 404, 502, 503, 504, 429, 400}:
                    world.recorder.odd("foreign_cursors", f"{answer.status} for {cursor}")
                if answer.status == 200:
                    first = await asyncio.wait_for(anext(pieces, b""), 5)
                    if b"id: " in first:
                        world.recorder.odd("foreign_cursors", f"{cursor} was answered with a frame: {first[:200]!r}")
    return ""


@fault("11", "scaled")
async def many_streams(world: World) -> str:
    """Streams hold no database connection: none sits in a transaction for longer than PostgreSQL lets anybody."""
    with world.scaled.connect() as connection:
        held = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'confab'"
            " AND state LIKE 'idle in transaction%' AND state_change < now() - interval '12 seconds'"
        ).fetchone()
    if held and held[0]:
        world.recorder.odd("many_streams", f"{held[0]} connections sit in a transaction")
    return ""
