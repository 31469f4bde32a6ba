"""A patch proved with real pytest and ruff in a scratch copy; the user's tree stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.events import Event
from optimizer.index.reader import Index
from optimizer.index.refresh import refresh
from optimizer.report import checks as report
from optimizer.settings import Settings
from optimizer.types import Check, FileChange, Patch, Verdict
from optimizer.verify import prove
from optimizer.verify.commands import Means, Run, plan
from optimizer.verify.trusted import decide
from optimizer.verify.uncommitted import uncommitted
from tests.conftest import IndexRepo, git

PYTEST = f"{sys.executable} -m pytest"
RUFF = f"{sys.executable} -m ruff check --isolated"
FILES = {
    "calc/__init__.py": "",
    "calc/parse.py": "import os\n\n\ndef total(text):\n    return sum(int(p) for p in text.split(','))\n",
    "calc/other.py": "def nothing():\n    return 0\n",
    "tests/test_parse.py": "from calc.parse import total\n\n\ndef test_total():\n    assert total('1,2') == 3\n\n\n"
    "def test_broken_before():\n    assert total('1') == 2\n",
    "tests/test_other.py": "from calc.other import nothing\n\n\ndef test_other():\n    assert nothing() == 0\n",
    "tests/test_hang.py": "import calc.other as o\n\n\ndef test_hang():\n    while o.nothing():\n        pass\n",
}
slow = pytest.mark.slow


def finished(judging: Generator[Event, None, Verdict]) -> Verdict:
    try:
        while True:
            next(judging)
    except StopIteration as done:
        verdict: Verdict = done.value
        return verdict


@dataclass(frozen=True)
class Bench:
    """An indexed repository, and what proving needs."""

    index: Index
    means: Means

    @property
    def root(self) -> Path:
        return self.index.root.path

    def runs(self, patch: Patch) -> tuple[Run, ...]:
        return plan(patch, self.index, self.means)

    def prove(self, *changes: FileChange) -> Verdict:
        return finished(prove.judge(Patch(changes), self.index, self.means))


@pytest.fixture
def bench(index_repo: IndexRepo, tmp_path: Path) -> Callable[..., Bench]:
    def build(files: Mapping[str, str] = FILES, **settings: object) -> Bench:
        index = index_repo(files)
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GROQ_API_KEY": "canary"}
        means = Means(index.root, tmp_path / "state", tmp_path / "cache", Settings(**settings), env)  # type: ignore[arg-type]
        return Bench(index, means)

    return build


def change(path: str, old: str, new: str) -> FileChange:
    assert old in FILES[path]
    return FileChange(path, FILES[path].encode(), FILES[path].replace(old, new).encode())


def check(verdict: Verdict, name: str) -> Check:
    return next(check for check in verdict.checks if check.name == name)


def state_of(root: Path) -> dict[str, str]:
    """Every file of a repository, git's own among them, with its digest and times."""
    return {
        str(path.relative_to(root)): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
        for path in root.rglob("*")
        if path.is_file()
    }


@slow
def test_a_patch_whose_tests_pass_is_trusted_more(bench: Callable[..., Bench]) -> None:
    with_tests = bench(verify_test=PYTEST, verify_lint="off", verify_types="off")
    good = with_tests.prove(change("calc/other.py", "return 0", "return 1 - 1"))
    assert good.ok
    assert check(good, "tests").passed
    assert re.search(r"pytest\b.*\b3 files\b", check(good, "tests").detail)
    assert good.confidence > 0.9


@slow
def test_a_test_that_newly_fails_refuses_it_and_the_excerpt_is_short(bench: Callable[..., Bench]) -> None:
    verdict = bench(verify_test=PYTEST).prove(change("calc/parse.py", "sum(", "max("))
    found = check(verdict, "tests")
    assert not verdict.ok
    assert verdict.confidence == 0
    assert found.passed is False and "tests/test_parse.py::test_total" in found.detail
    lines = found.evidence.split("\n")
    assert len(lines) <= 15
    assert "tests/test_parse.py:5: in test_total" in lines
    assert any("assert 2 == 3" in line for line in lines)
    assert "test_broken_before" not in found.evidence
    assert "scratch" not in found.evidence


