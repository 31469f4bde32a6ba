"""What a run yields: events, and questions that are sent an answer; one frozen value each."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal, NamedTuple, TypeVar

from optimizer.types import Context, Message, Outcome, Part, Patch, Quote, Route, Task, UsageRecord, Verdict

T = TypeVar("T")
NoticeKind = Literal[
    "asking-again",
    "cap-warning",
    "caution",
    "commit",
    "compacted",
    "failed",
    "going-on",
    "healthy-again",
    "higher-rate",
    "history",
    "images",
    "index",
    "input-cut",
    "input-masked",
    "redacted",
    "less-context",
    "new-script",
    "no-opinion",
    "no-review",
    "no-router",
    "no-summary",
    "no-tools",
    "not-committable",
    "not-committed",
    "not-named",
    "open-file",
    "plan",
    "prefix-changed",
    "project-notes",
    "read",
    "refused",
    "request-cut",
    "review-cut",
    "running",
    "not-sent",
    "unloaded",
    "shorter-answer",
    "starting",
    "summarising",
    "summary",
    "taking-over",
    "to-the-cloud",
    "waiting",
    "waiting-for-memory",
]
"""What a notice is about, for programs: its text is for people."""


class Chosen(NamedTuple):
    """The context is ready."""

    context: Context


class Routed(NamedTuple):
    """The attempts are decided; `quotes` say what the request would cost on each tier, asked or not."""

    task: Task
    route: Route
    quotes: tuple[Quote, ...] = ()


class Notice(NamedTuple):
    """One line a person should read: an attempt that starts, fails or is passed over, and why."""

    text: str
    kind: NoticeKind


class Calling(NamedTuple):
    """A call of a model begins; `loads`: its server has to load the model first."""

    model: str
    loads: bool


class TextDelta(NamedTuple):
    """A piece of the answer as it streams."""

    text: str


class Unseen(NamedTuple):
    """So many characters came that are no text of the answer: of tool calls, of thinking, of what another role says."""

    characters: int


class Stepped(NamedTuple):
    """A tool call of a model was served: which answer of the attempt it was in, the call, and its result."""

    step: int
    model: str
    tool: str
    arguments: str
    result: str


class Proposed(NamedTuple):
    """A patch that was applied in memory."""

    patch: Patch


class Judged(NamedTuple):
    """A verdict on the last answer."""

    verdict: Verdict


class Reviewed(NamedTuple):
    """The faults that a model finds in a proven change, a line each; they are advice, not a verdict.

    `own`: the same model made the change.
    """

    model: str
    findings: tuple[str, ...]
    own: bool = False


class Recorded(NamedTuple):
    """A usage record was written to the ledger; `left`: micro-dollars that the cap of the day leaves (None: no cap)."""

    record: UsageRecord
    left: int | None = None


class Exchanged(NamedTuple):
    """What a request adds to its conversation: its parts, then its messages, the first of which is made of them."""

    parts: tuple[Part, ...]
    messages: tuple[Message, ...]


class Finished(NamedTuple):
    """The last event of a run."""

    outcome: Outcome


Event = (
    Chosen
    | Routed
    | Notice
    | Calling
    | TextDelta
    | Unseen
    | Stepped
    | Proposed
    | Judged
    | Reviewed
    | Recorded
    | Exchanged
    | Finished
)


class ConsentQuestion(NamedTuple):
    """May code of this repository be sent to this provider? A yes is remembered.

    `trains`: what it is sent may be used to train models.
    """

    provider: str
    host: str
    repository: str
    trains: bool = False


class ProjectCommand(NamedTuple):
    """A command that a repository's own files name: its kind (tests, lint or types), and its text."""

    kind: str
    text: str


class TrustQuestion(NamedTuple):
    """May these commands be run to check changes of this repository? A yes or no for each is remembered."""

    commands: tuple[ProjectCommand, ...]


class CallCostQuestion(NamedTuple):
    """May a call be made that may cost `cost` micro-dollars, more than is spent without asking?"""

    model: str
    cost: int


class Hindrance(NamedTuple):
    """Why a git commit of some files would not hold an edit alone; `detail` is what git printed where it failed."""

    why: Literal["unknown", "uncommitted", "overlooked", "ignored"]
    paths: tuple[str, ...] = ()
    detail: str = ""


CarefulCode = Literal["acts", "hidden", "weakened", "judging"]
"""Why a file needs an answer of its own.

`acts`: a program acts on it unprompted (the detail names the program); `hidden`: a new line holds what a reader does
not see or takes for something else (the detail names the characters); `weakened`: its tests hold the program to less;
`judging`: by it the program could alter how its tests are judged.
"""


class Careful(NamedTuple):
    """A file of a change that no yes in advance covers, unless it names the file; the `code` says why."""

    path: str
    code: CarefulCode
    detail: str = ""


class LandingQuestion(NamedTuple):
    """Write this proven change, and with `commit` make a git commit of it?

    `careful` are its files that a yes in advance does not cover, each with the reason; `doubtful` is its confidence
    where that is too low to be written without a question.
    """

    patch: Patch
    careful: tuple[Careful, ...]
    commit: bool
    doubtful: float | None = None


class RenameQuestion(NamedTuple):
    """Rename these places (`path:line`) too, although it is not known that they mean what is renamed?"""

    name: str
    places: tuple[str, ...]


Question = ConsentQuestion | TrustQuestion | CallCostQuestion | LandingQuestion | RenameQuestion
"""Something that only the user can decide; no answer (None) counts as no, and is not remembered."""

UserAnswer = bool | tuple[bool, ...] | None
"""A yes or no; to a TrustQuestion also one for each command."""

Flow = Generator[Event | Question, UserAnswer, T]
"""Work that yields events and questions on its way to a result."""
