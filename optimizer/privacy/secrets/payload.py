"""Secrets in the body of a request as it will be sent, and the pictures in that."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from optimizer.errors import SecretFound
from optimizer.images import NotAnImage, read
from optimizer.privacy.secrets import judge, tokens
from optimizer.privacy.secrets.named import ASSIGNED
from optimizer.privacy.secrets.scan import LONGEST, SecretMatch, scan

_HEADING = re.compile(r"## (.+)")
_NAMED = re.compile(
    r"(?:[#=<\-+*`]+|file|path)[\s:=\"'`]*([\w.@~+-]*(?:/[\w.@~+-]+)+|[\w@~+-]+\.[A-Za-z]\w{0,9})[\"'`:>)\]\s]*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(\d+)\t")
_DATA_URL = re.compile(r"data:image/[a-z]{3,4};base64,")
_PICTURES = ("iVBORw0KGgo", "/9j/", "_9j_", "R0lGOD", "UklGR")  # how png, jpeg, gif and webp begin in base64
_STANDARD = str.maketrans("-_", "+/")


_NEAR = 300  # bytes on each side of the seam between two strings that are read together
_NEXT = 3  # strings after one that it is read together with
_FURTHER = 6  # strings after one that ends within a token, in which its rest is looked for
_LAST_WORD = re.compile(r"([A-Za-z0-9_.~-]{7,160})[\s\"'`.,;:…)\]]*$")
_WORD = re.compile(r"[A-Za-z0-9_-]{6,160}")


class Leak(NamedTuple):
    """What looks like a secret in a request: the rule, where it stands, and the fingerprint by which it is allowed."""

    rule: str
    where: str
    fingerprint: str


def scan_payload(content: bytes, allowed: Collection[str] = ()) -> tuple[Leak, ...]:
    """What looks like a secret; a JSON body is scanned string by string, as the receiver will read it, and over seams.

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
        order = list(dict.fromkeys(piece for _, piece in pieces if piece in texts))
        found = [
            Leak(one.rule, _where(texts[piece], piece, one.line), one.fingerprint)
            for piece in order
            for one in scan(piece, end - time.monotonic(), allowed)
        ]
        return tuple(found or _over_seams([(texts[piece], piece) for piece in order], end, allowed))
    except (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        raise SecretFound(
            f"nothing was sent: the scan for secrets failed ({type(error).__name__})", "please report this"
        ) from None


def _over_seams(pieces: list[tuple[str, str]], end: float, allowed: Collection[str]) -> Iterator[Leak]:
    """What begins in one string and ends in another."""
    said = [(name, piece) for name, piece in pieces if len(piece) >= 8 and not name.startswith("tools")]
    for number, (name, one) in enumerate(said):
        for _, other in said[number + 1 : number + 1 + _NEXT]:
            if found := _at_seam(one[-_NEAR:], other[:_NEAR], end, allowed):
                yield Leak(found.rule, f"the end of {name} with what follows", found.fingerprint)
    for number, (name, one) in enumerate(said):
        if not (last := _LAST_WORD.search(one[-_NEAR:])):
            continue
        for _, other in said[number + 1 : number + 1 + _FURTHER]:
            for word in _WORD.findall(other[:_NEAR]):
                if whole := _one_token(last[1], word, end, allowed):
                    yield Leak(whole.rule, f"the end of {name} with what follows", whole.fingerprint)


def _at_seam(tail: str, head: str, end: float, allowed: Collection[str]) -> SecretMatch | None:
    """What begins in one text and ends in the other, or has its name in the one and stands in the other."""
    for between in ("", "\n"):
        seam = len(tail.encode("utf-8", "surrogatepass"))
        for found in scan(tail + between + head, end - time.monotonic(), allowed):
            if found.start < seam < found.end or (between and found.start > seam and found.rule == ASSIGNED):
                return found
    return None


def _one_token(first: str, second: str, end: float, allowed: Collection[str]) -> SecretMatch | None:
    """The token that two words are together, neither of them by itself; the second one must look like more of it."""
    start = first.lower().encode("ascii", "replace")
    if not any(len(begin) >= 3 for begin, _ in tokens.beginning(start[:24])) or not re.search(r"\d", second):
        return None
    if judge.entropy(second.encode()) < 2.5:
        return None
    whole = scan(first + second, end - time.monotonic(), allowed)
    return next((found for found in whole if found.start < len(first) < found.end), None)


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
        if value[:1] in ("{", "[") and (inner := _decoded(value)) is not None:  # arguments of a call, for one
            yield from _strings(inner, name)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield "the request", key
            yield from _strings(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _strings(inner, f"{name}[{number}]")


def _decoded(text: str) -> Any:
    """A text as JSON; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


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
