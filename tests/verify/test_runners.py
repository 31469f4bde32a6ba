"""A part of the matrix of broken changes under many runners; `benchmarks/attack_runners.py` tries all of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from attack_runners import RUNNERS, laid_out, told
from attack_runners_types import Attack, Runner

EACH = 1 if os.environ.get("ALL_ATTACKS") else 9
CHEAP = frozenset({"pytest", "unittest", "node", "node, one test", "make", "a script", "cargo, inside"})
CASES = [
    pytest.param(runner, attack, id=f"{runner.name}: {attack.name}")
    for runner in RUNNERS
    if runner.name in CHEAP
    for number, attack in enumerate(runner.attacks)
    if attack.right or number % EACH == 0
]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for runners; those of Python are the ones of this environment."""
    (tmp_path / "tools/node_modules").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "tools"


@cache
def works(program: str) -> bool:
    """Whether a program can be run here; cargo by rustup looks for its tool chain in the home."""
    version = "version" if program == "go" else "--version"
    return shutil.which(program) is not None and not subprocess.run([program, version], capture_output=True).returncode


@pytest.mark.slow
@pytest.mark.parametrize(("runner", "attack"), CASES)
def test_a_broken_change_is_never_told_as_proven(runner: Runner, attack: Attack, tools: Path) -> None:
    if runner.program and not works(runner.program):
        pytest.skip(f"{runner.program} is not installed, or not for this home")
    with laid_out(runner, tools) as prove:
        assert (told(prove(attack.changes)) == "proven") is attack.right
