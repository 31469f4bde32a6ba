"""Filling in the vectors of a repository, for `optimize index --embed`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from optimizer.cli import terminal
from optimizer.cli.terminal import confirm, interactive
from optimizer.errors import InputError
from optimizer.humanize import duration

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.index.embed import Embedder
    from optimizer.index.vectors import Piece, Vectors

MEASURED = 32
HOW_TO_SWITCH_ON = "semantic-search is off, so nothing uses them; switch it on: semantic-search = true under [features]"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user allows: fetching the model, and filling in without being asked."""

    download: bool
    yes: bool
    as_json: bool


def embed(services: Services, wishes: Wishes) -> None:
    """Give every function a vector: measure a few, say how long the rest takes, ask, go on; what is done stays.

    Raises NotFound or ConfigError when there is no usable model, InputError when nobody can be asked, StorageError.
    """
    from optimizer.context.files import Files
    from optimizer.context.semantic import pieces_of
    from optimizer.index.embed import choice_from, open_model
    from optimizer.index.vectors import missing, open_vectors

    choice = choice_from(services.workspace.settings, services.workspace.places.cache)
    if wishes.download and not choice.directory:
        terminal.notice(f"fetching {choice.name} into {choice.fetched}, unless it is there; no code is sent")
    embedder = open_model(choice, download=wishes.download)
    vectors = open_vectors(services.workspace.index.file, choice.id)
    try:
        if vectors.notice:
            terminal.notice(vectors.notice)
        left = missing(pieces_of(services.workspace.index, Files(services.workspace.index)), vectors)
        services.workspace.index.forget()  # a reader that waits would keep the store from shrinking
        started = time.monotonic()
        done = _fill(left, embedder, vectors, services, wishes)
        _report(done, time.monotonic() - started, vectors, wishes.as_json)
    finally:
        vectors.close()
    if not services.workspace.features.semantic_search:
        terminal.notice(HOW_TO_SWITCH_ON)


def _fill(left: Sequence[Piece], embedder: Embedder, vectors: Vectors, services: Services, wishes: Wishes) -> int:
    from optimizer.index.vectors import fill

    step = max(1, len(left) // MEASURED)
    measured = left[::step][:MEASURED]
    rest = [piece for piece in left if piece not in set(measured)]
    started = time.monotonic()
    fill(measured, embedder, vectors, lambda _: None)
    if rest:
        estimate = (
            f"about {duration((time.monotonic() - started) / len(measured) * len(rest))} for {len(rest):,} functions"
        )
        if wishes.yes:
            terminal.notice(f"embedding: {estimate}; Ctrl-C stops it, what is done stays")
        elif not interactive():
            raise InputError(f"embedding takes {estimate}; {len(measured)} are done", "optimize index --embed --yes")
        elif not confirm(f"Embedding takes {estimate}. Go on?", default=True):
            return len(measured)
        fill(rest, embedder, vectors, services.workspace.progress)
    return len(left)


def _report(done: int, seconds: float, vectors: Vectors, as_json: bool) -> None:
    total, file = vectors.count(), vectors.file
    if as_json:
        fields = {"event": "embed", "embedded": done, "vectors": total, "seconds": round(seconds, 2), "file": str(file)}
        click.echo(json.dumps(fields, ensure_ascii=False))
    else:
        click.echo(f"{done:,} functions embedded in {duration(seconds)}; {total:,} vectors in {file}")
