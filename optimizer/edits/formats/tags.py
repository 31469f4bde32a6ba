"""Calls in tags, as models write them into their text when a server does not read them: a dialect for each family."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from optimizer.edits.formats.arguments import CONTENTS, NUMBERS, is_known, read_call
from optimizer.edits.formats.calls import read_calls, starts_call
from optimizer.edits.formats.found import Excerpt, Found, joined
from optimizer.edits.formats.objects import Repeated, load, read_json

_WRAPPER = re.compile(r"[ \t]*<((?:\w+:)?(?:tool_calls?|function_calls?|tool_code))>(.*)")
_CLOSERS = re.compile(r"(?:\s|</?(?:\w+:)?(?:tool_calls?|function_calls?)>)*")
_FUNCTION = re.compile(r"<function=[\"']?([\w.-]+)[\"']?>|<(?:\w+:)?invoke name=\"([\w.-]+)\">|<([a-z]+_[a-z_]+)>")
_END = r"</function>|</(?:\w+:)?invoke>"
_PARAMETER = re.compile(r"<parameter=[\"']?([\w-]+)[\"']?>|<(?:\w+:)?parameter name=\"([\w-]+)\"[^<>\n]*>")
_VALUE_ENDS = re.compile(rf"</(?:\w+:)?parameter>\s*(?=<(?:\w+:)?parameter[= ]|{_END})")
_UNCLEAR = re.compile(rf"<(?:\w+:)?parameter(?:=| name=)|<function=|<(?:\w+:)?invoke name=|{_END}")
_KEY = re.compile(r"<(\w+)>")
_ARGUMENT = re.compile(r"\s*<arg_key>(\w+)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_MARKER = re.compile(r"[ \t]*(?:\[TOOL_CALLS\]|<\|python_tag\|>)[ \t]*(.*)")
_MISTRAL = re.compile(r"([\w.-]+)\[ARGS\](?=\{)")


class Malformed(ValueError):
    """A call in tags that is cut, or can be read in several ways."""


def starts_tagged(excerpt: Excerpt, at: int) -> bool:
    """Whether a call in tags, such as `<tool_call>` or `<function=edit_file>`, begins on line `at`."""
    line = excerpt.lines[at]
    if _WRAPPER.match(line) or _MARKER.match(line):
        return True
    begun = _FUNCTION.match(line.lstrip(" \t"))
    return begun is not None and is_known(_name(begun))


def read_tagged(excerpt: Excerpt, here: int) -> Found:
    """Read the calls or the JSON between tags that begin on line `here`."""
    return replace(_tagged(excerpt, here), sure=True)


def _tagged(excerpt: Excerpt, here: int) -> Found:
    if begun := _MARKER.match(excerpt.lines[here]):
        return _marked(excerpt, here, begun[1])
    wrapper = _WRAPPER.match(excerpt.lines[here])
    if wrapper is None:
        return _unwrapped(excerpt, here)
    closing = f"</{wrapper[1]}>"
    end = next((n for n in range(here, len(excerpt.lines)) if closing in excerpt.lines[n]), -1)
    if end < 0:
        why = f"the {wrapper[1]} on line {here + 1} of the reply is never closed"
        return Found(len(excerpt.lines), problems=(why,))
    body = [wrapper[2], *excerpt.lines[here + 1 : end]]
    if end > here:
        body.append(excerpt.lines[end].partition(closing)[0])
    found = _inner("\n".join(body).partition(closing)[0].strip(), here + 1)
    return replace(found, end=end + 1)


def _inner(text: str, number: int) -> Found:
    if starts_call(text):
        return read_calls(Excerpt(tuple(text.split("\n")), text.count("\n") + 1, closed=True), 0)
    if _FUNCTION.match(text):
        return _made(_functions(text), number)
    if "<arg_key>" in text:
        return _made(_with_keys(text), number)
    return read_json(text, number)


def _made(calls: Iterator[tuple[str, dict[str, Any]]], number: int) -> Found:
    """Calls in tags, read; those of unknown tools give nothing."""
    found: list[Found] = []
    try:
        found.extend(read_call(name, arguments) for name, arguments in calls)
    except Malformed as error:
        why = f"the call in tags on line {number} of the reply cannot be read: {error}"
        found.append(Found(0, problems=(why,)))
    return joined(found)


def _unwrapped(excerpt: Excerpt, here: int) -> Found:
    """A call without the tag around it, up to the line that ends it; a closing tag left over after it is dropped."""
    begun = _FUNCTION.match(excerpt.lines[here].lstrip(" \t"))
    closing = _closing(begun) if begun else ""
    end = next((n for n in range(here, len(excerpt.lines)) if closing in excerpt.lines[n]), -1)
    if end < 0:
        return Found(
            len(excerpt.lines), problems=(f"the call in tags on line {here + 1} of the reply is never closed",)
        )
    found = _made(_functions("\n".join(excerpt.lines[here : end + 1]).strip()), here + 1)
    stop = end + 1
    while stop < excerpt.stop and (line := excerpt.lines[stop].strip()) and _CLOSERS.fullmatch(line) and "/" in line:
        stop += 1
    return replace(found, end=stop)


def _name(begun: re.Match[str]) -> str:
    return next(str(name) for name in begun.groups() if name)


def _closing(begun: re.Match[str]) -> str:
    if begun[1]:
        return "</function>"
    return f"</{begun[0][1:].partition('invoke')[0]}invoke>" if begun[2] else f"</{begun[3]}>"


def _functions(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    place = 0
    while place < len(text):
        begun = _FUNCTION.match(text, place)
        if begun is None:
            raise Malformed("something else stands between its calls")
        closing = _closing(begun)
        if begun[3]:
            end = text.find(closing, begun.end())
            arguments = _with_own_tags(text[begun.end() : end]) if end >= 0 else {}
        elif text[begun.end() :].lstrip()[:1] == "{":
            end = text.find(closing, begun.end())
            arguments = _loaded(text[begun.end() : end])
        else:
            arguments, end = _parameters(text, begun.end())
        if end < 0 or not text.startswith(closing, end):
            raise Malformed("it is never closed")
        yield _name(begun), arguments
        rest = _CLOSERS.match(text, end + len(closing))
        place = rest.end() if rest else len(text)


def _parameters(text: str, place: int) -> tuple[dict[str, Any], int]:
    """The parameters from `place` on, and where the tag that closes the call stands."""
    arguments: dict[str, Any] = {}
    while True:
        place += len(text[place:]) - len(text[place:].lstrip())
        begun = _PARAMETER.match(text, place)
        if begun is None:
            return arguments, place
        ended = _VALUE_ENDS.search(text, begun.end())
        if ended is None:
            raise Malformed(f"its {_name(begun)} is never closed")
        _add(arguments, _name(begun), text[begun.end() : ended.start()])
        place = ended.end()


def _with_own_tags(text: str) -> dict[str, Any]:
    """Arguments whose tags are their names, as in `<path>a.py</path>`."""
    arguments: dict[str, Any] = {}
    place = 0
    while rest := text[place:].lstrip():
        place = len(text) - len(rest)
        begun = _KEY.match(text, place)
        closing = f"</{begun[1]}>" if begun else ""
        end = text.find(closing, place) if begun else -1
        if begun is None or end < 0:
            raise Malformed("its parts are not in tags of their own")
        _add(arguments, begun[1], text[begun.end() : end])
        place = end + len(closing)
    return arguments


def _with_keys(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    name, _, rest = text.partition("<arg_key>")
    rest = "<arg_key>" + rest
    arguments: dict[str, Any] = {}
    place = 0
    while found := _ARGUMENT.match(rest, place):
        _add(arguments, found[1], found[2])
        place = found.end()
    if rest[place:].strip():
        raise Malformed("its values are not closed")
    yield name.strip(), arguments


def _add(arguments: dict[str, Any], key: str, raw: str) -> None:
    """Add a value, without the line ends that the tags stand on."""
    if key in arguments:
        raise Malformed(f"it has {key} twice")
    if _UNCLEAR.search(raw):
        raise Malformed(f"where its {key} ends is not clear")
    value = raw.removeprefix("\n")
    value = value.removesuffix("\n") if value is not raw else value
    if key in NUMBERS and value.strip().isdecimal():
        arguments[key] = int(value)
        return
    arguments[key] = value + "\n" if key in CONTENTS and value and not value.endswith("\n") else value


def _loaded(text: str) -> dict[str, Any]:
    try:
        value = load(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("a key twice" if isinstance(error, Repeated) else "its arguments are no JSON") from error
    if not isinstance(value, dict):
        raise Malformed("its arguments are no object")
    return value


def _marked(excerpt: Excerpt, here: int, rest: str) -> Found:
    """JSON after a mark such as `[TOOL_CALLS]`, up to the end of the reply."""
    text = "\n".join((rest, *excerpt.lines[here + 1 : excerpt.stop]))
    text = _MISTRAL.sub(lambda found: f'{{"name": {json.dumps(found[1])}, "arguments": ', text, count=1) + (
        "}" if _MISTRAL.match(text) else ""
    )
    found = read_json(text, here + 1)
    return Found(here) if found.empty else replace(found, end=excerpt.stop)
