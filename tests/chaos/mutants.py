"""The mutants: mistakes that the fault run must catch, each a small patch, applied to a copy of the tree.

Each names the scene that a tree with this mistake cannot survive.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.chaos.checker import Violation
from tests.chaos.scenarios import play
from tests.services import ROOT

PATCHES = Path(__file__).parent / "mutants"
#: What a tree needs to run.
PARTS = ("app.py", "config.py", "wsgi.py", "gunicorn.conf.py", "chat", "migrations", "static", "templates")

MUTANTS = {
    "serial-id-cursor": "a_post_that_is_refused",
    "timestamp-cursor": "a_clock_that_leaps",
    "hint-before-commit": "a_disk_that_is_full_at_commit",
    "no-sweep": "a_row_without_a_hint",
    "frame-not-the-next": "a_row_without_a_hint_and_one_with",
    "frame-with-a-wrong-mac": "a_forged_frame",
    "nonce-index-dropped": "equal_posts_at_once",
    "nonce-window": "a_repeat_after_a_long_time",
    "read-then-subscribe": "a_page_on_a_slow_way",
    "ring-overflow-ignored": "a_reader_far_behind",
    "cursor-before-write": "a_socket_that_takes_nothing",
    "reconnect-without-cursor": "a_page_is_cut_off",
    "applies-what-it-has": "a_tab_with_an_old_page",
    "authorised-before-the-lock": "removed_while_waiting_for_the_lock",
    "removal-not-in-the-log": "a_member_is_removed",
    "session-sweep-off": "a_session_ends_without_redis",
    "log-stores-text": "a_deleted_message_is_replayed",
    "synchronous-commit-off": "postgres_stops_right_after_an_answer",
    "epoch-constant": "a_backup_is_restored",
    "fresh-nonce": "an_answer_is_lost",
    "reset-loses-outbox": "a_reset_while_sending",
}


def copy_tree(folder: Path) -> Path:
    """Copy what runs, without what a run leaves behind."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder


def mutate(folder: Path, name: str) -> None:
    """Apply a mutant's patch to a copy.

    :raises CalledProcessError: it does not apply to the code as it is now.
    """
    command = ["git", "apply", "--whitespace=nowarn", str(PATCHES / f"{name}.patch")]
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={"GIT_CEILING_DIRECTORIES": "/", "PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_DIR": "/dev/null"},
    )


def survive(name: str, scene: str) -> list[Violation]:
    """Play a scene on a copy with a mutant, or on a true copy when ``name`` is empty; return what was broken."""
    with tempfile.TemporaryDirectory(prefix="confab-mutant-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        tree = folder / "tree"
        tree.mkdir()
        copy_tree(tree)
        if name:
            mutate(tree, name)
        return asyncio.run(play(scene, folder / "run", tree))


def chosen(which: str, seed: int) -> list[str]:
    """Return the mutants that are meant: ``all``, a number of them by seed, or one by name.

    :raises KeyError: there is none of that name.
    """
    if which == "all":
        return list(MUTANTS)
    if which.isdigit():
        return random.Random(f"{seed} mutants").sample(sorted(MUTANTS), min(int(which), len(MUTANTS)))
    if which not in MUTANTS:
        raise KeyError(which)
    return [which]
