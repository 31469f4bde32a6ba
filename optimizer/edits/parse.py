"""Read the edits and calls in a model's reply, in any known format: pure, total, and linear in its length."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from optimizer.edits.edit import Edit, Reply, Whole
from optimizer.edits.formats import blocks, calls, diff, naming, objects, patch, tags
from optimizer.edits.formats.found import Excerpt, Format, Found
from optimizer.types import ToolCall

MAX_CHARACTERS = 1_000_000  # four times the largest answers of today
MAX_JSON_TRIES = 4
_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})([^\n]*)")
_THINKING = re.compile(r"[ \t]*<(think|thinking|thought|reasoning|scratchpad)>")
_ORPHAN = re.compile(r"@@(?: |$)|\*\*\* (?:End Patch|(?:Update|Add|Delete) File: )")
_BEGINNINGS = frozenset("<`~-+>@*{[ecd")
_FORMATS = (
    Format(patch.starts_patch, patch.read_patch),
    Format(diff.starts_diff, diff.read_diff),
    Format(calls.starts_call_at, calls.read_call_or_prose),
    Format(tags.starts_tagged, tags.read_tagged),
)
_MARKDOWN = (".md", ".mdx", ".markdown", ".qmd", ".rmd")


@dataclass(slots=True)
class _Reading:
    """What was read so far; `path` is the file that a following block without a path of its own belongs to.

    `shown` are calls that may be examples: they count where no words follow the `said` lines of prose before them.
    """

    lines: tuple[str, ...]
    edits: list[Edit] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    path: str = ""
    markdown: str = ""
    json_tries: int = 0
    looks: list[ToolCall] = field(default_factory=list)
    shown: list[ToolCall] = field(default_factory=list)
    said: int = 0
    broken: bool = False

    def take(self, found: Found) -> None:
        self.edits.extend(found.edits)
        self.problems.extend(found.problems)
        if found.sure:
            self.looks.extend(found.looks)
            self.broken = self.broken or bool(found.problems)
        elif found.looks:
            self.shown.extend(found.looks)
            self.said = len(self.prose)

    def all_looks(self) -> tuple[ToolCall, ...]:
        """The calls that are meant, each once; none where one cannot be read."""
        ends = not any(line.strip() for line in self.prose[self.said :])
        found = [*self.looks, *(self.shown if ends else ())]
        return tuple(look for number, look in enumerate(found) if look not in found[:number] and not self.broken)


@dataclass(frozen=True, slots=True)
class _Fence:
    indent: str
    mark: str
    info: str

    def closes(self, line: str) -> bool:
        if not line.startswith(self.indent + self.mark):
            return False
        return not line[len(self.indent) :].rstrip(" \t").strip(self.mark[0])

    def nests(self, line: str) -> bool:
        return line.startswith(self.indent + self.mark) and not self.closes(line) and "`" not in line.lstrip(" `~")


def parse_reply(text: str, tool_calls: tuple[ToolCall, ...] = ()) -> Reply:
    """Read all edits of a reply, from its text and its native tool calls, and the other calls in its text.

    Returns edits in order, identical ones once; `prose` is the text around them without thinking.
    Never raises. When anything that looks like an edit is cut, ambiguous or malformed, it is named in `problems` and
    `edits` is empty: a reply counts whole or not at all.
    """
    if len(text) > MAX_CHARACTERS:
        return Reply((), (f"the reply is longer than {MAX_CHARACTERS:,} characters",), "")
    reading = _read(text.replace("\r\n", "\n"))
    for call in tool_calls:
        reading.take(calls.from_tool_call(call))
    problems = tuple(dict.fromkeys(reading.problems))
    edits = () if problems else tuple(dict.fromkeys(reading.edits))
    return Reply(edits, problems, "\n".join(reading.prose).strip(), reading.all_looks(), reading.broken)


def _read(text: str) -> _Reading:
    if "</think>" in text and "<think>" not in text:
        head, _, tail = text.partition("</think>")
        if (not head or head.endswith("\n")) and not _read_lines(head).problems:
            return _read_lines(tail)
    return _read_lines(text)


def _read_lines(text: str) -> _Reading:
    lines = tuple(text.split("\n"))
    reading = _Reading(lines)
    excerpt = Excerpt(lines, len(lines) - (lines[-1] == ""), closed=False)
    here = 0
    while here < len(lines):
        if lines[here].lstrip(" \t")[:1] in _BEGINNINGS:
            here = _read_line(reading, excerpt, here)
            continue
        if lines[here].strip():
            reading.path = ""
        reading.prose.append(lines[here])
        here += 1
    return reading


def _read_line(reading: _Reading, excerpt: Excerpt, here: int) -> int:
    """Read what begins on line `here`; returns the next line to read."""
    line = reading.lines[here]
    if thinking := _THINKING.match(line):
        return _skip_thinking(reading, here, thinking[1])
    if fence := _fence(line):
        return _read_fence(reading, here, fence)
    if blocks.starts_block(line):
        return _read_blocks(reading, excerpt, here, reading.path or _pop_path(reading))
    reading.path = ""
    found = _read_piece(reading, excerpt, here)
    reading.take(found)
    if found.end > here:
        return found.end
    reading.prose.append(line)
    return here + 1


def _read_piece(reading: _Reading, excerpt: Excerpt, here: int) -> Found:
    """Read the piece of an edit format that begins on line `here`; one without an end is prose."""
    line = reading.lines[here]
    for form in _FORMATS:
        if here < excerpt.stop and form.starts(excerpt, here):
            return form.read(excerpt, here)
    if blocks.ends_block(line) or _ORPHAN.match(line):
        return Found(here, problems=(f"line {here + 1} of the reply belongs to an edit whose beginning is missing",))
    if line[:1] in ("{", "[") and reading.json_tries < MAX_JSON_TRIES:
        reading.json_tries += 1
        return objects.read_bare_json(excerpt, here)
    return Found(here)


def _fence(line: str) -> _Fence | None:
    if line.lstrip(" ")[:3] not in ("```", "~~~"):
        return None
    found = _FENCE.fullmatch(line)
    if not found or (found[2][0] == "`" and "`" in found[3]):
        return None
    return _Fence(found[1], found[2], found[3].strip())


def _skip_thinking(reading: _Reading, here: int, tag: str) -> int:
    for number in range(here, len(reading.lines)):
        if f"</{tag}>" in reading.lines[number]:
            rest = reading.lines[number].partition(f"</{tag}>")[2].strip()
            reading.prose.extend([rest] if rest else [])
            return number + 1
    reading.problems.append("the reply ends within its thinking")
    return len(reading.lines)


def _pop_path(reading: _Reading) -> str:
    """Remove the last line of prose where it is a path, and return that; '' where it is not."""
    if reading.prose and (path := naming.named_by(reading.prose[-1])):
        reading.prose.pop()
        return path
    return ""


def _read_blocks(reading: _Reading, excerpt: Excerpt, here: int, path: str) -> int:
    found = blocks.read_block(excerpt, here, path)
    reading.take(found)
    reading.path = path
    return found.end


def _read_fence(reading: _Reading, here: int, fence: _Fence) -> int:
    above = reading.prose[-1] if reading.prose else ""
    if not above.strip() and len(reading.prose) > 1:
        above = reading.prose[-2]
    named = naming.named_by_info(fence.info)
    loose = named or naming.named_by(above)
    first = _first_lines(reading.lines, here + 1)
    if any(blocks.starts_block(line) for line in first):
        return _fenced_blocks(reading, here, fence, loose)
    path = named or naming.file_named_by(above)
    nested = bool(path) and not _is_edit_list(fence, first)
    end = _fence_end(reading.lines, here, fence, nested=nested, in_calls=calls.starts_call(first[0]))
    if end < 0:
        reading.broken = reading.broken or objects.is_call("\n".join(reading.lines[here + 1 :]))
        reading.problems.append(f"the fence on line {here + 1} of the reply is never closed: it seems to be cut off")
        reading.prose.extend(reading.lines[here:])
        return len(reading.lines)
    excerpt = Excerpt(reading.lines, end, closed=True)
    found = _read_fenced(excerpt, here, fence, path, first[0])
    if found.empty:
        if any(_is_block_mark(reading.lines[n]) for n in range(here + 1, end)):
            return _fenced_blocks(reading, here, fence, loose)
        if reading.markdown:
            reading.problems.append(f"fences inside {reading.markdown}: use a longer fence around it")
        reading.prose.extend(reading.lines[here : end + 1])
        return end + 1
    reading.take(found)
    if path and not named and found.edits:
        _forget(reading, above)
    if any(isinstance(edit, Whole) and edit.path.endswith(_MARKDOWN) for edit in found.edits):
        reading.markdown = path
    return end + 1


def _is_block_mark(line: str) -> bool:
    return blocks.starts_block(line) or blocks.ends_block(line)


def _forget(reading: _Reading, above: str) -> None:
    while reading.prose and reading.prose[-1] != above:
        reading.prose.pop()
    if reading.prose:
        reading.prose.pop()


def _first_lines(lines: tuple[str, ...], here: int) -> tuple[str, str]:
    """The first line of a fence's body that is neither blank nor a comment, and, if that is a path, the one after."""
    while here < len(lines) and (not lines[here].strip() or lines[here].startswith(("# ", "// "))):
        here += 1
    if here >= len(lines):
        return "", ""
    follows = lines[here + 1] if here + 1 < len(lines) and naming.named_by(lines[here]) else ""
    return lines[here], follows


