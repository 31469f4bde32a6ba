"""The commands that check a repository: configured by the user, or found by its files; and the plan for one patch."""

from __future__ import annotations

import configparser
import json
import os
import shlex
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from optimizer import programs
from optimizer.confine.run import LAYERS, Bounds
from optimizer.errors import ConfigError
from optimizer.index.files import Root, listing
from optimizer.index.reader import Index
from optimizer.index.regular import read_regular
from optimizer.languages.files_of_tests import is_test
from optimizer.privacy import trust
from optimizer.privacy.identity import Identity, Look
from optimizer.report.checks import FoundBy, Skip
from optimizer.settings import Settings
from optimizer.types import Patch
from optimizer.verify.affected import Reached, reached
from optimizer.verify.trusted import allowed

Kind = Literal["tests", "lint", "types"]
KINDS: tuple[Kind, ...] = ("tests", "lint", "types")
WEIGHTS: Mapping[str, float] = {"tests": 0.75, "lint": 0.2, "types": 0.3, "compiler": 0.2}
"""How much doubt each kind removes when it passes."""
OFF = "off"
_PYTHON = (".py", ".pyi")
_SCRIPT = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
_OWN_PROGRAMS = (".venv/bin", "venv/bin", ".venv/Scripts", "node_modules/.bin", "vendor/bin")
_CONCERNS = {
    "pytest": (".py", ".pyi", ".toml", ".cfg", ".ini", ".json", ".yaml", ".yml", ".txt"),
    "mypy": (".py", ".pyi"),
    "tsc": (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".json"),
}
"""The extensions of files that a tool without a list of files checks; not listed: any."""
_OPTIONS = {
    "pytest": ("-q", "-rfE", "--tb=short", "--no-header", "--color=no", "--continue-on-collection-errors"),
    "ruff": ("--output-format=concise", "--no-cache", "--force-exclude"),
    "mypy": ("--no-error-summary", "--no-color-output"),
    "eslint": ("--no-color",),
    "tsc": ("--pretty", "false"),
}
_ORDER = ("lint", "types", "tests")


@dataclass(frozen=True, slots=True)
class Command:
    """A command of one kind: `text` as typed, `source` "configured" or "found", and what names it.

    `files` are the extensions of files that are passed to it; () for a command that checks everything.
    """

    kind: Kind
    text: str
    source: Literal["configured", "found"]
    by: FoundBy
    files: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        """The words of the command; no shell reads them."""
        return tuple(shlex.split(self.text))

    @property
    def tool(self) -> str:
        """The name of the program that does the work: pytest for `python -m pytest`."""
        words = self.argv
        if "-m" in words[1:-1]:
            return words[words.index("-m") + 1]
        return Path(words[0]).name


@dataclass(frozen=True, slots=True)
class Means:
    """What proving a patch needs: the repository, the places of the user, settings, environment; `look`: what the
    repository is known by."""

    root: Root
    state: Path
    cache: Path
    settings: Settings
    env: Mapping[str, str]
    look: Look = Identity


@dataclass(frozen=True, slots=True)
class _Project:
    """The files and configuration tables that show which tools a project uses."""

    paths: tuple[str, ...]
    read: Callable[[str], str]

    def has(self, *names: str) -> FoundBy | None:
        """The first of these files that is there."""
        return next((FoundBy("file", name) for name in names if name in self.paths), None)

    def table(self, *keys: str) -> FoundBy | None:
        """A table [tool.KEYS] of pyproject.toml."""
        found: object = _toml(self.read("pyproject.toml")).get("tool", {})
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return None if found is None else FoundBy("table", "pyproject.toml", ".".join(("tool", *keys)))

    def section(self, *places: tuple[str, str]) -> FoundBy | None:
        """The first of these (file, section) pairs that is there."""
        for path, name in places:
            if path in self.paths and _ini(self.read(path)).has_section(name):
                return FoundBy("section", path, name)
        return None


