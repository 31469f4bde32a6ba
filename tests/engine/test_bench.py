"""The choice of context, measured on a repository's own commits, without a trace in the repository."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from optimizer.cli.bench import text
from optimizer.cli.main import optimize
from optimizer.engine import bench
from optimizer.engine.services import Services
from optimizer.errors import InputError
from optimizer.git.checkout import MOST_CHANGED, Checkout, PastChange, recent
from optimizer.types import Symbol
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.conftest import git

NUMBERS = (
    "def parse_number(text):\n    value = int(text)\n    return value\n\n\ndef parse_sign(text):\n    return text[0]\n"
)
COLOURS = "def paint_colour(name):\n    code = name\n    return code\n"


def commit(root: Path, message: str, files: dict[str, str | bytes]) -> str:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD").strip()


@pytest.fixture
def project(make_repo) -> Path:
    root: Path = make_repo({"numbers.py": NUMBERS, "colours.py": COLOURS, "README.md": "words\n"})
    commit(root, "parse_number keeps a leading zero", {"numbers.py": NUMBERS.replace("int(text)", "int(text, 10)")})
    commit(root, "Say more in the manual", {"README.md": "more words\n"})
    commit(root, "Add a printer of colours", {"printer.py": "x = 1\n"})
    commit(root, "paint_colour knows red", {"colours.py": COLOURS.replace("code = name", "code = name + 'red'")})
    commit(root, "wip", {"colours.py": COLOURS})
    return root


@pytest.fixture
def services(project: Path, tmp_path: Path) -> Iterator[Services]:
    env = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    with open_services(Start(project, env, {}), lambda _: None, lambda _: None) as opened:
        yield opened


def everything(root: Path) -> dict[str, tuple[int, int]]:
    """Each file and folder of a tree with what a write would change."""
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*")}


def is_source(path: str) -> bool:
    return path.endswith(".py")


def test_commits_that_change_source_files_become_requests(project):
    changes = recent(project, 10, is_source)
    assert [(change.message, change.files) for change in changes] == [
        ("paint_colour knows red", ("colours.py",)),
        ("parse_number keeps a leading zero", ("numbers.py",)),
    ]
    assert [change.parent for change in changes] == [git(project, "rev-parse", f"{c.id}^").strip() for c in changes]
    assert recent(project, 1, is_source) == changes[:1]
    wide = {f"file{number}.py": "x = 1\n" for number in range(MOST_CHANGED + 1)}
    commit(project, "Add very many files", wide)
    commit(project, "Change very many files", dict.fromkeys(wide, "x = 2\n"))
    git(project, "mv", "colours.py", "paint.py")
    commit(project, "Move the colours elsewhere", {})
    assert recent(project, 10, is_source) == changes


def test_the_figures_of_a_small_repository(services, project):
    before = everything(project)
    measured = bench.retrieval(services.workspace, 10)
    assert everything(project) == before
    assert (measured.commits, measured.left_out, measured.functions, measured.bodies) == (2, 0, 2, 1.0)
    assert measured.recall == {1: 1.0, 3: 1.0, 5: 1.0, 10: 1.0}
    assert [query.subject for query in measured.queries] == [
        "paint_colour knows red",
        "parse_number keeps a leading zero",
    ]
    assert measured.queries[0].ranks == {"colours.py": 1}
    assert 0 < measured.tokens <= 6000
    assert measured.milliseconds_p95 >= measured.milliseconds_median > 0
    assert "recall@1        100.0%" in text(measured)


def test_each_commit_is_one_step_and_nothing_is_left_open(services, project):
    steps = []
    workspace = replace(services.workspace, progress=steps.append)
    bench.retrieval(workspace, 10)
    kept = len(list(Path("/dev/fd").iterdir()))
    bench.retrieval(workspace, 10)
    assert len(list(Path("/dev/fd").iterdir())) == kept
    assert [(step.done, step.total) for step in steps if step.what == "bench"] == [(1, 2), (2, 2)] * 2


def test_what_is_asked_sees_nothing_of_the_answer(project, tmp_path):
    checkout = Checkout(project, tmp_path / "tree")
    change = recent(project, 10, is_source)[1]
    assert checkout.move(change.parent)
    assert (checkout.root / "numbers.py").read_text() == NUMBERS
    assert sorted(path.name for path in checkout.root.iterdir()) == [".git", "README.md", "colours.py", "numbers.py"]
    assert git(checkout.root, "rev-list", "--all", "HEAD").split() == [change.parent]
    assert checkout.changed_lines(change, "numbers.py") == [(2, 2)]
    assert checkout.changed_lines(change, "colours.py") == []


def test_a_hostile_repository_runs_nothing_while_its_past_is_laid_out(project, tmp_path):
    sentinel, script = tmp_path / "sentinel", tmp_path / "evil"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> {sentinel}\ncat\n')
    script.chmod(0o755)
    head = commit(
        project,
        "Attributes and links",
        {".gitattributes": "* filter=evil diff=evil\n*.png filter=lfs\n", "a.png": b"\x00", ".gitmodules": "[x"},
    )
    (project / "out").symlink_to("/etc")
    git(project, "add", "out")
    newer = commit(project, "A link to elsewhere", {})
    for key in ("filter.evil.smudge", "filter.evil.clean", "filter.lfs.smudge", "diff.evil.textconv", "diff.external"):
        git(project, "config", key, str(script))
    git(project, "config", "core.fsmonitor", str(script))
    git(project, "config", "core.hooksPath", str(tmp_path))
    (tmp_path / "post-checkout").write_text(script.read_text())
    (tmp_path / "post-checkout").chmod(0o755)
    sentinel.unlink(missing_ok=True)
    checkout = Checkout(project, tmp_path / "tree")
    assert checkout.move(newer)
    assert checkout.move(head)
    assert not (checkout.root / "out").exists()
    checkout.changed_lines(PastChange(newer, head, "", ()), "out")
    assert recent(project, 5, is_source)
    assert not sentinel.exists(), sentinel.read_text()


def test_a_shallow_clone_is_measured_as_far_as_it_goes(project, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "3", f"file://{project}", str(clone))
    env = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    with open_services(Start(clone, env, {}), lambda _: None, lambda _: None) as opened:
        measured = bench.retrieval(opened.workspace, 10)
    assert [query.subject for query in measured.queries] == ["paint_colour knows red"]


def test_contents_that_a_clone_lacks_are_left_out(project, tmp_path):
    git(project, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{project}", str(clone))
    env = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    with open_services(Start(clone, env, {}), lambda _: None, lambda _: None) as opened:
        measured = bench.retrieval(opened.workspace, 10)
        assert (measured.commits, measured.left_out) == (1, 1)
    assert re.search(r"\b1\b", next(line for line in text(measured).split("\n") if "left" in line))


def test_without_history_it_says_so(tmp_path, make_repo):
    env = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    plain = tmp_path / "plain"
    plain.mkdir()
    for root in (plain, make_repo({"a.py": "x = 1\n"})):
        with (
            open_services(Start(root, env, {}), lambda _: None, lambda _: None) as opened,
            pytest.raises(InputError, match=re.escape(str(root))),
        ):
            bench.retrieval(opened.workspace, 10)


def symbol(name: str, start: int, end: int, kind: str = "function") -> Symbol:
    return Symbol(name, name, kind, "a.py", start, end, start, "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([(2, 2)], {"outer"}),
        ([(4, 4)], {"inner"}),
        ([(1, 9)], {"outer", "inner"}),
        ([(6, 5)], {"outer"}),
        ([(5, 4)], {"inner"}),
        ([(1, 0)], set()),
        ([(10, 9)], set()),
        ([(12, 12)], set()),
        ([], set()),
    ],
)
def test_the_innermost_function_around_a_change(ranges, expected):
    symbols = [symbol("outer", 1, 9), symbol("inner", 4, 5), symbol("Kind", 11, 20, "class")]
    assert {found.name for found in bench.changed_functions(symbols, ranges)} == expected


def test_the_command(project, tmp_path, monkeypatch):
    monkeypatch.setenv("OPTIMIZER_HOME", str(tmp_path / "home"))
    arguments = ["bench", "retrieval", "--commits", "1", "--project", str(project)]
    done = CliRunner().invoke(optimize, [*arguments, "--json"], standalone_mode=False)
    told = json.loads(done.stdout)
    assert (told["commits"], told["recall"]["1"], told["queries"][0]["ranks"]) == (1, 1.0, {"colours.py": 1})
    done = CliRunner().invoke(optimize, arguments, standalone_mode=False)
    assert done.stdout.startswith("1 commit, ")
