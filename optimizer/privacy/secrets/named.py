"""Values that a name, an option, a header or a place in a line makes a secret."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from optimizer.privacy.secrets import judge

ASSIGNED = "a secret assigned to a name"
CONNECTION = "a password in a connection string"
HEADER = "an authorization header"
COMMAND = "a password on a command line"
ACCOUNT = "a password of an account file"
COOKIE = "a session cookie"
STORAGE = "an Azure storage key"
HASH = "a password hash"
WEBHOOK = "a webhook"
NAMES = (ASSIGNED, CONNECTION, HEADER, COMMAND, ACCOUNT, COOKIE, STORAGE, HASH, WEBHOOK)


class Value(NamedTuple):
    """A value that looks like a secret: the rule's name, and its span."""

    rule: str
    start: int
    end: int


_KEYS = (
    rb"(?:api|access|private|secret|auth\w*|encrypt\w*|sign\w*|master|shared|session|service|account"
    rb"|admin|app|application"
    rb"|client|licen[cs]e|storage|subscription|deploy|hmac|jwt|aes|consumer|root|server|ssh|webhook"
    rb"|token|ingest\w*|write"
    rb"|personal|rest|pre.?shared|wifi)[\w.-]{0,20}key"
)
_NAME = re.compile(
    rb"pass(?:w(?:or)?d|phrase|code|wort)|(?:^|[._-])pass(?:$|[._-])|(?-i:[a-z]Pass$)|pwd|secret|token|credential"
    rb"|(?:^|[._-])(?:auth|psk|pw)$|authorization|" + _KEYS + rb"|^key$",
    re.IGNORECASE,
)
_WEAK = re.compile(rb"(?:[_-]key|_KEY|[a-z]K(?:ey|EY))$")  # of anything: only what is drawn at random is a secret
_NAME_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_NAMED = (b"pass", b"pwd", b"secret", b"token", b"key", b"credential", b"auth")
_ASSIGNED = re.compile(
    rb"""(?P<rest>[\w.-]{0,40})(?:\\{0,8}["'`])?\]?[ \t]{0,8}(?::[ \t]{0,4}[A-Za-z]{1,20}[ \t]{0,4}(?==))?"""
    rb"""(?:=>|:=|={1,3}|:|,)[ \t]{0,8}"""
    rb"""(?:[bru]{0,2}(?P<q>\\{0,8}["'`])(?P<s>[^\s"'`\\]{8,512})(?P=q)"""
    rb"""|(?P<bare>[^\s"'`\\,;(){}\[\]<>&]{12,512})(?=\s|\\{1,8}[nr"'`]|["'`&]|$))""",
    re.IGNORECASE | re.MULTILINE,
)
# NAME=value and name: value, up to the end of the line
_LINE = re.compile(
    rb"""(?P<rest>[\w.-]{0,40})(?P<sep>[ \t]{0,12}[:=][ \t]{0,12})(?P<q>["']?)(?P<s>[^\s"'`<>(){},;\\]{6,128})(?P=q)"""
    rb"""(?P<end>[ \t]*(?:\#[^\n]*)?(?=\r?\n|$|\\n))""",
)
_FOLLOWS = re.compile(
    rb"(?P<rest>[\w.-]{0,40})(?:(?P<sep>[\"'`\\\]:=,>]|[ \t]{1,12}[:=]"
    rb"|\r?\n(?=[ \t\d+>|#*/-]{0,40}[\"']?val))|[ \t\r\n]|$)"
)
_BEFORE_LINE = re.compile(rb"(?:(?:[ \t>*#;+|/-]|\d{1,6}\t|E  )*)(?:export |set |ENV |setx |ARG |env |- )?[ \t]*[\"']?")
_PASSWORD = re.compile(rb"(?:[\w.-]+[._-])?(?:pass(?:word|wd|phrase|wort)?|pwd)", re.IGNORECASE)
_IN_COMMAND = re.compile(
    rb"(?P<rest>[A-Z0-9_]{0,40})=(?P<q>[\"']?)(?P<s>[^\s\"'`<>(){},;\\&|]{6,128})(?P=q)(?=[ \t;&|<\"']|\r?\n|$)"
)
# the name in one line or attribute and its value in the next
_NEXT = re.compile(
    rb"""[\w.-]{0,40}(?:["']?,?[\s+>|#*/-]{1,60}(?:\d{1,6}\t\s{0,40})?-?\s{0,4}["']?(?:value|val|content"""
    rb"""|default)["']?\s{0,4}[:=]\s{0,4}["']?"""
    rb"""|["']?:[ \t]{0,4}[|>]?[-+]?[ \t]{0,4}\r?\n[ \t>+|]{0,40}(?:\d{1,6}\t[ \t]{0,40})?|>)"""
    rb"""(?P<s>[^\s"'`<>(){},;\\]{6,256})(?=["']|</|[ \t]*(?:\r?\n|$))""",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rb"""(?P<rest>[\w-]{0,30})(?:=|[ \t]{1,4}|["'],[ \t]*["'])(?:pass:|["'])?"""
    rb"""(?P<s>[^\s"'`<>(){},;\\]{4,200})(?=["']|\s|\\n|$)""",
)
_CONNECTION = re.compile(
    rb"""[\w ]{0,10}?(?:word|wd)?[ \t]{0,2}=[ \t]{0,2}(?P<q>["']?)(?P<s>[^\s;&"'`<>{}$()]{4,128})(?="""
    rb"""(?P=q)[;&\s"')\\]|$)""",
    re.IGNORECASE,
)
_SERVER = re.compile(
    rb"(?:server|data source|host|hostaddr|uid|user id|user|username|dbname|database"
    rb"|initial catalog)[ \t]{0,2}=[^\n;&]{1,80}"
    rb"[;& ]|jdbc:",
    re.IGNORECASE,
)
_URL = re.compile(rb"://(?P<user>[^\s:/@\"'`<>{}$\\]{0,80}):(?P<s>[^\s/@\"'`<>\\]{3,200})@[\w.\[-]")
_SCHEME = re.compile(rb"(?:Bearer|Basic) {1,2}(?P<s>[A-Za-z0-9+/_.~-]{8,2000}={0,2})(?=\s|\\|[\"'`]|$)", re.IGNORECASE)
_HEADER = re.compile(
    rb"authorization[\"']?[ \t]{0,4}[:=,][ \t]{0,4}[\"']?(?:[A-Za-z-]{3,20} )?"
    rb"(?P<s>[A-Za-z0-9+/_.~=-]{16,2000})(?=\s|\\|[\"'`]|$)",
    re.IGNORECASE,
)
_COOKIE = re.compile(
    rb"cookie[\"']?: ?[^\r\n]{0,200}?(?:sess|sid|auth|token|jwt)[\w.-]{0,20}=(?P<s>[^;\s\"'\\]{16,2000})", re.IGNORECASE
)
_STORAGE = re.compile(rb"AccountKey=(?P<s>[A-Za-z0-9+/]{60,100}={0,2})", re.IGNORECASE)
_SIGNED = re.compile(rb"[?&]sig=(?P<s>[A-Za-z0-9%+/]{40,100}(?:=|%3D)?)")
_NETRC = re.compile(rb"password\s+(?:\d{1,6}\t\s{0,8})?(?P<s>[^\s\"'<>]{4,200})(?=\s|$|\\n)")
_ACCOUNT = re.compile(
    rb"(?:^|\s)(?:login|machine)\s+[^\s,;()]+\s(?:\s*(?:login|account)\s+[^\s,;()]+\s)?\s*(?:\d{1,6}\t\s*)?$"
)
_PGPASS = re.compile(
    rb"(?m)(?:^(?:\d{1,6}\t|[+>-])?|(?<=[\s\"'`]))[\w.*-]{1,80}:(?:\d{4,5}|\*):[\w.*-]{1,63}:[\w.*@-]{1,63}:"
    rb"(?P<s>[^\s:]{4,128})\r?$"
)
_PG_PORTS = (b":543", b":6432:", b":*:")
_CRYPT = re.compile(rb":(?P<s>\$(?:1|5|6|y|2[aby]|apr1|7)\$[\w./$=,+-]{20,160})(?=[:\s\\\"]|$)")
_USER = re.compile(rb" -(?:u|-user)[ =]?[\"']?(?P<user>[\w.@+%\\-]{1,60})[:%](?P<s>[^\s\"'`@<>$]{4,100})(?=[\"'\s]|$)")
_SHORT = re.compile(rb" -(?:p|a|w|P|-pass)[ =]?[\"']?(?P<s>[^\s\"'`<>$-][^\s\"'`<>$]{3,100})(?=[\"'\s]|\\n|$)")
_PROGRAMS = re.compile(
    rb"curl|wget|http|sshpass|mysql|maria|docker|podman|helm|login|redis-cli|mongo|psql|ldap|smb"
    rb"|rpcclient|sqlcmd|htpasswd|"
    rb"7z|zip|cqlsh|influx|rabbit|impacket|evil-winrm|xfreerdp"
)
_CURL = re.compile(rb"curl|wget|http|smb|pip|svn|git|mvn|deploy|influx|net use")
_WEBHOOK = re.compile(
    rb"(?P<s>hooks?(?:\.slack\.com/[a-z]{8,9}/[A-Za-z0-9_/]{30,120}|s?/\d{17,20}/[\w-]{60,80}"
    rb"|\.office\.com/webhook(?:b2)?/[\w@-]{36,80}/IncomingWebhook/[0-9a-f]{32}/[\w-]{36}"
    rb"|s?\.zapier\.com/hooks/catch/\d+/\w+))"
)
# patterns that begin with a name, or so many bytes before it
_PARTICULAR: Mapping[bytes, tuple[tuple[re.Pattern[bytes], str, int], ...]] = {
    b"pass": ((_NETRC, ACCOUNT, 0),),
    b"auth": ((_HEADER, HEADER, 0),),
    b"key": ((_STORAGE, STORAGE, 7),),
}
_ENVIRONMENT = re.compile(rb"[A-Z][A-Z0-9_]*")


