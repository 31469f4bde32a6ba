"""Scan a request's body as it will be sent, and say where in the prompt a secret stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from optimizer.privacy.secrets import scan

_FILE_LINE = re.compile(
    r"^[#=<>\-+*`\s/\[(]*(?:file|path|diff --git)?[\s:=\"'`]*([\w.@~+-]*(?:/[\w.@~+-]+)+|[\w@~+-]+\.[A-Za-z]\w{0,9})"
    r"(?::(\d+)(?:-\d+)?)?[\"'`:>)\]\s]*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\s*(\d+)\s*(?:[|:│\t]|  )")


def scan_payload(content: bytes) -> tuple[tuple[str, str], ...]:
    """Findings as (rule, where); a JSON body is scanned string by string, as the receiver will read it.

    Raises SecretFound when the scan takes too long.
    """
    text = content.decode("utf-8", "replace")
    try:
        pieces = list(_strings(json.loads(text), ""))
    except (ValueError, RecursionError):
        pieces = [("the request", text)]
    return tuple((found.rule, _where(name, piece, found.line)) for name, piece in pieces for found in scan(piece))


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
    """`path:line` when the prompt names the file above the finding, else the part of the request and its line."""
    lines = text.split("\n")
    own = _NUMBERED.match(lines[line - 1])
    for distance, above in enumerate(reversed(lines[: line - 1])):
        header = _FILE_LINE.fullmatch(above.rstrip("\r"))
        if header:
            first = int(header[2]) if header[2] else 1
            return f"{header[1]}:{own[1] if own else first + distance}"
    return f"{name}, line {line} of the prompt"
