"""Classify a query: its kind of work, its difficulty and the length of its answer, from words and sizes alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from optimizer.routing import locales, words
from optimizer.types import Context, Needs, Query, Task, TaskKind

_LONGEST, _LONGEST_OF_WORDS = 20_000, 2_000  # characters that are looked through for a failure, and for all else


def _begins(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_POLITE, _WISH, _QUESTION = _begins(words.POLITE), _begins(words.WISH), _begins(words.QUESTION)
_GREETING, _WELL_KNOWN, _OF_THIS_CODE = (
    _begins(words.GREETING),
    _begins(words.WELL_KNOWN),
    re.compile(words.OF_THIS_CODE),
)
_STARTS = {kind: re.compile(rf"^(?:{verbs})\b", re.IGNORECASE) for kind, verbs in words.VERBS.items()}
# Looked for in this order before the verbs, which several of them share.
_FIRST: tuple[tuple[TaskKind, re.Pattern[str], str], ...] = (
    ("math", _begins(words.MATH), "it asks to reckon"),
    ("embedding", _begins(words.EMBEDDING), "it asks for vectors"),
    ("creative", _begins(words.CREATIVE), "it asks for something invented"),
)
_DESIGN, _FIND, _TOOL = _begins(words.DESIGN), _begins(words.FIND), _begins(words.TOOL)
_NEXT_CLAUSE = re.compile(r"(?:\band(?: then)?|[.;:,]|\bthen|\bto) +", re.IGNORECASE)
_FAILURE = re.compile(words.FAILURE, re.IGNORECASE | re.MULTILINE)
_DONE = re.compile(words.DONE, re.IGNORECASE)
_BROKEN, _TEST_WORDS = re.compile(words.BROKEN, re.IGNORECASE), re.compile(words.TEST_WORDS, re.IGNORECASE)
_WANTS_FIX, _SEEN = re.compile(words.WANTS_FIX, re.IGNORECASE), re.compile(words.SEEN, re.IGNORECASE)

_HARD = (
    r"concurren\w+|races?|deadlocks?|thread(?:s|ing|-safe)?|async\w*|memory leaks?|architecture|redesign|migrat\w+"
    r"|performance|algorithm\w*|security|vulnerabilit\w+|distributed|transaction\w*|backwards? compatib\w+"
)
_SMALL = (
    r"typos?|spelling|comments?|docstrings?|rename|unused (?:import|variable)s?|log (?:line|message)s?|whitespace"
    r"|one[- ]line\w*|constant|version|readme|wording"
)
_HARDER: tuple[tuple[float, str, re.Pattern[str]], ...] = tuple(
    (weight, why, re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE))
    for weight, why, pattern in (
        (0.2, "a hard subject", _HARD),
        (0.15, "a wide reach", r"all|every\w*|across|whole|entire|throughout|codebase|each (?:file|module)"),
        (0.1, "several steps", r"then|after that|also|as well as|additionally|finally"),
        (-0.2, "a small change", _SMALL),
    )
)


class _Usual(NamedTuple):
    """Defaults of a kind of work: its difficulty, and the tokens of its answer."""

    difficulty: float
    answer: int


_USUAL: Mapping[TaskKind, _Usual] = {
    "quick": _Usual(0.05, 200),
    "find": _Usual(0.15, 300),
    "embedding": _Usual(0.2, 400),
    "general": _Usual(0.2, 400),
    "tool": _Usual(0.2, 400),
    "explain": _Usual(0.2, 500),
    "creative": _Usual(0.3, 600),
    "math": _Usual(0.35, 400),
    "edit": _Usual(0.35, 600),
    "test": _Usual(0.4, 1000),
    "refactor": _Usual(0.45, 1000),
    "debug": _Usual(0.5, 700),
    "design": _Usual(0.6, 1000),
}
KINDS: tuple[TaskKind, ...] = tuple(_USUAL)
_EDITING = frozenset({"edit", "refactor", "test"})
_SOON = frozenset({"quick", "find"})


class Opinion(NamedTuple):
    """The kind of work that a request is, why, and how hard it is (None: by its words)."""

    kind: TaskKind
    why: str
    difficulty: float | None = None


def classify(query: Query, context: Context, prompt_tokens: int, opinion: Opinion | None = None) -> Task:
    """The task of a query; `prompt_tokens` is the size of the prompt that would be sent, `context` what it holds.

    An `opinion` on the kind, such as that of a small model, counts before the words.
    """
    request = _POLITE.sub("", _plain(query))
    kind, why = (opinion.kind, opinion.why) if opinion else kind_of(query)
    difficulty, reasons = _difficulty(kind, request, context, prompt_tokens)
    if opinion and opinion.difficulty is not None:
        difficulty, reasons = opinion.difficulty, ["it says how hard it is"]
    output = _USUAL[kind].answer
    needs = Needs(prompt_tokens + output, kind == "tool", bool(query.images), kind in _SOON, query.images)
    return Task(
        kind=kind,
        difficulty=difficulty,
        reasons=(why, *reasons, *_needed(needs, bool(_SEEN.search(request)))),
        wants_edits=kind in _EDITING or (kind == "debug" and _fix_wanted(request)),
        input_tokens=prompt_tokens,
        output_tokens=output,
        needs=needs,
    )


def kind_of(query: Query) -> tuple[TaskKind, str]:
    """The kind of a query by its words, and the words that decide."""
    plain = _plain(query)
    failure = any(_FAILURE.search(text[:_LONGEST]) for text in (query.text, query.extra))
    if not (query.extra or query.images) and (greeting := _greeting(plain)):
        return "quick", f"it is no more than {greeting!r}"
    request = _POLITE.sub("", plain)
    if found := _elsewhere(request):
        return found
    for kind, pattern, why in _FIRST:
        if pattern.search(request):
            return kind, why
    if _QUESTION.match(request):
        return _question(request, failure)
    return _by_verb(request) or _otherwise(request, failure)


def _needed(needs: Needs, mentions_one: bool) -> tuple[str, ...]:
    """What a task needs of a model beyond its window; a request may mention an image that is not sent."""
    count = len(needs.images)
    rows = (
        (needs.tools, "a model that calls tools suits it"),
        (needs.vision, "an image goes with it" if count == 1 else f"{count} images go with it"),
        (mentions_one and not count, "it mentions an image, and none is sent: --image FILE"),
        (needs.soon, "it is to be answered soon"),
    )
    return tuple(text for wanted, text in rows if wanted)


def _plain(query: Query) -> str:
    return " ".join(query.text[:_LONGEST].split())[:_LONGEST_OF_WORDS]


def _greeting(plain: str) -> str:
    found = _GREETING.match(plain)
    if not found:
        return ""
    rest = plain[found.end() :].strip(" ,!.?")
    short = len(rest.split()) <= words.LONGEST_GREETING
    says = not rest or (short and not _by_verb(_POLITE.sub("", rest)) and not _QUESTION.match(rest))
    return found[0].lower() if says and not re.search(r"\d|[_()/]", rest) else ""


def _elsewhere(request: str) -> tuple[TaskKind, str] | None:
    """The kind of a request that is not in English."""
    name = locales.locale(request)
    found = None if name == "en" else locales.kind(request, name)
    return (found[0], f"it says {found[1]!r} ({name})") if found else None


def _question(request: str, failure: bool) -> tuple[TaskKind, str]:
    if _DESIGN.search(request):
        return "design", "it asks how something should be built"
    if failure or _BROKEN.search(request):
        return "debug", "it asks about a failure"
    if _FIND.match(request):
        return "find", "it asks for a place"
    if _WELL_KNOWN.match(request) and not _OF_THIS_CODE.search(request):
        return "quick", "it asks for a well-known fact"
    return "explain", "it is a question"


def _by_verb(request: str, how: str = "begins with") -> tuple[TaskKind, str] | None:
    """The kind by the first words of a request, or of a clause of it; `how` is for the reason."""
    if _DESIGN.search(request):
        return "design", "it asks how something should be built"
    if run := _TOOL.match(request):
        return _ran(request, f"it {how} {run[0].lower()!r}")
    if place := _FIND.match(request):
        return "find", f"it {how} {place[0].lower()!r}"
    for kind, pattern in _STARTS.items():
        if found := pattern.match(request):
            return _refined(kind, request), f"it {how} {found[0].lower()!r}"
    return None


def _ran(request: str, why: str) -> tuple[TaskKind, str]:
    """A request to run something, unless a later clause asks for a fix or a change, or reports a failure."""
    for clause in _clauses(request):
        for kind in ("debug", "edit", "refactor", "test"):
            if found := _STARTS[kind].match(clause):
                return kind, f"it asks to {found[0].lower()!r}"
    if _BROKEN.search(request):
        return "debug", "it reports a failure"
    return "tool", why


def _otherwise(request: str, failure: bool) -> tuple[TaskKind, str]:
    """The kind of a request that begins neither with a question nor with a verb."""
    if failure:
        return "debug", "it holds an error message"
    for clause in _clauses(request):
        if found := _by_verb(clause, "asks to"):
            return found
    if _TEST_WORDS.search(request):
        return "test", "it mentions tests"
    if _BROKEN.search(request):
        return "debug", "it reports a failure"
    if wanted := _WISH.match(request):
        if re.search(r"\btests?\b", request):
            return "test", "it mentions tests"
        return "edit", f"it begins with {wanted[0].strip().lower()!r}"
    if locales.asks(request):
        return "explain", "it is a question"
    other = locales.kind_by_start(request) if " " in request else None
    if other:
        return other[0], f"it begins with {other[1]!r}"
    if _DONE.search(request):
        return "edit", "it reads like something to be done"
    return "general", "no keyword matches"


def _refined(kind: TaskKind, request: str) -> TaskKind:
    if kind == "edit" and _TEST_WORDS.search(request):
        return "test"
    return kind


def _clauses(request: str) -> list[str]:
    """What follows each comma, stop or "and", without politeness; the first few."""
    starts = [found.end() for found in _NEXT_CLAUSE.finditer(request)][:8]
    return [_POLITE.sub("", request[start:]) for start in starts]


def _fix_wanted(request: str) -> bool:
    asked = _QUESTION.match(request) or locales.asks(request)
    return not asked or bool(_WANTS_FIX.search(request))


def _difficulty(kind: TaskKind, request: str, context: Context, prompt_tokens: int) -> tuple[float, list[str]]:
    value, reasons = _USUAL[kind].difficulty, list[str]()
    for weight, why, pattern in _HARDER:
        if found := pattern.search(request):
            value += weight
            reasons.append(f"{why} ({found[0].lower()!r})")
    files = len({item.path for item in context.items})
    if files > 4:
        value += 0.1
        reasons.append(f"{files} files in view")
    if prompt_tokens > 4000:
        value += 0.1
        reasons.append(f"a prompt of {prompt_tokens:,} tokens")
    if len(request.split()) > 60:
        value += 0.1
        reasons.append("a long request")
    return round(min(max(value, 0.0), 1.0), 2), reasons
