"""The command line of bin/chaos."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench.__main__ import machine
from tests.chaos import report, schedule
from tests.chaos.mutants import MUTANTS, chosen, survive
from tests.chaos.run import perform
from tests.chaos.schedule import Shape


def main() -> int:
    """Run what was asked for; 0 if no promise was broken."""
    parser = argparse.ArgumentParser(prog="bin/chaos", description="The fault run with its checker.")
    parser.add_argument("--seed", type=int, help="the same seed makes the same people, load and faults")
    parser.add_argument("--long", action="store_true", help="34 minutes of the scaled form instead of the short run")
    parser.add_argument("--minutes", type=float, help="how long; more than 3 is the long form's load")
    parser.add_argument("--form", choices=["scaled", "embedded"], help="only this one")
    parser.add_argument(
        "--folder", type=Path, help="where histories are kept; otherwise only those of a failed run are"
    )
    parser.add_argument(
        "--mutants", nargs="?", const="all", metavar="all|N|NAME", help="plant mistakes and see them caught"
    )
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    seed = given.seed if given.seed is not None else random.randrange(1_000_000)
    print(f"{machine()}\n", flush=True)
    if given.mutants:
        return _mutants(given.mutants, seed)
    failed = False
    for shape in _shapes(given):
        folder = (
            Path(tempfile.mkdtemp(prefix=f"confab-chaos-{shape.form}-{seed}-"))
            if given.folder is None
            else given.folder / shape.form
        )
        outcome = asyncio.run(perform(shape, seed, folder))
        print(report.text(outcome) + "\n", flush=True)
        failed = failed or bool(outcome.violations)
        if given.folder is None and not outcome.violations:
            shutil.rmtree(folder)
    print(f"{'Violations' if failed else 'No violation'}. Again: bin/chaos --seed {seed}")
    return int(failed)


def _mutants(which: str, seed: int) -> int:
    """Play each mutant's scene, with the mistake and without."""
    missed = []
    names = chosen(which, seed)
    for name in names:
        began = time.monotonic()
        truth, found = survive("", MUTANTS[name]), survive(name, MUTANTS[name])
        seen = ", ".join(sorted({each.invariant for each in found})) or "nothing"
        word = "FALSE ALARM" if truth else "caught" if found else "MISSED"
        if truth or not found:
            missed.append(name)
        print(f"  {name:<28}{word:<13}{seen:<16}{MUTANTS[name]}, {time.monotonic() - began:.0f} s", flush=True)
        for violation in truth[:5]:
            print(f"      without the mistake: {violation.invariant}: {violation.what}", flush=True)
    print(f"{len(names) - len(missed)} of {len(names)} caught. Seed {seed}")
    return int(bool(missed))


def _shapes(given: argparse.Namespace) -> list[Shape]:
    long = given.long or (given.minutes or 0) > 3
    forms = [given.form] if given.form else ["scaled"] if long else ["embedded", "scaled"]
    if long:
        return [schedule.long(form, given.minutes or 34) for form in forms]
    shapes = [schedule.short(form) for form in forms]
    if given.minutes:
        shapes = [Shape(**vars(shape) | {"seconds": given.minutes * 60}) for shape in shapes]
    return shapes


if __name__ == "__main__":
    sys.exit(main())
