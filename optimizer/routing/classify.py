"""Classify a query: its kind of work, its difficulty and the length of its answer, from words and sizes alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from optimizer.patterns import Pattern
from optimizer.reasons import Sign, SignCode
from optimizer.routing import locales, words
from optimizer.types import Context, Needs, Query, Task, TaskKind

_LONGEST, _LONGEST_OF_WORDS = 20_000, 2_000  # characters that are looked through for a failure, and for all else


_WISH, _QUESTION = Pattern(words.WISH), Pattern(words.QUESTION)
_GREETING, _WELL_KNOWN, _OF_THIS_CODE = (
    Pattern(words.GREETING),
    Pattern(words.WELL_KNOWN),
    Pattern(words.OF_THIS_CODE, 0),
)
_STARTS = {kind: Pattern(rf"^(?:{verbs})\b") for kind, verbs in words.VERBS.items()}
# Looked for in this order before the verbs, which several of them share.
_FIRST: tuple[tuple[TaskKind, Pattern, SignCode], ...] = (
    ("math", Pattern(words.MATH), "calculation"),
    ("embedding", Pattern(words.EMBEDDING), "vectors"),
    ("creative", Pattern(words.CREATIVE), "invention"),
)
_DESIGN, _FIND, _TOOL = Pattern(words.DESIGN), Pattern(words.FIND), Pattern(words.TOOL)
_NEXT_CLAUSE = r"(?:\band(?: then)?|[.;:,]|\bthen|\bto) +"
_FAILURE = Pattern(words.FAILURE, re.IGNORECASE | re.MULTILINE)
_DONE = Pattern(words.DONE)
_BROKEN, _TEST_WORDS = Pattern(words.BROKEN), Pattern(words.TEST_WORDS)
_WANTS_FIX, _SEEN = Pattern(words.WANTS_FIX), Pattern(words.SEEN)

_HARD = (
    r"concurren\w+|races?|deadlocks?|thread(?:s|ing|-safe)?|async\w*|memory leaks?|architecture|redesign|migrat\w+"
    r"|performance|algorithm\w*|security|vulnerabilit\w+|distributed|transaction\w*|backwards? compatib\w+"
)
_SMALL = (
    r"typos?|spelling|comments?|docstrings?|rename|unused (?:import|variable)s?|log (?:line|message)s?|whitespace"
    r"|one[- ]line\w*|constant|version|readme|wording"
)


def _words(pattern: str) -> Pattern:
    return Pattern(rf"\b(?:{pattern})\b")


_HARDER: tuple[tuple[float, SignCode, Pattern], ...] = (
    (0.2, "hard_subject", _words(_HARD)),
    (0.15, "wide_reach", _words(r"all|every\w*|across|whole|entire|throughout|codebase|each (?:file|module)")),
    (0.1, "several_steps", _words(r"then|after that|also|as well as|additionally|finally")),
    (-0.2, "small_change", _words(_SMALL)),
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


NO_KEYWORDS: Mapping[str, str] = MappingProxyType({})


class Opinion(NamedTuple):
    """The kind of work that a request is to a model, and how hard it is (None: by its words)."""

    kind: TaskKind
    model: str
    difficulty: float | None = None


def classify(
    query: Query,
    context: Context,
    prompt_tokens: int,
    opinion: Opinion | None = None,
    keywords: Mapping[str, str] = NO_KEYWORDS,
) -> Task:
    """The task of a query; `prompt_tokens` is the size of the prompt that would be sent, `context` what it holds.

    An `opinion` on the kind, such as that of a small model, counts before the words, and the user's own `keywords` (by
    kind, with commas) before both.
    """
    request = _civil(_plain(query))
    own = _own(_plain(query), keywords)
    read = own or ((opinion.kind, Sign("opinion", opinion.kind, model=opinion.model)) if opinion else kind_of(query))
    kind, sign = read
    difficulty, signs = _difficulty(kind, request, context, prompt_tokens)
    if opinion and opinion.difficulty is not None:
        difficulty, signs = opinion.difficulty, [Sign("rated")]
    output = _USUAL[kind].answer
    needs = Needs(prompt_tokens + output, kind == "tool", bool(query.images), kind in _SOON, query.images)
    return Task(
        kind=kind,
        difficulty=difficulty,
        signs=(sign, *signs, *_needed(needs, bool(_SEEN.search(request)))),
        wants_edits=kind in _EDITING or (kind == "debug" and _fix_wanted(request)),
        input_tokens=prompt_tokens,
        output_tokens=output,
        needs=needs,
    )


def kind_of(query: Query, keywords: Mapping[str, str] = NO_KEYWORDS) -> tuple[TaskKind, Sign]:
    """The kind of a query by its words, and the sign that decides: first the user's own words, by kind, with commas."""
    plain = _plain(query)
    if keywords and (own := _own(plain, keywords)):
        return own
    failure = any(_FAILURE.search(text[:_LONGEST]) for text in (query.text, query.extra))
    if not (query.extra or query.images) and (greeting := _greeting(plain)):
        return "quick", Sign("greeting", greeting)
    request = _civil(plain)
    if found := _elsewhere(request):
        return found
    for kind, pattern, code in _FIRST:
        if pattern.search(request):
            return kind, Sign(code)
    if _QUESTION.match(request):
        return _question(request, failure)
    return _by_verb(request) or _otherwise(request, failure)


