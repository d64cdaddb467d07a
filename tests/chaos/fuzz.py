"""Malformed requests over every route, as raw bytes over real sockets, made from a seed."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, urlencode

from werkzeug.routing import Rule

#: Seconds within which every answer has begun.
LIMIT = 2.0
JUNK = [
    "", "0", "-1", "9" * 19, "9" * 40, "1e9", "NaN", "null", "true", "é", "\u202e", "𝒳" * 100, "' OR 1=1 --", "%", "%00", "%s",
    "{{7*7}}", "{}", "[]", "../../etc/passwd", "a" * 5000, "<b onclick=x>", "\r\nX-Evil: y", " ", "\t", "\x7f", "a.b.c", "..",
    "\x00", "x\x00y", "\x1b[31m", "\ufeff", "\ufffe", "💬" * 500, "-0", "0x10", "１２",
]  # fmt: skip
#: Not text at all.
BYTES = [b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"%ED%A0%80", b"%FF", b"%00", b"%2e%2e%2f", b"\x80" * 50]
FIELDS = [
    "body", "client_id", "picture", "name", "email", "password", "kind", "purpose", "person", "seq", "reason", "status",
    "theme", "next", "token", "search", "before", "after", "around", "room", "undo", "csrf_token", "image", "saved",
]  # fmt: skip
HEADERS = [
    "HX-Request: true", "HX-Request: \xe9", "HX-Current-URL: javascript:alert(1)", "HX-Target: " + "a" * 3000,
    "HX-Boosted: true", "HX-Prompt: %00", "Accept: application/json", "Accept: ;;;", "Accept: */*;q=x", "If-None-Match: \"x",
    "Range: bytes=5-1", "Range: bytes=0-99999999999999999999", "Last-Event-ID: x", "Last-Event-ID: " + "9" * 2000,
    "Cookie: confab-session=" + "z" * 64, "Cookie: a=b; =; ;;", "Cookie: \xff=\xff", "X-Forwarded-For: 1.1.1.1, x",
    "X-Forwarded-Host: evil.example", "Sec-Fetch-Site: cross-site", "Origin: null", "Origin: http://[::1", "Referer: \x01",
    "Content-Encoding: gzip", "Expect: 100-continue", "If-Modified-Since: yesterday", "X-CSRFToken: \xff\xff", "TE: trailers",
    "Accept-Language: " + ",".join(["x"] * 500), "User-Agent: ", "Forwarded: for=\"", "X-Long: " + "a" * 7000,
]  # fmt: skip


@dataclass
class Shot:
    """One request, and what came of it."""

    number: int
    endpoint: str
    data: bytes
    status: int = 0
    seconds: float = 0.0


class Gun:
    """Makes requests for the routes of an application."""

    def __init__(
        self, rules: Sequence[Rule], ids: Sequence[str], people: Sequence[tuple[str, str]], port: int, seed: int
    ) -> None:
        self._rules = [rule for rule in rules for _ in range(1 if rule.endpoint.endswith("static") else 3)]
        self._ids = list(ids)
        #: Session and token of people who are signed in.
        self._people = list(people)
        self._port = port
        self._random = random.Random(seed)

    def make(self, number: int) -> Shot:
        """Make one request."""
        dice = self._random
        rule = dice.choice(self._rules)
        methods = sorted((rule.methods or {"GET"}) - {"HEAD", "OPTIONS"})
        method = dice.choice(methods * 6 + ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "get", "G\xcbT"])
        session, token = dice.choice([*self._people, ("", "")])
        if any(word in rule.endpoint for word in ("sign_out", "end_", "password")):
            token = "no"  # or nobody would be signed in for the rest
        body, kind = self._body(token) if method not in {"GET", "HEAD"} else (b"", "")
        lines = [f"{method} {self._path(rule)} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", "Connection: close"]
        if session and dice.random() < 0.9:
            lines.append(f"Cookie: confab-session={session}")
        if token and dice.random() < 0.8:
            lines.append(f"X-CSRFToken: {token}")
        lines += dice.choices(HEADERS, k=dice.choice([0, 0, 0, 1, 2, 5]))
        if dice.random() < 0.02:
            lines += [f"X-Many-{n}: {n}" for n in range(120)]
        if kind:
            lines.append(f"Content-Type: {kind}")
        if body or dice.random() < 0.1:
            lines.append(self._length(body))
        if dice.random() < 0.03:
            lines.append(lines[dice.randrange(1, len(lines))])
        head = "\r\n".join(lines).encode("latin-1", "replace")
        return Shot(number, rule.endpoint, head + b"\r\n\r\n" + body)

    def _path(self, rule: Rule) -> str:
        dice = self._random
        path = ""
        for dynamic, text in rule._trace:
            if dynamic:
                path += dice.choice([dice.choice(self._ids), dice.choice(self._ids), "a" * 16, self._piece()])
            elif text != "|":
                path += text
        path = path.lstrip("|") or "/"
        names = ["room", "after"] if rule.endpoint == "messages.events" else FIELDS
        for sign in "?&&&"[: dice.choice([0, 0, 1, 2, 4])]:
            path += f"{sign}{dice.choice(names)}={dice.choice([self._piece(), dice.choice(self._ids)])}"
        if dice.random() < 0.01:
            path += "/" * 3000
        return path

    def _piece(self) -> str:
        dice = self._random
        if dice.random() < 0.2:
            raw = dice.choice(BYTES)
            return raw.decode("latin-1") if b"%" in raw else quote_from_bytes(raw)
        return quote_from_bytes(dice.choice(JUNK).encode("utf-8", "surrogatepass"))

    def _length(self, body: bytes) -> str:
        dice = self._random.random()
        if dice < 0.94:
            return f"Content-Length: {len(body)}"
        return self._random.choice(
            ["Content-Length: -1", "Content-Length: x", f"Content-Length: {'9' * 30}", "Transfer-Encoding: chunked"]
        )

    def _body(self, token: str) -> tuple[bytes, str]:
        dice = self._random
        form: list[tuple[str, str | bytes]] = [("csrf_token", token)] if dice.random() < 0.7 else []
        for _ in range(dice.randint(0, 5)):
            value: str | bytes = dice.choice([dice.choice(JUNK), dice.choice(self._ids), dice.choice(BYTES)])
            if dice.random() < 0.01:
                value = "m" * 1_000_000
            form.append((dice.choice(FIELDS), value))
        plain = urlencode(
            [(name, value if isinstance(value, bytes) else value.encode()) for name, value in form]
        ).encode()
        return dice.choice(self._shapes())(form, plain)

    def _shapes(self) -> list[Callable[[list[tuple[str, str | bytes]], bytes], tuple[bytes, str]]]:
        usual = "application/x-www-form-urlencoded"
        return [
            *[lambda form, plain: (plain, usual)] * 6,
            *[lambda form, plain: (_multipart(form, b"x"), "multipart/form-data; boundary=x")] * 4,
            lambda form, plain: (_multipart(form, b"x")[:-9], "multipart/form-data; boundary=x"),
            lambda form, plain: (_multipart(form, b"x"), "multipart/form-data; boundary=y"),
            lambda form, plain: (_multipart(form, b"x"), "multipart/form-data"),
            lambda form, plain: (plain, "application/json"),
            lambda form, plain: (b'{"body": ', "application/json"),
            lambda form, plain: (plain, "text/plain; charset=utf-7"),
            lambda form, plain: (plain, usual + "; charset=nonsense"),
            lambda form, plain: (os.urandom(300), usual),
            lambda form, plain: (b"&".join([b"a=b"] * 5000), usual),
            lambda form, plain: (b"%" * 2000, usual),
        ]


def _multipart(form: list[tuple[str, str | bytes]], boundary: bytes) -> bytes:
    parts = []
    for name, value in form:
        data = value if isinstance(value, bytes) else value.encode()
        file = b'; filename="\xff\x00.png"\r\nContent-Type: image/png' if name in {"image", "picture"} else b""
        parts.append(b'Content-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name.encode(), file, data))
    return b"".join(b"--" + boundary + b"\r\n" + part for part in parts) + b"--" + boundary + b"--\r\n"


async def fire(shot: Shot, port: int, patience: float = 10.0) -> None:
    """Send a request and note the status and how long its first line took; 0 when there is no answer."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(shot.data)
        writer.write_eof()  # or a server rightly waits for a body that was announced
        async with asyncio.timeout(patience):
            line = await reader.readline()
        words = line.split()
        shot.status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    except (OSError, EOFError, TimeoutError, ValueError):
        shot.status = 0
    finally:
        shot.seconds = time.monotonic() - began
        writer.close()


async def volley(gun: Gun, port: int, count: int, at_once: int = 6) -> list[Shot]:
    """Send so many requests, a few at a time; return all of them."""
    shots = [gun.make(number) for number in range(count)]
    waiting = iter(shots)

    async def shoot() -> None:
        for shot in waiting:
            await fire(shot, port)

    await asyncio.gather(*(shoot() for _ in range(at_once)))
    return shots
