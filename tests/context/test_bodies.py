"""The plan of bodies: what is worth most for its tokens, within the room and the number of files."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optimizer.context.packing import OPENING, plan
from optimizer.context.rank import RankedUnit


def unit(name: str, score: float, cost: int, path: str = "a.py") -> RankedUnit:
    return RankedUnit(path, name, "function" if name else "", ((1, 1),), score, "", (), cost)


def names(units: list[RankedUnit]) -> list[str]:
    return [unit.symbol for unit in units]


def test_a_small_body_comes_before_a_large_one_that_is_as_likely() -> None:
    assert names(plan([unit("large", 0.4, 900), unit("small", 0.4, 100)], 2000, 9)) == ["small", "large"]
    assert names(plan([unit("large", 0.4, 900), unit("small", 0.4, 100)], 500, 9)) == ["small"]


def test_a_large_body_that_is_likely_outweighs_many_that_are_not() -> None:
    many = [unit(f"few_{number}", 0.1, 100) for number in range(9)]
    assert names(plan([unit("large", 0.8, 900), *many], 950, 9)) == ["large"]
    assert "large" not in names(plan([unit("large", 0.1, 900), *many], 950, 9))


def test_the_rest_of_a_file_and_what_is_not_wanted_at_all_are_no_bodies() -> None:
    assert plan([unit("", 0.9, 10), unit("never", 0.0, 10)], 1000, 9) == []
    assert plan([], 1000, 9) == []


def test_another_file_costs_its_header_and_counts() -> None:
    units = [unit("one", 0.5, 100, "a.py"), unit("two", 0.5, 100, "b.py")]
    assert names(plan(units, 200 + 2 * OPENING, 2)) == ["one", "two"]
    assert names(plan(units, 199 + 2 * OPENING, 2)) == ["one"]
    assert names(plan(units, 1000, 1)) == ["one"]
    assert names(plan(units, 1000, 1, {"b.py"})) == ["two"]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 3000), st.sampled_from("abcd")), max_size=40),
    st.integers(-50, 9000),
    st.integers(0, 4),
)
def test_no_plan_is_above_its_room_or_its_files(units: list[tuple[float, int, str]], room: int, max_files: int) -> None:
    ranked = [unit(f"f{number}", score, cost, path) for number, (score, cost, path) in enumerate(units)]
    taken = plan(ranked, room, max_files)
    paths = {each.path for each in taken}
    assert len(set(taken)) == len(taken)
    assert len(paths) <= max_files
    assert sum(each.cost for each in taken) + OPENING * len(paths) <= max(0, room)
    assert all(each.score > 0 for each in taken)
    assert plan(ranked, room, max_files) == taken