def values(data: bytes, lowered: bytes) -> Iterator[Value]:
    """The values of a text that look like secrets; `lowered` is the text in lower case."""
    for anchor in _NAMED:
        done = -1
        for at in _places(lowered, anchor):
            if at >= done and (found := _of_name(data, at, anchor)):
                done = found.end
                yield found
    yield from _marked(data, lowered)


def _places(lowered: bytes, mark: bytes) -> Iterator[int]:
    at = lowered.find(mark)
    while at >= 0:
        yield at
        at = lowered.find(mark, at + 1)


def _of_name(data: bytes, at: int, anchor: bytes) -> Value | None:
    """What is assigned to the name around `at`, or follows it as an option or in its place."""
    after = at + len(anchor)
    follows = _FOLLOWS.match(data, after)
    if not follows:
        return None
    for pattern, rule, back in _PARTICULAR.get(anchor, ()):
        match = pattern.match(data, at - back) if at >= back else None
        if match and _holds(data, match, rule):
            return Value(rule, *match.span("s"))
    start = _name_start(data, at)
    name = data[start : follows.end("rest")]
    if name.startswith(b"-") and (match := _OPTION.match(data, after)):
        return _option(name, match)
    return _assigned(data, start, after, name) if follows["sep"] else None


def _name_start(data: bytes, at: int) -> int:
    before = data[max(0, at - 40) : at]
    start = at - len(before) + len(before.rstrip(_NAME_BYTES))
    escaped = data[start - 1 : start] == b"\\" and data[start : start + 1] in b"nrt"
    return start + 1 if escaped else start


