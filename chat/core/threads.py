"""Work that would hold up the event loop: hashing, fsync, decoding.

Under gevent it goes to native threads; anywhere else (``flask run``, tests) the caller is a thread of
its own already and simply does it. This is the only module outside ``chat.server`` that knows gevent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from gevent import Timeout, monkey
from gevent.threadpool import ThreadPool

T = TypeVar("T")


def on_event_loop() -> bool:
    """Tell whether this process runs on gevent, so that a blocking call would stop everybody."""
    return bool(monkey.is_module_patched("threading"))


def turn() -> None:
    """Let the event loop turn once, so that whoever sent something meanwhile is heard. For long work that comes in steps.

    A sleep of nothing would not do: gevent then runs what is ready to run, up to fifty times over, before it looks at a socket.
    """
    if on_event_loop():
        time.sleep(1e-6)


class Threads:
    """A small pool of native threads for one kind of work.

    Each kind has its own, for a password hash must not queue in front of a COMMIT.

    :param size: how many run at the same time.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._pool: ThreadPool | None = None

    def run(self, work: Callable[..., T], *args: Any) -> T:
        """Do the work and return what it returns, without stopping the loop."""
        if not on_event_loop():
            return work(*args)
        result: T = _result(*self._threads().apply(_outcome, (work, *args)))
        return result

    def run_to_the_end(self, work: Callable[[], T]) -> T:
        """The same, but a kill or a timeout of the caller waits until the thread is done.

        For work that owns something the caller will clean up, such as a database connection.
        """
        if not on_event_loop():
            return work()
        job, late = self._threads().spawn(_outcome, work), None
        while not job.ready():
            try:
                job.wait()
            except BaseException as interruption:  # raised again below, once the thread let go
                late = interruption
        if late is not None:
            raise late
        result: T = _result(*job.get())
        return result

    def _threads(self) -> ThreadPool:
        if self._pool is None:
            self._pool = ThreadPool(self._size)
        return self._pool


def _outcome(work: Callable[..., T], *args: Any) -> tuple[T | None, BaseException | None]:
    """Do the work and return what came of it.

    Nothing may be raised in a thread of the pool: gevent prints it there, and when the disk of the log is full as well, that
    fails and the thread never answers; a COMMIT that failed then held the writers' lock for ever.
    """
    try:
        return work(*args), None
    except BaseException as problem:
        return None, problem


def _result(result: Any, problem: BaseException | None) -> Any:
    if problem is not None:
        raise problem
    return result


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Bound the time of a block that waits for somebody else, however slowly they drip their answer.

    On the event loop only; a thread cannot be interrupted, and has the timeouts of its sockets.

    :raises TimeoutError: it took longer.
    """
    if not on_event_loop():
        yield
        return
    timer = Timeout.start_new(seconds)
    try:
        yield
    except Timeout as late:
        if late is not timer:
            raise
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    finally:
        timer.close()
