"""Summarise piped input that is too long for a prompt, before the request is served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.engine import roles
from optimizer.engine.prepare import words_budget
from optimizer.errors import SecretFound
from optimizer.events import Flow, Notice
from optimizer.report import progress
from optimizer.retrieval import Context, Query
from optimizer.types import Needs

if TYPE_CHECKING:
    from optimizer.agent.excerpt import SplitInput
    from optimizer.agent.prompts import Ask
    from optimizer.engine.prepare import Request
    from optimizer.engine.services import Services
    from optimizer.models.available import Available
    from optimizer.types import Model, Task

TOKENS, USUAL = 500, 120  # tokens of an answer: at most, those included that a model thinks before it, and mostly
LEAST_SPACE, LEAST_PART = 300, 500  # tokens below which a summary is not worth its calls
LOOKED_FOR, LARGEST = 3_000, 6_000  # tokens of a prompt for which models are looked for, and that it never goes over
SPARE = 60  # tokens by which a prompt may be larger than its pieces by themselves
TEMPLATE = 300  # tokens of a window that a server may want for itself
REQUEST = 300  # most tokens of the request in the summariser's prompt
WORDS = (25, 200)  # that one part is put in, at least and at most
_ASKED = (
    "What is piped in above is part {number} of {count} of a longer text. Summarise in at most {words} words what "
    "matters for the request below: failures in their own words, files with lines, names, counts, what changes on the "
    "way. No advice, and no answer to the request. Where nothing in it matters, say in one sentence what it is about."
    "\n\nThe request: {request}"
)


def summarised(
    request: Request, piped: str, available: Available, services: Services
) -> Flow[tuple[Request, int | None]]:
    """The request with a summary of `piped` in it, and what that cost (micro-dollars; None: unknown).

    It takes no more tokens than the beginning and end of `piped` that it replaces; they stay if there is no summary.
    Only local and free models are asked, and those that the role names. Raises StorageError.
    """
    from optimizer.agent.excerpt import cut_up, middle
    from optimizer.context.budget import count_tokens

    space = count_tokens(request.query.extra)
    wanted = roles.Work("summariser", "summarising", replace(request, task=_task(request.task, LOOKED_FOR)), TOKENS)
    attempts = roles.route(wanted, available, services, _free_or_named(services)).attempts
    most = (
        min(LARGEST, services.workspace.settings.first_request, attempts[0].model.window - TEMPLATE) if attempts else 0
    )
    asked = count_tokens(_question(request, 10, 10, WORDS[1]))
    size = words_budget(most - SPARE, TOKENS, asked).code
    if not attempts or space < LEAST_SPACE or size < LEAST_PART:
        yield Notice(progress.no_summary("no-space" if attempts else "no-model"), "no-summary")
        return request, 0
    masked = _masked(piped)
    if masked != piped:
        yield Notice(progress.input_masked(), "input-masked")
    excerpt = cut_up(masked, space, size)
    yield Notice(
        progress.summarising(excerpt.lines, count_tokens(piped), space, len(excerpt.parts), excerpt.left_out),
        "summarising",
    )
    task = _task(request.task, size)
    work = replace(wanted, request=replace(request, task=task), asks=_asks(request, task, excerpt, space))
    replies = yield from roles.ask_role(
        work, [one for one in attempts if one.model.window - TEMPLATE >= most], services
    )
    summary = middle(excerpt, replies.texts, replies.by, space)
    if not summary:
        yield Notice(progress.no_summary("no-text"), "no-summary")
        return request, replies.cost
    yield Notice(progress.summary(summary), "summary")
    return replace(request, query=request.query._replace(extra=excerpt.around(summary))), replies.cost


def _free_or_named(services: Services) -> Callable[[Model], bool]:
    """Which models may be asked: free ones, since a summary reads more than it saves, and those that the role names."""
    from optimizer.ledger.prices import UNCHARGED_TIERS
    from optimizer.routing.score import names

    role = services.models.role("summariser")
    return lambda model: model.tier in UNCHARGED_TIERS or names(role, model)


def _masked(piped: str) -> str:
    """The text with its secrets masked: without a summary, most of them would not have been sent."""
    from optimizer.privacy.secrets.scan import mask

    try:
        return mask(piped)
    except SecretFound:  # the scan took too long; what is sent is scanned again, part by part
        return piped


def _task(task: Task, tokens: int) -> Task:
    return task._replace(
        kind="summary", wants_edits=False, input_tokens=tokens, output_tokens=USUAL, needs=Needs(tokens + TOKENS)
    )


def _question(request: Request, number: int, count: int, words: int) -> str:
    from optimizer.agent import prompts

    wanted = prompts.shorten(request.query.text, REQUEST)
    return _ASKED.format(number=number, count=count, words=words, request=wanted)


def _asks(request: Request, task: Task, excerpt: SplitInput, space: int) -> tuple[Ask, ...]:
    from optimizer.agent.excerpt import words_for
    from optimizer.agent.prompts import Ask

    count = len(excerpt.parts)
    words = min(max(words_for(excerpt, space), WORDS[0]), WORDS[1])
    nothing = Context(request.query.text, 0, (), ())
    return tuple(
        Ask(
            Query(_question(request, number, count, words), part.text),
            task,
            nothing,
            TOKENS,
        )
        for number, part in enumerate(excerpt.parts, 1)
    )
