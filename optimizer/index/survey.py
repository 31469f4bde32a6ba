"""What an index holds as a whole: figures for the user, and the graph and lists that rank what matters."""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from optimizer.index.reader import Index
from optimizer.index.schema import text, unseal
from optimizer.index.sound import sound
from optimizer.languages.table import installed_names, language_of
from optimizer.retrieval import Skipped

_CONTENTS = (
    "SELECT f.path, f.size, c.first, c.stride, c.lines, c.symbols FROM file f JOIN content c ON c.id = f.content"
)
OTHER = "other"


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """The indexed files of one language ("other": those with no grammar); sizes in bytes.

    `installed`: whether its grammar is.
    """

    language: str
    files: int
    bytes: int
    symbols: int
    installed: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """The whole index in figures; languages with the most files first, `disk_bytes` includes the stores next to it.

    `commits` are those known from history before HEAD.
    """

    files: int
    source_bytes: int
    disk_bytes: int
    languages: tuple[LanguageFigures, ...]
    symbols: int
    units: int
    imports: int
    imports_resolved: int
    commits: int
    skipped: tuple[Skipped, ...]


@sound
def survey(index: Index) -> Survey:
    """Count what the index holds. Raises StorageError."""
    files, sizes, symbols = _by_language(index)
    imports, resolved = _imports(index)
    commits = index.history().commits
    installed = {*installed_names(), OTHER}
    languages = tuple(
        LanguageFigures(name, files[name], sizes[name], symbols[name], name in installed)
        for name in sorted(files, key=lambda name: (-files[name], name))
    )
    return Survey(
        files=files.total(),
        source_bytes=sizes.total(),
        disk_bytes=disk_bytes(index),
        languages=languages,
        symbols=symbols.total(),
        units=index.words().total_units,
        imports=imports,
        imports_resolved=resolved,
        commits=commits,
        skipped=index.skipped(),
    )


def disk_bytes(index: Index) -> int:
    """The size of the store and those next to it (history, vectors, logs), without damaged stores put aside."""
    stores = index.file.parent.glob(f"{index.file.stem}.*")
    return sum(part.stat().st_size for part in stores if ".damaged-" not in part.name)


@sound
def contents(index: Index) -> dict[str, int | None]:
    """The content id of each file, by path; None for a file that was left out."""
    return dict(index.connection.execute("SELECT path, content FROM file"))


@sound
def links(index: Index) -> list[tuple[int, int]]:
    """The graph of imports: (file that imports, file that is imported), as positions in `index.paths()`."""
    positions = {path: number for number, path in enumerate(index.words().paths)}
    paths = dict(index.connection.execute("SELECT id, path FROM file WHERE content IS NOT NULL"))
    numbers = {identity: positions[path] for identity, path in paths.items() if path in positions}
    rows = index.connection.execute("SELECT source, target FROM link ORDER BY source, target")
    return [(numbers[source], numbers[target]) for source, target in rows if source in numbers and target in numbers]


@sound
def names_defined(index: Index) -> list[list[str]]:
    """The names of the definitions in each file, in the order of `index.paths()`."""
    names: dict[str, list[str]] = {}
    for path, _, *place, sealed in index.connection.execute(_CONTENTS):
        names[path] = [symbol[0] for symbol in _symbols(place, sealed)]
    return [names.get(path, []) for path in index.words().paths]


@sound
def holders(index: Index, terms: Collection[str]) -> Mapping[str, frozenset[int]]:
    """The files whose code holds each term, as positions in `index.paths()`; one pass over all lists."""
    wanted, file_of = frozenset(terms), index.words().file_of
    entries: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    for names, ends, data in index.connection.execute("SELECT terms, ends, data FROM run WHERE field='body'"):
        if not (hits := wanted.intersection(words := names.split("\n")[1:-1])):
            continue
        lists, bounds = unseal(data, names.encode(), ends), (0, *array("I", ends))
        for number, word in enumerate(words):
            if word in hits:
                entries[word].frombytes(lists[bounds[number] : bounds[number + 1]])
    files = {term: frozenset(map(file_of.__getitem__, numbers)) - {-1} for term, numbers in entries.items()}
    copies = index.words().copies()
    return {
        term: found.union(*(copies[file] for file in found & copies.keys())) if copies else found
        for term, found in files.items()
    }


def _by_language(index: Index) -> tuple[Counter[str], Counter[str], Counter[str]]:
    files, sizes, symbols = Counter[str](), Counter[str](), Counter[str]()
    for path, size, *place, sealed in index.connection.execute(_CONTENTS):
        language = language_of(path)
        name = language.name if language else OTHER
        files[name] += 1
        sizes[name] += size
        symbols[name] += len(_symbols(place, sealed))
    return files, sizes, symbols


def _imports(index: Index) -> tuple[int, int]:
    """Import statements that could be read, and those that lead to a file of the repository."""
    total = resolved = 0
    for (sealed,) in index.connection.execute("SELECT body FROM edges"):
        edges: dict[tuple[int, str], bool] = {}
        for line, module, target in json.loads(unseal(sealed)):
            edges[line, module] = edges.get((line, module), False) or target is not None
        total += len(edges)
        resolved += sum(edges.values())
    return total, resolved


def _symbols(place: Sequence[int], sealed: bytes) -> list[list[str]]:
    found: list[list[str]] = json.loads(unseal(sealed, text(tuple(place))))
    return found
