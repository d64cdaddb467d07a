"""What monitoring may know of a process, in Prometheus' words: how it goes, never what anybody said or who.

Where several workers share a port ``gunicorn.conf.py`` names a folder in PROMETHEUS_MULTIPROC_DIR, in which each keeps its
figures; whichever answers adds them up.
"""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

#: Seconds.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

STREAMS = Gauge("confab_streams", "Open event streams.", multiprocess_mode="livesum")
FEEDS = Gauge("confab_feeds", "Rooms of which a process keeps a ring.", multiprocess_mode="livesum")
FANOUT = Histogram(
    "confab_fanout_seconds",
    "From a frame's entry into the ring to the write to its last reader.",
    buckets=_BUCKETS,
)
RING_MISSES = Counter(
    "confab_ring_misses", "Readers whose place a ring did not hold: the log was read, or a reset sent."
)
GAPS_FILLED = Counter("confab_log_gaps_filled", "Events read from the log because a message was missing or late.")
SWEEP_HITS = Counter("confab_sweep_hits", "Rooms in which the sweep found events that no message had told of.")
BROKER_UP = Gauge("confab_broker_up", "1 while processes hear each other at once.", multiprocess_mode="livemin")
BROKER_DROPPED = Counter(
    "confab_broker_dropped", "Messages to other processes that were not sent; the sweep finds them."
)
POOL_IN_USE = Gauge("confab_database_connections_in_use", "Database connections in use.", multiprocess_mode="livesum")
POOL_LIMIT = Gauge("confab_database_connections_limit", "The most there may be.", multiprocess_mode="livesum")
CHECKOUTS = Counter("confab_database_checkouts", "Times that a connection was taken; what runs each second, too.")
JOBS_DUE = Gauge("confab_jobs_due", "Jobs that are due and not done.", multiprocess_mode="livemostrecent")
JOBS_LAG = Gauge("confab_jobs_lag_seconds", "How long the oldest of them waits.", multiprocess_mode="livemostrecent")
JOBS_RETRIED = Gauge("confab_jobs_retried", "Jobs that failed and wait.", multiprocess_mode="livemostrecent")
LOG_EVENTS = Counter("confab_log_events", "Changes of rooms, committed here.", ["name"])
SIGN_IN_FAILURES = Counter("confab_sign_in_failures", "Wrong passwords, whoever's.")
SIGN_IN_ALARM = Gauge(
    "confab_sign_in_alarm",
    "1 while there are more wrong passwords than SIGN_IN_ALARM a minute.",
    multiprocess_mode="livemax",
)
SECURITY_EVENTS = Counter("confab_security_events", "What is on the page of security events, by its kind.", ["kind"])
REQUESTS = Histogram(
    "confab_request_seconds", "Requests, by what answers and status; streams until they are open.", ["endpoint", "status"],
    buckets=_BUCKETS,
)  # fmt: skip

CONTENT_TYPE = CONTENT_TYPE_LATEST


def text() -> bytes:
    """Return all figures as Prometheus reads them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
