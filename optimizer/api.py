"""Use optimizer as a library: index a repository, choose context, ask. The rest of the package may change at any time.

    from optimizer import api

    api.index("path/to/repository")
    for item in api.context("why does login fail", "path/to/repository").items:
        print(item.path, item.start, item.end, item.symbol)
    print(api.ask("where is parse_response", "path/to/repository").text)

Each function raises `OptimizerError`; its `hint` says what to do, its `exit_code` is that of the command line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import OptimizerError, UnusableOutput
from optimizer.retrieval import Query

if TYPE_CHECKING:
    from optimizer import retrieval
    from optimizer.engine.services import Services
    from optimizer.types import Outcome

__all__ = [
    "Answer",
    "CheckResult",
    "Context",
    "ContextItem",
    "Indexed",
    "OptimizerError",
    "RankedFile",
    "Skipped",
    "ask",
    "context",
    "index",
]

NO_SETTINGS: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that the index left out, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Indexed:
    """What an update of the index did: files read, unchanged, removed, and left out with the reason."""

    parsed: int
    unchanged: int
    removed: int
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class RankedFile:
    """A file with its score and the reasons for it."""

    path: str
    score: float
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContextItem:
    """A piece of a file chosen for a prompt, and why; `text` is what would be sent, without line numbers."""

    path: str
    start: int
    end: int
    symbol: str
    kind: str
    tokens: int
    score: float
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """What was chosen for a query: files best first, items in the order in which a prompt holds them."""

    query: str
    tokens: int
    files: tuple[RankedFile, ...]
    items: tuple[ContextItem, ...]
    timing_ms: Mapping[str, float]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of an answer; `passed` is None when it could not run."""

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended.

    `text` is the answer in words. A change is in `diff`, and in `changes`: the new bytes of each file by its path, None
    for a deleted one; nothing is written. `cost` is in micro-dollars, None where a price is unknown. `exit_code` is 0
    for an answer or a change that passed its checks; else `hint` says what to do.
    """

    text: str
    diff: str
    changes: Mapping[str, bytes | None]
    checks: tuple[CheckResult, ...]
    model: str
    tier: str
    cost: int | None
    exit_code: int
    hint: str


def index(
    path: str | Path = ".", *, settings: Mapping[str, object] = NO_SETTINGS, env: Mapping[str, str] | None = None
) -> Indexed:
    """Bring the index of the repository at `path` up to date.

    `settings` are those of the documentation by dotted key, over the user's own files; `env` replaces the environment.
    """
    from optimizer.engine import prepare

    with _services(path, settings, env, huge=True) as services:
        done = prepare.refresh(services.workspace)
    return Indexed(done.parsed, done.unchanged, done.removed, _skipped(done.skipped))


def context(
    query: str,
    path: str | Path = ".",
    budget: int | None = None,
    *,
    settings: Mapping[str, object] = NO_SETTINGS,
    env: Mapping[str, str] | None = None,
) -> Context:
    """Choose the code for `query` in at most `budget` tokens (None: what a first request leaves); no model is asked."""
    from optimizer.engine import prepare
    from optimizer.engine.prepare import first_budget

    wanted = Query(query)
    with _services(path, settings, env, wanted) as services:
        prepare.refresh(services.workspace)
        code = budget or first_budget(wanted, services.workspace)[1].code
        return _context(prepare.choose(wanted, services.workspace, code))


def ask(
    query: str,
    path: str | Path = ".",
    *,
    extra: str = "",
    on_text: Callable[[str], None] | None = None,
    settings: Mapping[str, object] = NO_SETTINGS,
    env: Mapping[str, str] | None = None,
) -> Answer:
    """Answer `query`, or make the change it asks for, without writing it.

    `extra` is what the command line takes from a pipe, `on_text` gets each piece of the answer as it streams. No
    question is asked: consent and approved commands are those given on the command line before.
    """
    from optimizer.engine import run
    from optimizer.events import Finished, TextDelta

    wanted = Query(query, extra)
    with _services(path, settings, env, wanted) as services:
        outcome: Outcome | None = None
        for event in run.run(wanted, services):
            if isinstance(event, TextDelta) and on_text:
                on_text(event.text)
            elif isinstance(event, Finished):
                outcome = event.outcome
    if outcome is None:
        raise UnusableOutput("the run ended without an outcome")
    return _answer(outcome)


def _services(
    path: str | Path,
    settings: Mapping[str, object],
    env: Mapping[str, str] | None,
    query: Query | None = None,
    huge: bool = False,
) -> AbstractContextManager[Services]:
    from optimizer.wiring.services import services
    from optimizer.wiring.workspace import Start

    start = Start(
        Path(path), os.environ if env is None else env, dict(settings), query=query, may_walk=lambda _, __: huge
    )
    return services(start, lambda _: None, lambda _: None)


def _context(found: retrieval.Context) -> Context:
    from optimizer.report.evidence import phrase, phrases

    return Context(
        query=found.query,
        tokens=found.tokens,
        files=tuple(RankedFile(one.path, one.score, phrases(one.why, found.query)) for one in found.files),
        items=tuple(ContextItem(**{**one._asdict(), "why": phrase(one.why, found.query)}) for one in found.items),
        timing_ms=found.timing_ms,
        skipped=_skipped(found.skipped),
    )


def _skipped(found: Iterable[retrieval.Skipped]) -> tuple[Skipped, ...]:
    from optimizer.report.left_out import why

    return tuple(Skipped(one.path, why(one)) for one in found)


def _answer(outcome: Outcome) -> Answer:
    from optimizer.report.diff import unified

    patch = outcome.patch
    checks = outcome.verdict.checks if outcome.verdict else ()
    return Answer(
        text=outcome.text,
        diff=unified(patch) if patch else "",
        changes={change.path: change.after for change in patch.changes} if patch else {},
        checks=tuple(CheckResult(check.name, check.passed, check.detail) for check in checks),
        model=outcome.model,
        tier=outcome.tier,
        cost=outcome.cost,
        exit_code=outcome.exit_code,
        hint=outcome.hint,
    )
