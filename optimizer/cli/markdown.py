"""Answers in Markdown as a terminal shows them: words wrapped, code coloured, block after block as they come.

This module imports rich: import it only when a terminal shows an answer.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, String
from pygments.util import ClassNotFound
from rich import markdown
from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.text import Text
from rich.theme import Theme

from optimizer.cli import terminal
from optimizer.report.layout import inert, wrapped

LONGEST_TAIL = 8_000  # letters of an unfinished block that are rendered; of a longer one, its last lines are shown
EVERY_LINE = 500  # letters of an unfinished block that is read again with each line; a longer one now and then
AT_ONCE = ("paragraph_close", "heading_close", "hr", "table_close")  # blocks that an empty line ends for good
# Colours of the terminal's own palette, which its user can read; none is a background.
CODE = ANSISyntaxTheme(
    {
        Comment: Style(italic=True, dim=True),
        Keyword: Style(color="magenta"),
        Name.Function: Style(bold=True),
        Name.Class: Style(bold=True),
        Name.Decorator: Style(color="magenta"),
        Number: Style(color="cyan"),
        String: Style(color="green"),
    }
)
STYLES = Theme(
    {
        "markdown.code": Style(color="cyan"),
        "markdown.block_quote": Style(dim=True),
        "markdown.hr": Style(dim=True),
        "markdown.item.bullet": Style(),
        "markdown.item.number": Style(),
        "markdown.table.border": Style(dim=True),
        "markdown.table.header": Style(bold=True),
        **{f"markdown.h{level}": Style(bold=True) for level in range(1, 7)},
    }
)
# Without HTML, pictures and references: what a person cannot see is shown as it was written.
_READER = MarkdownIt().enable(["strikethrough", "table"])
_READER.disable(["html_block", "html_inline", "image", "reference"])


class _Heading(markdown.Heading):
    """A heading at the left; where nothing can be bold, with its marks."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        marks = "" if console.color_system else "#" * int(self.tag.lstrip("h")) + " "
        yield Text(marks) + self.text


class _Code(markdown.CodeBlock):
    """Code as it was written, to be copied: without margins."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Syntax(str(self.text).rstrip(), _lexer(self.lexer_name), theme=CODE, word_wrap=True)


class _Item(markdown.ListItem):
    """An item; a number has its dot."""

    def render_number(self, console: Console, options: ConsoleOptions, number: int, last_number: int) -> RenderResult:
        wide = len(str(last_number)) + 2
        rows = console.render_lines(self.elements, options.update(width=options.max_width - wide), style=self.style)
        for at, row in enumerate(rows):
            yield Segment(" " * wide if at else f"{number}.".ljust(wide))
            yield from row
            yield Segment.line()


class _Markdown(markdown.Markdown):
    elements: ClassVar = {
        **markdown.Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "list_item_open": _Item,
    }

    def __init__(self, text: str) -> None:
        super().__init__("")
        self.parsed = _READER.parse(text)
        for token in self.parsed:
            if token.children:
                token.children = list(_plainer(token.children))


def _plainer(tokens: list[Token]) -> Iterator[Token]:
    """The same words with lines as they were broken, `__name__` as a name, and links with their addresses in sight.

    An entity may stand for what acts on a terminal.
    """
    address, label = "", ""
    for token in tokens:
        label += token.content
        if token.type == "softbreak":
            yield Token("hardbreak", "br", 0)
        elif token.type in ("strong_open", "strong_close") and token.markup == "__":
            yield Token("text", "", 0, content="__")
        elif token.type == "link_open":
            address, label = str(token.attrs.get("href", "")), ""
        elif token.type == "link_close":
            if label != address.removeprefix("mailto:"):
                yield Token("text", "", 0, content=f" ({address})")
        else:
            if token.type == "text":
                token.content = inert(token.content)
            yield token


@lru_cache(maxsize=64)
def _lexer(name: str) -> str:
    """The name of a lexer that exists: ```python:calc/parse.py names one too."""
    known = name.partition(":")[0].strip("{}.")
    try:
        get_lexer_by_name(known)
    except ClassNotFound:
        return "text"
    return known


def lines(text: str, columns: int, colours: bool) -> list[str]:
    """`text` in lines of a terminal so wide, with `colours` or without any style."""
    system = ColorSystem.STANDARD if colours else None
    console = Console(
        file=io.StringIO(),
        width=columns,
        theme=STYLES,
        color_system="standard" if colours else None,
        force_terminal=colours,
        legacy_windows=False,
        highlight=False,
    )
    shown = ["".join(_trimmed(row, system)) for row in console.render_lines(_Markdown(text), pad=False)]
    while shown and not shown[-1]:
        shown.pop()
    while shown and not shown[0]:
        shown.pop(0)
    return shown


def _trimmed(row: list[Segment], system: ColorSystem | None) -> Iterator[str]:
    """The pieces of a row without the blanks at its end."""
    while row and not row[-1].text.strip():
        row.pop()
    for number, (text, style, _) in enumerate(row):
        last = text.rstrip() if number == len(row) - 1 else text
        yield style.render(last, color_system=system) if style and system else last


def blocks(text: str) -> tuple[list[str], str]:
    """The blocks of `text` that no further line can change, and the rest."""
    top = [token for token in _READER.parse(text) if token.level == 0]
    starts = [token.map[0] for token in top if token.map and token.nesting >= 0]
    rows = [f"{row}\n" for row in text.split("\n")]
    rows[-1] = rows[-1].removesuffix("\n")
    found = ["".join(rows[begin:end]) for begin, end in pairwise([*starts, len(rows)])]
    if not found or (text.endswith("\n\n") and top[-1].type in AT_ONCE):
        return found, ""
    return found[:-1], found[-1]


class Page:
    """One answer as it comes: what is finished is printed, with an empty line after it, the rest waits."""

    def __init__(self) -> None:
        self._waiting = ""
        self._enough = 0

    def add(self, piece: str) -> str:
        """What can be printed now that this piece came, with line ends; '' for nothing."""
        self._waiting += piece
        if "\n" not in piece or len(self._waiting) < self._enough:
            return ""
        complete, begun, open = self._waiting.rpartition("\n")
        done, rest = blocks(inert(complete + begun))
        self._waiting = rest + open
        self._enough = len(rest) * 5 // 4 if len(rest) > EVERY_LINE else 0
        return "".join(map(_printed, done))

    def end(self) -> str:
        """What is left to print once the answer is over."""
        done, rest = blocks(inert(self._waiting))
        self._waiting = ""
        return "".join(map(_printed, [*done, rest]))

    def tail(self, columns: int, rows: int) -> list[str]:
        """The unfinished block in at most so many rows, its last ones."""
        text = self._waiting.rstrip("\r\n")
        if not text.strip():
            return []
        if len(text) <= LONGEST_TAIL:
            shown = lines(inert(text), columns - 1, terminal.coloured(sys.stdout))
        else:
            shown = [part for row in text.split("\n")[-rows:] for part in wrapped(inert(row), columns, 0).split("\n")]
        return shown[-rows:]


def _printed(block: str) -> str:
    if not block.strip():
        return ""
    shown = lines(block, terminal.size(sys.stdout)[0], terminal.coloured(sys.stdout))
    return "".join(f"{line}\n" for line in [*shown, ""])