def _is_edit_list(fence: _Fence, first: tuple[str, str]) -> bool:
    return fence.info.lower() in ("diff", "patch", "udiff") or first[0].startswith(("diff --git ", patch.BEGIN))


def _fence_end(lines: tuple[str, ...], here: int, fence: _Fence, *, nested: bool, in_calls: bool) -> int:
    """The line that closes a fence, -1 when none does; fences within a named file nest, those within calls are text."""
    depth = 0
    number = here + 1
    while number < len(lines):
        line = lines[number]
        if in_calls and calls.starts_call(line):
            number = max(calls.read_call(Excerpt(lines, len(lines), closed=False), number).end, number + 1)
            continue
        if fence.closes(line):
            if not depth:
                return number
            depth -= 1
        elif nested and fence.nests(line):
            depth += 1
        number += 1
    return -1


def _read_fenced(excerpt: Excerpt, here: int, fence: _Fence, path: str, first: str) -> Found:
    body = excerpt.lines[here + 1 : excerpt.stop]
    begins = [n for n in range(here + 1, min(here + 4, excerpt.stop)) if patch.starts_patch(excerpt, n)]
    if begins and (first.strip() == patch.BEGIN or "apply_patch" in excerpt.lines[begins[0] - 1]):
        return patch.read_patch(excerpt, begins[0])
    is_diff = any(diff.starts_diff(excerpt, n) for n in range(here + 1, min(here + 40, excerpt.stop)))
    if fence.info.lower().split(" ")[0] in ("diff", "patch", "udiff") or (is_diff and not path):
        return diff.read_diff(excerpt, here + 1, path)
    if calls.starts_call(first) and not path:
        return calls.read_calls(excerpt, here + 1)
    if path:
        if any(_is_block_mark(line) for line in body):
            return Found(excerpt.stop, problems=(f"{path} is given whole, but holds marks of edit blocks",))
        return Found(excerpt.stop, (Whole(path, "".join(line + "\n" for line in body)),))
    if first.lstrip()[:1] in ("{", "["):
        return objects.read_json("\n".join(body), here + 2)
    return Found(excerpt.stop)


def _fenced_blocks(reading: _Reading, here: int, fence: _Fence, path: str) -> int:
    """Read the blocks of a fence up to the line that closes it; a path above a block holds for those after it."""
    excerpt = Excerpt(reading.lines, len(reading.lines), closed=False)
    if path and reading.prose and naming.named_by(reading.prose[-1]) == path:
        reading.prose.pop()
    number = here + 1
    while number < len(reading.lines):
        line = reading.lines[number]
        if fence.closes(line):
            return number + 1
        if blocks.starts_block(line):
            above = naming.named_by(reading.lines[number - 1]) if number - 1 > here else ""
            path = above if above and not (path and naming.is_sentence(above)) else path
            found = blocks.read_block(excerpt, number, path)
            reading.take(found)
            number = found.end
        else:
            if blocks.ends_block(line):
                reading.problems.append(f"line {number + 1} of the reply ends an edit block that never began")
            number += 1
    reading.problems.append(f"the fence on line {here + 1} of the reply is never closed: it seems to be cut off")
    return len(reading.lines)
