"""Long sessions over real repositories: requests, searches, reads, runs of tests and edits of consecutive commits.

Words, files, diffs, search results and outputs of tests are those of the repository; they stay in a folder of the
user's. Pauses follow a published log of coding agents: TraceLab (University of Washington, 2026, arXiv 2606.30560;
4,265 sessions of Claude Code and Codex, 357,161 calls): people pause 84 s (median) and 20.6 min (90th percentile), a
model takes 5.7 and 22.2 s, a tool 0.3 and 13.6 s. There a call adds 0.7 to 1.0 thousand tokens (median) or
1.4 to 2.8 (mean), and writes 523 (mean).
"""

from __future__ import annotations

import math
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from history import commits, git, patch_of

from optimizer.types import FileChange

HUMAN, MODEL, TOOL = (84.0, 1236.0), (5.7, 22.2), (0.3, 13.6)  # seconds: median and 90th percentile
NORMAL_90 = 1.2816  # standard deviations from the median to the 90th percentile
AROUND = 110  # lines read before and after an edit
MOST_HITS, MOST_LINES = 40, 160  # of a search, and of an output of tests
SECONDS = 60  # for a run of tests
_NAME = re.compile(r"[A-Za-z_]\w{4,}")


@dataclass(frozen=True)
class Step:
    """What happens next: `asked` words of the user; `said` words of the model, which end a turn; else a call.

    A call of `read_file` is needed only where `needed` lines of the file are not in view. `pause`: seconds before it.
    """

    kind: str
    pause: float
    text: str = ""
    tool: str = ""
    path: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    needed: frozenset[str] = frozenset()
    start: int = 0
    end: int = 0


def pause(random_: random.Random, of: tuple[float, float]) -> float:
    """Seconds of a pause: log-normal, with this median and 90th percentile."""
    median, high = of
    return random_.lognormvariate(math.log(median), math.log(high / median) / NORMAL_90)


def steps_of(source: Path, pairs: list[tuple[str, str]], seed: int, cache: Path, prefix: str) -> Iterator[Step]:
    """The steps of a session that works through commits, each asked for by its message."""
    random_ = random.Random(seed)
    for parent, commit in pairs:
        changes = [one for one in patch_of(source, parent, commit).changes if one.path.endswith(".py")]
        changes = [one for one in changes if one.before is not None and one.after is not None]
        if not changes:
            continue
        message = git(source, "log", "-1", "--format=%B", commit).decode("utf-8", "replace").strip()
        yield Step("asked", pause(random_, HUMAN), message)
        yield from _looked_for(source, parent, changes, random_)
        tests = [one.path for one in changes if Path(one.path).name.startswith("test_")]
        if tests:
            red = output(source, parent, commit, tests, cache, prefix)
            yield _call(random_, "run_tests", {"tests": tests}, red)
        for change in changes:
            yield from _edited(change, random_)
        if tests:
            yield _call(random_, "run_tests", {"tests": tests}, output(source, commit, commit, tests, cache, prefix))
        stat = git(source, "diff", "--stat", parent, commit).decode("utf-8", "replace")
        yield Step("said", pause(random_, MODEL), f"{message}\n\n{stat}")


def _call(random_: random.Random, tool: str, arguments: Mapping[str, object], text: str) -> Step:
    waits = pause(random_, MODEL) + pause(random_, TOOL)
    return Step("call", waits, text, tool, str(arguments.get("path", "")), arguments)


def _looked_for(source: Path, parent: str, changes: list[FileChange], random_: random.Random) -> Iterator[Step]:
    """A search for a name of each changed file, as git finds it."""
    for change in changes[:2]:
        old = _text(change.before).split("\n")
        names = sorted(
            {name for start, end, _ in _hunks(change) for line in old[start:end] for name in _NAME.findall(line)}
        )
        if names:
            name = max(names, key=len)
            found = subprocess.run(
                ["git", "-C", source, "grep", "-n", "-w", "-I", name, parent], capture_output=True, check=False
            )
            hits = [line.partition(":")[2] for line in found.stdout.decode("utf-8", "replace").split("\n")]
            yield _call(random_, "search_code", {"text": name}, "\n".join(hits[:MOST_HITS]))


def _edited(change: FileChange, random_: random.Random) -> Iterator[Step]:
    """For each hunk: its surroundings are read where they are not in view, then it is replaced."""
    old, new = _text(change.before).split("\n"), _text(change.after).split("\n")
    shift = 0
    for start, end, lines in _hunks(change):
        first, last = max(1, start - AROUND), min(len(old), end + AROUND)
        shown = "\n".join(
            [f"## {change.path} ({len(old)} lines in all)", *(f"{n}\t{old[n - 1]}" for n in range(first, last + 1))]
        )
        needed = frozenset(line.strip() for line in old[max(0, start - 2) : end + 2] if len(line.strip()) > 8)
        waits = pause(random_, MODEL) + pause(random_, TOOL)
        span = {"path": change.path, "start": first, "end": last}
        yield Step("call", waits, shown, "read_file", change.path, span, needed, first, last)
        at = start + shift
        shift += len(lines) - (end - start)
        content = "\n".join(lines)
        region = [f"{n + 1}\t{new[n]}" for n in range(max(0, at - 2), min(len(new), at + len(lines) + 2))][:30]
        done = f"## {change.path} now ({len(new)} lines in all)\n" + "\n".join(region)
        edit = {"path": change.path, "start": at + 1, "end": at + end - start, "content": content}
        yield _call(random_, "edit_file", edit, done)


