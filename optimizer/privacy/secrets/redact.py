"""What the user wants done about secrets: nothing is sent, or placeholders are, which are put back in answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from optimizer.errors import SecretFound
from optimizer.privacy.secrets.scan import SHOWN, SecretMatch, scan
from optimizer.settings import Settings
from optimizer.types import Completion, Message, Prompt, ToolCall, ToolResult

_PLACEHOLDER = "__SECRET_{}__"
_PLACED = re.compile(r"__SECRET_\d+__")
_SEPARATOR = re.compile(r"[\s,]+")


class Handling(NamedTuple):
    """Whether secrets are replaced instead of stopping a request, and the fingerprints of those that may be sent."""

    redacts: bool = False
    allowed: tuple[str, ...] = ()


BLOCK = Handling()


class Redacted(NamedTuple):
    """A prompt with placeholders, and what each stands for."""

    prompt: Prompt
    secrets: Mapping[str, str]


def handling(settings: Settings) -> Handling:
    """What the settings say; a fingerprint that is too short to name one secret is passed over."""
    listed = tuple(one for one in _SEPARATOR.split(settings.secrets_allow.lower()) if len(one) >= SHOWN)
    return Handling(settings.secrets_found == "redact", listed)


def cure(fingerprint: str) -> str:
    """What the user can do about a finding."""
    return (
        "take it out, or name the file in .gitignore so that it is never read; if it may be sent, add "
        f'"{fingerprint}" to secrets.allow in your config.toml'
    )


def exported(text: str, how: Handling) -> str:
    """A text that leaves the program other than by a request: as it is, or with placeholders.

    Raises SecretFound where secrets are not to be replaced.
    """
    found = scan(text, allowed=how.allowed)
    if found and not how.redacts:
        one = found[0]
        raise SecretFound(
            f"nothing was copied or printed: line {one.line} holds what looks like {one.rule}", cure(one.fingerprint)
        )
    return _Placeholders((text,), how.allowed).replaced(text)


def redact(prompt: Prompt, allowed: Collection[str] = ()) -> Redacted:
    """The prompt with a placeholder for each secret: the same one wherever it stands, and from turn to turn.

    Raises SecretFound when a text could not be scanned in time.
    """
    texts = (prompt.system, *(message.text for message in prompt.messages))
    placeholders = _Placeholders(texts, allowed)
    system = placeholders.replaced(prompt.system)
    messages = tuple(_message(message, placeholders.replaced) for message in prompt.messages)
    return Redacted(prompt._replace(system=system, messages=messages), placeholders.secrets)


def restored(completion: Completion, secrets: Mapping[str, str]) -> Completion:
    """The answer with what the placeholders stand for."""
    if not secrets:
        return completion

    def back(text: str) -> str:
        return _PLACED.sub(lambda placed: secrets.get(placed[0], placed[0]), text)

    calls = tuple(_call(call, back) for call in completion.tool_calls)
    return completion._replace(text=back(completion.text), tool_calls=calls)


class _Placeholders:
    """Numbers secrets in the order they are found, past numbers that the texts hold themselves."""

    def __init__(self, texts: Collection[str], allowed: Collection[str]) -> None:
        self.secrets: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._taken = {placed for text in texts for placed in _PLACED.findall(text)}
        self._allowed = allowed

    def replaced(self, text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        parts, at = [], 0
        for one in scan(text, allowed=self._allowed):
            parts += [data[at : one.start], self._for(one, data).encode()]
            at = one.end
        return b"".join([*parts, data[at:]]).decode("utf-8", "surrogatepass")

    def _for(self, found: SecretMatch, data: bytes) -> str:
        secret = data[found.start : found.end].decode("utf-8", "replace")
        if secret not in self._numbers:
            number = len(self._numbers) + 1
            while (placeholder := _PLACEHOLDER.format(number)) in self._taken:
                number += 1
            self._taken.add(placeholder)
            self._numbers[secret] = placeholder
            self.secrets[placeholder] = secret
        return self._numbers[secret]


def _message(message: Message, change: Callable[[str], str]) -> Message:
    calls = tuple(_call(call, change) for call in message.calls)
    results = tuple(
        ToolResult(_call(result.call, change), change(result.text), result.failed) for result in message.results
    )
    return message._replace(text=change(message.text), calls=calls, results=results)


def _call(call: ToolCall, change: Callable[[str], str]) -> ToolCall:
    return replace(call, arguments=_value(dict(call.arguments), change), malformed=change(call.malformed))


def _value(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _value(inner, change) for key, inner in value.items()}
    return [_value(inner, change) for inner in value] if isinstance(value, list) else value
