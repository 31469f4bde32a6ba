"""Characters that a person does not see, or that a program reads otherwise than a terminal shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

# Controls but for tab and line feed, and what Unicode lets a program leave undrawn (Default_Ignorable_Code_Point of
# DerivedCoreProperties.txt): soft hyphen, joiners, directions, fillers, selectors, tags. Then what ends a line outside
# of ASCII, marks of annotations, controls of notations, and the empty braille pattern.
_UNSEEN = (
    r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""Spaces that are not the one of ASCII, for a class of a pattern."""
_CONTROLS = {
    "\x00": "NULL",
    "\x08": "BACKSPACE",
    "\x0b": "LINE TABULATION",
    "\x0c": "FORM FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
    "\x9b": "CONTROL SEQUENCE INTRODUCER",
}
_EMOJI_MARKS = "‼⁉〰〽"  # punctuation that selector 16 makes an emoji (emoji-variation-sequences.txt)
# Scripts in which joiners choose a form of a letter (UAX #31, section 2.3), as Unicode's names of letters begin.
_JOINED = frozenset(
    {
        *("ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA"),
        *("TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN", "BALINESE", "JAVANESE"),
    }
)
# Letters of other scripts that look like one of ASCII, and that letter; from confusables.txt of UTS #39. Of Greek,
# which formulas use, only those of the same shape.
_LOOK = (
    "аАЬВсСԁеҽЕԌһНіӏјЈКІӀМоОрРԛгѕЅТѵѴѡԝԜхХуүУҮ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿονϲϳ" + "քցհոռօՕգզՏսՍա" + "ⲥⲤⲎⲔⲒⳐⲘⲚⲟⲞⲣⲢⲦⲬⲨ"
    "ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᎡᏒᏕᏚᎢᏙᎳᏔᎩᏃ" + "ꓮꓐꓚꓓꓰꓝꓖꓧꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ"
)  # fmt: skip
_LIKE = (
    "aAbBcCdeeEGhHiljJKIlMoOpPqrsSTvVwwWxXyyYY" + "ABEZHIKMNOPTYXCJovcj" + "fghnnoOqqSuUw" + "cCHKlLMNoOpPTXY"
    "ABCDEGHiJKLMPRRSSTVWWYZ" + "ABCDEFGHJKLMNOPRSTUVWXYZ"
)  # fmt: skip


def escape(character: str) -> str:
    r"""`\u2028` for the character of that number."""
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def named(character: str) -> str:
    """A character as its escape and its name in Unicode."""
    import unicodedata

    number = ord(character)
    usual = "CONTROL CHARACTER" if number < 0xA0 else "UNASSIGNED"
    return f"{escape(character)} {_CONTROLS.get(character) or unicodedata.name(character, usual)}"


def escaped(text: str) -> str:
    """`text` with all that is not seen shown as escapes; tabs, line ends, emoji and joined scripts stay as they are."""
    parts, last = [], 0
    for at in unseen(text):
        parts += [text[last:at], escape(text[at])]
        last = at + 1
    return "".join([*parts, text[last:]])


def escaped_json(text: str) -> str:
    """The JSON `text`, which means the same, with all that is not seen as escapes."""
    return re.sub(_UNSEEN, lambda found: _utf16(found[0]), text)


def _utf16(character: str) -> str:
    data = character.encode("utf-16-be")
    return "".join(f"\\u{data[n : n + 2].hex()}" for n in range(0, len(data), 2))


def unseen(text: str) -> Iterator[int]:
    """The offset of each character that is not seen, but for those of emoji and in scripts that join letters."""
    for found in re.finditer(_UNSEEN, text):
        at = found.start()
        if text[at] < "\u200c" or not _belongs(text, at):
            yield at


def _belongs(text: str, at: int) -> bool:
    """Whether a joiner or selector is part of an emoji, or a joiner of a word in a script that has them."""
    import unicodedata

    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if not before or (before.isascii() and not (before in "0123456789#*" and after == "\u20e3")):
        return False
    symbol = unicodedata.category(before)[0] == "S" or before in _EMOJI_MARKS
    if text[at] == "\ufe0f":
        return symbol or before.isascii()
    if text[at] == "\ufe0e":
        return symbol
    if text[at] not in "\u200c\u200d":
        return False
    if unicodedata.category(before)[0] in "LM" and unicodedata.name(before, "?").split()[0] in _JOINED:
        return True
    follows = bool(after) and unicodedata.category(after) == "So"
    return text[at] == "\u200d" and follows and (symbol or before == "\ufe0f")


def as_ascii(word: str) -> str:
    """`word` with the letters that look like one of ASCII replaced by that one."""
    return word.translate(_table())


@cache
def _table() -> dict[int, int]:
    return str.maketrans(_LOOK, _LIKE)


def mixes(word: str) -> str:
    """The first letter of an identifier that looks like one of ASCII but belongs to another script; '' for none.

    It counts in a part (between underscores and digits) that has letters of ASCII too, or, in an identifier with
    letters of ASCII, in one that looks like ASCII as a whole.
    """
    if word.isascii() or not re.search("[A-Za-z]", word):
        return ""
    for part in re.split(r"[_\d]+", word):
        plain = as_ascii(part)
        if plain != part and (plain.isascii() or re.search("[A-Za-z]", part)):
            return "".join(letter for letter, like in zip(part, plain, strict=True) if letter != like)[0]
    return ""
