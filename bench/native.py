"""The small C programs of the benches: compiled when first needed, kept beside nothing but the run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent / "native"


@cache
def program(name: str) -> str:
    """Compile a program and return where it is."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("These benches need a C compiler: apt-get install gcc libc6-dev")
    target = Path(tempfile.mkdtemp(prefix="confab-bench-")) / name
    flags = ["-O2", "-Wall", "-D_GNU_SOURCE"]
    subprocess.run([compiler, *flags, "-o", str(target), str(SOURCES / f"{name}.c")], check=True)
    return str(target)


def packed(requests: Sequence[bytes]) -> bytes:
    """Return requests as the programs read them: a length, a line end, the bytes."""
    return b"".join(b"%d\n%s" % (len(request), request) for request in requests)


def load(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float = 0, warm: float = 2
) -> dict[str, Any]:
    """Send requests over kept connections and return what ``load.c`` found; times are milliseconds."""
    command = [program("load"), *map(str, (port, connections, seconds, rate, warm))]
    done = subprocess.run(command, input=packed(requests), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
    found: dict[str, Any] = json.loads(done.stdout)
    if found["refused"]:
        raise RuntimeError(f"{found['refused']} requests were refused, the first with:\n{done.stderr.decode()[:2000]}")
    return found
