"""Where text that no grammar reads as names may still mean a definition: macros, symbols, reflection, notebooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages.naming import in_text
from optimizer.languages.naming.table import group_of
from optimizer.languages.table import Language, language_of

if TYPE_CHECKING:
    from optimizer.languages.source import Source
    from optimizer.lookup.subject import Subject


class InText(NamedTuple):
    """The name within text: byte offsets, line, and whether it surely means the subject."""

    start: int
    end: int
    line: int
    ours: bool


def text_uses(subject: Subject, path: str, source: Source) -> Iterator[InText]:
    """The places of a file of the subject's own languages where text may mean it."""
    name, data = subject.name, source.data
    language = language_of(path)
    if language is None or language.blocks:
        view = _outside_of_code(subject, data, language)
        yield from (_place(subject, data, at, ours=False) for at in in_text.words(view, name))
        return
    form = in_text.form_of(language)
    if language.cells and _is_hidden(source, name):
        yield _place(subject, data, data.find(name.encode()), ours=False)
    if language.macros:
        yield from (_place(subject, data, at, ours=not subject.others) for at in in_text.in_macros(data, name))
    for start, taken_from, sign in in_text.in_examples(form, data, name):
        meant = _in_example(subject, taken_from, sign, form.plain)
        if meant is not None:
            yield _place(subject, data, start, ours=meant)
    if subject.is_member or form.functions:
        yield from (_place(subject, data, at, ours=False) for at in in_text.reflected(form, data, name))


def _in_example(subject: Subject, taken_from: str, sign: str, plain: bool) -> bool | None:
    """Whether an example means the subject; None where it surely does not."""
    if not subject.is_member:
        return not subject.others if sign != "." or plain else None
    if sign == "::":
        return True if taken_from in subject.types else None
    return subject.is_own_word if sign else None


def _outside_of_code(subject: Subject, data: bytes, page: Language | None) -> bytes:
    """What templates of pages, and scripts whose language is not known, may use."""
    if page is not None:
        from optimizer.languages import blocks

        return blocks.unread(data, page) if page.name in group_of(subject.target.path) else b""
    return data if data.startswith(b"#!") else b""


def _place(subject: Subject, data: bytes, start: int, *, ours: bool) -> InText:
    return InText(start, start + len(subject.name.encode()), data.count(b"\n", 0, start) + 1, ours)


def _is_hidden(source: Source, name: str) -> bool:
    """Whether code cells of a notebook hold a name where it cannot be read in its place."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    try:
        cells = json.loads(source.data).get("cells", [])
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (ValueError, KeyError, TypeError, AttributeError):
        return name.encode() in source.data
    return len(word.findall(code)) > len(word.findall(source.text.decode("utf-8", "replace")))
