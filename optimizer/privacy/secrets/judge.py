"""Judge whether a value is a secret, or a placeholder, a name or code."""

from __future__ import annotations

import math
import re
from collections import Counter
from urllib.parse import unquote_to_bytes

_PLACEHOLDER = re.compile(
    rb"(?-i:x{4}|X{4})|\*{3}|\.{3}|example|placeholder|change.?me|your|dummy|fake|redacted|sample|insert|replace|todo|none|null"
    rb"|0{8}|1234567|abcdefg|\$\{|\$\(|#\{|\{\{|%\(|%s|<|\[key\]|__secret_\d|\[[a-z0-9]-[a-z0-9]",
    re.IGNORECASE,
)
_PRETEND = re.compile(
    rb"test|mock|foo|bar|baz|password|passwd|secret|token|hunter2|correct.?horse|qwerty", re.IGNORECASE
)
_EVERYDAY = re.compile(
    rb"(?:my|the|a|an|db|dev|some|any|super|very|long|new|old|top|default|initial|strong|random|admin|root|user|guest|"
    rb"pass(?:w(?:or)?d|phrase|code|wort)?|pwd?|secrets?|token|key|value|string|auth|api|access|private|public|client|"
    rb"test(?:ing)?|mock|foo|bar|baz|hello|world|letmein|qwerty|hunter2|abc|xyz|postgres(?:ql)?|mysql|maria(?:db)?|"
    rb"redis|mongo(?:db)?|rabbitmq|elastic|minio|grafana|docker|django|flask|rails|wordpress|keycloak|oracle|sa|"
    rb"true|false|yes|no|on|off|enabled|disabled|required|optional|hidden|file|env|config|data|service|server|"
    rb"[-_.@!#0-9]{1,4})+",
    re.IGNORECASE,
)
_TELLING = 48  # bytes of a token among which a placeholder is looked for
_AS_LETTERS = bytes.maketrans(b"@013$", b"aoies")
_STANDS_FOR = re.compile(rb"test|mock|token|passw|hunter2|qwerty", re.IGNORECASE)
_WORDS = re.compile(
    rb"(?:(?:[A-Za-z]{2,}[0-9]{0,4}|[0-9]{1,4}[a-z]?|[A-Za-z])[._/:-]+)*(?:[A-Za-z]+[0-9]{0,2}|[A-Za-z]{2,}[0-9]{0,3}|[0-9]{1,3}[a-z]?)"
)
_NAMES = re.compile(rb"(?:[A-Z]?[a-z]+|[A-Z]+)(?:[._/:~-]+(?:[A-Z]?[a-z]+|[A-Z]+))*[0-9]{0,2}")
# of RFC 7617, 6749 and 5849, of jwt.io, PyJWT and the URI library of Ruby
_PUBLISHED = re.compile(
    rb"QWxhZGRpbjpvcGVu|czZCaGRSa3F0M|2YotnFZFEjr1zCsicMWpAA|tGzv3JOkF0XG5Qx2TlKWIA|0685bd9184jfhq22|h480djs93hd8"
    rb"|eyJzdWIiOiIxMjM0NTY3ODkw|eyJzb21lIjoicGF5bG9hZCJ9|S3nsit1ve"
)
_CODE = re.compile(rb"[A-Za-z_]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)+|[/~$%{].*|[a-z]+://.*|.*[(){}\[\]].*")
_CAMEL = rb"[A-Za-z]*[0-9]{0,5}(?:[A-Z][a-z]{2,}[0-9]{0,3})+"
_NUMBER = rb"0x[0-9a-fA-F.]{1,16}(?:p[+-]?[0-9]+)?|[0-9][0-9.eE+_-]*[a-zA-Z]?"
_PUBLIC = (b"MFkwEwYHKoZI", b"MIIBIjANBgkq", b"MCowBQYDK2Vw", b"http://", b"https://", b"ssh-rsa", b"AAAAB3NzaC1")
_NAMED_CODE = re.compile(
    rb"[A-Za-z_]+[0-9]{1,3}|" + _CAMEL + rb"|" + _NUMBER + rb"|v?\d+(?:\.\w+)+|[a-z]+[0-9]{1,4}(?:_[a-z0-9]+)+"
)
_FILE = re.compile(
    rb"[./~\\].*|.*[/\\]|[\w./\\-]*\.(?:pem|key|crt|cert|cer|json|txt|ya?ml|toml|ini|env|conf|cfg|py|js|ts|go|rs|rb|php|sh|"
    rb"xml|html?|md|p12|jks|gpg|log|enc|com|org|net|io)",
    re.IGNORECASE,
)


