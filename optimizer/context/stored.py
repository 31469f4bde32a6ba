"""Contexts stored on disk as JSON, one file each, by a digest of everything that determines them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from optimizer.debug import debug
from optimizer.retrieval import Context, ContextItem, ContextLimits, Query, RankedFile, Signal

if TYPE_CHECKING:
    from optimizer.context.semantic import Reranker
    from optimizer.index.reader import Index

VERSION = "8"  # of the choice of context: contexts chosen by another version are not used
FOLDER = "context"
MOST_ENTRIES = 200


def key(*parts: str) -> str:
    """A digest of the parts, in which no two lists of parts look the same."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def key_of(query: Query, index: Index, limits: ContextLimits, reranker: Reranker | None) -> str:
    """A digest of everything that determines the context of a query."""
    meaning = reranker.state() if reranker else ""
    asked = (query.text, query.extra, repr(query.read), repr(limits))
    return key(VERSION, *asked, index.state(), index.history().head, meaning)


def kept(query: Query, index: Index, limits: ContextLimits, cache: Path, reranker: Reranker | None) -> Context | None:
    """The context chosen earlier for the same query, tree and limits; None when there is none."""
    started = perf_counter()
    known = load(cache, key_of(query, index, limits, reranker))
    if known is None:
        return None
    debug("context", "%d tokens in %d pieces, chosen before", known.tokens, len(known.items))
    return known._replace(skipped=index.skipped(), timing_ms={"cached": round(1000 * (perf_counter() - started), 1)})


def load(cache: Path, key: str) -> Context | None:
    """The context stored under `key`; None when there is none or it cannot be read."""
    try:
        return _context(json.loads((cache / FOLDER / f"{key}.json").read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save(cache: Path, key: str, context: Context) -> None:
    """Store a context, whole or not at all; nothing on a full or read-only disk. The oldest are removed."""
    folder = cache / FOLDER
    data = json.dumps(
        {
            "query": context.query,
            "tokens": context.tokens,
            "files": [file._asdict() for file in context.files],
            "items": [item._asdict() for item in context.items],
        }
    )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_room(folder)
        part = folder / f"{key}.{os.getpid()}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(data)
        part.replace(folder / f"{key}.json")
    except OSError:
        return


def _make_room(folder: Path) -> None:
    with os.scandir(folder) as entries:
        ages = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries if entry.is_file())
    for _, path in ages[: max(0, len(ages) - MOST_ENTRIES + 1)]:
        Path(path).unlink(missing_ok=True)


def _context(stored: Mapping[str, Any]) -> Context:
    return Context(
        query=stored["query"],
        tokens=int(stored["tokens"]),
        files=tuple(RankedFile(file["path"], file["score"], _signals(file["why"])) for file in stored["files"]),
        items=tuple(ContextItem(**{**item, "why": _signals(item["why"])}) for item in stored["items"]),
    )


def _signals(stored: Iterable[Iterable[str]]) -> tuple[Signal, ...]:
    return tuple(Signal(*one) for one in stored)
