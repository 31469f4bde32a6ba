"""Imports of Java, Kotlin and Scala → files: the class a name ends in, the one around it, or a whole package."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import suffixes
from optimizer.languages.modules.statements import COMMENT, Read, branches

_RENAME = re.compile(r"\s*(?:=>|\bas\b)\s*\w+")
_WILDCARD = re.compile(r"\.(?:_|given)\Z")

ENDINGS = (".java", ".kt", ".scala")


@dataclass(frozen=True, slots=True)
class Java:
    """Source files by name, and by folder; folders by their last part; what packages of Kotlin hold, by full name."""

    names: Mapping[str, tuple[str, ...]]
    folders: Mapping[str, tuple[str, ...]]
    folder_names: Mapping[str, tuple[str, ...]]
    defined: Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes], packages: Mapping[str, Sequence[RawImport]]) -> Java:
    """Packages of Java follow folders, so that the paths alone say where a class is; in Kotlin they need not."""
    sources = sorted(path for path in paths if path.endswith(ENDINGS))
    folders: dict[str, list[str]] = {}
    for path in sources:
        folders.setdefault(posixpath.dirname(path), []).append(path)
    return Java(
        suffixes.by_name(sources),
        {folder: tuple(files) for folder, files in folders.items()},
        suffixes.by_name(folders),
        suffixes.by_package(packages, "."),
    )


def resolve(path: str, raw: RawImport, table: Java) -> Iterator[tuple[str, str | None]]:
    """The file of the class, or all files of the package for a wildcard; None outside the repository."""
    parts = raw.module.split(".")
    wildcard = parts[-1] == "*"
    parts = parts[:-1] if wildcard else parts
    if wildcard and raw.kind != "static":
        found = suffixes.nearest(path, suffixes.ending_in("/".join(parts), table.folder_names))
        if found is not None:
            for file in table.folders[found]:
                yield raw.module, file
            return
    for end in range(len(parts), 1, -1):
        if not parts[end - 1][:1].isupper() and end != len(parts):
            break
        place = "/".join(parts[:end])
        candidates = [file for ending in ENDINGS for file in suffixes.ending_in(place + ending, table.names)]
        if found := suffixes.nearest(path, candidates):
            yield raw.module, found
            return
    names = [raw.module.removesuffix("*"), *(".".join(parts[:end]) for end in range(len(parts), 1, -1))]
    defining = next((files for name in names if (files := table.defined.get(name))), ())
    yield from ((raw.module, file) for file in defining or (None,))


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    words = "".join(COMMENT.sub(" ", text).rstrip("; \r\n").replace("import", " ", 1).split(" ")).split()
    name = "".join(words)
    if name.startswith("static") and " static" in f" {' '.join(text.split()[1:])}":
        return [(name.removeprefix("static"), (), "static")]
    return [(name, (), kind)] if name else []


def read_kotlin(text: str, kind: str) -> list[Read]:
    """The modules that the text of a Kotlin import names."""
    words = COMMENT.sub(" ", text).split()
    return [(words[1].rstrip(";"), (), kind)] if len(words) > 1 else []


def read_scala(text: str, kind: str) -> list[Read]:
    """The modules that the text of a Scala import names."""
    body = _RENAME.sub("", COMMENT.sub(" ", text).strip().removeprefix("import"))
    return [(_WILDCARD.sub(".*", path), (), kind) for path in branches(body)]