def _own(plain: str, keywords: Mapping[str, str]) -> tuple[TaskKind, Sign] | None:
    """The kind of the user's longest word that a query holds, if any."""
    named = [(word.strip(), kind) for kind in KINDS for word in keywords.get(kind, "").split(",")]
    for word, kind in sorted(named, key=lambda pair: -len(pair[0])):
        if word and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", plain, re.IGNORECASE):
            return kind, Sign("own_word", word)
    return None


def _needed(needs: Needs, mentions_one: bool) -> tuple[Sign, ...]:
    """What a task needs of a model beyond its window; a request may mention an image that is not sent."""
    count = len(needs.images)
    rows = (
        (needs.tools, Sign("tools")),
        (needs.vision, Sign("images", amount=count)),
        (mentions_one and not count, Sign("image_missing")),
        (needs.soon, Sign("soon")),
    )
    return tuple(sign for wanted, sign in rows if wanted)


def _civil(text: str) -> str:
    """A request without the politeness that it begins with."""
    return re.sub(words.POLITE, "", text, flags=re.IGNORECASE)


def _plain(query: Query) -> str:
    return " ".join(query.text[:_LONGEST].split())[:_LONGEST_OF_WORDS]


def _greeting(plain: str) -> str:
    found = _GREETING.match(plain)
    if not found:
        return ""
    rest = plain[found.end() :].strip(" ,!.?")
    short = len(rest.split()) <= words.LONGEST_GREETING
    says = not rest or (short and not _by_verb(_civil(rest)) and not _QUESTION.match(rest))
    return found[0].lower() if says and not re.search(r"\d|[_()/]", rest) else ""


def _elsewhere(request: str) -> tuple[TaskKind, Sign] | None:
    """The kind of a request that is not in English."""
    name = locales.locale(request)
    found = None if name == "en" else locales.kind(request, name)
    return (found[0], Sign("foreign_word", found[1], name)) if found else None


def _question(request: str, failure: bool) -> tuple[TaskKind, Sign]:
    if _DESIGN.search(request):
        return "design", Sign("design_question")
    if failure or _BROKEN.search(request):
        return "debug", Sign("failure_question")
    if _FIND.match(request):
        return "find", Sign("place_question")
    if _WELL_KNOWN.match(request) and not _OF_THIS_CODE.search(request):
        return "quick", Sign("fact_question")
    return "explain", Sign("question")


def _by_verb(request: str, code: SignCode = "begins_with") -> tuple[TaskKind, Sign] | None:
    """The kind by the first words of a request, or of a clause of it; `code` is that of the sign."""
    if _DESIGN.search(request):
        return "design", Sign("design_question")
    if run := _TOOL.match(request):
        return _ran(request, Sign(code, run[0].lower()))
    if place := _FIND.match(request):
        return "find", Sign(code, place[0].lower())
    for kind, pattern in _STARTS.items():
        if found := pattern.match(request):
            return _refined(kind, request), Sign(code, found[0].lower())
    return None


def _ran(request: str, sign: Sign) -> tuple[TaskKind, Sign]:
    """A request to run something, unless a later clause asks for a fix or a change, or reports a failure."""
    for clause in _clauses(request):
        for kind in ("debug", "edit", "refactor", "test"):
            if found := _STARTS[kind].match(clause):
                return kind, Sign("asks_to", found[0].lower())
    if _BROKEN.search(request):
        return "debug", Sign("failure")
    return "tool", sign


def _otherwise(request: str, failure: bool) -> tuple[TaskKind, Sign]:
    """The kind of a request that begins neither with a question nor with a verb."""
    if failure:
        return "debug", Sign("error_message")
    for clause in _clauses(request):
        if found := _by_verb(clause, "asks_to"):
            return found
    if _TEST_WORDS.search(request):
        return "test", Sign("tests")
    if _BROKEN.search(request):
        return "debug", Sign("failure")
    if wanted := _WISH.match(request):
        if re.search(r"\btests?\b", request):
            return "test", Sign("tests")
        return "edit", Sign("begins_with", wanted[0].strip().lower())
    if locales.asks(request):
        return "explain", Sign("question")
    other = locales.kind_by_start(request) if " " in request else None
    if other:
        return other[0], Sign("foreign_start", other[1])
    if _DONE.search(request):
        return "edit", Sign("task")
    return "general", Sign("no_keyword")


def _refined(kind: TaskKind, request: str) -> TaskKind:
    if kind == "edit" and _TEST_WORDS.search(request):
        return "test"
    return kind


def _clauses(request: str) -> list[str]:
    """What follows each comma, stop or "and", without politeness; the first few."""
    starts = [found.end() for found in re.finditer(_NEXT_CLAUSE, request, re.IGNORECASE)][:8]
    return [_civil(request[start:]) for start in starts]


def _fix_wanted(request: str) -> bool:
    asked = _QUESTION.match(request) or locales.asks(request)
    return not asked or bool(_WANTS_FIX.search(request))


def _difficulty(kind: TaskKind, request: str, context: Context, prompt_tokens: int) -> tuple[float, list[Sign]]:
    value, signs = _USUAL[kind].difficulty, list[Sign]()
    for weight, code, pattern in _HARDER:
        if found := pattern.search(request):
            value += weight
            signs.append(Sign(code, found[0].lower()))
    files = len({item.path for item in context.items})
    if files > 4:
        value += 0.1
        signs.append(Sign("files_in_view", amount=files))
    if prompt_tokens > 4000:
        value += 0.1
        signs.append(Sign("long_prompt", amount=prompt_tokens))
    if len(request.split()) > 60:
        value += 0.1
        signs.append(Sign("long_request"))
    return round(min(max(value, 0.0), 1.0), 2), signs
