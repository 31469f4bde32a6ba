"""Read commits with git: which ones HEAD reaches, their messages, and the files they touch."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from optimizer.git.run import run, stream

MOST_FILES = 100
MOST_RENAMES = 20_000
LONGEST_MESSAGE = 2_000
LONGEST_TOKEN = 8 << 20
ANCIENT, FAR = 0, 1 << 40
_CHUNK = 1 << 18
_HEADER = re.compile(rb"\x01([0-9a-f]{40,64}) (-?\d+) ([0-9a-f]*)[^\n]*\n(.*)", re.S)
_TRAILER = re.compile(
    r"^(?:[A-Za-z-]+-by|Change-Id|Reviewed-on|Cc|git-svn-id|PiperOrigin-RevId|Co-authored-by|Former-commit-id): .*$",
    re.M,
)
_DIFF_TREE = (
    *("diff-tree", "--stdin", "-r", "-z", "--name-status", "-l200", "--no-textconv", "--no-ext-diff"),
    *("--no-notes", "--no-relative", "--ignore-submodules=all", "-O" + os.devnull, "--encoding=UTF-8", "--always"),
    "--format=%x01%H %ct %P%n%B",
)
# The first way also finds files that were renamed and edited; it reads contents, which a partial clone may lack.
_RENAMES = ("-M", "-M100%")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, not a merge: seconds since 1970, the message without trailers, and the paths with `/` that it touched.

    `files` and `edited`, those of them that were there before under the same name and still are, are empty for a commit
    that touches more than `MOST_FILES`; `renames` are pairs of old and new path; `parent` is '' for a first commit.
    """

    id: str
    parent: str
    time: int
    message: str
    files: tuple[str, ...]
    edited: tuple[str, ...]
    renames: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CommitList:
    """Which commits HEAD reaches: `new` ones newest first, and those `gone` that it reached before.

    `whole`: `new` is all there are, whatever was known.
    """

    head: str
    new: tuple[str, ...]
    gone: frozenset[str]
    whole: bool


def list_commits(git: str, root: Path, known_head: str, most: int, seconds: float) -> CommitList | None:
    """The newest `most` commits that HEAD reaches, against what `known_head` reached; None when git fails."""
    until = monotonic() + seconds
    output = run(git, root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], seconds)
    if output is None:
        return None
    head = output.decode().strip()
    listing = ["rev-list", "--no-merges", f"--max-count={most}"]
    if known_head:
        sides = run(git, root, [*listing, "--left-right", f"{known_head}...{head}", "--"], until - monotonic())
        lines = (sides or b"").decode().split()
        if sides is not None and len(lines) < most:
            new = tuple(line[1:] for line in lines if line[0] == ">")
            return CommitList(head, new, frozenset(line[1:] for line in lines if line[0] == "<"), False)
    output = run(git, root, [*listing, head, "--"], until - monotonic())
    return None if output is None else CommitList(head, tuple(output.decode().split()), frozenset(), True)


def read_commits(git: str, root: Path, ids: Sequence[str], seconds: float) -> Generator[Commit, None, None]:
    """The commits of `ids` in this order, as many as can be read in time.

    First commits, at the beginning or where a shallow clone ends, touch no files here: they hold a whole tree.
    """
    until = monotonic() + seconds
    done = 0
    for renames in _RENAMES:
        if done < len(ids) and monotonic() < until:
            for commit in _read(git, root, ids[done:], renames, until):
                yield commit
                done += 1


def _read(git: str, root: Path, ids: Sequence[str], renames: str, until: float) -> Iterator[Commit]:
    wanted = "".join(f"{commit}\n" for commit in (*ids, ids[0])).encode()
    with stream(git, root, [*_DIFF_TREE, renames], wanted, until - monotonic()) as read:
        yield from _commits(_tokens(read, until))


def _tokens(read: Callable[[int], bytes], until: float) -> Iterator[bytes]:
    rest = b""
    while (chunk := read(_CHUNK)) and monotonic() < until:
        *tokens, rest = (rest + chunk).split(b"\0")
        yield from tokens
        if len(rest) > LONGEST_TOKEN:
            return


def _commits(tokens: Iterator[bytes]) -> Iterator[Commit]:
    """A header, then a status and one path or two for each file; a commit is whole once the next header comes."""
    header: re.Match[bytes] | None = None
    files: dict[str, bytes] = {}
    renames: list[tuple[str, str]] = []
    for token in tokens:
        if token.startswith(b"\x01"):
            if header:
                yield _commit(header, files, renames)
            header, files, renames = _HEADER.match(token), {}, []
            if header is None:
                return
            continue
        status = token.strip()[:1]
        path = _path(next(tokens, b""))
        if status in (b"R", b"C"):
            old, path = path, _path(next(tokens, b""))
            if status == b"R" and len(renames) < MOST_RENAMES:
                renames.append((old, path))
        if len(files) <= MOST_FILES:
            files[path] = status


def _path(token: bytes) -> str:
    return token.decode("utf-8", "backslashreplace")


def _commit(header: re.Match[bytes], files: Mapping[str, bytes], renames: Sequence[tuple[str, str]]) -> Commit:
    message = header[4][: 2 * LONGEST_MESSAGE].decode("utf-8", "replace")
    kept = files if len(files) <= MOST_FILES else {}
    return Commit(
        id=header[1].decode(),
        parent=header[3].decode(),
        time=min(max(int(header[2][:19]), ANCIENT), FAR),
        message=_TRAILER.sub("", message)[:LONGEST_MESSAGE].strip(),
        files=tuple(kept),
        edited=tuple(path for path, status in kept.items() if status == b"M"),
        renames=tuple(renames),
    )
