"""Plans to send less: no loss is expected, only what a plan says changes, what must fit fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.session.blocks import Block
from optimizer.session.compact import Rates, State, calls_to_come, plan
from optimizer.session.levels import sent
from optimizer.session.messages import messages_of
from optimizer.session.needs import Spells, spells, superseded, uses_of
from optimizer.session.prefix import prefix_digest
from tests.session.talks import assert_can_be_sent, block, levels_of, output, read, talks

SONNET = Rates(3.0, 0.3, 3.75, 15.0)
RATES = (SONNET, Rates(1.25, 0.125, 1.25, 10.0), Rates(0.27, 0.27, 0.27, 1.1), Rates(0.0, 0.0, 0.0))


@settings(deadline=None, max_examples=40)
@given(st.data(), talks(), st.sampled_from(RATES), st.booleans(), st.integers(0, 300))
def test_a_plan_expects_no_loss_and_sends_less(
    data: st.DataObject, blocks: tuple[Block, ...], rates: Rates, warm: bool, calls: int
) -> None:
    levels = data.draw(levels_of(blocks)) if data.draw(st.booleans()) else {}
    found = plan(blocks, levels, State(rates, 0, warm, calls, calls // 9))
    if not found.levels:
        return
    assert found.why == ("saves" if warm else "expired")
    assert found.saving > found.cost and found.dropped > 0
    after = sent(blocks, {**levels, **found.levels})
    assert sum(one.tokens for one in after) == sum(one.tokens for one in sent(blocks, levels)) - found.dropped
    assert_can_be_sent(after)
    kept = {one for one in blocks if one.kind == "user" or one.pinned}
    assert kept <= set(after)


@settings(deadline=None, max_examples=40)
@given(st.data(), talks(), st.integers(50, 5_000))
def test_what_is_sent_fits_the_window_or_the_plan_says_that_it_cannot(
    data: st.DataObject, blocks: tuple[Block, ...], window: int
) -> None:
    found = plan(blocks, {}, State(SONNET, window, True, 10))
    after = sent(blocks, found.levels)
    assert_can_be_sent(after)
    assert found.why == "too-long" or sum(one.tokens for one in after) <= window * 0.75


@settings(deadline=None, max_examples=40)
@given(talks(), st.booleans())
def test_messages_before_the_first_block_of_a_plan_stay(blocks: tuple[Block, ...], warm: bool) -> None:
    found = plan(blocks, {}, State(SONNET, 0, warm, 100))
    before, after = messages_of(sent(blocks, {})), messages_of(sent(blocks, found.levels))
    same = same_messages(prefix_digest(before), prefix_digest(after))
    if not found.levels:
        assert same == len(before) == len(after)
    elif same < len(before):
        ids = [one.id for one in sent(blocks, {}) if one.id < found.first]
        assert same >= len({one.message for one in blocks if one.id in ids}) - 1


def same_messages(before: Sequence[str], now: Sequence[str]) -> int:
    """How many messages two conversations begin with together, by their digests."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, now, strict=False)))


def long_talk(turns: int, needed: bool) -> tuple[Block, ...]:
    """A conversation that reads a file in each turn; `needed`: each turn names something of one it read long ago."""
    found: list[Block] = []
    for turn in range(1, turns + 1):
        path = f"src/file_{turn}.py"
        text = read(path, 80, turn).replace("part_", f"part_{turn}_")
        asked = f"Request: change part_{turn * 7 % turn + 1}_1" if needed else "Request: go on"
        found += [
            block(id=len(found) + 1, turn=turn, message=2 * turn - 1, kind="file-read", path=path, text=text),
            block(id=len(found) + 2, turn=turn, message=2 * turn - 1, kind="user", text=asked),
            block(id=len(found) + 3, turn=turn, message=2 * turn, kind="assistant", text="Done."),
        ]
    return tuple(found)


