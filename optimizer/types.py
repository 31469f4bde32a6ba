"""The nouns of the house: frozen values that flow between the rooms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from optimizer.retrieval import Context as Context
from optimizer.retrieval import ContextItem as ContextItem
from optimizer.retrieval import ContextLimits as ContextLimits
from optimizer.retrieval import ItemKind as ItemKind
from optimizer.retrieval import Progress as Progress
from optimizer.retrieval import Query as Query
from optimizer.retrieval import RankedFile as RankedFile
from optimizer.retrieval import Reference as Reference
from optimizer.retrieval import ReferenceKind as ReferenceKind
from optimizer.retrieval import Skipped as Skipped
from optimizer.retrieval import Symbol as Symbol
from optimizer.retrieval import SymbolKind as SymbolKind
from optimizer.tiers import ASIDE as ASIDE
from optimizer.tiers import TIERS as TIERS
from optimizer.tiers import TaskKind as TaskKind
from optimizer.tiers import Tier as Tier
from optimizer.toolspec import ToolSpec as ToolSpec

if TYPE_CHECKING:
    from optimizer.images import Image
    from optimizer.reasons import Picked, Plan, Reason, Reserve, Sign, Size

EditFormat = Literal["tool", "text", "whole"]
StopReason = Literal["end", "tool", "length", "refusal", "loop"]
Cut = Literal["", "length", "late", "loop"]
"""Why an answer is not whole: its limit of tokens, a deadline or a broken connection, or it repeated itself."""


class Needs(NamedTuple):
    """What a task asks of a model: a window in tokens, calls of tools, sight of `images`, an answer that comes soon."""

    window: int = 0
    tools: bool = False
    vision: bool = False
    soon: bool = False
    images: tuple[Image, ...] = ()


class Task(NamedTuple):
    """What kind of work a query is; `difficulty` is in [0, 1]."""

    kind: TaskKind
    difficulty: float
    signs: tuple[Sign, ...]
    wants_edits: bool
    input_tokens: int
    output_tokens: int
    needs: Needs = Needs()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call a model made; `arguments` is the decoded JSON object, `malformed` the raw text that did not decode.

    `id` and `signature` are the provider's, and go back to it unchanged with the result.
    """

    name: str
    arguments: Mapping[str, Any]
    malformed: str = ""
    id: str = field(default="", compare=False)
    signature: str = field(default="", compare=False)


class ToolResult(NamedTuple):
    """The result of a call, as the model gets it."""

    call: ToolCall
    text: str
    failed: bool = False


class Message(NamedTuple):
    """One turn; the one after a model's calls has a result for each, in order; `state` goes back to it unchanged."""

    role: Literal["user", "assistant"]
    text: str
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    state: str = ""
    images: tuple[Image, ...] = ()


class Prompt(NamedTuple):
    """All that a provider needs to ask a model once; the stable part comes first, for caches.

    `lasting`: later requests begin with all that this one holds.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    max_output: int
    tokens: int
    temperature: float | None = None
    top_p: float | None = None
    lasting: bool = False


class Model(NamedTuple):
    """A row of the catalogue that a provider can be asked for; `price_ref` is its name in the price table, `resident`:
    it is loaded on the server that runs it, `vision`: it is known to see images, `trains`: what it is sent may be used
    to train models."""

    id: str
    provider: str
    tier: Tier
    window: int
    max_output: int
    tools: bool
    edit_format: EditFormat
    parameters: frozenset[str]
    licence: str
    label: str
    local: bool = False
    price_ref: str = ""
    resident: bool = False
    vision: bool = False
    trains: bool = False


class Quote(NamedTuple):
    """What one request is expected to cost on a model (micro-dollars; None: unknown)."""

    tier: Tier
    model: str
    cost: int | None


class Attempt(NamedTuple):
    """A model to ask, why, and what it is expected to cost (micro-dollars; None: unknown).

    A standby is asked only when the one before it in its tier could not be. `size` is how large its request may be
    (None: as any).
    """

    model: Model
    reason: Picked | Reserve
    estimate: int | None
    standby: bool = False
    size: Size | None = None


class LeftOut(NamedTuple):
    """A model that was not chosen, or ('') all models of a provider, and why."""

    model: str
    provider: str
    tier: Tier
    reason: Reason


class Route(NamedTuple):
    """Attempts in the order they will be tried, at most one a tier apart from the standbys."""

    attempts: tuple[Attempt, ...]
    plan: Plan
    left_out: tuple[LeftOut, ...] = ()


PartKind = Literal["note", "file-read", "user"]


class Part(NamedTuple):
    """A piece of a request: words of the user, lines of the file at `path`, or anything else that belongs to it."""

    kind: PartKind
    text: str
    path: str = ""
    start: int = 0
    end: int = 0


class Usage(NamedTuple):
    """Tokens of one call; the four input counts are disjoint, `output` includes reasoning."""

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    estimated: bool = False

    @property
    def prompt(self) -> int:
        """All input tokens, cached or not."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h


class Completion(NamedTuple):
    """A whole answer: it exists only when the provider's terminal event was seen, or the answer was stopped since it
    repeated itself; `state` as in a message.

    `waited` is the part of `seconds` before it began, 0 where that is unknown.
    """

    text: str
    tool_calls: tuple[ToolCall, ...]
    usage: Usage
    stop: StopReason
    model_served: str
    seconds: float
    state: str = ""
    waited: float = 0.0


class FileChange(NamedTuple):
    """Bytes of one file before and after; None where the file does not exist."""

    path: str
    before: bytes | None
    after: bytes | None


class Patch(NamedTuple):
    """All changes of one answer, computed in memory; nothing is written yet."""

    changes: tuple[FileChange, ...]


class Check(NamedTuple):
    """One proof that was tried; `passed` is None when it could not run, or (`ran`) when it proves nothing.

    `detail` is one line for people; `evidence` is the shortest excerpt that would help the next attempt.
    """

    name: str
    passed: bool | None
    detail: str = ""
    evidence: str = ""
    ran: bool = True


class Verdict(NamedTuple):
    """Whether an answer may be offered; `confidence` is in [0, 1] and comes from the checks alone.

    `weakened` are changed files of tests that hold the program to less than before; `judging` are those by which the
    program could alter how its tests are judged, or know that it is tested.
    """

    ok: bool
    checks: tuple[Check, ...]
    confidence: float
    weakened: tuple[str, ...] = ()
    judging: tuple[str, ...] = ()


class UsageRecord(NamedTuple):
    """One call of a model; `cost` is micro-dollars, None where the price is unknown.

    `arm` names the arm of an experiment that the call belongs to, '' for none.
    """

    request: str
    at: str
    tier: Tier
    label: str
    provider: str
    model_asked: str
    model_served: str
    usage: Usage
    seconds: float
    outcome: str
    cost: int | None
    task: str
    repository: str
    arm: str = ""


class Landed(NamedTuple):
    """What became of a proven change that was to be written.

    `entry` is its place in the journal, `commit` the git commit that holds it, if one was made, and `branch` the branch
    of that ('': a detached HEAD).
    """

    state: Literal["written", "declined", "unanswered", "checks-failed"]
    entry: str = ""
    commit: str = ""
    branch: str = ""


class Outcome(NamedTuple):
    """How a request ended; `exit_code` follows the contract of exit codes, `landed` is None where nothing was to be
    written. `cut` says why `text` is not the whole answer, '' where it is."""

    request: str
    tier: Tier
    model: str
    text: str
    patch: Patch | None
    verdict: Verdict | None
    cost: int | None
    exit_code: int = 0
    hint: str = ""
    landed: Landed | None = None
    cut: Cut = ""
