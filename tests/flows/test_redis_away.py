"""Redis is away: everything goes on, a little slower, and /readyz says so without taking the process out."""

import requests

from tests.conftest import populate
from tests.services import Redis, Site, wait_for


def ready(site: Site) -> tuple[int, str]:
    answer = requests.get(f"{site.url}/readyz", timeout=10)
    return answer.status_code, answer.text


def test_it_is_named_and_keeps_nobody_out(pair: tuple[Site, Site], redis_server: Redis):
    wait_for(lambda: ready(pair[0]) == (200, "ready\n"), 5, "all to be well")
    assert pair[0].flask("doctor").stdout == "All is well.\n"
    town = populate(*pair)
    stream = town.bob.listen(town.room)
    redis_server.process.kill()
    try:
        wait_for(lambda: "redis: does not answer" in ready(pair[0])[1], 8, "the dead Redis to be named")
        assert ready(pair[0])[0] == 200
        said = town.alice.say(town.room, "still here")
        stream.until(said.seq)
        told = pair[0].flask("doctor")
        assert "redis: does not answer" in told.stdout
        assert told.returncode == 0
    finally:
        redis_server.start()
    wait_for(lambda: ready(pair[0]) == (200, "ready\n"), 10, "all to be well again")
