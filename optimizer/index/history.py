"""What the commits before HEAD say of files: which resembled a request, what changes often, and what together."""

from __future__ import annotations

import math
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from heapq import nlargest
from itertools import chain, count, repeat
from operator import sub
from pathlib import Path
from typing import NamedTuple

from optimizer.db.store import is_damage, open_db, put_aside, transaction
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
from optimizer.index.kept import Kept
from optimizer.index.postings import Runs, tally
from optimizer.index.schema import get_meta, set_meta

SECONDS = 10.0
K1, B = 1.2, 0.75
COMMON = 0.05
POWER = 3
MOST_POSTINGS = 120_000
MOST_KEPT = 200_000  # commits of lists that are kept once read, and files that change together with others
MOST_RENAMES_FOLLOWED = 20
FEW_COMMITS = 50


class History:
    """The newest 20,000 commits that HEAD reaches, without merges; empty where there is no history.

    Scores are for the files there are now; a commit counts for the new name of a file that was renamed since.
    """

    def __init__(self, connection: sqlite3.Connection | None, paths: Sequence[str]) -> None:
        """`paths` are the files there are now. Raises sqlite3.DatabaseError when the store is damaged."""
        self.paths = paths
        self._connection = connection
        self._now = frozenset(paths)
        self._known: dict[int, str] = {}
        self._totals: dict[str, float] = {}
        self._lists: Kept[str, _Matching] = Kept(MOST_KEPT)
        self._together: Kept[str, Mapping[str, float]] = Kept(MOST_KEPT)
        if connection is None:
            self.mark, self._store, self._segments = "", CommitStore(), []
            return
        connection.execute("BEGIN")
        self._runs = Runs(connection)
        self.mark, self._store, self._segments = mark_of(connection), load(connection, ids=False), segments(connection)

    @cached_property
    def commits(self) -> int:
        """How many commits are known."""
        return self._store.live.count(1)

    @property
    def head(self) -> str:
        """The id of the commit that this history ends at; changes whenever the answers may."""
        return self._store.head

    def cut_short(self) -> int | None:
        """How many commits a shallow clone has, where they are few; None where not, and once it was asked for."""
        kept = self._connection
        if kept is None or self.commits > FEW_COMMITS:
            return None
        try:
            end = mark_of(kept).partition("\n")[0]
            if not end or get_meta(kept, "told").decode() == end:
                return None
            kept.execute("COMMIT")
            with transaction(kept):
                set_meta(kept, told=end)
        except sqlite3.Error as error:
            if is_damage(error):
                return None
        if not kept.in_transaction:
            kept.execute("BEGIN")
        return self.commits

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

    @cached_property
    def churn(self) -> Mapping[int, float]:
        """How often each file changed, by its place in `paths`; half a year before HEAD counts half as much as HEAD."""
        places = {path: place for place, path in enumerate(self.paths)}
        found: dict[int, float] = {}
        for number, (path, value) in enumerate(zip(self._store.paths, self._store.churn, strict=True)):
            if value > 0.0 and (path in places or (path := self._path(number))):
                found[places[path]] = found.get(places[path], 0.0) + value
        return found

    def together(self, paths: Iterable[str]) -> dict[str, float]:
        """How much files change together with `paths`: the sum of a cosine per path, where small commits count more."""
        found: dict[str, float] = {}
        for path in dict.fromkeys(paths):
            changed = self._together.get(path)
            if changed is None:
                changed = self._changed_with(path)
                self._together.put(path, changed, 1 + len(changed))
            for other, value in changed.items():
                found[other] = found.get(other, 0.0) + value
        return found

    def _changed_with(self, path: str) -> dict[str, float]:
        kept = self._store
        shared: dict[int, float] = {}
        commits = sorted(commit for number in self._numbers(path) for commit in self._commits_of.get(number, ()))
        for commit in filter(kept.live.__getitem__, commits):
            weight = kept.weight(commit)
            for number in kept.files(commit):
                shared[number] = shared.get(number, 0.0) + weight
        total = math.sqrt(self._total(path))
        found: dict[str, float] = {}
        for number, value in shared.items():
            other = self._path(number)
            if other and other != path:
                found[other] = found.get(other, 0.0) + value / (total * math.sqrt(self._total(other)))
        return found

    @cached_property
    def _commits_of(self) -> Mapping[int, Sequence[int]]:
        """The commits that touched each path, by its number."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        starts = self._store.starts
        commits = chain.from_iterable(map(repeat, count(), map(sub, starts[1:], starts)))
        for number, commit in zip(self._store.touched, commits, strict=True):
            found[number].append(commit)
        return found

    def _scores(self, weights: Mapping[str, float]) -> dict[int, float]:
        lists = []
        for term, weight in weights.items() if self.commits else ():
            found = self._matching(term)
            if found.commits:
                lists.append((weight * found.rarity, found))
        lists.sort(key=lambda item: -item[0])
        scores: dict[int, float] = {}
        left = MOST_POSTINGS
        for weight, found in lists:
            left -= found.size
            if left < 0:
                break
            for number, impact in zip(found.commits, found.impacts, strict=True):
                scores[number] = scores.get(number, 0.0) + weight * impact
        return scores

    def _matching(self, term: str) -> _Matching:
        found = self._lists.get(term)
        if found is None:
            found = self._match(*self._postings(term))
            self._lists.put(term, found, 1 + len(found.commits))
        return found

    def _match(self, numbers: Sequence[int], counts: Sequence[int]) -> _Matching:
        kept, total, mean = self._store, self.commits, self._mean_length
        alive = sum(map(kept.live.__getitem__, numbers))
        if not 0 < alive <= max(10, COMMON * total):
            return _Matching((), (), 0.0, len(numbers))
        lengths = map(kept.lengths.__getitem__, numbers)
        impacts = [
            (number, many / (many + K1 * (1 - B + B * length / mean)))
            for number, many, length in zip(numbers, counts, lengths, strict=True)
            if kept.live[number]
        ]
        commits, shares = zip(*impacts, strict=True)
        rarity = math.log(1 + (total - alive + 0.5) / (alive + 0.5))
        return _Matching(array("I", commits), array("d", shares), rarity, len(numbers))

    @cached_property
    def _mean_length(self) -> float:
        return self._store.mean_length or 1.0

    def _postings(self, term: str) -> tuple[Sequence[int], Sequence[int]]:
        if self._connection is None:
            return (), ()
        try:
            return tally(self._runs.find(self._segments, FIELD, term))
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


class _Matching(NamedTuple):
    """The live commits whose messages hold a term that is not too common, and how much it counts for each.

    `size` is how many hold it, live or not.
    """

    commits: Sequence[int]
    impacts: Sequence[float]
    rarity: float
    size: int


def newest_history(root: Root, file: Path, paths: Sequence[str], known: History | None) -> History:
    """`known`, which is of the same paths, as long as it ends at HEAD; else it is closed and read again."""
    if known is not None and known.mark and known.mark == head_mark(root.path):
        return known
    if known is not None:
        known.close()
    return open_history(root, file, paths)


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
