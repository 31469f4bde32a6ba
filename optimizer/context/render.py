"""A context as text: for a model's prompt, or as Markdown or XML to paste elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from optimizer.retrieval import Context, ContextItem

INTRO = (
    "Code of this repository: a path, then its lines, each after its number and a tab, blank ones bare; lines left out "
    "are not shown.\n"
)

_BACKTICKS = r"`{3,}"
_NOT_XML = "[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def for_prompt(context: Context) -> str:
    """The text for a model: one stable line, then each file's path and numbered lines; '' for an empty context."""
    if not context.items:
        return ""
    return INTRO + "".join(map(of_file, by_file(context.items)))


def of_file(items: Sequence[ContextItem]) -> str:
    """The path and the numbered lines of items of one file."""
    return header(items[0].path) + "".join(map(body, items))


def header(path: str) -> str:
    """The line that opens a file in a prompt."""
    return f"\n## {inert(path)}\n"


def body(item: ContextItem) -> str:
    """The numbered lines of one item in a prompt; blank lines have no number, which would only cost tokens."""
    return "".join(
        f"{number}\t{line}\n" if line.strip() else "\n" for number, line in enumerate(item.text.split("\n"), item.start)
    )


def as_markdown(context: Context) -> str:
    """The context for pasting: a heading and a fenced block for each item; fences outlast those within the code."""
    parts = []
    for item in context.items:
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(_BACKTICKS, item.text)), default=0))
        language = re.sub(r"\W", "", item.path.rpartition(".")[2]) if "." in item.path else ""
        parts.append(f"### {_plain(item.path)} (lines {item.start}-{item.end})\n\n")
        parts.append(f"{fence}{language}\n{item.text}\n{fence}\n\n")
    return "".join(parts)


def as_xml(context: Context) -> str:
    """The context for pasting: well-formed XML, the code in CDATA; characters XML cannot hold become U+FFFD."""
    parts = ["<context>\n"]
    for items in by_file(context.items):
        parts.append(f'<file path="{_attribute(items[0].path)}">\n')
        for item in items:
            text = re.sub(_NOT_XML, "\ufffd", item.text).replace("]]>", "]]]]><![CDATA[>")
            symbol = f' symbol="{_attribute(item.symbol)}"' if item.symbol else ""
            parts.append(f'<lines start="{item.start}" end="{item.end}"{symbol}><![CDATA[\n{text}\n]]></lines>\n')
        parts.append("</file>\n")
    return "".join([*parts, "</context>\n"])


def inert(name: str) -> str:
    """A name that is safe to show: control characters, escapes and text direction marks become `\\uXXXX`."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in name)


def _plain(path: str) -> str:
    return inert(path).replace("`", "\\`")


def _attribute(value: str) -> str:
    safe = inert(value)
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def by_file(items: tuple[ContextItem, ...]) -> Iterator[list[ContextItem]]:
    """Items that follow each other and are of the same file."""
    for _, group in groupby(items, key=lambda item: item.path):
        yield list(group)
