"""Checks of a patch or an answer, each a proof that was tried; what passed makes the confidence.

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
from collections.abc import Callable, Iterator
from math import prod
from pathlib import PurePosixPath

from optimizer.edits.paths import check_path
from optimizer.errors import NotFound, SafetyRefused
from optimizer.index import parse
from optimizer.index.store import Index
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
    "imports": 0.1,
    "names": 0.2,
    "uses": 0.1,
    "lint": 0.2,
    "types": 0.3,
    "tests": 0.75,
}
MAX_REFUSAL = 400
_MARKER = re.compile(rb"^(?:<{7}|>{7})(?: |\r?$)", re.MULTILINE)
_COMMENTED_JSON = re.compile(r"(?:tsconfig|jsconfig)[^/]*\.json|.*\.(?:jsonc|json5|code-workspace)")
_REFUSAL = re.compile(
    r"(?:i(?:'|’)?m sorry|sorry,|i apologi[sz]e|i can(?:'|’)?t|i cannot|i am unable|i(?:'|’)m unable|as an ai\b|"
    r"unfortunately, i)",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_CITED = re.compile(r"(?<![\w/.:@+-])([\w@.+/-]{1,400})(?::(\d{1,8})(?:-(\d{1,8}))?)?")


def check_patch(patch: Patch, index: Index | None) -> Verdict:
    """Check every file of a patch: its path, that it is text, without conflict markers, and that it still parses.

    `index` tells which files exist already; None leaves that out. Nothing is run and nothing is written.
    """
    taken = {path.casefold(): path for path in index.paths()} if index else {}
    checks = tuple(check for change in patch.changes for check in _file(change, taken))
    return verdict_of(checks if patch.changes else (Check("path", False, "the patch changes nothing"),))


def check_answer(text: str, index: Index) -> Verdict:
    """Check an answer without edits: that it says something, is whole, and that every file and line it names exists."""
    checks = [_answers(text), _whole(text)]
    checks.extend(_cites(text, index) or [Check("cites", None, "no file is named")])
    return verdict_of(tuple(checks))


def verdict_of(checks: tuple[Check, ...]) -> Verdict:
    """The verdict that checks come to, as this file's first lines say."""
    ok = all(check.passed is not False for check in checks)
    ran = {check.name for check in checks if check.passed}
    confidence = 1 - prod(1 - POWER[name] for name in ran) if ok else 0.0
    return Verdict(ok, checks, round(confidence, 4))


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
    binary = b"\0" in after
    yield Check("text", not binary, f"{path} is binary" if binary else "")
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
    if errors > earlier:
        lines = parse.error_lines(path, after) or ()
        return Check("parses", False, f"{path} does not parse any more, see line {', '.join(map(str, lines[:3]))}")
    if path.endswith((".py", ".pyi")) and (before is None or not _python_error(before)):
        error = _python_error(after)
        if error:
            return Check("parses", False, f"{path} does not parse: {error}")
    return Check("parses", True)


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


def _answers(text: str) -> Check:
    stripped = text.strip()
    if not stripped:
        return Check("answers", False, "the answer is empty")
    refused = len(stripped) <= MAX_REFUSAL and _REFUSAL.match(stripped) is not None
    return Check("answers", not refused, "the answer is a refusal" if refused else "")


def _whole(text: str) -> Check:
    opened = ""
    for found in _FENCE.finditer(text):
        if not opened:
            opened = found[1]
        elif found[1].startswith(opened):
            opened = ""
    cut = bool(opened) or text.rstrip().endswith((",", "(", "[", "{", "<", " and", " or", " the"))
    return Check("whole", not cut, "the answer seems cut" if cut else "")


def _cites(text: str, index: Index) -> list[Check]:
    paths = index.paths()
    known = frozenset(paths)
    names: dict[str, list[str]] = {}
    for path in paths:
        names.setdefault(PurePosixPath(path).name, []).append(path)
    endings = {PurePosixPath(path).suffix for path in paths} - {""}
    checks: dict[str, Check] = {}
    for found in _CITED.finditer(text):
        cited = found[1].removeprefix("./").rstrip(".")
        if found[0] in checks or PurePosixPath(cited).suffix not in endings or _is_web(text, found.start()):
            continue
        twins = names.get(PurePosixPath(cited).name, ())
        places = [cited] if cited in known else [path for path in twins if f"/{path}".endswith(f"/{cited}")]
        if not places and not found[2] and cited[0].isupper() and "/" not in cited:
            continue  # a product, as in Node.js
        checks[found[0]] = _cited(found[0], places, int(found[3] or found[2] or 0), index)
    return list(checks.values())


def _is_web(text: str, at: int) -> bool:
    word = text[max(0, at - 200) : at].rpartition(" ")[2]
    return "://" in word


def _cited(shown: str, places: list[str], line: int, index: Index) -> Check:
    if not places:
        return Check("cites", False, f"there is no file {shown.partition(':')[0]}")
    if line and not any(line <= _lines(path, index) for path in places):
        return Check("cites", False, f"{shown}: the file has no such line")
    return Check("cites", True, shown)


def _lines(path: str, index: Index) -> int:
    try:
        data = index.read(path)
    except NotFound:
        return 0
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
