"""Tests run on a patch that is still at work: only with a yes, only files of tests, and what they print."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from optimizer.errors import InputError, SafetyRefused
from optimizer.index.reader import Index
from optimizer.settings import Settings
from optimizer.types import FileChange, Patch
from optimizer.verify import prove
from optimizer.verify.commands import Means, find
from optimizer.verify.trusted import decide
from tests.conftest import IndexRepo, git

PARSE = b"def total(text):\n    return sum(int(p) for p in text.split(','))\n"
FILES: dict[str, str | bytes] = {
    "calc/__init__.py": "",
    "calc/parse.py": PARSE,
    "tests/test_parse.py": "from calc.parse import total\n\n\ndef test_total():\n    assert total('1,2') == 3\n",
    "setup.py": "print('hello')\n",
}
WRONG = Patch((FileChange("calc/parse.py", PARSE, PARSE.replace(b"sum(", b"max(")),))
NOTHING = Patch(())


def means(index: Index, tmp_path: Path, command: str = "") -> Means:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    return Means(index.root, tmp_path / "state", tmp_path / "cache", Settings(verify_test=command), env)


def test_nothing_runs_without_a_yes(index_repo: IndexRepo, tmp_path: Path) -> None:
    index = index_repo(FILES)
    needs = means(index, tmp_path)
    assert not prove.tests_allowed(needs)
    with pytest.raises(SafetyRefused):
        prove.run_tests(WRONG, (), index, needs)
    decide(find(index.root, needs.env)["tests"], needs, False)
    assert not prove.tests_allowed(needs)


@pytest.mark.parametrize("path", ["setup.py", "../test_x.py", "tests/test_none.py", "-c", "--help"])
def test_only_files_of_tests_are_named_to_the_command(index_repo: IndexRepo, tmp_path: Path, path: str) -> None:
    index = index_repo(FILES)
    with pytest.raises(InputError, match=re.escape(path)):
        prove.run_tests(NOTHING, (path,), index, means(index, tmp_path, "pytest"))
    with pytest.raises(InputError):
        prove.run_tests(NOTHING, (), index, means(index, tmp_path, "pytest"))
    assert not (tmp_path / "cache/scratch").exists(), "nothing was run"


@pytest.mark.slow
def test_what_tests_say_about_a_patch_and_without_one(index_repo: IndexRepo, tmp_path: Path) -> None:
    index = index_repo(FILES)
    needs = means(index, tmp_path, f"{sys.executable} -m pytest")
    assert prove.tests_allowed(needs)
    failed = prove.run_tests(WRONG, (), index, needs)
    assert "tests/test_parse.py::test_total" in failed
    assert "assert 2 == 3" in failed
    assert "::" not in prove.run_tests(NOTHING, ("tests/test_parse.py",), index, needs), "no test failed"
    assert git(index.root.path, "status", "--porcelain") == ""
