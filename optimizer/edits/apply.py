"""Turn edits and the files they name into a patch in memory: all of them or none.

Changes that apply, but cannot be meant, are refused: omitted code, most of a file lost, copied line numbers.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from optimizer.edits import text as texts
from optimizer.edits.paths import check_path
from optimizer.errors import Conflict, EditRefused, SafetyRefused
from optimizer.types import Create, Delete, Edit, FileChange, LineEdit, Patch, Replace, Whole

MAX_COMPARED = 4_000_000
"""Product of line counts up to which two texts are compared line by line."""
MAX_ALIKE = 300_000
"""Pairs of equal lines up to which they are."""
MAX_LATER = 50
"""Edits of one file that may stand on text which other edits of the reply put there."""
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
_NUMBERED = re.compile(r"[ \t]*(\d{1,7})[ \t]?[|│:→][ \t]?")


@dataclass(frozen=True, slots=True)
class _Splice:
    """New text for the offsets `start`..`end` of a file's text."""

    start: int
    end: int
    text: str


def apply_edits(edits: tuple[Edit, ...], read: Callable[[str], bytes | None], *, allow_delete: bool = False) -> Patch:
    """Work out what the files named by `edits` become; `read` gives a file's bytes, None when there is no such file.

    All edits of a file are placed in the file as it was read, so that line numbers and order do not matter; a search
    text that is only there once the others are done is placed after them, in order. Bytes outside the edits stay; new
    lines take the ending of their neighbours. A change to nothing, edits that overlap, left-out code and the loss of
    more than half of a file raise EditRefused; several possible places, or creating what exists, Conflict; paths and
    files that are never touched, and Delete without `allow_delete`, SafetyRefused.
    """
    if not edits:
        raise EditRefused("the reply holds no edits")
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        by_path.setdefault(check_path(edit.path), []).append(edit)
    _check_together(list(by_path))
    return Patch(tuple(_change(path, of_path, read(path), allow_delete) for path, of_path in by_path.items()))


def _check_together(paths: list[str]) -> None:
    folded: dict[str, str] = {}
    for path in paths:
        key = unicodedata.normalize("NFC", path).casefold()
        if key in folded:
            raise SafetyRefused(f"{folded[key]} and {path} differ only in case: on some systems they are one file")
        folded[key] = path
    for key, path in folded.items():
        for place, character in enumerate(key):
            if character == "/" and key[:place] in folded:
                raise SafetyRefused(f"{folded[key[:place]]} cannot be a file and the directory of {path}")


def _change(path: str, edits: list[Edit], before: bytes | None, allow_delete: bool) -> FileChange:
    for edit in edits:
        if len(edits) > 1 and not isinstance(edit, Replace | LineEdit):
            raise EditRefused(f"{path}: a whole text or a deletion cannot go with other edits of the same file")
    edit = edits[0]
    if isinstance(edit, Delete):
        if not allow_delete:
            raise SafetyRefused(f"{path}: files are deleted only on request", "delete it yourself, or request it")
        if before is None:
            raise EditRefused(f"{path}: there is no such file to delete")
        return FileChange(path, before, None)
    if before is None or (isinstance(edit, Create) and before is not None):
        return FileChange(path, None, _created(path, edits, before))
    return FileChange(path, before, _edited(path, edits, before))


def _created(path: str, edits: list[Edit], before: bytes | None) -> bytes:
    edit = edits[0]
    if before is not None:
        raise Conflict(f"{path} exists already: it is not created over", "edit it instead")
    if isinstance(edit, Replace) and len(edits) == 1 and not edit.search:
        content = edit.replace
    elif isinstance(edit, Create | Whole):
        content = edit.content
    else:
        raise EditRefused(f"{path}: there is no such file", "check the path, or create the file")
    _check_text(path, content)
    check_change(path, "", content, content.split("\n"))
    return texts.encode(path, content, texts.Decoded("", utf8=True, bom=False))


def _check_text(path: str, text: str) -> None:
    if "\0" in text:
        raise SafetyRefused(f"{path}: the new text holds a NUL character")


