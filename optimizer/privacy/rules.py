"""The rules that secrets are found by: each has literal anchors, looked for first, and a pattern that starts there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_START = rb"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"
_END = rb"(?![A-Za-z0-9_-])"


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
