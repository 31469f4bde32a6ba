"""Which tests ran and how each ended, by the report of their runner or, where it has none, by what it printed."""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from optimizer.index.regular import read_regular

Result = Literal["passed", "failed", "skipped"]
Source = Literal["report", "output", "none"]
MOST_BYTES = 50_000_000
MOST_COUNTED = 100_000
_TEXT = re.compile(
    r"^test (?P<cargo>\S+)(?: - should panic)? \.\.\. (?P<how>ok|FAILED|ignored)"
    r"|^\s*(?P<tap>not ok|ok) \d+ -? ?(?P<name>[^#\n]+?)(?P<skip> # (?:SKIP|TODO).*)?$"
    r"|^(?P<unit>\w+ \([\w.]+\))(?:\n[^\n]*)? \.\.\. (?P<was>ok|FAIL|ERROR|skipped|expected failure)"
    r"|^\s*(?P<mark>[✔✓√✖✕✗×﹣]) (?P<said>.+?)(?: \([\d.]+ ?m?s\)| \d+ ?ms)?(?: # SKIP)?$",
    re.M,
)
_OF_MARK: Mapping[str, Result] = {"✔": "passed", "✓": "passed", "√": "passed", "﹣": "skipped"}
_OF_CARGO: Mapping[str, Result] = {"ok": "passed", "ignored": "skipped"}
_OF_UNITTEST: Mapping[str, Result] = {"ok": "passed", "skipped": "skipped", "expected failure": "skipped"}
_OF_GO: Mapping[str, Result] = {"pass": "passed", "fail": "failed", "skip": "skipped"}
_OF_JEST: Mapping[str, Result] = {"passed": "passed", "failed": "failed"}
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_MORE = re.compile(
    r"(\d+) (?:tests? )?pass(?:ed|ing)\b|\bRan (\d+) tests?\b|\bTests run: (\d+)|(\d+) (?:examples?|runs),"
    r"|\bOK \((\d+) tests?|^Tests: (\d+), Assertions|\bPassed: +(\d+)|^(?:#|ℹ) pass +(\d+)|\[  PASSED  \] (\d+)",
    re.M,
)
_LESS = re.compile(r"\b(?:failures|errors|skipped)[=:] ?(\d+)|, (\d+) (?:failures?|errors?)\b", re.I)
_ANNOUNCED = re.compile(r"^running (\d+) tests?$", re.M)


class Results(NamedTuple):
    """How each test ended, by its name; `complete` when the runner came to its end.

    `source` is "report" where the runner wrote it apart from what tests print, "output" where it was read from that,
    "none" where no test has a name: then they are numbered.
    """

    tests: Mapping[str, Result] = {}
    complete: bool = False
    source: Source = "none"

    def named(self, *how: Result) -> frozenset[str]:
        """The tests that ended in one of these ways."""
        return frozenset(name for name, result in self.tests.items() if result in how)


class Reporter(NamedTuple):
    """How a runner is made to report: words after its own, further environment, and the report's file name.

    `read` makes results of the report's bytes, b"" where there is none, and of the output.
    """

    words: tuple[str, ...]
    env: Mapping[str, str]
    file: str
    read: Callable[[bytes, str], Results]
    printed: Callable[[str], str] = str
    """What to show of the output."""


def reporter(argv: tuple[str, ...], tool: str, script: str, folder: Path) -> Reporter:
    """How the runner of a command reports into `folder`; `script` is what a script of package.json runs."""
    file = str(folder / f"report-{secrets.token_hex(8)}")
    script_words = ("--",) if tool in ("npm", "pnpm", "yarn") else ()
    if tool == "pytest":
        return Reporter((f"--junitxml={file}", "-o", "junit_family=xunit1"), {}, file, _junit)
    if tool == "unittest":
        return Reporter(("-v",), {}, "", lambda _, output: _printed(output))
    if tool == "go" and argv[1:2] == ("test",):
        return Reporter(("-json",), {}, "", lambda _, output: _go(output), _go_printed)
    if re.search(r"\bnode\b.*--test\b", script):
        options = f"--test-reporter=junit --test-reporter-destination={file} "
        spoken = "--test-reporter=spec --test-reporter-destination=stdout"
        return Reporter((), {"NODE_OPTIONS": options + spoken}, file, _junit)
    if re.search(r"\bvitest\b", script):
        words = ("--reporter=default", "--reporter=junit", f"--outputFile.junit={file}")
        return Reporter((*script_words, *words), {}, file, _junit)
    if re.search(r"\bjest\b", script):
        return Reporter((*script_words, "--json", f"--outputFile={file}"), {}, file, _jest)
    return PRINTED


