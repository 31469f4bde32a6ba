"""Killed, or failed by the system, at the file system calls of a write, an undo and a recovery.

Kills are tried at every call of an edit of one file, else at some of them, so that the suite stays short;
`benchmarks/faults.py` tries all of them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.crashes import STAGES, fail_everywhere, kill_everywhere, kill_recovery, stay_full

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]


@pytest.mark.parametrize(("what", "every"), [("one", 1), ("five", 6), ("undo", 6), ("redo", 6)])
def test_killed_at_any_call_all_is_old_or_new(tmp_path: Path, what: str, every: int) -> None:
    killed = kill_everywhere(tmp_path, what, every)
    assert (killed.lost, killed.half) == (0, 0)
    assert killed.points > 10


@pytest.mark.parametrize("stage", STAGES)
def test_a_recovery_that_is_killed_is_repeated(tmp_path: Path, stage: float) -> None:
    killed = kill_recovery(tmp_path, stage, every=6)
    assert (killed.lost, killed.half) == (0, 0)
    assert killed.points > 2


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EDQUOT", "EROFS", "EMFILE"])
@pytest.mark.parametrize(("what", "every"), [("one", 3), ("five", 10), ("undo", 10), ("redo", 10)])
def test_an_error_at_any_call_is_told_and_leaves_all_bytes(tmp_path: Path, what: str, every: int, error: str) -> None:
    failed = fail_everywhere(tmp_path, what, error, every)
    assert (failed.lost, failed.told_as_saved) == (0, 0)
    assert failed.after <= 4
    assert failed.points > 5


@pytest.mark.parametrize("call", ["write", "fsync", "linkat", "renameat"])
def test_a_disk_that_stays_full_leaves_all_bytes(tmp_path: Path, call: str) -> None:
    failed = stay_full(tmp_path, call)
    assert (failed.lost, failed.told_as_saved) == (0, 0)
