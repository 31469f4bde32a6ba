"""What is read in a review, and what of an answer is thinking."""

from __future__ import annotations

import pytest

from optimizer.calls.call import added
from optimizer.engine.roles import LONGEST, MOST_LINES, findings, without_thinking


@pytest.mark.parametrize(
    "text",
    [
        "NOTHING",
        "NOTHING.",
        "**NOTHING**\n\nThe change is right.",
        "Nothing found.",
        "none",
        "No issues found",
        "LGTM!",
    ],
)
def test_a_review_that_found_nothing(text: str) -> None:
    assert findings(text) == ()


@pytest.mark.parametrize("text", ["Nothing checks for None in a.py:3.", "None is returned by a.py:3, not a list."])
def test_a_fault_that_begins_like_no_fault(text: str) -> None:
    assert findings(text) == (text,)


def test_faults_are_a_few_short_lines_without_marks() -> None:
    text = f"```\n1. **a.py:3**: no check.\n\n  - b.py:4: lost\n* c.py:5: {'x ' * 400}\n" + "d.py:6: odd\n" * 9
    found = findings(text)
    assert found[:2] == ("a.py:3: no check.", "b.py:4: lost")
    assert len(found) == MOST_LINES
    assert len(found[2]) <= LONGEST
    assert found[2].endswith("…")


def test_thinking_is_no_answer() -> None:
    assert without_thinking("<think>hm</think>\n\nYes. ") == "Yes."
    assert without_thinking("hm</think>Yes.") == "Yes."
    assert without_thinking("<think>hm, it never ends") == ""


def test_a_sum_with_an_unknown_cost_is_unknown() -> None:
    assert added(1, 2, 0) == 3
    assert added(1, None) is None
