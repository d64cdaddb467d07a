"""The fault run must catch what is wrong: every mutant applies, and some, by turns, are caught here."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.chaos.mutants import MUTANTS, PATCHES, chosen, copy_tree, mutate, survive
from tests.chaos.scenarios import SCENES

SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))


def test_each_mutant_has_a_patch_and_a_scene():
    assert {path.stem for path in PATCHES.glob("*.patch")} == set(MUTANTS)
    assert set(MUTANTS.values()) == set(SCENES)


def test_each_patch_applies(tmp_path: Path):
    for name in MUTANTS:
        tree = tmp_path / name
        tree.mkdir()
        mutate(copy_tree(tree), name)


@pytest.mark.alone
@pytest.mark.timeout(300)
@pytest.mark.parametrize("turn", range(4))
def test_a_mutant_is_caught_and_the_truth_is_not(turn: int):
    name = chosen("4", SEED)[turn]
    assert survive("", MUTANTS[name]) == [], f"CHAOS_SEED={SEED}"
    assert survive(name, MUTANTS[name]) != [], f"CHAOS_SEED={SEED}"
