"""What names and paths of a question mean in the index, and the nearest ones when they mean nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from optimizer.languages.spelling import without_place, words_of
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from optimizer.index.reader import Index

NEAREST = 5
LEAST_LIKENESS = 0.6
# Marks that end names in some languages, and that a question may end with, or a macro be called with.
_MARKS = ("?", "!", "=")


def parts_of(name: str) -> tuple[str, ...]:
    """`Class.method`, `mod::func` or `Class#method` as its words."""
    return words_of(name)


def definitions(index: Index, name: str, within: str = "") -> tuple[Symbol, ...]:
    """The symbols that `name` means: its last word is their name, the words before end their parents or module path."""
    parts = parts_of(name)
    if not parts:
        return ()
    only = frozenset(files(index, within)) if within else None
    *front, last = parts
    whole = [f"${last}"] if name.endswith(f"${last}") else []
    for own in (*whole, last, last.rstrip("?!="), *(f"{last}{mark}" for mark in _MARKS)):
        found = [one for one in index.symbols_named([own]) if only is None or one.path in only]
        if meant := _meant(found, (*front, own.lstrip("$")), index):
            return meant
    return ()


def _meant(found: Sequence[Symbol], parts: tuple[str, ...], index: Index) -> tuple[Symbol, ...]:
    """Those of the definitions of a name whose qualifiers are the given ones."""
    for wanted in dict.fromkeys((parts, without_place(parts))):
        if meant := tuple(one for one in found if any(full[-len(wanted) :] == wanted for full in _full(one))):
            return meant
    packages = index.packages() if found and len(parts) > 1 else {}
    return tuple(
        one
        for one in found
        if any((*words_of(row.module), *words_of(one.qualified)) == parts for row in packages.get(one.path, ()))
    )


def holders(index: Index, name: str) -> set[str]:
    """The files that may hold a name as a word: all files when no list is kept for it."""
    words = index.words()
    numbers, _ = words.postings("body", name.lower())
    return {words.paths[words.file_of[unit]] for unit in numbers} or set(words.paths)


def files(index: Index, named: str) -> tuple[str, ...]:
    """The files that a path, the end of one, a folder or a dotted module name means, in order."""
    wanted = named.replace("\\", "/").removeprefix("./").strip("/")
    paths = index.paths()
    if wanted in ("", "."):
        return paths
    if wanted in paths:
        return (wanted,)
    inside = tuple(path for path in paths if path.startswith(wanted + "/"))
    if inside:
        return inside
    ends = tuple(path for path in paths if path.endswith("/" + wanted))
    if ends or "/" in named:
        return ends
    parts = parts_of(wanted)
    return tuple(path for path in paths if parts and _module(path)[-len(parts) :] == parts)


def is_path(index: Index, named: str) -> bool:
    """Whether something is named as a path: a file or folder of the repository, or with a `/`."""
    wanted = named.removeprefix("./").rstrip("/")
    return "/" in wanted or any(path == wanted or path.startswith(f"{wanted}/") for path in index.paths())


def nearest(wanted: str, names: Iterable[str]) -> tuple[str, ...]:
    """Up to five of `names` that are spelled most like `wanted`, best first."""
    low = wanted.lower()
    pairs = _pairs(low)
    likely = []
    for name in names:
        other = name.lower()
        shared = len(pairs & _pairs(other))
        if shared or other == low:
            likely.append((-shared / (len(pairs) + abs(len(other) - len(low))), name))
    likely.sort()
    rated = sorted((-_likeness(low, name.lower()), name) for _, name in likely[:200])
    return tuple(name for rating, name in rated if -rating >= LEAST_LIKENESS)[:NEAREST]


def _likeness(wanted: str, other: str) -> float:
    ratio = SequenceMatcher(None, wanted, other, autojunk=False).ratio()
    return max(ratio, 0.7) if len(wanted) > 3 and wanted in other else ratio


def _pairs(word: str) -> frozenset[str]:
    padded = f" {word} "
    return frozenset(padded[at : at + 2] for at in range(len(padded) - 1))


def _module(path: str) -> tuple[str, ...]:
    *folders, name = path.split("/")
    stem = name.partition(".")[0]
    return tuple(folders) if stem in ("__init__", "index", "mod") and folders else (*folders, stem)


def _full(symbol: Symbol) -> Iterator[tuple[str, ...]]:
    """The full names of a definition: by its file as a module, and by its folder as a package."""
    module, own = _module(symbol.path), words_of(symbol.qualified)
    yield (*module, *own)
    if len(module) > 1:
        yield (*module[:-1], *own)
