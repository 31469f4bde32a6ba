"""The commit store: commits in the order they were read, in columns that open fast."""

from __future__ import annotations

import sqlite3
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import compress
from math import log2
from typing import TYPE_CHECKING

from optimizer.db.store import Schema, transaction
from optimizer.index.postings import expand, runs, unpack, words_of
from optimizer.index.schema import get_meta, get_metas, set_meta

if TYPE_CHECKING:
    from optimizer.git.log import Commit, CommitList

FIELD = "message"
MOST_COMMITS = 20_000
MOST_NUMBERS = 2 * MOST_COMMITS
MOST_SEGMENTS = 8
HALF_LIFE = 180 * 86_400.0
SCHEMA = Schema(
    name="history",
    version=4,
    cache=True,
    create="""
CREATE TABLE run (
    segment INTEGER NOT NULL, field TEXT NOT NULL, first TEXT NOT NULL, terms TEXT NOT NULL, ends BLOB NOT NULL,
    data BLOB NOT NULL);
CREATE INDEX run_first ON run (field, segment, first);
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
""",
    migrations={3: "DROP TABLE name"},
)


@dataclass(slots=True)
class CommitStore:
    """Columns over commit numbers; `live` is 1 for those that `head` reaches, `starts` has one more entry.

    `touched` are numbers of `paths`; `renames` are commit, old and new path, flat. Of the live commits alone, by number
    of path: `renamed` is its last new path (-1: none), `churn` and `weights` are sums.
    """

    head: str = ""
    ids: list[str] = field(default_factory=list)
    live: bytearray = field(default_factory=bytearray)
    times: array[int] = field(default_factory=lambda: array("q"))
    lengths: array[int] = field(default_factory=lambda: array("I"))
    starts: array[int] = field(default_factory=lambda: array("I", [0]))
    touched: array[int] = field(default_factory=lambda: array("I"))
    renames: array[int] = field(default_factory=lambda: array("I"))
    paths: list[str] = field(default_factory=list)
    renamed: array[int] = field(default_factory=lambda: array("i"))
    churn: array[float] = field(default_factory=lambda: array("f"))
    weights: array[float] = field(default_factory=lambda: array("f"))

    def files(self, number: int) -> Sequence[int]:
        """The numbers of the paths that a commit touched."""
        return self.touched[self.starts[number] : self.starts[number + 1]]

    def weight(self, number: int) -> float:
        """How much a commit counts for each of its files: less when there are many."""
        return 1.0 / log2(1 + max(1, self.starts[number + 1] - self.starts[number]))

    @property
    def mean_length(self) -> float:
        """Mean number of words in the messages of the live commits."""
        return sum(compress(self.lengths, self.live)) / (self.live.count(1) or 1)


def load(connection: sqlite3.Connection, *, ids: bool) -> CommitStore:
    """The stored commits, with their `ids` only on request: they take as long to read as all the rest.

    Raises sqlite3.DatabaseError when they are damaged.
    """
    names = ("head", "live", "times", "lengths", "starts", "touched", "renames", "paths", "renamed", "churn", "weights")
    head, live, times, lengths, starts, touched, renames, paths, renamed, churn, weights = get_metas(connection, names)
    if not live:
        return CommitStore(head.decode())
    return CommitStore(
        head=head.decode(),
        ids=get_meta(connection, "ids").decode().split() if ids else [],
        live=bytearray(live),
        times=array("q", times),
        lengths=array("I", lengths),
        starts=array("I", starts),
        touched=array("I", touched),
        renames=array("I", renames),
        paths=paths.decode().split("\0") if paths else [],
        renamed=array("i", renamed),
        churn=array("f", churn),
        weights=array("f", weights),
    )


def mark_of(connection: sqlite3.Connection) -> str:
    """The mark of HEAD up to which all commits were read; '' when some are missing."""
    return get_meta(connection, "mark").decode()


def segments(connection: sqlite3.Connection) -> list[int]:
    """The segments of the inverted lists."""
    return [row[0] for row in connection.execute("SELECT DISTINCT segment FROM run ORDER BY segment")]


