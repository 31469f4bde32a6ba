"""The part of a long body: its head, and the lines near what is asked, within the tokens there are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from optimizer.context.mentions import Mentions, find_mentions
from optimizer.context.parts import BRIDGED, HEAD, parts
from optimizer.context.rank import RankedUnit

LONG = ["def everything():", *[f"    step_{n} = {n}" for n in range(1, 300)]]
LONG[200:203] = ["    if queue.stale:", "        queue.flush()", "        queue = None"]


def unit(*spans: tuple[int, int], symbol: str = "everything") -> RankedUnit:
    return RankedUnit("big.py", symbol, "function", spans, 0.5, (), (), 1)


def part(lines: list[str], of: RankedUnit, asked: Mentions, most: float) -> list[tuple[int, int]]:
    (spans,) = parts(lines, of, asked, [most])
    return spans


def numbers(spans: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in spans for number in range(first, last + 1)}


def test_a_part_is_the_head_and_the_lines_around_what_is_asked() -> None:
    spans = part(LONG, unit((1, 300)), find_mentions("the stale queue is flushed too late"), 80)
    assert numbers(spans) >= {1, HEAD, 201, 202, 203}
    assert len(numbers(spans)) < 20
    assert len(spans) == 2


def test_the_rest_of_a_file_has_no_head() -> None:
    spans = part(LONG, unit((1, 300), symbol=""), find_mentions("the stale queue is flushed too late"), 80)
    assert 2 not in numbers(spans)


def test_more_tokens_give_more_of_it_and_small_gaps_are_filled() -> None:
    asked = find_mentions("the stale queue is flushed too late, see step_40")
    few, many = (part(LONG, unit((1, 300)), asked, most) for most in (60, 200))
    assert numbers(few) < numbers(many)
    assert all(second[0] - first[1] > BRIDGED + 1 for first, second in pairwise(many))


@given(
    st.lists(st.text(alphabet="ab \n_().", max_size=30), max_size=40),
    st.integers(1, 20),
    st.integers(0, 30),
    st.floats(0, 400),
)
def test_no_part_leaves_its_unit(lines: list[str], first: int, further: int, most: float) -> None:
    of = unit((first, first + further), (first + further + 2, first + further + 4))
    found = numbers(part(lines, of, find_mentions("a b ab aab fix `ab.a`"), most))
    assert found <= {number for number in numbers(list(of.spans)) if number <= len(lines)}
