"""Edits as calls: native tool calls, and calls written as text."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

from optimizer.edits.edit import Edit
from optimizer.edits.formats.arguments import edit_of, kind_of
from optimizer.edits.formats.found import Excerpt, Found
from optimizer.types import ToolCall

POSITIONS = {"edit_file": ("path", "start", "end", "content"), "create_file": ("path", "content")}
MAX_NESTING = 8
_CALL = re.compile(r"[ \t]*(edit_file|create_file)[ \t]*\(")
_REMAINS = frozenset("\"')]},")
_TOKEN = re.compile(r"\"\"\"|'''|\"|'|#|[()\[\]{}]")


def from_tool_call(call: ToolCall) -> Found:
    """The edit of a native call; other tools are ignored."""
    if call.malformed:
        return Found(0, problems=(f"the arguments of {call.name} are not JSON: the call seems to be cut off",))
    return edit_of(call.name, call.arguments) if kind_of(call.name) else Found(0)


def starts_call(line: str) -> bool:
    """Whether a line begins with a call of an edit tool."""
    return _CALL.match(line) is not None


def read_call(excerpt: Excerpt, at: int) -> Found:
    """Read the call that begins on line `at`; a mention without values, as in a manual, is not an edit."""
    begun = _CALL.match(excerpt.lines[at])
    name = begun[1] if begun else ""
    end, last = _extent(excerpt, at)
    if last < 0:
        return Found(excerpt.stop, problems=(f"the call of {name} on line {at + 1} of the reply is never closed",))
    code = "\n".join((*excerpt.lines[at:last], excerpt.lines[last][:end])).strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call = ast.parse(code, mode="eval").body
            if not isinstance(call, ast.Call):
                return Found(last + 1)
            if not any(isinstance(node, ast.Constant) and node.value is not ... for node in _values(call)):
                return Found(last + 1)
            arguments = _arguments(name, call)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = f"the call of {name} on line {at + 1} of the reply cannot be read: {error}"
        return Found(last + 1, problems=(why,))
    found = edit_of(name, arguments)
    return Found(last + 1, found.edits, found.problems)


def starts_call_at(excerpt: Excerpt, at: int) -> bool:
    """Whether a call of an edit tool begins on line `at`."""
    return starts_call(excerpt.lines[at])


def read_call_or_prose(excerpt: Excerpt, at: int) -> Found:
    """Read the call that begins on line `at`; one that is not an edit stays prose."""
    found = read_call(excerpt, at)
    return found if found.edits or found.problems else Found(at)


def read_calls(excerpt: Excerpt, here: int) -> Found:
    """Read one call after the other from line `here` on."""
    edits: list[Edit] = []
    problems: list[str] = []
    while here < excerpt.stop:
        found = Found(here + 1)
        if starts_call(excerpt.lines[here]):
            found = read_call(excerpt, here)
        elif excerpt.lines[here].lstrip()[:1] in _REMAINS:
            found = Found(
                here + 1, problems=(f"line {here + 1} of the reply is a piece of a call without its beginning",)
            )
        edits.extend(found.edits)
        problems.extend(found.problems)
        here = max(found.end, here + 1)
    return Found(here, tuple(edits), tuple(problems))


def _values(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _arguments(name: str, call: ast.Call) -> dict[str, Any]:
    names = POSITIONS[name]
    if len(call.args) > len(names):
        raise ValueError(f"it takes {len(names)} values")
    arguments = {key: ast.literal_eval(node) for key, node in zip(names, call.args, strict=False)}
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in arguments:
            raise ValueError("a value is given twice")
        arguments[keyword.arg] = ast.literal_eval(keyword.value)
    return arguments


def _extent(excerpt: Excerpt, at: int) -> tuple[int, int]:
    """Column after the closing parenthesis and its line; line -1 when it never closes."""
    begun = _CALL.match(excerpt.lines[at])
    column, here, quote, depth = (begun.end() if begun else 0), at, "", 1
    while here < excerpt.stop:
        line = excerpt.lines[here]
        while column < len(line):
            if quote:
                column, closed = _string_end(line, column, quote)
                quote = "" if closed else quote
                continue
            token = _TOKEN.search(line, column)
            if token is None or token[0] == "#":
                break
            column = token.end()
            if token[0] in "([{":
                depth += 1
                if depth > MAX_NESTING:
                    return 0, -1
            elif token[0] in ")]}":
                depth -= 1
                if not depth:
                    return column, here
            else:
                quote = token[0]
        if len(quote) == 1 and not line.endswith("\\"):
            return 0, -1
        here, column = here + 1, 0
    return 0, -1


def _string_end(line: str, column: int, quote: str) -> tuple[int, bool]:
    while column < len(line):
        if line[column] == "\\":
            column += 2
        elif line.startswith(quote, column):
            return column + len(quote), True
        else:
            backslash = line.find("\\", column + 1)
            mark = line.find(quote[0], column + 1)
            column = min((n for n in (backslash, mark) if n >= 0), default=len(line))
    return len(line), False