_Sign = Callable[[_Project], FoundBy | None]
"""What shows that a project uses a tool, None for nothing."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    kind: Kind
    text: str
    applies: _Sign
    files: tuple[str, ...] = ()


def commands(means: Means) -> tuple[Command, ...]:
    """At most one command of each kind; configured ones before found ones. Raises ConfigError."""
    chosen: list[Command] = []
    found: dict[Kind, Command] | None = None
    settings = means.settings
    for kind, text in zip(KINDS, (settings.verify_test, settings.verify_lint, settings.verify_types), strict=True):
        if text == OFF:
            continue
        if text:
            chosen.append(_configured(kind, text))
            continue
        found = find(means.root, means.env) if found is None else found
        if kind in found:
            chosen.append(found[kind])
    return tuple(chosen)


def bounds(means: Means, seconds: float) -> Bounds:
    """What a command may use and read, for so many seconds; nothing but the user's word lets it run unconfined."""
    settings = means.settings
    chosen = settings.verify_confinement
    order = sorted(LAYERS, key="namespaces".__ne__) if _is_root() else LAYERS
    layers = tuple(order) if chosen == "auto" else tuple(layer for layer in LAYERS if layer == chosen)
    if trust.decision(means.state, str(means.root.path), trust.UNCONFINED, look=means.look):
        layers += ("none",)
    memory = int(settings.verify_memory * _memory_of_machine())
    disk = int(settings.verify_disk * 1_000_000_000)
    return Bounds(seconds, layers, settings.verify_readable, settings.verify_processes, memory, disk)


def _is_root() -> bool:
    """Whether all rights are ours: our own root then keeps devices from being changed, where bubblewrap does not."""
    return hasattr(os, "getuid") and os.getuid() == 0


def _memory_of_machine() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def _configured(kind: Kind, text: str) -> Command:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"the command for {kind}, {text!r}, cannot be parsed: {error}", "close its quotes") from None
    if not words:
        raise ConfigError(f"the command for {kind} is blank", f"name a program, or write {OFF!r}")
    return Command(kind, text, "configured", FoundBy("configured"))


def find(root: Root, env: Mapping[str, str]) -> dict[Kind, Command]:
    """One command of each kind by the files of the project, by the first recipe that fits; nothing is run."""
    paths = tuple(listing(root).paths)
    read = cache(lambda path: (read_regular(root.path, path) or b"").decode("utf-8", "replace"))
    project = _Project(paths, read)
    known = frozenset(paths)
    found: dict[Kind, Command] = {}
    for recipe in _RECIPES:
        if recipe.kind not in found and (by := recipe.applies(project)):
            text = _with_own_program(recipe.text, root, known, env)
            found[recipe.kind] = Command(recipe.kind, text, "found", by, recipe.files)
    return found


def _with_own_program(text: str, root: Root, known: frozenset[str], env: Mapping[str, str]) -> str:
    """Use the program of the project's own environment, where there is one that is not part of the repository."""
    name, _, rest = text.partition(" ")
    for folder in _OWN_PROGRAMS:
        path = f"{folder}/{name}"
        if path not in known and os.access(root.path / path, os.X_OK) and (root.path / path).is_file():
            return shlex.join([path]) + (f" {rest}" if rest else "")
    if name == "pytest" and programs.find(name, root.path, env) is None:
        return f"python3 -m {text}"
    return text


# ── what fits which project ──────────────────────────────────────────────────────────────────────


def _pytest(project: _Project) -> FoundBy | None:
    return (
        project.has("pytest.ini", "conftest.py", "tests/conftest.py")
        or project.table("pytest")
        or project.section(("setup.cfg", "tool:pytest"), ("tox.ini", "pytest"))
        or next((FoundBy("file", path) for path in project.paths if path.endswith(".py") and is_test(path)), None)
    )


