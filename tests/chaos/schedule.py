"""What a run consists of, made from its seed and nothing else."""

from __future__ import annotations

import random
from dataclasses import dataclass

#: Faults of the short form, which has to contain so many of each.
SHORT = {
    "embedded": {
        "process_killed": 3, "deployed": 1, "disk_full": 1, "file_locked": 1, "sockets_cut": 5, "all_dropped": 1,
        "readers_asleep": 1, "process_frozen": 1, "foreign_cursors": 1, "poisoned": 1, "burst": 1, "many_sign_in": 1,
    },
    "scaled": {
        "process_killed": 5, "host_killed": 3, "deployed": 1, "reloaded": 1, "redis_killed": 3, "redis_wiped": 1,
        "redis_frozen": 1, "redis_half_open": 1, "redis_unreachable": 1, "redis_failed_over": 1, "subscribers_dropped": 1,
        "postgres_restarted": 1,
        "postgres_slow": 1, "postgres_cut": 1, "postgres_half_open": 1, "row_locked": 1, "migrated": 1, "poisoned": 1,
        "nginx_reloaded": 1, "sockets_cut": 8, "nobody_gets_in": 1, "all_dropped": 1, "readers_asleep": 2,
        "clients_half_open": 1, "network_slow": 1, "burst": 1, "foreign_cursors": 1, "process_frozen": 1,
        "many_streams": 2, "many_sign_in": 1,
    },
}  # fmt: skip
#: Faults of the long form for every ten minutes.
LONG = {
    "embedded": {
        "process_killed": 40, "deployed": 5, "disk_full": 3, "file_locked": 5, "sockets_cut": 100, "all_dropped": 4,
        "readers_asleep": 10, "clients_half_open": 4, "network_slow": 4, "process_frozen": 5, "foreign_cursors": 3,
        "poisoned": 2, "burst": 3, "many_sign_in": 2, "nobody_gets_in": 4,
    },
    "scaled": {
        "process_killed": 13, "host_killed": 8, "deployed": 4, "reloaded": 2, "redis_killed": 5, "redis_wiped": 2,
        "redis_frozen": 2, "redis_half_open": 3, "redis_unreachable": 3, "redis_failed_over": 4, "subscribers_dropped": 2,
        "postgres_restarted": 1, "postgres_stopped_at_once": 1, "postgres_slow": 3, "postgres_cut": 3,
        "postgres_half_open": 2, "row_locked": 3, "migrated": 1, "poisoned": 2, "nginx_reloaded": 7, "sockets_cut": 300,
        "nobody_gets_in": 3, "all_dropped": 2, "readers_asleep": 10, "clients_half_open": 4, "network_slow": 3, "burst": 2,
        "foreign_cursors": 3, "process_frozen": 4, "many_streams": 10, "many_sign_in": 2,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """How large a run is."""

    form: str
    #: Seconds of load; faults end some seconds before.
    seconds: float
    rooms: int
    readers: int
    writers: int
    #: Intentions a second, all writers together.
    rate: float
    #: Real browsers' pages.
    pages: int
    #: Rooms, the last ones, in which little is said. Most browsers are there: each paints every message.
    quiet: int = 0
    long: bool = False


def short(form: str) -> Shape:
    """Return the short form, which is part of bin/test."""
    if form == "embedded":
        return Shape(form, 50, 6, 60, 16, 48, 0)
    return Shape(form, 105, 8, 60, 20, 48, 2)


def long(form: str, minutes: float) -> Shape:
    """Return the long form."""
    if form == "embedded":
        return Shape(form, minutes * 60, 8, 100, 20, 60, 2, long=True)
    return Shape(form, minutes * 60, 24, 240, 96, 120, 8, quiet=6, long=True)


def faults(shape: Shape, seed: int) -> list[tuple[float, str]]:
    """Return the faults in order, each with its second."""
    dice = random.Random(f"{seed} {shape.form} faults")
    if shape.long:
        times = shape.seconds / 600
        wanted = {name: max(1, round(count * times)) for name, count in LONG[shape.form].items()}
    else:
        wanted = {
            name: max(1, round(count * shape.seconds / short(shape.form).seconds))
            for name, count in SHORT[shape.form].items()
        }
    names = [name for name, count in wanted.items() for _ in range(count)]
    dice.shuffle(names)
    # What takes its time comes early enough to be healed before the end.
    names.sort(key=lambda name: name == "clients_half_open" and shape.seconds < 200, reverse=True)
    first, last = 3.0, shape.seconds - (12.0 if not shape.long else 50.0)
    step = (last - first) / max(len(names), 1)
    return [(first + step * (place + dice.random()), name) for place, name in enumerate(names)]
