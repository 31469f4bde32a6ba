"""Scores of summaries: what was lost and what was invented, of each kind of fact."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.session.score import Finding, names_of, numbers_of, paths_of, score

SOURCE = """user: split_row in calc/parse.py loses cells above 4,096 bytes. Do not use regular expressions.
tool: 17 warnings in other_tool.py
assistant: I looked at split_row. We decided to raise the limit to 65536 bytes. Should quoted commas be handled too?"""
GOOD = (
    "split_row in calc/parse.py loses cells above 4096 bytes. Do not use regular expressions. "
    "Decided: raise the limit to 65,536 bytes. Open: should quoted commas be handled?"
)


def found(summary: str, source: str = SOURCE) -> set[tuple[str, str]]:
    return {(one.fault, one.fact) for one in score(source, summary).findings}


def test_a_good_summary_is_not_flagged() -> None:
    good = score(SOURCE, GOOD)
    assert good.findings == () and good.value == 1.0 and 0.5 < good.ratio < 0.9
    assert good.kept["name"] == (1, 1) and good.kept["number"] == (2, 2) and good.kept["question"] == (1, 1)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("split_row", "it", ("lost", "name")),
        ("calc/parse.py", "a file", ("lost", "path")),
        (" above 4096 bytes", "", ("lost", "number")),
        ("Do not use", "Use", ("lost", "negation")),
        ("Decided: raise the limit to 65,536 bytes. ", "", ("lost", "decision")),
        ("Open: should quoted commas be handled?", "", ("lost", "question")),
        ("Open: should quoted commas be handled?", "Quoted commas are handled.", ("lost", "question")),
        ("Decided", "Decided by join_row", ("invented", "name")),
        ("4096", "4069", ("invented", "number")),
        ("Decided", "Decided in calc/row.py", ("invented", "path")),
    ],
)
def test_a_fault_is_found(old: str, new: str, fault: tuple[str, str]) -> None:
    assert old in GOOD
    assert fault in found(GOOD.replace(old, new))
    assert score(SOURCE, GOOD.replace(old, new)).value < 1


def test_the_output_of_tools_need_not_be_kept_and_may_be() -> None:
    assert found(f"{GOOD} 17 warnings in other_tool.py.") == set()


def test_a_negation_elsewhere_does_not_stand_for_a_lost_one() -> None:
    assert ("lost", "negation") in found(GOOD.replace("Do not use", "Use") + " Nothing else was not clear.")


def test_a_measure_counts_as_it_was_taken_last() -> None:
    source = "user: make find_all fast\nassistant: find_all takes 90 ms then.\nassistant: find_all takes 71 ms."
    assert found("find_all takes 71 ms.", source) == set()
    assert found("find_all is fast.", source) == {("lost", "number")}


def test_a_question_that_was_answered_is_not_open() -> None:
    source = "assistant: Should it skip empty rows?\nuser: yes, skip them\nassistant: It skips them."
    assert found("It skips empty rows.", source) == set()
    assert found("It is done.", "assistant: Should it skip empty rows?\nuser: leave that open") == {
        ("lost", "question")
    }


def test_an_invention_weighs_more_than_a_loss() -> None:
    lost, invented = GOOD.replace("split_row", "it"), GOOD + " See join_row."
    assert score(SOURCE, invented).value < score(SOURCE, lost).value < 1


def test_facts_are_told_apart() -> None:
    text = "In src/a_b.py, line 12, parseRow() of Row.next_cell gives 1,024 of #1a4fa0 under HTTP/2 at v1.2."
    assert paths_of("src/a_b.py and lib/x and setup.cfg") == ["src/a_b.py", "lib/x", "setup.cfg"]
    assert {"parseRow", "Row.next_cell"} <= set(names_of(text)) and "a_b" not in names_of(text)
    assert {"12", "1024"} <= set(numbers_of(text)) and "4" not in numbers_of(text)


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_gets_a_score(source: str, summary: str) -> None:
    result = score(source, summary)
    assert 0 <= result.value <= 1 and result.ratio >= 0
    lost = [one for one in result.findings if one.fault == "lost"]
    assert len(lost) == sum(all - kept for kept, all in result.kept.values())
    assert all(isinstance(one, Finding) for one in result.findings)
    assert all(one.fault == "lost" for one in score(source, source).findings)
    assert all(one.fault == "lost" for one in score(source, "").findings)
