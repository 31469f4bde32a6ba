"""Private keys: with their first line, from their second line on, before their last line, in comments, or reversed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from optimizer.privacy.secrets import judge, reading

NAME = "a private key"
_BODY = rb"[\s\w+/=:,.\"'\\#*|>;!%()&$@~]|-(?!---)"
_BEGIN = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:" + _BODY + rb"){0,500}?"
    rb"(?P<s>[A-Za-z0-9+/=]{40})(?P<rest>(?:" + _BODY + rb"){0,40000})"
)
_SHORT = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?P<s>(?:" + _BODY + rb"){30,4000})-----END "
)
_END = re.compile(rb"-----END (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY")
_PUTTY = re.compile(rb"Private-Lines: \d+\s+(?:\d{1,6}\t)?(?P<s>[A-Za-z0-9+/]{40}[\sA-Za-z0-9+/=]{0,8000})")
_LINE = re.compile(
    rb"[^\nA-Za-z0-9+/=]{0,16}(?:\d{1,6}\t){0,2}[^\nA-Za-z0-9+/=]{0,16}([A-Za-z0-9+/]{1,76}={0,2})[^\nA-Za-z0-9+/=]{0,8}$"
)
_ENCODED = re.compile(rb"[A-Za-z0-9+/]{38,}={0,2}")
_TAIL = re.compile(rb"[A-Za-z0-9+/]{60,76}$")
# above lines that are no key, or one that another rule finds
_LABELLED = re.compile(rb"-----[A-Z]+ |base64|Proc-Type:|DEK-Info:|(?:\"\"\"|'''|(?<!``)`)\s*$")
_REVERSED = re.compile(
    rb"(?:[A-Za-z0-9+/=]{20,}[^A-Za-z0-9+/=]{0,16}){1,400}-{5}(?:KCOLB )?YEK ETAVIRP"
    rb"|YEK ETAVIRP[A-Z ]{0,40}-{5}\s*[A-Za-z0-9+/=]{40,}"
)
WIDTHS = (64, 65, 70, 76)
_WIDE = bytes(97 if chr(c).isascii() and (chr(c).isalnum() or chr(c) in "+/") else 32 for c in range(256))


class Block(NamedTuple):
    """The span of a private key, from the first byte of its body."""

    start: int
    end: int


def keys(data: bytes, lowered: bytes) -> Iterator[Block]:
    """The private keys of a text, whole or in part."""
    for at in _places(lowered, b"private key"):
        begin, end = (lowered.rfind(mark, max(0, at - 60), at) for mark in (b"-----begin ", b"-----end "))
        found = _below(data, begin) if begin > end else _above(data, end) if _END.match(data, max(end, 0)) else None
        if found:
            yield found
    for at in _places(lowered, b"private-lines:"):
        if match := _PUTTY.match(data, at):
            yield Block(*match.span("s"))
    for at in _places(lowered, b"yek etavirp"):
        if match := _REVERSED.search(data, max(0, at - 8000), at + 400):
            yield Block(*match.span())
    yield from _headless(data)


def _places(lowered: bytes, mark: bytes) -> Iterator[int]:
    at = lowered.find(mark)
    while at >= 0:
        yield at
        at = lowered.find(mark, at + 1)


def _below(data: bytes, begin: int) -> Block | None:
    """The body of a key after its first line."""
    match = _BEGIN.match(data, begin) or _SHORT.match(data, begin)
    if not match or re.search(rb"\.{3}|x{8}|your|example", match["s"], re.IGNORECASE):
        return None
    whole = "rest" in match.re.groupindex or len(re.sub(rb"[^A-Za-z0-9+/=]", b"", match["s"])) >= 40
    return Block(match.start("s"), match.end()) if whole else None


def _above(data: bytes, end: int) -> Block | None:
    """The encoded lines above the last line of a key."""
    start = end
    for _ in range(200):
        above = data.rfind(b"\n", 0, max(0, start - 1)) + 1
        line = data[above : max(above, start - 1)].rstrip(b"\r")
        if start == above or not (_LINE.fullmatch(line) or not line.strip(b" \t#*/")):
            break
        start = above
    last = data.rfind(b"\n", 0, max(0, start - 1)) + 1
    if tail := _TAIL.search(data[last : max(last, start - 1)].rstrip(b"\r")):  # it begins after other words
        start = last + tail.start()
    return Block(start, end) if _ENCODED.search(data, start, end) else None


def _headless(data: bytes) -> Iterator[Block]:
    """Lines as in the body of a key that are nothing else by a line above or below: a key from its second line on."""
    marked, wide = data.translate(_WIDE), b"a" * min(WIDTHS)
    at = marked.find(wide)
    while at >= 0:
        begin = data.rfind(b"\n", 0, at) + 1
        bodies, after = _encoded_lines(data, begin)
        if (
            _is_key(bodies)
            and not _labelled(data, begin)
            and not re.search(rb"CERTIFICATE|PUBLIC", data[after : after + 120])
        ):
            yield Block(begin, min(after, len(data)))
        at = marked.find(wide, max(after, marked.find(b" ", at) if b" " in marked[at:] else len(data)))


def _encoded_lines(data: bytes, begin: int) -> tuple[list[bytes], int]:
    """The bodies of the encoded lines from here on, and where they end."""
    bodies: list[bytes] = []
    while begin < len(data) and len(bodies) < 400:
        end = data.find(b"\n", begin, begin + 200)
        end = end if end >= 0 else min(len(data), begin + 200)
        found = _LINE.fullmatch(data[begin:end].rstrip(b"\r"))
        if not found:
            break
        bodies.append(found[1])
        begin = end + 1
        if len(found[1]) < len(bodies[0]):
            break
    return bodies, begin


def _is_key(bodies: list[bytes]) -> bool:
    """Whether these are encoded lines of one width, the last one shorter or not, that look random."""
    if len(bodies) < 2 or len(bodies[0]) not in WIDTHS or any(len(body) != len(bodies[0]) for body in bodies[1:-1]):
        return False
    whole = b"".join(bodies)
    return len(bodies[-1]) <= len(bodies[0]) and judge.entropy(whole) >= 5.1 and not reading.is_text(whole)


def _labelled(data: bytes, begin: int) -> bool:
    """Whether one of the lines above says what this is, or it is a literal in code."""
    above = data[max(0, begin - 300) : begin].rstrip().rsplit(b"\n", 3)
    return any(_LABELLED.search(line) for line in above[-3:])
