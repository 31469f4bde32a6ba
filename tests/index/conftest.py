"""Shared by the tests of the index: open, refresh, and describe all an index can answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from optimizer.errors import StorageError
from optimizer.index.files import find_root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import Refreshed, refresh
from optimizer.settings import Settings

ONE = Settings(workers=1)


def update(index: Index, settings: Settings = ONE) -> Refreshed:
    """Refresh without watching."""
    return refresh(index, settings, lambda _: None)


def everything(index: Index) -> dict[str, Any]:
    """All answers of an index, in a form that does not depend on the numbers of units."""
    words = index.words()
    units = {number: words.unit(number) for number, file in enumerate(words.file_of) if file >= 0}
    try:
        rows = index.connection.execute("SELECT terms FROM run").fetchall()
        if not all(isinstance(names, str) for (names,) in rows):
            raise sqlite3.DatabaseError("the terms of a run are no text")
    except sqlite3.DatabaseError as error:
        index.damaged(str(error))
        raise StorageError("damaged") from error
    terms = {term for (names,) in rows for term in names.split("\n")}
    return {
        "state": index.state(),
        "paths": index.paths(),
        "skipped": index.skipped(),
        "names": index.all_names(),
        "symbols": {path: index.symbols_in(path) for path in index.paths()},
        "named": index.symbols_named(index.all_names()),
        "imports": {path: index.imports_of(path) for path in index.paths()},
        "importers": {path: index.importers_of(path) for path in index.paths()},
        "units": sorted((unit.path, unit.spans, unit.symbol, words.length[number]) for number, unit in units.items()),
        "origins": {words.paths[number]: origin for number, origin in words.origins.items()},
        "totals": (words.total_units, words.mean_length, tuple(words.paths)),
        "postings": {
            (field, term): found
            for field in ("body", "name", "doc")
            for term in terms
            if (found := _postings(words, units, field, term))
        },
        "path words": {term: found for term in terms if (found := _path_postings(words, term))},
    }


def _postings(words: Any, units: dict[int, Any], field: str, term: str) -> list[Any]:
    numbers, counts = words.postings(field, term)
    assert list(numbers) == sorted(set(numbers))
    found = zip(numbers, counts, strict=True)
    return sorted((units[number].path, units[number].spans, count) for number, count in found)


def _path_postings(words: Any, term: str) -> list[Any]:
    numbers, counts = words.postings("path", term)
    return [(words.paths[number], count) for number, count in zip(numbers, counts, strict=True)]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Index]]:
    """Open the index of a folder; closed at the end."""
    indexes: list[Index] = []

    def open_it(start: Path, cache: Path | None = None) -> Index:
        index = open_index(find_root(start), cache or tmp_path / "cache")
        indexes.append(index)
        return index

    yield open_it
    for index in indexes:
        index.close()
