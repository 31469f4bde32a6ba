"""Levels of blocks: what may never go stays, calls keep results, dropped lines are counted, nothing is rewritten."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.agent.talk import shown_in
from optimizer.session.blocks import Block
from optimizer.session.levels import can_shrink, sent
from optimizer.session.messages import messages_of
from optimizer.session.trim import folded, trimmed
from tests.session.talks import assert_can_be_sent, block, levels_of, output, read, talks

GAP = re.compile(r"\[… (\d+) lines .* …\]")


@settings(deadline=None, max_examples=40)
@given(st.data(), talks())
def test_any_levels_can_be_sent_and_keep_what_is_the_users(data: st.DataObject, blocks: tuple[Block, ...]) -> None:
    levels = data.draw(levels_of(blocks))
    now = sent(blocks, levels)
    assert_can_be_sent(now)
    kept = {one for one in blocks if one.kind == "user" or one.pinned}
    assert kept <= set(now)
    assert sent(blocks, {}) == sent(blocks, dict.fromkeys(levels, "whole"))


@settings(deadline=None, max_examples=40)
@given(st.data(), talks(), talks())
def test_what_is_said_later_changes_nothing_before_it(
    data: st.DataObject, blocks: tuple[Block, ...], more: tuple[Block, ...]
) -> None:
    said = tuple(one for one in blocks if one.kind != "summary")
    levels = data.draw(levels_of(said))
    first = block(id=900, turn=40, message=1_000, kind="user", text="go on")
    before = messages_of(sent(said, levels))
    after = messages_of(sent((*said, first), levels))
    assert after[: len(before)] == before


@given(st.sampled_from(("assistant", "note", "tool-result", "file-read")), st.integers(0, 80), st.integers(0, 9))
def test_trimmed_lines_are_those_of_the_text_and_the_others_are_counted(kind: str, lines: int, seed: int) -> None:
    for text in (read("a/b.py", lines, seed), output(lines, seed), "Well:\n```\n" + "x\n" * lines + "```\nDone."):
        short = trimmed(kind, text).split("\n")
        whole = text.split("\n")
        at = 0
        for line in short:
            if gap := GAP.fullmatch(line):
                at += int(gap[1])
            else:
                assert line == whole[at]
                at += 1
        assert at == len(whole)


def test_an_outline_keeps_definitions_and_an_output_its_failures() -> None:
    outline = trimmed("file-read", read("src/parse.py", 60, 1))
    assert "def part_15(value_15):" in outline and "return value_16" not in outline
    assert (
        shown_in(messages_of((block(kind="file-read", text=outline),)))["src/parse.py"][16] == "def part_15(value_15):"
    )
    report = trimmed("tool-result", output(80, 40))
    assert "test_40_40 FAILED" in report and "test_30_40 passed" not in report


@given(st.integers(5, 60), st.integers(5, 60), st.integers(0, 9), st.integers(0, 9), st.integers(1, 5))
def test_what_is_folded_can_be_read_from_both(lines: int, more: int, seed: int, other: int, start: int) -> None:
    before, text = read("a.py", lines, seed), read("a.py", more, other, start)
    short = folded(text, before)
    if not short:
        return
    assert len(short) * 2 < len(text)
    known = [line.partition("\t")[2] for line in before.split("\n")]
    whole = text.split("\n")
    at = 0
    for line in short.split("\n"):
        if gap := GAP.fullmatch(line):
            run = [one.partition("\t")[2] for one in whole[at : at + int(gap[1])]]
            assert any(known[place : place + len(run)] == run for place in range(len(known)))
            at += len(run)
        else:
            assert line == whole[at]
            at += 1
    assert at == len(whole)


def test_the_same_file_read_twice_is_one_read_with_what_changed() -> None:
    first = block(id=1, kind="file-read", path="a.py", text=read("a.py", 60, 1))
    changed = first.text.replace("return value_30 + 0", "return value_30 + 99")
    second = block(id=2, turn=2, message=3, kind="file-read", path="a.py", text=changed)
    answer = block(id=3, turn=1, message=2, kind="assistant", text="I see")
    blocks = (first, answer, second)
    now = sent(blocks, {})
    assert now[0] == first
    assert "value_30 + 99" in now[2].text and now[2].tokens < second.tokens / 4
    assert sent(blocks, {1: "removed"})[2] == second


def test_names_that_only_dropped_lines_hold_are_named_once() -> None:
    text = read("a.py", 60, 1)
    first = block(id=1, kind="file-read", path="a.py", text=text)
    second = block(
        id=3, message=3, kind="file-read", path="b.py", text=text.replace("## a.py", "## b.py") + "\n    more_of(it)"
    )
    blocks = (first, block(id=2, message=2, kind="assistant", text="ok"), second)
    now = sent(blocks, {1: "trimmed", 3: "trimmed"})
    assert "value_30" in now[0].text.split("\n")[-1] and now[0].tokens < first.tokens
    assert now[2].text.split("\n")[-1] == "[… names in them: more_of …]"


def test_a_summary_takes_the_place_of_what_it_stands_for() -> None:
    blocks = (
        block(id=1, message=1, kind="note", text=output(60, 1)),
        block(id=2, message=1, kind="user", text="Request: fix it"),
        block(id=3, message=2, kind="assistant", text="a\n```\n" + "b\n" * 60 + "```"),
        block(id=4, message=3, kind="user", text="Request: thanks"),
        block(id=5, message=3, kind="summary", text="Tests fail in test_1.", stands_for=(1, 3)),
    )
    now = sent(blocks, {1: "summarised", 3: "summarised"})
    assert [one.text for one in now][:2] == ["Tests fail in test_1.", "Request: fix it"]
    assert_can_be_sent(now)
    assert [one.id for one in sent(blocks, {1: "summarised"})][:1] == [1]
    assert all(not can_shrink(one) for one in blocks if one.kind in ("user", "summary"))