def _hunks(change: FileChange) -> list[tuple[int, int, list[str]]]:
    """The lines from..to (from 0) that a change replaces, near ones together, and what stands there after it."""
    old, new = _text(change.before).split("\n"), _text(change.after).split("\n")
    found: list[tuple[int, int, list[str]]] = []
    for group in SequenceMatcher(None, old, new, autojunk=len(old) > 3_000).get_grouped_opcodes(8):
        start, end = group[0][1], group[-1][2]
        found.append((start, end, new[group[0][3] : group[-1][4]]))
    return found


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")


def output(source: Path, code: str, tests: str, paths: list[str], cache: Path, prefix: str) -> str:
    """What pytest prints for the tests of one commit over the code of another; kept in `cache`."""
    kept = cache / f"{source.parent.name}-{code[:12]}-{tests[:12]}.txt"
    if kept.exists():
        return kept.read_text()
    with tempfile.TemporaryDirectory() as folder:
        for commit, only in ((code, []), (tests, paths)):
            packed = subprocess.run(["git", "-C", source, "archive", commit, *only], capture_output=True, check=True)
            subprocess.run(["tar", "x", "-C", folder], input=packed.stdout, check=True)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--color=no", *paths]
        env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{folder}/{prefix}", "HOME": folder}
        try:
            ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=SECONDS, check=False)
            text = ran.stdout.decode("utf-8", "replace").replace(folder, "/repo")
        except subprocess.TimeoutExpired:
            text = f"pytest {' '.join(paths)}: timed out after {SECONDS} s"
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES // 2], f"({len(lines) - MOST_LINES} lines cut)", *lines[-MOST_LINES // 2 :]]
    cache.mkdir(parents=True, exist_ok=True)
    kept.write_text("\n".join(lines))
    return "\n".join(lines)


def session(source: Path, wanted: str, seed: int, calls: int, cache: Path, prefix: str) -> list[Step]:
    """The steps of a session of so many calls, over commits that change files which begin with `wanted`."""
    pairs = commits(source, 160, 5, lambda path: path.startswith(wanted) and path.endswith(".py"))
    at = (seed * 37) % max(1, len(pairs) - 60)
    found: list[Step] = []
    for step in steps_of(source, pairs[at:], seed, cache, prefix):
        found.append(step)
        if sum(one.kind != "asked" for one in found) >= calls:
            break
    return found


def all_needed(source: Path, wanted: str, seed: int, calls: int, late: bool) -> list[Step]:
    """A session that reads for its first third, and then uses all that it read until its end.

    `late`: only the last tenth uses it, all of it. Each use asks about code by its names and repeats its lines.
    """
    random_ = random.Random(seed)
    paths = git(source, "ls-tree", "-r", "--name-only", "HEAD", "--", wanted).decode().split("\n")
    files = sorted(path for path in paths if path.endswith(".py"))
    spans: list[Step] = []
    while len(spans) < calls // 3:
        path = random_.choice(files)
        lines = _text(git(source, "cat-file", "blob", f"HEAD:{path}")).split("\n")
        first = random_.randrange(1, max(2, len(lines) - 90))
        body = lines[first - 1 : first + 89]
        needed = frozenset(line.strip() for line in body if len(line.strip()) > 8)
        if len(needed) > 40 and not any(one.path == path and abs(one.start - first) < 90 for one in spans):
            text = "\n".join(
                [f"## {path} ({len(lines)} lines in all)", *(f"{first + n}\t{x}" for n, x in enumerate(body))]
            )
            span = {"path": path, "start": first, "end": first + len(body) - 1}
            spans.append(Step("call", 6.0, text, "read_file", path, span, needed, first, first + len(body) - 1))
    found = [Step("asked", 0.0, "Read these files; all of it is needed to the end.")]
    found += spans
    idle = calls - len(spans) - calls // 10 if late else 0
    for number in range(idle // 2):
        found += [Step("asked", pause(random_, HUMAN), f"What is next, point {number}?"), Step("said", 6.0, "Go on.")]
    while sum(one.kind != "asked" for one in found) < calls:
        for span in random_.sample(spans, 6 if late else 2):
            found.append(
                Step("asked", pause(random_, HUMAN) if not late else 10.0, f"Explain {span.path} {span.start}.")
            )
            found.append(Step(span.kind, 6.0, span.text, span.tool, span.path, span.arguments, span.needed))
            said = "\n".join(sorted(span.needed, key=len)[-6:])
            found.append(Step("said", 6.0, f"In {span.path}:\n{said}"))
    return found
