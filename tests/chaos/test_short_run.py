"""The short fault run, in both forms. A failure prints its seed; CHAOS_SEED plays it again."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from pathlib import Path

import pytest

from tests.chaos import report, schedule
from tests.chaos.history import Sent
from tests.chaos.run import perform

SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))


@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("form", ["scaled", "embedded"])
def test_no_promise_is_broken(form: str, tmp_path: Path):
    outcome = asyncio.run(perform(schedule.short(form), SEED, tmp_path / form))
    text = report.text(outcome)
    print(text)
    assert outcome.violations == [], text
    assert len([sent for sent in outcome.history.of(Sent) if sent.outcome == "acked"]) > 100
    shutil.rmtree(tmp_path / form)
