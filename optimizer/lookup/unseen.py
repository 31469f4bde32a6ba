"""What no grammar reads: words in other files, and tracked files that are not on the disk."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from optimizer.errors import NotFound
from optimizer.languages.table import is_installed, language_of, started_by
from optimizer.lookup.names import holders
from optimizer.lookup.questions import Citation

if TYPE_CHECKING:
    from optimizer.index.reader import Index
    from optimizer.retrieval import Skipped

MOST_MENTIONS = 50
MOST_NAMED = 5
# Names of files that say nothing about which file is meant.
_COMMON = frozenset({"", "__init__", "index", "main", "mod", "lib", "app"})
_SUBMODULE = b"160000"


class NotHere(NamedTuple):
    """Tracked files that are not checked out, those among them that hold a name, and the submodules."""

    files: int
    with_name: tuple[str, ...]
    submodules: tuple[str, ...]


def mentions(index: Index, name: str) -> tuple[Citation, ...]:
    """The lines that have the name as a word where no grammar reads names: other files, and templates of pages."""
    word = re.compile(rb"(?<![\w$])" + re.escape(name.encode()) + rb"(?![\w$])")
    rows: list[Citation] = []
    for path in sorted(holders(index, name)):
        try:
            data = index.read(path)
        except NotFound:
            continue
        shown = zip(_unread(path, data).split(b"\n"), data.split(b"\n"), strict=True)
        found = [(number, line) for number, (unread, line) in enumerate(shown, 1) if word.search(unread)]
        rows += [Citation(line.decode("utf-8", "replace").strip()[:200], path, at, "mention") for at, line in found]
        if len(rows) >= MOST_MENTIONS:
            break
    return tuple(rows[:MOST_MENTIONS])


def _unread(path: str, data: bytes) -> bytes:
    """The text of a file in which no grammar reads names, on the same lines."""
    language = language_of(path) or started_by(data)
    if language is not None and language.blocks:
        from optimizer.languages import blocks

        return blocks.unread(data, language)
    is_read = language is not None and is_installed(language) and (not language.outline or language.prose)
    return b"\n" * data.count(b"\n") if is_read else data


def not_here(index: Index, name: str) -> NotHere:
    """What git tracks here and no search of the disk can find: sparse checkouts and submodules."""
    from optimizer.git.run import find_git, run

    git = find_git(index.root.path) if index.root.git else None
    listed = run(git, index.root.path, ["ls-files", "-t", "-s", "-z"]) if git else None
    if git is None or not listed:
        return NotHere(0, (), ())
    entries = [entry.partition(b"\t")[::2] for entry in listed.split(b"\0") if entry]
    inside = tuple(path.decode("utf-8", "replace") for about, path in entries if about.split()[1] == _SUBMODULE)
    hidden = {path.decode("utf-8", "replace") for about, path in entries if about.startswith(b"S ")} - {*inside}
    hidden -= {path for path in hidden if (index.root.path / path).exists()}
    found = run(git, index.root.path, ["grep", "--cached", "-lzwF", "-e", name]) if hidden and name else None
    paths = {path.decode("utf-8", "replace") for path in (found or b"").split(b"\0")} & hidden
    return NotHere(len(hidden), tuple(sorted(paths)), inside)


def remarks(index: Index, name: str) -> tuple[Citation, ...]:
    """What an answer that says that something is absent did not look at; the tracked files with the name first."""
    away = not_here(index, name)
    rows = [Citation("has the name; it is not checked out", path, 1, "mention") for path in away.with_name]
    if away.files:
        rows.append(Citation(f"not looked at: {away.files:,} tracked files outside the sparse checkout"))
    if away.submodules:
        rows.append(Citation(f"not looked at: the submodules {', '.join(away.submodules[:5])}"))
    if large := [one for one in index.skipped() if one.code == "large"]:
        rows.append(Citation(f"not looked at: {_large(large)}"))
    return tuple(rows)


def _large(large: Sequence[Skipped]) -> str:
    from optimizer.report import left_out

    if len(large) == 1:
        return f"{large[0].path} ({left_out.why(large[0])})"
    return f"{len(large):,} large files, such as {large[0].path}"


def without_grammar(index: Index, paths: Iterable[str]) -> tuple[str, ...]:
    """Those of some files in which no definitions and imports are read, so that none there says little."""
    return tuple(islice((path for path in paths if not _is_code(index, path)), MOST_NAMED))


def _is_code(index: Index, path: str) -> bool:
    language = language_of(path)
    if language is None:
        try:
            language = started_by(index.read(path))
        except NotFound:
            return False
    return language is not None and is_installed(language)


def unlooked(index: Index, paths: Sequence[str]) -> tuple[Citation, ...]:
    """How files that nothing imports may be used all the same: by their package, by words, by what is not seen."""
    from optimizer.languages.naming.table import naming_of

    shared = any(naming_of(path).reach in ("packages", "namespaces") for path in paths)
    stems = dict.fromkeys(posixpath.basename(path).partition(".")[0] for path in paths)
    named = (row for stem in stems if stem not in _COMMON for row in mentions(index, stem) if row.path not in paths)
    rows = [*islice(named, MOST_NAMED), *remarks(index, "")]
    if shared:
        rows.append(Citation("files of the same package use it without an import"))
    return tuple(rows)


def not_indexed(index: Index, named: str) -> Citation | None:
    """Why a file that is there, or that git tracks, is not in the index; None for a path that is neither."""
    from optimizer.git.run import is_hidden
    from optimizer.report import left_out

    skipped = next((one for one in index.skipped() if one.path == named or one.path.endswith(f"/{named}")), None)
    if skipped is not None:
        return Citation(f"not looked at: {skipped.path} ({left_out.why(skipped)})")
    inside = next((one for one in not_here(index, "").submodules if f"{named}/".startswith(f"{one}/")), None)
    if inside is not None:
        return Citation(f"not looked at: the submodule {inside}")
    if index.root.git and is_hidden(index.root.path, named):
        return Citation(f"not looked at: {named} (outside the sparse checkout)")
    return None
