"""What a person types in a conversation: history, completion, several lines, a status line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.key_binding import KeyBindings

PROMPT = "> "
MOST_COMPLETIONS = 40


class Lines(Protocol):
    """Where lines come from; raises EOFError at the end, KeyboardInterrupt for Ctrl-C."""

    def read(self) -> str: ...


class PlainLines:
    """Whole lines, with nothing drawn around them."""

    def __init__(self, status: Callable[[], str]) -> None:
        self._status = status

    def read(self) -> str:
        click.echo(self._status(), err=True)
        return input(PROMPT)


class EditedLines:
    """Lines with history in `file`, completion, and `status` below; Esc Enter begins a new line."""

    def __init__(self, file: Path, words: Callable[[str], Iterable[str]], status: Callable[[], str]) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import FileHistory

        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        self._status = status
        self._session: PromptSession[str] = PromptSession(
            history=FileHistory(str(file)),
            completer=_completer(words),
            complete_while_typing=False,
            key_bindings=_keys(),
            enable_open_in_editor=True,
        )

    def read(self) -> str:
        return self._session.prompt(PROMPT, bottom_toolbar=self._status())


def completions(words: Sequence[str], begun: str) -> Iterator[str]:
    """The words that begin so, then those that hold it, without regard to case; at most MOST_COMPLETIONS."""
    sought = begun.lower()
    first = [word for word in words if word.lower().startswith(sought)]
    known = set(first)
    more = [word for word in words if sought in word.lower() and word not in known] if sought else []
    yield from (first + more)[:MOST_COMPLETIONS]


def _completer(words: Callable[[str], Iterable[str]]) -> Any:
    from prompt_toolkit.completion import Completer, Completion

    class Words(Completer):
        """Completes the last word by what `words` gives for the line."""

        def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
            line = document.text_before_cursor
            last = "" if line.endswith(" ") else line.split()[-1] if line.split() else ""
            for word in words(line):
                yield Completion(word, start_position=-len(last))

    return Words()


def _keys() -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    return keys
