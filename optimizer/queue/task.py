"""A task of the queue: what is asked, what became of it, and when it is tried again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

State = Literal["waiting", "running", "done", "flagged", "failed", "cancelled"]
"""`flagged` is done, with a result that nothing uses before a person has kept it."""

Why = Literal["", "error", "late", "died", "unknown", "refused", "asked", "dropped"]
"""Why a task ended without a result, or waits again.

`error`: it failed; `late`: its deadline passed; `died`: its worker ended; `unknown`: no worker knows its kind;
`refused`: it may not be done (a cap, consent, a secret); `asked`: somebody cancelled it; `dropped`: its flagged result
was.
"""

NEVER = 1e18  # as a deadline: there is none
MOST_ATTEMPTS, MOST_DEATHS = 4, 5
FIRST_WAIT, LONGEST_WAIT = 2.0, 600.0


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be done: those of a higher `priority` first, then those with the nearest `deadline` (a time).

    A task with a `key` is added once, however often that is asked. The result of a task of the same kind and payload is
    used again where it is `cached`; otherwise such a task is not added while another one waits.
    """

    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    repository: str = ""
    priority: int = 0
    deadline: float = NEVER
    key: str = ""
    cached: bool = True

    @property
    def body(self) -> str:
        """The payload, as it is kept."""
        return json.dumps(self.payload, sort_keys=True, ensure_ascii=False)

    @property
    def content(self) -> str:
        """What distinguishes tasks that have different results."""
        whole = json.dumps([self.kind, self.repository, self.body, self.cached])
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it is kept; times are seconds since the epoch, 0 where there was none.

    `attempts` failed so far, the last one for the reason `why` with `detail`; `note` is how far a running task is;
    `result` is its result, also where that is flagged; `pid` is the process at work on it.
    """

    id: int
    kind: str
    payload: Mapping[str, Any]
    repository: str
    priority: int
    deadline: float
    state: State
    made: float
    begun: float
    ended: float
    after: float
    attempts: int
    deaths: int
    why: Why
    detail: str
    note: str
    result: Mapping[str, Any] | None
    pid: int


class Claim(NamedTuple):
    """Tasks of one kind that a worker has taken; `token` proves that they are still its own."""

    token: int
    tasks: tuple[Task, ...]


class Done(NamedTuple):
    """The result of a task; `flagged`: nothing may use it before a person has kept it."""

    result: Mapping[str, Any]
    flagged: bool = False


class Failed(NamedTuple):
    """A failure of a task; `again`: another attempt may help, after `wait` seconds at the earliest."""

    why: Why
    detail: str
    again: bool = True
    wait: float = 0.0


def pause(attempts: int, chance: float) -> float:
    """Seconds before a task that failed so often is tried again: twice as many each time, half of them by `chance`."""
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts - 1, 30))) * (0.5 + chance / 2)
