"""Tell what kind of work a query is, how hard it looks, and how long its answer may be, from words and sizes alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from optimizer.types import Context, Query, Task, TaskKind

_LONGEST = 20_000
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey)\b[ ,!.]*|please\b[ ,]*|kindly\b *|now\b[ ,]*|ok(?:ay)?\b[ ,]*|let'?s\b *"
    r"|i(?: would|'d) like (?:you )?to\b *|i (?:want|need) (?:you )?to\b *"
    r"|(?:can|could|would|will) (?:you|we)\b(?: please)? *|help me(?: to)?\b *|try to\b *)+",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:what|why|how|where|when|which|who|whose|is|are|was|were|does|do|did|can|could|should|would|will|has|have)\b",
    re.IGNORECASE,
)
_VERBS: Mapping[TaskKind, str] = {
    "debug": (
        r"fix|debug|diagnose|solve|resolve|repair|investigate|track down|troubleshoot|find the bug|reproduce|stop"
        r"|(?:make|get)\b.{0,40}\b(?:pass|work)(?: again)?[.!]?$"
    ),
    "test": (
        r"tests?|cover|(?:write|add|create|generate|extend|improve|update)\b[^.]{0,40}\btests?"
        r"|(?:increase|raise|improve)\b.{0,20}\bcoverage"
    ),
    "refactor": (
        "refactor|restructure|reorgani[sz]e|clean ?up|simplify|extract|split|inline|deduplicate|decouple|modulari[sz]e"
        "|move|merge|rewrite|tidy|untangle|flatten|unify|pull out|break up|convert|migrate|port|moderni[sz]e|rename"
    ),
    "edit": (
        "add|implement|create|make|change|update|remove|delete|drop|replace|set|write|insert|support|allow|handle|use"
        "|enable|disable|introduce|extend|append|build|cache|log|optimi[sz]e|speed up|validate|raise|return|document"
        "|annotate|type|format|generate|increase|decrease|reduce|bump|improve|correct|turn|wrap|let|ensure|expose"
        r"|switch|apply|edit|put|give\b(?! (?:me )?an? (?:overview|summary|explanation))"
        "|upgrade|parametri[sz]e|translate|reword|comment|uncomment|print"
    ),
    "explain": (
        "explain|describe|summari[sz]e|tell|walk|outline|clarify|compare|review|show|list|find|understand|analy[sz]e"
        "|look at|read|give (?:me )?an? (?:overview|summary|explanation)|trace|illustrate|interpret|elaborate"
    ),
}
_STARTS = {kind: re.compile(rf"^(?:{verbs})\b", re.IGNORECASE) for kind, verbs in _VERBS.items()}
_NEXT_CLAUSE = re.compile(r"(?:\band(?: then)?|[.;:,]|\bthen|\bto) +", re.IGNORECASE)
_FAILURE = re.compile(
    r"traceback \(most recent call last\)|\b(?:\w+error|\w+exception|error|exception)\b ?:|\bpanicked at\b"
    r"|\bsegmentation fault\b|\bcore dumped\b|^[ \t]{1,20}at .{1,200}:\d+\)|\bassertion failed\b",
    re.IGNORECASE | re.MULTILINE,
)
_BROKEN = re.compile(
    r"\b(?:bugs?|crash(?:es|ed|ing)?|fail(?:s|ed|ing|ure)?|broken|breaks?|wrong(?:ly)?|incorrect(?:ly)?|hangs?"
    r"|leak(?:s|ing)?|error|exception|regression|doesn'?t work|does not work|not working|stack ?trace|traceback|flaky"
    r"|deadlocks?|throws?|off by one|should (?:not|be|return|have)|instead of)\b",
    re.IGNORECASE,
)
_TEST_WORDS = re.compile(
    r"\b(?:unit ?tests?|test cases?|pytest|unittest|doctests?|coverage|property[- ]tests?)\b", re.IGNORECASE
)
_WANTS_FIX = re.compile(r"\b(?:fix|solve|repair|correct|resolve|make (?:it|them) (?:work|pass))\b", re.IGNORECASE)

_HARD = (
    r"concurren\w+|races?|deadlocks?|thread(?:s|ing|-safe)?|async\w*|memory leaks?|architecture|redesign|migrat\w+"
    r"|performance|algorithm\w*|security|vulnerabilit\w+|distributed|transaction\w*|backwards? compatib\w+"
)
_SMALL = (
    r"typos?|spelling|comments?|docstrings?|rename|unused (?:import|variable)s?|log (?:line|message)s?|whitespace"
    r"|one[- ]line\w*|constant|version|readme|wording"
)
_HARDER: tuple[tuple[float, str, re.Pattern[str]], ...] = tuple(
    (weight, why, re.compile(rf"\b(?:{words})\b", re.IGNORECASE))
    for weight, why, words in (
        (0.2, "a hard subject", _HARD),
        (0.15, "a wide reach", r"all|every\w*|across|whole|entire|throughout|codebase|each (?:file|module)"),
        (0.1, "several steps", r"then|after that|also|as well as|additionally|finally"),
        (-0.2, "a small change", _SMALL),
    )
)
_BASE: Mapping[TaskKind, float] = {
    "general": 0.2, "explain": 0.2, "edit": 0.35, "test": 0.4, "refactor": 0.45, "debug": 0.5,
}  # fmt: skip
_ANSWER: Mapping[TaskKind, int] = {
    "general": 400, "explain": 500, "edit": 600, "test": 1000, "refactor": 1000, "debug": 700,
}  # fmt: skip
_EDITING = frozenset({"edit", "refactor", "test"})


def classify(query: Query, context: Context, prompt_tokens: int) -> Task:
    """The task of a query; `prompt_tokens` is the size of the prompt that would be sent, `context` what it holds."""
    request = _POLITE.sub("", " ".join(query.text[:_LONGEST].split()))
    kind, why = _kind(request, query)
    difficulty, reasons = _difficulty(kind, request, context, prompt_tokens)
    return Task(
        kind=kind,
        difficulty=difficulty,
        reasons=(why, *reasons),
        wants_edits=kind in _EDITING or (kind == "debug" and _fix_wanted(request)),
        input_tokens=prompt_tokens,
        output_tokens=_ANSWER[kind],
    )


def _kind(request: str, query: Query) -> tuple[TaskKind, str]:
    failure = any(_FAILURE.search(text[:_LONGEST]) for text in (query.text, query.extra))
    if _QUESTION.match(request):
        if failure or _BROKEN.search(request):
            return "debug", "it asks about a failure"
        return "explain", "it is a question"
    for kind, pattern in _STARTS.items():
        if found := pattern.match(request):
            return _refined(kind, request), f"it begins with {found[0].lower()!r}"
    if failure:
        return "debug", "it holds an error message"
    for clause in _clauses(request):
        for kind, pattern in _STARTS.items():
            if found := pattern.match(clause):
                return _refined(kind, clause), f"it asks to {found[0].lower()!r}"
    if _BROKEN.search(request):
        return "debug", "it tells of a failure"
    if request.endswith("?"):
        return "explain", "it is a question"
    return "general", "no word tells what is wanted"


def _refined(kind: TaskKind, request: str) -> TaskKind:
    if kind == "edit" and _TEST_WORDS.search(request):
        return "test"
    return kind


def _clauses(request: str) -> list[str]:
    """What follows each comma, stop or "and", without politeness; the first few."""
    starts = [found.end() for found in _NEXT_CLAUSE.finditer(request)][:8]
    return [_POLITE.sub("", request[start:]) for start in starts]


def _fix_wanted(request: str) -> bool:
    return not _QUESTION.match(request) or bool(_WANTS_FIX.search(request))


def _difficulty(kind: TaskKind, request: str, context: Context, prompt_tokens: int) -> tuple[float, list[str]]:
    value, reasons = _BASE[kind], list[str]()
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
        reasons.append(f"a prompt of {prompt_tokens} tokens")
    if len(request.split()) > 60:
        value += 0.1
        reasons.append("a long request")
    return round(min(max(value, 0.0), 1.0), 2), reasons
