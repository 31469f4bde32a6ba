"""Scan a request's body as it will be sent: locate secrets in the prompt, and find the images in it."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any

from optimizer.errors import SecretFound
from optimizer.images import NotAnImage, read
from optimizer.privacy.secrets import LONGEST, scan

_HEADING = re.compile(r"## (.+)")
_NAMED = re.compile(
    r"(?:[#=<\-+*`]+|file|path)[\s:=\"'`]*([\w.@~+-]*(?:/[\w.@~+-]+)+|[\w@~+-]+\.[A-Za-z]\w{0,9})[\"'`:>)\]\s]*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(\d+)\t")
_DATA_URL = re.compile(r"data:image/[a-z]{3,4};base64,")
_PICTURES = ("iVBORw0KGgo", "/9j/", "_9j_", "R0lGOD", "UklGR")  # how png, jpeg, gif and webp begin in base64
_STANDARD = str.maketrans("-_", "+/")


def scan_payload(content: bytes) -> tuple[tuple[str, str], ...]:
    """Findings as (rule, where); a JSON body is scanned string by string, as the receiver will read it.

    Pictures are passed over: what they show cannot be scanned. Raises SecretFound when the scan fails or takes too
    long: what else was not scanned is not sent.
    """
    text = content.decode("utf-8", "replace")
    try:
        pieces = list(_strings(json.loads(text), ""))
    except (ValueError, RecursionError):
        pieces = [("the request", text)]
    end = time.monotonic() + LONGEST
    try:
        texts = {
            piece: name for name, piece in reversed(pieces) if _picture(piece) is None
        }  # a schema repeats its words
        return tuple(
            (found.rule, _where(texts[piece], piece, found.line))
            for piece in dict.fromkeys(piece for _, piece in pieces if piece in texts)
            for found in scan(piece, end - time.monotonic())
        )
    except (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        raise SecretFound(
            f"nothing was sent: the scan for secrets failed ({type(error).__name__})", "please report this"
        ) from None


def pictures(content: bytes) -> tuple[bytes, ...]:
    """The pictures in a JSON body, decoded, in their order; each is a string of its own."""
    if not any(mark.encode() in content for mark in _PICTURES):
        return ()
    try:
        found = [_picture(piece) for _, piece in _strings(json.loads(content), "")]
    except (ValueError, RecursionError):
        return ()
    return tuple(picture for picture in found if picture is not None)


def _picture(text: str) -> bytes | None:
    """The picture that a whole string is the base64 of, in either alphabet, bare or in a data URL, if it is one."""
    url = _DATA_URL.match(text)
    data = text[url.end() :] if url else text
    if not data.startswith(_PICTURES):
        return None
    try:
        return read(base64.b64decode(data.translate(_STANDARD), validate=True)).data
    except (NotAnImage, ValueError):
        return None


def _strings(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name or "the request", value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield "the request", key
            yield from _strings(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _strings(inner, f"{name}[{number}]")


def _where(name: str, text: str, line: int) -> str:
    """`path:line` for a numbered line of a rendered file, else the part of the request, after the file named above."""
    lines = text.split("\n")
    above = [one.rstrip("\r") for one in reversed(lines[: line - 1])]
    if own := _NUMBERED.match(lines[line - 1]):
        heading = next((found[1] for one in above if (found := _HEADING.fullmatch(one))), "")
        if heading:
            return f"{heading}:{own[1]}"
    path = next((found[1] for one in above if (found := _NAMED.fullmatch(one))), "")
    return f"{path + ', ' if path else ''}line {line} of {name}"