def _npm(project: _Project) -> FoundBy | None:
    try:
        script = json.loads(project.read("package.json") or "{}")["scripts"]["test"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return None if "no test specified" in str(script) else FoundBy("script", "package.json", str(script))


def _has(*names: str) -> _Sign:
    return lambda project: project.has(*names)


def _any(*ways: _Sign) -> _Sign:
    return lambda project: next((found for way in ways if (found := way(project))), None)


def _table(*keys: str) -> _Sign:
    return lambda project: project.table(*keys)


def _section(*places: tuple[str, str]) -> _Sign:
    return lambda project: project.section(*places)


def _mypy(whole: bool) -> _Sign:
    """mypy takes its files from its configuration (`whole`), or is given those that changed."""

    def applies(project: _Project) -> FoundBy | None:
        text = "\n".join(project.read(path) for path in ("mypy.ini", ".mypy.ini", "setup.cfg") if path in project.paths)
        table = _toml(project.read("pyproject.toml")).get("tool", {})
        mypy = table.get("mypy", {}) if isinstance(table, dict) else {}
        named = any(key in mypy for key in ("files", "packages", "modules")) or "\nfiles" in text
        return _MYPY(project) if named is whole else None

    return applies


_MYPY = _any(_has("mypy.ini", ".mypy.ini"), _table("mypy"), _section(("setup.cfg", "mypy")))
_ESLINT = tuple(f"eslint.config.{end}" for end in ("js", "mjs", "cjs", "ts")) + tuple(
    f".eslintrc{end}" for end in ("", ".js", ".cjs", ".json", ".yml", ".yaml")
)
_RECIPES = (
    _Recipe("tests", "pytest", _pytest),
    _Recipe("tests", "cargo test", _has("Cargo.toml")),
    _Recipe("tests", "go test ./...", _has("go.mod")),
    _Recipe("tests", "npm test", _npm),
    _Recipe("lint", "ruff check", _any(_has("ruff.toml", ".ruff.toml"), _table("ruff")), _PYTHON),
    _Recipe(
        "lint",
        "flake8",
        _any(_has(".flake8"), _section(("setup.cfg", "flake8"), ("tox.ini", "flake8"))),
        _PYTHON,
    ),
    _Recipe("lint", "eslint", _has(*_ESLINT), _SCRIPT),
    _Recipe("types", "mypy", _mypy(whole=True)),
    _Recipe("types", "mypy", _mypy(whole=False), _PYTHON),
    _Recipe("types", "tsc --noEmit", _has("tsconfig.json")),
)


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _ini(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return configparser.RawConfigParser()
    return parser


def named(command: Command, changed: Iterable[str]) -> tuple[str, ...]:
    """The changed files that are passed to a command."""
    return tuple(path for path in changed if command.files and path.endswith(command.files))


@dataclass(frozen=True, slots=True)
class Run:
    """A command to run for a patch: the files passed to it, the tests that the patch reaches.

    `further` are the other tests, run after those when that is cheap; `skip` is why it is not run.
    """

    command: Command
    files: tuple[str, ...] = ()
    tests: tuple[Reached, ...] = ()
    further: tuple[str, ...] = ()
    skip: Skip | None = None

    def argv(self, files: tuple[str, ...], more: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The words to run, for these of the files, with more options."""
        return (*self.command.argv, *_OPTIONS.get(self.command.tool, ()), *more, *files)


def plan(patch: Patch, index: Index, means: Means) -> tuple[Run, ...]:
    """The runs for a patch: linter before type checker before tests. Raises ConfigError."""
    runs = [_run(command, patch, index, means) for command in commands(means)]
    return tuple(sorted(runs, key=lambda run: _ORDER.index(run.command.kind)))


def _run(command: Command, patch: Patch, index: Index, means: Means) -> Run:
    changed = tuple(change.path for change in patch.changes)
    tests = reached(changed, index, new=_new(patch)) if command.kind == "tests" else ()
    files = named(command, changed)
    further: tuple[str, ...] = ()
    if command.tool == "pytest":
        files = tuple(test.path for test in tests if test.path.endswith(".py"))
        further = tuple(path for path in index.paths() if path.endswith(".py") and is_test(path) and path not in files)
    run = Run(command, files, tests, further)
    return replace(run, skip=_skip(run, patch, means))


def _skip(run: Run, patch: Patch, means: Means) -> Skip | None:
    command, changed = run.command, [change.path for change in patch.changes]
    concerns = _CONCERNS.get(command.tool, command.files)
    if concerns and not any(path.endswith(concerns) for path in changed):
        return "unconcerned"
    if command.tool == "pytest" and not run.files:
        return "untested"
    answer = allowed(command, means, patch)
    if answer is None:
        return "unapproved"
    return None if answer else "refused"


def _new(patch: Patch) -> tuple[str, ...]:
    return tuple(change.path for change in patch.changes if change.before is None and change.after is not None)
