"""Replies as models write them, in every format, built from known changes; and the ways in which they come broken."""

from __future__ import annotations

import difflib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from optimizer.edits.apply import apply_edits
from optimizer.edits.edit import Edit, Whole
from optimizer.edits.parse import parse_reply
from optimizer.errors import OptimizerError
from optimizer.types import ToolCall

Goal = Mapping[str, tuple[str, str]]
"""Text of each file before and after; '' before: it is new. All lines end with a newline."""
AROUND = 3
MOST_PREFIXES = 6000


@dataclass(frozen=True, slots=True)
class Written:
    """A reply: its text and native calls."""

    text: str
    calls: tuple[ToolCall, ...] = ()


# ── changes ──────────────────────────────────────────────────────────────────────────────────────


def made_goals(count: int, seed: int = 7) -> Iterator[Goal]:
    """Small changes of files whose lines repeat a lot, so that places are easily mistaken."""
    rng = random.Random(seed)
    pool = [f"    value_{n} = {n}" for n in range(12)] + ["", "    return x", "def f():", "    pass", "}"]
    while count:
        files = {}
        for number in range(rng.choice([1, 1, 2])):
            old = [rng.choice(pool) for _ in range(rng.randint(3, 40))]
            new = list(old)
            for _ in range(rng.randint(1, 3)):
                at = rng.randrange(len(new) or 1)
                new[at : at + rng.randint(0, 2)] = [f"    new_{rng.randint(0, 9999)} = {n}" for n in range(2)]
            files[f"src/f{number}.txt"] = (_text(old), _text(new))
        if all(old != new for old, new in files.values()):
            count -= 1
            yield files


def _text(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)


def _lines(text: str) -> list[str]:
    return text.split("\n")[:-1]


# ── formats ──────────────────────────────────────────────────────────────────────────────────────


def _hunks(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]]:
    """Line ranges (old start, end, new start, end) of the changes, with so much around each that its text is unique."""
    places: list[tuple[int, int, int, int]] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(AROUND):
        i1, i2, j1, j2 = group[0][1], group[-1][2], group[0][3], group[-1][4]
        while _count(old, old[i1:i2]) > 1 and (i1 or i2 < len(old)):
            if i1:
                i1, j1 = i1 - 1, j1 - 1
            if i2 < len(old):
                i2, j2 = i2 + 1, j2 + 1
        if places and i1 < places[-1][1]:
            i1, _, j1, _ = places.pop()
        places.append((i1, i2, j1, j2))
    return places


def _count(lines: list[str], part: list[str]) -> int:
    return f"\n{_text(lines)}".count(f"\n{_text(part)}")


def as_git_diff(goal: Goal) -> str:
    return _diff(goal, git=True)


def _diff(goal: Goal, git: bool = False) -> str:
    parts: list[str] = []
    for path, (old, new) in goal.items():
        front = [f"diff --git a/{path} b/{path}"] if git else []
        if git:
            front += ["index 0a1b2c3..1c2b3a4 100644"] if old else ["new file mode 100644", "index 0000000..1c2b3a4"]
        name = f"a/{path}" if old else "/dev/null"
        parts += front + list(difflib.unified_diff(_lines(old), _lines(new), name, f"b/{path}", lineterm=""))
    return _text(parts)


def diffs(goal: Goal) -> Written:
    return Written(_diff(goal) + "Done.\n")


def fenced_diffs(goal: Goal) -> Written:
    return Written(f"Here it is:\n\n````diff\n{as_git_diff(goal)}````\n")


def unnumbered_diffs(goal: Goal) -> Written:
    """As small models write them: without line numbers, each hunk unique by its own lines."""
    parts = []
    for path, (old, new) in goal.items():
        before, after = _lines(old), _lines(new)
        parts += [f"--- a/{path}" if old else "--- /dev/null", f"+++ b/{path}"]
        for place in _hunks(before, after):
            parts += ["@@ ... @@", *_body(before, after, place)]
    return Written(f"````diff\n{_text(parts)}````\n")


