"""The interface of all providers, how an SDK is imported, and how a stream becomes a completion."""

from __future__ import annotations

import gc
import importlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

from optimizer.errors import AuthFailed, BadAnswer, OptimizerError, ProviderError
from optimizer.events import Unseen
from optimizer.providers import failures
from optimizer.providers.endpoints import Endpoint
from optimizer.types import Completion, Model, Prompt, StopReason, ToolCall, Usage

if TYPE_CHECKING:
    from optimizer.providers.door import Door, Gate

T = TypeVar("T")
MOST_TOKENS = 1_000_000_000  # of one call: no window holds a hundredth of that
# What reading an answer of a wrong shape raises.
MISSHAPEN = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
# httpx imports it where its optional packages are installed: a parser of arguments and a table printer.
_COMMAND_OF_HTTPX = "httpx._main"
_ONE_AT_A_TIME = threading.RLock()


class ServedModel(NamedTuple):
    """A model that a server lists: the tokens of its window (0: unknown), and whether it is known to see images."""

    id: str
    window: int = 0
    vision: bool = False


class Provider(Protocol):
    """One endpoint that can be asked; not to be shared between threads."""

    def stream(self, model: Model, prompt: Prompt) -> Iterator[str | Unseen | Completion]:
        """Ask once: yields pieces of text, and of what is none, then the completion. Closing the iterator hangs up.

        A completion with stop `length` was cut: its tool calls are all marked malformed. Raises the tree of
        `ProviderError` (with the usage known or estimated so far), `ConsentMissing`, `SecretFound`, `SafetyRefused`.
        """
        ...

    def models(self) -> tuple[ServedModel, ...]:
        """What the endpoint serves; raises as `stream` does."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


def open_provider(endpoint: Endpoint, gate: Gate) -> Provider:
    """A provider that asks this endpoint through this gate; imports the vendor's SDK. Close it after use.

    A stored key is read now. Raises AuthFailed when the endpoint needs a key and has none, and what reading it raises.
    """
    if endpoint.is_locked:
        from optimizer.report.reasons import UNLOCK

        raise AuthFailed(f"the stored key of {endpoint.provider} needs its passphrase", UNLOCK, for_all=True)
    if not endpoint.has_key and endpoint.needs_key:
        raise AuthFailed(f"no key for {endpoint.provider}", f"optimize keys set {endpoint.provider}", for_all=True)
    endpoint = endpoint.unsealed()
    with loading():
        adapter = importlib.import_module(f"optimizer.providers.{endpoint.vendor.adapter}")
        return cast(Provider, adapter.open_provider(endpoint, gate))


@dataclass(frozen=True, slots=True)
class Called:
    """How a call of a model ended, with a whole answer or the error instead; `cost` is micro-dollars, None: unknown."""

    result: Completion | OptimizerError
    cost: int | None


@dataclass(slots=True)
class Draft:
    """What has arrived of an answer so far; `fault` says why it is unusable."""

    pieces: list[str] = field(default_factory=list)
    calls: dict[str, list[str]] = field(default_factory=dict)
    marks: dict[str, tuple[str, str]] = field(default_factory=dict)
    state: str = ""
    usage: Usage | None = None
    usage_final: bool = False
    stop: StopReason = "end"
    ended: bool = False
    served: str = ""
    fault: str = ""
    open_blocks: int = 0

    def add_call(self, key: object, name: str, arguments: str) -> None:
        """Append a piece of a tool call; `key` distinguishes the calls of one answer."""
        call = self.calls.setdefault(str(key), ["", ""])
        call[0] += name
        call[1] += arguments

    def mark_call(self, key: object, call_id: str | None, signature: str = "") -> None:
        """Keep the id and signature that the provider gave to a call; a later piece without them changes nothing."""
        known = self.marks.get(str(key), ("", ""))
        self.marks[str(key)] = (call_id or known[0], signature or known[1])

    def set_usage(self, usage: Usage, final: bool) -> None:
        """Keep the provider's count of the call, `final` if it covers the whole call; zeros do not count."""
        if usage.prompt or usage.output:
            self.usage, self.usage_final = usage, final


def is_absurd(value: object) -> bool:
    """Whether a server sent something that is no count of tokens: negative, a fraction, text, beyond all windows."""
    return value is not None and not (
        isinstance(value, int | float) and 0 <= value <= MOST_TOKENS and value == int(value)
    )


def count(value: int | None) -> int:
    """A token count as sent by a server; 0 when it is missing or absurd."""
    return 0 if value is None or is_absurd(value) else int(value)


def disjoint(prompt: int | None, cached: int | None, written: int | None, output: int | None) -> Usage:
    """Usage from a prompt count that includes the cached and cache-written tokens; flagged when they contradict."""
    total = count(prompt)
    read = min(count(cached), total)
    write = min(count(written), total - read)
    odd = count(cached) + count(written) > total or any(map(is_absurd, (prompt, cached, written, output)))
    return Usage(total - read - write, read, write, 0, count(output), estimated=odd)


