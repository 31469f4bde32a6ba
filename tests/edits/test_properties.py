"""What holds for all replies and files: nothing in part, nothing outside the edit, the exact result or a refusal."""

from __future__ import annotations

import difflib
import random
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optimizer.edits import match
from optimizer.edits.apply import apply_edits
from optimizer.edits.parse import MAX_CHARACTERS, parse_reply
from optimizer.errors import Conflict, EditRefused, OptimizerError
from optimizer.types import Edit, LineEdit, Replace, ToolCall, Whole
from tests.edits.test_cases import read_cases

QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def good_replies() -> list[str]:
    return [
        next(body for header, body in parts if header == "reply")
        for _, parts in read_cases()
        if any(header.startswith("after ") for header, _ in parts)
    ]


def test_every_prefix_of_good_replies_gives_whole_edits_or_none() -> None:
    tried = 0
    for reply in good_replies():
        full = parse_reply(reply).edits
        assert full
        for end in range(len(reply)):
            edits = parse_reply(reply[:end]).edits
            assert edits == full[: len(edits)], reply[:end]
            tried += 1
    assert tried > 2000


def test_good_replies_with_carriage_returns_say_the_same() -> None:
    for reply in good_replies():
        assert parse_reply(reply.replace("\n", "\r\n")).edits == parse_reply(reply).edits


MARKS = st.sampled_from(
    ["```", "````", "~~~", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "--- a/x", "+++ b/x", "@@ -1,2 +1,2 @@",
     "+a", "-a", " a", "diff --git a/x b/x", "*** Begin Patch", "*** End Patch", "*** Update File: x", "edit_file(",
     '"""', "x.py", "<think>", "</think>", "{", "[", '{"path": "x", "content": "y"}', ")", "'", "\\", "\0", "\ud800",
     "", "#", "\r"]
)  # fmt: skip


@QUICK
@given(st.lists(st.one_of(MARKS, st.text(max_size=8)), max_size=30), st.sampled_from(["\n", "\n\n", " "]))
def test_parsing_is_total(pieces: list[str], joint: str) -> None:
    reply = parse_reply(joint.join(pieces))
    assert not (reply.edits and reply.problems)


UNITS = [
    "```a\n", "```\n", "<<<<<<< SEARCH\n", "=======\n", "edit_file(", "edit_file(\n", "[", "{\n", "{}\n",
    "@@ -1 +1 @@\n+a\n", "--- a\n+++ b\n", "<think>", "<think>\n</think>\n", "*** Begin Patch\n", '"', "'''\n", "a\\",
    " ", "a/", "`", "\n", "x.py\n```\n", "x.py\n```b\n", "<tool_call>\n", 'edit_file("a", 1, 1, "\n',
    "diff --git a/x b/x\n", "*** Update File: a\n", "{\n}\n",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_parsing_takes_linear_time(unit: str) -> None:
    begun = time.perf_counter()
    parse_reply(unit * (400_000 // len(unit)))
    assert time.perf_counter() - begun < 2.0


def test_too_long_a_reply_is_a_problem() -> None:
    assert parse_reply("x" * (MAX_CHARACTERS + 1)).problems


def test_native_calls() -> None:
    good = ToolCall("edit_file", {"path": "a.py", "start": 1, "end": 2, "content": "x\r\n"})
    assert parse_reply("text", (good,)).edits == (LineEdit("a.py", 1, 2, "x\n"),)
    assert parse_reply("", (ToolCall("search_code", {"query": "x"}),)).edits == ()
    for arguments in (
        {"path": "a.py", "start": "1", "end": 2, "content": "x"},
        {"path": "a.py", "start": True, "end": 2, "content": "x"},
        {"path": "a.py", "start": 0, "end": 2, "content": "x"},
        {"path": "a.py", "start": 5, "end": 2, "content": "x"},
        {"path": "a.py", "start": 1, "end": 2},
        {"path": "a.py", "start": 1, "end": 2, "content": ["x"]},
        {"path": 3, "start": 1, "end": 2, "content": "x"},
        {},
    ):
        reply = parse_reply("", (good, ToolCall("edit_file", arguments)))
        assert reply.edits == ()
        assert reply.problems
    assert parse_reply("", (good, ToolCall("create_file", {}, malformed='{"path": "a'))).problems


# ── files: encodings and line endings ───────────────────────────────────────────────────────────

WORDS = {
    "utf-8": "añ表\u2028\u200d\u202e\x0c“”e\u0301 \t",
    "utf-8-sig": "añ表 \t",
    "latin-1": "aéÿ\x85 \t",
    "gbk": "a汉字丂 \t",
    "shift_jis": "a表ソ能 \t",
}


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]], int]:
    """An encoding, the (text, ending) of each line, and the number (from 0) of one line that is unique and ASCII."""
    encoding = draw(st.sampled_from(sorted(WORDS)))
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\n", "\r\n"], ["\r"]]))
    extra = "\r" if ends != ["\r"] and encoding != "latin-1" else ""
    text = st.text(alphabet=WORDS[encoding] + "bc" + extra, max_size=6).map(lambda line: line.rstrip("\r"))
    lines = [(line, draw(st.sampled_from(ends))) for line in draw(st.lists(text, min_size=1, max_size=8))]
    at = draw(st.integers(0, len(lines)))
    lines.insert(at, ("target = 1", draw(st.sampled_from(ends))))
    if draw(st.booleans()):
        lines[-1] = (lines[-1][0] or "z", "")
    return encoding, lines, at


