"""Checks of a patch that run nothing, each a proof that was tried; what passed makes the confidence.

The confidence is 0 when a check failed. Otherwise every kind of check that passed takes away its share of the doubt:
confidence = 1 - the product of (1 - POWER[kind]) over the kinds that ran. A check that could not run takes nothing
away, and neither does how sure a model says it is.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator
from math import prod
from pathlib import PurePosixPath

from optimizer.edits.paths import check_path
from optimizer.errors import SafetyRefused
from optimizer.index.store import Index
from optimizer.languages import parse
from optimizer.types import Check, FileChange, Patch, Verdict

POWER = {
    "path": 0.05,
    "text": 0.05,
    "markers": 0.05,
    "parses": 0.6,
    "loads": 0.6,
    "answers": 0.2,
    "whole": 0.2,
    "cites": 0.5,
    "symbols": 0.2,
    "imports": 0.1,
    "names": 0.2,
    "uses": 0.1,
    "lint": 0.2,
    "types": 0.3,
    "tests": 0.75,
}
_MARKER = re.compile(rb"^(?:<{7}|>{7})(?: |\r?$)", re.MULTILINE)
_COMMENTED_JSON = re.compile(r"(?:tsconfig|jsconfig)[^/]*\.json|.*\.(?:jsonc|json5|code-workspace)")


def check_patch(patch: Patch, index: Index | None) -> Verdict:
    """Check every file of a patch: its path, that it is text, without conflict markers, and that it still parses.

    There is one check a name for all files together, and one for each file that fails it.

    `index` tells which files exist already; None leaves that out. Nothing is run and nothing is written.
    """
    taken = {path.casefold(): path for path in index.paths()} if index else {}
    checks = _together(check for change in patch.changes for check in _file(change, taken))
    return verdict_of(checks if patch.changes else (Check("path", False, "the patch changes nothing"),))


def verdict_of(checks: tuple[Check, ...]) -> Verdict:
    """The verdict that checks come to, as this file's first lines say."""
    ok = all(check.passed is not False for check in checks)
    ran = {check.name for check in checks if check.passed}
    confidence = 1 - prod(1 - POWER[name] for name in ran) if ok else 0.0
    return Verdict(ok, checks, round(confidence, 4))


def _together(checks: Iterable[Check]) -> tuple[Check, ...]:
    named: dict[str, list[Check]] = {}
    for check in checks:
        named.setdefault(check.name, []).append(check)
    return tuple(one for same in named.values() for one in _telling(same))


def _telling(same: list[Check]) -> list[Check]:
    failed = [check for check in same if check.passed is False]
    return failed or [next((check for check in same if check.passed), same[0])]


def _file(change: FileChange, taken: dict[str, str]) -> Iterator[Check]:
    path, before, after = change.path, change.before, change.after
    try:
        check_path(path)
        twin = taken.get(path.casefold(), path) if before is None else path
        yield Check("path", twin == path, "" if twin == path else f"{path} differs only in case from {twin}")
    except SafetyRefused as error:
        yield Check("path", False, error.message)
    if after is None:
        return
    if b"\0" in after:
        was_text = before is not None and b"\0" not in before
        yield Check("text", False if was_text else None, f"{path} is binary")
        return
    yield Check("text", True)
    added = len(_MARKER.findall(after)) > len(_MARKER.findall(before or b""))
    yield Check("markers", not added, f"{path} has new conflict markers" if added else "")
    yield _parses(path, before, after)
    loader = _loader(path)
    if loader:
        yield _loads(path, before, after, loader)


def _parses(path: str, before: bytes | None, after: bytes) -> Check:
    errors = parse.error_count(path, after)
    if errors is None:
        return Check("parses", None, f"{path}: no grammar for it")
    earlier = (parse.error_count(path, before) or 0) if before is not None else 0
    if earlier and errors and not path.endswith((".py", ".pyi")):
        return _balances(path, before or b"", after, worse=errors > earlier)
    if errors > earlier:
        lines = parse.error_lines(path, after) or ()
        return Check("parses", False, f"{path} does not parse any more, see line {', '.join(map(str, lines[:3]))}")
    if path.endswith((".py", ".pyi")) and (before is None or not _python_error(before)):
        error = _python_error(after)
        if error:
            return Check("parses", False, f"{path} does not parse: {error}")
    return Check("parses", True)


def _balances(path: str, before: bytes, after: bytes, *, worse: bool) -> Check:
    """What is left to look at in a file that its grammar does not understand, such as a header full of macros."""
    was, now = parse.unbalanced(path, before), parse.unbalanced(path, after)
    if now and not was:
        return Check("parses", False, f"{path}: the number of brackets {' and '.join(now)} does not fit any more")
    return Check("parses", None, f"{path} did not parse before") if worse else Check("parses", True)


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


def _loads(path: str, before: bytes | None, after: bytes, loader: Callable[[bytes], object]) -> Check:
    if before is None and _COMMENTED_JSON.fullmatch(PurePosixPath(path).name):
        return Check("loads", None, f"{path}: comments are allowed in it")
    if before is not None and _load_error(before, loader):
        return Check("loads", None, f"{path} did not load before")
    error = _load_error(after, loader)
    return Check("loads", not error, f"{path} does not load: {error}" if error else "")


def _load_error(data: bytes, loader: Callable[[bytes], object]) -> str:
    try:
        loader(data)
    except (ValueError, RecursionError) as error:
        return str(error) or type(error).__name__
    return ""
