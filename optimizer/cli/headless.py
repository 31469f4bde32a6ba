"""One turn of a conversation for a script: text, one JSON object, or a stream of them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from optimizer.cli import show, terminal
from optimizer.cli.answers import Answers
from optimizer.cli.live import Live
from optimizer.cli.run import piped_in
from optimizer.events import Event, Finished, Recorded, Routed
from optimizer.report import talk as report
from optimizer.retrieval import Query
from optimizer.types import Usage

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.session.conversation import Conversation
    from optimizer.session.store import Sessions
    from optimizer.types import Outcome


def one_turn(
    store: Sessions, conversation: Conversation, services: Services, live: Live, given: Mapping[str, Any]
) -> int:
    """Take one turn; returns the exit code of its run."""
    from optimizer.engine.landing import LandingOptions
    from optimizer.engine.options import Options
    from optimizer.engine.run import answered
    from optimizer.session.turn import take

    query = Query(given["prompt"], piped_in())
    answers = Answers(given["yes"], terminal.interactive() and not given["form"])
    landing = LandingOptions(given["yes"]) if given["yes"] or answers.asks or conversation.mode != "ask" else None
    asked = services.for_next(dict(conversation.preferences), query)
    run = answered(take(store, conversation, query, asked, Options(landing=landing)), answers)
    if given["form"] in (None, "text"):
        return _shown(run, show.Terminal(live, show.detail_of(given)))
    return _printed(run, conversation, services, stream=given["form"] == "stream-json")


def _shown(run: Generator[Event, None, Conversation], screen: show.Terminal) -> int:
    from optimizer.report.outcome import landed

    outcome = None
    for event in run:
        if isinstance(event, Finished):
            outcome = event.outcome
        else:
            screen.event(event)
    assert outcome is not None
    screen.result(outcome, landed(outcome))
    return outcome.exit_code


def _printed(
    run: Generator[Event, None, Conversation], conversation: Conversation, services: Services, stream: bool
) -> int:
    from optimizer.report.outcome import landed

    begun, spent, usage = perf_counter(), 0.0, Usage()
    outcome: Outcome | None = None
    for event in run:
        match event:
            case Routed(_, route) if stream and route.attempts:
                model = route.attempts[0].model.id
                terminal.emit(report.begun(conversation.id, str(services.workspace.root), model))
            case Recorded(record) if record.tier != "index":
                spent += record.seconds
                usage = _sum(usage, record.usage)
            case Finished(ended):
                outcome = ended
    assert outcome is not None
    if stream and outcome.text:
        terminal.emit(report.spoken(conversation.id, outcome.model, outcome.text))
    milliseconds = round((perf_counter() - begun) * 1000)
    figures = report.Figures(milliseconds, round(spent * 1000), len(conversation.turns) + 1, usage)
    terminal.emit(report.result(conversation.id, outcome, landed(outcome), figures))
    return outcome.exit_code


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.input + other.input,
        one.cache_read + other.cache_read,
        one.cache_write_5m + other.cache_write_5m,
        one.cache_write_1h + other.cache_write_1h,
        one.output + other.output,
        one.estimated or other.estimated,
    )
