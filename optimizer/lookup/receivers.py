"""The types that a receiver is declared or made with, read from the code around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from optimizer.retrieval import Symbol

_MADE = re.compile(
    r"\(?\s*(?:new\s+|&)?([A-Z]\w*)(?:<[^()]*>)?\s*(?:\(.*\)|\{.*\}|::new\(.*\)|\.new(?:\(.*\))?)\s*\)?", re.S
)
_WORD = re.compile(r"([A-Za-z_$@]\w*)\s*$")
_RETURNS = re.compile(r"(?:\)\s*(?:->|:)|\))\s*[(&*]*\s*(?:\w+(?:\.|::))*([A-Za-z_]\w*)[^()]*$")
# Languages in which a name with a capital that stands alone is a type.
_CAPITAL_TYPES = frozenset({"java", "kotlin", "scala", "csharp", "php", "ruby", "rust", "swift"})


def types_of(
    receiver: str, text: str, language: str, symbols: Callable[[Iterable[str]], tuple[Symbol, ...]]
) -> Iterator[str]:
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
    if receiver == word[1] and _is_type(word[1], language, symbols):
        yield word[1]
        return
    found = list(_declared(word[1], text, language, symbols))
    if not found:
        constants = [one.signature for one in symbols([word[1]]) if one.kind == "constant"]
        found = [name for signature in constants for name in _declared(word[1], signature, language, symbols)]
    yield from found


def _is_type(name: str, language: str, symbols: Callable[[Iterable[str]], tuple[Symbol, ...]]) -> bool:
    kinds = {one.kind for one in symbols([name])}
    if kinds & {"class", "struct", "interface", "trait", "enum", "type", "module"}:
        return True
    return name[:1].isupper() and not name.isupper() and language in _CAPITAL_TYPES and "constant" not in kinds


def _declared(
    word: str, text: str, language: str, symbols: Callable[[Iterable[str]], tuple[Symbol, ...]]
) -> Iterator[str]:
    """The types that a variable is declared with, or made or returned as."""
    name = re.escape(word)
    before = language in ("java", "c", "cpp", "csharp", "php")
    forms = (
        rf"(?<![\w.]){name}(?:\s*,\s*\w+)*[ \t]+\*?(?:\w+\.)?([A-Za-z_]\w*)\b(?!\()"
        if language == "go"
        else rf"\b([A-Z]\w*)(?:<[^;(){{}}]*>)?[ \t]*[*&]*[ \t]+[*&]*\$?{name}\b"
        if before
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


def _returned(function: str, symbols: Callable[[Iterable[str]], tuple[Symbol, ...]]) -> Iterator[str]:
    """What a function returns by its head; itself when it is a type."""
    for one in symbols([function]):
        if one.kind in ("class", "struct"):
            yield one.name
        elif one.kind in ("function", "method") and (found := _RETURNS.search(one.signature)):
            yield one.parent.split(".")[-1] if found[1] == "Self" else found[1]
