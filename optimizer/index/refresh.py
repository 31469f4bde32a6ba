"""Bring an index up to date: look, read what changed, parse what is new, and write the tree in one go."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from optimizer.errors import StorageError
from optimizer.index import build
from optimizer.index.build import Row
from optimizer.index.imports import is_manifest, resolve, tree
from optimizer.index.languages import language_of
from optimizer.index.parse import RawImport
from optimizer.index.schema import SCHEMA, reader_version
from optimizer.index.store import Index, read_file
from optimizer.index.walk import FileStat, Listing, Scan, classify, listing
from optimizer.index.workers import Batch, Failed, Job, Parsed, Pool
from optimizer.settings import Settings
from optimizer.types import Progress, Skipped

WINDOW = 24_000_000
BATCH = 1_000_000
SMALL = 400_000
RACY_NS = 2_000_000_000
BINARY_HEAD = 8192


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: contents parsed, files gone, files as before, files left out; `notice` is one line or ''."""

    parsed: int
    removed: int
    unchanged: int
    skipped: tuple[Skipped, ...]
    seconds: float
    notice: str


@dataclass(slots=True)
class _Work:
    """What one refresh has found out so far; `wanted` are the paths whose content is being parsed."""

    rows: dict[str, Row] = field(default_factory=dict)
    wanted: dict[bytes, list[FileStat]] = field(default_factory=dict)
    parsed: int = 0


def refresh(index: Index, settings: Settings, progress: Callable[[Progress], None]) -> Refreshed:
    """Make the index say what the tree holds now; only contents never seen before are parsed.

    Safe beside other processes that do the same. A damaged store is put aside and built anew, once.
    Raises StorageError when the store cannot be written.
    """
    started = time.monotonic()
    try:
        try:
            done = _refresh(index, settings, progress)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            index.begin_anew(str(error))
            done = _refresh(index, settings, progress)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"cannot write the {SCHEMA.name} at {index.file}: {error}", "check the disk and its permissions"
        ) from error
    notice, index.notice = index.notice, ""
    return Refreshed(*done, seconds=time.monotonic() - started, notice=notice)


def _refresh(
    index: Index, settings: Settings, progress: Callable[[Progress], None]
) -> tuple[int, int, int, tuple[Skipped, ...]]:
    index.forget()
    found = listing(index.root)
    limits = f"{settings.max_file_bytes} {settings.parse_seconds} {reader_version().hex()}"
    stamp = _stamp(found, limits)
    if index.meta("stamp") == stamp:
        return 0, 0, len(index.paths()), index.skipped()
    old = {
        row[0]: Row(*row) for row in index.connection.execute("SELECT path, size, mtime, ctime, content, why FROM file")
    }
    scan = classify(found, settings.max_file_bytes, old)
    same_limits = index.meta("limits") == limits
    changed = [file for file in scan.files if not same_limits or _changed(file, old.get(file.path))]
    work = _Work()
    try:
        _parse_new(index, changed, settings, work, progress)
    finally:
        index.forget()
    removed = old.keys() - {file.path for file in scan.files}
    skipped = _finish(index, scan, work, old, removed, (stamp, limits))
    return work.parsed, len(removed), len(scan.files) - len(changed), skipped


def _stamp(found: Listing, limits: str) -> str:
    digest = hashlib.blake2b(limits.encode(), digest_size=16)
    digest.update("\0".join(found.paths).encode())
    digest.update(repr(found.stats).encode())
    return digest.hexdigest()


def _changed(file: FileStat, row: Row | None) -> bool:
    return row is None or (file.size, file.mtime_ns, file.ctime_ns) != (row.size, row.mtime, row.ctime)


def _parse_new(
    index: Index, changed: list[FileStat], settings: Settings, work: _Work, progress: Callable[[Progress], None]
) -> None:
    jobs = _read(index, changed, work)
    sizes = sum(file.size for file in changed)
    pool: Pool | None = None
    done = 0
    try:
        for window in _windows(jobs, WINDOW):
            if pool is None:
                pool = Pool(_processes(settings, sizes), settings.parse_seconds)
            first = build.next_unit(index.connection)
            results: list[Parsed] = []
            try:
                for result in pool.parse(_batches(window, sizes), first):
                    if isinstance(result, Failed):
                        _skip(work, result)
                        done += 1
                    else:
                        results.append(result)
                        done += len(result.jobs)
                    progress(Progress("index", done, len(changed)))
            finally:
                if results:
                    build.add_contents(index.connection, results, first)
            work.parsed += sum(len(result.jobs) for result in results)
    finally:
        if pool is not None:
            pool.close()


