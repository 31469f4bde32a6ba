"""Unified diffs, also with wrong numbers or counts, and with git's extended headers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from optimizer.edits.edit import Create, Delete, Edit, LineEdit, Move, Replace
from optimizer.edits.formats.found import Excerpt, Found

HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_WHEN = re.compile(r"\t|\s+\d{4}-\d\d-\d\d[ T]\d\d:\d\d")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b'"': b'"', b"\\": b"\\"}
_EXTENDED = (
    "index ", "new file mode ", "deleted file mode ", "old mode ", "new mode ", "similarity index ",
    "dissimilarity index ", "rename from ", "rename to ", "copy from ", "copy to ", "Binary files ", "GIT binary patch",
)  # fmt: skip
_REFUSED = {
    "copy ": "a copy",
    "old mode ": "a change of mode",
    "new mode ": "a change of mode",
    "Binary files ": "a binary file",
    "GIT binary patch": "a binary file",
    "new file mode 120": "a symbolic link",
    "new file mode 160": "a submodule",
    "deleted file mode 120": "a symbolic link",
    "deleted file mode 160": "a submodule",
}


@dataclass(frozen=True, slots=True)
class _Hunk:
    """`counted`: the numbers of lines agree with the header; `end` is the first line after it."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    line: int | None
    end: int
    counted: bool
    anchors: tuple[str, ...] = ()


def starts_diff(excerpt: Excerpt, at: int) -> bool:
    """Whether the headers of a diff begin on line `at`."""
    line = excerpt.lines[at]
    if line.startswith("diff --git "):
        return True
    return line.startswith("--- ") and at + 1 < excerpt.stop and excerpt.lines[at + 1].startswith("+++ ")


def read_diff(excerpt: Excerpt, at: int, path: str = "") -> Found:
    """Read all file sections from line `at` on; `path` names the file of hunks that come without headers."""
    edits: list[Edit] = []
    problems: list[str] = []
    here = at
    while here < excerpt.stop:
        if starts_diff(excerpt, here) or (path and excerpt.lines[here].startswith("@@")):
            section = _section(excerpt, here, path)
            edits.extend(section.edits)
            problems.extend(section.problems)
            here = section.end
        elif excerpt.closed and not edits and not problems:
            if excerpt.lines[here].startswith(("@@", "--- ", "+++ ")):
                problems.append(f"the hunks from line {here + 1} of the reply on name no file")
            here += 1
        else:
            break
    if excerpt.closed and not problems:
        left = next((n for n in range(here, excerpt.stop) if not _may_follow(excerpt.lines[n])), None)
        if left is not None:
            problems.append(f"line {left + 1} of the reply does not belong to the diff before it")
    return Found(here, tuple(edits), tuple(problems))


def _may_follow(line: str) -> bool:
    return not line.strip() or line.startswith("-- ") or line[:1].isdigit()


def _section(excerpt: Excerpt, at: int, path: str) -> Found:
    here, old, new, refused, created, deleted = _headers(excerpt, at)
    renamed = any(line.startswith("rename to ") for line in excerpt.lines[at:here])
    if refused:
        return _skip(excerpt, here, f"the diff of {new or old} is {refused}, which is not supported")
    old, new = _unprefixed(old, new)
    target = new if new != "/dev/null" else old
    target = target or path
    created = created or old == "/dev/null"
    deleted = deleted or new == "/dev/null"
    if not target or target == "/dev/null":
        return _skip(excerpt, here, f"the diff on line {at + 1} of the reply names no file")
    moves = (Move(old, new),) if old and new and "/dev/null" not in (old, new) and old != new else ()
    hunks: list[_Hunk] = []
    while here < excerpt.stop and excerpt.lines[here].startswith("@@"):
        hunk = _hunk(excerpt, here)
        if problem := _cut(excerpt, hunk, here):
            return Found(hunk.end, problems=(problem,))
        hunks.append(hunk)
        here = hunk.end
    whole = renamed and here < excerpt.stop and not excerpt.lines[here].strip()
    if not hunks and not excerpt.closed and not whole and not (here < excerpt.stop and starts_diff(excerpt, here)):
        return Found(here, problems=(f"the diff on line {at + 1} of the reply seems to be cut off",))
    if deleted:
        return Found(here, (Delete(target),))
    if created:
        return Found(here, (Create(target, "".join(line for hunk in hunks for line in hunk.new)),))
    if moves and not hunks:
        return Found(here, moves)
    found = _edits(old if moves else target, hunks, here, at)
    return Found(found.end, () if found.problems else (*moves, *found.edits), found.problems)


def _edits(path: str, hunks: list[_Hunk], end: int, at: int) -> Found:
    edits: list[Edit] = []
    for hunk in hunks:
        if hunk.old == hunk.new:
            return Found(end, problems=(f"a hunk of {path} changes nothing",))
        if hunk.old:
            edits.append(Replace(path, "".join(hunk.old), "".join(hunk.new), hunk.line, hunk.anchors))
        elif hunk.line is not None:
            edits.append(LineEdit(path, hunk.line + 1, hunk.line, "".join(hunk.new)))
        else:
            return Found(end, problems=(f"a hunk of {path} only adds lines and gives no place",))
    if not edits:
        return Found(end, problems=(f"the diff of {path} on line {at + 1} of the reply has no hunks",))
    return Found(end, tuple(edits))


def _skip(excerpt: Excerpt, here: int, problem: str) -> Found:
    while here < excerpt.stop and not starts_diff(excerpt, here):
        here += 1
    return Found(here, problems=(problem,))


