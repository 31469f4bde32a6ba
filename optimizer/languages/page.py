"""The documentation page of the languages, generated from the table."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from optimizer.languages.table import LANGUAGES, Language

_INTRODUCTION = """\
# Languages

<!-- Generated: python -m optimizer.languages.page > docs/reference/languages.md -->

Every text file of a repository is found by its words and its path. For the languages below, the index also holds
definitions with their lines, signatures and first lines of documentation. A script without an ending is of the language
of the program that its first line (`#!`) names. Install the grammars marked `languages` with
`pip install '.[languages]'` in a clone. Without a grammar, files are found by their words alone;
`optimize index --stats` counts them. After a grammar is installed, the next command reads its files.
"""
_READING = """
- **code**: functions, classes, other definitions, and imports. Where *imports lead to files*, each import is resolved
  to files of the repository by the rules of the language.
- **outline**: headings, top-level keys, tables, rules, ids. They are listed for their file but are not definitions:
  names are looked up in code only. Files over 256 kB have no outline. Syntax errors in these files do not count against
  an edit, since many are templates.
- **described**: tables, resources, targets, stages and other definitions of what another program makes. Each word
  outside comments is a use, and a rename asks for every one but the definition. Syntax errors do not count against an
  edit, since each program has its own dialect.
- **cells**: a notebook is read in its own language (Python by default), without outputs. Line numbers are those of the
  `.ipynb` file, so that a citation can be opened and edited there. Commands (`%`, `!`) and cells for other programs
  (`%%`) are not code. Cells are read as code when each of their lines is a line of the file, as notebook programs write
  them; otherwise only their words are indexed.

- **scripts**: the script blocks of a page, and between the dashes at the top of an `.astro` file, are read in the
  language that they name, with the lines of the file. Templates are not read: uses of a name there are listed as
  mentions, and a rename asks for them. Of HTML, blocks that a template language fills in (`{{`, `{%`, `<%`) are left
  out, and only attributes that hold code (`onclick`, `@click`, `x-data`) count as mentions; files that it takes its
  scripts from are imports.

## Adding a language

1. A row in `optimizer/languages/table.py`: its name, extensions and grammar. The other fields have defaults and
   are explained at the top of the file. Add the grammar's package to the extra `languages` in `pyproject.toml`.
2. A query `optimizer/languages/queries/NAME.scm`, with the captures of tree-sitter's `tags.scm`. Each pattern starts at
   the start of a line. It captures a definition as `@definition.KIND`, its name as `@name`, and its body as `@body`
   where there is one (the signature ends where the body starts, or with `@head`). The kinds are those of `SymbolKind`
   in `optimizer/retrieval.py`; a function within a class becomes a method by itself, and `impl` lends its name to what
   is in it without being a definition. Where several patterns match one name, the lowest `(#set! rank …)` wins. Imports
   are `@reference.import`. Any name in code is a `@reference`, and the `@name` of what is called is captured by a
   pattern of its own with `@reference.call`; `@ignore` takes names out again. To ask for a word, capture it as
   `@callee` and list what it may be: `(#set! callee "require load")`. No predicate of another kind may be used: mixed
   with `#set!` they corrupt memory in the binding, and a test looks for them. `; inherits: OTHER` in the first line
   puts the patterns of other files before those of this one.
3. A case `tests/languages/cases/NAME.toml`: a source that shows every form, and what is to be read from it. The tests
   pick it up, and feed the grammar with damaged, deep and random input as well. Compare a large repository of the
   language with `ctags` too.
4. Where it imports in a way of its own: a module `optimizer/languages/modules/NAME.py`, which the row names. `read`
   gets the text of a statement and gives the modules that it names; `build` and `resolve` lead from modules to files.
5. How it shares, hides and qualifies names: a row in `optimizer/languages/naming/table.py`, which renames and checks
   of names ask. Without one the defaults hold. The files next to it say what else is read of names.
6. Generate this page again, with the command at its top.
"""


def languages_page() -> str:
    """The whole page as Markdown."""
    return "\n".join((_INTRODUCTION, *_table())) + "\n" + _READING


def _table() -> Iterator[str]:
    yield "| language | files | read as | imports lead to files | grammar | comes with |"
    yield "|---|---|---|---|---|---|"
    for row in LANGUAGES:
        files = ", ".join(f"`{name}`" for name in (*row.extensions, *row.filenames))
        wheel = row.module.replace("_", "-")
        resolved = "yes" if row.modules and row.modules.lead_to_files else ""
        yield f"| {row.name} | {files} | {_form(row)} | {resolved} | {wheel} | {_extra(row)} |"


def _form(row: Language) -> str:
    forms = {"outline": row.outline, "cells": row.cells, "described": row.described, "scripts": row.blocks}
    return ", ".join(name for name, is_read_so in forms.items() if is_read_so) or "code"


def _extra(row: Language) -> str:
    return f"`{row.extra}`" if row.extra else "every installation"


if __name__ == "__main__":
    sys.stdout.write(languages_page())
