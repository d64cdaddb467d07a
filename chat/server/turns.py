"""Turns for requests when there are many: the network that had fewest comes first, and the event loop turns in between.

Without it all requests that are ready at once are worked on before the loop turns: six hundred pages in one go, and a
request that comes meanwhile waits for seconds.
"""

from __future__ import annotations

from collections import Counter, deque

from gevent import spawn
from gevent.event import Event

from chat.core.threads import turn


class Turns:
    """The requests of one process that are ready to be worked on, by network."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Event]] = {}
        #: Turns that each network had since the queues were last empty.
        self._had: Counter[str] = Counter()
        self._calling = False

    def wait(self, network: str) -> None:
        """Wait until it is the turn of one more request of a network."""
        called = Event()
        self._queues.setdefault(network, deque()).append(called)
        if not self._calling:
            self._calling = True
            spawn(self._call)
        called.wait()

    def _call(self) -> None:
        while self._queues:
            network = min(self._queues, key=lambda each: self._had[each])
            queue = self._queues[network]
            queue.popleft().set()
            if not queue:
                del self._queues[network]
            self._had[network] += 1
            turn()
        self._had.clear()
        self._calling = False
