"""How well a summary keeps what its source says, without a model.

Names, paths and numbers are compared as they are written. Statements that negate or decide something, and questions
that are left open, are compared by the stems of their words: one is kept where a sentence of the summary holds enough
of them, and a negation only where that sentence negates too. What the summary names and its source does not is
invented. Of the output of tools nothing has to be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

Fact = Literal["name", "path", "number", "decision", "negation", "question"]
Fault = Literal["lost", "invented"]

COVERED = 0.5  # share of the stems of a statement that one sentence of a summary must hold
TELLING = 2  # stems below which a statement speaks of the one before it
SCOPE = 4  # stems after a negation that tell what it negates
INVENTED = 3  # facts that are lost weigh as much as one that is invented

_PATH = re.compile(
    r"(?<![\w/.])(?:[\w@.~-]+/)*[\w@-]+(?:\.[\w-]+)*\.[A-Za-z]{1,5}\b(?!\()|(?<![\w:/<.])/?(?:[\w.@-]+/)+[\w.@-]*\w"
)
_NAME = re.compile(r"(?<![\w#])[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*)*")
_TELLING = re.compile(r"\w_\w|^_\w|[a-z][A-Z]|[A-Z]{2}|[A-Za-z]\d|\w\.\w")
_NUMBER = re.compile(r"(?<![\w.#])\d+(?:[.,]\d+)*(?![\d_])")
_STEM = re.compile(r"[^\W\d_]{3,}|\d+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+|;\s+|:\s+(?=[A-Za-z])")
_CLAUSE = re.compile(r",\s+(?:and|but|because|since|so|or)?\s*|\s+(?:but|because|since|and)\s+")
_REASON = re.compile(r"\b(?:because|since)\b")
_MEASURE = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|seconds|minutes|hours|kB|KB|MB|GB|%)(?!\w)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPEAKER = re.compile(r"^(user|assistant|tool|system): ?", re.MULTILINE)
_NEGATES = re.compile(
    r"\b(?:not|never|no|none|nothing|nobody|without|cannot|neither|nor|unable|\w+n['’]t)\b", re.IGNORECASE
)
_DENIES = re.compile(
    _NEGATES.pattern
    + r"|\b(?:reject\w*|refus\w*|avoid\w*|against|except|instead|untouched|unchanged|only|out|left alone)\b",
    re.IGNORECASE,
)
_DECIDES = re.compile(
    r"\b(?:decid\w+|decision|agreed?|chose\w*|reject\w*|must|never|has to|not allowed)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:open|not sure|not clear|unclear|unknown|not (?:yet )?(?:possible|tested)|yet|unable|nobody knows)\b",
    re.IGNORECASE,
)
_DOUBTS = re.compile(_OPEN.pattern + r"|" + _NEGATES.pattern, re.IGNORECASE)
_COMMON = frozenset(
    _STEM.findall(
        "the and for are was were has have had that this with from they them its you your but not all can "
        "will does did been now then than what which when how who should would could must let into also "
        "because since user please want wants decided decision decide agreed chose open question never don "
        "doesn didn won isn cannot without nobody none nothing too one only there here these those our"
    )
)


class Finding(NamedTuple):
    """A fact that a summary lost or invented, as it is written."""

    fault: Fault
    fact: Fact
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """What a summary did not keep, or made up; of each kind of fact how many were kept, of how many; its length as a
    share of its source's; and all in one number, 1 where nothing was lost or invented."""

    findings: tuple[Finding, ...]
    kept: Mapping[Fact, tuple[int, int]]
    ratio: float
    value: float


class _Said(NamedTuple):
    """A sentence of the source, who said it, and the number of its message."""

    who: str
    text: str
    message: int


def score(source: str, summary: str) -> Score:
    """Compare a summary with its source, the messages of which may begin with `user: `, `assistant: ` or `tool: `."""
    wanted = dict(_wanted(list(_said(source))))
    given = _sentences(summary)
    findings: list[Finding] = []
    kept: dict[Fact, tuple[int, int]] = {}
    for fact, texts in wanted.items():
        lost = [text for text in texts if not _keeps(fact, text, summary, given)]
        kept[fact] = (len(texts) - len(lost), len(texts))
        findings += [Finding("lost", fact, text) for text in lost]
    invented = list(_invented(source, summary))
    total = sum(all for _, all in kept.values())
    good = sum(some for some, _ in kept.values())
    value = good / (total + INVENTED * len(invented)) if total or invented else 1.0
    return Score((*findings, *invented), kept, len(summary) / max(1, len(source)), value)


def names_of(text: str) -> list[str]:
    """The identifiers, abbreviations and calls in a text, without paths."""
    plain = _PATH.sub(" ", text)
    return list(dict.fromkeys(name for name in _NAME.findall(plain) if _TELLING.search(name)))


def paths_of(text: str) -> list[str]:
    """The paths and names of files in a text."""
    return list(dict.fromkeys(_PATH.findall(text)))


def numbers_of(text: str) -> list[str]:
    """The numbers in a text that are no part of a name or path."""
    return list(dict.fromkeys(number.replace(",", "") for number in _NUMBER.findall(_PATH.sub(" ", text))))


