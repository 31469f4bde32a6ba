"""Bring an index up to a tree: plan which files to read, parse what is new, and write it in one go."""

from __future__ import annotations

import gc
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from optimizer.db.store import transaction
from optimizer.index.files import FileStat, Listing, Scan, classify, has_words
from optimizer.index.reader import Index
from optimizer.index.regular import read_file
from optimizer.index.schema import reader_version, set_meta
from optimizer.index.workers import Batch, FailedJob, Job, Parsed, Pool, parse_here
from optimizer.index.writer import (
    StoredFile,
    add_contents,
    compact,
    content_ids,
    next_unit,
    store_files,
    store_links,
    store_snapshot,
    stored_files,
    written,
)
from optimizer.languages.table import is_installed, language_of
from optimizer.retrieval import Progress
from optimizer.settings import Settings

WINDOW = 16_000_000  # bytes of source that are committed at once
MOST_WORDS = 100_000  # distinct words of batches that wait to be committed
BATCH = 2_000_000
SMALL = 400_000  # bytes of source that are worth a process of their own
HERE = 200_000  # bytes that are parsed in this process, for at most this many seconds
HERE_SECONDS = 0.3
RACY_NS = 2_000_000_000  # a file changed this recently may change again within the clock's grain
UNKNOWN_TIME = -1
BINARY_HEAD = 8192
TRIES = 3

Report = Callable[[Progress], None]


class RefreshPlan(NamedTuple):
    """What to do about a tree: the files to index, what was kept of them, and those to read again."""

    scan: Scan
    known: Mapping[str, StoredFile]
    changed: list[FileStat]


@dataclass(slots=True)
class _Work:
    """What one refresh found so far; `wanted` are the files by the content they need.

    `fresh` are files whose times may stay the same when they change again.
    """

    rows: dict[str, StoredFile] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    wanted: dict[bytes, list[str]] = field(default_factory=dict)
    parsed: int = 0


def make_plan(index: Index, found: Listing, settings: Settings, limits: str) -> RefreshPlan:
    """Compare the tree with the index; when `limits` (bounds and reader) changed, all files are read again."""
    known = stored_files(index.connection)
    scan = classify(found, settings.max_file_bytes, known)
    same = index.meta("limits") == limits
    return RefreshPlan(scan, known, [file for file in scan.files if not same or _changed(file, known.get(file.path))])


def update(
    index: Index, found: Listing, settings: Settings, marks: tuple[str, str], progress: Report
) -> tuple[int, int, int]:
    """Make the index match what was found; returns contents parsed, files removed and files unchanged.

    `marks` identify this state of the tree, and the limits and the reader that it was read with.
    """
    collecting = gc.isenabled()
    gc.disable()  # millions of short-lived numbers and no cycles: collecting costs a tenth of a build
    parsed = 0
    try:
        for _ in range(TRIES):
            plan, work = make_plan(index, found, settings, marks[1]), _Work()
            _parse_new(index, plan.changed, settings, work, progress)
            parsed += work.parsed
            if _write(index, plan.scan, work, marks):
                break
    finally:
        if collecting:
            gc.enable()
    index.forget()
    return parsed, *_gone_and_unchanged(plan, work)


def _gone_and_unchanged(plan: RefreshPlan, work: _Work) -> tuple[int, int]:
    """How many files are no longer there, and how many hold what they held."""
    gone = plan.known.keys() - {file.path for file in plan.scan.files}
    kept = {path: row.content for path, row in plan.known.items() if row.content is not None and path not in gone}
    return len(gone), sum(1 for path, content in kept.items() if _content(work, path, content) == content)


def _content(work: _Work, path: str, before: int) -> int | None:
    """The content of a file now: what was read, else what it was."""
    row = work.rows.get(path)
    return row.content if row else before


def _changed(file: FileStat, row: StoredFile | None) -> bool:
    return row is None or file[1:] != row[1:4]


