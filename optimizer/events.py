"""What the engine tells while it works, one frozen value an event."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.types import Context, Outcome, Patch, Quote, Route, Task, UsageRecord, Verdict


@dataclass(frozen=True, slots=True)
class Chosen:
    """The context is ready."""

    context: Context


@dataclass(frozen=True, slots=True)
class Routed:
    """The attempts are decided; `quotes` say what the request would cost on each tier, asked or not."""

    task: Task
    route: Route
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """One line a person should read: an attempt that starts, fails or is passed over, and why."""

    text: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer as it streams."""

    text: str


@dataclass(frozen=True, slots=True)
class Stepped:
    """A tool call of a model was served: which answer of the attempt it was in, what was asked, what it came to."""

    step: int
    model: str
    tool: str
    arguments: str
    result: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """A patch that was applied in memory."""

    patch: Patch


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on the last answer."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a model says is wrong with a proven change, a line each, none where it found nothing; it is no verdict.

    `own` tells that the same model made the change.
    """

    model: str
    findings: tuple[str, ...]
    own: bool = False


@dataclass(frozen=True, slots=True)
class Booked:
    """An attempt was written to the ledger."""

    record: UsageRecord


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a run."""

    outcome: Outcome


Event = Chosen | Routed | Notice | TextDelta | Stepped | Proposed | Judged | Reviewed | Booked | Finished