def estimated(prompt: Prompt, text: str) -> Usage:
    """Usage of a call whose count was never sent, from the estimate of the prompt and the text that arrived."""
    return Usage(input=prompt.tokens, output=-(-len(text.encode("utf-8", "surrogatepass")) // 4), estimated=True)


def output_cap(model: Model, prompt: Prompt) -> int:
    """Most output tokens that this call may ask for."""
    return min(prompt.max_output, model.max_output) if model.max_output > 0 else prompt.max_output


def sampling(model: Model, prompt: Prompt) -> dict[str, float]:
    """Temperature and top_p, as far as they are set and the model takes them."""
    wanted = {"temperature": prompt.temperature, "top_p": prompt.top_p}
    return {name: value for name, value in wanted.items() if value is not None and name in model.parameters}


def usage_so_far(draft: Draft, prompt: Prompt) -> Usage:
    """The provider's count where it came, else an estimate that says so."""
    arrived = "".join(draft.pieces) + "".join(raw for _, raw in draft.calls.values())
    guess, known = estimated(prompt, arrived), draft.usage
    if known is None:
        return guess
    if draft.usage_final and known.prompt and (known.output or not arrived) and not known.estimated:
        return known
    if known.estimated:  # it contradicts itself: no less than what was sent
        guessed_input = max(known.input, guess.input - known.prompt + known.input)
    else:
        guessed_input = known.input if known.prompt else guess.input
    return known._replace(input=guessed_input, output=max(known.output, guess.output), estimated=True)


def converse(
    endpoint: Endpoint,
    asked: tuple[Model, Prompt],
    door: Door,
    read: Callable[[Draft], Iterator[str | Unseen]],
    sdk_errors: tuple[type[Exception], ...],
) -> Iterator[str | Unseen | Completion]:
    """Drive one call: `read` streams text and fills the draft; errors of the SDK become ours, with usage attached."""
    model, prompt = asked
    begin = time.monotonic()
    draft = Draft(served=model.id)
    door.billable, door.expects = False, (prompt.tokens, output_cap(model, prompt))
    try:
        for piece in read(draft):
            if isinstance(piece, Unseen):
                yield piece
            elif piece:
                draft.pieces.append(piece)
                yield piece
        done = finish(endpoint, model, prompt, draft, time.monotonic() - begin)
        yield done._replace(waited=door.waited())
    except ProviderError as error:
        raise _with_usage(error, door, draft, prompt) from None
    except sdk_errors as error:
        ours = failures.from_sdk(endpoint.provider, endpoint.key, error)
        raise _with_usage(ours, door, draft, prompt) from None
    finally:
        door.hang_up()


def ask(endpoint: Endpoint, call: Callable[[], T], sdk_errors: tuple[type[Exception], ...]) -> T:
    """Run a call that is not a conversation, such as listing models; errors of the SDK become ours."""
    try:
        return call()
    except sdk_errors as error:
        raise failures.from_sdk(endpoint.provider, endpoint.key, error) from None


def _with_usage(error: OptimizerError, door: Door, draft: Draft, prompt: Prompt) -> OptimizerError:
    if isinstance(error, ProviderError):
        error.heard, error.waited = "".join(draft.pieces), door.waited()
        if error.usage is None and door.billable:
            error.usage = usage_so_far(draft, prompt)
    return error


def finish(endpoint: Endpoint, model: Model, prompt: Prompt, draft: Draft, seconds: float) -> Completion:
    """The completion of a draft; raises BadAnswer when it is cut, empty, refused or malformed."""
    name = f"{endpoint.provider} ({model.id})"
    if not draft.ended or (draft.open_blocks and draft.stop != "length"):
        raise BadAnswer(f"{name} stopped in the middle of its answer", "ask again")
    if draft.fault:
        raise BadAnswer(f"{name} gave no usable answer: {draft.fault}", "ask again, or ask another model")
    usage = usage_so_far(draft, prompt)
    cut = draft.stop == "length" or (not usage.estimated and usage.output >= output_cap(model, prompt))
    text = "".join(draft.pieces)
    if draft.stop == "refusal":
        raise BadAnswer(f"{name} refused to answer", "ask differently, or ask another model")
    if not cut and not draft.calls and not text.strip():
        raise BadAnswer(f"{name} gave an empty answer", "ask again, or ask another model")
    calls = tuple(_call(draft, key, cut) for key in draft.calls)
    stop: StopReason = "length" if cut else "tool" if calls else "end"
    return Completion(text, calls, usage, stop, draft.served or model.id, seconds, draft.state)


def _call(draft: Draft, key: str, cut: bool) -> ToolCall:
    """A tool call as made; whatever is not a whole JSON object stays raw and is not repaired."""
    name, raw = draft.calls[key]
    if cut:
        return ToolCall(name, {}, raw or "(cut)")
    try:
        arguments = json.loads(raw or "{}", strict=False)
        if isinstance(arguments, str):  # some servers encode them twice
            arguments = json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return ToolCall(name, {}, raw)
    if not isinstance(arguments, dict):
        return ToolCall(name, {}, raw)
    call_id, signature = draft.marks.get(key, ("", ""))
    return ToolCall(name, arguments, "", call_id, signature)


@contextmanager
def loading() -> Iterator[None]:
    """Import without garbage collection, and freeze what was imported: it is never collected.

    One thread imports at a time: if several import the same module, Python may give one of them a half-initialised one.
    Whether garbage is collected at all does not change: a refresh of the index in another thread switches that.
    """
    with _ONE_AT_A_TIME:
        modules = cast(dict[str, Any], sys.modules)
        threshold, before = gc.get_threshold(), len(modules)
        gc.set_threshold(0)
        modules.setdefault(_COMMAND_OF_HTTPX, None)
        try:
            yield
        finally:
            if modules.get(_COMMAND_OF_HTTPX) is None:
                modules.pop(_COMMAND_OF_HTTPX, None)
            if len(modules) > before:
                gc.freeze()
            if threshold[0]:
                gc.set_threshold(*threshold)
