"""Nothing that is sent acts on the terminal of whoever reads the log."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.server.test_malformed import answer
from tests.services import ROOT, Site

ACTS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E, 0x2066]))


WRITES = f"""
import logging
from chat.core import logs
logs.configure()
acts = {ACTS!r}
log = logging.getLogger("chat.test")
log.info("%s", f"said {{acts}}", extra={{"path": f"/{{acts}}", "agent": acts}})
try:
    raise ValueError(f"a name {{acts}}")
except ValueError:
    log.exception("failed")
logging.getLogger("some.library").warning("of others: %s", acts)
"""


def test_every_part_of_a_line_is_escaped():
    done = subprocess.run([sys.executable, "-c", WRITES], cwd=ROOT, capture_output=True, check=True)
    text = done.stderr.decode("utf-8")
    lines = text.split("\n")
    assert len(lines) == 4
    assert lines[-1] == ""
    assert not (set(ACTS) - {"\n"}) & set(text)
    assert r"\x1b" in lines[0]
    assert r"\x9b" in lines[0]
    assert r"\u202e" in lines[0]
    assert "Traceback" in lines[1]


def test_what_is_sent_is_not_obeyed_by_a_terminal(site: Site):
    host = b"Host: 127.0.0.1\r\n"
    for said in (
        b"GE\x1b[31mT /x\x1b[2J HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /x\x1b[2J\x9b2J HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /x%1b[2J%9b%c2%9b%e2%80%ae HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n",
        b"GET /x HTTP/1.1\r\n" + host + b"User-Agent: \x9b2J\r\nReferer: \x9b2J\r\nConnection: close\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\n"
        + host
        + b"Origin: http://\x9b2J\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ):
        assert answer(site.port, said).startswith(b"HTTP/1.1 40")
    text = (site.folder / "site.log").read_bytes().decode("utf-8")
    assert "refused a request" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
