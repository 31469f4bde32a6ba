"""Quotes, dashes and spaces that a model writes in another form than the file has them."""

from __future__ import annotations

import difflib

from optimizer.edits import text as texts
from optimizer.errors import Conflict

MAX_COMPARED = 4_000_000
_FORMS = {"'": "‘’‚‛′", '"': "“”„‟″", "-": "‐‑‒–—−", " ": "\u00a0\u2002\u2003\u2007\u2009\u202f"}
_PLAIN = str.maketrans({odd: plain for plain, odds in _FORMS.items() for odd in odds})


def as_in_file(text: str, search: str, replace: str, hint: texts.Hint) -> tuple[str, str] | None:
    """Search and replacement with the marks that the file has, when they alone keep the search text from being found.

    None when they do not. What both have in common is as in the file; in what is new, marks that the file has in
    plain form become plain. Raises Conflict when it would be found in several places.
    """
    wanted = search.translate(_PLAIN)
    plain = texts.plain(text).translate(_PLAIN)
    if (wanted == search and plain == texts.plain(text)) or len(search) * len(replace) > MAX_COMPARED:
        return None
    try:
        found = texts.find(plain, wanted, hint)
    except Conflict as error:
        raise Conflict(error.message, error.hint) from error
    if found is None:
        return None
    there = texts.plain(text)[found.start : found.end]
    if not found.exact:
        pairs = zip(search.removesuffix("\n").split("\n"), there.removesuffix("\n").split("\n"), strict=True)
        there = "".join(_with_text(quoted, line) + "\n" for quoted, line in pairs)
        search = search.removesuffix("\n") + "\n"
    there = there + search[len(there) :]
    return there, _carried(search, there, replace)


def _with_text(quoted: str, line: str) -> str:
    bare = quoted.strip(" \t")
    return quoted.replace(bare, line.strip(" \t"), 1) if bare else quoted


def _carried(search: str, there: str, replace: str) -> str:
    plainer = {ord(odd): mark for odd, mark in zip(search, there, strict=False) if odd != mark and mark.isascii()}
    pieces: list[str] = []
    matcher = difflib.SequenceMatcher(None, search, replace, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        pieces.append(there[i1:i2] if tag == "equal" else replace[j1:j2].translate(plainer))
    return "".join(pieces)
