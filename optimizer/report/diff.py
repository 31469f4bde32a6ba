"""A patch as text in git's form: `git apply` of it gives the same bytes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

from optimizer.characters import escaped, named
from optimizer.types import FileChange, Patch

Tag = Literal["replace", "delete", "insert", "equal"]
CONTEXT_LINES = 3
_NO_NEWLINE = "\\ No newline at end of file\n"


def unified(patch: Patch) -> str:
    """Diff of all changes. Bytes that are not UTF-8 are shown as surrogate escapes: encode with `surrogateescape`.

    Modes are not part of a patch: a new file is shown as 100644. Binary files get one line instead of hunks.
    """
    return "".join(line for change in patch.changes for line in _file(change, _GIT))


def shown(patch: Patch) -> str:
    r"""The same for a person: what is not seen is shown as escapes, and what a new line hides with its name too.

    `<\u2028 LINE SEPARATOR>` stands for the character. Any encoding is decoded.
    """
    from optimizer.languages import hidden

    found = hidden.hidden(patch)
    text: list[str] = []
    for change in patch.changes:
        marks: dict[int, list[int]] = {}
        for one in found.get(change.path, ()):
            marks.setdefault(one.line, []).append(one.column)
        text += _file(change, _Form(hidden.shown_text, partial(_seen, marks)))
    return "".join(text)


class _Form(NamedTuple):
    """How a file is read (None: it is binary), and how a line is shown, given its number in the new file, else 0."""

    text: Callable[[bytes], str | None]
    line: Callable[[int, str], str]


_GIT = _Form(lambda data: None if b"\0" in data else data.decode("utf-8", "surrogateescape"), lambda _, line: line)


def _seen(marks: Mapping[int, Sequence[int]], number: int, line: str) -> str:
    """A line with what is not seen as escapes, and with names at the offsets that `marks` has for its number."""
    body = line.removesuffix("\n")
    end = line[len(body) :]
    body = body.removesuffix("\r") if end else body
    parts, last = [], 0
    for at in marks.get(number, ()):
        parts += [escaped(body[last:at]), f"<{named(body[at])}>"]
        last = at + 1
    return "".join([*parts, escaped(body[last:]), end])


def _file(change: FileChange, form: _Form) -> Iterator[str]:
    old, new = _quoted(f"a/{change.path}"), _quoted(f"b/{change.path}")
    yield f"diff --git {old} {new}\n"
    if change.before is None:
        yield "new file mode 100644\n"
    elif change.after is None:
        yield "deleted file mode 100644\n"
    before, after = form.text(change.before or b""), form.text(change.after or b"")
    if before is None or after is None:
        yield f"Binary files {old if change.before is not None else '/dev/null'} and {new} differ\n"
        return
    if (change.before or b"") == (change.after or b""):
        return
    yield f"--- {old}\n" if change.before is not None else "--- /dev/null\n"
    yield f"+++ {new}\n" if change.after is not None else "+++ /dev/null\n"
    yield from _hunks(_lines(before), _lines(after), form.line)


def _quoted(path: str) -> str:
    if path.isascii() and path.isprintable() and '"' not in path and "\\" not in path:
        return path
    data = path.encode("utf-8", "surrogateescape")
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in data) + '"'


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _hunks(old: list[str], new: list[str], shown: Callable[[int, str], str]) -> Iterator[str]:
    for group in _groups(old, new):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from _marked(" ", [shown(0, line) for line in old[i1:i2]])
            else:
                yield from _marked("-", [shown(0, line) for line in old[i1:i2]])
                yield from _marked("+", [shown(number, line) for number, line in enumerate(new[j1:j2], j1 + 1)])


class _Matcher(difflib.SequenceMatcher[str]):
    """Compares what was replaced again: among many lines, difflib takes frequent ones (empty lines) for no match."""

    def __init__(self, old: list[str], new: list[str]) -> None:
        super().__init__(None, old, new)
        self._old, self._new = old, new

    def get_opcodes(self) -> list[tuple[Tag, int, int, int, int]]:
        codes: list[tuple[Tag, int, int, int, int]] = []
        for tag, i1, i2, j1, j2 in super().get_opcodes():
            finer = [(tag, 0, i2 - i1, 0, j2 - j1)]
            if tag == "replace":
                finer = difflib.SequenceMatcher(None, self._old[i1:i2], self._new[j1:j2]).get_opcodes()
            for kind, a1, a2, b1, b2 in finer:
                code = (kind, a1 + i1, a2 + i1, b1 + j1, b2 + j1)
                if codes and codes[-1][0] == kind:
                    _, a1, _, b1, _ = codes.pop()
                    code = (kind, a1, code[2], b1, code[4])
                codes.append(code)
        return codes


def _groups(old: list[str], new: list[str]) -> Iterator[list[tuple[str, int, int, int, int]]]:
    """Groups of opcodes; what both texts have in common at their ends is put aside first, for speed."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    skip = max(0, head - CONTEXT_LINES)
    keep = max(0, tail - CONTEXT_LINES)
    matcher = _Matcher(old[skip : len(old) - keep], new[skip : len(new) - keep])
    for group in matcher.get_grouped_opcodes(CONTEXT_LINES):
        yield [(tag, i1 + skip, i2 + skip, j1 + skip, j2 + skip) for tag, i1, i2, j1, j2 in group]


def _range(start: int, stop: int) -> str:
    count = stop - start
    first = start + 1 if count else start
    return str(first) if count == 1 else f"{first},{count}"


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield mark + line if line.endswith("\n") else f"{mark}{line}\n{_NO_NEWLINE}"