def _said(source: str) -> Iterator[_Said]:
    pieces = _SPEAKER.split(source)
    messages = [("", pieces[0]), *zip(pieces[1::2], pieces[2::2], strict=True)]
    for number, (who, text) in enumerate(messages):
        if who != "tool":
            yield from (_Said(who, sentence, number) for sentence in _sentences(text))


def _wanted(spoken: Sequence[_Said]) -> Iterator[tuple[Fact, list[str]]]:
    """The facts of a source that a summary has to keep."""
    text = "\n".join(one.text for one in spoken)
    yield "name", names_of(text)
    yield "path", paths_of(text)
    old = _measured_again(spoken)
    yield "number", [one for one in numbers_of(text) if one not in ("0", "1") and one not in old]
    stated = [one for one in spoken if not one.text.endswith("?")]
    yield "decision", [one.text for one in stated if _DECIDES.search(one.text) and len(stems_of(one.text)) >= TELLING]
    yield "negation", [clause for one in stated for clause in _negated(one, spoken[-1].message)]
    yield "question", list(_left_open(spoken))


def _measured_again(spoken: Sequence[_Said]) -> set[str]:
    """The measures that a model gave, and gave again later for the same name and in the same unit."""
    found: set[str] = set()
    latest: dict[tuple[str, str], str] = {}
    for one in reversed(spoken):
        for number, unit in _MEASURE.findall(one.text) if one.who == "assistant" else ():
            for name in names_of(one.text):
                if latest.setdefault((name, unit), number) != number:
                    found.add(number)
    return found - {number for one in spoken if one.who == "user" for number in numbers_of(one.text)}


def _negated(said: _Said, last: int) -> Iterator[str]:
    """The clauses of a sentence that deny something, without those that give a reason, and what a model only found."""
    plain = _REASON.split(said.text)[0]
    if len(stems_of(plain)) < TELLING:
        return
    firm = said.who != "assistant" or said.message == last or _DECIDES.search(said.text)
    for clause in _CLAUSE.split(plain):
        if _NEGATES.search(clause) and (firm or len(_scope(clause)) >= TELLING):
            yield clause


def _left_open(spoken: Sequence[_Said]) -> Iterator[str]:
    """The questions that nobody answers, and what the last message says is open."""
    last = [one for one in spoken if one.message == spoken[-1].message]
    if last and last[0].who == "user" and any(_OPEN.search(one.text) for one in last):
        last += [one for one in spoken if one.message == last[0].message - 1 and one.text.endswith("?")]
    for one in last:
        asks = one.text.endswith("?") or _OPEN.search(one.text)
        if asks and len(stems_of(one.text)) >= TELLING:
            yield one.text


def _keeps(fact: Fact, text: str, summary: str, given: Sequence[str]) -> bool:
    if fact in ("name", "path"):
        return text in summary
    if fact == "number":
        return text in numbers_of(summary)
    if fact == "negation":
        return _keeps_negation(text, given)
    stems = stems_of(text)
    if fact == "question":
        asking = [one for one in given if one.endswith("?") or _DOUBTS.search(one)]
        return any(len(stems & stems_of(one)) >= COVERED * len(stems) for one in asking)
    return len(stems & stems_of(summary)) >= COVERED * len(stems)


def _keeps_negation(clause: str, given: Sequence[str]) -> bool:
    scope = _scope(clause)
    parts = [part for one in given for part in _CLAUSE.split(one) if _DENIES.search(part)]
    return not scope or any(len(scope & stems_of(part)) >= COVERED * len(scope) for part in parts)


def _scope(clause: str) -> frozenset[str]:
    """The stems that tell what a clause denies: the next after its negation, or the last before it."""
    found = _NEGATES.search(clause)
    after = _ordered(clause[found.end() :])[:SCOPE] if found else []
    return frozenset(after or _ordered(clause)[-SCOPE:])


def _invented(source: str, summary: str) -> Iterator[Finding]:
    """The names, paths and numbers of a summary that its source does not hold."""
    known = set(numbers_of(source)) | set(re.findall(r"\d+", source))
    yield from (Finding("invented", "name", name) for name in names_of(summary) if not _within(name, source))
    yield from (Finding("invented", "path", path) for path in paths_of(summary) if not _within(path, source))
    yield from (Finding("invented", "number", one) for one in numbers_of(summary) if one not in known)


def _within(name: str, source: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", source) is not None


def _sentences(text: str) -> list[str]:
    return [one.strip() for one in _SENTENCE.split(text) if one.strip()]


@lru_cache(maxsize=4096)
def stems_of(text: str) -> frozenset[str]:
    """The stems of the words of a text that say something."""
    return frozenset(_ordered(text))


def _ordered(text: str) -> list[str]:
    return [_stem(word) for word in _STEM.findall(_HUMP.sub(" ", text).lower()) if word not in _COMMON]


def _stem(word: str) -> str:
    for end in ("ations", "ation", "ings", "ing", "ies", "ed", "es", "s", "e", "ly"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            return word[: -len(end)]
    return word
