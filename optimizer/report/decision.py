"""A decision in words: the kind of request, the models that are asked, in order, and why others are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote

from optimizer.reasons import OWN_REQUEST, NoKey
from optimizer.report import reasons
from optimizer.report.figures import money
from optimizer.report.layout import cells, inert, table, wrapped
from optimizer.tiers import TIERS
from optimizer.types import Attempt, LeftOut, Quote, Route, Task

LONG_REQUEST = 200  # characters from which a request is not repeated in a command
KINDS: Mapping[str, str] = {
    "find": "search",
    "explain": "question about the code",
    "edit": "change to code",
    "refactor": "refactoring",
    "test": "change to tests",
    "debug": "bug to find",
    "design": "design question",
    "math": "calculation",
    "creative": "creative text",
    "quick": "quick question",
    "tool": "command to run",
    "embedding": "embedding",
    "general": "request",
}
DIFFICULTIES = (
    (0.15, "a very easy {}"),
    (0.35, "an easy {}"),
    (0.55, "a {} of medium difficulty"),
    (0.75, "a hard {}"),
)


def summary(task: Task, route: Route) -> str:
    """The kind of request, the models that are asked, and the profile, in a line."""
    kind = "a {}" if task.kind == "quick" else _how_hard(task.difficulty)
    line = f"{kind.format(KINDS.get(task.kind, task.kind))}: {_asked(route.attempts)}"
    return ", ".join(filter(None, (line, reasons.profile(route.plan))))


def why(task: Task) -> str:
    """The difficulty as a figure, and the signs it is estimated from."""
    return f"difficulty {task.difficulty:g} of 1: {'; '.join(reasons.sign(one) for one in task.signs)}"


def attempts(route: Route, columns: int | None, licences: bool = False) -> list[str]:
    """The models in the order in which they are asked, each with its reason; those in reserve have no number.

    With `licences`, also with the class of its licence.
    """
    rows, number = list[tuple[str, ...]](), 0
    for one in route.attempts:
        number += not one.standby
        mark = "  " if one.standby else f"{number}."
        last = f"{reasons.attempt(one)}; {reasons.licence(one.model)}" if licences else reasons.attempt(one)
        rows.append((f"{mark} {one.model.id}", one.model.tier, reasons.where(one.model), last))
    return list(map(inert, table(rows, columns)))


def left_out(some: Sequence[LeftOut], columns: int | None) -> list[str]:
    """The models that are not asked, those with the same reason together, each reason with its hint."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for left in sorted(some, key=lambda one: TIERS.index(one.tier)):
        named = (left.tier, reasons.why(left), reasons.hint(left, "NAME"))
        alike.setdefault(named, []).append(left.model or left.provider)
    lines: list[str] = []
    for (tier, reason, hint), names in alike.items():
        line = f"      {reason}; try: {hint}" if hint else f"      {reason}"
        if hint and columns and cells(line) >= columns:
            line = f"      {reason}\n      try: {hint}"
        lines += [f"  {tier}: {', '.join(dict.fromkeys(names))}", line]
    return [inert(wrapped(line, columns)) for line in lines]


def no_model(quotes: Sequence[Quote], some: Sequence[LeftOut], found: str, columns: int | None = None) -> str:
    """The price of the request on each tier, and how to get a model, or to use the context `found` for it elsewhere."""
    lines = ["", "No model could be asked. This request would cost:"]
    lines += table([(one.tier, one.model, money(one.cost)) for one in quotes], columns)
    lines += cures(some, columns)
    if found:
        request = quote(found) if len(found) < LONG_REQUEST and "\n" not in found else '"…"'
        lines += ["", "To see the code for this request, or copy it with --copy:", f"  optimize context {request}"]
    return inert("\n".join(lines))


def cures(some: Sequence[LeftOut], columns: int | None) -> list[str]:
    """How to get a model where none can be asked, the nearest cure first, and what only time cures."""
    lines = list[str]()
    objections = _objections(some)
    hints: dict[str, str] = {}
    for left in objections:
        if hint := reasons.hint(left):
            hints.setdefault(hint, "" if isinstance(left.reason, NoKey) else reasons.why(left))
    if hints:
        lines += ["", "To get a model, do one of these:", *table(list(hints.items()), columns, flowing=False)]
    if late := [
        f"  {left.model or left.provider}: {reasons.why(left)}" for left in objections if not reasons.hint(left)
    ]:
        lines += ["", "Unavailable now:", *(wrapped(line, columns) for line in dict.fromkeys(late))]
    return lines


def _objections(some: Sequence[LeftOut]) -> list[LeftOut]:
    """Why models cannot be asked, other than by the user's own choice, the nearest cure and the cheapest tier first; if
    they named one, only its reasons."""
    others = [left for left in some if not isinstance(left.reason, OWN_REQUEST)]
    missing = {(left.provider, left.reason) for left in some if not left.model}
    alone = len(others) < len(some) or any(left.model and (left.provider, left.reason) in missing for left in some)
    named = [left for left in others if left.model] if alone else []
    return sorted(named or others, key=lambda left: (reasons.distance(left), TIERS.index(left.tier)))


def _how_hard(difficulty: float) -> str:
    return next((words for most, words in DIFFICULTIES if difficulty <= most), "a very hard {}")


def _asked(some: Sequence[Attempt]) -> str:
    first = [one for one in some if not one.standby]
    if not first:
        return "no model can be asked"
    if len(some) == 1:
        return f"only {some[0].model.id} is asked"
    here, tier = first[0].model.local, first[0].model.tier
    if len(first) == 1:
        return "asked on this machine only" if here else f"only {tier} models are asked"
    start, further = (
        ("asked on this machine", "in the cloud") if here else (f"{tier} models are asked", "more expensive ones")
    )
    return f"{start} first, {further} only if the answer fails a check"
