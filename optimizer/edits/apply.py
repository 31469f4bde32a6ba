"""Turn edits and the files they name into a patch in memory: all of them or none."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from optimizer.edits import marks
from optimizer.edits import text as texts
from optimizer.edits.asked import asked
from optimizer.edits.edit import Create, Delete, Edit, LineEdit, Move, Replace, Whole
from optimizer.edits.guards import check_change
from optimizer.edits.paths import check_path
from optimizer.encodings import UTF_8
from optimizer.errors import Conflict, EditRefused, SafetyRefused
from optimizer.types import FileChange, Patch

MAX_COMPARED = 4_000_000
"""Product of line counts up to which two texts are compared line by line."""
MAX_ALIKE = 300_000
"""Pairs of equal lines up to which they are."""
MAX_LATER = 50
"""Edits of one file that may stand on text which other edits of the reply put there."""


@dataclass(frozen=True, slots=True)
class _Splice:
    """New text for the offsets `start`..`end` of a file's text."""

    start: int
    end: int
    text: str


def apply_edits(
    edits: tuple[Edit, ...],
    read: Callable[[str], bytes | None],
    request: str = "",
    shown: tuple[str, ...] = (),
) -> Patch:
    """Work out what the files named by `edits` become; `read` gives a file's bytes, None when there is no such file.

    All edits of a file are placed in the file as it was read, so that line numbers and order do not matter; a search
    text that is only there once the others are done is placed after them, in order. Bytes outside the edits stay; new
    lines take the ending of their neighbours. An edit without a path belongs to the one of the files `shown` that its
    search text is in. A change to nothing, edits that overlap, left-out code and the loss of more than half of a file
    raise EditRefused; several possible places, or creating what exists, Conflict; paths and files that are never
    touched, and a deletion or a move that `request` does not ask for, SafetyRefused.
    """
    if not edits:
        raise EditRefused("the reply holds no edits")
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        path = edit.path or _owner(edit, read, shown)
        by_path.setdefault(check_path(path), []).append(edit)
    changes = [one for path, of_path in by_path.items() for one in _changes(path, of_path, read, request)]
    _check_together([change.path for change in changes])
    if not any(isinstance(edit, Move) for edit in edits):
        _check_kept(changes, request)
    return Patch(tuple(changes))


def _owner(edit: Edit, read: Callable[[str], bytes | None], shown: tuple[str, ...]) -> str:
    """The one file among those shown that an edit without a path fits into, line by line."""
    places = []
    for path in dict.fromkeys(shown if isinstance(edit, Replace) and edit.search.strip() else ()):
        text = texts.plain((read(path) or b"").decode("utf-8", "replace"))
        count = f"\n{text}\n".count("\n" + edit.search) if isinstance(edit, Replace) else 0
        places += [path] * min(count, 2)
    if len(places) == 1:
        return places[0]
    if places:
        raise Conflict(f"an edit names no file, and fits {', '.join(dict.fromkeys(places))}", "name the file above it")
    raise EditRefused("an edit names no file", "put the path of its file on the line above it")


def _check_together(paths: list[str]) -> None:
    folded: dict[str, str] = {}
    for path in paths:
        key = unicodedata.normalize("NFC", path).casefold()
        if folded.get(key, path) == path and key in folded:
            raise Conflict(f"{path} would be changed twice by one reply", "give one change of it")
        if key in folded:
            raise SafetyRefused(f"{folded[key]} and {path} differ only in case: on some systems they are one file")
        folded[key] = path
    for key, path in folded.items():
        for place, character in enumerate(key):
            if character == "/" and key[:place] in folded:
                raise SafetyRefused(f"{folded[key[:place]]} cannot be a file and the directory of {path}")


def _check_kept(changes: list[FileChange], request: str) -> None:
    """Refuse to delete a file that was only to move, unless most of its lines are in what the others become."""
    for change in changes:
        if change.after is None and asked(request, change.path) == "move":
            there = {line.strip() for other in changes for line in (other.after or b"").split(b"\n")}
            lines = [line.strip() for line in (change.before or b"").split(b"\n") if len(line.strip()) > 3]
            if sum(line in there for line in lines) * 2 < len(lines):
                raise SafetyRefused(
                    f"{change.path} was to be moved, but most of its lines are nowhere else",
                    "give the file it moves to",
                )


