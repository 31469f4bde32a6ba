"""The compilers and interpreters of the system, which read changed files and run nothing of the repository.

They need no approval: only programs of the system's own folders are used, with fixed options, paths to include and
defines, in the same confinement as commands. A finding counts only when the tree without the patch does not have it,
and one about a name only when no other file of the repository has that name.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from optimizer.confine.run import Ended
from optimizer.languages.modules import rust
from optimizer.report import checks as report
from optimizer.types import Check
from optimizer.verify.checks import not_counted, not_run
from optimizer.verify.findings import Diagnostic, new, parsed
from optimizer.verify.patched import MOST_NAMED, Patched, Side

NAME = "compiler"
MOST_FILES = 30
MOST_FLAGS = 400
_FOLDERS = ("/usr/bin", "/usr/local/bin", "/bin", "/opt/homebrew/bin")
_HOMES = ("/usr", "/bin", "/opt", "/Library", "/System")
_FLAG = re.compile(r"-(?:I|D|U|std=|isystem)(.*)")
_PACKAGE = re.compile(rb"^package\s+([\w.]+)\s*;", re.M)
_UNKNOWN_TO_RUST = re.compile(r"error\[E04(?:12|25)\].* in this scope|undeclared type")
Runner = Callable[[tuple[str, ...], bool, float], tuple[Ended, Path]]
"""Runs words with the patch, or without it, for so many seconds at most; also where the copy is."""
Timed = Callable[[tuple[str, ...], bool], tuple[Ended, Path]]


class Tool(NamedTuple):
    """A program, the endings of the files it reads, the words of each run for files, and the form of what counts.

    `everywhere`: it reports every place of a name.
    """

    program: str
    endings: tuple[str, ...]
    runs: Callable[[Sequence[str], Side], Iterator[tuple[str, ...]]]
    counts: re.Pattern[str] = re.compile("")
    everywhere: bool = False


def _gcc(files: Sequence[str], side: Side) -> Iterator[tuple[str, ...]]:
    yield ("-fsyntax-only", "-Werror=implicit-function-declaration", *_include_flags(files, side), *files)


def _javac(files: Sequence[str], side: Side) -> Iterator[tuple[str, ...]]:
    roots = ":".join(sorted(_source_roots(files, side))) or "."
    quick = ("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC")
    quiet = ("-nowarn", "-Xmaxerrs", "2000", "-XDshould-stop.ifError=FLOW")
    yield (*quick, "-proc:none", "-implicit:none", *quiet, "-d", "../tmp", "-sourcepath", roots, *files)


def _rustc(files: Sequence[str], side: Side) -> Iterator[tuple[str, ...]]:
    """The crates of the files without what they depend on, tests included; dependencies could bring macros that run."""
    quiet = ("--cap-lints=allow", "--error-format=short", "--emit=metadata", "-o", "../tmp/crate")
    seen = set()
    for file in files:
        crate = rust.crate(file, side.paths, side.tree.manifests)
        for root in crate.roots if crate else ():
            if crate and root not in seen:
                features = (f'--cfg=feature="{one}"' for one in crate.features)
                yield ("--test", f"--edition={crate.edition}", *quiet, *features, root)
            seen.add(root)


def _each(*options: str) -> Callable[[Sequence[str], Side], Iterator[tuple[str, ...]]]:
    return lambda files, side: ((*options, one) for one in files)


TOOLS = (
    Tool("gcc", (".c",), _gcc),
    Tool("g++", (".cc", ".cpp", ".cxx"), _gcc),
    Tool("javac", (".java",), _javac),
    Tool("rustc", (".rs",), _rustc, _UNKNOWN_TO_RUST, everywhere=True),
    Tool("ruby", (".rb",), _each("--disable-gems", "-c")),
    Tool("php", (".php",), _each("-n", "-l")),
    Tool("node", (".js", ".mjs", ".cjs"), _each("--check")),
)


def installed(program: str, root: Path) -> str:
    """Where the system has a program, links followed; '' where it has none, or one that lies in the repository."""
    found = shutil.which(program, path=os.pathsep.join(_FOLDERS))
    real = os.path.realpath(found) if found else ""
    inside = Path(os.path.realpath(root))
    is_of_system = bool(real) and any(Path(real).is_relative_to(home) for home in _HOMES)
    return real if is_of_system and not Path(real).is_relative_to(inside) else ""


def check(patched: Patched, root: Path, run: Runner, seconds: float) -> Iterator[Check]:
    """What the programs of the system find in the changed files, in `seconds` at most; none are used where it is 0."""
    until = time.monotonic() + seconds
    for tool in TOOLS if seconds else ():
        files = [one.path for one in patched.changes if one.path.endswith(tool.endings) and one.after and one.before]
        program = installed(tool.program, root) if files else ""
        if program and files:
            yield _checked(tool, program, files[:MOST_FILES], patched, partial(_until, until, run))


def _until(end: float, run: Runner, words: tuple[str, ...], patched: bool) -> tuple[Ended, Path]:
    left = end - time.monotonic()
    return run(words, patched, left) if left > 0 else (Ended(None, "", 0.0, timed_out=True), Path())


def _checked(tool: Tool, program: str, files: Sequence[str], patched: Patched, run: Timed) -> Check:
    after: list[Diagnostic] = []
    lines: list[str] = []
    for side, is_after in ((patched.after, True), (patched.before, False)):
        there = [one for one in files if one in side.paths]
        ended, found = _findings([(program, *words) for words in tool.runs(there, side)], is_after, run)
        if ended.code is None:
            late = report.timed_out(tool.program, ended.seconds, "verify.compiler")
            return not_run(NAME, ended.missing or late)
        if is_after and ended.code == 0:
            return Check(NAME, True, f"{tool.program} finds nothing; {report.confined(ended.layer)}")
        after = found if is_after else after
        brought = new(after, () if is_after else found, patched, everywhere=tool.everywhere)
        lines = [f"{one.path}:{one.line} {one.text}" for one in brought if tool.counts.search(one.text)]
        if not lines:
            why = "what it finds may come of what is not installed" if is_after else "it fails without the change too"
            return not_counted(NAME, f"{tool.program}: {why}")
    return Check(NAME, False, report.first_of(lines), "\n".join(lines[:MOST_NAMED]))


def _findings(runs: Sequence[tuple[str, ...]], patched: bool, run: Timed) -> tuple[Ended, list[Diagnostic]]:
    """How the first run that did not end well ended, else the last one; and what all of them find."""
    worst = Ended(None, "", 0.0, missing="nothing for it to read")
    found: dict[Diagnostic, None] = {}
    for words in runs:
        ended, tree = run(words, patched)
        if ended.code is None:
            return ended, []
        if not worst.code:
            worst = ended
        found.update(dict.fromkeys(parsed(ended.output, tree) if ended.code else ()))
    return worst, list(found)


def _include_flags(files: Sequence[str], side: Side) -> tuple[str, ...]:
    """Where the includes of these files start, and the flags of compile_commands.json that only say such things."""
    pending, seen, roots = list(files), set(files), {".": None}
    while pending and len(seen) < MOST_FLAGS:
        file = pending.pop()
        for raw in side.source(file).imports:
            for target in side.leads(file, raw):
                if target.endswith(raw.module) and target not in seen:
                    roots.setdefault(posixpath.normpath(target[: -len(raw.module)] or "."))
                if target not in seen:
                    seen.add(target)
                    pending.append(target)
    return (*(f"-I{one}" for one in roots), *_recorded_flags(files, side))[:MOST_FLAGS]


def _recorded_flags(files: Sequence[str], side: Side) -> tuple[str, ...]:
    if "compile_commands.json" not in side.paths:
        return ()
    try:
        rows = json.loads(side.source("compile_commands.json").data)
        words = next(row.get("arguments") or row["command"].split() for row in rows if row["file"].endswith(files[0]))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError):
        return ()
    kept = [word for word in words if isinstance(word, str) and (found := _FLAG.fullmatch(word)) and found[1]]
    return tuple(word for word in kept if not word.startswith(("-I/", "-isystem")) and ".." not in word)


def _source_roots(files: Sequence[str], side: Side) -> set[str]:
    """The folders that the packages of Java files start in: of these files, and of the usual layout."""
    roots = {
        path[: path.index(part) + len(part) - 1]
        for path in side.paths
        for part in ("src/main/java/", "src/test/java/")
        if part in path and path.endswith(".java")
    }
    for file in files:
        declared = _PACKAGE.search(side.source(file).data)
        place = declared[1].decode().replace(".", "/") if declared else ""
        folder = posixpath.dirname(file)
        if folder.endswith(place):
            roots.add(folder[: len(folder) - len(place)].rstrip("/") or ".")
    return roots
