"""Ten thousand malformed requests over every route: no answer of 500 or more, none late, and the next one is healthy."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest
import requests

from app import create_app
from tests.chaos.fuzz import LIMIT, Gun, Shot, fire, volley
from tests.chaos.stack import Embedded, Plan
from tests.conftest import calm, configured

SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))
COUNT = int(os.environ.get("FUZZ_COUNT") or 10_000)
#: What a proxy or a full house answers, not a fault.
BUSY = {503}


@pytest.mark.alone
@pytest.mark.timeout(600)
def test_nothing_malformed_breaks_it(tmp_path: Path):
    rules = [rule for rule in create_app(configured(tmp_path / "rules")).url_map.iter_rules() if rule.endpoint]
    names = [f"person{number}" for number in range(8)]
    plan = Plan(names, [{"name": "room", "kind": "open", "owner": names[0], "members": names[1:5]}])

    async def attack() -> list[Shot]:
        site = Embedded(tmp_path / "site")
        try:
            await site.start(plan)
            people = [(person.secret, person.token) for person in site.people.values()]
            ids = [site.rooms["room"], *(person.id for person in site.people.values())]
            host = site.hosts[0]
            gun = Gun(rules, ids, people, host.port, SEED)
            shots = await volley(gun, host.port, COUNT)
            for shot in shots:
                if shot.seconds > LIMIT:  # a machine that does other things is not our fault: once more, alone
                    await fire(shot, host.port)
            assert requests.get(f"{host.url}/healthz", timeout=LIMIT).ok
            assert requests.get(f"{host.url}/readyz", timeout=LIMIT).ok
            calm(host.output())
            return shots
        finally:
            await site.stop()

    shots = asyncio.run(attack())
    counts = Counter(shot.status for shot in shots)
    print(f"seed {SEED}: {sorted(counts.items())}, slowest {max(shot.seconds for shot in shots):.2f} s")
    broken = [shot for shot in shots if shot.status >= 500 and shot.status not in BUSY | {501, 505}]
    slow = [shot for shot in shots if shot.seconds > LIMIT]
    assert not broken, (SEED, [(shot.status, shot.endpoint, shot.data[:600]) for shot in broken[:5]])
    assert not slow, (SEED, [(shot.seconds, shot.endpoint, shot.data[:600]) for shot in slow[:5]])
    assert {rule.endpoint for rule in rules} == {shot.endpoint for shot in shots}
    assert counts[200] > COUNT / 50, "hardly anything got through to a page"
