"""What checks found, as sentences: for people, in `--json`, and for the model that tries again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Skip = Literal["unconcerned", "untested", "unapproved", "refused", "unconfined"]
"""Why a command is not run: it looks at none of the changed files, no test reaches them, no answer yet, a no,
nothing to confine it."""

_SKIPPED: Mapping[Skip, str] = {
    "unconcerned": "no file that it looks at is changed",
    "untested": "no test reaches the change",
    "unapproved": "{command} is not approved (optimize trust grant {kind})",
    "unconfined": "nothing on this machine confines {command} (optimize trust grant unconfined)",
    "refused": "you refused {command} (optimize trust grant {kind})",
}


@dataclass(frozen=True, slots=True)
class FoundBy:
    """What names a command: the user's configuration, a file, or a table, section or script `name` of that file."""

    code: Literal["configured", "file", "table", "section", "script"]
    path: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ReachedBy:
    """How a change reaches a test: it is changed itself, or by a file of `via`.

    `via` is the file that the test is named after, the conftest.py that applies to it, the changed file of its package,
    or the files from the one that it imports to the one that is changed.
    """

    code: Literal["changed", "named", "conftest", "package", "imports"]
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokenName:
    """A name in a file that no longer leads anywhere; `source` is the file that should define it, where one does not.

    An import that leads nowhere, a name that nothing declares, what a module or package is asked for and does not have,
    a use whose import went, a use whose definition went.
    """

    why: Literal["import", "undefined", "attribute", "member", "unimported", "removed"]
    path: str
    line: int
    name: str
    source: str = ""


_BROKEN = {
    "import": "imports {name}, which is not in the repository",
    "undefined": "uses {name}, which is not defined",
    "attribute": "uses {name}, which {source} does not define",
    "member": "uses {name}, which that package does not define",
    "unimported": "uses {name}, which is no longer imported",
    "removed": "uses {name}, which {source} no longer defines",
}


UNAPPROVED = "the tests of this project are not approved"
NO_COMMAND = "no command for tests, linter or types was found or configured"
NO_TEST_COMMAND = "no command for tests was found or configured"
LAYERS = {
    "bwrap": "bubblewrap",
    "namespaces": "namespaces",
    "landlock": "Landlock without sockets",
    "seatbelt": "Seatbelt without sockets",
}


def broken_name(one: BrokenName) -> str:
    """A name that leads nowhere, with its place."""
    return f"{one.path}:{one.line} {_BROKEN[one.why].format(name=one.name, source=one.source)}"


def found_by(one: FoundBy) -> str:
    """Why a command is one of a project's."""
    return {
        "configured": "your configuration names it",
        "file": f"there is {one.path}",
        "table": f"{one.path} has [{one.name}]",
        "section": f"[{one.name}] in {one.path}",
        "script": f"{one.path} has a test script: {one.name}",
    }[one.code]


def reached_by(one: ReachedBy) -> str:
    """Why a change reaches a test; of a long way through imports its beginning and end."""
    way = one.via if len(one.via) <= 3 else (one.via[0], "…", *one.via[-2:])
    if one.code == "imports":
        return f"it imports {', which imports '.join(way)}"
    return {
        "changed": "it is changed itself",
        "named": "it is named after {}",
        "conftest": "{} applies to it",
        "package": "it is in the package of {}",
    }[one.code].format(*way)


def skipped(skip: Skip, command: str, kind: str) -> str:
    """Why a command is not run."""
    return _SKIPPED[skip].format(command=command, kind=kind)


def not_run(why: str) -> str:
    """The detail of a check that could not run."""
    return f"not run: {why}"


def not_counted(why: str) -> str:
    """The detail of a check that ran, but proves nothing about the change."""
    return f"not counted: {why}"


def running(commands: Sequence[str]) -> str:
    """The notice before commands that may take their time."""
    return f"checking in a scratch copy: {', '.join(commands)}"


def confined(layer: str | None) -> str:
    """What held a command: a layer of `confine`, None where it never ran."""
    return f"confined by {LAYERS[layer]}" if layer in LAYERS else "not confined" if layer else "not run"


def passed(command: str, files: int, seconds: float, limits: str) -> str:
    """A command that ended well, on how many files, and confined how."""
    on = f" on {files} file{'s' if files != 1 else ''}" if files else ""
    return f"{command}{on}, {seconds:.1f} s; {limits}"


def timed_out(command: str, seconds: float, limit: str = "verify.seconds") -> str:
    """A command that exceeded its time."""
    return f"{command} was stopped after {seconds:.0f} s; {limit} is the limit"


def unconfined(command: str) -> str:
    """In place of the output of a command that nothing confined."""
    return f"{command} failed; nothing confined it, so its output is not passed on"


def exceeded(command: str, limit: str) -> str:
    """A command that used more than it may."""
    return f"{command} was stopped: it used more {limit} than verify.{limit} allows"


def left_early(command: str) -> str:
    """A runner that ended before it reported its tests."""
    return f"{command} ended before its report of the tests was complete, which it is without the change"


def lost(names: Sequence[str]) -> str:
    """Tests that passed without the change, and with it do not run or are skipped."""
    return f"{first_of(names)} passed without the change and no longer {'runs' if len(names) == 1 else 'run'}"


def weakened(gone: Sequence[str], refuted: Sequence[str]) -> str:
    """Tests that the change removes or skips, and tests that fail in their old form on the new code."""
    parts = [f"{first_of(gone)} no longer {'runs' if len(gone) == 1 else 'run'}"] if gone else []
    if refuted:
        form = "fails in its old form" if len(refuted) == 1 else "fail in their old form"
        parts.append(f"{first_of(refuted)} {form} on the new code")
    return f"the change alters tests: {'; '.join(parts)}"


def ends_by_itself(command: str) -> str:
    """A change that adds a way to end the process, under a runner without a report of its own."""
    return f"the change adds a call that ends the program, and {command} writes no report of its tests"


def changes_its_judge() -> str:
    """A change by which the program could alter how its tests are judged."""
    return "the change lets the program reach into what runs its tests"


def prints_otherwise(command: str) -> str:
    """A runner whose tests have no names, which no longer prints what it printed."""
    return f"{command} no longer ends with what it printed without the change"


def first_of(found: Sequence[str]) -> str:
    """The first finding, and how many more there are."""
    return found[0] + (f" and {len(found) - 1} more" if len(found) > 1 else "")


def fails_without(command: str, tests: int) -> str:
    """Tests that fail with the change and without it."""
    return failing_without(tests) if tests else f"{command} fails without the change too"


def failing_without(tests: int) -> str:
    """How many tests fail with the change and without it."""
    return f"{tests} test{'s' if tests != 1 else ''} fail{'s' if tests == 1 else ''} without the change too"


def failed_once(test: str) -> str:
    """A test that failed, and by itself passes with the change or fails without it."""
    return f"{test} fails by chance: alone it passes, or fails without the change too"


def no_test_collected() -> str:
    """A runner that found no test."""
    return "pytest collected no test"


def runs_only_with(command: str) -> str:
    """A command that cannot be compared with the state before the change."""
    return f"{command} could not run without the change"


def below_threshold(confidence: float, threshold: float, *, tested: bool) -> str:
    """A confidence below confidence_threshold, which counts once tests ran."""
    if tested:
        return f"{confidence:.2f} is below confidence_threshold {threshold:g}"
    return not_counted(f"no test speaks for it; with tests it would have to reach {threshold:g} (confidence_threshold)")
