"""What the new lines of a change hide from the person who reads its diff.

That is what is not seen anywhere, letters of another script in a word of code or of a string, and in code also words
that a language reads as ASCII although they are not, and spaces that are not the usual one. A line that stood in a file
of the change before counts nowhere, wherever it moves. Comments and texts for people may hold any script.
"""

from __future__ import annotations

import re
import unicodedata
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import accumulate
from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple

from optimizer.characters import SPACES, as_ascii, mixes, unseen
from optimizer.encodings import marked, text_of
from optimizer.types import FileChange, Patch

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_SECONDS = 2.0
# Files of these endings are read by people, or are data; others without a grammar are taken for code.
_TEXTS = re.compile(
    r".*\.(?:md|markdown|mdx|rst|txt|text|adoc|asciidoc|org|tex|po|pot|html?|xhtml|xml|svg|csv|tsv|json|ya?ml|toml|ini"
    r"|cfg|conf|properties|strings|resx|arb|ftl|srt|vtt|log|diff|patch)",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN = re.compile(rb"[\t\n -~]*(?:\r\n[\t\n -~]*)*")
_WORD = re.compile(r"[\w$]*[^\W\x00-\x7f][\w$]*")
_SPACE = re.compile(f"[{SPACES}]")
_OF_STRINGS = re.compile("string|char|heredoc|template|regex|literal|text|content")
_CODE_WITHIN = re.compile("interpolation|substitution|embedded")

Place = Literal["code", "string", "comment", "unknown"]


class Hidden(NamedTuple):
    """A character that is not what it seems: its line (from 1), its offset in that line, and itself."""

    line: int
    column: int
    character: str


def hidden(patch: Patch) -> dict[str, tuple[Hidden, ...]]:
    """What the new lines of each changed file hide, by path; files without are left out."""
    suspect = [change for change in patch.changes if change.after and not _PLAIN.fullmatch(change.after)]
    if not suspect:
        return {}
    gone: Counter[str] = Counter()
    for change in patch.changes:
        gone += _counted(change.before) - _counted(change.after)
    found: dict[str, tuple[Hidden, ...]] = {}
    for change in suspect:
        new = _counted(change.after) - _counted(change.before)
        moved = new & gone
        gone -= moved
        if marks := tuple(_marks(change, new - moved)):
            found[change.path] = marks
    return found


def shown_text(data: bytes) -> str | None:
    """The text of a file as a person is to see it, None for a binary file; a byte order mark of UTF-8 stays."""
    if not marked(data).mark or data.startswith(BOM_UTF8):
        try:
            return data.decode()
        except UnicodeDecodeError:
            if b"\0" in data:
                return None
    return text_of(data)


def _lines(data: bytes | None) -> list[str]:
    """The lines of a file without their ends; only a line feed ends one, so that nothing hides behind another end."""
    return (shown_text(data) or "").split("\n") if data else []


def _counted(data: bytes | None) -> Counter[str]:
    """The lines of a file without the spaces around them, and how often each stands there; those of ASCII are left out.

    A line of ASCII with controls is not.
    """
    if not data or _PLAIN.fullmatch(data):
        return Counter()
    return Counter(
        line.strip(" \t\r") for line in _lines(data) if not (line.isascii() and line.removesuffix("\r").isprintable())
    )


def _marks(change: FileChange, new: Counter[str]) -> Iterator[Hidden]:
    """What is hidden in those lines of a changed file that are `new`, the first ones of equal lines."""
    assert change.after is not None
    rows = _lines(change.after)
    old_ends = change.before is not None and b"\r" in change.before and b"\n" not in change.before
    places = _Places(change.path, rows)
    left = Counter(new)
    for number, row in enumerate(rows):
        key = row.strip(" \t\r")
        if left[key] <= 0:
            continue
        left[key] -= 1
        for at in _columns(row, number, places):
            if (row[at], old_ends) != ("\r", True) and (number, at, row[at]) != (0, 0, "\ufeff"):
                yield Hidden(number + 1, at, row[at])


def _columns(row: str, number: int, places: _Places) -> list[int]:
    """The offsets in a line of what is hidden in it; `number` is that of the line, from 0."""
    found = set(unseen(row + "\n"))
    if places.of_people or row.isascii():
        return sorted(found)
    for space in _SPACE.finditer(row):
        if places.at(number, space.start()) == "code":
            found.add(space.start())
    for word in _WORD.finditer(row):
        seems = _seems(word[0])
        if seems is None or (seems.like and seems.like not in places.words):
            continue
        if places.at(number, word.start()) in (("code", "string", "unknown") if seems.mixed else ("code",)):
            found.add(word.start() + seems.at)
    return sorted(found)


class _Seeming(NamedTuple):
    """Where in a word a letter is not what it seems: it is `mixed` in, or all of the word is `like` one of ASCII."""

    at: int
    mixed: bool = False
    like: str = ""


@lru_cache(maxsize=10_000)
def _seems(word: str) -> _Seeming | None:
    if letter := mixes(word):
        return _Seeming(word.index(letter), mixed=True)
    if (plain := as_ascii(word)).isascii():
        return _Seeming(0, like=plain)
    for at, letter in enumerate(word):
        same = unicodedata.normalize("NFKC", letter)
        if same != letter and same.isascii() and same.isalpha():
            return _Seeming(at)
    return None


class _Places:
    """Where in a file an offset lies; parsed when first asked."""

    def __init__(self, path: str, rows: list[str]) -> None:
        self._path, self._rows = path, rows

    @cached_property
    def of_people(self) -> bool:
        """Whether the file is read by people or is data."""
        from optimizer.languages.table import language_of

        language = language_of(self._path)
        if language is not None:
            return language.outline or language.prose
        return _TEXTS.fullmatch(self._path) is not None

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of ASCII in the file."""
        return frozenset(re.findall(r"(?<![\w$])[A-Za-z_$][A-Za-z0-9_$]*(?![\w$])", "\n".join(self._rows)))

    @cached_property
    def _starts(self) -> list[int]:
        """The offset in bytes of each line."""
        return list(accumulate((len(row.encode("utf-8", "replace")) + 1 for row in self._rows), initial=0))

    @cached_property
    def _root(self) -> Node | None:
        from optimizer.languages import syntax
        from optimizer.languages.source import reading

        found = reading(self._path, "\n".join(self._rows).encode("utf-8", "replace"))
        if found is None or found[0].cells:
            return None
        try:
            return syntax.root_of(*found, monotonic() + MOST_SECONDS)
        except syntax.TooSlow:
            return None

    def at(self, number: int, column: int) -> Place:
        """What the character at an offset of a line (from 0) belongs to."""
        if self._root is None:
            return "unknown"
        start = self._starts[number] + len(self._rows[number][:column].encode("utf-8", "replace"))
        node = self._root.descendant_for_byte_range(start, start + 1)
        while node is not None:
            if "comment" in node.type:
                return "comment"
            if _CODE_WITHIN.search(node.type):
                return "code"
            if _OF_STRINGS.search(node.type):
                return "string"
            node = node.parent
        return "code"