def _read(index: Index, changed: list[FileStat], work: _Work) -> Iterator[Job]:
    """Read each file; those whose content is new are yielded once, the others get their row at once."""
    top = os.fspath(index.root.path)
    now = time.time_ns()
    version = reader_version()
    for file in changed:
        data = read_file(os.path.join(top, file.path))
        language = language_of(file.path)
        fresh = now - max(file.mtime_ns, file.ctime_ns) < RACY_NS
        stat = (file.path, file.size, -1 if fresh else file.mtime_ns, file.ctime_ns)
        if data is None:
            work.rows[file.path] = Row(*stat, None, "cannot be read")
        elif b"\0" in data[:BINARY_HEAD]:
            work.rows[file.path] = Row(*stat, None, "binary")
        else:
            head = version + (language.name if language else "").encode()
            key = hashlib.blake2b(data, digest_size=16, key=head[:64]).digest()
            work.rows[file.path] = Row(*stat, None, "")
            if key in work.wanted:
                work.wanted[key].append(file)
                continue
            work.wanted[key] = [file]
            if not build.content_ids(index.connection, (key,)):
                yield Job(key, file.path, data)


def _windows(jobs: Iterator[Job], size: int) -> Iterator[Iterator[Job]]:
    """Cut a stream of jobs into streams of about `size` bytes, each to be used up before the next."""

    def window(job: Job) -> Iterator[Job]:
        taken = len(job.data)
        yield job
        while taken < size and (more := next(jobs, None)):
            taken += len(more.data)
            yield more

    while job := next(jobs, None):
        yield window(job)


def _batches(jobs: Iterable[Job], sizes: int) -> Iterator[Batch]:
    limit = min(BATCH, max(sizes // 16, 50_000))
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
    cores = (
        settings.workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, min(settings.workers or cores, size // SMALL))


def _skip(work: _Work, failed: Failed) -> None:
    for file in work.wanted.pop(failed.job.key, ()):
        work.rows[file.path] = Row(file.path, file.size, file.mtime_ns, file.ctime_ns, None, failed.why)


def _finish(
    index: Index, scan: Scan, work: _Work, old: dict[str, Row], removed: Iterable[str], marks: tuple[str, str]
) -> tuple[Skipped, ...]:
    connection = index.connection
    with build.writing(connection):
        ids = build.content_ids(connection, work.wanted)
        rows = []
        racy = False
        for key, files in work.wanted.items():
            for file in files:
                row = work.rows[file.path]
                work.rows[file.path] = Row(row.path, row.size, row.mtime, row.ctime, ids[key], "")
        rows = list(work.rows.values())
        racy = any(row.mtime == -1 for row in rows)
        gone = {path for (path,) in connection.execute("SELECT path FROM file")} - {file.path for file in scan.files}
        build.store_files(connection, rows, gone)
        new_paths = bool(gone) or any(
            row.path not in old or (old[row.path].content is None) != (row.content is None) for row in rows
        )
        skipped = (
            *scan.skipped,
            *(
                Skipped(path, why)
                for path, why in connection.execute("SELECT path, why FROM file WHERE content IS NULL ORDER BY path")
            ),
        )
        build.merge_segments(connection)
        build.store_snapshot(connection, skipped, new_paths)
        _resolve(index, rows, new_paths)
        build.set_meta(connection, stamp="" if racy else marks[0], limits=marks[1])
    return skipped


def _resolve(index: Index, rows: list[Row], new_paths: bool) -> None:
    connection = index.connection
    ids = dict(connection.execute("SELECT path, id FROM file WHERE content IS NOT NULL"))
    every = new_paths or any(is_manifest(row.path) for row in rows)
    chosen = list(ids) if every else [row.path for row in rows if row.content is not None]
    manifests = {
        path: data
        for path in ids
        if is_manifest(path) and (data := read_file(os.path.join(index.root.path, path))) is not None
    }
    table = tree(ids, manifests)
    if every:
        connection.execute("DELETE FROM edges")
        connection.execute("DELETE FROM link")
    for path in chosen:
        (stored,) = connection.execute(
            "SELECT c.imports FROM file f JOIN content c ON c.id = f.content WHERE f.path=?", (path,)
        ).fetchone()
        raw = tuple(RawImport(module, tuple(names), line, kind) for module, names, line, kind in json.loads(stored))
        edges = resolve(path, raw, table)
        source = ids[path]
        connection.execute(
            "INSERT OR REPLACE INTO edges VALUES (?,?)",
            (source, json.dumps([(e.line, e.module, e.target) for e in edges])),
        )
        connection.execute("DELETE FROM link WHERE source=?", (source,))
        connection.executemany(
            "INSERT OR IGNORE INTO link VALUES (?,?)", {(ids[e.target], source) for e in edges if e.target in ids}
        )
