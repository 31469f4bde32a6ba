"""Tables: what belongs together stands together, and nothing is wider than the terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optimizer.report.layout import cells, table

ROWS = [("claude", "budget", "the cheapest of three, and it was accepted every time so far"), ("qwen", "local", "")]
WORDS = st.text(st.sampled_from("abcdé "), max_size=60).map(lambda text: " ".join(text.split()))


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table([("a", "bcd", "e"), ("fgh", "i", "j")], 80) == ["  a    bcd  e", "  fgh  i    j"]


def test_the_last_cell_goes_on_below_itself_where_there_is_room_and_below_its_row_where_there_is_little() -> None:
    assert table(ROWS, 60) == [
        "  claude  budget  the cheapest of three, and it was",
        "                  accepted every time so far",
        "  qwen    local",
    ]
    assert table(ROWS, 40) == [
        "  claude  budget",
        "      the cheapest of three, and it was",
        "      accepted every time so far",
        "  qwen    local",
    ]


def test_what_is_not_to_flow_stays_in_one_piece() -> None:
    assert table([("a", "b " * 15 + "b"), ("c", "d")], 34, flowing=False) == [
        "  a",
        f"      {'b ' * 13}b",
        "      b b",
        "  c",
        "      d",
    ]
    assert table(ROWS[:1], 70, flowing=False) == ["  claude  budget", f"      {ROWS[0][2]}"]


def test_where_no_terminal_is_each_row_is_a_line() -> None:
    assert table(ROWS, None) == [f"  claude  budget  {ROWS[0][2]}", "  qwen    local"]
    assert table([], 80) == []


@given(st.lists(st.tuples(WORDS.map(lambda text: text[:12]), WORDS), min_size=1, max_size=6), st.integers(70, 120))
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(rows: list[tuple[str, str]], columns: int) -> None:
    lines = table(rows, columns)
    assert all(cells(line) < columns for line in lines)
    assert " ".join(lines).split() == " ".join(f"{first} {last}" for first, last in rows).split()


def test_a_word_that_is_longer_than_the_terminal_stays_whole_and_set_in() -> None:
    path = "/a/path/that/is/longer/than/the/terminal"
    assert table([("on disk:", path)], 30, "") == ["on disk:", f"    {path}"]
