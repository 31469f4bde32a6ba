"""What the commits before HEAD say of files: which resembled a request, what changes often, and what together."""

from __future__ import annotations

import math
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from heapq import nlargest
from pathlib import Path

from optimizer.db.store import is_damage, open_db, put_aside
from optimizer.errors import StorageError
from optimizer.git.run import find_git
from optimizer.git_folders import head_mark
from optimizer.index.commits import (
    FIELD,
    MOST_COMMITS,
    MOST_NUMBERS,
    SCHEMA,
    CommitStore,
    add_commits,
    load,
    mark_of,
    segments,
)
from optimizer.index.files import Root
from optimizer.index.postings import find, tally

SECONDS = 10.0
K1, B = 1.2, 0.75
COMMON = 0.05
POWER = 3
MOST_POSTINGS = 120_000
MOST_RENAMES_FOLLOWED = 20


class History:
    """The newest 20,000 commits that HEAD reaches, without merges; empty where there is no history.

    Scores are for the files there are now; a commit counts for the new name of a file that was renamed since.
    """

    def __init__(self, connection: sqlite3.Connection | None, paths: Iterable[str]) -> None:
        """`paths` are the files there are now. Raises sqlite3.DatabaseError when the store is damaged."""
        self._connection = connection
        self._now = frozenset(paths)
        self._known: dict[int, str] = {}
        self._totals: dict[str, float] = {}
        if connection is None:
            self._store, self._segments = CommitStore(), []
            return
        connection.execute("BEGIN")
        self._store, self._segments = load(connection, ids=False), segments(connection)

    @property
    def commits(self) -> int:
        """How many commits are known."""
        return self._store.live.count(1)

    @property
    def head(self) -> str:
        """The id of the commit that this history ends at; changes whenever the answers may."""
        return self._store.head

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def similar(self, weights: Mapping[str, float], limit: int = 100) -> dict[str, float]:
        """Scores of the files of the `limit` commits whose messages match the weighted terms best, by path.

        A commit adds the cube of its BM25 over the root of the number of files that it touched.
        """
        commits = self._scores(weights)
        files: dict[str, float] = {}
        for number in nlargest(limit, commits, key=commits.__getitem__):
            touched = self._store.files(number)
            value = commits[number] ** POWER / math.sqrt(len(touched) or 1)
            for path in {path for file in touched if (path := self._path(file))}:
                files[path] = files.get(path, 0.0) + value
        return files

    @cached_property
    def renamed(self) -> Mapping[str, str]:
        """The files there are now, by each name that they had before."""
        earlier = {old: self._path(self._numbered[old]) for old in self._renamed if old not in self._now}
        return {old: path for old, path in earlier.items() if path}

    def churn(self) -> dict[str, float]:
        """How often each file changed; a commit half a year before HEAD counts half as much as HEAD."""
        found: dict[str, float] = {}
        for number, (path, value) in enumerate(zip(self._store.paths, self._store.churn, strict=True)):
            if value > 0.0 and (path in self._now or (path := self._path(number))):
                found[path] = found.get(path, 0.0) + value
        return found

    def together(self, paths: Iterable[str]) -> dict[str, float]:
        """How much files change together with `paths`: the sum of a cosine per path, where small commits count more."""
        kept = self._store
        wanted = {number: path for path in paths for number in self._numbers(path)}
        places = [place for place, number in enumerate(kept.touched) if number in wanted] if wanted else []
        shared: dict[str, dict[int, float]] = {path: {} for path in wanted.values()}
        for place in places:
            commit = bisect_right(kept.starts, place) - 1
            if kept.live[commit]:
                weight, shared_by = kept.weight(commit), shared[wanted[kept.touched[place]]]
                for number in kept.files(commit):
                    shared_by[number] = shared_by.get(number, 0.0) + weight
        found: dict[str, float] = {}
        for path, shared_by in shared.items():
            total = math.sqrt(self._total(path))
            for number, value in shared_by.items():
                other = self._path(number)
                if other and other != path:
                    found[other] = found.get(other, 0.0) + value / (total * math.sqrt(self._total(other)))
        return found

    def _scores(self, weights: Mapping[str, float]) -> dict[int, float]:
        kept, total = self._store, self.commits
        mean = kept.mean_length or 1.0
        lists = []
        for term, weight in weights.items() if total else ():
            numbers, counts = self._postings(term)
            alive = sum(map(kept.live.__getitem__, numbers))
            if 0 < alive <= max(10, COMMON * total):
                lists.append((weight * math.log(1 + (total - alive + 0.5) / (alive + 0.5)), numbers, counts))
        lists.sort(key=lambda item: -item[0])
        scores: dict[int, float] = {}
        left = MOST_POSTINGS
        for weight, numbers, counts in lists:
            left -= len(numbers)
            if left < 0:
                break
            for number, count in zip(numbers, counts, strict=True):
                if kept.live[number]:
                    norm = K1 * (1 - B + B * kept.lengths[number] / mean)
                    scores[number] = scores.get(number, 0.0) + weight * count / (count + norm)
        return scores

    def _postings(self, term: str) -> tuple[Sequence[int], Sequence[int]]:
        if self._connection is None:
            return (), ()
        try:
            return tally(find(self._connection, self._segments, FIELD, term))
        except sqlite3.Error:
            return (), ()

    def _path(self, number: int) -> str:
        """The current name of a file of an earlier commit; '' when it is gone."""
        path = self._known.get(number)
        if path is None:
            path = self._store.paths[number]
            for _ in range(MOST_RENAMES_FOLLOWED):
                if path in self._now or path not in self._renamed:
                    break
                path = self._renamed[path]
            path = self._known[number] = path if path in self._now else ""
        return path

    @cached_property
    def _renamed(self) -> dict[str, str]:
        paths = self._store.paths
        return {paths[old]: paths[new] for old, new in enumerate(self._store.renamed) if new >= 0}

    @cached_property
    def _older(self) -> dict[str, list[str]]:
        older: dict[str, list[str]] = {}
        for old, new in self._renamed.items():
            older.setdefault(new, []).append(old)
        return older

    @cached_property
    def _numbered(self) -> dict[str, int]:
        return {path: number for number, path in enumerate(self._store.paths)}

    def _numbers(self, path: str) -> list[int]:
        """The numbers of all names that a current file has had."""
        names = [path] if path in self._now else []
        for name in names:
            if name in self._older:
                names += [old for old in self._older[name] if old not in self._now and old not in names]
        return [self._numbered[name] for name in names if name in self._numbered]

    def _total(self, path: str) -> float:
        total = self._totals.get(path)
        if total is None:
            total = self._totals[path] = 1.0 + sum(self._store.weights[number] for number in self._numbers(path))
        return total