def test_the_moment_to_compact_is_when_the_cache_has_expired() -> None:
    blocks = long_talk(40, needed=False)
    cold = plan(blocks, {}, State(SONNET, 0, False, 40, 2))
    warm = plan(blocks, {}, State(SONNET, 0, True, 40, 2))
    assert (cold.why, warm.why) == ("expired", "saves") and cold.cost < warm.cost
    assert plan(blocks, {}, State(SONNET, 0, True, 1)).why == "no-gain"
    assert plan(blocks, {}, State(SONNET, 0, False, 1)).why == "expired"


def test_what_is_used_again_and_again_stays_whole() -> None:
    forgotten = plan(long_talk(40, needed=False), {}, State(SONNET, 0, False, 40, 2))
    blocks = [
        replace(one, text="Request: " + " ".join(f"part_{n}_1" for n in range(1, one.turn)))
        if one.kind == "user"
        else one
        for one in long_talk(40, needed=False)
    ]
    assert forgotten.levels
    assert not plan(blocks, {}, State(SONNET, 0, False, 40, 2)).levels


def test_earlier_reads_go_before_anything_that_may_be_needed() -> None:
    old = block(id=1, message=1, kind="file-read", path="a.py", text=read("a.py", 80, 1))
    new = block(id=3, message=3, kind="file-read", path="a.py", text=read("a.py", 80, 9).replace("value", "other"))
    blocks = (old, block(id=2, message=2, kind="assistant", text="ok"), new)
    assert superseded(blocks) == {1}
    found = plan(blocks, {}, State(SONNET, 0, False, 10))
    assert found.levels == {1: "removed"} and found.first == 1


def test_prices_where_nothing_is_cached_make_a_rewrite_free() -> None:
    blocks = long_talk(30, needed=False)
    flat = Rates(1.0, 1.0, 1.0, 4.0)
    assert plan(blocks, {}, State(flat, 0, True, 30)).dropped == plan(blocks, {}, State(flat, 0, False, 30)).dropped


def test_as_many_calls_are_expected_as_there_were_and_fewer_where_the_cache_expires_often() -> None:
    assert calls_to_come(State(SONNET, 0, False, 80, 8)) == 80
    assert calls_to_come(State(SONNET, 0, True, 80, 8)) == pytest.approx(81 / 8.5)
    assert calls_to_come(State(SONNET, 0, True, 80)) == 80
    assert calls_to_come(State(SONNET, 0, True, 80, since=5)) == 5


def test_the_chance_of_a_use_is_counted_in_the_conversation() -> None:
    uses = {1: [1, 21], 2: [3, 5], 3: [9]}
    known = spells(uses, 41)
    assert known == Spells([2, 20], [20, 32, 36])
    assert known.chance(10) == pytest.approx(1.5 / 5)
    assert known.chance(33) == pytest.approx(0.5 / 2)


def test_a_block_is_used_by_words_that_name_what_it_was_the_last_to_show() -> None:
    blocks = long_talk(3, needed=False)
    asked = block(id=99, turn=4, message=7, kind="user", text="Request: rename part_2_8 and test_it")
    assert uses_of((*blocks, asked)) == {**uses_of(blocks), 4: [3, 7]}


def test_a_changed_prefix_is_told_with_its_message() -> None:
    blocks = long_talk(5, needed=False)
    before = prefix_digest(messages_of(blocks))
    assert same_messages(before, prefix_digest(messages_of(long_talk(6, needed=False)))) == len(before)
    other = [replace(one, text=one.text + " ") if one.id == 6 else one for one in blocks]
    assert same_messages(before, prefix_digest(messages_of(other))) == 3


def test_outputs_of_the_same_run_are_sent_once() -> None:
    first = block(id=1, message=1, kind="tool-result", tool="run_tests", call="a", text=output(60, 3))
    again = block(id=3, message=3, kind="tool-result", tool="run_tests", call="b", text=output(60, 3))
    middle = block(id=2, message=2, kind="tool-use", tool="run_tests", call="b", arguments="{}")
    assert sent((first, middle, again), {})[-1].tokens < first.tokens / 10
