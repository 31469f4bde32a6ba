"""Why a request is of its kind, and a model is asked or is not: data, which `report/reasons.py` words.

Named tuples, because dozens of data classes would slow the start of every run.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from optimizer.images import Image


class Why(Enum):
    """Reasons against a model that need no figures."""

    CONSENT = "consent"
    LOCKED = "locked"  # its stored key cannot be read
    LOCAL_OFF = "local_off"  # local models are off
    BLIND = "blind"  # it is not known to see images
    PROBING = "probing"  # another run tries it after a failure
    OTHERS_FIRST = "others_first"  # other runs have waited for it longer
    ONE_MODEL = "one_model"  # only the named model is asked
    ROUTING_OFF = "routing_off"  # only the best tier is asked
    TIER_SKIPPED = "tier_skipped"  # no model of its tier is asked


CautionCode = Literal["calculation", "code", "legal", "medical", "tax", "unproven"]
"""What a person should know before they rely on an answer."""

SignCode = Literal[
    "own_word",
    "opinion",
    "rated",
    "greeting",
    "foreign_word",
    "foreign_start",
    "begins_with",
    "asks_to",
    "calculation",
    "vectors",
    "invention",
    "design_question",
    "failure_question",
    "place_question",
    "fact_question",
    "question",
    "failure",
    "error_message",
    "tests",
    "task",
    "no_keyword",
    "hard_subject",
    "wide_reach",
    "several_steps",
    "small_change",
    "files_in_view",
    "long_prompt",
    "long_request",
    "tools",
    "images",
    "image_missing",
    "soon",
]


class Sign(NamedTuple):
    """What the kind, the difficulty or the needs of a request are read from.

    `word` is what was found in the request, `language` its language where that is not English, `amount` a number of
    files, tokens or images. An opinion has the kind as its `word`, and the `model` that gave it.
    """

    code: SignCode
    word: str = ""
    language: str = ""
    model: str = ""
    amount: int = 0


class NoOpinion(NamedTuple):
    """Why the model of `local.router` gave no opinion.

    It failed or was refused (`failure` is the message of the error), the models `others` leave it no memory, its answer
    names no kind, or there was none within `seconds`.
    """

    code: Literal["failed", "no_memory", "no_kind", "late"]
    failure: str = ""
    others: tuple[str, ...] = ()
    seconds: float = 0.0


class By(NamedTuple):
    """What prefers or requires something of models: a profile, a role, or a setting."""

    kind: Literal["profile", "role", "setting"]
    name: str


class NoKey(NamedTuple):
    """The environment variable of its key is not set; `page` says where to get one."""

    variable: str
    page: str = ""


class OtherTier(NamedTuple):
    """Only models of `tier` are wanted, so its server was not asked for its list."""

    tier: str


class NoAnswer(NamedTuple):
    """Its server does not answer; `pull` is a model to get where that server can download one."""

    server: str
    host: str
    pull: str = ""


class ServerFailed(NamedTuple):
    """Its server failed to list its models: the message and hint of the error."""

    message: str
    hint: str


class HoldsNothing(NamedTuple):
    """Its server holds no model that can answer; `pull` as above."""

    server: str
    host: str
    pull: str = ""


class NotHeld(NamedTuple):
    """Its server does not hold the model that the user named; `pulls` where that server can download it."""

    server: str
    pulls: bool


class Unfit(NamedTuple):
    """The catalogue says why it is never asked."""

    text: str


class AskedModel(NamedTuple):
    """The user named another model, or pinned it for this project."""

    model: str
    pinned: bool = False


class AskedProvider(NamedTuple):
    """The user named another provider."""

    provider: str


class AskedTier(NamedTuple):
    """The user named another tier."""

    tier: str


class AboveTier(NamedTuple):
    """Its tier costs more than the most expensive one allowed."""

    most: str


class ImageRefused(NamedTuple):
    """Its provider does not take an image, or (None) all of them together: the limit that is broken, and the bytes
    that are sent."""

    limit: Literal["kinds", "side", "pixels", "bytes", "total"]
    most: int
    size: int
    image: Image | None = None
    kinds: frozenset[str] = frozenset()


class Window(NamedTuple):
    """Its window is too small."""

    has: int
    needs: int


class Lacks(NamedTuple):
    """A profile or role requires capabilities that it does not have."""

    by: By
    capabilities: tuple[str, ...]


class Narrow(NamedTuple):
    """A profile or role requires a larger window."""

    by: By
    has: int
    needs: int


class KeptLocal(NamedTuple):
    """A profile or role is kept on this machine."""

    by: By


class Resting(NamedTuple):
    """It rests after a failure until a time in seconds since the epoch; `failure` is the message of the error."""

    until: float
    failure: str


class Failed(NamedTuple):
    """It failed `times` in a row since a time in seconds since the epoch, and may be asked again."""

    times: int
    since: float
    failure: str


class Well(NamedTuple):
    """It answered when last asked; `seconds` on average."""

    seconds: float


State = Resting | Failed | Well | None
"""How a model answered recently; None: it was not asked yet."""


class Shortage(NamedTuple):
    """A quota has not enough left; `resets` is None where it could not serve such a call at all."""

    what: str
    period: int
    size: int
    left: int
    needs: int
    resets: float | None


class Cap(NamedTuple):
    """A cap on money (micro-dollars) would be broken; `priced`: the price of the call is known."""

    cap: Literal["day", "run"]
    size: int
    used: int
    charge: int
    priced: bool = True


class Hopeless(NamedTuple):
    """It seldom succeeded on such tasks here."""

    accepted: int
    tries: int


class NoSaving(NamedTuple):
    """Trying it before the tiers above costs more than it saves on average (micro-dollars)."""

    cost: float
    saves: float


class Later(NamedTuple):
    """Seconds until it can be asked: until its limit allows it, and until it has rested after a failure."""

    limit: float
    rest: float


class Trimmed(NamedTuple):
    """Code is left out, so that the prompt stays within the lower step of its price."""

    tokens: int
    step: int


class HigherRate(NamedTuple):
    """The prompt is above the lower step of its price."""

    step: int


class Cached(NamedTuple):
    """Tokens of this project are in its prompt cache."""

    tokens: int


Note = Later | Trimmed | HigherRate | Cached


class Preferred(NamedTuple):
    """It is preferred: by its name or family (`what`), or because the catalogue says that it suits a profile."""

    by: By
    what: str = ""
    suits: str = ""


class Behind(NamedTuple):
    """What puts a model behind another one of its tier, which is named.

    `own` and `first` are micro-dollars where `by` is a cost, `preferred` is what prefers the first where `by` is
    that (None: it calls tools), `later` says when this one can be asked, `waits` that the first one must wait too.
    """

    by: Literal["wait", "unknown price", "preference", "loaded", "order", "chance", "price", "accepted cost"]
    model: str
    own: int | None = None
    first: int | None = None
    preferred: Preferred | None = None
    later: Note | None = None
    waits: bool = False


class Picked(NamedTuple):
    """Why a model is asked first in its tier, of `among` models."""

    place: Literal["named", "pinned", "only", "one", "cheapest", "best"]
    among: int = 1
    accepted: int = 0
    tries: int = 0
    asks: bool = False
    preferred: Preferred | None = None
    note: Note | None = None


class Reserve(NamedTuple):
    """Why a model is asked only when the first of its tier could not be."""

    behind: Behind
    loaded: bool = False


class Plan(NamedTuple):
    """What a route follows: the one model that may be asked, whether tiers are tried in turn, and the profile.

    `instead_of` is the profile that no model fits, `by_kind`: the kind of work chose the profile.
    """

    only: str = ""
    pinned: bool = False
    routing: bool = True
    profile: By | None = None
    instead_of: By | None = None
    by_kind: bool = False


class Size(NamedTuple):
    """The most tokens of a request, answer included, and why so many: they are set, no code is left for more, it is a
    local or free model, its window or price is in the way, more is worth its price, or an answer before failed.

    `price` is micro-dollars of what a larger request adds.
    """

    tokens: int
    why: Literal["set", "all", "local", "free", "window", "unpriced", "price", "worth", "failed"]
    price: int = 0


Reason = (
    Why
    | NoKey
    | OtherTier
    | NoAnswer
    | ServerFailed
    | HoldsNothing
    | NotHeld
    | Unfit
    | AskedModel
    | AskedProvider
    | AskedTier
    | AboveTier
    | ImageRefused
    | Window
    | Lacks
    | Narrow
    | KeptLocal
    | Resting
    | Shortage
    | Cap
    | Hopeless
    | NoSaving
    | Behind
)
OWN_REQUEST = (AskedModel, AskedProvider, AskedTier)  # reasons that only repeat what the user asked for
