"""One call of one model, streamed, and recorded however it ends; every call of a provider is made here."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer import vendors
from optimizer.calls import admission
from optimizer.calls.record import CallResult, record
from optimizer.calls.sampling import refused, sampled
from optimizer.debug import debug
from optimizer.errors import NoProvider, ProviderError
from optimizer.events import Calling, Flow, Notice, Recorded, TextDelta, Unseen
from optimizer.languages.repeats import Watch
from optimizer.privacy.secrets.redact import handling, redact, restored
from optimizer.providers.base import Called
from optimizer.report import progress
from optimizer.types import Completion, Prompt, Usage, UsageRecord

if TYPE_CHECKING:
    from optimizer.calls.admission import Admitted
    from optimizer.calls.services import CallServices, Purpose
    from optimizer.types import Model

NAP = 0.5  # seconds between two looks whether there is memory


def call(purpose: Purpose, model: Model, prompt: Prompt, services: CallServices) -> Flow[Called]:
    """Ask `model`, again when a limit or an overload passes soon; all calls are recorded.

    Raises what ends a run at once: missing consent, a secret in the payload, a broken store.
    """
    cost: int | None = 0
    retries = 0
    prompt, secrets = yield from _redacted(sampled(prompt, model, purpose.kind, services.settings), model, services)
    if len(prompt.messages) == 1 and (left_out := refused(prompt, model)):
        yield Notice(progress.not_sent(model.id, left_out), "not-sent")
    if crowded := (yield from _lease(model, prompt, services)):
        return Called(NoProvider(crowded), cost)
    while True:
        admitted = yield from admission.admit(purpose.request, model, prompt, services, retries)
        if not isinstance(admitted, admission.Admitted):
            return Called(admitted, cost)
        called = yield from _once(purpose, admitted, services)
        cost = added(cost, called.cost)
        error = called.result
        if isinstance(error, Completion):
            return Called(restored(error, secrets), cost)
        if not isinstance(error, ProviderError) or not admission.worth_another(error, retries, services):
            return Called(error, cost)
        retries += 1
        yield Notice(progress.asking_again(model.id, error.message), "asking-again")


def _redacted(prompt: Prompt, model: Model, services: CallServices) -> Flow[tuple[Prompt, Mapping[str, str]]]:
    """The prompt, with placeholders for secrets where the user wants that, and what those stand for."""
    how = handling(services.settings)
    if not how.redacts:
        return prompt, {}
    redacted = redact(prompt, how.allowed)
    if redacted.secrets and len(prompt.messages) == 1:
        yield Notice(progress.redacted(model.id, len(redacted.secrets)), "redacted")
    return redacted


def release(services: CallServices) -> None:
    """Release the memory that this run holds for local models. Raises StorageError."""
    services.memory().release()


def _once(purpose: Purpose, admitted: Admitted, services: CallServices) -> Flow[Called]:
    """One admitted call, recorded and closed."""
    prompt = admitted.prompt
    debug("calls", "%s: %d tokens, answer up to %d", admitted.candidate.model.id, prompt.tokens, prompt.max_output)
    started = perf_counter()
    heard: list[str] = []
    result: Completion | ProviderError
    try:
        result = yield from _listen(purpose, admitted, heard, services)
    except ProviderError as error:
        result = error
    except BaseException as error:
        if isinstance(error, GeneratorExit | KeyboardInterrupt):
            spent = CallResult(guess(prompt, heard), perf_counter() - started, "cancelled", partial="".join(heard))
            finish(purpose, admitted, spent, services)
        else:
            admission.failed(admitted, None, services)
        raise
    return (yield from closed(purpose, admitted, result, perf_counter() - started, services))


def _listen(purpose: Purpose, admitted: Admitted, heard: list[str], services: CallServices) -> Flow[Completion]:
    model, started, watch = admitted.candidate.model, perf_counter(), Watch()
    provider = services.provider(model, purpose.kind, admission.listener(admitted, services))
    try:
        yield Calling(model.id, model.local and vendors.of(model.provider).manages_models and not model.resident)
        for piece in provider.stream(model, admitted.prompt):
            if isinstance(piece, Completion):
                return piece
            if isinstance(piece, Unseen):
                yield piece
                continue
            heard.append(piece)
            yield TextDelta(piece)
            if watch.circles(piece):
                spent = guess(admitted.prompt, heard)
                return Completion("".join(heard), (), spent, "loop", model.id, perf_counter() - started)
    finally:
        provider.close()
    raise ProviderError(f"{model.provider} ended its stream without an answer")


def closed(
    purpose: Purpose, admitted: Admitted, result: Completion | ProviderError, seconds: float, services: CallServices
) -> Flow[Called]:
    """Record a call with its result, and update what is known of the model. Raises StorageError."""
    if isinstance(result, ProviderError):
        spent = CallResult(result.usage or Usage(), seconds, "provider-error")
        entry = finish(purpose, admitted, spent, services, result)
        admission.measured(admitted, (spent.usage, result.waited, seconds), services)
        yield Recorded(entry, admission.spent(purpose.request, services).left)
        return Called(result, entry.cost)
    spent = CallResult(result.usage, result.seconds, "answered", result.model_served)
    entry = record(purpose, admitted.candidate.model, spent, services)
    services.keep(entry, admitted.prompt, result)
    if line := admission.succeeded(admitted, result, services):
        yield Notice(line, "healthy-again")
    money = admission.spent(purpose.request, services)
    yield Recorded(entry, money.left)
    for line in admission.warnings(admitted, money):
        yield Notice(line, "cap-warning")
    return Called(result, entry.cost)


def finish(
    purpose: Purpose,
    admitted: Admitted,
    spent: CallResult,
    services: CallServices,
    error: ProviderError | None = None,
) -> UsageRecord:
    """Record a call without an answer, and close it; no error for one that was broken off. Raises StorageError."""
    entry = record(purpose, admitted.candidate.model, spent, services)
    services.keep(entry, admitted.prompt, error or spent.partial)
    admission.failed(admitted, error, services)
    return entry


def added(*costs: int | None) -> int | None:
    """The sum of costs in micro-dollars; None, unknown, when one of them is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def guess(prompt: Prompt, heard: list[str]) -> Usage:
    """The usage of a call that was broken off, from what was sent and what had been heard."""
    from optimizer.context.budget import count_tokens

    return Usage(input=prompt.tokens, output=count_tokens("".join(heard)), estimated=True)


def _lease(model: Model, prompt: Prompt, services: CallServices) -> Flow[str]:
    """Wait until there is memory for a model that a server of this machine loads; why there is none in the end, or ''.

    Two runs then do not push each other's models out. Waits no longer than `network.load_seconds`. Raises StorageError.
    """
    if not model.local or not vendors.of(model.provider).manages_models:
        return ""
    memory, settings = services.memory(), services.settings
    claim = services.claim(model, prompt.tokens + prompt.max_output)
    begun = memory.now()
    announced = False
    while not (grant := memory.acquire(claim, admission.longest(model, prompt, services))).granted:
        others = " and ".join(grant.others) or "another run"
        if memory.now() - begun >= settings.load_seconds:
            memory.release()
            return progress.no_memory(others, settings.load_seconds)
        if not announced:
            yield Notice(progress.waiting_for_memory(model.id, claim.bytes, grant.total, others), "waiting-for-memory")
            announced = True
        memory.sleep(NAP)
    if unloaded := services.unload(claim, grant.total):
        yield Notice(progress.unloaded(model.id, unloaded), "unloaded")
    return ""