def add_commits(
    connection: sqlite3.Connection, listed: CommitList, commits: Iterable[Commit], mark: str, *, replace: bool
) -> None:
    """Add commits and mark the live ones; `replace` drops the old ones, unless another process just wrote them.

    Safe to run in several processes at once.
    """
    with transaction(connection):
        kept = load(connection, ids=True)
        if replace and len(kept.ids) > MOST_NUMBERS:
            connection.execute("DELETE FROM run")
            kept = CommitStore()
        _add(connection, kept, commits)
        _choose(kept, listed)
        _sum_up(kept)
        set_meta(
            connection,
            mark=mark,
            head=listed.head,
            ids="\n".join(kept.ids),
            live=bytes(kept.live),
            times=kept.times.tobytes(),
            lengths=kept.lengths.tobytes(),
            starts=kept.starts.tobytes(),
            touched=kept.touched.tobytes(),
            renames=kept.renames.tobytes(),
            paths="\0".join(kept.paths),
            renamed=kept.renamed.tobytes(),
            churn=kept.churn.tobytes(),
            weights=kept.weights.tobytes(),
        )


def _add(connection: sqlite3.Connection, kept: CommitStore, commits: Iterable[Commit]) -> None:
    known = set(kept.ids)
    numbers = {path: number for number, path in enumerate(kept.paths)}
    raw: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for commit in commits:
        if commit.id in known:
            continue
        number = len(kept.ids)
        kept.ids.append(commit.id)
        kept.live.append(0)
        kept.times.append(commit.time)
        words = words_of(commit.message.encode("utf-8", "replace"))
        kept.lengths.append(len(words))
        place = number.to_bytes(4, sys.byteorder)
        for word in words:
            raw[word].append(place)
        kept.touched.extend([numbers.setdefault(path, len(numbers)) for path in commit.files])
        kept.starts.append(len(kept.touched))
        for old, new in commit.renames:
            kept.renames.extend((number, numbers.setdefault(old, len(numbers)), numbers.setdefault(new, len(numbers))))
    kept.paths = list(numbers)
    if raw:
        _add_lists(connection, dict(expand(raw, {})))


def _add_lists(connection: sqlite3.Connection, lists: dict[str, bytes]) -> None:
    """Add inverted lists; many small segments are merged, and all of them when they outgrow the first."""
    before = segments(connection)
    segment = before[-1] + 1 if before else 1
    if len(before) >= MOST_SEGMENTS:
        sizes = dict(connection.execute("SELECT segment, sum(length(data)) FROM run GROUP BY segment"))
        late = before[1:] if sizes[before[0]] > 4 * sum(sizes[other] for other in before[1:]) else before
        pieces: defaultdict[str, list[bytes]] = defaultdict(list)
        for other in late:
            for row in connection.execute("SELECT terms, ends, data FROM run WHERE segment=?", (other,)):
                for term, blob in unpack(*row):
                    pieces[term].append(blob)
            connection.execute("DELETE FROM run WHERE segment=?", (other,))
        for term, blob in lists.items():
            pieces[term].append(blob)
        lists = {term: b"".join(blobs) for term, blobs in pieces.items()}
    connection.executemany("INSERT INTO run VALUES (?,?,?,?,?,?)", ((segment, FIELD, *run) for run in runs(lists)))


def _choose(kept: CommitStore, listed: CommitList) -> None:
    numbers = {commit: number for number, commit in enumerate(kept.ids)}
    alive = {numbers[commit] for commit in listed.new if commit in numbers}
    if not listed.whole:
        alive |= {number for number, live in enumerate(kept.live) if live and kept.ids[number] not in listed.gone}
    if len(alive) > MOST_COMMITS:
        alive = {number for _, number in nlargest(MOST_COMMITS, [(kept.times[number], number) for number in alive])}
    kept.live = bytearray(number in alive for number in range(len(kept.ids)))


def _sum_up(kept: CommitStore) -> None:
    kept.renamed = array("i", [-1]) * len(kept.paths)
    triples = zip(kept.renames[::3], kept.renames[1::3], kept.renames[2::3], strict=True)
    for _, old, new in sorted((kept.times[commit], old, new) for commit, old, new in triples if kept.live[commit]):
        kept.renamed[old] = new
    kept.churn = array("f", [0.0]) * len(kept.paths)
    kept.weights = array("f", [0.0]) * len(kept.paths)
    alive = [number for number, live in enumerate(kept.live) if live]
    latest = max(map(kept.times.__getitem__, alive), default=0)
    for number in alive:
        decayed = 0.5 ** ((latest - kept.times[number]) / HALF_LIFE)
        weight = kept.weight(number)
        for path in kept.files(number):
            kept.churn[path] += decayed
            kept.weights[path] += weight
