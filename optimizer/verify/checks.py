"""Checks of a patch that run nothing, a row each: each is a proof that was tried."""

from __future__ import annotations

import ast
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from optimizer.edits.paths import check_path
from optimizer.errors import SafetyRefused
from optimizer.index.store import Index
from optimizer.languages import parse
from optimizer.types import Check, Patch, Verdict
from optimizer.verify import commands, names
from optimizer.verify.patched import Patched
from optimizer.verify.verdict import Finding, checks_of, verdict_of

_MARKER = re.compile(rb"^(?:<{7}|>{7})(?: |\r?$)", re.MULTILINE)
_COMMENTED_JSON = re.compile(r"(?:tsconfig|jsconfig)[^/]*\.json|.*\.(?:jsonc|json5|code-workspace)")


@dataclass(frozen=True, slots=True)
class PatchCheck:
    """A check of a patch: its name, how much of the doubt it takes away, and the function that looks.

    `in_repository`: it needs an index, and is made only where every file is sound by itself.
    """

    name: str
    weight: float
    find: Callable[[Patched], Iterator[Finding]]
    in_repository: bool = False


def at_once(patch: Patch, index: Index | None) -> Verdict:
    """The verdict of the checks that run nothing and write nothing; without an `index`, of each file by itself."""
    patched = Patched(patch, index)
    checks: list[Check] = []
    for row in CHECKS:
        sound = all(check.passed is not False for check in checks)
        if not row.in_repository or (index is not None and sound):
            checks.extend(checks_of(row.name, row.find(patched)))
    return verdict_of(tuple(checks), WEIGHTS)


def _path(patched: Patched) -> Iterator[Finding]:
    """Something is changed, and each path may be written and is not that of another file in another case."""
    if not patched.changes:
        yield Finding(False, "the patch changes nothing")
    for change in patched.changes:
        path = change.path
        try:
            check_path(path)
        except SafetyRefused as error:
            yield Finding(False, error.message)
            continue
        twin = patched.twin(path) if change.before is None else path
        yield Finding(twin == path, "" if twin == path else f"{path} differs only in case from {twin}")


def _text(patched: Patched) -> Iterator[Finding]:
    """A text stays one."""
    for change in patched.changes:
        if change.after is not None and b"\0" in change.after:
            was_text = change.before is not None and b"\0" not in change.before
            yield Finding(False if was_text else None, f"{change.path} is binary")
        elif change.after is not None:
            yield Finding(True)


def _markers(patched: Patched) -> Iterator[Finding]:
    """No new conflict markers of git."""
    for path, before, after in _texts(patched):
        added = len(_MARKER.findall(after)) > len(_MARKER.findall(before or b""))
        yield Finding(not added, f"{path} has new conflict markers" if added else "")


def _parses(patched: Patched) -> Iterator[Finding]:
    """A file that parsed still does."""
    for path, before, after in _texts(patched):
        yield _syntax(path, before, after)


def _loads(patched: Patched) -> Iterator[Finding]:
    """TOML and JSON that loaded still do."""
    for path, before, after in _texts(patched):
        if loader := _loader(path):
            yield _loaded(path, before, after, loader)


CHECKS = (
    PatchCheck("path", 0.05, _path),
    PatchCheck("text", 0.05, _text),
    PatchCheck("markers", 0.05, _markers),
    PatchCheck("parses", 0.6, _parses),
    PatchCheck("loads", 0.6, _loads),
    PatchCheck("imports", 0.1, names.imported, in_repository=True),
    PatchCheck("names", 0.2, names.defined, in_repository=True),
    PatchCheck("uses", 0.1, names.kept, in_repository=True),
)
WEIGHTS = {**{row.name: row.weight for row in CHECKS}, **commands.WEIGHTS}


def _texts(patched: Patched) -> Iterator[tuple[str, bytes | None, bytes]]:
    """Path, bytes before and bytes after of each file that is a text now."""
    for change in patched.changes:
        if change.after is not None and b"\0" not in change.after:
            yield change.path, change.before, change.after


def _syntax(path: str, before: bytes | None, after: bytes) -> Finding:
    errors = parse.error_count(path, after)
    if errors is None:
        return Finding(None, f"{path}: no grammar for it")
    earlier = (parse.error_count(path, before) or 0) if before is not None else 0
    if earlier and errors and not path.endswith((".py", ".pyi")):
        return _balances(path, before or b"", after, worse=errors > earlier)
    if errors > earlier:
        lines = parse.error_lines(path, after) or ()
        return Finding(False, f"{path} does not parse any more, see line {', '.join(map(str, lines[:3]))}")
    if path.endswith((".py", ".pyi")) and (before is None or not _python_error(before)):
        error = _python_error(after)
        if error:
            return Finding(False, f"{path} does not parse: {error}")
    return Finding(True)


def _balances(path: str, before: bytes, after: bytes, *, worse: bool) -> Finding:
    """What is left to look at in a file that its grammar does not understand, such as a header full of macros."""
    was, now = parse.unbalanced(path, before), parse.unbalanced(path, after)
    if now and not was:
        return Finding(False, f"{path}: the number of brackets {' and '.join(now)} does not fit any more")
    return Finding(None, f"{path} did not parse before") if worse else Finding(True)


def _python_error(data: bytes) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""


def _loader(path: str) -> Callable[[bytes], object] | None:
    if path.endswith(".toml"):
        return lambda data: tomllib.loads(data.decode("utf-8"))
    return json.loads if path.endswith(".json") else None


def _loaded(path: str, before: bytes | None, after: bytes, loader: Callable[[bytes], object]) -> Finding:
    if before is None and _COMMENTED_JSON.fullmatch(PurePosixPath(path).name):
        return Finding(None, f"{path}: comments are allowed in it")
    if before is not None and _load_error(before, loader):
        return Finding(None, f"{path} did not load before")
    error = _load_error(after, loader)
    return Finding(not error, f"{path} does not load: {error}" if error else "")


def _load_error(data: bytes, loader: Callable[[bytes], object]) -> str:
    try:
        loader(data)
    except (ValueError, RecursionError) as error:
        return str(error) or type(error).__name__
    return ""
