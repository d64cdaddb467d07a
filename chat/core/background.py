"""Things done every so often, outside requests: the sweep, presence, jobs.

``@every(seconds)`` registers a function; ``start(app)`` gives each a thread of its own (a greenlet under gevent), inside
an application context that is renewed for each turn, so that no database connection is kept while it sleeps.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

log = logging.getLogger(__name__)

Task = Callable[[], None]


@dataclass(frozen=True)
class _Repeated:
    task: Task
    seconds: float
    setting: str | None


_tasks: list[_Repeated] = []


def every(seconds: float, setting: str | None = None) -> Callable[[Task], Task]:
    """Register a function to run every so many seconds, give or take a tenth, in each process that serves.

    :param setting: the name of a setting that turns it off in this process when false.
    """

    def register(task: Task) -> Task:
        _tasks.append(_Repeated(task, seconds, setting))
        return task

    return register


class Background:
    """The running tasks of one process."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopping = threading.Event()

    def start(self, only: str = "") -> None:
        """Start every registered task. Call once, after forking.

        :param only: the name of a setting: start the tasks that have it, and no others, whatever it says.
        """
        for each in _tasks:
            if each.setting == only if only else each.setting is None or self._app.config[each.setting]:
                threading.Thread(target=self._repeat, args=(each,), name=each.task.__qualname__, daemon=True).start()

    def stop(self) -> None:
        """Let each task finish its turn and run no more."""
        self._stopping.set()

    def soon(self, task: Task) -> None:
        """Run one task apart, as soon as it is its turn; whoever asks does not wait."""
        if not self._stopping.is_set():
            threading.Thread(target=self.run_once, args=(task,), name=task.__qualname__, daemon=True).start()

    def _repeat(self, each: _Repeated) -> None:
        while not self._stopping.wait(each.seconds * random.uniform(0.9, 1.1)):  # noqa: S311 - jitter
            self.run_once(each.task)

    def run_once(self, task: Task) -> None:
        """Run one task now; an error is logged and the next turn tries again."""
        run_apart(self._app, task, task.__qualname__)


def run_apart(app: Flask, task: Task, name: str) -> None:
    """Run something in an application context of its own; an error is logged and stops nobody."""
    try:
        with app.app_context():
            task()
    except Exception:
        log.exception("%s failed", name)
