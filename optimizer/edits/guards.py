"""Changes that apply, but cannot be meant: omitted code, most of a file lost, copied line numbers."""

from __future__ import annotations

import re
from collections import Counter

from optimizer.errors import EditRefused

MIN_LOST_LINES = 20
_COMMENT = re.compile(r"(?://+|#+|/\*+|<!--+|--+|;+|%+|\*+|\{/\*+|\"\"\"|''')[ \t]*")
_DOTS = re.compile(r"\.{3,}|…")
_LEFT_OUT = re.compile(
    r"\b(?:rest|existing|remaining|remainder|unchanged|remains|same|omitted|previous|other|original|as before|keep)\b"
)
_PHRASE = re.compile(
    r"(?:the )?(?:rest of (?:the |your )?(?:\w+ )?(?:code|file|function|method|class|module|implementation)"
    r"(?: (?:remains|stays|is)? ?(?:the same|unchanged|as before|here|goes here))?"
    r"|(?:existing|unchanged|previous|original|remaining) (?:code|methods|functions|imports|implementation|content)"
    r"(?: (?:here|goes here|remains|unchanged|remains unchanged|stays the same))?"
    r"|(?:code|everything else|the rest) (?:remains |stays |is )?(?:the same|unchanged|omitted)"
    r"|(?:same|unchanged) as (?:before|above))"
)
_PYTHON = frozenset({"py", "pyi"})
_ENDINGS = "c cc cpp cs cxx dart go h hpp java js jsx kt kts lua m mjs php pl rb rs scala sh swift ts tsx zig"
_OF_BRACES = frozenset(_ENDINGS.split())
_NUMBERED = re.compile(r"[ \t]*(\d{1,7})[ \t]?[|│:→][ \t]?")


def check_change(path: str, before: str, after: str, added: list[str]) -> None:
    """Refuse (EditRefused) a change of plain text `before` to `after` whose `added` lines are not what they seem."""
    elided = [line.strip() for line in added if is_elision(line)]
    there = {line.strip() for line in before.split("\n")} if elided else set()
    new = next((line for line in elided if line not in there), "") or _dots(path, before, after)
    if new:
        raise EditRefused(f"{path}: the new text leaves code out: {new[:80]!r}", "write out every line of it")
    if _numbered(added) and not _numbered(before.split("\n")[:50]):
        raise EditRefused(f"{path}: the new text carries line numbers", "leave the line numbers out")
    had, has = _count(before), _count(after)
    if had - has > MIN_LOST_LINES and has * 2 < had:
        raise EditRefused(
            f"{path}: the change would cut the file from {had} to {has} lines",
            "give only the parts that change, or delete in smaller steps",
        )


def is_elision(line: str) -> bool:
    """Whether a line replaces omitted code, such as `# ... rest unchanged` or `// existing code`."""
    text = line.strip()[:200].lower()
    comment = _COMMENT.match(text)
    if comment:
        text = text[comment.end() :]
    text = text.removesuffix("*/").removesuffix("-->").removesuffix("*/}").strip()
    dots = _DOTS.match(text)
    if dots or (comment and _DOTS.search(text)):
        rest = _DOTS.sub("", text).strip(" ()[].:")
        if comment and not rest:
            return text in ("...", "…")
        return _LEFT_OUT.search(rest) is not None and len(rest.split()) <= 10
    return comment is not None and _PHRASE.fullmatch(text.rstrip(" .:)")) is not None


def _dots(path: str, before: str, after: str) -> str:
    """A line of nothing but dots that is new in code and stands where no statement can; '' for none."""
    ending = path.rpartition(".")[2].lower()
    if ending not in _PYTHON | _OF_BRACES:
        return ""
    lines = after.split("\n")
    new = Counter(map(str.strip, lines)) - Counter(line.strip() for line in before.split("\n"))
    if not (new["..."] or new["…"]):
        return ""
    for number, line in enumerate(lines):
        if line.strip() in ("...", "…") and not (ending in _PYTHON and _is_whole_body(lines, number)):
            return line.strip()
    return ""


def _is_whole_body(lines: list[str], number: int) -> bool:
    """Whether the dots on that line are all that a block of Python holds, but for its documentation."""
    above = next((line.rstrip() for line in reversed(lines[:number]) if line.strip()), "")
    below = next((line for line in lines[number + 1 :] if line.strip()), "")
    opens = above.endswith((":", '"""', "'''")) or "#" in above
    return lines[number].strip() == "..." and opens and _depth(below) < _depth(lines[number])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _numbered(lines: list[str]) -> bool:
    filled = [line for line in lines if line.strip()]
    numbers = [int(found[1]) for line in filled if (found := _NUMBERED.match(line))]
    return (
        len(filled) > 2 and len(numbers) == len(filled) and numbers == list(range(numbers[0], numbers[0] + len(filled)))
    )


def _count(text: str) -> int:
    return text.count("\n") + (text[-1:] not in ("\n", ""))
