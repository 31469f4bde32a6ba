"""Good patches broken as models break them: one identifier, bracket or import, in a changed line."""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from optimizer.index.reader import Index
from optimizer.languages import imports
from optimizer.languages.source import Source
from optimizer.types import FileChange

_NAME = re.compile(rb"(?<![\w.$@#:>'\"-])[A-Za-z_]\w{2,}")
_CALL = re.compile(rb"(?<![\w.$@#:>'\"-])[A-Za-z_]\w{2,}(?=\()")
_CLOSING = re.compile(rb"[)\]}]")
_ATTRIBUTE = re.compile(rb"(?<![\w.$@#:>'\"-])([A-Za-z_]\w*)\.([A-Za-z_]\w*)\b")
_IMPORTED = (
    re.compile(rb"^[ \t]*import (?P<name>\w+)(?: as (?P<as>\w+))?[ \t]*\r?\n", re.M),
    re.compile(rb"^[ \t]*from [\w.]+ import (?P<name>\w+)(?: as (?P<as>\w+))?[ \t]*\r?\n", re.M),
    re.compile(rb"^import (?:type )?\{? *(?P<name>\w+) *\}? from ['\"][^'\"\n]+['\"];?\r?\n", re.M),
    re.compile(rb"^(?:const|var|let) (?P<name>\w+) = require\(['\"][^'\"\n]+['\"]\);?\r?\n", re.M),
    re.compile(rb"^\t\"(?:[\w.-]+/)*(?P<name>\w+)\"\r?\n", re.M),
    re.compile(rb"^use (?:\w+::)+(?P<name>\w+);\r?\n", re.M),
    re.compile(rb"^import (?:\w+\.)+(?P<name>[A-Z]\w*);?\r?\n", re.M),
    re.compile(rb"^use (?:\w+\\)+(?P<name>\w+);\r?\n", re.M),
)
_KEYWORDS = frozenset(
    b"""
    and as assert async await break case catch class const continue def default defer del do elif else end
    enum except export extends extern false False final finally fn for foreach from func function global go
    goto if impl import in instanceof interface is lambda let loop match mod module mut namespace new nil
    None nonlocal not null or package pass private protected public pub raise range ref require rescue return
    self Self select sizeof static struct super switch then this throw trait true True try type typedef
    typeof undefined union unless unsafe until use using val var void where while with yield int bool str len
    print
    """.split()
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """The broken bytes of a file, what kind of break it is and where."""

    kind: str
    after: bytes
    place: str


def mutant(change: FileChange, kind: str, rng: random.Random, index: Index) -> Mutant | None:
    """The file after the change broken in that way, in a changed line; None where the kind does not apply."""
    after = change.after or b""
    made = KINDS[kind](change, _changed(change), rng, index)
    if made is None:
        return None
    start, end, text, detail = made
    line = after.count(b"\n", 0, start) + 1
    name = detail or kind
    return Mutant(name, after[:start] + text + after[end:], f"{change.path}:{line} {after[start:end]!r} -> {text!r}")


Break = tuple[int, int, bytes, str]


def _changed(change: FileChange) -> list[tuple[int, int]]:
    """The byte ranges of the lines that are new."""
    old, new = (change.before or b"").split(b"\n"), (change.after or b"").split(b"\n")
    starts = [0]
    for line in new:
        starts.append(starts[-1] + len(line) + 1)
    codes = difflib.SequenceMatcher(None, old, new, autojunk=True).get_opcodes()
    return [(starts[j1], starts[j2] - 1) for tag, _, _, j1, j2 in codes if tag != "equal" and j2 > j1]


def _found(pattern: re.Pattern[bytes], change: FileChange, ranges: list[tuple[int, int]]) -> Iterator[re.Match[bytes]]:
    for start, end in ranges:
        yield from pattern.finditer(change.after or b"", start, end)


def _is(change: FileChange, place: int, name: bytes, *kinds: str) -> bool:
    found = Source(change.path, change.after or b"").occurrences(name.decode())
    return any(one.start == place and one.kind in kinds for one in found)


def _used(change: FileChange, name: bytes) -> int:
    return sum(
        one.kind in ("use", "call") for one in Source(change.path, change.after or b"").occurrences(name.decode())
    )


def _pick(
    found: Iterator[re.Match[bytes]], rng: random.Random, fits: Callable[[re.Match[bytes]], bool]
) -> re.Match[bytes] | None:
    places = [one for one in found if one[0] not in _KEYWORDS]
    rng.shuffle(places)
    return next((one for one in places[:12] if fits(one)), None)


def _rename(change: FileChange, ranges: list[tuple[int, int]], rng: random.Random, index: Index) -> Break | None:
    """A name that is used in several places is misspelt in one of them."""
    after = change.after or b""

    def fits(one: re.Match[bytes]) -> bool:
        follows = after[one.end() : one.end() + 3].lstrip()[:1]
        is_used = _is(change, one.start(), one[0], "use", "call") and follows not in (b"=", b":", b"!")
        return is_used and len(Source(change.path, after).occurrences(one[0].decode())) > 1

    one = _pick(_found(_NAME, change, ranges), rng, fits)
    return (one.start(), one.end(), one[0][:-1] + (b"e" if one[0][-1:] != b"e" else b"a"), "") if one else None


def _undefined_call(
    change: FileChange, ranges: list[tuple[int, int]], rng: random.Random, index: Index
) -> Break | None:
    """A function is called that is not defined."""
    found = _found(_CALL, change, ranges)
    one = _pick(found, rng, lambda one: _is(change, one.start(), one[0], "call"))
    return (one.start(), one.end(), b"prepared_" + one[0], "") if one else None


def _bracket(change: FileChange, ranges: list[tuple[int, int]], rng: random.Random, index: Index) -> Break | None:
    places = list(_found(_CLOSING, change, ranges))
    rng.shuffle(places)
    for one in places[:12]:
        line = (change.after or b"")[: one.start()].rpartition(b"\n")[2]
        if (
            not line.strip().startswith((b"#", b"//", b"*", b"--"))
            and line.count(b'"') % 2 == line.count(b"'") % 2 == 0
        ):
            return one.start(), one.end(), b"", ""
    return None


def _import(change: FileChange, ranges: list[tuple[int, int]], rng: random.Random, index: Index) -> Break | None:
    """An import that the file uses is left out."""
    after = change.after or b""
    places = [one for pattern in _IMPORTED for one in pattern.finditer(after)]
    rng.shuffle(places)
    for one in places[:12]:
        named = one.groupdict()
        if _used(change, named.get("as") or one["name"]):
            return one.start(), one.end(), b"", ""
    return None


def _attribute(change: FileChange, ranges: list[tuple[int, int]], rng: random.Random, index: Index) -> Break | None:
    """Something is taken from a module that does not have it."""
    after = change.after or b""
    raw = Source(change.path, after).imports
    places = list(_found(_ATTRIBUTE, change, ranges))
    rng.shuffle(places)
    tree = imports.tree(index.paths(), {p: index.read(p) for p in index.paths() if imports.is_manifest(p)})
    for one in places[:12]:
        name = one[1].decode()
        bound = [i for i in raw if re.split(r"[./\\:]+", i.module)[-1] == name or name in i.names]
        if not bound or not _is(change, one.start(1), one[1], "use", "call") or not one[2]:
            continue
        edges = imports.resolve(change.path, tuple(bound), tree)
        local = any(edge.target and edge.module.replace("/", ".").endswith(name) for edge in edges)
        kind = "attribute of a module of the repository" if local else "attribute of another module or object"
        return one.start(2), one.end(2), one[2] + b"_anew", kind
    return None


KINDS: dict[str, Callable[[FileChange, list[tuple[int, int]], random.Random, Index], Break | None]] = {
    "used name misspelt": _rename,
    "undefined function called": _undefined_call,
    "bracket dropped": _bracket,
    "import deleted": _import,
    "attribute": _attribute,
}
