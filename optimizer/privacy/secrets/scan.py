"""Find what looks like a secret in a text, as a person or a machine reads it."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from optimizer.errors import SecretFound
from optimizer.privacy.secrets import blocks, judge, named, reading, tokens

LONGEST = 10.0
SHOWN = 16  # letters of a fingerprint: enough to name one finding among all that there are
_BREAK = re.compile(rb"\\[nrt]|%[0-9A-F]{2}|[^A-Za-z0-9_]")  # what a token may begin after
_REST = 2048  # bytes of the longest token that is looked for backwards
# what stands between the parts of one literal: quotes and an operator, or the end of a line and how the next one begins
_JOINT = re.compile(
    rb"""(?:["'`][ \t]*[+.&|]{0,2}[ \t]*)?\\?\r?\n(?:[ \t]*\d{1,6}\t)?[ \t]*(?:(?:[+>#*|-][ \t]|[+>]"""
    rb"""|//[ \t]?|E[ \t]+)[ \t]*){0,3}"""
    rb"""(?:[+.&][ \t]*)?["'`]?|["'`][ \t]*[+.&|]{0,2}[ \t]*["'`]"""
)
_JOINED = 600  # bytes that the parts of a token may take


@dataclass(frozen=True, slots=True)
class SecretMatch:
    """What looks like a secret: the rule's name, line and column from 1, the byte span, and a form fit to be shown.

    `fingerprint` is the beginning of the SHA-256 of the secret itself, decoded where it was encoded; `lines` is on how
    many lines it stands.
    """

    rule: str
    line: int
    column: int
    masked: str
    start: int
    end: int
    fingerprint: str
    lines: int = 1


class _Found(NamedTuple):
    start: int
    end: int
    rule: str
    secret: bytes


def rule_names() -> frozenset[str]:
    """The names of all rules."""
    shaped = {rule.name for rule in tokens.TOKENS} | {rule.name for rule in tokens.INNER}
    return frozenset(shaped | {*named.NAMES, blocks.NAME})


def scan(text: str, seconds: float = LONGEST, allowed: Collection[str] = ()) -> tuple[SecretMatch, ...]:
    """All findings in a text, in order, but those whose SHA-256 begins as one of `allowed`.

    `start` and `end` count bytes of its UTF-8. Raises SecretFound when the scan does not end within `seconds`: what was
    not scanned is not sent.
    """
    data = text.encode("utf-8", "surrogatepass")
    found: list[SecretMatch] = []
    covered = -1
    for one in sorted(_everywhere(data, time.monotonic() + seconds), key=lambda one: (one.start, -one.end)):
        if one.start < covered:
            continue
        covered = one.end
        digest = hashlib.sha256(one.secret).hexdigest()
        if any(digest.startswith(begin) for begin in allowed):
            continue
        line_start = data.rfind(b"\n", 0, one.start) + 1
        column = len(data[line_start : one.start].decode("utf-8", "replace")) + 1
        line = data.count(b"\n", 0, one.start) + 1
        masked = _masked(data[one.start : one.end])
        found.append(
            SecretMatch(
                one.rule,
                line,
                column,
                masked,
                one.start,
                one.end,
                digest[:SHOWN],
                1 + data.count(b"\n", one.start, one.end),
            )
        )
    return tuple(found)


def mask(text: str, allowed: Collection[str] = ()) -> str:
    """The text with every finding replaced by its masked form."""
    data = text.encode("utf-8", "surrogatepass")
    for finding in reversed(scan(text, allowed=allowed)):
        data = data[: finding.start] + finding.masked.encode() + data[finding.end :]
    return data.decode("utf-8", "replace")


def _masked(secret: bytes) -> str:
    return secret[:4].decode("ascii", "replace") + "…" if len(secret) >= 20 else "…"


def _everywhere(data: bytes, deadline: float) -> Iterator[_Found]:
    """The findings in each reading of a text, and in what is encoded in it."""
    for view in reading.readings(data):
        runs = reading.runs(view.data)
        yield from _placed(_direct(view.data, runs, deadline), view)
        inner = reading.decoded(view.data, runs)
        if inner is None:
            continue
        for clear in reading.readings(inner.data):
            found = _placed(_direct(clear.data, reading.runs(clear.data), deadline), clear)
            yield from _placed(_placed(found, inner), view)


def _placed(found: Iterator[_Found], view: reading.View) -> Iterator[_Found]:
    for one in found:
        start, end = view.span(one.start, one.end)
        yield one._replace(start=start, end=end)


def _direct(data: bytes, runs: list[reading.Run], deadline: float) -> Iterator[_Found]:
    """The findings in a text as it stands."""
    lowered = data.lower()
    for search in (_tokens(data, lowered, runs), named.values(data, lowered), blocks.keys(data, lowered)):
        if time.monotonic() > deadline:
            raise SecretFound("nothing was sent: the scan for secrets took too long", "send less")
        for found in search:
            name = found.rule if isinstance(found, named.Value | _Found) else blocks.NAME
            yield _Found(found.start, found.end, name, data[found.start : found.end])


def _tokens(data: bytes, lowered: bytes, runs: list[reading.Run]) -> Iterator[_Found]:
    """Tokens that have a shape of their own, forwards and backwards, in one piece and in several."""
    done = -1
    for run in runs:
        first = max(0, done, run.start - tokens.LONGEST_PREFIX)
        for at in _begins(data, lowered, first, min(run.end, run.start + 48)):
            if found := _at(data, lowered, at):
                done = found.end
                yield found
                break
        else:
            if found := _inside(data, lowered, run) or _backwards(data, lowered, run):
                yield found


def _begins(data: bytes, lowered: bytes, first: int, last: int) -> list[int]:
    """Where a token may begin, by its first two letters."""
    known = tokens.by_start()
    places = [first, *(match.end() for match in _BREAK.finditer(data, first, last))]
    return [at for at in places if lowered[at : at + 2] in known]


def _at(data: bytes, lowered: bytes, at: int) -> _Found | None:
    for start, rule in tokens.beginning(lowered[at : at + 24]):
        if match := tokens.pattern(rule).match(data, at):
            if judge.token(match["s"], start):
                return _Found(*match.span("s"), rule.name, match["s"])
        elif len(start) >= 3 and (found := _continued(data, at, start, rule)):
            return found
    return None


def _continued(data: bytes, at: int, start: bytes, rule: tokens.TokenRule) -> _Found | None:
    """A token that is written in parts: joined by an operator, or over the end of a line."""
    window = data[at : at + _JOINED]
    view = reading.view(reading.without(window, _JOINT, b""))
    match = tokens.pattern(rule).match(view.data) if len(view.pieces) > 1 else None
    if not match or not judge.token(match["s"], start) or judge.entropy(match["s"]) < 3.0:
        return None
    begin, end = view.span(*match.span("s"))
    return _Found(at + begin, at + end, rule.name, match["s"])


def _inside(data: bytes, lowered: bytes, run: reading.Run) -> _Found | None:
    """A token that is known by a mark within it."""
    first, last = max(0, run.start - tokens.LONGEST_PREFIX), run.end + tokens.LONGEST_PREFIX
    if not tokens.marks().search(lowered, first, last):
        return None
    for rule in tokens.INNER:
        match = tokens.pattern(rule).search(data, max(0, first - 64), last + 140)
        if match and judge.token(match["s"], b""):
            return _Found(*match.span("s"), rule.name, match["s"])
    return None


def _backwards(data: bytes, lowered: bytes, run: reading.Run) -> _Found | None:
    """A token whose letters stand in reverse."""
    first, last = max(0, run.start - _REST), min(len(data), run.end + tokens.LONGEST_PREFIX)
    tail = lowered[max(first, run.end - 48) : last][::-1]
    for at in _begins(tail, tail, 0, len(tail)):
        starts = [start for start, _ in tokens.beginning(tail[at : at + 24]) if _telling(start)]
        if not starts or (all(map(bytes.isalnum, starts)) and data[last - at : last - at + 1] in (b"+", b"/", b"=")):
            continue
        back = data[first : last - at][::-1]
        if found := _at(back, back.lower(), 0):
            return _Found(last - at - found.end, last - at, found.rule, found.secret)
    return None


def _telling(start: bytes) -> bool:
    """Whether a start is no accident of letters."""
    return len(start) >= 4 or (len(start) == 3 and not start.isalnum())
