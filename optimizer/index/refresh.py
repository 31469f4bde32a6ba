"""Bring an index up to date: look at the tree, and update the index where anything changed."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from typing import NamedTuple

from optimizer.db.store import is_damage
from optimizer.errors import StorageError
from optimizer.git.owner import is_ours
from optimizer.git.run import Refusal
from optimizer.index.files import Look, listed, look
from optimizer.index.reader import Index
from optimizer.index.schema import SCHEMA, check_meta, reader_version
from optimizer.languages.table import installed_names
from optimizer.retrieval import Progress, Skipped
from optimizer.settings import Settings

KEPT = frozenset(
    ("file_of", "length", "limits", "next_unit", "origins", "paths", "skipped", "stamp", "state", "twins", "words")
)

Report = Callable[[Progress], None]


class Refreshed(NamedTuple):
    """What a refresh did: contents parsed, files removed, unchanged and left out; `notice` is one line or ''."""

    parsed: int
    removed: int
    unchanged: int
    skipped: tuple[Skipped, ...]
    seconds: float
    notice: str


def refresh(index: Index, settings: Settings, progress: Report) -> Refreshed:
    """Make the index match the tree; only contents not seen before are parsed.

    Safe to run in several processes at once. A damaged store is moved aside and rebuilt, once.
    Raises StorageError when the store cannot be written.
    """
    started, refusal = time.monotonic(), index.refusal
    try:
        try:
            done = _refresh(index, settings, progress)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if not is_damage(error):
                raise
            index.damaged(str(error))
            done = _refresh(index, settings, progress)
        except StorageError:
            if not index.notice:
                raise
            done = _refresh(index, settings, progress)
    except (sqlite3.Error, UnicodeDecodeError, OSError) as error:
        raise StorageError(
            f"cannot write the {SCHEMA.name} at {index.file}: {error}", "check the disk and its permissions"
        ) from error
    notice, index.notice = "\n".join(filter(None, (index.notice, _refused(index, refusal)))), ""
    return Refreshed(*done, seconds=time.monotonic() - started, notice=notice)


def _refused(index: Index, before: Refusal) -> str:
    """What a person should know where git does not list the files of the user's own repository; '' if it was shown."""
    if index.refusal in ("", before) or not is_ours(index.root.path):
        return ""
    from optimizer.report.progress import walked

    return walked(str(index.root.path), index.refusal)


def _refresh(index: Index, settings: Settings, progress: Report) -> tuple[int, int, int, tuple[Skipped, ...]]:
    index.forget()
    check_meta(index.connection, KEPT)
    naming, index.naming = index.naming, None
    found = look(index.root, naming)
    index.refusal = found.refusal
    reader = f"{reader_version().hex()} {' '.join(installed_names())}"
    limits = f"{settings.max_file_bytes} {settings.parse_seconds} {reader}"
    stamp = _stamp(found, limits)
    if index.meta("stamp") == stamp:
        return 0, 0, len(index.paths()), index.skipped()
    from optimizer.index.plan import update

    done = update(index, listed(found), settings, (stamp, limits), progress)
    return *done, index.skipped()


def _stamp(found: Look, limits: str) -> str:
    digest = hashlib.blake2b(limits.encode(), digest_size=16)
    digest.update(b"\0".join(found.names))
    digest.update(found.columns)
    return digest.hexdigest()
