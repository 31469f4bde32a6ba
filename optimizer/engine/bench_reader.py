"""Measure what a reader gives on the user's own commits: the context of each without it and with it, and the cost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.calls import call as calls
from optimizer.engine import bench, decide, prepare, reader
from optimizer.engine.bench import Measured, Past
from optimizer.engine.from_models import consented
from optimizer.errors import BudgetReached, ConsentMissing
from optimizer.events import Flow
from optimizer.ledger import caps
from optimizer.ledger.store import stamp
from optimizer.report import progress
from optimizer.retrieval import Query
from optimizer.types import Usage

if TYPE_CHECKING:
    from optimizer.engine.prepare import Request
    from optimizer.engine.services import Services
    from optimizer.git.checkout import PastChange
    from optimizer.models.available import Available
    from optimizer.types import Model

RANKS = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be asked: one call of `model` for each change, all recorded as `request`.

    `call` is the usual price of one in micro-dollars, None where it is unknown, `tokens` what it holds at most.
    """

    request: str
    model: Model
    changes: tuple[PastChange, ...]
    tokens: int
    call: int | None

    @property
    def cost(self) -> int | None:
        """The usual price of all calls."""
        return None if self.call is None else self.call * len(self.changes)


@dataclass(frozen=True, slots=True)
class Pair:
    """One commit without the reader and with it, and the files that it named."""

    without: Measured
    with_reader: Measured
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of the commits whose changed files are all among the first k, and of changed functions that are whole
    (None: no function changed)."""

    accuracy: Mapping[int, float]
    bodies: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Commits without and with a reader; `named` is for how many it named a file, `cost` micro-dollars (None: unknown).

    Calls, tokens and cost are what the ledger holds. `unasked` commits were not reached, as a cap would break.
    """

    model: str
    commits: int
    left_out: int
    unasked: int
    functions: int
    without: Figures
    with_reader: Figures
    named: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost: int | None
    queries: tuple[Pair, ...]


def plan(services: Services, count: int) -> Flow[Plan]:
    """What measuring the model of the settings on the last `count` commits asks; missing consent is asked for.

    Raises NoProvider, ConsentMissing, BudgetReached where all calls would break a cap, InputError, StorageError.
    """
    changes = bench.changes_of(services.workspace, count)
    model = yield from _model(services)
    tokens = reader.most_tokens()
    call = services.calls.cost(model, Usage(input=tokens, output=reader.USUAL), services.calls.clock())
    made = Plan(uuid.uuid4().hex[:12], model, changes, tokens, call)
    if broken := _broken(made, len(changes), services):
        raise broken
    return made


def compare(made: Plan, services: Services) -> Flow[Compared]:
    """Measure as planned; ends early before a call that would break a cap. Raises InputError, StorageError."""
    begun, available, queries = services.calls.clock(), services.models.available(), list[Pair]()
    reached = 0
    with closing(bench.laid_out(services.workspace, made.changes)) as pasts:
        for past in pasts:
            if _broken(made, 1, services):
                break
            reached = made.changes.index(past.change) + 1
            queries.append((yield from _pair(past, made, available, services)))
        else:
            reached = len(made.changes)
    if not queries:
        raise _broken(made, 1, services) or bench.not_here()
    spent = services.calls.ledger().records(stamp(begun), "~")
    records = [record for record in spent if record.request == made.request]
    return Compared(
        model=made.model.id,
        commits=len(queries),
        left_out=reached - len(queries),
        unasked=len(made.changes) - reached,
        functions=sum(pair.without.functions for pair in queries),
        without=_figures(queries, lambda pair: pair.without),
        with_reader=_figures(queries, lambda pair: pair.with_reader),
        named=sum(bool(pair.named) for pair in queries),
        calls=len(records),
        input_tokens=sum(record.usage.prompt for record in records),
        output_tokens=sum(record.usage.output for record in records),
        cost=calls.added(*(record.cost for record in records)),
        queries=tuple(queries),
    )


def _model(services: Services) -> Flow[Model]:
    name = services.workspace.settings.model
    try:
        return decide.model_named(name, services)
    except ConsentMissing as missing:
        available = services.models.available()
        if not (yield from consented(missing.destination, available, services)):
            raise
    return decide.model_named(name, services)


def _broken(made: Plan, count: int, services: Services) -> BudgetReached | None:
    """Why `count` more calls may not be made; None where no cap would break."""
    limits = caps.caps_from(services.workspace.settings)
    money = caps.money(services.calls.ledger(), limits, services.calls.clock(), made.request)
    charge = count * money.charge(made.call, made.tokens + reader.USUAL)
    broken = money.broken_by(charge)
    if broken is None:
        return None
    cap, used = (limits.day, money.day) if broken == "day" else (limits.run, money.run)
    return BudgetReached(progress.over_cap(broken, cap or 0, used, charge), "measure fewer: --commits N")


def _pair(past: Past, made: Plan, available: Available, services: Services) -> Flow[Pair]:
    """One commit; the contexts are kept with its index, so that none of them stays."""
    workspace = services.workspace
    places = workspace.places._replace(cache=past.index.file.parent)
    there = services._replace(workspace=replace(workspace, index=past.index, places=places))
    begun = perf_counter()
    request = _request(past, made, there)
    without = bench.measured(past, request.context, perf_counter() - begun)
    begun = perf_counter()
    request, _ = yield from reader.read(request, available, there)
    read = bench.measured(past, request.context, perf_counter() - begun)
    return Pair(without, read, request.wanted.read)


def _request(past: Past, made: Plan, services: Services) -> Request:
    from optimizer.routing.classify import classify

    workspace = services.workspace
    query, budget = prepare.first_budget(Query(past.change.message), workspace)
    context = prepare.choose(query, workspace, budget.code)
    task = classify(query, context, budget.prompt(0, context.tokens), None, workspace.settings.keywords)
    room = prepare.room(context, budget.code, workspace)
    return prepare.Request(made.request, query, context, task, query, budget.code, room)


def _figures(pairs: list[Pair], side: Callable[[Pair], Measured]) -> Figures:
    sides = [side(pair) for pair in pairs]
    functions = sum(one.functions for one in sides)
    return Figures(
        {rank: round(sum(_all_within(one, rank) for one in sides) / len(sides), 4) for rank in RANKS},
        round(sum(one.covered for one in sides) / functions, 4) if functions else None,
    )


def _all_within(query: Measured, rank: int) -> bool:
    return all(0 < place <= rank for place in query.ranks.values())