def joined(lines: list[tuple[str, str]], encoding: str) -> bytes:
    return "".join(text + end for text, end in lines).encode(encoding)


@QUICK
@given(files(), st.sampled_from(["line", "replace", "insert", "delete", "whole", "tolerant"]))
def test_no_byte_changes_outside_the_edit(file: tuple[str, list[tuple[str, str]], int], how: str) -> None:
    encoding, lines, at = file
    before = joined(lines, encoding)
    assume(b"\n" in before or b"\r" not in before or all(end == "\r" for _, end in lines[:-1]))
    assume(b"\n" in before or not any("\r" in text for text, _ in lines))
    number, end = at + 1, lines[at][1]
    new = list(lines)
    new[at] = ("fresh = 2", end)
    edit: Edit
    if how == "line":
        edit = LineEdit("f", number, number, "fresh = 2")
    elif how == "insert":
        edit = LineEdit("f", number, number - 1, "fresh = 2\n")
        mark = (lines[at - 1][1] if at else "") or end or None
        assume(mark is not None)
        new = [*lines[:at], ("fresh = 2", mark or "\n"), *lines[at:]]
    elif how == "delete":
        edit = LineEdit("f", number, number, "")
        new = [*lines[:at], *lines[at + 1 :]]
    elif how == "whole":
        assume(encoding.startswith("utf"))
        edit = Whole("f", "".join(text + "\n" for text, _ in new))
    elif how == "tolerant":
        edit = Replace("f", "  target = 1 \n", "  fresh = 2\n")
    else:
        edit = Replace("f", "target = 1\n", "fresh = 2\n")
    patch = apply_edits((edit,), lambda path: before)
    assert patch.changes[0].before == before
    assert patch.changes[0].after == joined(new, encoding)


def test_what_is_not_text_is_refused() -> None:
    for data in (b"a\0b\n", "x = 1\n".encode("utf-16"), b"\xff\xfe"):
        with pytest.raises(OptimizerError) as raised:
            apply_edits((LineEdit("f", 1, 1, "y"),), lambda path, data=data: data)
        assert raised.value.exit_code == 4
    with pytest.raises(EditRefused, match="not UTF-8"):
        apply_edits((LineEdit("f", 1, 1, "ü"),), lambda path: b"\xe9\n")
    with pytest.raises(EditRefused, match="cannot be written"):
        apply_edits((LineEdit("f", 1, 1, "\ud800"),), lambda path: b"a\n")


def test_a_needle_does_not_start_within_a_character() -> None:
    before = "表 = 1\n".encode("shift_jis")
    with pytest.raises(EditRefused):
        apply_edits((Replace("f", "\\ = 1", "x"),), lambda path: before)


# ── mutated replies ─────────────────────────────────────────────────────────────────────────────


def make_change(rng: random.Random) -> tuple[list[str], list[str]]:
    pool = [f"    value_{n} = {n}" for n in range(12)] + ["", "    return x", "def f():", "    pass", "}"]
    old = [rng.choice(pool) for _ in range(rng.randint(3, 40))]
    new = list(old)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(new) or 1)
        new[at : at + rng.randint(0, 2)] = [f"    new_{rng.randint(0, 9999)} = {n}" for n in range(rng.randint(0, 3))]
    return old, new


def as_diff(old: list[str], new: list[str]) -> str:
    return "".join(line + "\n" for line in difflib.unified_diff(old, new, "a/f.txt", "b/f.txt", lineterm=""))


