"""No edit by line numbers replaces code that lies between the lines that a model was shown."""

from __future__ import annotations

import pytest

from optimizer.agent.seen import Seen, seen_in
from optimizer.edits.edit import LineEdit, Replace
from optimizer.errors import EditRefused
from optimizer.retrieval import ContextItem

TEXT = b"def total(parts):\n    found = 0\n\n    for part in parts:\n        found += part\n    return found\n"


def shown(*spans: tuple[int, int]) -> Seen:
    return seen_in(ContextItem("a.py", *span, "total", "body", 1, 0.5, (), "") for span in spans)


def check(seen: Seen, start: int, end: int, path: str = "a.py") -> None:
    seen.check([LineEdit(path, start, end, "x\n")], lambda _: TEXT)


def test_an_edit_over_a_gap_is_refused_with_the_first_line_that_was_left_out() -> None:
    seen = shown((1, 2), (6, 6))
    with pytest.raises(EditRefused, match=r"\ba\.py\b.*\b4\b"):
        check(seen, 1, 6)
    with pytest.raises(EditRefused):
        check(seen, 5, 6)
    check(seen, 1, 2)
    check(seen, 6, 6)


def test_blank_lines_insertions_other_files_and_search_texts_are_no_gap() -> None:
    check(shown((1, 2), (4, 6)), 1, 6)
    check(shown((1, 2)), 5, 4)
    check(shown((1, 2)), 1, 6, "b.py")
    shown((1, 2)).check([Replace("a.py", "    for part in parts:", "    for one in parts:")], lambda _: TEXT)


def test_what_a_tool_shows_counts_and_moved_lines_are_not_judged() -> None:
    seen = shown((1, 2))
    seen.read("a.py", "## a.py (6 lines in all)\n4\t    for part in parts:\n5\t        found += part\n6\treturn")
    check(seen, 1, 6)
    seen = shown((1, 2))
    seen.moved(["a.py"])
    check(seen, 1, 6)
