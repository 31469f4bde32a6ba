"""The helper in words: whether it runs, what it does and what waits, what failed and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from optimizer.report.figures import count, duration
from optimizer.report.layout import inert

WHY: Mapping[str, str] = {
    "error": "an error",
    "late": "its deadline passed",
    "died": "its worker ended while it ran",
    "unknown": "no kind of task of this version",
    "refused": "it may not be done",
    "asked": "it was cancelled",
}


class Line(NamedTuple):
    """A task in a list: `since` are seconds that it has run, or since it was made."""

    id: int
    kind: str
    repository: str
    since: float
    note: str = ""
    why: str = ""
    detail: str = ""
    attempts: int = 0


class Status(NamedTuple):
    """The state of the helper: its process (0: none) for so many seconds, and its tasks."""

    pid: int
    seconds: float
    answers: bool
    counts: Mapping[str, int]
    running: Sequence[Line] = ()
    waiting: Sequence[Line] = ()
    failed: Sequence[Line] = ()


def status(now: Status) -> str:
    """The state, a line for each thing."""
    lines = ["the helper does not run"]
    if now.pid:
        silent = "" if now.answers else ", but does not answer"
        lines = [f"the helper runs as process {now.pid} for {duration(now.seconds)}{silent}"]
    lines += [f"runs    {_named(one)} for {duration(one.since)}{_more(one)}" for one in now.running]
    lines += [f"waits   {_named(one)} for {duration(one.since)}{_more(one)}" for one in now.waiting]
    lines += [f"failed  {_named(one)}{_more(one)}" for one in now.failed]
    lines.append(", ".join(f"{count(number, 'task')} {state}" for state, number in now.counts.items()) or "no tasks")
    return "\n".join(lines)


def wire(now: Status) -> dict[str, Any]:
    """The state as an object."""
    tasks = {name: [one._asdict() for one in getattr(now, name)] for name in ("running", "waiting", "failed")}
    return {"event": "helper", **now._asdict(), "counts": dict(now.counts), **tasks}


def _named(one: Line) -> str:
    return inert(f"{one.id} {one.kind} {one.repository}".strip())


def _more(one: Line) -> str:
    last = ": ".join(filter(None, (WHY.get(one.why, ""), one.detail)))
    tried = f"{count(one.attempts, 'attempt')} failed" if one.attempts else ""
    more = "; ".join(filter(None, (one.note, last, tried)))
    return inert(f" ({more})") if more else ""
