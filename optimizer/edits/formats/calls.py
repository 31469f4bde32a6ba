"""Edits as calls: native tool calls, calls written as text, and JSON."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Mapping
from typing import Any

from optimizer.edits.formats.found import Excerpt, Found
from optimizer.types import Create, Delete, Edit, LineEdit, Replace, ToolCall, Whole

TOOLS = ("edit_file", "create_file")
POSITIONS = {"edit_file": ("path", "start", "end", "content"), "create_file": ("path", "content")}
MAX_NESTING = 8
_CALL = re.compile(r"[ \t]*(edit_file|create_file)[ \t]*\(")
_TAGGED = re.compile(r"[ \t]*<(tool_call|function_call|tool_code)>(.*)")
_REMAINS = frozenset("\"')]},")
_TOKEN = re.compile(r"\"\"\"|'''|\"|'|#|[()\[\]{}]")
_NAMES = {
    "path": ("path", "file", "file_path", "filename", "filepath"),
    "search": ("search", "old", "old_string", "old_str", "old_text", "find", "original"),
    "replace": ("replace", "new", "new_string", "new_str", "new_text", "replacement", "updated"),
    "start": ("start", "start_line", "line_start"),
    "end": ("end", "end_line", "line_end"),
    "content": ("content", "new_content", "text", "contents"),
}
_LISTS = ("edits", "changes", "files", "tool_calls")
_EDITLIKE = re.compile(r'"(?:edit_file|create_file|search|replace|old_string|new_string|content|edits)"')


class Repeated(ValueError):
    """A JSON object has the same key twice."""


def from_tool_call(call: ToolCall) -> Found:
    """The edit of a native call; other tools are ignored."""
    if call.malformed:
        return Found(0, problems=(f"the arguments of {call.name} are not JSON: the call seems to be cut off",))
    if call.name not in TOOLS:
        return Found(0)
    return _from_mapping(call.name, call.arguments)


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
    found = _from_mapping(name, arguments)
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


def read_json(text: str, number: int) -> Found:
    """The edits of a JSON text that begins on line `number`; JSON that holds no edits gives nothing at all."""
    if '"' not in text:
        return Found(0)
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except Repeated as error:
        return Found(0, problems=(f"the JSON on line {number} of the reply has {error} twice",))
    except (ValueError, RecursionError):
        if '"path"' in text and _EDITLIKE.search(text):
            return Found(0, problems=(f"the JSON on line {number} of the reply cannot be read",))
        return Found(0)
    return _from_json(value, "", 0)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise Repeated(next(key for key in keys if keys.count(key) > 1))
    return found


def _from_json(value: Any, path: str, depth: int) -> Found:
    if isinstance(value, list):
        found = [_from_json(item, path, depth + 1) for item in value] if depth < MAX_NESTING else []
        edits = tuple(edit for one in found for edit in one.edits)
        problems = tuple(problem for one in found for problem in one.problems)
        if edits and any(not one.edits and not one.problems for one in found):
            problems += ("an item of the JSON list of edits is no edit",)
        return Found(0, edits, problems)
    if not isinstance(value, dict) or depth >= MAX_NESTING:
        return Found(0)
    name = next((value[key] for key in ("name", "tool", "function") if value.get(key) in TOOLS), None)
    if name:
        arguments = next((value[key] for key in ("arguments", "parameters", "args", "input") if key in value), None)
        if not isinstance(arguments, dict):
            return Found(0, problems=(f"a call of {name} in JSON has no arguments",))
        return _from_mapping(name, arguments)
    own = _pick(value, "path") or path
    for key in _LISTS:
        if isinstance(value.get(key), list):
            return _from_json(value[key], own if isinstance(own, str) else "", depth + 1)
    if own and (value.keys() & {*_NAMES["search"], *_NAMES["content"]} or value.get("delete") is True):
        return _from_mapping(str(value.get("type", value.get("action", ""))), {**value, "path": own})
    return Found(0)


def _pick(arguments: Mapping[str, Any], name: str) -> Any:
    return next((arguments[key] for key in _NAMES[name] if key in arguments), None)


def _from_mapping(tool: str, arguments: Mapping[str, Any]) -> Found:
    path, search, replace = (_pick(arguments, name) for name in ("path", "search", "replace"))
    start, end, content = (_pick(arguments, name) for name in ("start", "end", "content"))
    if not isinstance(path, str) or not path:
        return _wrong(tool, "it names no file")
    if any(value is not None and not isinstance(value, str) for value in (search, replace, content)):
        return _wrong(tool, "a text is not a string")
    if any(value is not None and (isinstance(value, bool) or not isinstance(value, int)) for value in (start, end)):
        return _wrong(tool, "a line number is not an integer")
    edit: Edit
    if tool == "create_file" or tool == "create":
        if content is None:
            return _wrong(tool, "it has no content")
        edit = Create(path, _newlines(content))
    elif arguments.get("delete") is True or tool == "delete":
        edit = Delete(path)
    elif search is not None:
        if replace is None:
            return _wrong(tool, "it has no replacement")
        edit = Replace(path, _newlines(search), _newlines(replace))
    elif content is None:
        return _wrong(tool, "it has no content")
    elif start is not None and end is not None:
        if start < 1 or end < start - 1:
            return _wrong(tool, f"lines {start} to {end} are no range")
        edit = LineEdit(path, start, end, _newlines(content))
    elif tool == "edit_file" or start is not None or end is not None:
        return _wrong(tool, "it needs both start and end")
    else:
        edit = Whole(path, _newlines(content))
    return Found(0, (edit,))


def _wrong(tool: str, why: str) -> Found:
    return Found(0, problems=(f"a call of {tool} cannot be used: {why}" if tool else f"an edit cannot be used: {why}",))


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n")


def starts_tagged(excerpt: Excerpt, at: int) -> bool:
    """Whether a call in tags, such as `<tool_call>`, begins on line `at`."""
    return _TAGGED.match(excerpt.lines[at]) is not None


def read_tagged(excerpt: Excerpt, here: int) -> Found:
    """Read the calls or the JSON between tags that begin on line `here`."""
    begun = _TAGGED.match(excerpt.lines[here])
    tag, rest = (begun[1], begun[2]) if begun else ("", "")
    closing = f"</{tag}>"
    end = next((n for n in range(here, len(excerpt.lines)) if closing in excerpt.lines[n]), -1)
    if end < 0:
        return Found(len(excerpt.lines), problems=(f"the {tag} on line {here + 1} of the reply is never closed",))
    body = [rest, *excerpt.lines[here + 1 : end]]
    if end > here:
        body.append(excerpt.lines[end].partition(closing)[0])
    text = "\n".join(body).partition(closing)[0].strip()
    if starts_call(text):
        found = read_calls(Excerpt(tuple(text.split("\n")), text.count("\n") + 1, closed=True), 0)
    else:
        found = read_json(text, here + 1)
    return Found(end + 1, found.edits, found.problems)


def read_bare_json(excerpt: Excerpt, here: int) -> Found:
    """JSON outside a fence: from line `here` up to the first later line that closes it at the left margin."""
    closing = "}" if excerpt.lines[here][0] == "{" else "]"
    end = here
    if not excerpt.lines[here].rstrip().endswith(closing) or excerpt.lines[here].strip() in ("{", "["):
        end = next((n for n in range(here, len(excerpt.lines)) if excerpt.lines[n].rstrip() == closing), -1)
    stop = end + 1 if end >= 0 else len(excerpt.lines)
    found = read_json("\n".join(excerpt.lines[here:stop]), here + 1)
    return Found(stop, found.edits, found.problems) if found.edits or found.problems else Found(here)
