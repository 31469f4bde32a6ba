"""Try and count everything that is promised of edits.

    python benchmarks/faults.py [--repo GIT]... [--tree DIR] [--only PART]... [--json OUT]

Killed and failed system calls, broken replies, encodings, attacks on paths, and the time that edits and proofs take.
`--repo` are repositories of whose commits valid replies are built, beside the made ones; `--tree` is the folder that
the overhead of verification is measured on (a made one of 3,000 files when it is not given). Needs strace.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import edits
import history
import verify

from tests.edits.test_cases import read_cases
from tests.faults import attacks, crashes, replies, texts

ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EROFS", "EMFILE")
MADE = 150
COMMITS = 25
MOST_CHARACTERS = 40_000

Figures = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", type=Path, action="append", default=[])
    parser.add_argument("--tree", type=Path)
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="measure these parts alone")
    parser.add_argument("--json", type=Path, help="write all figures here too")
    arguments = parser.parse_args()
    report: Figures = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": history.git(history.git_folder(Path(__file__).parents[1]), "rev-parse", "--short", "HEAD")
        .decode()
        .strip(),
        "machine": "2-core x86-64 cloud VM",
    }
    for name, part in PARTS.items():
        if arguments.only is None or name in arguments.only:
            report[name] = part(arguments)
            print(f"{name}:")
            for line in _told(report[name]):
                print(f"  {line}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


def _told(figures: Figures) -> Iterator[str]:
    for key, value in figures.items():
        yield f"{key:44} {json.dumps(value) if isinstance(value, dict | list) else value}"


# ── the disk ─────────────────────────────────────────────────────────────────────────────────────


def killed(_: argparse.Namespace) -> Figures:
    """Killed at each system call that touches files, the recovery too; then the next start."""
    if shutil.which("strace") is None:
        return {"skipped": "strace is not installed"}
    runs: list[tuple[str, Callable[[Path], crashes.Killed]]] = [
        (what, lambda base, what=what: crashes.kill_everywhere(base, what)) for what in ("one", "five", "undo", "redo")
    ]
    runs += [
        (f"recovery of a write at {stage:.0%}", lambda base, stage=stage: crashes.kill_recovery(base, stage))
        for stage in crashes.STAGES
    ]
    found = {name: _in_folder(run) for name, run in runs}
    total = reduce(add, found.values())
    each = {name: one.points for name, one in found.items()}
    return {"points": total.points, "lost bytes": total.lost, "half applied": total.half, "by what": each}


def failed(_: argparse.Namespace) -> Figures:
    """An error of the disk at each call, once and for good."""
    if shutil.which("strace") is None:
        return {"skipped": "strace is not installed"}
    found = {
        error: reduce(
            add,
            [
                _in_folder(lambda b, w=what, e=error: crashes.fail_everywhere(b, w, e))
                for what in ("one", "five", "undo")
            ],
        )
        for error in ERRORS
    }
    calls = ("write", "fsync", "linkat", "renameat")
    found["a disk that stays full"] = reduce(add, [_in_folder(lambda b, c=c: crashes.stay_full(b, c)) for c in calls])
    total = reduce(add, found.values())
    return {
        "faults": total.points,
        "lost bytes": total.lost,
        "told as saved": total.told_as_saved,
        "came after all was saved": total.after,
        "by error": {name: one.points for name, one in found.items()},
    }


def _in_folder(run: Callable[[Path], Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder))


# ── replies ──────────────────────────────────────────────────────────────────────────────────────


def read(arguments: argparse.Namespace) -> Figures:
    """Replies in every format, valid, broken and cut."""
    made = _tally(list(replies.made_goals(MADE)), 2)
    figures = {"made": _figures(made), "prefixes of the collected cases": _prefixes_of_cases()}
    for repository in arguments.repo:
        goals = list(_goals(history.git_folder(repository)))
        figures[f"commits of {repository.parent.name if repository.name == 'repo' else repository.name}"] = _figures(
            _tally(goals, 1)
        )
    return figures


def _goals(source: Path) -> Iterator[replies.Goal]:
    """Commits of text files that git itself applies as written."""
    for parent, commit in history.commits(source, COMMITS, 3, lambda _: True):
        files = {}
        for change in history.patch_of(source, parent, commit).changes:
            old, new = change.before or b"", change.after or b""
            if (
                not new
                or b"\0" in old + new
                or b"\r" in old + new
                or not all(t[-1:] in (b"\n", b"") for t in (old, new))
            ):
                break
            if len(old) + len(new) > MOST_CHARACTERS:
                break
            files[change.path] = (old.decode("utf-8", "replace"), new.decode("utf-8", "replace"))
            if files[change.path][0].encode() != old or files[change.path][1].encode() != new:
                break
        else:
            if files and git_applies(files):
                yield files


def git_applies(goal: replies.Goal) -> bool:
    """Whether `git apply` gives the expected result."""
    with tempfile.TemporaryDirectory() as folder:
        for path, (old, _) in goal.items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            if old:
                Path(folder, path).write_bytes(old.encode())
        diff = "".join(replies.as_git_diff({path: change}) for path, change in goal.items())
        done = subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=folder, capture_output=True, check=False)
        return done.returncode == 0 and all(
            Path(folder, p).read_bytes() == new.encode() for p, (_, new) in goal.items()
        )


def _tally(goals: list[replies.Goal], cut: int) -> replies.Tally:
    rng, tally = random.Random(3), replies.Tally()
    smallest = sorted(goals, key=lambda goal: sum(len(old) for old, _ in goal.values()))[:cut]
    for goal in goals:
        for form in replies.FORMS:
            replies.try_goal(goal, form, rng, tally, prefixes=goal in smallest)
    return tally


def _figures(tally: replies.Tally) -> Figures:
    valid, applied = sum(tally.valid.values()), sum(tally.applied.values())
    short = {name: f"{tally.applied[name]}/{n}" for name, n in tally.valid.items() if tally.applied[name] < n}
    return {
        "valid": valid,
        "applied as git apply would": f"{applied / valid:.2%}",
        "broken": tally.mutated,
        "prefixes": tally.prefixes,
        "wrong edits": len(tally.wrong),
        "of the broken: refused": tally.refused,
        "said the same": tally.same,
        "whole edits left": tally.parts,
        "formats with less than all": short,
    }


def _prefixes_of_cases() -> Figures:
    tried = wrong = 0
    for _, parts in read_cases():
        reply = next(body for header, body in parts if header == "reply")
        whole = replies.parse_reply(reply).edits
        if any(header.startswith("after ") for header, _ in parts):
            for end in range(len(reply)):
                edits = replies.parse_reply(reply[:end]).edits
                tried, wrong = tried + 1, wrong + (edits != whole[: len(edits)])
    return {"prefixes": tried, "wrong edits": wrong}


# ── files, paths, time ───────────────────────────────────────────────────────────────────────────


def kept(_: argparse.Namespace) -> Figures:
    """Bytes outside the edit, in every encoding and with every line ending."""
    tried, wrong = texts.changed_outside(4000)
    return {"files edited": tried, "with a byte changed outside the edit": wrong}


def attacked(_: argparse.Namespace) -> Figures:
    """Paths that lead out, in every format, and a directory that is swapped for a link meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        tried, escaped = attacks.escapes(Path(folder), 600)
        written, refused, outside = attacks.swapped_parents(Path(folder), 1000)
    return {
        "attacks": tried,
        "escapes": len(escaped),
        "writes while a parent is swapped": {"written": written, "refused": refused, "escapes": outside},
    }


def timed(arguments: argparse.Namespace) -> Figures:
    """Reading, placing and applying 50 edits; what proving costs besides the commands it runs."""
    return {f"50 edits: {name}": row for name, row in edits.rows().items()} | {
        f"verification: {name}": row for name, row in verify.overhead(arguments.tree).items()
    }


PARTS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "read": read,
    "kept": kept,
    "attacked": attacked,
    "timed": timed,
    "killed": killed,
    "failed": failed,
}

if __name__ == "__main__":
    main()
