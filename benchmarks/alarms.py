"""Real commits as patches: how often the checks that run nothing refuse what people accepted, and what they catch.

Every commit is taken as the patch of a model against the tree before it. A refusal is a false alarm. Of each patch that
passes, broken copies are made, one of each kind of `mutants.KINDS`, and verified too.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from history import commits, patch_of
from mutants import KINDS, Mutant, mutant
from twins import twins

from optimizer.edits.paths import check_path
from optimizer.engine.landing import careful_of
from optimizer.errors import SafetyRefused
from optimizer.git.checkout import Checkout
from optimizer.index.files import Root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.languages.table import language_of
from optimizer.settings import Settings
from optimizer.types import FileChange, Patch
from optimizer.verify import system
from optimizer.verify.checks import at_once
from optimizer.verify.commands import Means
from optimizer.verify.patched import Patched
from optimizer.verify.prove import Copies

MOST_FILES = 5
MOST_REFACTORED = 25
REFACTORING = r"\b(move[sd]?|rename[sd]?|extract(s|ed)?|refactor(s|ed|ing)?|signature)\b"
DATA = frozenset({"json", "yaml", "toml", "markdown", "html", "css", ""})


@dataclass(frozen=True, slots=True)
class Tried:
    """One patch: the repository, its language, the commit, the fault put in ('' for the real one), and what failed."""

    repository: str
    language: str
    commit: str
    kind: str
    place: str
    ok: bool
    failed: tuple[tuple[str, str], ...]
    seconds: float
    tools: str = ""
    """What a tool of the system finds, where the other checks find nothing."""
    tools_seconds: float = 0.0
    asks: tuple[tuple[str, str, str], ...] = ()
    """What needs a yes of its own: the file, why, and the detail."""


def try_repositories(
    repos: Path, each: int, only: Sequence[str] = (), *, refactorings: bool = False, tools: bool = False
) -> Iterator[Tried]:
    """All patches of all repositories (git directories below `repos`), one repository after the other.

    `refactorings`: only commits that by their messages move, rename or extract something, or change a signature.
    `tools`: what passes is also shown to the compilers and interpreters of the system.
    """
    for source in sorted(path.resolve() for path in repos.glob("*/repo")):
        name = source.parent.name
        if only and not any(part in name for part in only):
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            most, message = (MOST_REFACTORED, REFACTORING) if refactorings else (MOST_FILES, "")
            yield from _repository(source, Path(folder), commits(source, each, most, is_code, message), tools)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def _repository(source: Path, folder: Path, pairs: Sequence[tuple[str, str]], tools: bool) -> Iterator[Tried]:
    checkout = Checkout(source, folder / "tree")
    index = open_index(Root(checkout.root, True), folder / "cache")
    means = Means(index.root, folder, folder / "cache", Settings(), dict(os.environ)) if tools else None
    try:
        for parent, commit in pairs:
            if not checkout.move(parent):
                continue
            refresh(index, Settings(), lambda _: None)
            patch = patch_of(source, parent, commit)
            if patch.changes and not any(is_never_edited(change.path) for change in patch.changes):
                for kind, place, one in _patches(index, patch, commit):
                    yield _tried(one, index, means, (source.parent.name, _language(patch), commit, kind, place))
    finally:
        index.close()


def is_never_edited(path: str) -> bool:
    """Whether no change of a model may touch a file."""
    try:
        check_path(path)
    except SafetyRefused:
        return True
    return False


def _patches(index: Index, patch: Patch, commit: str) -> Iterator[tuple[str, str, Patch]]:
    """A commit as it is, and broken, with the kind of break and its place; only as it is where it is refused."""
    yield "", "", patch
    if not at_once(patch, index).ok:
        return
    rng = random.Random(commit)
    for kind in KINDS:
        broken = _broken(patch, kind, rng, index)
        if broken is not None:
            change, made = broken
            others = tuple(change if other.path == change.path else other for other in patch.changes)
            yield made.kind, made.place, Patch(others)
    yield from twins(patch, index, rng)


def _tried(patch: Patch, index: Index, means: Means | None, about: tuple[str, str, str, str, str]) -> Tried:
    begun = time.process_time()
    verdict = at_once(patch, index)
    seconds = time.process_time() - begun
    failed = tuple((check.name, check.detail) for check in verdict.checks if check.passed is False)
    begun = time.monotonic()
    found = _by_tools(patch, index, means) if means is not None and verdict.ok else ""
    asks = () if about[3] else tuple((one.path, one.code, one.detail) for one in careful_of(patch))
    return Tried(*about, verdict.ok, failed, seconds, found, time.monotonic() - begun, asks)


def _by_tools(patch: Patch, index: Index, means: Means) -> str:
    with Copies(patch, means) as copies:
        checks = list(
            system.check(Patched(patch, index), means.root.path, copies.words, means.settings.verify_compiler)
        )
    return "; ".join(check.detail for check in checks if check.passed is False)


def _broken(patch: Patch, kind: str, rng: random.Random, index: Index) -> tuple[FileChange, Mutant] | None:
    for change in rng.sample(patch.changes, len(patch.changes)):
        if change.after is not None and (made := mutant(change, kind, rng, index)):
            return FileChange(change.path, change.before, made.after), made
    return None


def _language(patch: Patch) -> str:
    """The language of code that most of the files are written in, '' when none is code."""
    names = [language.name for change in patch.changes if (language := language_of(change.path))]
    code = [name for name in names if name not in DATA]
    return max(code, key=code.count) if code else ""


def is_code(path: str) -> bool:
    """Whether a file is of a language of code, not of data or prose."""
    language = language_of(path)
    return language is not None and language.name not in DATA