def _edited(path: str, edits: list[Edit], before: bytes) -> bytes:
    decoded = texts.decode(path, before)
    text = decoded.text
    splices: list[_Splice] = []
    later: list[Replace] = []
    for edit in edits:
        if isinstance(edit, Replace) and len(edits) > 1 and edit.search and _is_nowhere(path, edit, text):
            later.append(edit)
        else:
            splices.extend(_placed(path, edit, text))
    added = [splice.text for splice in splices]
    if later and not splices:
        _placed(path, later[0], text)
    if len(later) > MAX_LATER:
        _placed(path, later[0], _spliced(path, text, splices))
        raise EditRefused(f"{path}: more than {MAX_LATER} edits build on others", "join them into one")
    _check_bytes(path, text, splices, decoded)
    text = _spliced(path, text, splices)
    for edit in later:
        more = _placed(path, edit, text)
        _check_bytes(path, text, more, decoded)
        added.extend(splice.text for splice in more)
        text = _spliced(path, text, more)
    if text == decoded.text:
        raise EditRefused(f"{path}: the edits change nothing")
    _check_text(path, "".join(added))
    lines = [line for part in added for line in texts.plain(part).split("\n")]
    check_change(path, texts.plain(decoded.text), texts.plain(text), lines)
    return texts.encode(path, text, decoded)


def _is_nowhere(path: str, edit: Replace, text: str) -> bool:
    try:
        return texts.find(text, edit.search, edit.line) is None
    except Conflict as error:
        raise Conflict(f"{path}: {error.message}", error.hint) from error


def _check_bytes(path: str, text: str, splices: list[_Splice], decoded: texts.Decoded) -> None:
    """Allow only ASCII in a file of unknown encoding, and never after half of a character."""
    if decoded.utf8:
        return
    for splice in splices:
        inside_character = splice.start > 0 and ord(text[splice.start - 1]) > 127
        if not splice.text.isascii() or inside_character:
            raise EditRefused(
                f"{path} is not UTF-8: only plain ASCII can be put into it", "convert the file to UTF-8 first"
            )


def _spliced(path: str, text: str, splices: list[_Splice]) -> str:
    pieces: list[str] = []
    done = 0
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        if splice.start < done:
            line = texts.plain(text[: splice.start]).count("\n") + 1
            raise EditRefused(f"{path}: two edits overlap on line {line}", "join them into one")
        pieces += [text[done : splice.start], splice.text]
        done = splice.end
    return "".join([*pieces, text[done:]])


def _placed(path: str, edit: Edit, text: str) -> list[_Splice]:
    try:
        if isinstance(edit, Replace):
            splices = _replace(edit, text)
        elif isinstance(edit, LineEdit):
            splices = _lines(edit, text)
        else:
            content = edit.content if isinstance(edit, Whole | Create) else ""
            splices = list(_splices(text, (0, len(text)), None, texts.split_lines(content, "\n")))
    except EditRefused as error:
        raise EditRefused(f"{path}: {error.message}", error.hint) from error
    except Conflict as error:
        raise Conflict(f"{path}: {error.message}", error.hint) from error
    if not splices:
        raise EditRefused(f"{path}: an edit changes nothing", "leave it out")
    return splices


def _replace(edit: Replace, text: str) -> list[_Splice]:
    if not edit.search and not text.strip():
        return list(_splices(text, (len(text), len(text)), [], texts.split_lines(edit.replace, "\n")))
    found = texts.locate(text, edit.search, edit.line)
    search, replace = edit.search, edit.replace
    if not found.exact:
        search = search.removesuffix("\n") + "\n"
    at_end = found.end == len(text)
    if replace and search.endswith("\n") and not replace.endswith("\n") and not (found.exact and at_end):
        replace += "\n"
    new = texts.split_lines(replace, "\n")
    if not found.exact:
        new = [_shifted(line, found) for line in new]
        old = [_shifted(line, found).rstrip() + "\n" for line in texts.split_lines(search, "\n")]
        new = [line.rstrip() + "\n" if line.rstrip() + "\n" in old else line for line in new]
        return list(_splices(text, (found.start, found.end), old, new))
    return list(_splices(text, (found.start, found.end), texts.split_lines(search, "\n"), new))


def _shifted(line: str, found: texts.Match) -> str:
    if not line.strip():
        return line
    if found.removed:
        if not line.startswith(found.removed):
            raise EditRefused("the new text is indented less than the file allows", "indent it as the file is")
        return line[len(found.removed) :]
    return found.added + line


