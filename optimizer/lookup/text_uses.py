"""Where text that no grammar reads as names may still mean a definition: macros, symbols, reflection, notebooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages.table import Language, language_of
from optimizer.lookup.subject import SCRIPTS

if TYPE_CHECKING:
    from optimizer.languages.source import Source
    from optimizer.lookup.subject import Subject


class InText(NamedTuple):
    """The name within text: byte offsets, line, and whether it surely means the subject."""

    start: int
    end: int
    line: int
    ours: bool


# By language: what stands before and after a name that is given as text and used as a name.
_BY_TEXT = {
    "ruby": (rb"(?<![\w:]):[\"']?|\b(?:\w*send\w*|method|respond_to\?|define_method)[ (]+['\"]", rb"[\"']?"),
    "javascript": (rb"(?:\[\s*|\(\s*[^()'\"`]*,\s*)['\"`]", rb"['\"`]"),
    "php": (rb"(?:array\(|\[)[^\[\]()]*,\s*['\"]|\b(?:call_user_\w*|is_callable|method_exists)\(.*?['\"]", rb"['\"]"),
    "java": (rb"\bget(?:Declared)?(?:Method|Field)\(\s*\"", rb"\""),
    "go": (rb"\b(?:MethodByName|FieldByName)\(\s*\"", rb"\""),
}  # fmt: skip
_BY_TEXT |= dict.fromkeys(("typescript", "tsx"), _BY_TEXT["javascript"])


def text_uses(subject: Subject, path: str, source: Source) -> Iterator[InText]:
    """The places of a file of the subject's own languages where text may mean it."""
    name, data = re.escape(subject.name.encode()), source.data
    language = language_of(path)
    if language is None or language.blocks:
        yield from _outside_of_code(subject, data, name, language)
        return
    if language.cells and _is_hidden(source, subject.name):
        at = data.find(subject.name.encode())
        yield _place(subject, data, at, ours=False)
    if language.macros:
        for macro in re.finditer(rb"^[ \t]*#[ \t]*define\b(?:[^\n]*\\\r?\n)*[^\n]*", data, re.M):
            for match in re.finditer(rb"(?<![\w.>])" + name + rb"(?!\w)", macro[0]):
                yield _place(subject, data, macro.start() + match.start(), ours=not subject.others)
    for start in _in_doctests(language.name, data, name):
        meant = _in_example(subject, data, start)
        if meant is not None:
            yield _place(subject, data, start, ours=meant)
    before, after = _BY_TEXT.get(language.name, (b"", b""))
    if before and (subject.is_member or language.name == "php"):
        for match in re.finditer(rb"(?:" + before + rb")(" + name + rb")" + after + rb"(?![\w?!])", data):
            yield _place(subject, data, match.start(1), ours=False)


_FENCED = re.compile(
    rb"(?m)^[ \t]*//[/!][ \t]*```(?:rust|should_panic|no_run)?[ \t]*\r?\n((?:[ \t]*//[/!](?![ \t]*```).*\n)*)"
)
_PROMPTS = re.compile(rb"(?m)^[ \t]*(?:>>>|\.\.\.)[ \t](.*)$")


def _in_doctests(language: str, data: bytes, name: bytes) -> Iterator[int]:
    """Where the name stands in examples that are run as tests."""
    word = re.compile(rb"(?<!\w)" + name + rb"(?!\w)")
    form = {"rust": _FENCED, "python": _PROMPTS}.get(language)
    for block in form.finditer(data) if form else ():
        yield from (block.start(1) + match.start() for match in word.finditer(block[1]))


def _in_example(subject: Subject, data: bytes, start: int) -> bool | None:
    """Whether an example means the subject; None where it surely does not."""
    taken = re.search(rb"(\w+)\s*(::|\.)\s*$", data[max(0, start - 80) : start])
    if not subject.is_member:
        return not subject.others if taken is None or taken[2] == b"::" or subject.language == "python" else None
    if taken is None:
        return None
    if taken[2] == b"::":
        return True if taken[1].decode("utf-8", "replace") in subject.types else None
    return subject.is_own_word


def _outside_of_code(subject: Subject, data: bytes, name: bytes, page: Language | None) -> Iterator[InText]:
    """Where templates of pages, and scripts whose language is not known, may take the name."""
    view = b""
    if page is not None and subject.language in SCRIPTS:
        from optimizer.languages import blocks

        view = blocks.unread(data, page)
    elif page is None and data.startswith(b"#!"):
        view = data
    for match in re.finditer(rb"(?<![\w$.])" + name + rb"(?![\w$])", view):
        yield _place(subject, data, match.start(), ours=False)


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
