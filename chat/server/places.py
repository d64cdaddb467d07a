"""Limits on connections by address and network, and the choice of those that are ended so that others get in.

A connection is counted for the address and the network that it comes from (behind proxies: that the proxies name) while a
handler serves it; one that became a stream is the hub's. Whoever has as many as one may have waits for one's own, and never
makes anybody else wait. When all places are taken, those give way that wait for a next request, then those whose client
has kept us waiting longest, of the network that holds most: whoever comes from elsewhere gets in at once.

Nothing here knows sockets, so all of it can be tried without any.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple, Protocol

from chat.core import addresses

#: Connections served at the same time: of all, of one address, of one network (/24, or /64 of IPv6).
MAX_HANDLERS = 1000
MAX_FROM_ONE = 64
MAX_FROM_NETWORK = 200
#: Connections of one network, and of all, that wait for their turn or for their first bytes.
MAX_WAITING_FROM_NETWORK = 1000
MAX_WAITING = 4000
#: Seconds for which a client may keep us waiting before it gives way to others of its own address or network.
PATIENCE = 10.0
#: Those seconds when all places are taken and no network holds many.
LITTLE_PATIENCE = 1.0


class Holder(NamedTuple):
    """The address and network for which a connection is counted; empty texts: nobody's."""

    address: str = ""
    network: str = ""


NOBODY = Holder()


@lru_cache(maxsize=4096)
def holder(text: str) -> Holder:
    """Return the holder of connections from an address. Kept, for each connection asks several times."""
    address = addresses.read(text)
    if address is None:
        return Holder(text, text)
    return Holder(str(address), str(addresses.around(address)))


class Served(Protocol):
    """A handler, as this module sees it."""

    holder: Holder
    #: Whether it waits for a next request and may be ended without losing anything.
    waiting: bool

    @property
    def since(self) -> float | None:
        """When its client began to keep it waiting, by the monotonic clock; None while it does not."""

    def end(self) -> None:
        """End the connection."""


class Places:
    """The places of one process."""

    def __init__(self) -> None:
        #: In the order in which they came.
        self.handlers: dict[Served, None] = {}
        #: Connections that are served, including those that were begun and have not run yet.
        self.serving = 0
        self._held: Counter[str] = Counter()
        #: By holder, the connections that wait for a place, each as the function that begins to serve it.
        self._queues: dict[Holder, deque[Callable[[], None]]] = {}
        self._waiting: Counter[str] = Counter()

    # -- a connection's way

    def enter(self, who: Holder, begin: Callable[[], None]) -> bool:
        """Begin to serve a connection, now or when it is its turn.

        :returns: False if it cannot even wait.
        """
        if self.serving < MAX_HANDLERS and self.has_room(who):
            self._begin(who, begin)
            return True
        if not self.wait(who):
            return False
        queue = self._queues.setdefault(who, deque())
        queue.append(begin)
        if len(queue) == 1:
            self._have_one_give_way(who)
        return True

    def leave(self, who: Holder) -> None:
        """Count a connection no more, and begin with whoever waits for its place."""
        self.serving -= 1
        self.release(who)
        while self.serving < MAX_HANDLERS:
            able = [each for each in self._queues if self.has_room(each)]
            if not able:
                break
            self._next_of(min(able, key=lambda each: self._held[each.network]))
        if who in self._queues:
            self._have_one_give_way(who, idle=True)  # the others in their time, for each leaves some work behind

    def relieve(self) -> None:
        """End a connection for each holder that waits, where one may be ended; called every so often while any waits."""
        for who in tuple(self._queues):
            self._have_one_give_way(who)

    @property
    def crowded(self) -> bool:
        """Whether anybody waits for a place."""
        return bool(self._queues)

    # -- counting

    def has_room(self, who: Holder) -> bool:
        """Tell whether an address and its network may hold one more."""
        return self._held[who.address] < MAX_FROM_ONE and self._held[who.network] < MAX_FROM_NETWORK

    def hold(self, who: Holder) -> None:
        """Count one more for an address and its network."""
        for each in {*who} - {""}:
            self._held[each] += 1

    def release(self, who: Holder) -> None:
        """Count one less."""
        _less(self._held, *({*who} - {""}))

    def wait(self, who: Holder) -> bool:
        """Count one that waits, without a place; False if there are too many."""
        if self._waiting[""] >= MAX_WAITING or (who.network and self._waiting[who.network] >= MAX_WAITING_FROM_NETWORK):
            return False
        for each in {who.network, ""}:
            self._waiting[each] += 1
        return True

    def wait_no_more(self, who: Holder) -> None:
        """Count one that waits no more."""
        _less(self._waiting, *{who.network, ""})

    # -- inside

    def _begin(self, who: Holder, begin: Callable[[], None]) -> None:
        self.serving += 1
        self.hold(who)
        begin()

    def _next_of(self, who: Holder) -> None:
        queue = self._queues[who]
        begin = queue.popleft()
        if not queue:
            del self._queues[who]
        self.wait_no_more(who)
        self._begin(who, begin)

    def _have_one_give_way(self, who: Holder, idle: bool = False) -> None:
        """End one connection that keeps somebody waiting, if there is any that may be ended.

        :param idle: only one that waits for a next request.
        """
        if self.has_room(who):
            victim = self._oldest(self.handlers, waiting=True) or (None if idle else self._of_the_greediest())
        else:
            full = who.address if self._held[who.address] >= MAX_FROM_ONE else who.network
            own = [each for each in self.handlers if full in each.holder]
            victim = self._oldest(own, waiting=True) or (None if idle else self._oldest(own, patience=PATIENCE))
        if victim is not None:
            victim.end()

    def _of_the_greediest(self) -> Served | None:
        """Return the connection to end when all places are taken and none is idle."""
        networks = {each.holder.network for each in self.handlers if each.since is not None}
        greediest = max(networks, key=lambda each: self._held[each], default="")
        patience = 0.0 if self._held[greediest] > MAX_FROM_ONE // 2 else LITTLE_PATIENCE
        return self._oldest((each for each in self.handlers if each.holder.network == greediest), patience=patience)

    def _oldest(self, among: Iterable[Served], waiting: bool = False, patience: float = 0.0) -> Served | None:
        """Return the connection whose client has kept us waiting longest, if it is at least ``patience`` seconds.

        :param waiting: only among idle ones, which wait for a next request.
        """
        latest = time.monotonic() - patience
        able = [
            each for each in among if each.since is not None and each.since <= latest and (each.waiting or not waiting)
        ]
        return min(able, key=lambda each: each.since or 0.0, default=None)


def _less(counter: Counter[str], *keys: str) -> None:
    for key in keys:
        counter[key] -= 1
        if counter[key] <= 0:
            del counter[key]