def _lines(edit: LineEdit, text: str) -> list[_Splice]:
    starts = texts.line_starts(text)
    count = len(starts) - 1
    if edit.start < 1 or edit.end < edit.start - 1 or edit.end > count or edit.start > count + 1:
        raise EditRefused(f"there are no lines {edit.start} to {edit.end}: the file has {count} lines")
    content = edit.content
    if content and not content.endswith("\n"):
        content += "\n"
    return list(_splices(text, (starts[edit.start - 1], starts[edit.end]), None, texts.split_lines(content, "\n")))


def _splices(text: str, region: tuple[int, int], old: list[str] | None, new: list[str]) -> Iterator[_Splice]:
    """The smallest splices that take the lines `old` at `region` of `text` to `new`, which end with `\\n`.

    `old` is what the edit expects there (None: what is there); lines it has in common with `new` stay as they
    are in the file. A line that the edit ends, but that the file ends without a newline, stays without.
    """
    start, end = region
    terminator = texts.terminator(text)
    raw = texts.split_lines(text[start:end], terminator)
    open_end = end == len(text) and text != "" and not text.endswith(terminator)
    if old is None:
        old = [line.removesuffix(texts.ending(line, terminator)) + "\n" for line in raw]
        if text and new and not new[-1].endswith("\n"):
            new = [*new[:-1], new[-1] + "\n"]
    keeps_open = open_end and (not old or old[-1].endswith("\n"))
    offsets = [start]
    for line in raw:
        offsets.append(offsets[-1] + len(line))
    for i1, i2, j1, j2 in _differences(old, new):
        mark = _mark(text, raw, offsets, i1, i2)
        piece = "".join(line[:-1] + mark if line.endswith("\n") else line for line in new[j1:j2])
        if keeps_open and offsets[i2] == len(text) and piece:
            piece = piece.removesuffix(mark)
            if i1 == i2:
                piece = mark + piece
        yield _Splice(offsets[i1], offsets[i2], piece)


def _mark(text: str, raw: list[str], offsets: list[int], i1: int, i2: int) -> str:
    """The line ending for lines put in place of raw[i1:i2]: of the line replaced, the one before, or the one after."""
    end = texts.terminator(text)
    for line in (*raw[i1 : min(i1 + 1, i2)], text[max(0, offsets[i1] - 2) : offsets[i1]]):
        if mark := texts.ending(line, end):
            return mark
    if end == "\r":
        return end
    found = text.find("\n", offsets[i1])
    return "\r\n" if found > 0 and text[found - 1] == "\r" else "\n"


def _differences(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    in_old = Counter(middle_old)
    alike = sum(in_old[line] * count for line, count in Counter(middle_new).items())
    if len(middle_old) * len(middle_new) > MAX_COMPARED or alike > MAX_ALIKE:
        raise EditRefused("the change is too large to be made in one piece", "give only the parts that change")
    if not middle_old or not middle_new:
        if middle_old or middle_new:
            yield head, head + len(middle_old), head, head + len(middle_new)
        return
    matcher = difflib.SequenceMatcher(None, middle_old, middle_new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            yield head + i1, head + i2, head + j1, head + j2


def check_change(path: str, before: str, after: str, added: list[str]) -> None:
    """Refuse (EditRefused) a change of plain text `before` to `after` whose `added` lines are not what they seem."""
    elided = [line.strip() for line in added if is_elision(line)]
    there = {line.strip() for line in before.split("\n")} if elided else set()
    if new := next((line for line in elided if line not in there), ""):
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
        return _LEFT_OUT.search(rest) is not None and len(rest.split()) <= 10
    return comment is not None and _PHRASE.fullmatch(text.rstrip(" .:)")) is not None


def _numbered(lines: list[str]) -> bool:
    filled = [line for line in lines if line.strip()]
    numbers = [int(found[1]) for line in filled if (found := _NUMBERED.match(line))]
    return (
        len(filled) > 2 and len(numbers) == len(filled) and numbers == list(range(numbers[0], numbers[0] + len(filled)))
    )


def _count(text: str) -> int:
    return text.count("\n") + (text[-1:] not in ("\n", ""))
