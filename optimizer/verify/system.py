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
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from optimizer.report import checks as report
from optimizer.types import Check
from optimizer.verify.patched import MOST_NAMED, Patched, Side
from optimizer.verify.process import Ended

NAME = "compiler"
MOST_FILES = 30
MOST_FLAGS = 400
_FOLDERS = ("/usr/bin", "/usr/local/bin", "/bin", "/opt/homebrew/bin")
_HOMES = ("/usr", "/bin", "/opt", "/Library", "/System")
_ERROR = re.compile(
    r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+)(?::\d+)?:? (?P<text>(?:(?:fatal )?error: |syntax error).*)$", re.M
)
_NODE = re.compile(r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+)\n(?:.*\n){0,4}?(?P<text>SyntaxError: .*)$", re.M)
_PHP = re.compile(r"^(?P<text>PHP Parse error: .*) in (?P<path>\S+) on line (?P<line>\d+)$", re.M)
_SYMBOL = re.compile(r"symbol: +(\w+) (\w+)")
_OF_NAMES = re.compile(r"implicit declaration of function .(\w+).|.(\w+). undeclared|cannot find symbol")
_MISSING = re.compile(r"fatal error|does not exist|unknown type name|incompatible|not compatible|cannot be converted")
_FLAG = re.compile(r"-(?:I|D|U|std=|isystem)(.*)")
_PACKAGE = re.compile(rb"^package\s+([\w.]+)\s*;", re.M)
Runner = Callable[[tuple[str, ...], bool], tuple[Ended, Path]]


class Tool(NamedTuple):
    """A program, the endings of the files it reads, whether it reads one at a time, and its options for files."""

    program: str
    endings: tuple[str, ...]
    one_each: bool
    options: Callable[[Sequence[str], Side], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a program finds in a file, and the name it is about, if any."""

    path: str
    line: int
    text: str
    name: str = ""


def _gcc(files: Sequence[str], side: Side) -> tuple[str, ...]:
    return ("-fsyntax-only", "-Werror=implicit-function-declaration", *_include_flags(files, side))


def _javac(files: Sequence[str], side: Side) -> tuple[str, ...]:
    roots = ":".join(sorted(_source_roots(files, side))) or "."
    quiet = ("-nowarn", "-Xmaxerrs", "2000", "-XDshould-stop.ifError=FLOW")
    return ("-proc:none", "-implicit:none", *quiet, "-d", "../tmp", "-sourcepath", roots)


def _fixed(*options: str) -> Callable[[Sequence[str], Side], tuple[str, ...]]:
    return lambda files, side: options


TOOLS = (
    Tool("gcc", (".c",), False, _gcc),
    Tool("g++", (".cc", ".cpp", ".cxx"), False, _gcc),
    Tool("javac", (".java",), False, _javac),
    Tool("ruby", (".rb",), True, _fixed("--disable-gems", "-c")),
    Tool("php", (".php",), True, _fixed("-n", "-l")),
    Tool("node", (".js", ".mjs", ".cjs"), True, _fixed("--check")),
)


def installed(program: str, root: Path) -> str:
    """Where the system has a program, links followed; '' where it has none, or one that lies in the repository."""
    found = shutil.which(program, path=os.pathsep.join(_FOLDERS))
    real = os.path.realpath(found) if found else ""
    inside = Path(os.path.realpath(root))
    is_of_system = bool(real) and any(Path(real).is_relative_to(home) for home in _HOMES)
    return real if is_of_system and not Path(real).is_relative_to(inside) else ""


def check(patched: Patched, root: Path, run: Runner) -> Iterator[Check]:
    """What the programs of the system find in the changed files; `run` runs words with the patch, or without it."""
    for tool in TOOLS:
        files = [one.path for one in patched.changes if one.path.endswith(tool.endings) and one.after and one.before]
        program = installed(tool.program, root) if files else ""
        if program and files:
            yield _checked(tool, program, files[:MOST_FILES], patched, run)


def _checked(tool: Tool, program: str, files: Sequence[str], patched: Patched, run: Runner) -> Check:
    findings: dict[bool, list[Finding]] = {}
    for side, is_after in ((patched.after, True), (patched.before, False)):
        found: list[Finding] = []
        for part in [[one] for one in files] if tool.one_each else [list(files)]:
            ended, tree = run((program, *tool.options(part, side), *part), is_after)
            if ended.code is None:
                return Check(NAME, None, report.not_run(ended.missing or report.timed_out(tool.program, ended.seconds)))
            if ended.code == 0:
                continue
            found += parsed(ended.output, tree)
        if is_after and not found:
            return Check(NAME, True, f"{tool.program} finds nothing; {ended.confinement}")
        findings[is_after] = found
    new = list(_new(findings[True], findings[False], patched))
    if not new:
        return Check(NAME, None, report.not_counted(f"{tool.program} fails without the change too"))
    lines = [f"{one.path}:{one.line} {one.text}" for one in new]
    return Check(NAME, False, report.first_of(lines), "\n".join(lines[:MOST_NAMED]))


def parsed(output: str, tree: Path) -> list[Finding]:
    """The findings in what a program printed."""
    text = output.replace(f"{tree}/", "").replace(f"{os.path.realpath(tree)}/", "")
    found = []
    for pattern in (_ERROR, _NODE, _PHP):
        for one in pattern.finditer(text):
            named = _OF_NAMES.search(one["text"])
            name = next((part for part in named.groups() if part), "") if named else ""
            if named and not name and (symbol := _SYMBOL.search(text, one.end(), one.end() + 400)):
                name = symbol[2] if symbol[1] in ("method", "variable") else "?"
            found.append(Finding(one["path"], int(one["line"]), one["text"], name or ("?" if named else "")))
    return found


def _new(after: list[Finding], before: list[Finding], patched: Patched) -> Iterator[Finding]:
    """The findings that only the patched tree has, without those that something not installed may explain."""
    known = Counter((one.path, one.text, one.name) for one in before)
    changed = {change.path for change in patched.changes}
    for one in after:
        key = (one.path, one.text, one.name)
        if known[key] > 0:
            known[key] -= 1
            continue
        if one.path not in changed or _MISSING.search(one.text) or one.name == "?":
            continue
        if not one.name or not (patched.mentions(one.name) or patched.had(one.name)):
            yield one


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
