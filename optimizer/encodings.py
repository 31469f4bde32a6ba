"""The encoding of a file's bytes: UTF-8, UTF-16 and 32 by their marks, else the one that is declared or plausible."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

HEAD = 1024  # bytes in which an encoding is declared
SAMPLE = 200_000  # bytes that are weighed
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Patterns are compiled when a file is not UTF-8: most runs meet none.
_DECLARED = rb"(?i)(?:coding[:=][ \t]*|encoding=[\"']|charset=[\"']?|@charset \")([-\w.]{3,30})"
_RUN = rb"[\x80-\xff]+"
_EAST_ASIAN = ("cp932", "euc_jp", "euc_kr", "gb18030", "big5")
_CYRILLIC = ("cp1251", "koi8_r")
_EAST = r"[\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]"
_KANA = r"[\u3041-\u30ff]"
_HANGUL = r"[\uac00-\ud7a3]"
_LOWER_CYRILLIC = r"[\u0430-\u044f\u0451]"
_LATIN = r"[\u00a0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]"
_LATIN_OR_MARK = r"[\u00a0-\u024f\u2013-\u2026\u20ac\u2122]"
SHARE = 0.8


class Encoding(NamedTuple):
    """A codec with the byte order mark before the text; `sure`: new letters may be written in it."""

    name: str
    mark: bytes = b""
    sure: bool = True


UTF_8 = Encoding("utf-8")


def marked(data: bytes) -> Encoding:
    """The encoding that a byte order mark shows; UTF-8 without one."""
    if data.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8", codecs.BOM_UTF8)
    return next((Encoding(name, mark) for mark, name in _WIDE if data.startswith(mark)), UTF_8)


def candidates(data: bytes) -> tuple[Encoding, ...]:
    """The encodings that `data`, which is no UTF-8, may be in, the most plausible first; each gives its bytes back."""
    if (declared := _declared(data)) is not None:
        return (declared,)
    sample = data if len(data) <= SAMPLE else data[: data.find(b"\n", SAMPLE) + 1] or data
    west = "cp1252" if _keeps(data, "cp1252") else "latin-1"
    eastern = [name for name in _EAST_ASIAN if _keeps(data, name) and _is_eastern(sample, name)]
    cyrillic = [name for name in _CYRILLIC if _keeps(data, name) and _is_cyrillic(sample, name)]
    if _is_western(sample, west, _LATIN if eastern else _LATIN_OR_MARK):
        return (Encoding(west), *(Encoding(name, sure=False) for name in eastern))
    eastern = _ordered(sample, eastern)
    found = [*eastern, *cyrillic]
    first = [Encoding(name, sure=len(found) == 1 or _is_clear(sample, name)) for name in found[:1]]
    return (*first, *(Encoding(name, sure=False) for name in (*found[1:], west)))


def text_of(data: bytes) -> str:
    """The text of `data`, as it is shown; what no encoding explains is replaced."""
    encoding = marked(data)
    try:
        return data[len(encoding.mark) :].decode(encoding.name)
    except UnicodeDecodeError:
        if b"\0" in data:
            return data.decode("utf-8", "replace")
        return data.decode(candidates(data)[0].name)


def _declared(data: bytes) -> Encoding | None:
    found = re.search(_DECLARED, data[:HEAD])
    if found is None:
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except (LookupError, UnicodeDecodeError):
        return None
    if name in ("utf-8", "ascii"):
        return None
    name = "cp1252" if name == "iso8859-1" and _keeps(data, "cp1252") else name
    return Encoding(name) if _keeps(data, name) else None


def _keeps(data: bytes, name: str) -> bool:
    """Whether the bytes are text in that encoding, and the text gives the same bytes."""
    try:
        return data.decode(name).encode(name) == data
    except (UnicodeError, LookupError):
        return False


def _is_western(sample: bytes, name: str, letters: str) -> bool:
    """Whether single letters with accents, or single marks, stand between ASCII letters."""
    runs = re.findall(_RUN, sample)
    text = b"".join(runs).decode(name)
    return len(text) < 1.7 * len(runs) and len(re.findall(letters, text)) >= SHARE * len(text)


def _is_eastern(sample: bytes, name: str) -> bool:
    wide = _wide(sample, name)
    return len(re.findall(_EAST, wide)) >= 0.95 * len(wide)


def _wide(sample: bytes, name: str) -> str:
    return "".join(character for character in sample.decode(name, "ignore") if character > "\x7f")


def _is_cyrillic(sample: bytes, name: str) -> bool:
    wide = _wide(sample, name)
    return len(re.findall(_LOWER_CYRILLIC, wide)) > len(wide) / 2 and len(wide) > 2 * len(re.findall(_RUN, sample))


def _ordered(sample: bytes, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: not _is_clear(sample, name))


def _is_clear(sample: bytes, name: str) -> bool:
    """Whether the text has the letters that are frequent in the language which the encoding is for."""
    if name == "gb18030":
        pairs = b"".join(re.findall(_RUN, sample))[::2]
        return sum(0xB0 <= lead <= 0xD7 for lead in pairs) >= 0.9 * len(pairs)
    letters, share = {"cp932": (_KANA, 0.2), "euc_jp": (_KANA, 0.2), "euc_kr": (_HANGUL, 0.9)}.get(name, (None, 0))
    wide = _wide(sample, name)
    return letters is not None and len(re.findall(letters, wide)) >= share * len(wide)
