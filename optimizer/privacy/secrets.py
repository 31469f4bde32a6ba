"""Find secrets in a text, or in the body of a request as it will be sent; and the pictures in that.

The rules have literal anchors, looked for first, and a pattern that starts there.
"""

from __future__ import annotations

import base64
import json
import math
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from optimizer.errors import SecretFound
from optimizer.images import NotAnImage, read

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
_START = rb"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"
_END = rb"(?![A-Za-z0-9_-])"
_HEADING = re.compile(r"## (.+)")
_NAMED = re.compile(
    r"(?:[#=<\-+*`]+|file|path)[\s:=\"'`]*([\w.@~+-]*(?:/[\w.@~+-]+)+|[\w@~+-]+\.[A-Za-z]\w{0,9})[\"'`:>)\]\s]*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(\d+)\t")
_DATA_URL = re.compile(r"data:image/[a-z]{3,4};base64,")
_PICTURES = ("iVBORw0KGgo", "/9j/", "_9j_", "R0lGOD", "UklGR")  # how png, jpeg, gif and webp begin in base64
_STANDARD = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class SecretMatch:
    """What looks like a secret: the rule's name, line and column from 1, the byte span, and a form fit to be shown."""

    rule: str
    line: int
    column: int
    masked: str
    start: int
    end: int


def scan(text: str, seconds: float = LONGEST) -> tuple[SecretMatch, ...]:
    """All findings in a text, in order; `start` and `end` count bytes of its UTF-8.

    Raises SecretFound when the scan does not end within `seconds`: what was not scanned is not sent.
    """
    data = text.encode("utf-8", "surrogatepass")
    found: list[SecretMatch] = []
    covered = -1
    for start, end, rule in sorted(_matches(data, time.monotonic() + seconds), key=lambda one: (one[0], -one[1])):
        if start < covered:
            continue
        covered = end
        line_start = data.rfind(b"\n", 0, start) + 1
        column = len(data[line_start:start].decode("utf-8", "replace")) + 1
        line = data.count(b"\n", 0, start) + 1
        found.append(SecretMatch(rule.name, line, column, _masked(data[start:end]), start, end))
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


@dataclass(frozen=True, slots=True)
class Rule:
    """`anchors` are lower-case literals; `pattern` is matched where one begins, its group `s` is the secret.

    `kind`: "token" has a shape of its own, "password" is part of a connection string, "assigned" is a value given
    to a name, judged by its looks.
    """

    name: str
    anchors: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    kind: Literal["token", "password", "assigned"] = "token"


def _token(name: str, anchors: tuple[str, ...], body: str) -> Rule:
    pattern = re.compile(_START + b"(?P<s>" + body.encode() + b")" + _END)
    return Rule(name, tuple(anchor.lower().encode() for anchor in anchors), pattern)


_ASSIGNED = re.compile(
    rb"""[\w.-]{0,40}(?:\\{0,8}["'`])?\]?[ \t]{0,8}(?::[ \t]{0,4}[A-Za-z]{1,20}[ \t]{0,4}(?==))?"""
    rb"""(?:=>|:=|={1,3}|:|,)[ \t]{0,8}"""
    rb"""(?:[bru]{0,2}(?P<q>\\{0,8}["'`])(?P<s>[^\s"'`\\]{8,512})(?P=q)"""
    rb"""|(?P<bare>[^\s"'`\\,;(){}\[\]<>]{12,512})(?=\s|\\{1,8}[nr"'`]|["'`]|$))""",
    re.IGNORECASE | re.MULTILINE,
)

_GITLAB = ("glpat-", "gldt-", "glrt-", "glptt-", "glft-", "glsoat-", "glcbt-", "glagent-")