def _assigned(data: bytes, start: int, after: int, name: bytes) -> Value | None:
    """What is assigned to a name in code, on a line of its own, in a command, below it or in a connection string."""
    if match := _ASSIGNED.match(data, after):
        bare = match["s"] is None
        group = "bare" if bare else "s"
        if (
            judge.looks_random(match[group], bare)
            and not judge.placeholder(match[group])
            and _holds_key(name, match[group])
        ):
            return Value(ASSIGNED, *match.span(group))
        if not bare and _PASSWORD.fullmatch(name) and judge.chosen(match["s"]) and _typed(match["s"]):
            return Value(ASSIGNED, *match.span("s"))
    if (match := _LINE.match(data, after)) and (found := _on_line(data, start, match)):
        return found
    if (match := _IN_COMMAND.match(data, after)) and _ENVIRONMENT.fullmatch(name) and _NAME.search(name):
        return Value(ASSIGNED, *match.span("s")) if judge.chosen(match["s"]) else None
    if (match := _NEXT.match(data, after)) and (found := _after_name(data, start, match)):
        return found
    if name[:1] in b"pP" and (match := _CONNECTION.match(data, after)):
        return _connected(data, start, match)
    return None


def _holds_key(name: bytes, value: bytes) -> bool:
    return _NAME.search(name) is not None or (_WEAK.search(name) is not None and judge.drawn(value))


def _on_line(data: bytes, start: int, match: re.Match[bytes]) -> Value | None:
    """A whole line `NAME=value` or `name: value`."""
    name, value = data[start : match.end("rest")], match["s"]
    line = data.rfind(b"\n", max(0, start - 80), start) + 1
    before = data[max(line, start - 80) : start]
    if not _NAME.search(name) or not (_BEFORE_LINE.fullmatch(before) or before.rstrip(b" ").endswith(b":")):
        return None
    upper = _ENVIRONMENT.fullmatch(name) is not None and match["sep"] == b"="
    if upper and name.endswith((b"PASS", b"PASSWORD", b"PASSWD", b"PWD")) and judge.word(value):
        return Value(ASSIGNED, *match.span("s"))
    if not judge.chosen(value) or not (upper or match["q"] or _typed(value)):
        return None
    return Value(ASSIGNED, *match.span("s"))


