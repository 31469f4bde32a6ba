"""Transcripts: what each call of a model was sent and gave back; one private file a request, secrets masked."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from optimizer.debug import debug
from optimizer.errors import OptimizerError, ProviderError, SecretFound, StorageError
from optimizer.privacy.secrets.scan import mask
from optimizer.types import Completion, Message, Prompt, ToolCall, UsageRecord

FOLDER = "transcripts"
DAY = 86_400
NOT_SCANNED = "[not kept: it could not be scanned for secrets]"

Role = Literal["system", "user", "assistant", "call", "result", "image"]


class TranscriptBounds(NamedTuple):
    """The most that all transcripts together may take, in bytes and in days."""

    max_bytes: int
    max_days: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One piece of a conversation: a message, a tool call, its result, or the name and size of an image."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model; `outcome` is that of its usage record, `error` is '' where an answer came."""

    request: str
    at: str
    provider: str
    model: str
    task: str
    outcome: str
    seconds: float
    sent: tuple[Turn, ...]
    received: tuple[Turn, ...]
    error: str = ""


def call_of(record: UsageRecord, prompt: Prompt, result: Completion | OptimizerError | str) -> Call:
    """A recorded call with its prompt and its answer, its error, or the text that had come when it was cancelled."""
    answer = Message("assistant", result if isinstance(result, str) else "")
    if isinstance(result, Completion):
        answer = Message("assistant", result.text, result.tool_calls)
    elif isinstance(result, ProviderError):
        answer = Message("assistant", result.heard)
    return Call(
        request=record.request,
        at=record.at,
        provider=record.provider,
        model=record.model_asked,
        task=record.task,
        outcome=record.outcome,
        seconds=record.seconds,
        sent=(Turn("system", prompt.system), *(turn for message in prompt.messages for turn in _turns(message))),
        received=tuple(_turns(answer)),
        error=result.message if isinstance(result, OptimizerError) else "",
    )


def add(state: Path, call: Call, bounds: TranscriptBounds) -> None:
    """Append a call to the transcript of its request; older transcripts are deleted to stay within the bounds.

    A disk that fails loses the transcript, not the run.
    """
    data = json.dumps(asdict(_masked(call)), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    path = _path(state, call.request)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _prune(path.parent, bounds, len(data))
        if len(data) + (path.stat().st_size if path.exists() else 0) > bounds.max_bytes:
            return
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, data if _ends_a_line(handle) else b"\n" + data)
        finally:
            os.close(handle)
    except OSError as error:
        debug("ledger", "no transcript: %s", error.strerror)


def _ends_a_line(handle: int) -> bool:
    """Whether what is written next starts a line; a crash leaves a file that ends within one."""
    size = os.fstat(handle).st_size
    return size == 0 or os.pread(handle, 1, size - 1) == b"\n"


def read(state: Path, request: str) -> tuple[Call, ...]:
    """The calls of a request, in the order they ended; none where no transcript is kept. Raises StorageError."""
    if not request.isalnum():
        return ()
    try:
        lines = _path(state, request).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StorageError(f"the transcript cannot be read ({error.strerror})", "check its permissions") from None
    return tuple(call for line in lines if (call := _call(line)) is not None)


def _path(state: Path, request: str) -> Path:
    return state / FOLDER / f"{request}.jsonl"


def _turns(message: Message) -> Iterator[Turn]:
    if message.text:
        yield Turn(message.role, message.text)
    for image in message.images:
        yield Turn("image", f"{image.name or image.media_type}, {len(image.data):,} bytes")
    for call in message.calls:
        yield Turn("call", _written(call))
    for result in message.results:
        yield Turn("result", f"{result.call.name}: {result.text}")


def _written(call: ToolCall) -> str:
    return f"{call.name} {call.malformed or json.dumps(dict(call.arguments), ensure_ascii=False)}"


def _masked(call: Call) -> Call:
    def clean(turns: Sequence[Turn]) -> tuple[Turn, ...]:
        return tuple(Turn(turn.role, _clean(turn.text)) for turn in turns)

    return replace(call, sent=clean(call.sent), received=clean(call.received), error=_clean(call.error))


def _clean(text: str) -> str:
    try:
        return mask(text)
    except SecretFound:
        return NOT_SCANNED


def _prune(folder: Path, bounds: TranscriptBounds, more: int) -> None:
    """Delete what is too old, then the oldest until `more` bytes more fit."""
    found = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.jsonl"))
    total = sum(size for _, size, _ in found) + more
    oldest = time.time() - bounds.max_days * DAY
    for at, size, path in found:
        if at >= oldest and total <= bounds.max_bytes:
            break
        path.unlink(missing_ok=True)
        total -= size


def _call(line: bytes) -> Call | None:
    """A line as a call; None for one that a crash left half-written."""
    try:
        row: dict[str, Any] = json.loads(line)
        there, back = (tuple(Turn(**turn) for turn in row.pop(name)) for name in ("sent", "received"))
        return Call(**row, sent=there, received=back)
    except (ValueError, TypeError, KeyError):
        return None
