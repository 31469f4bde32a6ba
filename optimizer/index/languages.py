"""The languages the index reads: one row each, with its grammar, its query file and how its comments look."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """One row: how files of a language are known, and how they are read.

    `module` and `function` name the grammar; `query` is a file of `queries/`. The query looks at nodes down to `depth`
    levels below the root (-1: all of them); what lies deeper is found through `keywords`, the words that every deeper
    definition or import is written with. `comments` start a line of documentation.
    """

    name: str
    extensions: tuple[str, ...]
    module: str
    query: str
    function: str = "language"
    filenames: tuple[str, ...] = ()
    depth: int = -1
    keywords: tuple[bytes, ...] = ()
    comments: tuple[bytes, ...] = (b"///", b"//!", b"//", b"/**", b"/*", b"*/", b"*")
    separator: str = "."


LANGUAGES: tuple[Language, ...] = (
    Language(
        "python",
        (".py", ".pyi", ".pyw"),
        "tree_sitter_python",
        "python.scm",
        filenames=("SConstruct", "SConscript", "wscript"),
        depth=4,
        keywords=(b"def ", b"class ", b"import "),
        comments=(b"#",),
    ),
)

_BY_EXTENSION = {extension: language for language in LANGUAGES for extension in language.extensions}
_BY_FILENAME = {filename: language for language in LANGUAGES for filename in language.filenames}


def language_of(path: str) -> Language | None:
    """The language of a file by its name alone; None when there is no grammar for it."""
    name = posixpath.basename(path)
    found = _BY_FILENAME.get(name)
    if found is None:
        extension = posixpath.splitext(name)[1]
        found = _BY_EXTENSION.get(extension) or _BY_EXTENSION.get(extension.lower())
    return found
