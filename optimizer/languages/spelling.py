"""How languages and their documentation write the name of a definition → its words, from the outside in; pure."""

from __future__ import annotations

import re

# In this order; what is matched is written as the second.
_SPELLINGS = (
    (r"\A(\w+):(\w+/\d+)\Z", r"\1.\2"),  # Erlang: module:function/arity
    (r"\A\(\*?&?(\w+)\)", r"\1"),  # Go: (*Type).Method
    (r"(?<=\w)\(.*\)\Z", ""),  # a call, or the types of parameters
    (r"(?<=\w)/\d+\Z", ""),  # Erlang and Elixir: function/arity
    (r"(?:::)?(?<!operator)<[^<>=]*>", ""),  # type arguments; nested ones go from the inside out
    (r"(?<=\w)\[[^\[\]]*\]", ""),
    (r"::|\?->|->|\?\.|!!?\.|&\.|[\\#/]", "."),  # a member, perhaps of nothing
    (r"\A[@$~&*%.]+", ""),  # sigils, and a member alone
)
_WORD = r"[^\W\d][\w$]*"
_NAME = rf"{_WORD}(?:\.{_WORD})*[!?=]?"
# Qualifiers that mean where one is, or a kind of thing, and are no name of it.
_HERE = frozenset(
    {"crate", "self", "Self", "super", "this", "static", "parent", "cls", "var", "local", "data", "module"}
)


def dotted(name: str) -> str:
    """A name as its words with dots between them."""
    for form, instead in _SPELLINGS:
        while (shorter := re.sub(form, instead, name)) != name:
            name = shorter
    return name


def is_name(text: str) -> bool:
    """Whether a word is the name of a definition as some language writes it."""
    return "://" not in text and re.fullmatch(_NAME, dotted(text)) is not None


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name."""
    return tuple([part for part in dotted(name).split(".") if part])


def without_place(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without those at the front that only say where one is; the last is always kept."""
    while len(words) > 1 and words[0] in _HERE:
        words = words[1:]
    return words
