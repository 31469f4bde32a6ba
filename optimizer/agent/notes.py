"""The repository's own notes for contributors: the AGENTS.md nearest to the files concerned, else CLAUDE.md."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from optimizer.context.budget import count_tokens
from optimizer.errors import OptimizerError

NAMES = ("AGENTS.md", "CLAUDE.md")
CUT = "\n(the rest is left out)"
MAX_CHARACTERS = 40_000


class Notes(NamedTuple):
    """Text of a repository's own notes, `whole` or cut to its share of the prompt; `tokens` counts what is sent."""

    path: str
    text: str
    tokens: int
    whole: bool


def near(paths: Iterable[str], read: Callable[[str], bytes | None], max_tokens: int) -> Notes | None:
    """The notes nearest to the first of `paths` that has any, cut at a line to `max_tokens`; None where there are none.

    `read` gives a file's bytes, and raises OptimizerError where it may not be read: such a file counts as absent.
    """
    if max_tokens <= 0:
        return None
    tried: set[str] = set()
    for path in (*paths, "."):
        for place in _places(path):
            if place in tried:
                continue
            tried.add(place)
            if text := _text(place, read):
                return _cut(place, text, max_tokens)
    return None


def most_tokens(paths: Iterable[str], max_tokens: int, read: Callable[[str], bytes | None]) -> int:
    """The most tokens that any notes in the repository may take; `paths` are all of its files."""
    if max_tokens <= 0:
        return 0
    found = {*NAMES, *(path for path in paths if path.endswith(NAMES) and path.rpartition("/")[2] in NAMES)}
    texts = (_text(path, read) for path in sorted(found))
    return max((_cut("", text, max_tokens).tokens for text in texts if text), default=0)


def reader(root: Path, sees: Callable[[str], bool]) -> Callable[[str], bytes | None]:
    """Read notes below `root` as safely as edits are: no link out of the repository, no file that holds secrets.

    Nor one that `sees` says may not be read, or that another user put there: it would say what a model should do.
    """

    def read(path: str) -> bytes | None:
        if not os.path.lexists(root / path):  # most repositories have none: nothing is loaded to find that out
            return None
        from optimizer.edits import paths
        from optimizer.git.owner import may_configure
        from optimizer.privacy.secret_files import is_secret_file

        if is_secret_file(paths.resolve(root, path).name) or not may_configure(root, root / path):
            return None
        return paths.reader(root, sees)(path)

    return read


def _places(path: str) -> Iterator[str]:
    for folder in PurePosixPath(path).parents if path != "." else (PurePosixPath("."),):
        for name in NAMES:
            yield (folder / name).as_posix()


def _text(path: str, read: Callable[[str], bytes | None]) -> str:
    try:
        data = read(path)
    except OptimizerError:
        return ""
    return (data or b"")[:MAX_CHARACTERS].decode("utf-8", "replace").replace("\r\n", "\n").strip()


def _cut(path: str, text: str, max_tokens: int) -> Notes:
    tokens = count_tokens(text)
    if tokens <= max_tokens:
        return Notes(path, text, tokens, True)
    kept = ""
    for line in text.split("\n"):
        if count_tokens(f"{kept}{line}\n{CUT}") > max_tokens:
            break
        kept += line + "\n"
    kept = kept.rstrip() + CUT
    return Notes(path, kept, count_tokens(kept), False)