def _headers(excerpt: Excerpt, at: int) -> tuple[int, str, str, str, bool, bool]:
    """Line after the headers, old path, new path, what is refused, whether it creates, whether it deletes."""
    here, old, new, refused = at, "", "", ""
    created = deleted = False
    if excerpt.lines[here].startswith("diff --git "):
        old, new = _git_line(excerpt.lines[here][len("diff --git ") :])
        here += 1
        while here < excerpt.stop and excerpt.lines[here].startswith(_EXTENDED):
            line = excerpt.lines[here]
            refused = refused or next((why for begin, why in _REFUSED.items() if line.startswith(begin)), "")
            created = created or line.startswith("new file mode ")
            deleted = deleted or line.startswith("deleted file mode ")
            here += 1
    if (
        here + 1 < excerpt.stop
        and excerpt.lines[here].startswith("--- ")
        and excerpt.lines[here + 1].startswith("+++ ")
    ):
        old, new = _path(excerpt.lines[here][4:]), _path(excerpt.lines[here + 1][4:])
        here += 2
    return here, old, new, refused, created, deleted


def _git_line(rest: str) -> tuple[str, str]:
    if rest.startswith('"'):
        old, _, new = rest[1:].partition('" ')
        return _path(f'"{old}"'), _path(new)
    half = len(rest) // 2
    if rest[half : half + 1] == " " and rest[2:half] == rest[half + 3 :]:
        return rest[:half], rest[half + 1 :]
    old, _, new = rest.partition(" b/")
    return old, f"b/{new}" if new else old


def _path(text: str) -> str:
    if not text.startswith('"'):
        return _WHEN.split(text, maxsplit=1)[0].rstrip()
    data = text.rpartition('"')[0][1:].encode("utf-8", "surrogatepass")
    return _ESCAPE.sub(lambda found: _unescaped(found[1]), data).decode("utf-8", "replace")


def _unescaped(code: bytes) -> bytes:
    return bytes([int(code, 8) & 255]) if len(code) == 3 else _LETTERS.get(code, b"\\" + code)


def _unprefixed(old: str, new: str) -> tuple[str, str]:
    nothing = "/dev/null"
    if (old == nothing or old.startswith("a/")) and (new == nothing or new.startswith("b/")):
        return old.removeprefix("a/"), new.removeprefix("b/")
    if old.startswith("a/") and old[2:] == new:
        return new, new
    if new.startswith("b/") and new[2:] == old:
        return old, old
    return old, new


def _hunk(excerpt: Excerpt, at: int) -> _Hunk:
    header = HUNK.match(excerpt.lines[at])
    anchors = headings(excerpt.lines[at][header.end() if header else 2 :])
    line = int(header[1]) if header else None
    counted = _counted(excerpt, at + 1, int(header[2] or 1), int(header[4] or 1)) if header else None
    if counted is not None:
        old, new = _sides(counted)
        return _Hunk(old, new, line, at + 1 + len(counted), counted=True, anchors=anchors)
    body = []
    for here in range(at + 1, excerpt.stop):
        text = excerpt.lines[here]
        if text[:1] not in ("", " ", "+", "-", "\\") or text == "-- " or starts_diff(excerpt, here):
            break
        body.append(text)
    end = at + 1 + len(body)
    while body and not body[-1]:
        body.pop()
    old, new = _sides(body)
    return _Hunk(old, new, line, end, counted=False, anchors=anchors)


def headings(text: str) -> tuple[str, ...]:
    """The heading in what follows the marks or numbers of a hunk; none for dots, as in `@@ ... @@`."""
    heading = text.strip().removesuffix("@@").strip()
    return (heading,) if any(character.isalnum() for character in heading) else ()


def _counted(excerpt: Excerpt, at: int, old: int, new: int) -> list[str] | None:
    """The body that the counts in the header announce; None when the lines are not as announced."""
    here = at
    while here < excerpt.stop and (old > 0 or new > 0):
        mark = excerpt.lines[here][:1]
        if mark not in ("", " ", "+", "-", "\\"):
            return None
        old -= mark in ("", " ", "-")
        new -= mark in ("", " ", "+")
        here += 1
    if here < excerpt.stop and excerpt.lines[here].startswith("\\"):
        here += 1
    if old or new:
        return None
    after = here
    while after < excerpt.stop and not excerpt.lines[after]:
        after += 1
    if after < excerpt.stop and not starts_diff(excerpt, after):
        follows = excerpt.lines[after]
        if follows[0] in " +-" and follows != "-- ":
            return None
    return list(excerpt.lines[at:here])


def _sides(body: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines of a hunk before and after."""
    old: list[str] = []
    new: list[str] = []
    touched: tuple[list[str], ...] = ()
    for text in body:
        if text.startswith("\\"):
            for side in touched:
                side[-1] = side[-1].removesuffix("\n")
            continue
        touched = (old,) if text[:1] == "-" else (new,) if text[:1] == "+" else (old, new)
        for side in touched:
            side.append(text[1:] + "\n")
    return tuple(old), tuple(new)


def _cut(excerpt: Excerpt, hunk: _Hunk, at: int) -> str:
    """Why a hunk outside a fence cannot be known to be whole; '' when it can."""
    if excerpt.closed:
        return ""
    cut = f"the diff hunk on line {at + 1} of the reply seems to be cut off"
    if hunk.counted:
        return cut if hunk.end == len(excerpt.lines) else ""
    if hunk.end >= excerpt.stop:
        return cut
    follows = excerpt.lines[hunk.end]
    ended = not excerpt.lines[hunk.end - 1].strip() or follows.startswith("@@") or starts_diff(excerpt, hunk.end)
    return "" if ended else cut
