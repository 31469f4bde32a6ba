"""Answer a lookup from the index, without any model."""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.engine import book, judge, prepare
from optimizer.events import Booked, Event, Finished, Judged, Notice, Proposed, TextDelta
from optimizer.lookup.questions import Answer, Lookup
from optimizer.types import Outcome, Verdict

if TYPE_CHECKING:
    from optimizer.engine.services import Services


def answer_from_index(request: str, lookup: Lookup, services: Services) -> Generator[Event, None, bool]:
    """Answer a lookup without any model; booked as a request of tier `index` at no cost.

    Returns False, with nothing booked, when a plain word was not found: it may not have been meant as a name.
    """
    from optimizer.lookup.answer import answer
    from optimizer.lookup.lines import lines_of

    started = perf_counter()
    refreshed = prepare.refresh(services)
    if refreshed.notice:
        yield Notice(refreshed.notice)
    answered = answer(lookup, services.workspace.index)
    if (
        not answered.found
        and lookup.subject.isalpha()
        and lookup.subject.islower()
        and not services.workspace.settings.tier
    ):
        yield Notice(f"nothing here is named {lookup.subject!r}; taking this as a request")
        return False
    lines = lines_of(answered.rows)
    for line in lines:
        yield TextDelta(line + "\n")
    verdict = yield from _judge_index(answered, services)
    seconds = perf_counter() - started
    yield Booked(book.book_index(request, lookup, seconds, "proven" if verdict.ok else "unusable", services))
    if answered.patch:
        yield Proposed(answered.patch)
        yield Judged(verdict)
        if services.workspace.settings.agent_review:
            yield Notice("no model made this change, and none reviews it")
    code = 0 if verdict.ok else 3
    yield Finished(Outcome(request, "index", "", "\n".join(lines), answered.patch, verdict, 0, code))
    return True


def _judge_index(answered: Answer, services: Services) -> Generator[Event, None, Verdict]:
    if answered.patch:
        return (yield from judge.judge(answered.patch, services))
    return Verdict(answered.found, (), 1.0 if answered.found else 0.0)
