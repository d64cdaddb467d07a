"""Streams that wait, come, come back all at once; and messages from a POST to everybody."""

from __future__ import annotations

import threading
import time
from typing import Any

from bench.contenders import Confab, Contender, Nchan, RawC, Readers, SocketIO
from bench.fanout import Cells, measure, saturated, table
from bench.native import load
from bench.stage import cpu


def run_idle(readers: int = 10_000, rounds: int = 1) -> str:
    """Return what a stream holds on to while nothing happens."""

    def what(contender: Contender, streams: Readers) -> Cells:
        streams.connect(200)  # what a process allocates once
        streams.tell("wait 2")
        before = contender.memory()
        streams.connect(readers - 200)
        streams.tell("wait 25")  # a heartbeat, and a look at who is here
        spent = contender.cpu()
        streams.tell("wait 15")
        return {
            "bytes": (contender.memory() - before) / (readers - 200),
            "cpu": (contender.cpu() - spent) / 15 * 100,
            "open": streams.tell("report")["open"],
        }

    columns = {"bytes": ("bytes per stream", ",.0f"), "cpu": ("% of a core", ".2f"), "open": ("still open", ",.0f")}
    return table(f"{readers:,} streams, idle", columns, measure([Confab, Nchan, SocketIO], readers, rounds, what))


def run_connect(readers: int = 5000, rounds: int = 3) -> str:
    """Return what it costs to open a stream, 64 at a time."""

    def what(contender: Contender, streams: Readers) -> Cells:
        streams.connect(500)
        streams.tell("wait 2")
        before = contender.cpu()
        found = streams.connect(readers - 500)
        opened = contender.cpu() - before
        streams.tell("wait 6")
        spent = contender.cpu() - before
        return {
            "cpu": opened / (readers - 500) * 1000,
            "after": spent / (readers - 500) * 1000,
            "rate": (readers - 500) / found["seconds"],
        }

    columns = {
        "cpu": ("CPU ms per stream", ".3f"),
        "after": ("with what 6 s bring after it: who is here now", ".3f"),
        "rate": ("streams/s", ",.0f"),
    }
    return table(f"{readers:,} streams", columns, measure([RawC, Confab, Nchan, SocketIO], readers, rounds, what))


def run_storm(readers: int = 10_000, rounds: int = 3) -> str:
    """Return how long it takes until everybody is back after all were cut off; each goes on from where they were."""

    def what(contender: Contender, streams: Readers) -> Cells:
        streams.connect()
        streams.tell("wait 3")
        saturated(contender, streams, 20)
        streams.tell("drop")
        again = Readers(contender, [contender.request(number, resume=True) for number in range(readers)])
        before, spent, began = contender.checkouts(), contender.cpu(), time.monotonic()
        try:
            found = again.connect(at_once=readers)
            spent, taken = contender.cpu() - spent, time.monotonic() - began
            after = contender.checkouts()
            time.sleep(taken)
            rest = contender.checkouts() - after
        finally:
            again.close()
        return {
            "seconds": found["seconds"],
            "rate": readers / found["seconds"],
            "cpu": spent,
            "asked": after - before,
            "rest": rest,
        }

    columns = {"seconds": ("seconds", ".2f"), "rate": ("streams/s", ",.0f"), "cpu": ("CPU s", ".2f")}
    columns |= {"asked": ("went to the database", ".0f"), "rest": ("in as long at rest", ".0f")}
    return table(f"{readers:,} reconnect at once", columns, measure([Confab, Nchan, SocketIO], readers, rounds, what))


# -- from a POST to everybody


