"""Runs the benches and prints their figures as tables.

Usage: bin/bench [--tree PATH] [NAME …]; without a name all of them. The tree is another checkout, for ``attacks`` alone.
"""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import attacks, click, console, fanout, grow, streams, texts, weight, work

BENCHES = {
    "click": click.run,
    "weight": weight.run,
    "post": work.run_post,
    "page": work.run_page,
    "fanout": fanout.run,
    "posted": streams.run_posted,
    "idle": streams.run_idle,
    "connect": streams.run_connect,
    "storm": streams.run_storm,
    "grow": grow.run,
    "console": console.run,
    "texts": texts.run,
    "attacks": attacks.run,
}


def machine() -> str:
    """Return what this was measured on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({model}), {memory:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def main() -> None:
    """Run what was asked for."""
    names = sys.argv[1:]
    if names[:1] == ["--tree"] and len(names) > 1:
        attacks.tree, names = Path(names[1]).resolve(), names[2:] or ["attacks"]
    names = names or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        sys.exit(f"There is no bench called {', '.join(unknown)}; there are {', '.join(BENCHES)}.")
    print(f"{machine()}\n")
    for name in names:
        print(BENCHES[name](), flush=True)


if __name__ == "__main__":
    main()
