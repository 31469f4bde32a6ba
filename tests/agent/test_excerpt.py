"""A long text cut up for a summary: nothing is lost but what is told, and every bound on tokens holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optimizer.agent.excerpt import (
    FAILURE_LINE,
    MOST_PARTS,
    Part,
    SplitInput,
    cut_up,
    failing,
    middle,
    reports_failure,
    words_for,
)
from optimizer.agent.prompts import fit_query
from optimizer.context.budget import count_tokens
from optimizer.retrieval import Query
from tests.counted import calls

WORDS = st.sampled_from(
    ["request", "ok", "ERROR:", "user", "é", "表", "🙂", "0x1f", "17", "2026-11-21", "{}[]();", "status=500", " ", "\t"]
)
LINES = st.one_of(
    st.lists(WORDS, max_size=9).map(" ".join),
    st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=900),
    st.just("x" * 3_000),
)
TEXTS = st.tuples(st.lists(LINES, min_size=1, max_size=60), st.integers(1, 12)).map(
    lambda given: "\n".join(given[0] * given[1])
)
SUMMARY = "Requests of users fail with a status of 500 after ERROR: refused in calc/parse.py:7. " * 9

LAST = "ValueError: no number"


def put_together(excerpt: SplitInput, summaries: Sequence[str], by: str, space: int) -> str:
    text = middle(excerpt, summaries, by, space)
    return excerpt.around(text) if text else ""


def texts_of(excerpt: SplitInput) -> list[str]:
    return [excerpt.head.text, *(part.text for part in excerpt.parts), excerpt.tail.text]


@pytest.mark.slow
@given(TEXTS, st.integers(0, 900), st.integers(100, 700))
@settings(max_examples=60)
def test_parts_hold_the_whole_text_but_for_what_is_told(text: str, space: int, size: int) -> None:
    excerpt = cut_up(text, space, size)
    assert len(excerpt.parts) <= MOST_PARTS
    assert all(part.text and count_tokens(part.text) <= size for part in excerpt.parts)
    assert count_tokens(excerpt.head.text) + count_tokens(excerpt.tail.text) <= space
    assert sum(count_tokens(f"{line.start}: {line.text}\n") for line in excerpt.failures) <= space
    kept = "".join(texts_of(excerpt))
    assert excerpt.folded or excerpt.left_out is None
    assert excerpt.folded or kept == text.removesuffix("\n") + "\n"


@pytest.mark.slow
@given(
    st.lists(
        st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta", "rho"]), min_size=1, max_size=8),
        min_size=80,
        max_size=150,
    )
)
@settings(max_examples=30)
def test_each_line_is_kept_or_counted_with_one_like_it_or_told_as_left_out(rows: list[list[str]]) -> None:
    lines = [" ".join(row) for row in rows] * 4
    excerpt = cut_up("\n".join(lines), 120, 100)
    middle = lines[excerpt.head.end : excerpt.tail.start - 1]
    kept = "".join(part.text for part in excerpt.parts).split("\n")
    told = {line.partition(" (and ")[0]: line for line in kept}
    first_left, last_left = excerpt.left_out or (1, 0)
    for line, count in Counter(middle).items() if excerpt.folded else ():
        at = middle.index(line) + 1 + excerpt.head.end
        assert line in told or first_left <= at <= last_left
        if line in told and count > 1:
            last = max(number for number, one in enumerate(lines, 1) if one == line and number < excerpt.tail.start)
            assert re.findall(r"[\d,]*\d", told[line].removeprefix(line)) == [f"{count - 1:,}", f"{last:,}"]


@pytest.mark.slow
@given(TEXTS, st.integers(100, 900), st.integers(100, 700), st.lists(st.booleans(), min_size=MOST_PARTS))
@settings(max_examples=60)
def test_what_stands_in_for_the_text_fits(text: str, space: int, size: int, answers: list[bool]) -> None:
    excerpt = cut_up(text, space, size)
    assume(excerpt.parts)
    said = [SUMMARY * answered for answered, _ in zip(answers, excerpt.parts, strict=False)]
    put = put_together(excerpt, said, "a-model", space)
    assert count_tokens(put) <= space
    assert not put or (put.startswith(excerpt.head.text) and put.endswith(excerpt.tail.text))
    assert not put or any(said)
    if space > 600 and any(said) and len(excerpt.parts) < 4:
        assert SUMMARY[:17] in put
        assert ("left out" in put) == (not all(said) or excerpt.left_out is not None or "left out" in text)


def log(lines: int) -> str:
    rows = [
        f"12:00:{number % 60:02} INFO request {number} of user {number * 7} took {number % 90} ms"
        for number in range(lines)
    ]
    rows[lines // 3] = "12:00:20 ERROR db: connection 3 refused"
    rows[lines // 2] = '10.0.0.1 - - "GET /items/9" 500 12'
    rows[lines // 2 + 1] = '10.0.0.1 - - "GET /items/8" 200 12'
    return "\n".join([*rows, "Traceback (most recent call last):", LAST, ""])


@pytest.mark.slow
def test_a_log_of_many_lines_that_differ_in_numbers_is_one_part() -> None:
    excerpt = cut_up(log(30_000), 1_600, 5_000)
    assert excerpt.folded
    assert excerpt.left_out is None
    (part,) = excerpt.parts
    assert '" 500 12' in part.text
    assert '" 200 12' in part.text
    assert [line.start for line in excerpt.failures] == [10_001]
    assert excerpt.tail.text.endswith(f"{LAST}\n")
    assert excerpt.lines == 30_002


def test_what_is_told_of_the_lines_is_where_they_are() -> None:
    excerpt = cut_up("".join(f"{chr(97 + n % 26) * 9} {chr(97 + n // 26 % 26) * 9}\n" for n in range(600)), 500, 200)
    assert excerpt.left_out is not None
    assert len(excerpt.parts) == MOST_PARTS
    put = put_together(excerpt, ["said"] * MOST_PARTS, "a-model", 500)
    first, last = excerpt.left_out
    assert f"lines {first:,} to {last:,}: left out" in put
    assert excerpt.parts[0].start == excerpt.head.end + 1
    assert max(part.end for part in excerpt.parts) < excerpt.tail.start
    assert f"[… after line {excerpt.tail.start - 1} unchanged again …]" in put


def test_words_are_shared_between_parts() -> None:
    excerpt = SplitInput(9, Part(1, 1, "a\n"), (Part(2, 3, "b\n"), Part(4, 8, "c\n")), Part(9, 9, "d\n"))
    assert 100 < words_for(excerpt, 500) < 160
    put = put_together(excerpt, ["short", SUMMARY], "a-model", 300)
    assert "lines 2 to 3: short\n" in put
    assert 260 < count_tokens(put) <= 300


@given(st.from_regex(FAILURE_LINE, alphabet=st.characters(codec="ascii")))
def test_the_quick_look_passes_over_no_failure(line: str) -> None:
    assert reports_failure(line)


def test_of_a_log_of_failures_that_all_differ_some_are_counted() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    log = "\n".join(f"ERROR {a}{b}{c} is refused" for a in letters for b in letters for c in letters)
    assert calls(lambda: failing(log, 3_000))["count_tokens"] < 2_500


@pytest.mark.parametrize("said", [[""], ["words"]])
def test_without_words_or_room_nothing_stands_in(said: list[str]) -> None:
    excerpt = SplitInput(3, Part(1, 1, "a\n"), (Part(2, 2, "b\n"),), Part(3, 3, "d\n"))
    assert put_together(excerpt, said, "a-model", 20) == ""
    assert bool(put_together(excerpt, said, "a-model", 200)) == bool(said[0])


def test_a_middle_of_blanks_has_no_parts() -> None:
    excerpt = cut_up("first\n" + "\t \n" * 9_000 + "last\n", 200, 100)
    assert excerpt.parts == ()
    assert put_together(excerpt, [], "a-model", 200) == ""
    assert words_for(excerpt, 200) > 0


def test_what_is_set_in_after_a_failure_stays_with_it() -> None:
    report = "error[E0382]: borrow of moved value\n  --> src/main.rs:7:5\n   |\n 7 | x;\n   |     ^\n"
    lines = "".join(f"Compiling {chr(97 + n % 26) * 5}{chr(97 + n // 26) * 4}\n" for n in range(400))
    excerpt = cut_up(lines + report + lines + report + lines, 900, 800)
    (failure,) = excerpt.failures
    assert failure.text.startswith(report[: report.index("x;")])
    assert re.findall(r"\d+", failure.text)[-2:] == ["1", "809"]
    assert "\n401: error[E0382]" in put_together(excerpt, ["said"] * len(excerpt.parts), "a-model", 900)


def test_the_failures_of_a_log_survive_what_is_cut() -> None:
    lines = [f"INFO request {n} was served" for n in range(5000)]
    lines[2500] = "ERROR: refused"
    extra = fit_query(Query("why", "\n".join(lines)), 400).extra
    assert f"2501: {lines[2500]}" in extra
    assert extra.startswith(lines[0]) and extra.endswith(lines[-1] + "\n")
    assert count_tokens(extra) <= 400


@settings(max_examples=40)
@given(text=TEXTS, space=st.integers(1, 900))
def test_failures_between_a_beginning_and_an_end_fit(text: str, space: int) -> None:
    short = failing(text, space)
    assert count_tokens(short) <= space
    assert not short or re.search(r"^\d+: .*ERROR|status=500", short, re.MULTILINE)