def _body(old: list[str], new: list[str], place: tuple[int, int, int, int]) -> list[str]:
    i1, i2, j1, j2 = place
    return [mark + line for mark, line in _marked(old[i1:i2], new[j1:j2])]


def _marked(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from ((" ", line) for line in old[i1:i2])
        else:
            yield from (("-", line) for line in old[i1:i2])
            yield from (("+", line) for line in new[j1:j2])


def patches(goal: Goal) -> Written:
    parts = ["*** Begin Patch"]
    for path, (old, new) in goal.items():
        before, after = _lines(old), _lines(new)
        if not old:
            parts += [f"*** Add File: {path}", *(f"+{line}" for line in after)]
            continue
        parts.append(f"*** Update File: {path}")
        for place in _hunks(before, after):
            parts += ["@@", *_body(before, after, place)]
    return Written(_text([*parts, "*** End Patch"]))


def _blocks(goal: Goal, fence: str, inside: bool) -> Written:
    parts = []
    for path, (old, new) in goal.items():
        before, after = _lines(old), _lines(new)
        for i1, i2, j1, j2 in _hunks(before, after) if old else [(0, 0, 0, len(after))]:
            block = ["<<<<<<< SEARCH", *before[i1:i2], "=======", *after[j1:j2], ">>>>>>> REPLACE"]
            front = [fence, path] if fence and inside else [path, fence] if fence else [path]
            parts += [*front, *block, *([fence[:4]] if fence else []), ""]
    return Written(_text(parts))


def blocks(goal: Goal) -> Written:
    return _blocks(goal, "", inside=False)


def fenced_blocks(goal: Goal) -> Written:
    return _blocks(goal, "````", inside=False)


def blocks_with_path_inside(goal: Goal) -> Written:
    return _blocks(goal, "~~~~", inside=True)


def whole_files(goal: Goal) -> Written:
    return Written("\n".join(f"`{path}`\n`````\n{new}`````\n" for path, (_, new) in goal.items()))


def _calls(goal: Goal) -> list[ToolCall]:
    calls = []
    for path, (old, new) in goal.items():
        before, after = _lines(old), _lines(new)
        if not old:
            calls.append(ToolCall("create_file", {"path": path, "content": new}))
            continue
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if tag != "equal":
                lines = {"start": i1 + 1, "end": i2, "content": _text(after[j1:j2])}
                calls.append(ToolCall("edit_file", {"path": path, **lines}))
    return calls


def native_calls(goal: Goal) -> Written:
    return Written("I change it.", tuple(_calls(goal)))


def written_calls(goal: Goal) -> Written:
    rows = [f"{call.name}({', '.join(map(repr, call.arguments.values()))})" for call in _calls(goal)]
    return Written("````python\n" + "\n".join(rows) + "\n````\n")


def tagged_calls(goal: Goal) -> Written:
    rows = [json.dumps({"name": call.name, "arguments": call.arguments}) for call in _calls(goal)]
    return Written("".join(f"<tool_call>\n{row}\n</tool_call>\n" for row in rows))


def json_lists(goal: Goal) -> Written:
    rows = []
    for path, (old, new) in goal.items():
        before, after = _lines(old), _lines(new)
        if not old:
            rows.append({"path": path, "content": new})
            continue
        for i1, i2, j1, j2 in _hunks(before, after):
            texts = {"search": _text(before[i1:i2]), "replace": _text(after[j1:j2])}
            rows.append({"path": path, **texts})
    return Written(f"```json\n{json.dumps(rows, indent=1)}\n```\n")


def mixed(goal: Goal) -> Written:
    """Another format for each file, as replies that change their mind have it."""
    forms = [fenced_blocks, fenced_diffs, json_lists]
    texts = [forms[n % len(forms)]({path: change}).text for n, (path, change) in enumerate(goal.items())]
    return Written("\nThen:\n\n".join(texts))


FORMS: tuple[Callable[[Goal], Written], ...] = (
    diffs, fenced_diffs, unnumbered_diffs, patches, blocks, fenced_blocks, blocks_with_path_inside, whole_files,
    native_calls, written_calls, tagged_calls, json_lists, mixed,
)  # fmt: skip
NUMBERED = (native_calls, written_calls, tagged_calls, whole_files)
"""Forms that do not quote what they replace: made for another version of the file, they cannot be told from right."""


# ── how replies come broken ──────────────────────────────────────────────────────────────────────

# `content` are the lines of the files: one of them that looks like a mark says what the file is to be.
MARKS = (
    "src/",
    "`src/",
    "<<<<",
    "====",
    ">>>>",
    "***",
    "--- ",
    "+++ ",
    "@@",
    "```",
    "~~~",
    "diff --git",
    "<tool",
    "</t",
)


def cut(text: str, rng: random.Random, content: frozenset[str]) -> str:
    return text[: rng.randrange(len(text) or 1)]


def drop_mark(text: str, rng: random.Random, content: frozenset[str]) -> str:
    """A line that the format lives by is lost.

    Not tried: the header of an added file behind another file of a patch without counts. What is left reads as lines
    added to that other file, and no reader can know better.
    """
    lines = text.split("\n")
    chosen = [n for n in _marks(lines, content) if not lines[n].startswith("*** Add File: ") or "Begin" in lines[n - 1]]
    if chosen:
        del lines[rng.choice(chosen)]
    return "\n".join(lines)


def double_mark(text: str, rng: random.Random, content: frozenset[str]) -> str:
    lines = text.split("\n")
    chosen = _marks(lines, content)
    if chosen:
        at = rng.choice(chosen)
        lines.insert(at, lines[at])
    return "\n".join(lines)


def _marks(lines: list[str], content: frozenset[str]) -> list[int]:
    return [number for number, line in enumerate(lines) if line.startswith(MARKS) and line not in content]


def renumber(text: str, rng: random.Random, content: frozenset[str]) -> str:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("@@ -"):
            lines[number] = f"@@ -{rng.randint(1, 60)},{rng.randint(0, 9)} +{rng.randint(1, 60)},{rng.randint(0, 9)} @@"
    return "\n".join(lines)


def chatter(text: str, rng: random.Random, content: frozenset[str]) -> str:
    return f"Sure, in `src/f0.txt` I use <<<<<<< SEARCH like so:\n\n{text}\n\nThat is all. It returns {{x}}.\n"


def think(text: str, rng: random.Random, content: frozenset[str]) -> str:
    return f"<think>\nFirst I try\n{text[: rng.randrange(len(text) or 1)]}\n</think>\n\n{text}"


def fence(text: str, rng: random.Random, content: frozenset[str]) -> str:
    return f"```\n{text}```\n"


def twice(text: str, rng: random.Random, content: frozenset[str]) -> str:
    return text + "\n" + text


def carriage_returns(text: str, rng: random.Random, content: frozenset[str]) -> str:
    return text.replace("\n", "\r\n")


def trailing_blanks(text: str, rng: random.Random, content: frozenset[str]) -> str:
    """Blanks after lines that are only quoted; what is new is left alone."""
    lines = []
    inside = "SEARCH" not in text
    for line in text.split("\n"):
        inside = inside if "SEARCH" not in text else (inside or "SEARCH" in line) and line != "======="
        lines.append(line + "  " if line[:1] == " " and inside and "new_" not in line and rng.random() < 0.3 else line)
    return "\n".join(lines)


MUTATORS: tuple[Callable[[str, random.Random, frozenset[str]], str], ...] = (
    cut, cut, cut, drop_mark, drop_mark, double_mark, renumber, chatter, think, fence, twice, carriage_returns,
)  # fmt: skip


def stale(goal: Goal, rng: random.Random) -> Goal:
    """The change as made for another version of the files: one line that stays is different there."""
    other = {}
    for path, (old, new) in goal.items():
        same = [
            line for line in _lines(old) if line.strip() and _lines(old).count(line) == _lines(new).count(line) == 1
        ]
        if same:
            line = rng.choice(same)
            old, new = (f"\n{text}".replace(f"\n{line}\n", f"\n{line}, other\n")[1:] for text in (old, new))
        other[path] = (old, new)
    return other


def shifted(goal: Goal, rng: random.Random) -> Goal:
    """The change as made for files that begin with lines which are not there."""
    front = "".join(f"# line {n}\n" for n in range(rng.randint(1, 9)))
    return {path: (front + old if old else old, front + new if old else new) for path, (old, new) in goal.items()}


def misplaced(goal: Goal, rng: random.Random) -> Goal:
    """The change of files that do not exist."""
    return {f"{path}.none": change for path, change in goal.items() if change[0]}


# ── what comes of them ───────────────────────────────────────────────────────────────────────────


def outcome(reply: Written, goal: Goal) -> Mapping[str, bytes | None] | None:
    """What every file becomes, None when the reply is refused."""
    read = parse_reply(reply.text, reply.calls)
    if read.problems or not read.edits:
        return None
    there = {path: old.encode("utf-8", "surrogateescape") for path, (old, _) in goal.items() if old}
    try:
        patch = apply_edits(read.edits, there.get)
    except OptimizerError as error:
        assert error.exit_code in (3, 4, 8), error
        return None
    return {**there, **{change.path: change.after for change in patch.changes}}


def wanted(goal: Goal) -> Mapping[str, bytes]:
    """What `git apply` makes of the change."""
    return {path: new.encode("utf-8", "surrogateescape") for path, (_, new) in goal.items()}


@dataclass(slots=True)
class Tally:
    """Replies tried, and what came of them; `wrong` keeps those that made of a file what nobody asked for.

    `parts` are those of which whole edits were left: of a reply cut between two edits the first ones, and whole files
    beside one that lost its name, which is then an example like any other.
    """

    valid: Counter[str] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    mutated: int = 0
    prefixes: int = 0
    refused: int = 0
    same: int = 0
    parts: int = 0
    wrong: list[str] = field(default_factory=list)

    def judge(self, reply: Written, goal: Goal, whole: tuple[Edit, ...] = ()) -> None:
        """A broken reply must be refused, say what was meant, or be some of the edits that were meant, each whole."""
        result = outcome(reply, goal)
        self.refused += result is None
        self.same += result == wanted(goal)
        if result is None or result == wanted(goal):
            return
        edits = parse_reply(reply.text, reply.calls).edits
        files_left_out = all(isinstance(edit, Whole) for edit in whole) and set(edits) < set(whole)
        if files_left_out or (len(edits) < len(whole) and edits == whole[: len(edits)]):
            self.parts += 1
        else:
            self.wrong.append(reply.text)


def try_goal(goal: Goal, form: Callable[[Goal], Written], rng: random.Random, tally: Tally, *, prefixes: bool) -> None:
    """Try a change in one format: as it is, broken in every way, and cut at every character when that is asked for."""
    reply = form(goal)
    result = outcome(reply, goal)
    tally.valid[form.__name__] += 1
    tally.applied[form.__name__] += result == wanted(goal)
    if result is not None and result != wanted(goal):
        tally.wrong.append(reply.text)
    whole = parse_reply(reply.text, reply.calls).edits
    content = frozenset(line for texts in goal.values() for text in texts for line in _lines(text))
    for mutate in MUTATORS if not reply.calls else ():
        tally.judge(Written(mutate(reply.text, rng, content)), goal, whole)
        tally.mutated += 1
    for other in (stale(goal, rng), shifted(goal, rng)) if form not in NUMBERED else ():
        tally.judge(form(other), goal)
        tally.mutated += 1
    if (absent := misplaced(goal, rng)) and form is not whole_files:  # a whole file that is not there is a new one
        reply = form(absent)
        if outcome(reply, goal) is not None:
            tally.wrong.append(reply.text)
        tally.mutated += 1
    if prefixes:
        text = form(goal).text
        for end in range(min(len(text), MOST_PREFIXES)):
            tally.judge(Written(text[:end]), goal, whole)
            tally.prefixes += 1
