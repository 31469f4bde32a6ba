"""Scan a request's body as it will be sent, and say where in the prompt a secret stands."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from optimizer.errors import SecretFound
from optimizer.privacy.secrets import LONGEST, scan

_HEADING = re.compile(r"## (.+)")
_NAMED = re.compile(
    r"(?:[#=<\-+*`]+|file|path)[\s:=\"'`]*([\w.@~+-]*(?:/[\w.@~+-]+)+|[\w@~+-]+\.[A-Za-z]\w{0,9})[\"'`:>)\]\s]*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(\d+)\t")


def scan_payload(content: bytes) -> tuple[tuple[str, str], ...]:
    """Findings as (rule, where); a JSON body is scanned string by string, as the receiver will read it.

    Raises SecretFound when the scan fails or takes too long: what was not scanned is not sent.
    """
    text = content.decode("utf-8", "replace")
    try:
        pieces = list(_strings(json.loads(text), ""))
    except (ValueError, RecursionError):
        pieces = [("the request", text)]
    end = time.monotonic() + LONGEST
    try:
        return tuple(
            (found.rule, _where(name, piece, found.line))
            for name, piece in pieces
            for found in scan(piece, end - time.monotonic())
        )
    except (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        raise SecretFound(
            f"nothing was sent: the scan for secrets failed ({type(error).__name__})", "please report this"
        ) from None


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