def open_history(root: Root, file: Path, paths: Sequence[str], seconds: float = SECONDS) -> History:
    """The history of a repository, kept in `file`; new commits up to HEAD are read first, for at most `seconds`.

    Never raises: on failure the history is empty.
    """
    mark = head_mark(root.path) if root.git else ""
    if mark:
        for _ in range(2):
            try:
                return _open(root, file, paths, mark, seconds)
            except sqlite3.Error as error:
                if not is_damage(error) or not _discard(file):
                    break
            except (StorageError, OSError, UnicodeError):
                break
    return History(None, ())


def _open(root: Root, file: Path, paths: Sequence[str], mark: str, seconds: float) -> History:
    connection = open_db(file, SCHEMA).connection
    try:
        if mark_of(connection) != mark and not _update(connection, root.path, mark, seconds):
            connection.close()
            return History(None, ())
        return History(connection, paths)
    except BaseException:
        connection.close()
        raise


def _discard(file: Path) -> bool:
    try:
        put_aside(file)
    except OSError:
        return False
    return True


def _update(connection: sqlite3.Connection, root: Path, mark: str, seconds: float) -> bool:
    from optimizer.git.log import list_commits, read_commits

    git = find_git(root)
    if git is None:
        return False
    kept, before = load(connection, ids=True), mark_of(connection)
    if len(kept.ids) > MOST_NUMBERS:
        kept, before = CommitStore(), ""
    go_on = before and same_end(before, mark)
    listed = list_commits(git, root, kept.head if go_on else "", MOST_COMMITS, seconds)
    if listed is None:
        return False
    known = set(kept.ids)
    missing = [commit for commit in listed.new if commit not in known]
    commits = list(read_commits(git, root, missing, seconds)) if missing else []
    # Where nothing could be read, trying again is useless until HEAD moves.
    done = len(commits) == len(missing) or not commits
    add_commits(connection, listed, commits, mark if done else "", replace=not kept.ids)
    return True


def same_end(mark: str, other: str) -> bool:
    """Whether history begins at the same commits: a shallow clone may have been deepened."""
    return mark.partition("\n")[0] == other.partition("\n")[0]
