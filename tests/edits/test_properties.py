"""What holds for all replies and files: nothing in part, nothing outside the edit, the exact result or a refusal."""

from __future__ import annotations

import contextlib
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.edits.apply import apply_edits
from optimizer.edits.edit import LineEdit, Replace, Whole
from optimizer.edits.parse import MAX_CHARACTERS, parse_reply
from optimizer.edits.text import Hint, locate
from optimizer.errors import Conflict, EditRefused, OptimizerError
from optimizer.types import ToolCall
from tests.edits.test_cases import read_cases
from tests.faults.replies import FORMS, Tally, made_goals, try_goal
from tests.faults.texts import HOW, File, edited, files
from tests.pace import assert_linear

QUICK = settings(max_examples=150)


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
     "", "#", "\r", "<tool_call>", "</tool_call>", "<function=edit_file>", "<parameter=path>", "</parameter>",
     "</function>",
     '<invoke name="edit_file">', '<parameter name="path">', "</invoke>", "<arg_key>path</arg_key>", "<arg_value>",
     "[TOOL_CALLS]", "<edit_file>", "<path>", "</path>", "</edit_file>", ":start_line:1", "-------", "*** Move to: y",
     "rename from x", "rename to y", "*** End of File", "@@ class B", "“", '{"name": "edit_file", "arguments": "{"']
)  # fmt: skip


@QUICK
@given(st.lists(st.one_of(MARKS, st.text(max_size=8)), max_size=30), st.sampled_from(["\n", "\n\n", " "]))
def test_parsing_is_total(pieces: list[str], joint: str) -> None:
    reply = parse_reply(joint.join(pieces))
    assert not (reply.edits and reply.problems)


WORDS = st.sampled_from(
    ["a", "b", "  a", "\ta", "    a", "'x'", "‘x’", '"x"', "“x”", "", "  b", "\tb", "a b", "a\u00a0b"]
)


@QUICK
@given(st.lists(WORDS, min_size=1, max_size=12), st.lists(WORDS, min_size=1, max_size=3))
def test_an_edit_that_fits_several_places_is_never_applied(lines: list[str], wanted: list[str]) -> None:
    before = "".join(line + "\n" for line in lines)
    search = "".join(line + "\n" for line in wanted)
    try:
        patch = apply_edits((Replace("f", search, "new\n"),), {"f": before.encode()}.get)
    except (EditRefused, Conflict):
        return
    after = (patch.changes[0].after or b"").decode().split("\n")[:-1]
    (at,) = (number for number, line in enumerate(after) if line.strip() == "new")
    assert [*after[:at], *after[at + 1 :]] == [*lines[:at], *lines[at + len(wanted) :]]
    size = len(wanted)
    exact = [n for n in range(len(lines)) if lines[n : n + size] == wanted]
    if exact:
        assert exact == [at]
    else:
        bare = [line.strip() for line in wanted]
        tolerant = [n for n in range(len(lines)) if [line.strip() for line in lines[n : n + size]] == bare]
        assert at in tolerant or any(character in before + search for character in "‘’“”\u00a0")


UNITS = [
    "```a\n", "```\n", "<<<<<<< SEARCH\n", "=======\n", "edit_file(", "edit_file(\n", "[", "{\n", "{}\n",
    "@@ -1 +1 @@\n+a\n", "--- a\n+++ b\n", "<think>", "<think>\n</think>\n", "*** Begin Patch\n", '"', "'''\n", "a\\",
    " ", "a/", "`", "\n", "x.py\n```\n", "x.py\n```b\n", "<tool_call>\n", 'edit_file("a", 1, 1, "\n',
    "diff --git a/x b/x\n", "*** Update File: a\n", "{\n}\n",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_parsing_takes_linear_time(unit: str) -> None:
    assert_linear(lambda size: parse_reply(unit * (size // len(unit))), 50_000)


LINES = 10_000
WORST = {
    "nothing of it is there": ("    v{0} = {0}\n", [Replace("f", f"    none_{n}\n", "x\n") for n in range(1000)]),
    "equal lines": ("    pass\n", [Replace("f", "  pass\n" * 5000, "x\n")]),
    "equal but for their indentation": ("    a\n    b\n", [Replace("f", "a\n  b\n" * 1000, "x\n")]),
    "each builds on the one before": (
        "    v{0} = {0}\n",
        [Replace("f", "v0 = 0", "s0 = 0"), *(Replace("f", f"s{n} = 0", f"s{n + 1} = 0") for n in range(300))],
    ),
    "lines that look left out": ("# ... rest unchanged\n", [LineEdit("f", 1, 1, "# ... rest unchanged\n" * 3000)]),
    "all lines are others": ("{0}\n", [Whole("f", "".join(f"{n % 5}\n" for n in range(LINES)))]),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", WORST)
def test_no_edit_of_a_long_file_takes_long(what: str) -> None:
    line, edits = WORST[what]
    text = "".join(line.format(n) for n in range(LINES))
    begun = time.process_time()
    with contextlib.suppress(OptimizerError):
        apply_edits(tuple(edits), {"f": text.encode()}.get)
    assert time.process_time() - begun < 1.5


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


@pytest.mark.slow
@settings(QUICK, max_examples=400)
@given(files(), st.sampled_from(HOW))
def test_no_byte_changes_outside_the_edit(file: File, how: str) -> None:
    _, after, right = edited(file, how)
    assert after == right


def test_the_last_line_of_a_file_without_a_final_newline_is_replaced_whole() -> None:
    before = b"a\r\nb\r\nc\r\ntarget = 1"
    patch = apply_edits((Replace("f", "target = 1\n", "fresh = 2\n"),), {"f": before}.get)
    assert patch.changes[0].after == b"a\r\nb\r\nc\r\nfresh = 2"


def test_what_is_not_text_is_refused() -> None:
    for data in (b"a\0b\n", "x = 1\n".encode("utf-16-le"), b"\xff\xfea"):
        with pytest.raises(OptimizerError) as raised:
            apply_edits((LineEdit("f", 1, 1, "y"),), lambda path, data=data: data)
        assert raised.value.exit_code == 4
    with pytest.raises(EditRefused, match="UTF-8"):
        apply_edits((LineEdit("f", 1, 1, "ü"),), lambda path: "表 = 1\n".encode("shift_jis"))
    with pytest.raises(EditRefused):
        apply_edits((LineEdit("f", 1, 1, "\ud800"),), lambda path: b"a\n")


def test_a_needle_does_not_start_within_a_character() -> None:
    before = "表 = 1\n".encode("shift_jis")
    with pytest.raises(EditRefused):
        apply_edits((Replace("f", "\\ = 1", "x"),), lambda path: before)


# ── mutated replies ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_valid_replies_apply_and_broken_ones_are_refused_or_say_the_same() -> None:
    rng, tally = random.Random(7), Tally()
    for number, goal in enumerate(made_goals(20)):
        for form in FORMS:
            try_goal(goal, form, rng, tally, prefixes=number == 0)
    assert tally.wrong == []
    assert tally.applied == tally.valid
    assert tally.mutated > 3000
    assert tally.refused > 1000


def test_a_hint_selects_one_of_several_places() -> None:
    haystack = "x\n" * 5
    assert locate(haystack, "x\n", Hint(3)).first == 3
    with pytest.raises(Conflict):
        locate(haystack, "x\n", Hint(9))
    with pytest.raises(Conflict):
        locate(haystack, "x\n")
