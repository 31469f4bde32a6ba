"""Whether a text answers what was asked: it is no refusal, no echo of the prompt, no loop, and is about the matter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from optimizer.languages.words import COMMON_WORDS, FUNCTION_WORDS, terms
from optimizer.retrieval import Context
from optimizer.types import TaskKind

MAX_REFUSAL = 400
HEAD = 240
SHINGLE = 6
LEAST_WORDS = 12
ECHOED, SHARED = 0.5, 0.2
LEAST_LINES, COPIED = 5, 0.8
_REFUSAL = re.compile(
    r"(?:i(?:'|’)?m (?:really |very )?sorry|^sorry\b|i apologi[sz]e|i(?:'|’)m (?:unable|not able|not sure what)|"
    r"i (?:can(?:'|’)?t|cannot|can not|am unable|am not able)|unfortunately,? i\b|"
    r"as an? (?:ai|large language|language model|artificial)|"
    r"i (?:do not|don(?:'|’)t) (?:have (?:access|enough|the ability|any information)|know\b)|"
    r"(?:please|could you|can you) (?:please )?(?:provide|share|clarify|give me|paste)|"
    r"es tut mir leid|ich kann (?:das|dir|ihnen|leider)? ?nicht|lo siento|no puedo|désolé|je ne peux pas)",
    re.IGNORECASE,
)
_ABOUT_US = re.compile(
    r"^\W*(?:<code>|<project-notes|<piped-in>|An earlier answer was refused|Request:)", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d]\w+")
_HERE = re.compile(
    r"\b(?:this|the|our|my) (?:\w+ )?"
    r"(?:project|repo(?:sitory)?|code ?base|code|package|program|app(?:lication)?|library)\b",
    re.IGNORECASE,
)
_UNRELATED: frozenset[TaskKind] = frozenset({"math", "creative", "embedding"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer was asked for: the request, its kind, the code that was shown, the rules given with it, and what
    its model has looked at."""

    request: str
    kind: TaskKind
    context: Context
    rules: str = ""
    seen: str = ""


def refuses(text: str) -> bool:
    """Whether a text begins with a refusal, or with a wish for more, and says little else."""
    stripped = text.strip()
    return len(stripped) <= MAX_REFUSAL and _REFUSAL.search(stripped[:HEAD]) is not None


def echoes(text: str, prose: str, asked: Asked) -> bool:
    """Whether a text mostly repeats the rules, the request, or the code as it was shown."""
    if _ABOUT_US.match(text):
        return True
    said, given = _words(prose), _words(asked.rules) + _words(asked.request)
    if said and said == _words(asked.request):
        return True
    if len(said) >= LEAST_WORDS:
        known = set(_shingles(_words(asked.rules))) | set(_shingles(_words(asked.request)))
        own = list(_shingles(said))
        if given and sum(one in known for one in own) >= ECHOED * len(own):
            return True
    return asked.kind != "find" and _is_copied(text, asked)


def is_about(text: str, asked: Asked) -> bool | None:
    """Whether a text shares names or words with the request and the code that was shown; None where none can be told.

    A text that is not English shares names only: it is not judged by its words.
    """
    if asked.kind in _UNRELATED or not (asked.context.items or asked.context.files):
        return None
    low = text.lower()
    if any(name in low for name in _names(asked)):
        return True
    said = {_stem(word) for word in terms(text) if word not in COMMON_WORDS and len(word) > 2}
    if not said:
        return None
    spoken = _WORD.findall(low)
    if len(spoken) >= LEAST_WORDS and sum(word in FUNCTION_WORDS for word in spoken) < 0.1 * len(spoken):
        return None
    shown = " ".join((asked.seen, *(item.text for item in asked.context.items)))
    matter = {_stem(word) for word in terms(f"{asked.request} {shown}")}
    return len(said & matter) >= SHARED * len(said)


def asks_of_here(asked: Asked) -> bool:
    """Whether a request is about the repository, of which no code was shown."""
    return not asked.context.items and _HERE.search(asked.request) is not None


def _names(asked: Asked) -> Iterable[str]:
    """The names of the files and symbols shown, and of code in the request, in lower case."""
    for item in asked.context.items:
        yield item.path.rpartition("/")[2].lower()
        name = re.split(r"\W", item.symbol)[-1].lower()
        if len(name) > 3 and name not in COMMON_WORDS:
            yield name
    for word in re.findall(r"[\w./:#-]*[\w]", asked.request):
        if len(word) > 3 and re.search(r"[_./:#]|[a-z][A-Z]", word):
            yield word.lower()


def _is_copied(text: str, asked: Asked) -> bool:
    """Whether nearly all lines stand so in the code that was shown."""
    lines = [line.strip() for line in text.split("\n") if len(line.strip()) > 3 and not line.lstrip().startswith("```")]
    if len(lines) < LEAST_LINES:
        return False
    texts = (asked.seen, *(item.text for item in asked.context.items))
    shown = {_unnumbered(line) for text in texts for line in text.split("\n")}
    return sum(_unnumbered(line) in shown for line in lines) >= COPIED * len(lines)


def _unnumbered(line: str) -> str:
    return re.sub(r"^\d+\s", "", line.strip()).strip()


def _stem(word: str) -> str:
    return re.sub(r"(?:ings?|ed|es|s|e)$", "", word) if len(word) > 4 else word


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _shingles(words: list[str]) -> Iterable[tuple[str, ...]]:
    return zip(*(words[at:] for at in range(SHINGLE)), strict=False)
