"""Hear streams as a program would that uses a public client: ``listen.py CLIENT BASE STREAM=PATH…``.

What it hears it posts to ``BASE/heard/CLIENT/STREAM``. None of these clients comes back by itself; each does so here, with the
last id and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import requests
import urllib3

#: Event, data and id; the id of a block without one is None or the one before, as the client has it.
Block = tuple[str, str, str | None]


def by_sseclient(url: str, headers: dict[str, str]) -> Iterator[Block]:
    import sseclient  # type: ignore[import-untyped]

    with requests.get(url, headers=headers, stream=True, timeout=60) as answer:
        for each in sseclient.SSEClient(answer).events():
            yield each.event, each.data, each.id


def by_httpx(url: str, headers: dict[str, str]) -> Iterator[Block]:
    import httpx
    from httpx_sse import connect_sse

    with httpx.Client(timeout=60) as client, connect_sse(client, "GET", url, headers=headers) as source:
        for each in source.iter_sse():
            yield each.event, each.data, each.id


def by_requests(url: str, headers: dict[str, str]) -> Iterator[Block]:
    with requests.get(url, headers=headers, stream=True, timeout=60) as answer:
        yield from _blocks(answer.iter_lines(chunk_size=1, decode_unicode=False))


def by_urllib3(url: str, headers: dict[str, str]) -> Iterator[Block]:
    answer = urllib3.PoolManager().request(
        "GET", url, headers=headers, preload_content=False, timeout=60, retries=False
    )
    yield from _blocks(_lines(iter(answer.read1, b"")))


def by_curl(url: str, headers: dict[str, str]) -> Iterator[Block]:
    options = [each for name, value in headers.items() for each in ("-H", f"{name}: {value}")]
    with subprocess.Popen(["curl", "-sN", *options, url], stdout=subprocess.PIPE) as curl:
        assert curl.stdout is not None
        yield from _blocks(curl.stdout)


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


def _blocks(lines: Iterator[bytes]) -> Iterator[Block]:
    found: dict[str, str] = {}
    for raw in lines:
        line = raw.decode().rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            found[name] = f"{found[name]}\n{value}" if name == "data" and "data" in found else value
        elif found:
            yield found.get("event", "message"), found.get("data", ""), found.get("id")
            found = {}


CLIENTS: dict[str, Callable[[str, dict[str, str]], Iterator[Block]]] = {
    "sseclient-py": by_sseclient,
    "httpx-sse": by_httpx,
    "requests": by_requests,
    "urllib3": by_urllib3,
    "curl": by_curl,
}


def listen(client: str, base: str, stream: str, path: str) -> None:
    teller, last_id = requests.Session(), ""
    while True:
        try:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
            for event, data, identity in CLIENTS[client](base + path, headers):
                last_id = identity or last_id
                teller.post(
                    f"{base}/heard/{client}/{stream}", json.dumps({"event": event, "data": data, "id": last_id})
                )
        except Exception as problem:  # whatever the client makes of a cut
            print(client, stream, repr(problem), file=sys.stderr)
        time.sleep(0.2)


if __name__ == "__main__":
    _, name, address, *streams = sys.argv
    for each in streams:
        threading.Thread(target=listen, args=(name, address, *each.split("=", 1)), daemon=True).start()
    threading.Event().wait()
