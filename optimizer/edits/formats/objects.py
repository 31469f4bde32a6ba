"""Edits and calls as JSON: objects and lists of them, and the wrappers that servers and models put around them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from optimizer.edits.formats.arguments import LISTS, LOOKS, edit_of, is_edit, is_known, is_own, path_of, read_call
from optimizer.edits.formats.found import Excerpt, Found, joined

MAX_NESTING = 8
MAX_VALUES = 100
_BETWEEN = re.compile(r"[\s,;]*")
_EDITLIKE = re.compile(r'"(?:edit_file|create_file|search|replace|old_str(?:ing)?|new_str(?:ing)?|content|edits)\\?"')
_CALLS = re.compile(rf'"(?:name|tool|tool_name)\\?"\s*:\s*\\?"(?:{"|".join(sorted(LOOKS))})\\?"')
_WITH_PATH = re.compile(r'"(?:path|file|file_path|filename)\\?"')
_ARGUMENTS = ("arguments", "parameters", "args", "input")


class Repeated(ValueError):
    """A JSON object has the same key twice."""


def read_json(text: str, number: int) -> Found:
    """The edits and calls of JSON texts that begin on line `number`; JSON that holds neither gives nothing at all.

    A string may hold line ends and tabs as they are, and several objects may follow each other. Nothing else that is
    wrong is mended.
    """
    if '"' not in text:
        return Found(0)
    try:
        values = _values(text)
    except Repeated as error:
        return Found(0, problems=(f"the JSON on line {number} of the reply has {error} twice",), sure=is_call(text))
    except (ValueError, RecursionError):
        if is_call(text) or (_WITH_PATH.search(text) and _EDITLIKE.search(text)):
            why = f"the JSON on line {number} of the reply cannot be read"
            return Found(0, problems=(why,), sure=is_call(text))
        return Found(0)
    return joined(_from_json(value, "", 0) for value in values)


def is_call(text: str) -> bool:
    """Whether a JSON text, whole or cut, has a call of a tool that changes nothing."""
    return _CALLS.search(text) is not None


def load(text: str) -> Any:
    """A JSON text; strings may hold control characters. Raises ValueError, also for a key that is there twice."""
    return json.loads(text, object_pairs_hook=_object, strict=False)


def _values(text: str) -> list[Any]:
    decoder = json.JSONDecoder(object_pairs_hook=_object, strict=False)
    values: list[Any] = []
    place = len(text) - len(text.lstrip())
    while place < len(text):
        if len(values) == MAX_VALUES:
            raise ValueError("too many values")
        value, place = decoder.raw_decode(text, place)
        values.append(value)
        between = _BETWEEN.match(text, place)
        place = between.end() if between else place
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise Repeated(next(key for key in keys if keys.count(key) > 1))
    return found


def _from_json(value: Any, path: str, depth: int) -> Found:
    if isinstance(value, list):
        found = [_from_json(item, path, depth + 1) for item in value] if depth < MAX_NESTING else []
        whole = joined(found)
        if whole.edits and any(one.empty for one in found):
            return Found(0, whole.edits, (*whole.problems, "an item of the JSON list of edits is no edit"))
        return whole
    if not isinstance(value, dict) or depth >= MAX_NESTING:
        return Found(0)
    if isinstance(value.get("function"), dict):
        return _from_json(value["function"], path, depth + 1)
    if (call := _call(value)) is not None:
        return call
    own = path_of(value) or path
    for key in LISTS:
        if isinstance(value.get(key), list):
            return _from_json(value[key], own if isinstance(own, str) else "", depth + 1)
    if own and is_edit(value):
        return edit_of(str(value.get("type", value.get("action", ""))), {**value, "path": own})
    return Found(0)


def _call(value: dict[str, Any]) -> Found | None:
    """An object that is a call of a known tool, read; None for any other."""
    if len(value) == 1 and is_own(only := next(iter(value))):
        return edit_of(only, value[only]) if isinstance(value[only], dict) else None
    names = [str(value[key]) for key in ("name", "tool", "function", "tool_name") if key in value]
    name = next(filter(is_known, names), "")
    if not name:
        return None
    arguments = next((value[key] for key in _ARGUMENTS if key in value), None)
    if arguments is None and not is_own(name):
        return None
    if isinstance(arguments, str):
        try:
            arguments = load(arguments)
        except (ValueError, RecursionError) as error:
            why = f"they have {error} twice" if isinstance(error, Repeated) else "they are no JSON"
            problem = f"the arguments of a call of {name} cannot be read: {why}"
            return Found(0, problems=(problem,), sure=name in LOOKS)
    if not isinstance(arguments, dict):
        return Found(0, problems=(f"a call of {name} in JSON has no arguments",), sure=name in LOOKS)
    return read_call(name, arguments)


def read_bare_json(excerpt: Excerpt, here: int) -> Found:
    """JSON outside a fence: from line `here` up to the first later line that closes it at the left margin."""
    closing = "}" if excerpt.lines[here][0] == "{" else "]"
    end = here
    if not excerpt.lines[here].rstrip().endswith(closing) or excerpt.lines[here].strip() in ("{", "["):
        end = next((n for n in range(here, len(excerpt.lines)) if excerpt.lines[n].rstrip() == closing), -1)
    stop = end + 1 if end >= 0 else len(excerpt.lines)
    found = read_json("\n".join(excerpt.lines[here:stop]), here + 1)
    return Found(here) if found.empty else replace(found, end=stop)
