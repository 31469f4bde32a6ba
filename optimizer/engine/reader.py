"""Let a model name the files to read, of the best that were found, before the context of a request is chosen."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.engine import prepare, roles
from optimizer.events import Flow, Notice
from optimizer.report import progress
from optimizer.retrieval import Context, Query
from optimizer.types import Needs

if TYPE_CHECKING:
    from optimizer.engine.prepare import Request
    from optimizer.engine.services import Services, Workspace
    from optimizer.index.reader import Index
    from optimizer.models.available import Available

SHOWN, MOST_SHOWN, MOST_NAMED = 1_200, 20, 5  # tokens of the list, files in it, and files that are lifted
REQUEST = 600  # most tokens of the request in the question
ANSWER, USUAL = 500, 60  # tokens of an answer: at most, with what a model thinks before it, and mostly
_ASKED = (
    "Piped in above is a list of files of a repository, each with what it defines. Which of them must be read for the "
    "request below? Answer with at most {most} paths of the list, the most important first, one a line, and nothing "
    "else.\n\nThe request: {request}"
)


def most_tokens() -> int:
    """The tokens of a question to a reader, at most."""
    from optimizer.agent import prompts
    from optimizer.context.budget import count_tokens

    return prompts.overhead(edits=False) + count_tokens(_ASKED) + SHOWN + REQUEST


def read(request: Request, available: Available, services: Services) -> Flow[tuple[Request, int | None]]:
    """The request with a context in which the named files come first, and the cost in micro-dollars (None: unknown).

    Without a usable answer the request stays as it is. Raises StorageError.
    """
    from optimizer.agent import prompts
    from optimizer.context.budget import count_tokens

    shown = [file.path for file in request.context.files[:MOST_SHOWN]]
    if len(shown) < 2:
        return request, 0
    listed = listing(shown, services.workspace.index)
    asked = _ASKED.format(most=MOST_NAMED, request=prompts.shorten(request.query.text, REQUEST))
    tokens = prompts.overhead(edits=False) + count_tokens(listed) + count_tokens(asked)
    task = request.task._replace(
        kind="reading", wants_edits=False, input_tokens=tokens, output_tokens=USUAL, needs=Needs(tokens + ANSWER)
    )
    ask = prompts.Ask(Query(asked, listed), task, Context(request.query.text, 0, (), ()), ANSWER)
    work = roles.Work("reader", "choosing files", replace(request, task=task), ANSWER, (ask,))
    replies = yield from roles.ask_role(work, roles.route(work, available, services).attempts[:1], services)
    paths = named(replies.texts[0], shown)
    yield Notice(progress.read(replies.by, paths, replies.cost), "read")
    return (_with(request, paths, services.workspace) if paths else request), replies.cost


def named(answer: str, shown: Collection[str]) -> tuple[str, ...]:
    """The paths of `shown` that an answer names in any form, in its order, at most MOST_NAMED."""
    text = answer.replace("\\/", "/")
    places = {}
    for path in shown:
        if found := re.search(rf"(?<![\w/.\-])(?:\./)?{re.escape(path)}(?![\w/\-]|\.\w)", text):
            places[path] = found.start()
    return tuple(sorted(places, key=places.__getitem__)[:MOST_NAMED])


def listing(paths: Collection[str], index: Index) -> str:
    """The paths, and below each as many of its signatures as there is room for, in at most SHOWN tokens."""
    from optimizer.context.budget import count_tokens

    free = SHOWN
    kept: dict[str, list[str]] = {}
    for path in paths:
        if (cost := count_tokens(path) + 1) <= free:
            kept[path], free = [], free - cost
    for number, path in enumerate(kept):
        share = free // (len(kept) - number)
        for symbol in index.symbols_in(path):
            line = f"  {' '.join((symbol.signature or symbol.qualified).split())}"
            if (cost := count_tokens(line) + 1) > share:
                break
            kept[path].append(line)
            share, free = share - cost, free - cost
    return "\n".join(line for path, lines in kept.items() for line in (path, *lines))


def _with(request: Request, paths: tuple[str, ...], workspace: Workspace) -> Request:
    wanted = request.wanted._replace(read=paths)
    return replace(request, wanted=wanted, context=prepare.choose(wanted, workspace, request.code))
