"""gunicorn's settings for the scaled form: ``gunicorn -c gunicorn.conf.py wsgi:app``."""

import os
import shutil
import sys
import tempfile
from typing import Any


def forget_modules() -> None:
    """Have our code loaded anew: gunicorn's master holds modules of the release that it was started with."""
    for name in [name for name in sys.modules if name == "config" or name.startswith("chat.")]:
        del sys.modules[name]


forget_modules()  # this file is read again on HUP

from config import load  # noqa: E402

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

# Workers keep their figures for /metrics in files here; chat/core/metrics.py adds them up.
if workers > 1 and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="confab-metrics-")


def post_fork(server: Any, worker: Any) -> None:
    """Load what is on disk, also where a worker takes the place of one that died between a pull and a HUP."""
    forget_modules()


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that has ended."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Remove the folder of figures."""
    if "confab-metrics-" in os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""):
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
