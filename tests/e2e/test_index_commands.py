"""find, refs, deps, map and index as a person and a program meet them: rows that cite, exit codes, odd repositories."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import git
from tests.e2e.conftest import COMMAND, Optimize

pytestmark = pytest.mark.slow

Make = Callable[[Mapping[str, str | bytes]], Path]
ARGUMENTS = ", ".join(f"argument_{number}" for number in range(8))
ODD = {
    "größe/maß.py": "def länge(wert):\n    return wert\n",
    "a" * 60 + "/" + "b" * 60 + ".py": f"def far_away({ARGUMENTS}):\n    pass\n",
}


@pytest.fixture
def alone(calc: Path, stand_in: Callable[..., Optimize]) -> Optimize:
    """A user in `calc`, with no key and no model server."""
    return stand_in(calc)


def json_rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# ── find, refs, deps ─────────────────────────────────────────────────────────────────────────────


def test_find_cites_path_and_line(alone: Optimize) -> None:
    ran = alone("find", "parse_response")
    assert (ran.code, ran.out) == (0, "calc/parse.py:4  function def parse_response(text)\n")
    assert json_rows(alone("find", "parse_response", "--json").out) == [
        {
            "path": "calc/parse.py",
            "line": 4,
            "kind": "function",
            "symbol": "parse_response",
            "text": "def parse_response(text)",
        }
    ]


def test_find_takes_a_file_and_a_path_from_where_one_stands(alone: Optimize, calc: Path) -> None:
    assert alone("find", "cli.py").out.startswith("calc/cli.py:1  file")
    assert alone("find", "./cli.py", cwd=calc / "calc").out.startswith("calc/cli.py:1  file")
    assert alone("find", "total", "--in", "parse.py", cwd=calc / "calc").out.startswith("calc/parse.py:10")
    assert alone("find", "total", "--in", "calc/cli.py").code == 3
    nowhere = alone("find", "total", "--in", "nowhere/x", "--json")
    assert nowhere.code == 3 and "nowhere/x" in nowhere.err
    assert json_rows(nowhere.out)[-1]["kind"] == "NotFound"


def test_what_is_not_found_ends_with_3_and_the_nearest_names(alone: Optimize) -> None:
    ran = alone("find", "parse_respones")
    assert (ran.code, ran.out) == (3, "")
    assert "calc/parse.py:4" in ran.err
    (result,) = json_rows(alone("refs", "parse_respones", "--json").out)
    assert (result["event"], result["exit_code"], result["kind"]) == ("result", 3, "NotFound")
    assert result["near"][0]["symbol"] == "parse_response"
    assert alone("deps", "calc/pars.py").code == 3
    assert alone("map", "calx").code == 3


@pytest.mark.parametrize(
    "odd", ["", " ", ".", "..", "/", "::", "@", "-", "a b", "*", "\u202e", "x" * 5000, "../../etc/passwd"]
)
def test_odd_names_end_cleanly(alone: Optimize, odd: str) -> None:
    for command in ("find", "refs", "deps", "map"):
        ran = alone(command, "--", odd)
        assert ran.code in (0, 2, 3), (command, odd, ran)
        assert "internal error" not in ran.err
        assert "\u202e" not in ran.out + ran.err


def test_refs_are_the_uses(alone: Optimize) -> None:
    (only,) = json_rows(alone("refs", "parse_response", "--json").out)
    assert (only["path"], only["line"], only["symbol"]) == ("calc/parse.py", 11, "total")
    assert only["text"].strip() == "return sum(parse_response(text))"
    (first, second) = json_rows(alone("refs", "total", "--json").out)
    assert (first["path"], first["line"], first["kind"]) == ("calc/cli.py", 1, "import")
    assert (second["line"], second["kind"], second["symbol"]) == (5, "call", "main")


def test_refs_in_a_file_are_the_uses_there_alone(alone: Optimize) -> None:
    assert [row["path"] for row in json_rows(alone("refs", "total", "--in", "calc/cli.py", "--json").out)] == [
        "calc/cli.py",
        "calc/cli.py",
    ]
    outside = alone("refs", "parse_response", "--in", "calc/cli.py", "--json")
    assert [(row["path"], row["kind"]) for row in json_rows(outside.out)] == [("calc/parse.py", "function")]


def test_deps_both_ways(alone: Optimize) -> None:
    assert alone("deps", "calc/cli.py").out == "calc/cli.py:1  calc.parse → calc/parse.py\n"
    (row,) = json_rows(alone("deps", "calc/parse.py", "--reverse", "--json").out)
    assert (row["path"], row["line"], row["target"]) == ("calc/cli.py", 1, "calc/parse.py")
    nothing = alone("deps", "calc/parse.py")
    assert (nothing.code, nothing.out) == (0, "")
    assert "imports nothing" in nothing.err


def test_a_request_that_begins_like_a_command(alone: Optimize) -> None:
    as_one = alone("find parse_response")
    assert (as_one.code, as_one.out) == (0, "calc/parse.py:4  function def parse_response(text)\n")
    as_words = alone("find", "parse_response", "in", "calc/parse.py")
    assert as_words.out == as_one.out
    assert 'optimize "find bugs"' in alone("find", "bugs").err
    assert "task:" in alone("find bugs", "--dry-run").err


# ── map ──────────────────────────────────────────────────────────────────────────────────────────


def test_map_is_an_outline(alone: Optimize) -> None:
    ran = alone("map")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "calc/parse.py"
    assert "     4  def parse_response(text)" in lines
    rows = json_rows(alone("map", "calc/cli.py", "--json").out)
    assert [(row["path"], row["kind"]) for row in rows] == [("calc/cli.py", "file"), ("calc/cli.py", "function")]


# ── index ────────────────────────────────────────────────────────────────────────────────────────


def test_index_says_what_it_did(alone: Optimize, calc: Path) -> None:
    (calc / ".env").write_text("KEY=1\n")
    (calc / "blob.bin").write_bytes(b"\0\1\2")
    first = json_rows(alone("index", "--json").out)[0]
    assert (first["event"], first["unchanged"], first["removed"]) == ("index", 0, 0)
    assert first["parsed"] == 4
    assert {(item["path"], item["why"]) for item in first["skipped"]} == {
        (".env", "secret file"),
        ("blob.bin", "binary"),
    }
    assert Path(first["file"]).stat().st_size <= first["bytes"]
    (calc / "calc/cli.py").unlink()
    second = alone("index", "--verbose")
    assert re.match(r"3 files in 0\.\d\d s: 0 parsed, 3 unchanged, 1 removed\n2 skipped:\n", second.out)
    assert "secret file\n" in second.out and ".env\n" in second.out
    assert " on disk: " in second.out


def test_stats_count_what_is_there(alone: Optimize) -> None:
    stats = json_rows(alone("index", "--stats", "--json").out)[1]
    assert stats["event"] == "stats"
    python = next(row for row in stats["languages"] if row["language"] == "python")
    assert (python["files"], python["symbols"], python["installed"]) == (3, 3, True)
    assert (stats["files"], stats["imports"], stats["imports_resolved"], stats["commits"]) == (4, 1, 1, 1)


def test_places_that_are_hard_to_index(stand_in: Callable[..., Optimize], tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    user = stand_in(plain)
    assert user("find", "x").code == 3
    assert user("index").out.startswith("0 files in ")
    empty = user("map")
    assert (empty.code, empty.out) == (0, "")
    (plain / "notes.txt").write_text("hello\n")
    assert user("map").out == "notes.txt\n"
    assert "notes.txt:1" in user("find", "notes.txt").out
    at_home = user("index", cwd=user.home)
    assert at_home.code == 2


# ── what a person sees ───────────────────────────────────────────────────────────────────────────


def on_terminal(user: Optimize, columns: int, *arguments: str, **env: str) -> list[str]:
    """The lines on a terminal of so many columns, colours included."""
    script = f"stty cols {columns} rows 40; exec {COMMAND} " + " ".join(f"'{word}'" for word in arguments)
    done = subprocess.run(
        ["script", "-qec", script, "/dev/null"],
        cwd=user.cwd,
        env={**user.environment(), "TERM": "xterm", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.stdout.decode().replace("\r\n", "\n").splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="script(1) takes other options elsewhere")
def test_lines_fit_the_terminal(make_repo: Make, stand_in: Callable[..., Optimize]) -> None:
    user = stand_in(make_repo(ODD))
    assert user("find", "länge").out == "größe/maß.py:1  function def länge(wert)\n"
    assert user("find", "far_away").out.rstrip().endswith("argument_7)")
    for columns in (50, 80):
        for command in (("find", "far_away"), ("map",), ("context", "what does far_away do")):
            lines = on_terminal(user, columns, *command, NO_COLOR="1")
            assert "\x1b[3" not in "".join(lines)
            assert any("far_away" in line for line in lines), lines
            signature = [line for line in lines if "argument_1" in line]
            assert all(len(line) <= columns for line in signature), lines
    assert any("\x1b[36m" in line for line in on_terminal(user, 80, "find", "far_away"))


def test_context_is_grouped_by_file(alone: Optimize) -> None:
    lines = alone("context", "why does parse_response fail").out.splitlines()
    assert lines[0].startswith("calc/parse.py  ")
    assert sum(line.startswith("calc/parse.py") for line in lines) == 1
    assert any("parse_response" in line and line.lstrip()[0].isdigit() for line in lines[1:])
    assert lines[-2].startswith("context: ")
    assert lines[-1].startswith("of 6,000 tokens: ")


def test_context_explained_signal_by_signal(alone: Optimize) -> None:
    lines = alone("context", "why does parse_response fail", "--explain").out.splitlines()
    assert lines[0].startswith("  1. calc/parse.py  ")
    assert any("defines" in line and "1.00" in line for line in lines[1:])
    rows = json_rows(alone("context", "why does parse_response fail", "--explain", "--json").out)
    assert rows[0]["path"] == "calc/parse.py"
    assert rows[0]["signals"]["defines"] == 1.0
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    assert alone("context", " ", "--explain").code == 2


def test_a_shallow_clone_is_mentioned_once_with_the_cure(
    calc: Path, tmp_path: Path, stand_in: Callable[..., Optimize]
) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{calc}", str(clone))
    whole, short = stand_in(calc), stand_in(clone)
    asked = ("context", "why does parse_response fail")
    assert "git fetch --unshallow" not in whole(*asked).err
    assert "shallow (1 commit)" in (first := short(*asked).err)
    assert "git fetch --unshallow" in first
    assert "shallow" not in short(*asked).err


# ── watching ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def watching(alone: Optimize) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [COMMAND, "index", "--watch", "--json"],
        cwd=alone.cwd,
        env=alone.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_watch_ends_when_nobody_reads_the_changes(watching: subprocess.Popen[str], calc: Path) -> None:
    assert watching.stdout and watching.stderr
    watching.stdout.readline()
    watching.stderr.readline()
    watching.stdout.close()
    (calc / "new.py").write_text("def fresh_function():\n    pass\n")
    assert watching.wait(20) == 0
    watching.stdout = None


def test_watch_tells_each_change_and_ends_with_ctrl_c(
    watching: subprocess.Popen[str], alone: Optimize, calc: Path
) -> None:
    assert watching.stdout and watching.stderr
    assert json.loads(watching.stdout.readline())["event"] == "index"
    assert "watching" in watching.stderr.readline()
    (calc / "new.py").write_text("def fresh_function():\n    pass\n")
    assert json.loads(watching.stdout.readline()) == {"event": "new", "path": "new.py"}
    (calc / "new.py").write_text("def other_function(): ...\n")
    assert json.loads(watching.stdout.readline()) == {"event": "changed", "path": "new.py"}
    (calc / "new.py").unlink()
    assert json.loads(watching.stdout.readline()) == {"event": "gone", "path": "new.py"}
    git(calc, "mv", "calc/cli.py", "calc/main.py")
    moved = {json.loads(watching.stdout.readline())["event"] for _ in range(2)}
    assert moved == {"gone", "new"}
    assert alone("find", "main").out.startswith("calc/main.py:4")
    os.kill(watching.pid, signal.SIGINT)
    assert watching.wait(10) == 0
    assert "Traceback" not in watching.stderr.read()


def test_a_dry_run_of_a_commit_needs_no_identity(alone: Optimize, calc: Path) -> None:
    git(calc, "config", "user.useConfigOnly", "true")
    request = ("refactor total", "--commit")
    assert alone(*request, "--yes").code == 2
    assert alone(*request, "--dry-run").code == 0
