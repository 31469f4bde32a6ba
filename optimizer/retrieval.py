"""The nouns of retrieval: what is asked of a repository, and what is found in it.

They stand apart from the other nouns, and are named tuples, because every command makes them at its start: a frozen
dataclass takes six times as long to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from optimizer.images import Image

SymbolKind = Literal[
    "function",
    "method",
    "class",
    "interface",
    "struct",
    "enum",
    "trait",
    "module",
    "type",
    "constant",
    "macro",
    "section",  # a heading, key, table, rule or id of a file that is not code
]
ReferenceKind = Literal["call", "import", "use", "definition"]
SkipCode = Literal["large", "secret", "name", "unreadable", "binary", "slow", "crash"]
ItemKind = Literal["body", "signature", "file"]

_NOTHING: Mapping[str, float] = MappingProxyType({})


class Query(NamedTuple):
    """What the user typed, what was piped in, the pictures that go with it, and the files that a reader named."""

    text: str
    extra: str = ""
    images: tuple[Image, ...] = ()
    read: tuple[str, ...] = ()


class Symbol(NamedTuple):
    """A definition: `qualified` is `Outer.inner`, `line` is where the name stands, `doc` the first line of its docs."""

    name: str
    qualified: str
    kind: SymbolKind
    path: str
    start: int
    end: int
    line: int
    signature: str
    parent: str = ""
    doc: str = ""


class Reference(NamedTuple):
    """One use of a name; `symbol` is the qualified name of the definition it stands in, '' at top level."""

    path: str
    line: int
    text: str
    symbol: str
    kind: ReferenceKind


class Skipped(NamedTuple):
    """A file the index left out, why, and the limit that it passes: bytes of `large` files, seconds of `slow` ones."""

    path: str
    code: SkipCode
    limit: float = 0


class Signal(NamedTuple):
    """What speaks for a file or a piece of one: a signal of the ranking, and the name or path that it found."""

    name: str
    subject: str = ""


class RankedFile(NamedTuple):
    """A file with its score and the signals that carried it."""

    path: str
    score: float
    why: tuple[Signal, ...]


class ContextItem(NamedTuple):
    """A piece of a file chosen for the prompt; `text` is what is sent, without line numbers."""

    path: str
    start: int
    end: int
    symbol: str
    kind: ItemKind
    tokens: int
    score: float
    why: tuple[Signal, ...]
    text: str


class Context(NamedTuple):
    """What was chosen for a query: files best first, items in the order they are rendered."""

    query: str
    tokens: int
    files: tuple[RankedFile, ...]
    items: tuple[ContextItem, ...]
    timing_ms: Mapping[str, float] = _NOTHING
    skipped: tuple[Skipped, ...] = ()


class ContextLimits(NamedTuple):
    """How large a context may be: tokens as rendered for a prompt, files drawn from, ranked files listed."""

    max_tokens: int
    max_files: int = 12
    top: int = 10


class Progress(NamedTuple):
    """Work done so far on something slow; `total` is 0 when unknown."""

    what: str
    done: int
    total: int
