"""From the context to the route: what is known of the models, and which are asked in which order."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from optimizer import vendors
from optimizer.debug import debug
from optimizer.errors import BudgetReached, ConsentMissing, NoProvider
from optimizer.reasons import By, Cap, CautionCode, HoldsNothing, Why
from optimizer.report import progress, reasons
from optimizer.tiers import TIERS
from optimizer.types import LeftOut, Model, Outcome, Route, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.agent.loop import AgentResult
    from optimizer.config.profiles import Wanted
    from optimizer.engine.services import Services
    from optimizer.models.available import Available
    from optimizer.models.state import Known
    from optimizer.retrieval import Query
    from optimizer.routing import policy
    from optimizer.routing.score import Candidate
    from optimizer.routing.size import Room

_SPECIFIC = (BudgetReached.exit_code, ConsentMissing.exit_code)  # exit codes with a reason of their own
RECENT = 2000  # attempts of the ledger that success is learned from


def route(
    task: Task,
    services: Services,
    available: Available,
    role: str = "",
    answer: int = 0,
    room: Room | None = None,
) -> Route:
    """The route of a task, for a role where one is named; what cannot be asked at all is among the models left out.

    Models that the role names are asked before the others, whatever their tier. `answer` is the answer budget in tokens
    where it is another than that of the settings, `room` what a request may take.
    """
    from optimizer.config.profiles import AUTO
    from optimizer.models.available import with_pull
    from optimizer.routing.policy import choose_with
    from optimizer.routing.score import names

    candidates = services.calls.candidates(_with_tools_refused(available, services), services.calls.clock())
    wanted = (services.models.role(role),) if role else ()
    allowed = replace(limits(services), wanted=(*wanted, *_local_models(task, services)))
    allowed = replace(allowed, answer=answer or allowed.answer, room=room)
    found = choose_with(services.models.profiles(), task, candidates, allowed, known(candidates, services))
    attempts = sorted(found.attempts, key=lambda one: not any(names(one_wanted, one.model) for one_wanted in wanted))
    plan = found.plan._replace(by_kind=services.workspace.settings.profile == AUTO)
    left_out = (*available.left_out, *found.left_out)
    if not attempts:
        fitting = partial(services.models.suggested, task.needs.vision)
        left_out = (*_no_eyes(left_out, services), *(with_pull(left, fitting) for left in left_out))
    order = ", ".join(f"{one.model.id} ({one.estimate} micro-dollars)" for one in attempts) or "no model"
    debug("routing", "%s, difficulty %.2f: %s; %d left out", task.kind, task.difficulty, order, len(left_out))
    return found._replace(plan=plan, attempts=tuple(attempts), left_out=left_out)


def _with_tools_refused(available: Available, services: Services) -> tuple[Model, ...]:
    """The models, without tools where the server refused them lately: else each first call would fail."""
    from optimizer.models.state import key

    refused = services.calls.states().without_tools(map(key, available.models))
    return tuple(one._replace(tools=one.tools and key(one) not in refused) for one in available.models)


def _no_eyes(left_out: Sequence[LeftOut], services: Services) -> tuple[LeftOut, ...]:
    """What stands for all models of a server that are not known to see images: it can download one that does."""
    blind = (left.provider for left in left_out if left.reason is Why.BLIND and left.tier == "local")
    server = next((one for one in blind if vendors.of(one).manages_models), "")
    if not server:
        return ()
    pull = services.models.suggested(seeing=True)
    reason = HoldsNothing(vendors.of(server).title, services.models.endpoints()[server].host, pull)
    return (LeftOut("", server, "local", reason),)


def _local_models(task: Task, services: Services) -> tuple[Wanted, ...]:
    """The local models that the settings prefer: one for changes to code, the small one for quick questions."""
    from optimizer.config.profiles import Wanted

    settings = services.workspace.settings
    if task.wants_edits and settings.local_coder:
        return (Wanted(By("setting", "local.coder"), models=(settings.local_coder,)),)
    if task.kind == "quick" and settings.local_router:
        return (Wanted(By("setting", "local.router"), models=(settings.local_router,)),)
    return ()


def limits(services: Services) -> policy.Allowed:
    """What the user allows, by settings or by the model pinned for this project."""
    from optimizer.routing import policy

    settings, pinned = services.workspace.settings, services.models.pinned()
    return policy.Allowed(
        tier="" if pinned else settings.tier,
        max_tier="premium" if pinned else settings.max_tier,
        model=pinned or settings.model,
        provider=settings.provider,
        routing=services.workspace.features.multi_model_routing,
        answer=settings.max_tokens,
        wait=settings.limit_wait,
        pinned=bool(pinned),
    )


def known(candidates: Sequence[Candidate], services: Services) -> Known:
    """All that is known of the candidates now, read once from the state store and the ledger. Raises StorageError."""
    from optimizer.ledger import caps
    from optimizer.ledger.summary import tallies
    from optimizer.models.state import Known, key

    states, ledger, now = services.calls.states(), services.calls.ledger(), services.calls.clock()
    return Known(
        now=now,
        models=states.read({key(one.model): one.traits.quotas for one in candidates}, services.workspace.repository),
        money=caps.money(ledger, caps.caps_from(services.workspace.settings), now, pending=states.pending()),
        tallies=tallies(ledger.last(RECENT)),
    )


def to_the_cloud(route: Route, services: Services) -> str:
    """A line to show when the first model asked is in the cloud and the user did not ask for that; '' otherwise."""
    first, allowed = route.attempts[0].model, limits(services)
    local = (left for left in route.left_out if left.tier == "local")
    missing = min(local, key=lambda left: not left.model, default=None)
    if allowed.model or allowed.provider or allowed.tier or first.local or missing is None:
        return ""
    return progress.to_the_cloud(missing, first.provider)


def caution(query: Query, task: Task, ended: AgentResult) -> CautionCode | None:
    """What a person should know before they rely on an answer; None where nothing is to be said."""
    from optimizer.routing.caution import subject

    if found := subject(query.text):
        return found
    if task.kind == "math":
        return "calculation"
    if ended.patch is not None:
        proven = ended.verdict and any(one.name == "tests" and one.passed for one in ended.verdict.checks)
        return None if proven else "unproven"
    return "code" if "```" in ended.text else None


def images_leave(query: Query, route: Route, planned: bool) -> str:
    """A line to show when images may go to the cloud, or no model can take them; '' otherwise."""
    if query.images and not route.attempts:
        return progress.no_images()
    if not query.images or (not planned and all(attempt.model.local for attempt in route.attempts)):
        return ""
    return progress.images(certain=not route.attempts[0].model.local)


def unserved(request: str, route: Route, dry_run: bool) -> Outcome:
    """The outcome of a request that no model is asked for."""
    code = 0 if dry_run else _exit_code(route.left_out)
    hint = "" if dry_run else _first_hint(route.left_out, code)
    return Outcome(request, "index", "", "", None, None, cost=0, exit_code=code, hint=hint)


def lacks_consent(route: Route) -> str:
    """The provider that cannot be asked only because consent is missing; '' if there is none."""
    if route.attempts or _exit_code(route.left_out) != ConsentMissing.exit_code:
        return ""
    missing = [left for left in route.left_out if left.reason is Why.CONSENT]
    return min(missing, key=lambda left: TIERS.index(left.tier)).provider


def model_named(name: str, services: Services) -> Model:
    """The model that a user means by `name`; raises NoProvider when it cannot be asked, ConsentMissing."""
    from optimizer.models.available import named

    found = services.models.available()
    model = next((one for one in found.models if named(one, name)), None)
    if model is None:
        left = next((one for one in found.left_out if one.model == name), None)
        why, hint = (reasons.why(left), reasons.hint(left)) if left else ("unknown", "")
        raise NoProvider(f"{name} cannot be asked: {why}", hint)
    if not services.calls.candidate(model).consented:
        raise ConsentMissing(model.provider, services.models.endpoints()[model.provider].destination)
    return model


def _exit_code(left_out: tuple[LeftOut, ...]) -> int:
    """The exit code: a spent cap comes before missing consent, and both before a missing model."""
    return next((code for code in _SPECIFIC if any(_is_about(left, code) for left in left_out)), NoProvider.exit_code)


def _first_hint(left_out: tuple[LeftOut, ...], code: int) -> str:
    """The hint of the nearest cure, then the cheapest model, preferring those that the exit code is about."""

    def order(left: LeftOut) -> tuple[bool, int, int]:
        return not _is_about(left, code), reasons.distance(left), TIERS.index(left.tier)

    ordered = sorted(left_out, key=order)
    return next(filter(None, map(reasons.hint, ordered)), "")


def _is_about(left: LeftOut, code: int) -> bool:
    """Whether an exit code is about this reason."""
    if code == BudgetReached.exit_code:
        return isinstance(left.reason, Cap)
    return code == ConsentMissing.exit_code and left.reason is Why.CONSENT