@slow
def test_what_failed_before_is_not_held_against_it(bench: Callable[..., Bench]) -> None:
    verdict = bench(verify_test=PYTEST).prove(change("calc/parse.py", "int(p)", "int(p.strip())"))
    assert verdict.ok
    assert check(verdict, "tests").passed, "test_total passes with it and without it"
    assert check(verdict, "tests").detail.endswith(report.failing_without(1))


@slow
@pytest.mark.parametrize(("sum_of", "ok"), [("sum(", True), ("max(", False)])
def test_a_file_that_cannot_be_loaded_keeps_no_others_from_counting(
    bench: Callable[..., Bench], sum_of: str, ok: bool
) -> None:
    made = bench({**FILES, "tests/test_else.py": "import calc.parse\nimport none_such\n"}, verify_test=PYTEST)
    verdict = made.prove(change("calc/parse.py", "sum(", sum_of))
    assert verdict.ok is ok and check(verdict, "tests").passed is ok


@slow
def test_where_all_fails_without_the_change_nothing_is_counted(bench: Callable[..., Bench]) -> None:
    made = bench({**FILES, "conftest.py": "import none_such\n"}, verify_test=PYTEST)
    found = check(made.prove(change("calc/parse.py", "int(p)", "int(p.strip())")), "tests")
    assert found.passed is None
    assert found.detail.startswith(f"{report.not_counted(report.fails_without(PYTEST, 0))}; confined by ")


CASES = """import pytest
from calc.parse import total

@pytest.mark.parametrize("case", [{cases}])
def test_cases(case):
    assert total(case["text"]) == case["sum"]
"""


@slow
@pytest.mark.parametrize(("sum_of", "ok"), [("sum(", True), ("max(", False)])
def test_cases_whose_numbers_shift_do_not_fail_newly(bench: Callable[..., Bench], sum_of: str, ok: bool) -> None:
    one, broken, two = ("{'text': '1', 'sum': 1}", "{'text': '1', 'sum': 0}", "{'text': '1,2', 'sum': 3}")
    before, after = (
        CASES.replace("{cases}", ", ".join(cases)) for cases in ((one, one, broken, two), (one, broken, two))
    )
    made = bench({**FILES, "tests/test_parse.py": before}, verify_test=PYTEST)
    fewer = FileChange("tests/test_parse.py", before.encode(), after.encode())
    assert made.prove(fewer, change("calc/parse.py", "sum(", sum_of)).ok is ok


@slow
def test_a_new_test_has_to_pass(bench: Callable[..., Bench]) -> None:
    made = bench(verify_test=PYTEST)
    fails = FileChange("tests/test_new.py", None, b"def test_new():\n    assert 1 == 2\n")
    failed = check(made.prove(fails), "tests")
    assert failed.passed is False and "tests/test_new.py::test_new" in failed.detail
    passes = FileChange("tests/test_new.py", None, b"def test_new():\n    assert True\n")
    assert check(made.prove(passes), "tests").passed


@slow
def test_without_a_test_left_the_tests_neither_pass_nor_fail(bench: Callable[..., Bench]) -> None:
    before = FILES["tests/test_other.py"].encode()
    verdict = bench(verify_test=PYTEST).prove(FileChange("tests/test_other.py", before, b"import calc.other\n"))
    assert verdict.ok
    assert check(verdict, "tests").passed is None


@slow
def test_a_change_that_makes_a_test_hang_is_refused(bench: Callable[..., Bench]) -> None:
    made = bench(verify_test=PYTEST, verify_seconds=8.0)
    verdict = made.prove(change("calc/other.py", "return 0", "return 1"))
    assert not verdict.ok
    assert check(verdict, "tests").detail.startswith(f"{report.timed_out(PYTEST, 8)}; confined by ")


@slow
def test_only_new_findings_of_a_linter_count(bench: Callable[..., Bench]) -> None:
    made = bench(verify_lint=RUFF, verify_test="off")
    moved = made.prove(change("calc/parse.py", "import os\n", "LIMIT = 1\nimport os\n"))
    assert check(moved, "lint").passed
    worse = made.prove(change("calc/parse.py", "import os\n", "import os\nimport re\n"))
    assert not worse.ok
    assert "calc/parse.py:2" in check(worse, "lint").evidence
    assert "`re`" in check(worse, "lint").evidence
    assert "`os`" not in check(worse, "lint").evidence


