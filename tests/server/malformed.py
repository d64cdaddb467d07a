"""The requests of ``malformed.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_STANDS_FOR = {
    b"{hidden}": HIDDEN,
    b"{n}": str(len(HIDDEN)).encode(),
    b"{line}": b"x" * 9_000,
    b"{long}": b"x" * 40_000,
    b"{many}": b"".join(b"X-%d: y\r\n" % number for number in range(200)),
}


@dataclass(frozen=True)
class Malformed:
    """A request that is none."""

    name: str
    status: int
    data: bytes


def _read() -> list[Malformed]:
    found = []
    for line in Path(__file__).with_name("malformed.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            status, name, said = line.split(" | ", 2)
            data = said.encode("latin-1").decode("unicode_escape").encode("latin-1")
            for word, meant in _STANDS_FOR.items():
                data = data.replace(word, meant)
            found.append(Malformed(name, int(status), data.replace(b"{{", b"{").replace(b"}}", b"}")))
    return found


MALFORMED = _read()