class Posts:
    """What is posted to a contender."""

    def __init__(self, contender: Contender) -> None:
        text = "due TTTTTTTTTTTTTTTT NNNNNNNNNNNNNNNN and tide is out until five"
        self._port = contender.port
        if isinstance(contender, Confab):
            place = contender.places[0]
            self._requests = [contender.stage.post(guest, place.id, text) for guest in place.members[:64]]
        else:
            body = contender._html.replace('"', '\\"').encode()
            body = b'{"room": "0", "html": "%s"}' % body
            head = f"POST /say HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            self._requests = [head.encode() + b"\r\n\r\n" + body] * 64

    def send(self, rate: float, seconds: float, connections: int = 8) -> dict[str, Any]:
        """Post on a schedule, or with rate 0 as fast as they are answered."""
        return load(self._port, self._requests, connections, seconds, rate, warm=1)


def posted(contender: Contender, streams: Readers, rate: float, seconds: float) -> Cells:
    """Post while everybody reads; return what a delivery cost, how long it took, and how long the POST took."""
    posts = Posts(contender)
    answers: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: answers.append(posts.send(rate, seconds)))
    streams.tell("clear")
    before = contender.cpu()
    thread.start()
    streams.tell(f"wait {seconds + 2.5}")
    thread.join()
    report = streams.tell("report")
    spent = contender.cpu() - before
    return {
        "cost": spent / max(1, report["delivered"]) * 1e6,
        "p50": report["p50"],
        "p99": report["p99"],
        "post": answers[0]["p50"],
        "post99": answers[0]["p99"],
        "rate": report["delivered"] / (seconds + 1),
        "posts": answers[0]["answered"] / seconds,
    }


def run_posted(readers: int = 1000, rounds: int = 3, rate: float = 20, seconds: float = 8) -> str:
    """Return what it costs from a POST to everybody; and what everybody costs a POST."""

    def what(contender: Contender, streams: Readers) -> Cells:
        streams.connect()
        streams.tell("wait 3")
        moderate = posted(contender, streams, rate, seconds)
        most = posted(contender, streams, 0, seconds)
        return moderate | {"full": most["cost"], "most": most["rate"], "messages": most["posts"]}

    columns = {
        "cost": (f"CPU µs/delivery at {rate:g}/s", ".1f"),
        "p50": ("p50 ms", ".1f"),
        "p99": ("p99 ms", ".1f"),
        "post": ("POST p50 ms", ".1f"),
        "full": ("saturated CPU µs/delivery", ".2f"),
        "most": ("deliveries/s", ",.0f"),
        "messages": ("POSTs/s", ",.0f"),
    }
    first = table(
        f"POST to {readers:,} readers (Confab: database, sign-in, template; Socket.IO: emit alone)",
        columns,
        measure([Confab, SocketIO], readers, rounds, what),
    )
    return first + "\n" + undisturbed(rounds)


def undisturbed(rounds: int, readers: int = 5000, rate: float = 10, seconds: float = 8) -> str:
    """How long a POST takes while its messages go to many, against one that nobody hears."""

    def what(contender: Contender, streams: Readers) -> Cells:
        streams.connect(1)
        streams.tell("wait 2")
        alone = Posts(contender).send(rate, seconds, 4)
        streams.connect(readers - 1)
        streams.tell("wait 5")
        crowded = posted(contender, streams, rate, seconds)
        return {
            "alone": alone["p50"],
            "crowded": crowded["post"],
            "ratio": crowded["post"] / alone["p50"],
            "crowded99": crowded["post99"],
            "cost": crowded["cost"],
            "p50": crowded["p50"],
        }

    columns = {
        "alone": ("POST p50 ms, one stream", ".2f"),
        "crowded": (f"with {readers:,}", ".2f"),
        "ratio": ("ratio", ".2f"),
        "crowded99": ("p99 ms", ".1f"),
        "cost": ("CPU µs/delivery", ".1f"),
        "p50": ("delivery p50 ms", ".1f"),
    }
    return table(f"POST at {rate:g}/s", columns, measure([Confab, SocketIO], readers, rounds, what))


def settle(pid: int, most: float = 30.0) -> None:
    """Wait until a process has little to do."""
    end = time.monotonic() + most
    while time.monotonic() < end:
        before = cpu(pid)
        time.sleep(1)
        if cpu(pid) - before < 0.05:
            return