def test_a_broken_patch_runs_nothing(bench: Callable[..., Bench], tmp_path: Path) -> None:
    made = bench(verify_test=f"{PYTEST}", verify_lint=RUFF)
    assert not made.prove(change("calc/parse.py", "sum(", "sum((")).ok
    assert not made.prove(change("calc/parse.py", "sum(", "summed(")).ok
    assert not (tmp_path / "cache/scratch").exists()


# ── consent ──────────────────────────────────────────────────────────────────────────────────────


def test_nothing_of_a_repository_runs_before_a_yes(bench: Callable[..., Bench], tmp_path: Path) -> None:
    sentinel = tmp_path / "ran"
    hostile = f"from pathlib import Path\nPath({str(sentinel)!r}).write_text('x')\n"
    files = {**FILES, "conftest.py": hostile, "ruff.toml": "", "tests/conftest.py": hostile}
    made = bench(files)
    verdict = made.prove(change("calc/other.py", "return 0", "return 1"))
    assert verdict.ok
    for name in ("tests", "lint"):
        assert check(verdict, name).passed is None
        assert f"optimize trust grant {name}" in check(verdict, name).detail
    assert not sentinel.exists()
    assert not (tmp_path / "cache/scratch").exists()
    confidence = check(verdict, "confidence")
    assert confidence.passed is None
    threshold = made.means.settings.confidence_threshold
    assert confidence.detail == report.below_threshold(verdict.confidence, threshold, tested=False)


@slow
def test_after_a_yes_it_runs_and_after_a_no_it_does_not(bench: Callable[..., Bench]) -> None:
    made = bench({**FILES, "pytest.ini": "[pytest]\n"})
    patch = Patch((change("calc/other.py", "return 0", "return 0 + 0"),))
    (run,) = made.runs(patch)
    assert run.skip
    decide(run.command, made.means, True)
    (run,) = made.runs(patch)
    assert not run.skip
    assert check(made.prove(*patch.changes), "tests").passed
    decide(run.command, made.means, False)
    (run,) = made.runs(patch)
    assert run.skip == "refused"


# ── the user's tree ──────────────────────────────────────────────────────────────────────────────


@slow
def test_tree_index_and_stash_stay_as_they_are(bench: Callable[..., Bench]) -> None:
    made = bench(verify_test=PYTEST, verify_lint=RUFF)
    root = made.root
    (root / "calc/other.py").write_text("def nothing():\n    return 7\n")
    git(root, "stash", "-q")
    (root / "calc/parse.py").write_text(FILES["calc/parse.py"] + "# staged\n")
    git(root, "add", "-A")
    (root / "calc/parse.py").write_text(FILES["calc/parse.py"] + "# unstaged\n")
    (root / "untracked.py").write_text("")
    refresh(made.index, Settings(workers=1), lambda _: None)
    before = state_of(root)
    assert not made.prove(change("calc/parse.py", "sum(", "max(")).ok
    assert [c.path for c in uncommitted(made.index.root).changes] == ["calc/parse.py", "untracked.py"]
    assert state_of(root) == before
    assert not list((made.means.cache / "scratch").iterdir())


@slow
def test_the_threshold_refuses_once_tests_have_run(bench: Callable[..., Bench]) -> None:
    made = bench(verify_test=PYTEST, confidence_threshold=0.99)
    verdict = made.prove(change("calc/other.py", "return 0", "return 0 * 1"))
    assert check(verdict, "tests").passed
    assert not verdict.ok
    assert check(verdict, "confidence").passed is False and "0.99" in check(verdict, "confidence").detail


def test_without_git_there_is_no_word_of_a_missing_commit(
    bench: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bench()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError) as missing:
        uncommitted(made.index.root)
    assert "PATH" in missing.value.hint


