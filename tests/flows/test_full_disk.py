"""A disk that takes no more, neither the database nor the log: it says so, and works again by itself."""

from __future__ import annotations

import resource
from pathlib import Path

from tests.people import Person
from tests.services import Site, wait_for


def test_it_writes_again_when_there_is_room(tmp_path: Path):
    """A COMMIT fails on a thread; what reports it there must not need a disk, or the room's lock is held for ever."""
    site = Site(tmp_path / "site")
    alice = Person(site.url, "Alice Okafor").set_up(site.setup_link)
    room = alice.make_room()

    def send(text: str) -> int:
        return alice.post(f"/rooms/{room}/messages", htmx=True, body=text, client_id=f"client-{text}").status_code

    assert send("before") == 201
    everything = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
    assert [send("meanwhile") for _ in range(4)] == [503] * 4
    resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE, everything)
    assert wait_for(lambda: send("meanwhile") == 201, 12, "room to write")
    assert send("after") == 201
    site.stop()
