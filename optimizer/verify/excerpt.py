"""Extract failed tests, new findings and the lines worth showing from what a command printed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from optimizer.privacy.secrets.scan import scan

MAX_LINES = 15
MAX_COLUMNS = 200
SCANNED_COLUMNS = 4000  # a secret is known as a whole, before a line is cut
MAX_CHARACTERS = 1600
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.M)
_FAILED_ELSEWHERE = re.compile(
    r"^test (\S+) \.\.\. FAILED$"  # cargo
    r"|^\s*--- FAIL: (\S+)|^FAIL\t(\S+)"  # go
    r"|^\s*not ok \d+ -? ?(.+?)$"  # TAP
    r"|^\s*[✖✕✗×●] (?!failing tests)(.+?)(?: \([\d.]+ ?m?s\)| \d+ ?ms)?$",  # node, jest, vitest, mocha
    re.M,
)
_PLACE = re.compile(r"^\S+?:\d+(?::|$)")
_HEAD = re.compile(r"^_{3,} (?:ERROR \w+ )?(?:at \w+ of |collecting )?(.+?) _{3,}$")
_TELLING = re.compile(r"error|fail|panic|assert|expected|exception|not ok|undefined|✕|✗", re.I)
_FINDING = re.compile(r"[:(]\d+")
_NUMBER = re.compile(r"\d+")


def failed_tests(output: str) -> frozenset[str]:
    """The tests that pytest's short summary names as failed or broken."""
    return frozenset(match.strip() for match in _FAILED.findall(output))


def failed_elsewhere(output: str) -> frozenset[str]:
    """The tests that go, cargo or a runner of JavaScript names as failed."""
    return frozenset(next(filter(None, groups)).strip() for groups in _FAILED_ELSEWHERE.findall(output))


def of_pytest(output: str, failed: Iterable[str], tree: Path) -> str:
    """For the first of the failed tests: where it failed, the source line there and the assertion."""
    wanted = {name.rpartition("::")[2].partition("[")[0] for name in failed} | set(failed)
    lines = [line for line in _sections(output, wanted) if line.startswith("E  ") or _PLACE.match(line)]
    named = [f"{name} failed" for name in sorted(failed)][:3]
    return tidy([*named, *lines], tree) if lines else of_any(output, tree)


def _sections(output: str, wanted: set[str]) -> Iterator[str]:
    """The lines below the headings of the wanted tests, each place with the source line after it."""
    inside = False
    after_place = False
    for line in output.split("\n"):
        if head := _HEAD.match(line):
            title = head[1].rpartition(".")[2].partition("[")[0]
            inside = title in wanted or head[1] in wanted
        elif line.startswith("==="):
            inside = False
        elif inside and after_place and line.startswith("    "):
            yield f"E  {line}"
        elif inside:
            yield line
        after_place = inside and _PLACE.match(line) is not None


def of_any(output: str, tree: Path) -> str:
    """The lines of a command's output that report an error, or else its last ones."""
    lines = [line for line in output.split("\n") if line.strip()]
    telling = [line for line in lines if _TELLING.search(line) or _PLACE.match(line)]
    return tidy(telling[:MAX_LINES] or lines[-MAX_LINES:], tree)


def new_findings(output: str, earlier: str, tree: Path, earlier_tree: Path) -> list[str]:
    """The findings of a linter that are new; moving to another line does not make one new."""
    known = Counter(_key(line) for line in _findings(earlier, earlier_tree))
    found = []
    for line in _findings(output, tree):
        if known[_key(line)] > 0:
            known[_key(line)] -= 1
        else:
            found.append(line)
    return found


def _findings(output: str, tree: Path) -> list[str]:
    lines = [line.replace(f"{tree}/", "").strip() for line in output.split("\n")]
    placed = [line for line in lines if _FINDING.search(line)]
    return placed or [line for line in lines if line]


def _key(line: str) -> str:
    return _NUMBER.sub("#", line)


def tidy(lines: Iterable[str], tree: Path) -> str:
    """At most MAX_LINES short lines without the copy's own path, without any that holds a secret."""
    kept: list[str] = []
    for line in lines:
        line = line.replace(f"{tree}/", "").removeprefix("E  ").rstrip()[:SCANNED_COLUMNS]
        if line not in kept:
            kept.append(line)
    shown = (line[:MAX_COLUMNS] for line in _without_secrets(kept))
    return "\n".join([*shown][:MAX_LINES])[:MAX_CHARACTERS]


def _without_secrets(lines: list[str]) -> list[str]:
    """The lines without those that hold a secret, or a part of one."""
    found = scan("\n".join(lines))
    inside = {number for one in found for number in range(one.line, one.line + one.lines)}
    return [line for number, line in enumerate(lines, 1) if number not in inside]
