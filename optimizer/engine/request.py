"""The values of a request on its way through the tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.retrieval import Context, Query
from optimizer.types import Patch, Task, Verdict

if TYPE_CHECKING:
    from optimizer.agent.loop import Unfinished
    from optimizer.agent.notes import Notes


@dataclass(frozen=True, slots=True)
class Request:
    """A request on its way: its id, and what every attempt is asked."""

    id: str
    query: Query
    context: Context
    task: Task
    notes: Notes | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """What the attempts before leave to the next: its answer budget in tokens, what was wrong with the last answer, and
    a conversation that its provider broke off."""

    answer_tokens: int
    evidence: str = ""
    unfinished: Unfinished | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What one attempt came to: `failure` is '' when it passed, else why not in a line.

    `absent` tells that no model of its provider can be asked. The next attempt is told the `evidence`, or where there
    is none the failure. `cost` is micro-dollars of all calls of the attempt, None when one has no known price.
    """

    failure: str
    text: str = ""
    patch: Patch | None = None
    verdict: Verdict | None = None
    evidence: str = ""
    exit_code: int = 3
    cut: bool = False
    from_provider: bool = False
    absent: bool = False
    cost: int | None = 0
    unfinished: Unfinished | None = None