def test_what_is_not_committed_is_read_from_git_objects(bench: Callable[..., Bench], tmp_path: Path) -> None:
    made = bench()
    root = made.root
    assert uncommitted(made.index.root).changes == ()
    sentinel = tmp_path / "ran"
    git(root, "config", "filter.x.clean", f"touch {sentinel}; cat")
    git(root, "config", "core.fsmonitor", f"touch {sentinel}")
    (root / ".gitattributes").write_text("*.py filter=x diff=x\n")
    (root / "calc/__init__.py").write_bytes(b"")
    (root / "calc/other.py").write_bytes(FILES["calc/other.py"].replace("\n", "\r\n").encode())
    (root / "calc/parse.py").unlink()
    (root / "new.py").write_text("x = 1\n")
    (root / ".env").write_text("A=1\n")
    found = {change.path: (change.before, change.after) for change in uncommitted(made.index.root).changes}
    assert found == {
        ".gitattributes": (None, b"*.py filter=x diff=x\n"),
        "calc/parse.py": (FILES["calc/parse.py"].encode(), None),
        "new.py": (None, b"x = 1\n"),
    }
    assert not sentinel.exists()


@slow
def test_the_other_tests_are_run_too_when_that_is_cheap(bench: Callable[..., Bench]) -> None:
    made = bench({**FILES, "tests/test_far.py": "def test_far():\n    open('calc/other.py').read().index('0')\n"})
    configured = Bench(made.index, replace(made.means, settings=Settings(verify_test=PYTEST)))
    patch = Patch((change("calc/other.py", "return 0", "return int()"),))
    (run,) = configured.runs(patch)
    assert run.files == ("tests/test_other.py", "tests/test_hang.py")
    assert run.further == ("tests/test_far.py", "tests/test_parse.py")
    failed = check(configured.prove(*patch.changes), "tests")
    assert failed.passed is False and "tests/test_far.py::test_far" in failed.detail


# ── chance, and what failed before ───────────────────────────────────────────────────────────────


@slow
def test_a_test_that_fails_by_chance_is_not_held_against_the_change(bench: Callable[..., Bench]) -> None:
    chance = (
        "import pathlib\nimport calc.other\n\n\ndef test_chance():\n    seen = pathlib.Path('seen')\n"
        "    again, _ = seen.exists(), seen.touch()\n    assert again or not hasattr(calc.other, 'NEW')\n"
    )
    made = bench({**FILES, "tests/test_chance.py": chance}, verify_test=PYTEST)
    verdict = made.prove(change("calc/other.py", "def nothing", "NEW = 1\n\n\ndef nothing"))
    found = check(verdict, "tests")
    assert found.passed is None
    assert "tests/test_chance.py::test_chance" in found.detail


@slow
def test_how_the_tree_without_the_change_ended_is_remembered(bench: Callable[..., Bench]) -> None:
    made = bench(verify_test=PYTEST)
    worse = change("calc/parse.py", "sum(", "max(")
    kept = made.means.cache / "earlier"
    assert not made.prove(worse).ok
    (file,) = (one for one in kept.iterdir() if "test_broken_before" in one.read_text())
    told = json.loads(file.read_text())
    assert "test_broken_before" in told[0]["output"]
    assert str(made.means.cache) not in told[0]["output"]
    told[0]["output"] = told[0]["output"].replace("test_broken_before", "test_total")
    file.write_text(json.dumps(told))
    assert "test_broken_before" in check(made.prove(worse), "tests").detail
    (made.root / "calc/new.py").write_text("")
    assert "tests/test_parse.py::test_total" in check(made.prove(worse), "tests").detail


NODE = {
    "package.json": '{"scripts": {"test": "node --test"}, "type": "module"}\n',
    "lib.js": "export function area(a) { return a * a; }\n",
    "test/lib.test.js": "import test from 'node:test';\nimport assert from 'node:assert';\n"
    "import { area } from '../lib.js';\n"
    "test('area of two', () => assert.equal(area(2), 4));\ntest('broken before', () => assert.equal(area(1), 2));\n",
}


@slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_what_npm_tells_as_newly_failed_refuses_the_change(bench: Callable[..., Bench]) -> None:
    made = bench(NODE, verify_test="npm test")
    old = NODE["lib.js"].encode()
    same = made.prove(FileChange("lib.js", old, old.replace(b"a * a", b"a ** 2")))
    assert check(same, "tests").passed, "its script is node's, which writes a report"
    assert check(same, "tests").detail.endswith(report.failing_without(1))
    worse = made.prove(FileChange("lib.js", old, old.replace(b"a * a", b"a + 1")))
    assert not worse.ok
    assert "area of two" in check(worse, "tests").detail
