"""Find secrets in what is about to be sent."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from optimizer.errors import SecretFound
from optimizer.privacy.rules import RULES, Rule

LONGEST = 10.0

_PLACEHOLDER = re.compile(
    rb"x{4}|\*{3}|\.{3}|example|placeholder|change.?me|your|dummy|fake|redacted|sample|insert|replace|todo|none|null"
    rb"|0{8}|1234567|abcdefg|\$\{|\$\(|\{\{|%\(|%s|<|\[key\]",
    re.IGNORECASE,
)
_PRETEND = re.compile(
    rb"test|mock|foo|bar|baz|password|passwd|secret|token|hunter2|correct.?horse|qwerty", re.IGNORECASE
)
_WORDS = re.compile(rb"[A-Za-z]+(?:[._/:-]+[A-Za-z]+)*[0-9]{0,2}")
_CODE = re.compile(rb"[A-Za-z_]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)+|[/~$%{].*|[a-z]+://.*|.*[(){}\[\]].*")


@dataclass(frozen=True, slots=True)
class Finding:
    """What looks like a secret: the rule's name, line and column from 1, the byte span, and a form fit to be shown."""

    rule: str
    line: int
    column: int
    masked: str
    start: int
    end: int


def scan(text: str, seconds: float = LONGEST) -> tuple[Finding, ...]:
    """All findings in a text, in order; `start` and `end` count bytes of its UTF-8.

    Raises SecretFound when the scan does not end within `seconds`: what was not scanned is not sent.
    """
    data = text.encode("utf-8", "surrogatepass")
    found: list[Finding] = []
    covered = -1
    for start, end, rule in sorted(_matches(data, time.monotonic() + seconds), key=lambda one: (one[0], -one[1])):
        if start < covered:
            continue
        covered = end
        line_start = data.rfind(b"\n", 0, start) + 1
        column = len(data[line_start:start].decode("utf-8", "replace")) + 1
        found.append(Finding(rule.name, data.count(b"\n", 0, start) + 1, column, _masked(data[start:end]), start, end))
    return tuple(found)


def mask(text: str) -> str:
    """The text with every finding replaced by its masked form."""
    data = text.encode("utf-8", "surrogatepass")
    for finding in reversed(scan(text)):
        data = data[: finding.start] + finding.masked.encode() + data[finding.end :]
    return data.decode("utf-8", "replace")


def _masked(secret: bytes) -> str:
    return secret[:4].decode("ascii", "replace") + "…" if len(secret) >= 20 else "…"


def _matches(data: bytes, deadline: float) -> Iterator[tuple[int, int, Rule]]:
    lowered = data.lower()
    for rule in RULES:
        for anchor in rule.anchors:
            if time.monotonic() > deadline:
                raise SecretFound("nothing was sent: the scan for secrets took too long", "send less")
            at = lowered.find(anchor)
            while at >= 0:
                match = rule.pattern.match(data, at)
                if match and (span := _judged(rule, match)):
                    yield *span, rule
                    at = span[1] - 1
                at = lowered.find(anchor, at + 1)


def _judged(rule: Rule, match: re.Match[bytes]) -> tuple[int, int] | None:
    """The span of the secret, None when it is a placeholder or too plain to be one."""
    bare = rule.kind == "assigned" and "bare" in rule.pattern.groupindex and match["s"] is None
    group = "bare" if bare else "s"
    value = match[group]
    if _PLACEHOLDER.search(value):
        return None
    if rule.kind == "password" and _plain_password(value, match["user"]):
        return None
    if rule.kind == "token" and len(set(value)) < 8:
        return None
    if rule.kind == "assigned" and not _looks_random(value, bare):
        return None
    end = match.end("rest" if "rest" in rule.pattern.groupindex else group)
    return match.start(group), end


def _plain_password(value: bytes, user: bytes) -> bool:
    """Whether the password of a connection string is a variable, the user's own name or an everyday stand-in."""
    low = value.lower()
    everyday = low in (b"pass", b"pwd", b"pw", b"admin", b"root", b"guest", user.lower()) or len(set(low)) < 3
    return everyday or low[:1] in b"$%{<*:" or _PRETEND.fullmatch(low) is not None


def _looks_random(value: bytes, bare: bool) -> bool:
    """Whether a value given to a name looks drawn at random; unquoted ones must look more so: most are code."""
    if _WORDS.fullmatch(value) or _PRETEND.search(value) or (_CODE.fullmatch(value) if bare else value[:1] in b"/~$%{"):
        return False
    kinds = sum(bool(re.search(kind, value)) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9]"))
    bits = _entropy(value)
    if not re.search(rb"[0-9]", value) or not re.search(rb"[A-Za-z]", value):
        return False
    if bare:
        return len(value) >= 16 and bits >= 3.5 and kinds >= 2
    return (kinds >= 3 and bits >= 3.0) or (len(value) >= 16 and bits >= 3.2)


def _entropy(value: bytes) -> float:
    """Bits per byte."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