RULES: tuple[Rule, ...] = (
    _token("an Anthropic key", ("sk-ant-",), r"sk-ant-[a-z]{2,12}[0-9]{2}-[\w-]{20,256}"),
    _token(
        "an OpenAI key",
        ("sk-",),
        r"sk-(?:(?:proj|svcacct|admin|None)-[\w-]{20,256}|[A-Za-z0-9]{16,32}T3BlbkFJ[A-Za-z0-9]{16,32}|[A-Za-z0-9]{48})",
    ),
    _token("an OpenRouter key", ("sk-or-",), r"sk-or-v1-[0-9a-f]{40,80}"),
    _token("a Groq key", ("gsk_",), r"gsk_[A-Za-z0-9]{40,64}"),
    _token("a Google API key", ("AIza",), r"AIza[\w-]{35}"),
    _token("a Google OAuth secret", ("GOCSPX-",), r"GOCSPX-[\w-]{24,40}"),
    _token("a Google access token", ("ya29.",), r"ya29\.[\w-]{30,512}"),
    _token("an AWS access key id", ("AKIA", "ASIA", "ABIA", "ACCA"), r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    _token("a GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _token("a GitHub token", ("github_pat_",), r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _token("a GitLab token", _GITLAB, r"gl[a-z]{2,5}-[\w.-]{20,300}"),
    _token("a Slack token", ("xox", "xapp-"), r"(?:xox[abeprs]|xapp)-[0-9A-Za-z-]{20,250}"),
    _token("a Slack webhook", ("hooks.slack.com/",), r"hooks\.slack\.com/[a-z]{8,9}/[A-Za-z0-9_/]{30,120}"),
    _token("a Stripe key", ("sk_live_", "sk_test_", "rk_live_", "rk_test_"), r"[rs]k_[a-z]{4}_[A-Za-z0-9]{20,250}"),
    _token("a Stripe signing secret", ("whsec_",), r"whsec_[A-Za-z0-9+/=]{24,100}"),
    _token("an npm token", ("npm_",), r"npm_[A-Za-z0-9]{36}"),
    _token("a PyPI token", ("pypi-",), r"pypi-AgE[A-Za-z0-9_-]{50,1000}"),
    _token("a Hugging Face token", ("hf_",), r"hf_[A-Za-z0-9]{30,40}"),
    _token("a SendGrid key", ("SG.",), r"SG\.[\w-]{16,32}\.[\w-]{32,64}"),
    _token("a DigitalOcean token", ("dop_v1_", "doo_v1_"), r"do[op]_v1_[0-9a-f]{64}"),
    _token("a Databricks token", ("dapi",), r"dapi[0-9a-f]{32}(?:-\d)?"),
    _token("an age secret key", ("age-secret-key-",), r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    Rule(
        "a private key",
        (b"-----begin ",),
        re.compile(
            rb"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            rb"[\s\w+/=:,.\-\"'\\]{0,400}?(?P<s>[A-Za-z0-9+/=]{40})(?P<rest>[\s\w+/=:,.\"'\\]{0,40000})"
        ),
    ),
    Rule(
        "a JSON web token",
        (b"eyj",),
        re.compile(_START + rb"(?P<s>eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{20,1000})"),
    ),
    Rule(
        "a password in a connection string",
        (b"://",),
        re.compile(rb"://(?P<user>[^\s:/@\"'`<>{}$\\]{0,80}):(?P<s>[^\s/@\"'`<>\\]{3,200})@[\w.\[-]"),
        "password",
    ),
    Rule(
        "an Azure storage key",
        (b"accountkey=",),
        re.compile(rb"AccountKey=(?P<s>[A-Za-z0-9+/]{60,100}={0,2})", re.IGNORECASE),
    ),
    Rule(
        "an authorization header",
        (b"bearer ", b"basic "),
        re.compile(rb"(?:Bearer|Basic) {1,2}(?P<s>[A-Za-z0-9+/_.~-]{20,2000}={0,2})(?=\s|\\|[\"'`]|$)", re.IGNORECASE),
        "assigned",
    ),
    Rule(
        "a secret assigned to a name",
        (
            b"password",
            b"passwd",
            b"pwd",
            b"secret",
            b"token",
            b"passphrase",
            b"api_key",
            b"apikey",
            b"api-key",
            b"access_key",
            b"accesskey",
            b"private_key",
            b"auth_key",
            b"credential",
        ),
        _ASSIGNED,
        "assigned",
    ),
)


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
