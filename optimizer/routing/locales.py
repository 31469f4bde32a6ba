"""Kinds of work in requests that are not in English: the language of a request, and stems that mark its kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from optimizer.types import TaskKind

# Small words that are common in one language and rare in the others and in English.
_SMALL: Mapping[str, str] = {
    "de": "der|die|das|den|dem|ein|eine|einen|ist|und|für|bitte|mir|mich|wird|nicht|wie|wo|warum|wieso|von|mit|im"
    "|zum|zur|beim"
    "|auf|sind|um|ich|wir|kannst|du|geteilt|viel|über",
    "fr": "le|les|des|du|une|est|où|pour|dans|pas|que|quoi|comment|pourquoi|avec|sur|moi|ce|cette|qui|et|ajoute"
    "|écris|lance"
    "|peux|tu|nous|un",
    "es": "el|los|las|una|es|qué|dónde|para|en|por|con|cómo|del|se|al|y|añade|escribe|corrige|refactoriza|puedes"
    "|renombra|un",
    "pt": "o|os|uma|é|não|para|em|com|como|onde|por que|do|da|dos|das|você|adicione|escreva|corrija|um",
    "it": "il|gli|una|è|dove|per|con|come|perché|della|del|dei|che|aggiungi|scrivi|correggi|puoi|un",
    "en": "the|a|an|of|to|for|in|on|with|from|and|this|that|when|it|we|my|our|all|what|how|why|by|at|into|not",
}
_SCRIPTS: tuple[tuple[str, str], ...] = (("ja", "[぀-ヿ]"), ("zh", "[一-鿿]"), ("ru", "[а-яёА-ЯЁ]"))

_STEMS = Path(__file__).with_name("locales.toml")
_ASKS = re.compile(r"[?？]\s*$|ますか|ですか")


def locale(request: str) -> str:
    """The language of a request as a two-letter code: by script, else by small words; "en" by default."""
    for name, letters in _SCRIPTS:
        if re.search(letters, request):
            return name
    words = re.findall(r"[^\W\d_]+", request.lower())
    counts = {name: sum(word in small for word in words) for name, small in _small().items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] > counts["en"] else "en"


def kind(request: str, name: str) -> tuple[TaskKind, str] | None:
    """The kind of a request in the language `name` and the stem that decides; None for no stem."""
    for found_kind, pattern in _patterns(name):
        if found := pattern.search(request):
            return found_kind, found[0].lower()
    return None


def kind_by_start(request: str) -> tuple[TaskKind, str] | None:
    """As `kind`, for a request in letters of English whose first word alone shows that it is not."""
    for name in _SMALL:
        for found_kind, pattern in _patterns(name):
            if found := pattern.match(request):
                return found_kind, found[0].lower()
    return None


def asks(request: str) -> bool:
    """Whether a request ends as a question does, in any language."""
    return bool(_ASKS.search(request))


@cache
def _small() -> dict[str, frozenset[str]]:
    return {name: frozenset(words.split("|")) for name, words in _SMALL.items()}


@cache
def _patterns(name: str) -> tuple[tuple[TaskKind, re.Pattern[str]], ...]:
    edge = "" if name in ("zh", "ja") else r"(?:^|(?<=\W))"
    stems = _stems().get(name, {}).items()
    return tuple((found, re.compile(f"{edge}(?:{words})", re.IGNORECASE)) for found, words in stems)


@cache
def _stems() -> dict[str, dict[TaskKind, str]]:
    """Stems by language and kind; of several that occur, the kind that stands first counts."""
    import tomllib

    return cast("dict[str, dict[TaskKind, str]]", tomllib.loads(_STEMS.read_text(encoding="utf-8")))
