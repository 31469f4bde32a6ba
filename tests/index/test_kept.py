"""The bounded memory: what it keeps, what it drops first, and that its size is the sum of what it holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optimizer.index.kept import Kept


def test_what_was_not_used_for_longest_goes_first() -> None:
    kept: Kept[str, int] = Kept(3)
    for number, key in enumerate("abc"):
        kept.put(key, number)
    assert kept.get("a") == 0
    kept.put("d", 3)
    assert [kept.get(key) for key in "abcd"] == [0, None, 2, 3]


def test_a_value_larger_than_all_may_be_is_returned_but_not_kept() -> None:
    kept: Kept[str, int] = Kept(3)
    kept.put("a", 1)
    assert kept.put("b", 2, 4) == 2
    assert (kept.get("a"), kept.get("b"), kept.size) == (1, None, 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 12))))
def test_the_size_is_that_of_the_values_and_within_the_bound(steps: list[tuple[int, int]]) -> None:
    kept: Kept[int, int] = Kept(10)
    sizes: dict[int, int] = {}
    for key, size in steps:
        kept.put(key, size, size)
        sizes[key] = size
        assert kept.size == sum(sizes[each] for each in sizes if kept.get(each) is not None) <= 10
