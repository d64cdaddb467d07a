"""gunicorn's settings for the scaled form: ``gunicorn -c gunicorn.conf.py wsgi:app``."""

import os
import sys
import tempfile
from typing import Any

from config import load

_settings = load()

bind = f"{_settings.HOST}:{_settings.PORT}"
workers = _settings.WORKERS
worker_class = "chat.server.worker.Worker"
backlog = 4096
graceful_timeout = 10
timeout = 30
preload_app = False
# gunicorn 25 and later write a control socket into the home directory unless told not to.
control_socket_disable = True

# Each worker keeps its figures for /metrics in files here, before it is imported; see chat/metrics.py.
if workers > 1:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="confab-metrics-")


def post_fork(server: Any, worker: Any) -> None:
    """Have the worker load its code anew: the master holds modules of the release that it was started with."""
    for name in [name for name in sys.modules if name == "config" or name.startswith("chat.")]:
        del sys.modules[name]


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that has ended."""
    if workers > 1:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)
