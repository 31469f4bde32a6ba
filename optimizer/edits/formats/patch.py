"""Patches between `*** Begin Patch` and `*** End Patch`."""

from __future__ import annotations

from dataclasses import dataclass, field

from optimizer.edits.edit import Create, Delete, Edit, Move, Replace
from optimizer.edits.formats import diff
from optimizer.edits.formats.found import Excerpt, Found

BEGIN = "*** Begin Patch"
END = "*** End Patch"
_ADD = "*** Add File: "
_UPDATE = "*** Update File: "
_DELETE = "*** Delete File: "
_MOVE = "*** Move to: "
_END_OF_FILE = "*** End of File"


def starts_patch(excerpt: Excerpt, at: int) -> bool:
    """Whether a patch begins on line `at`."""
    return excerpt.lines[at].strip() == BEGIN


def read_patch(excerpt: Excerpt, at: int) -> Found:
    """Read the patch that begins on line `at`; without its end line, or with a line out of place, it is a problem.

    A hunk must be unique in its file by its own lines, or within the block that the text after `@@` begins.
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
    """The edits of one file, or what is wrong with its hunks."""
    edits: list[Edit] = []
    hunk = _Hunk()
    for line in (*_trimmed(body), "@@"):
        if line.startswith(_MOVE):
            edits.append(Move(path, line[len(_MOVE) :].strip()))
        elif line.startswith("@@"):
            if hunk.old != hunk.new:
                if not hunk.old:
                    return [], f"a hunk of {path} only adds lines and gives no place"
                edits.append(hunk.edit(path))
            hunk = _Hunk(hunk.anchors if not hunk.old else ()).under(line)
        elif line.strip() == _END_OF_FILE:
            hunk.at_end = True
        elif line[:1] in ("", " ", "-", "+"):
            hunk.take(line)
        else:
            return [], f"a line of the patch of {path} starts with none of ` `, `+`, `-`"
    return (edits, "") if edits else ([], f"the patch of {path} changes nothing")


@dataclass(slots=True)
class _Hunk:
    """The lines of one change; `anchors` are the headings that lead to it."""

    anchors: tuple[str, ...] = ()
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    line: int | None = None
    at_end: bool = False

    def under(self, marker: str) -> _Hunk:
        """The hunk below a line that begins with `@@`: a heading, or the numbers of a unified diff."""
        if numbers := diff.HUNK.match(marker):
            return _Hunk(diff.headings(marker[numbers.end() :]), line=int(numbers[1]))
        return _Hunk((*self.anchors, *diff.headings(marker[2:])))

    def take(self, line: str) -> None:
        if line[:1] != "+":
            self.old.append(line[1:] + "\n")
        if line[:1] != "-":
            self.new.append(line[1:] + "\n")

    def edit(self, path: str) -> Replace:
        return Replace(path, "".join(self.old), "".join(self.new), self.line, self.anchors, self.at_end)