def placeholder(value: bytes) -> bool:
    """Whether a value stands for a secret that is to be filled in."""
    return _PLACEHOLDER.search(value) is not None or _PUBLISHED.search(value) is not None


def token(value: bytes, start: bytes) -> bool:
    """Whether what follows the beginning of a token looks drawn at random: no placeholder and no words."""
    rest = value[len(start) :]
    return (
        len(set(rest)) >= 3
        and not placeholder(value[:_TELLING])
        and not _PUBLISHED.search(value)
        and not re.fullmatch(_CAMEL, rest)
        and _NAMES.fullmatch(rest) is None
    )


def plain_password(value: bytes, user: bytes) -> bool:
    """Whether the password of a connection string is a variable, the user's own name or an everyday stand-in."""
    low = value.lower()
    if b"%" in low and _EVERYDAY.fullmatch(unquote_to_bytes(low).translate(_AS_LETTERS).replace(b" ", b"-")):
        return True
    if value.isalpha() and _EVERYDAY.fullmatch(value):
        return True
    everyday = low in (b"pass", b"pwd", b"pw", b"admin", b"root", b"guest", user.lower()) or len(set(low)) < 3
    return everyday or low[:1] in b"$%{<*:" or _PRETEND.fullmatch(low) is not None or b"," in low


def looks_random(value: bytes, bare: bool) -> bool:
    """Whether a value given to a name looks drawn at random; unquoted ones must look more so: most are code."""
    if value.startswith(_PUBLIC) or re.fullmatch(_CAMEL + b"|" + _NUMBER, value) or (bare and value.endswith(b":")):
        return False
    if _WORDS.fullmatch(value) or _PRETEND.search(value) or (_CODE.fullmatch(value) if bare else value[:1] in b"/~$%{"):
        return False
    kinds = sum(bool(re.search(kind, value)) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9]"))
    bits = entropy(value)
    if not re.search(rb"[0-9]", value) or not re.search(rb"[A-Za-z]", value):
        return False
    if bare:
        return len(value) >= 16 and bits >= 3.5 and kinds >= 2
    return (kinds >= 3 and bits >= 3.0) or (len(value) >= 16 and bits >= 3.2)


def word(value: bytes) -> bool:
    """Whether a value is one word that people choose as a password, and no stand-in for one."""
    return (
        value.isalpha()
        and value.islower()
        and len(value) >= 8
        and not _EVERYDAY.fullmatch(value)
        and not placeholder(value)
    )


def chosen(value: bytes, in_code: bool = True) -> bool:
    """Whether a value that stands where a password belongs is one, however plain: no variable, path, code or stand-in.

    Where programs are written (`in_code`) a name with a number at its end is taken for the name of something.
    """
    if len(value) < 6 or len(set(value)) < 4 or value[:1] in b"$%{<*(&@-[" or value[-1:] in b")}]>:,\\@":
        return False
    if placeholder(value) or _STANDS_FOR.search(value) or _EVERYDAY.fullmatch(value) or _FILE.fullmatch(value):
        return False
    if value.startswith(_PUBLIC) or value.endswith(b"\xe2\x80\x9d"):  # a typographic quote
        return False
    letters, digits = re.search(rb"[A-Za-z]", value), re.search(rb"[0-9]", value)
    if letters and digits:
        return not (in_code and (_CODE.fullmatch(value) or _WORDS.fullmatch(value) or _NAMED_CODE.fullmatch(value)))
    if re.search(rb"[!#%^&+=?$@~*]", value[1:]):
        return len(value) >= 8 and not _CODE.fullmatch(value)
    return len(value) >= 14 and value.isalpha() and (value.islower() or value.isupper())


def drawn(value: bytes) -> bool:
    """Whether a value is long and has no words or signs: a key that is known by nothing else."""
    return (
        len(value) >= 20
        and re.fullmatch(rb"[A-Za-z0-9_+/=-]+", value) is not None
        and len(re.findall(rb"[0-9]", value)) >= 3
        and len(re.findall(rb"[0-9][A-Za-z]|[A-Za-z][0-9]|[a-z][A-Z]", value)) * 5 >= len(value)
        and looks_random(value, bare=True)
    )


def entropy(value: bytes) -> float:
    """Bits per byte."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