def _typed(value: bytes) -> bool:
    """Whether an unquoted value is no name of a program: a digit or sign within it, or one long word."""
    return value.isalpha() or (
        re.search(rb"[0-9][A-Za-z]*[A-Za-z]|[^\w.\[\]|*:/]", value) is not None and b"." not in value
    )


def _after_name(data: bytes, start: int, match: re.Match[bytes]) -> Value | None:
    name = data[start : match.start("s")].split(b"\n")[0]
    value = match["s"]
    if (
        _NAME.search(name)
        and judge.chosen(value)
        and (name.endswith(b">") or re.search(rb"[0-9]", value))
        and _typed(value)
    ):
        return Value(ASSIGNED, *match.span("s"))
    return None


def _option(name: bytes, match: re.Match[bytes]) -> Value | None:
    """`--password x`, with whatever name of a secret."""
    fits = _NAME.search(name) and judge.chosen(match["s"], False)
    return Value(COMMAND, *match.span("s")) if fits else None


def _connected(data: bytes, start: int, match: re.Match[bytes]) -> Value | None:
    """`Password=x` among the other parts of a connection string."""
    around = (
        data[max(0, start - 200, data.rfind(b"\n", 0, start) + 1) : start]
        + b";"
        + data[match.end() : match.end() + 120].split(b"\n")[0]
        + b";"
    )
    if not _SERVER.search(around):
        return None
    value = match["s"]
    if judge.plain_password(value, b"") or not judge.chosen(value, False):
        return None
    return Value(CONNECTION, *match.span("s"))


def _marked(data: bytes, lowered: bytes) -> Iterator[Value]:
    """What is known by a mark before it: addresses, headers, cookies, options, lines of account files."""
    yield from _each(data, lowered, b"://", _URL, CONNECTION)
    for scheme in (b"bearer ", b"basic "):
        yield from _each(data, lowered, scheme, _SCHEME, HEADER)
    yield from _each(data, lowered, b"cookie", _COOKIE, COOKIE)
    yield from _each(data, lowered, b"sig=", _SIGNED, STORAGE, back=1)
    yield from _each(data, lowered, b"hook", _WEBHOOK, WEBHOOK)
    yield from _each(data, lowered, b":$", _CRYPT, HASH)
    yield from _options(data)
    if any(port in data for port in _PG_PORTS):
        yield from (
            Value(ACCOUNT, *match.span("s")) for match in _PGPASS.finditer(data) if judge.chosen(match["s"], False)
        )


def _options(data: bytes) -> Iterator[Value]:
    """Passwords after short options of programs that take them."""
    for at in _places(data, b" -"):
        letter = data[at + 2 : at + 3]
        patterns = (_USER,) if letter == b"u" else (_SHORT,) if letter in (b"p", b"a", b"w", b"P") else (_USER, _SHORT)
        for pattern in patterns if letter in (b"u", b"p", b"a", b"w", b"P", b"-") else ():
            match = pattern.match(data, at)
            if match and _holds(data, match, COMMAND):
                yield Value(COMMAND, *match.span("s"))


def _each(
    data: bytes, lowered: bytes, mark: bytes, pattern: re.Pattern[bytes], rule: str, back: int = 0
) -> Iterator[Value]:
    done = -1
    for at in _places(lowered, mark):
        if at < done or not (match := pattern.match(data, max(0, at - back))):
            continue
        done = match.end("s") - 1
        if _holds(data, match, rule):
            yield Value(rule, *match.span("s"))


def _holds(data: bytes, match: re.Match[bytes], rule: str) -> bool:
    """Whether the value is a secret, as is judged in such a place."""
    value = match["s"]
    if judge.placeholder(value):
        return False
    if rule == HEADER:
        return judge.looks_random(value, True) or _account(value)
    if rule == ACCOUNT and match.re is _NETRC:
        return (
            judge.chosen(value, False)
            and _ACCOUNT.search(data[max(0, match.start() - 250) : match.start()]) is not None
        )
    if rule == COOKIE:
        return judge.looks_random(value, True)
    if rule == CONNECTION:
        return not judge.plain_password(value, match["user"])
    if rule == COMMAND:
        line = data[max(0, match.start() - 300) : match.start()].rpartition(b"\n")[2]
        programs = _CURL if "user" in match.re.groupindex else _PROGRAMS
        return programs.search(line) is not None and judge.chosen(value, False)
    return rule in (STORAGE, HASH, WEBHOOK) or judge.chosen(value)


def _account(value: bytes) -> bool:
    """Whether the value of a header is the base64 of `user:password`."""
    try:
        user, colon, password = base64.b64decode(value, validate=True).partition(b":")
    except ValueError:
        return False
    readable = (user + password).isascii() and (user + password).decode("ascii").isprintable()
    return bool(colon) and readable and len(password) >= 4 and not judge.plain_password(password, user)
