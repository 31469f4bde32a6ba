"""The checks of a patch that run nothing, a row each, and the verdict from them.

The confidence is 0 when a check failed. Otherwise every kind of check that passed removes its share of the doubt:
confidence = 1 - the product of (1 - weight) over the kinds that passed. A check that could not run removes nothing,
and neither does a model's own certainty.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import PurePosixPath

from optimizer.edits.paths import check_path
from optimizer.errors import SafetyRefused
from optimizer.index.reader import Index
from optimizer.languages.files_of_tests import FOLDERS
from optimizer.report import checks as report
from optimizer.types import Check, Patch, Verdict
from optimizer.verify import commands
from optimizer.verify.links import check_imports, check_uses
from optimizer.verify.names import check_names
from optimizer.verify.patched import Finding, Patched
from optimizer.verify.syntax import check_syntax

_MARKER = re.compile(rb"^(?:<{7}|>{7})(?: |\r?$)", re.MULTILINE)
_COMMENT = re.compile(rb"//|/\*|,\s*[}\]]")
_COMMENTED_JSON = re.compile(r"(?:tsconfig|jsconfig)[^/]*\.json|.*\.(?:jsonc|json5|code-workspace)")


@dataclass(frozen=True, slots=True)
class PatchCheck:
    """A check of a patch: its name, how much doubt it removes when it passes, and its function.

    `in_repository`: it needs an index, and runs only where every file passes by itself.
    """

    name: str
    weight: float
    find: Callable[[Patched], Iterator[Finding]]
    in_repository: bool = False


def at_once(patch: Patch, index: Index | None) -> Verdict:
    """The verdict of the checks that run nothing and write nothing; without an `index`, of each file by itself."""
    patched = Patched(patch, index)
    checks = [check for row in CHECKS if not row.in_repository for check in checks_of(row.name, row.find(patched))]
    if index is not None and all(check.passed is not False for check in checks):
        checks += [check for row in CHECKS if row.in_repository for check in checks_of(row.name, row.find(patched))]
    return verdict_of(tuple(checks), WEIGHTS)


def checks_of(name: str, found: Iterable[Finding]) -> Iterator[Check]:
    """One check for all findings together, and one for each that failed; none where there are no findings."""
    findings = list(found)
    failed = [one for one in findings if one.passed is False]
    passed = [one for one in findings if one.passed]
    for one in failed or passed[:1] or findings[:1]:
        yield check_of(name, one)


def check_of(name: str, found: Finding) -> Check:
    """The check of one finding."""
    if found.passed is None:
        return not_run(name, found.detail)
    return Check(name, found.passed, found.detail, found.evidence)


def not_run(name: str, why: str) -> Check:
    """A check that could not run."""
    return Check(name, None, report.not_run(why) if why else "", ran=False)


def not_counted(name: str, why: str) -> Check:
    """A check that ran, and proves nothing."""
    return Check(name, None, report.not_counted(why))


def verdict_of(checks: tuple[Check, ...], weights: Mapping[str, float]) -> Verdict:
    """The verdict of checks; `weights` are by their names."""
    ok = all(check.passed is not False for check in checks)
    ran = {check.name for check in checks if check.passed}
    confidence = 1 - prod(1 - weights[name] for name in ran) if ok else 0.0
    return Verdict(ok, checks, round(confidence, 4))


def _path(patched: Patched) -> Iterator[Finding]:
    """The patch is not empty; each path may be written and does not differ from an existing one in case only."""
    gone = {change.path for change in patched.changes if change.after is None}
    if not patched.changes:
        yield Finding(False, "the patch changes nothing")
    for change in patched.changes:
        path = change.path
        try:
            check_path(path)
        except SafetyRefused as error:
            yield Finding(False, error.message)
            continue
        if change.before is None and patched.hidden(path):
            yield Finding(False, f"{path} is tracked by git, but not checked out (sparse checkout)")
            continue
        twin = patched.twin(path) if change.before is None else path
        alone = twin == path or twin in gone
        yield Finding(alone, "" if alone else f"{path} differs only in case from {twin}")


def _text(patched: Patched) -> Iterator[Finding]:
    """A text file stays text."""
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


def _loads(patched: Patched) -> Iterator[Finding]:
    """TOML and JSON that loaded still do, and new ones do, but for data of tests: they may be broken on purpose."""
    for path, before, after in _texts(patched):
        if loader := _loader(path):
            yield _loaded(path, before, after, loader)


CHECKS = (
    PatchCheck("path", 0.05, _path),
    PatchCheck("text", 0.05, _text),
    PatchCheck("markers", 0.05, _markers),
    PatchCheck("parses", 0.6, check_syntax),
    PatchCheck("loads", 0.6, _loads),
    PatchCheck("imports", 0.1, check_imports, in_repository=True),
    PatchCheck("names", 0.2, check_names, in_repository=True),
    PatchCheck("uses", 0.1, check_uses, in_repository=True),
)
WEIGHTS = {**{row.name: row.weight for row in CHECKS}, **commands.WEIGHTS}


def _texts(patched: Patched) -> Iterator[tuple[str, bytes | None, bytes]]:
    """Path, bytes before and bytes after of each text file."""
    for change in patched.changes:
        if change.after is not None and b"\0" not in change.after:
            yield change.path, change.before, change.after


def _loader(path: str) -> Callable[[bytes], object] | None:
    if path.endswith(".toml"):
        return lambda data: tomllib.loads(data.decode("utf-8"))
    return json.loads if path.endswith(".json") else None


def _loaded(path: str, before: bytes | None, after: bytes, loader: Callable[[bytes], object]) -> Finding:
    place = PurePosixPath(path)
    if (_COMMENTED_JSON.fullmatch(place.name) or ".vscode" in place.parts) and _COMMENT.search(after):
        return Finding(None, f"{path}: comments are allowed in it")
    if before is not None and _load_error(before, loader):
        return Finding(None, f"{path} did not load before")
    error = _load_error(after, loader)
    detail = f"{path} does not load: {error}" if error else ""
    if error and before is None and not FOLDERS.isdisjoint(place.parts):
        return Finding(None, f"{detail}, as data of tests may")
    return Finding(not error, detail)


def _load_error(data: bytes, loader: Callable[[bytes], object]) -> str:
    try:
        loader(data)
    except (ValueError, RecursionError) as error:
        return str(error) or type(error).__name__
    return ""