def _changes(path: str, edits: list[Edit], read: Callable[[str], bytes | None], request: str) -> Iterator[FileChange]:
    """What becomes of one file; a move is the end of one and the beginning of another."""
    before = read(path)
    moves = [edit for edit in edits if isinstance(edit, Move)]
    rest = [edit for edit in edits if not isinstance(edit, Move)]
    if any(not isinstance(edit, Replace | LineEdit) for edit in rest) and len(edits) > 1:
        raise EditRefused(f"{path}: a whole text or a deletion cannot go with other edits of the same file")
    if moves:
        target = check_path(moves[0].to)
        _check_move(path, target, moves, before, read(target))
        _check_asked(path, request, "moved")
        after = _edited(path, rest, before, request) if rest and before is not None else before
        yield FileChange(path, before, None)
        yield FileChange(target, None, after)
    elif isinstance(edits[0], Delete):
        if before is None:
            raise EditRefused(f"{path}: there is no such file to delete")
        _check_asked(path, request, "deleted")
        yield FileChange(path, before, None)
    elif before is None or isinstance(edits[0], Create):
        yield FileChange(path, None, _created(path, edits, before))
    else:
        yield FileChange(path, before, _edited(path, edits, before, request))


def _check_move(path: str, target: str, moves: list[Move], before: bytes | None, there: bytes | None) -> None:
    if before is None:
        raise EditRefused(f"{path}: there is no such file to move")
    if len(moves) > 1 or target == path:
        raise EditRefused(f"{path}: it is moved to itself, or to several places", "give one new path")
    if there is not None:
        raise Conflict(f"{target} exists already: {path} is not moved over it", "give another path")


def _check_asked(path: str, request: str, what: str) -> None:
    if not asked(request, path):
        raise SafetyRefused(f"{path}: files are {what} only on request", "name the file in the request, or leave it")


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
    return texts.encode(path, content, texts.Decoded("", UTF_8))


def _check_text(path: str, text: str) -> None:
    if "\0" in text:
        raise SafetyRefused(f"{path}: the new text holds a NUL character")


def _edited(path: str, edits: Sequence[Edit], before: bytes, request: str) -> bytes | None:
    """The bytes after the edits, in the encoding in which they fit; None for a file that was to go, and is empty."""
    quoted = "".join(edit.search for edit in edits if isinstance(edit, Replace))
    written = "".join(edit.replace if isinstance(edit, Replace) else getattr(edit, "content", "") for edit in edits)
    refused: EditRefused | None = None
    for decoded in texts.decode(path, before, quoted, written):
        try:
            text = _placed_all(path, edits, decoded, request)
            return None if text is None else texts.encode(path, text, decoded)
        except EditRefused as error:
            refused = refused or error
    raise refused or EditRefused(f"{path} has no text")


def _placed_all(path: str, edits: Sequence[Edit], decoded: texts.Decoded, request: str) -> str | None:
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
    if not text.strip() and asked(request, path) == "delete":
        return None
    _check_text(path, "".join(added))
    lines = [line for part in added for line in texts.plain(part).split("\n")]
    check_change(path, texts.plain(decoded.text), texts.plain(text), lines)
    return text


def _is_nowhere(path: str, edit: Replace, text: str) -> bool:
    try:
        return texts.find(text, edit.search, _hint(edit)) is None
    except Conflict as error:
        raise Conflict(f"{path}: {error.message}", error.hint) from error


def _check_bytes(path: str, text: str, splices: list[_Splice], decoded: texts.Decoded) -> None:
    """Allow only ASCII in a file of unknown encoding, and never after half of a character."""
    if not decoded.ascii_only:
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


def _hint(edit: Replace) -> texts.Hint:
    return texts.Hint(edit.line, edit.anchors, edit.at_end)


def _replace(edit: Replace, text: str) -> list[_Splice]:
    if not edit.search and not text.strip():
        return list(_splices(text, (len(text), len(text)), [], texts.split_lines(edit.replace, "\n")))
    search, replace, hint = edit.search, edit.replace, _hint(edit)
    if texts.find(text, search, hint) is None and (other := marks.as_in_file(text, search, replace, hint)):
        search, replace = other
    found = texts.locate(text, search, hint)
    if not replace and found.exact and not search.endswith("\n") and _fills_lines(text, found):
        search += "\n"
        found = texts.locate(text, search, hint)
    if not found.exact:
        search = search.removesuffix("\n") + "\n"
    at_end = found.end == len(text)
    if replace and search.endswith("\n") and not replace.endswith("\n") and not (found.exact and at_end):
        replace += "\n"
    old, new = texts.split_lines(search, "\n"), texts.split_lines(replace, "\n")
    if not found.exact:
        old = [line.rstrip() + "\n" for line in found.carried.lines(old)]
        new = found.carried.lines(new)
        new = [line.rstrip() + "\n" if line.rstrip() + "\n" in old else line for line in new]
    return list(_splices(text, (found.start, found.end), old, new))


def _fills_lines(text: str, found: texts.Match) -> bool:
    return text[found.start - 1 : found.start] in ("", "\n", "\r") and text[found.end : found.end + 1] in ("\n", "\r")


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