def _parse_new(index: Index, changed: list[FileStat], settings: Settings, work: _Work, progress: Report) -> None:
    jobs = _read(index, changed, work)
    size = sum(file.size for file in changed)
    pool: Pool | None = None
    try:
        if size <= HERE and (batch := tuple(jobs)):
            first = next_unit(index.connection)
            if done := parse_here(batch, first, HERE_SECONDS):
                add_contents(index.connection, [done], first)
                work.parsed += len(batch)
                progress(Progress("index", len(work.rows), len(changed)))
                return
            jobs = iter(batch)
        while job := next(jobs, None):
            pool = pool or Pool(_processes(settings, size), settings.parse_seconds)
            first = next_unit(index.connection)
            results: list[Parsed] = []
            try:
                for result in pool.parse(_batches(_window(job, jobs, results), size), first):
                    if isinstance(result, FailedJob):
                        _skip(work, result)
                    else:
                        results.append(result)
                    progress(Progress("index", len(work.rows), len(changed)))
            finally:
                if results:
                    add_contents(index.connection, results, first)
            work.parsed += sum(len(result.keys) for result in results)
    finally:
        if pool is not None:
            pool.close()


def _read(index: Index, changed: list[FileStat], work: _Work) -> Iterator[Job]:
    """Read each file and record its row; yield the contents that the store lacks, each once."""
    top = os.fspath(index.root.path)
    now = time.time_ns()
    version = reader_version()
    for file in changed:
        path = file.path
        data = read_file(f"{top}/{path}")
        if now - max(file.mtime_ns, file.ctime_ns) < RACY_NS:
            work.fresh.add(path)
        why = "unreadable" if data is None else "binary" if b"\0" in data[:BINARY_HEAD] else ""
        work.rows[path] = StoredFile(path, file.size, file.mtime_ns, file.ctime_ns, None, why)
        if data is None or why:
            continue
        key = hashlib.blake2b(data, digest_size=16, key=(version + _kind(path))[:64]).digest()
        if key in work.wanted:
            work.wanted[key].append(path)
            continue
        work.wanted[key] = [path]
        if not content_ids(index.connection, (key,)):
            yield Job(key, path, data)


def _kind(path: str) -> bytes:
    """The part of a path that decides how its content is read."""
    if not has_words(path):
        return b"data"
    language = language_of(path)
    if language is None:
        return b""
    if not is_installed(language):
        return b"unread"
    return b"h" if path.endswith(".h") else language.name.encode()


def _window(job: Job, jobs: Iterator[Job], results: Sequence[Parsed]) -> Iterator[Job]:
    """The job and those after it, up to the bytes committed at once, or fewer with many words."""
    taken = len(job.data)
    yield job
    while taken < WINDOW and sum(len(result.body) for result in results) < MOST_WORDS and (more := next(jobs, None)):
        taken += len(more.data)
        yield more


def _batches(jobs: Iterable[Job], size: int) -> Iterator[Batch]:
    limit = min(BATCH, max(size // 8, 50_000))
    batch: list[Job] = []
    taken = 0
    for job in jobs:
        batch.append(job)
        taken += len(job.data)
        if taken >= limit:
            yield tuple(batch)
            batch, taken = [], 0
    if batch:
        yield tuple(batch)


def _processes(settings: Settings, size: int) -> int:
    return max(1, min(settings.workers or os.cpu_count() or 1, size // SMALL))


def _skip(work: _Work, failed: FailedJob) -> None:
    for path in work.wanted.pop(failed.job.key, ()):
        row = work.rows[path]
        work.rows[path] = StoredFile(path, row.size, row.mtime, row.ctime, None, written(failed.code, failed.limit))
        work.fresh.discard(path)


def _write(index: Index, scan: Scan, work: _Work, marks: tuple[str, str]) -> bool:
    """Write the scanned tree; False when another process deleted a content that it needs."""
    connection = index.connection
    top = os.fspath(index.root.path)
    with transaction(connection):
        ids = content_ids(connection, work.wanted)
        if len(ids) < len(work.wanted):
            return False
        for key, paths in work.wanted.items():
            for path in paths:
                row = work.rows[path]
                work.rows[path] = StoredFile(path, row.size, row.mtime, row.ctime, ids[key], "")
        for path in work.fresh:
            row = work.rows[path]
            work.rows[path] = StoredFile(path, row.size, UNKNOWN_TIME, row.ctime, row.content, row.why)
        store_files(connection, work.rows.values(), {file.path for file in scan.files})
        compact(connection)
        new_paths = store_snapshot(connection, scan.skipped)
        store_links(connection, work.rows, new_paths, lambda path: read_file(f"{top}/{path}"))
        set_meta(connection, stamp="" if work.fresh else marks[0], limits=marks[1])
    return True