def as_blocks(old: list[str], new: list[str]) -> str:
    parts = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(3):
        before = old[group[0][1] : group[-1][2]]
        after = new[group[0][3] : group[-1][4]]
        parts.append("\n".join(["f.txt", "<<<<<<< SEARCH", *before, "=======", *after, ">>>>>>> REPLACE"]))
    return "\n\n".join(parts) + "\n"


def as_calls(old: list[str], new: list[str]) -> str:
    calls = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            content = "".join(line + "\n" for line in new[j1:j2])
            calls.append(f"edit_file({'f.txt'!r}, {i1 + 1}, {i2}, {content!r})")
    return "\n".join(calls) + "\n"


def as_patch(old: list[str], new: list[str]) -> str:
    body = [line if not line.startswith("@@") else "@@" for line in as_diff(old, new).split("\n")[2:-1]]
    return "\n".join(["*** Begin Patch", "*** Update File: f.txt", *body, "*** End Patch"]) + "\n"


def cut(reply: str, rng: random.Random) -> str:
    return reply[: rng.randrange(len(reply))]


def drop_line(reply: str, rng: random.Random) -> str:
    lines = reply.split("\n")
    marks = ("f.txt", "<<<<", "====", ">>>>", "***", "--- ", "+++ ", "@@")
    chosen = [n for n, line in enumerate(lines) if line.startswith(marks)]
    if chosen:
        del lines[rng.choice(chosen)]
    return "\n".join(lines)


def trail(reply: str, rng: random.Random) -> str:
    lines = []
    inside = "SEARCH" not in reply
    for line in reply.split("\n"):
        inside = inside if "SEARCH" not in reply else (inside or "SEARCH" in line) and line != "======="
        lines.append(line + "  " if line[:1] == " " and inside and "new_" not in line and rng.random() < 0.3 else line)
    return "\n".join(lines)


def renumber(reply: str, rng: random.Random) -> str:
    lines = reply.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("@@ "):
            lines[number] = f"@@ -{rng.randint(1, 60)},{rng.randint(0, 9)} +{rng.randint(1, 60)},{rng.randint(0, 9)} @@"
    return "\n".join(lines)


def chatter(reply: str, rng: random.Random) -> str:
    return f"Sure, in `f.txt` I use <<<<<<< SEARCH like so:\n\n{reply}\n\nThat is all. It returns {{x}}.\n"


def fence(reply: str, rng: random.Random) -> str:
    return f"```\n{reply}```\n"


def twice(reply: str, rng: random.Random) -> str:
    return reply + "\n" + reply


MUTATORS: list[Callable[[str, random.Random], str]] = [cut, drop_line, trail, renumber, chatter, fence, twice]


def outcome(reply: str, before: bytes) -> bytes | None:
    read = parse_reply(reply)
    if read.problems or not read.edits:
        return None
    try:
        return apply_edits(read.edits, lambda path: before if path == "f.txt" else None).changes[0].after
    except OptimizerError as error:
        assert error.exit_code in (3, 4, 8)
        return None


@pytest.mark.parametrize("form", [as_diff, as_blocks, as_calls, as_patch])
def test_valid_replies_apply_and_mutated_ones_give_the_same_or_nothing(
    form: Callable[[list[str], list[str]], str],
) -> None:
    rng = random.Random(7)
    valid = applied = mutated = 0
    for _ in range(250):
        old, new = make_change(rng)
        before, after = ("".join(line + "\n" for line in lines).encode() for lines in (old, new))
        if old == new or len(new) * 2 < len(old):
            continue
        reply = form(old, new)
        result = outcome(reply + "Done.\n", before)
        assert result in (after, None), reply
        valid += 1
        applied += result == after
        whole = parse_reply(reply + "Done.\n").edits
        for mutate in MUTATORS:
            changed = mutate(reply, rng)
            result = outcome(changed, before)
            read = parse_reply(changed).edits
            complete = len(read) < len(whole) and read == whole[: len(read)]
            assert result in (after, None) or complete, changed
            mutated += 1
    assert mutated > 1200
    if form in (as_diff, as_calls):
        assert applied >= 0.95 * valid


def test_a_hint_selects_one_of_several_places() -> None:
    text = "x\n" * 5
    assert match.locate(text, "x\n", 3).first == 3
    with pytest.raises(Conflict):
        match.locate(text, "x\n", 9)
    with pytest.raises(Conflict):
        match.locate(text, "x\n")
