"""The documentation page of the languages, generated from the table of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from optimizer.languages.table import LANGUAGES, Language

_INTRODUCTION = """\
# Languages

<!-- Generated: python -m optimizer.languages.page > docs/reference/languages.md -->

Every text file of a repository is found by its words and its path, whatever it is written in. Of the files below,
definitions with their places, signatures and first lines of documentation are known too. Grammars marked `languages`
come with `pip install 'optimizer[languages]'`; without them such files are found by their words alone, and
`optimize index --stats` counts them. Once a grammar is installed, the next command reads the files that it is for.
"""
_READING = """
- **code**: functions, classes and what else the language defines, and its imports. With *imports lead to files*, the
  files of the repository that an import means are known, by the rules of the language.
- **outline**: headings, keys at the top, tables, rules, ids. They are listed for the file they stand in and are no
  definitions: a name is looked up in code alone. Files over 256 kB have none, and a syntax error in them is not held
  against an edit, since many such files are templates.
- **cells**: a notebook is read in its own language (Python where it names none), without outputs. Lines are lines of
  the `.ipynb` file, so that what is cited can be opened and edited there. Lines for the notebook itself (`%`, `!`) and
  cells for other programs (`%%`) are no code. Cells count as code where each of their lines is on a line of the file,
  as notebook programs write them; of others only the words are known.

## Adding a language

1. A row in `optimizer/languages/table.py`: its name, extensions and grammar. The other fields have defaults; what they
   are for is written at the top of the table. The wheel of the grammar goes into the extra `languages` of
   `pyproject.toml`.
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
5. Generate this page again, with the command at its top.
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
    return "outline" if row.outline else "cells" if row.cells else "code"


def _extra(row: Language) -> str:
    return f"`{row.extra}`" if row.extra else "every installation"


if __name__ == "__main__":
    sys.stdout.write(languages_page())
