"""The types that a receiver is declared or made with, read from the code around it; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from optimizer.languages.naming.table import Naming
from optimizer.retrieval import Symbol

_MADE = re.compile(
    r"\(?\s*(?:new\s+|&)?([A-Z]\w*)(?:<[^()]*>)?\s*(?:\(.*\)|\{.*\}|::new\(.*\)|\.new(?:\(.*\))?)\s*\)?", re.S
)
_WORD = re.compile(r"([A-Za-z_$@]\w*)\s*$")
_RETURNS = re.compile(r"(?:\)\s*(?:->|:)|\))\s*[(&*]*\s*(?:\w+(?:\.|::))*([A-Za-z_]\w*)[^()]*$")
Find = Callable[[Iterable[str]], tuple[Symbol, ...]]
_OWN = frozenset({"this", "self", "super", "Self", "cls", "parent", "static", "$this", "super()", "base", "@self"})


def types_of(receiver: str, text: str, row: Naming, symbols: Find) -> Iterator[str]:
    """The names of the types that a receiver may have by a piece of code, or by what it calls or names elsewhere.

    `symbols` finds the definitions of names.
    """
    receiver = receiver.strip()
    if made := _MADE.fullmatch(receiver):
        yield made[1] if made[1] != "Self" else ""
        return
    if called := re.search(r"(\w+)\s*\([^()]*\)\s*$", receiver):
        yield from _returned(called[1], symbols)
        return
    if not (word := _WORD.search(receiver)):
        return
    if receiver == word[1] and _is_type(word[1], row, symbols):
        yield word[1]
        return
    found = list(_declared(word[1], text, row, symbols))
    if not found:
        constants = [one.signature for one in symbols([word[1]]) if one.kind == "constant"]
        found = [name for signature in constants for name in _declared(word[1], signature, row, symbols)]
    yield from found


def _is_type(name: str, row: Naming, symbols: Find) -> bool:
    kinds = {one.kind for one in symbols([name])}
    if kinds & {"class", "struct", "interface", "trait", "enum", "type", "module"}:
        return True
    return name[:1].isupper() and not name.isupper() and row.capital_types and "constant" not in kinds


def _declared(word: str, text: str, row: Naming, symbols: Find) -> Iterator[str]:
    """The types that a variable is declared with, or made or returned as."""
    name = re.escape(word)
    forms = (
        rf"(?<![\w.]){name}(?:\s*,\s*\w+)*[ \t]+\*?(?:\w+\.)?([A-Za-z_]\w*)\b(?!\()"
        if row.typed == "bare"
        else rf"\b([A-Z]\w*)(?:<[^;(){{}}]*>)?[ \t]*[*&]*[ \t]+[*&]*\$?{name}\b"
        if row.typed == "before"
        else rf"(?<![\w.]){name}\s*[?!]?:\s*&?(?:mut\s+|dyn\s+)*(?:[\w.:]+[.:])?([A-Za-z_]\w*)",
        rf"(?<!\w){name}\s*:?=\s*(?:new\s+|&)?(?:\w+\.)?([A-Za-z_]\w*)(?:<[^()]*>)?(?:\{{|::new\(|\.new\b)",
        rf"(?<!\w){name}\s*:?=\s*new\s+(?:\w+\.)?([A-Za-z_]\w*)",
    )
    for form in forms:
        for match in re.finditer(form, text):
            if match[1][:1].isupper() or any(one.kind in ("struct", "class", "type") for one in symbols([match[1]])):
                yield match[1]
    called = rf"(?<!\w){name}(?:\s*,\s*\w+)*\s*:?=\s*(?:await\s+)?(?:\w+(?:\.|::))*([A-Za-z_]\w*)\("
    for match in re.finditer(called, text):
        yield from _returned(match[1], symbols)


def _returned(function: str, symbols: Find) -> Iterator[str]:
    """What a function returns by its head; itself when it is a type."""
    for one in symbols([function]):
        if one.kind in ("class", "struct"):
            yield one.name
        elif one.kind in ("function", "method") and (found := _RETURNS.search(one.signature)):
            yield one.parent.split(".")[-1] if found[1] == "Self" else found[1]


def is_own(receiver: str) -> bool:
    """Whether a receiver means the object or class around."""
    return receiver in _OWN or receiver.startswith("super(")
