"""The conversation that a request belongs to: its messages so far, and which lines of files stand in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from optimizer.agent.seen import Seen, seen_in
from optimizer.encodings import text_of
from optimizer.errors import SafetyRefused

if TYPE_CHECKING:
    from optimizer.retrieval import Context, ContextItem
    from optimizer.types import Message

Shown = Mapping[str, Mapping[int, str]]
"""For each path the lines that were shown last, by number."""

_FILE = re.compile(r"## (.+?)(?: now)?(?: \(\d+ lines in all\))?")
_LINE = re.compile(r"(\d+)\t(.*)")
SHORT = 8  # words of a request up to which the one before it helps to find its code


@dataclass(frozen=True)
class Talk:
    """What was said so far and its `tokens`; `staged` is code that the user wants to be shown, `before` the words of
    the request before."""

    messages: tuple[Message, ...] = ()
    tokens: int = 0
    staged: tuple[ContextItem, ...] = ()
    before: str = ""

    @property
    def open(self) -> Message | None:
        """The message that the next request goes on with: results of calls, what became of a change; None for none."""
        last = self.messages[-1] if self.messages else None
        return last if last is not None and last.role == "user" else None

    def followed(self, request: Message) -> tuple[Message, ...]:
        """The messages with a request after them; in no conversation two messages of one role follow each other."""
        if self.open is None:
            return (*self.messages, request)
        text = "\n\n".join(filter(None, (self.open.text, request.text)))
        return (*self.messages[:-1], self.open._replace(text=text, images=request.images))

    def added(self, message: Message) -> Message:
        """What a request added to the message that it is in."""
        if self.open is None:
            return message
        before = f"{self.open.text}\n\n" if self.open.text else ""
        return message._replace(text=message.text.removeprefix(before), results=())

    @property
    def text(self) -> str:
        """All that was said and shown."""
        return "\n".join(text for one in self.messages for text in (*(done.text for done in one.results), one.text))

    @cached_property
    def shown(self) -> Shown:
        """The lines of files that were shown."""
        return shown_in(self.messages)

    def holds(self, text: str) -> bool:
        """Whether this text was sent already."""
        return any(text in message.text for message in self.messages)

    def sought(self, text: str) -> str:
        """The words by which code is searched for a request; a short one means what the one before it meant, too."""
        return f"{text}\n{self.before}" if self.before and len(text.split()) <= SHORT else text


def shown_in(messages: tuple[Message, ...]) -> Shown:
    """The numbered lines of files in requests and results of calls; what a model wrote itself was not shown to it."""
    found: dict[str, dict[int, str]] = {}
    for message in (one for one in messages if one.role == "user"):
        for text in (*(one.text for one in message.results), message.text):
            path = ""
            for line in text.split("\n"):
                if header := _FILE.fullmatch(line):
                    path = header[1]
                elif path and (numbered := _LINE.fullmatch(line)):
                    found.setdefault(path, {})[int(numbered[1])] = numbered[2]
    return found


def without(context: Context, shown: Shown) -> Context:
    """The context without the items whose lines were all shown already, and stand there as they are now."""
    items = tuple(item for item in context.items if not _known(item, shown))
    return context._replace(items=items, tokens=sum(item.tokens for item in items))


def with_staged(context: Context, staged: tuple[ContextItem, ...]) -> Context:
    """The context after what is staged, which it does not repeat."""
    if not staged:
        return context
    covered: dict[str, set[int]] = {}
    for item in staged:
        covered.setdefault(item.path, set()).update(range(item.start, item.end + 1))
    others = (
        one for one in context.items if not covered.get(one.path, set()).issuperset(range(one.start, one.end + 1))
    )
    items = (*staged, *others)
    return context._replace(items=items, tokens=sum(item.tokens for item in items))


def seen(items: tuple[ContextItem, ...], shown: Shown, read: Callable[[str], bytes | None]) -> Seen:
    """What a request in a conversation shows: its items, and earlier lines that are still as they were shown.

    Of files that were shown before, only these may be replaced by number.
    """
    known = seen_in(items)
    for path, lines in shown.items():
        try:
            now = text_of(read(path) or b"").split("\n")
        except SafetyRefused:  # no file that may be read now: nothing of it may be replaced
            now = []
        same = {
            number for number, line in lines.items() if number <= len(now) and now[number - 1].rstrip() == line.rstrip()
        }
        known.lines.setdefault(path, set()).update(same)
        known.strict.add(path)
    return known


def _known(item: ContextItem, shown: Shown) -> bool:
    lines = shown.get(item.path)
    if lines is None:
        return False
    return all(
        lines.get(number) == line for number, line in enumerate(item.text.split("\n"), item.start) if line.strip()
    )
