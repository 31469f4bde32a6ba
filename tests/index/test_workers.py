"""Parser processes: what hangs or crashes costs its own file only, and nothing is left behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from array import array
from pathlib import Path

import pytest

from optimizer.index import plan
from optimizer.index.regular import read_file
from optimizer.index.workers import FailedJob, Job, Parsed, Pool, parse_here
from optimizer.settings import Settings
from tests.index.conftest import update

SLOW = b") ( ] } : = " * 150_000  # error recovery makes the parser take seconds


def job(name: str, text: bytes) -> Job:
    return Job(name.encode(), f"{name}.py", text)


def children() -> set[int]:
    """The processes this one has started and that still run."""
    command = ["ps", "-o", "pid=,stat=,comm=", "--ppid", str(os.getpid())]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return {int(pid) for pid, state, name in rows if not state.startswith("Z") and name != "ps"}


@pytest.fixture
def pool():
    made: list[Pool] = []

    def make(count: int = 1, seconds: float = 20.0) -> Pool:
        made.append(Pool(count, seconds))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_units_of_all_workers_have_numbers_of_their_own(pool):
    jobs = [job(f"m{number}", b"def f(): pass\n\ndef g(): word\n" * (number + 1)) for number in range(12)]
    found = list(pool(3).parse([tuple(jobs[at : at + 2]) for at in range(0, 12, 2)], 100))
    assert all(isinstance(result, Parsed) for result in found)
    contents = [content for result in found for content in result.contents]
    numbers = [
        number
        for content in contents
        for number in range(content.first, content.first + content.stride * (len(content.lengths) // 4), content.stride)
    ]
    assert len(numbers) == len(set(numbers)) == sum(1 + 2 * (number + 1) for number in range(12))
    assert min(numbers) >= 100
    entries = [number for result in found for number in array("I", result.body[b"word"])]
    assert len(entries) == sum(range(1, 13))
    assert set(entries) <= set(numbers)


def test_a_result_holds_symbols_imports_words_and_lines(pool):
    text = b"import os\n\ndef run_it(value):\n    'Run all.'\n    return os.path\n"
    (result,) = pool().parse([(job("a", text),)], 0)
    (content,) = result.contents
    assert [row[0] for row in json.loads(content.symbols)] == ["run_it"]
    assert [row[0] for row in json.loads(content.imports)] == ["os"]
    assert content.lines == 5
    assert list(result.name) == [b"run_it"]
    assert set(result.doc) == {b"Run", b"all"}
    assert list(array("I", result.body[b"os"])) == [0, 1]


@pytest.mark.slow
def test_a_file_that_takes_too_long_is_given_up_and_the_rest_goes_on(pool):
    batch = (job("a", b"x = 1\n"), job("slow", SLOW), job("b", b"y = 2\n"))
    found = list(pool(1, 1.0).parse([batch, (job("c", b"z = 3\n"),)], 0))
    failed = [result for result in found if isinstance(result, FailedJob)]
    assert [(result.job.path, *result[1:]) for result in failed] == [("slow.py", "slow", 1.0)]
    parsed = {key for result in found if isinstance(result, Parsed) for key in result.keys}
    assert parsed == {b"a", b"b", b"c"}


@pytest.mark.slow
def test_a_hanging_file_is_skipped_and_named_and_not_tried_again(make_repo, opened, monkeypatch):
    index = opened(make_repo({"a.py": "def fine(): pass\n", "slow.py": SLOW, "z.py": "w = 1\n"}))
    limits = Settings(workers=1, parse_seconds=1.0)
    done = update(index, limits)
    assert done.skipped == (("slow.py", "slow", 1.0),)
    assert index.paths() == ("a.py", "z.py")
    assert "fine" in index.all_names()
    time.sleep(2.1)
    reads: list[str] = []
    monkeypatch.setattr(plan, "read_file", lambda path: reads.append(path.rpartition("/")[2]) or read_file(path))
    for _ in range(2):
        again = update(index, limits)
        assert (again.skipped, again.parsed) == (done.skipped, 0)
    assert set(reads) == {"a.py", "z.py"}


@pytest.mark.slow
def test_a_crash_of_the_parser_is_named_and_the_rest_goes_on(pool):
    before = children()
    made = pool(1, 30.0)

    def batches():
        yield (job("a", b"x = 1\n"),)
        yield (job("slow", SLOW),)

    results = made.parse(batches(), 0)
    assert isinstance(next(results), Parsed)
    killer = subprocess.Popen(["sh", "-c", "sleep 0.5; kill -SEGV " + " ".join(map(str, children() - before))])
    (failed,) = results
    killer.wait()
    assert isinstance(failed, FailedJob)
    assert (failed.job.path, failed.code) == ("slow.py", "crash")
    assert [type(result) for result in made.parse([(job("b", b"y = 1\n"),)], 0)] == [Parsed]


def test_no_process_is_left_after_close(pool):
    before = children()
    made = pool(2)
    list(made.parse([(job("a", b"x = 1\n"),)], 0))
    assert len(children() - before) == 2
    made.close()
    assert children() == before


def test_a_module_planted_in_the_working_folder_is_not_imported(pool, tmp_path, monkeypatch):
    for name in ("re", "json", "marshal", "optimizer", "tree_sitter", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'sentinel')!r}, 'w')\nraise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "re.py"))
    (result,) = pool().parse([(job("a", b"def f(): pass\n"),)], 0)
    assert isinstance(result, Parsed)
    assert not (tmp_path / "sentinel").exists()


def test_an_interrupt_meant_for_the_terminal_does_not_end_a_child(pool):
    before = children()
    made = pool()
    list(made.parse([(job("a", b"x = 1\n"),)], 0))
    for pid in children() - before:
        os.kill(pid, signal.SIGINT)
    assert [type(result) for result in made.parse([(job("b", b"y = 1\n"),)], 0)] == [Parsed]


def test_the_working_folder_of_children_is_not_the_repository(pool):
    before = children()
    pool()
    (pid,) = children() - before
    if not Path("/proc").exists():
        pytest.skip("needs /proc")
    assert Path(f"/proc/{pid}/cwd").resolve() == Path("/")


def test_a_small_batch_gives_here_what_a_child_gives(pool):
    batch = (
        job("one", b"import os\n\n\ndef f(a):\n    'Doc.'\n    return os.path\n"),
        Job(b"two", "two.go", b"package p\n\n// Go goes.\nfunc Go() int { return 1 }\n"),
        Job(b"three", "three.txt", "plain wörds\n".encode()),
    )
    (there,) = pool().parse([batch], 5)
    assert parse_here(batch, 5, 20.0) == there


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", random.Random(1).randbytes(200_000)),
        ("a.js", b"->" * 100_000),
        ("a.go", b"fn f(){}\n" * 22_000),
        ("a.c", b"${" * 100_000),
        ("a.java", b"${" * 100_000),
    ],
)
def test_what_holds_a_grammar_up_is_not_waited_for_here(path, text):
    assert parse_here((Job(b"", path, text),), 0, 0.2) is None
    assert parse_here((Job(b"", path, b"x\n"),), 0, 20.0) is not None
