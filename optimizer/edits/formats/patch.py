"""Patches between `*** Begin Patch` and `*** End Patch`."""

from __future__ import annotations

from optimizer.edits.formats.found import Excerpt, Found
from optimizer.types import Create, Delete, Edit, Replace

BEGIN = "*** Begin Patch"
END = "*** End Patch"
_ADD = "*** Add File: "
_UPDATE = "*** Update File: "
_DELETE = "*** Delete File: "


def starts_patch(excerpt: Excerpt, at: int) -> bool:
    """Whether a patch begins on line `at`."""
    return excerpt.lines[at].strip() == BEGIN


def read_patch(excerpt: Excerpt, at: int) -> Found:
    """Read the patch that begins on line `at`; without its end line, or with a line out of place, it is a problem.

    The text after `@@` is not used: a hunk must be unique in its file by its own lines.
    """
    end = next((n for n in range(at + 1, excerpt.stop) if excerpt.lines[n].strip() == END), None)
    if end is None:
        return Found(excerpt.stop, problems=(f"the patch on line {at + 1} of the reply has no `{END}`",))
    edits: list[Edit] = []
    here = at + 1
    while here < end:
        line = excerpt.lines[here]
        stop = next((n for n in range(here + 1, end) if _begins_section(excerpt.lines[n])), end)
        body = excerpt.lines[here + 1 : stop]
        if line.startswith(_ADD):
            if any(text[:1] != "+" for text in body if text):
                return Found(end + 1, problems=(f"line {here + 1} of the reply: an added file has lines without `+`",))
            edits.append(Create(line[len(_ADD) :].strip(), "".join(text[1:] + "\n" for text in _trimmed(body))))
        elif line.startswith(_DELETE):
            edits.append(Delete(line[len(_DELETE) :].strip()))
        elif line.startswith(_UPDATE):
            updates, problem = _updates(line[len(_UPDATE) :].strip(), body)
            if problem:
                return Found(end + 1, problems=(problem,))
            edits.extend(updates)
        elif line.strip():
            return Found(end + 1, problems=(f"line {here + 1} of the reply is no part of a patch",))
        here = stop
    if not edits:
        return Found(end + 1, problems=(f"the patch on line {at + 1} of the reply is empty",))
    return Found(end + 1, tuple(edits))


def _begins_section(line: str) -> bool:
    return line.startswith((_ADD, _UPDATE, _DELETE))


def _trimmed(body: tuple[str, ...]) -> tuple[str, ...]:
    while body and not body[-1]:
        body = body[:-1]
    return body


def _updates(path: str, body: tuple[str, ...]) -> tuple[list[Edit], str]:
    edits: list[Edit] = []
    old: list[str] = []
    new: list[str] = []
    for line in (*_trimmed(body), "@@"):
        if line.startswith("*** Move to:"):
            return [], f"the patch renames {path}, which is not supported"
        if line.startswith("@@"):
            if old != new:
                if not old:
                    return [], f"a hunk of {path} only adds lines and gives no place"
                edits.append(Replace(path, "".join(old), "".join(new)))
            old, new = [], []
        elif line[:1] in ("", " "):
            old.append(line[1:] + "\n")
            new.append(line[1:] + "\n")
        elif line[0] == "-":
            old.append(line[1:] + "\n")
        elif line[0] == "+":
            new.append(line[1:] + "\n")
        elif line.strip() != "*** End of File":
            return [], f"a line of the patch of {path} starts with none of ` `, `+`, `-`"
    return (edits, "") if edits else ([], f"the patch of {path} changes nothing")