def read(reporting: Reporter, output: str, tree: Path) -> Results:
    """The results of a run in a copy at `tree` that has ended; names do not say where that was."""
    path = Path(reporting.file)
    is_there = reporting.file and path.is_file() and path.stat().st_size <= MOST_BYTES
    found = read_regular(path.parent, path.name) if is_there else None
    if reporting.file and not found:
        results = _printed(output)._replace(complete=False)
    else:
        results = reporting.read(found or b"", output)
    return results._replace(tests={name.replace(f"{tree}/", ""): how for name, how in results.tests.items()})


def _junit(report: bytes, _: str) -> Results:
    """JUnit's XML, with the outer names of nested suites."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(report)
    except (ElementTree.ParseError, ValueError, LookupError):
        return Results({}, complete=False, source="report")
    found: list[tuple[str, Result]] = []
    pending = [(root, "")]
    while pending:
        element, outer = pending.pop()
        for child in element:
            name = child.get("name", "")
            if child.tag == "testsuite":
                pending.append((child, f"{outer}{name}."))
            elif child.tag == "testcase":
                owner = child.get("classname", "")
                full = f"{outer}{name}" if owner in ("", "test") else f"{owner}.{name}"
                found.append((full, _of_case({part.tag for part in child})))
    return Results(_numbered(found), complete=True, source="report")


def _of_case(parts: set[str]) -> Result:
    return "failed" if parts & {"failure", "error"} else "skipped" if "skipped" in parts else "passed"


def _numbered(tests: Iterable[tuple[str, Result]]) -> dict[str, Result]:
    """Keep each of several tests of one name."""
    found: dict[str, Result] = {}
    numbers: Counter[str] = Counter()
    for name, result in tests:
        full = name
        while full in found:
            numbers[name] += 1
            full = f"{name} #{numbers[name] + 1}"
        found[full] = result
    return found


def _go(output: str) -> Results:
    """The events of `go test -json`, which Go reads from what tests print: every package has to end."""
    found: dict[str, Result] = {}
    started: set[str] = set()
    ended: set[str] = set()
    for event in _events(output):
        package, action, test = (str(event.get(name, "")) for name in ("Package", "Action", "Test"))
        started.add(package)
        if test and action in _OF_GO:
            found[f"{package}.{test}"] = _OF_GO[action]
        elif action in _OF_GO:
            ended.add(package)
    return Results(found, complete=bool(started) and started == ended, source="output" if found else "none")


def _events(output: str) -> Iterable[Mapping[str, object]]:
    for line in output.split("\n"):
        if line.startswith("{"):
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict) and "Package" in event:
                yield event


def _go_printed(output: str) -> str:
    plain = "\n".join(line for line in output.split("\n") if not line.startswith("{"))
    return "".join(str(event.get("Output", "")) for event in _events(output)) + plain


def _jest(report: bytes, _: str) -> Results:
    try:
        files = json.loads(report)["testResults"]
        tests = [one for file in files for one in file["assertionResults"]]
        found = {str(one["fullName"]): _OF_JEST.get(one["status"], "skipped") for one in tests}
    except (ValueError, KeyError, TypeError, RecursionError):
        return Results({}, complete=False, source="report")
    return Results(found, complete=True, source="report")


def _printed(output: str) -> Results:
    """What cargo, TAP, unittest and runners of JavaScript print for each test; else how many pass, by their sums."""
    output = _COLOUR.sub("", output)
    found: list[tuple[str, Result]] = []
    for match in _TEXT.finditer(output):
        if match["cargo"]:
            found.append((match["cargo"], _OF_CARGO.get(match["how"], "failed")))
        elif match["tap"]:
            how: Result = "skipped" if match["skip"] else "passed" if match["tap"] == "ok" else "failed"
            found.append((match["name"], how))
        elif match["unit"]:
            found.append((match["unit"], _OF_UNITTEST.get(match["was"], "failed")))
        else:
            found.append((match["said"], _OF_MARK.get(match["mark"], "failed")))
    if not found:
        return Results({f"test {number + 1}": "passed" for number in range(_counted(output))}, complete=True)
    announced = sum(map(int, _ANNOUNCED.findall(output)))
    return Results(_numbered(found), complete=len(found) >= announced, source="output")


def _counted(output: str) -> int:
    """How many tests pass by the sums that a runner prints."""
    more, less = (
        sum(int(next(filter(None, one.groups()))) for one in pattern.finditer(output)) for pattern in (_MORE, _LESS)
    )
    return min(max(more - less, 0), MOST_COUNTED)


PRINTED = Reporter((), {}, "", lambda _, output: _printed(output))
"""A runner that has no report: what it prints is read."""
