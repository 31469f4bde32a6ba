"""Markdown on a terminal: no word is lost, no line is too wide, and it does not matter in which pieces it came."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.cli.markdown import Page, lines
from optimizer.report.layout import cells

ANSWER = """# How it works

The function `parse_response` in calc/parse.py:4 splits **each part** of the text, see [the docs](https://x.org/a).

1. first, with a line that is long enough to be broken in two
2. second
   - inner

```python
def total(text):
    return sum(parse_response(text))  # all
```

| input | result |
|---|---|
| `1,2` | 3 |

> a note
the end
"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Title", ["# Title"]),
        ("one\ntwo", ["one", "two"]),
        ("see __init__.py and Vec<u8> and <b>", ["see __init__.py and Vec<u8> and <b>"]),
        ("<div>\nx\n</div>", ["<div>", "x", "</div>"]),
        ("[docs](https://x.org)", ["docs (https://x.org)"]),
        ("<https://x.org>", ["https://x.org"]),
        ("![a plan](x.png)", ["!a plan (x.png)"]),
        ("[a]: https://x.org", ["[a]: https://x.org"]),
        ("3. c\n4. d", ["3. c", "4. d"]),
        ("- a\n- b", [" • a", " • b"]),
        ("```py:calc/parse.py\nx = 1\n```", ["x = 1"]),
        ("```no-such-language\n  x\n```", ["  x"]),
        ("```\ncut", ["cut"]),
        ("a&#x202E;b &#13;&lt;", ["a\\u202eb \\u000d<"]),
    ],
)
def test_what_is_written_is_shown(text: str, shown: list[str]) -> None:
    assert lines(text, 40, colours=False) == shown


def test_code_has_colours_of_the_terminals_own_palette_and_no_background() -> None:
    text = "\n".join(lines(ANSWER, 80, colours=True))
    codes = {code for found in re.findall(r"\x1b\[([\d;]*)m", text) for code in found.split(";")}
    assert codes >= {"1", "35"}
    assert not {"38", *(str(code) for code in range(40, 49)), *(str(code) for code in range(100, 108))} & codes


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    assert max(map(cells, lines(ANSWER, columns, colours=False))) <= columns


def printed(pieces: list[str]) -> str:
    page = Page()
    return "".join([*(page.add(piece) for piece in pieces), page.end()])


@settings(max_examples=8)
@given(st.lists(st.integers(0, len(ANSWER)), max_size=12))
def test_an_answer_looks_the_same_in_whatever_pieces_it_came(cuts: list[int]) -> None:
    ends = sorted({0, len(ANSWER), *cuts})
    pieces = [ANSWER[begin:end] for begin, end in pairwise(ends)]
    assert printed(pieces) == printed([ANSWER])


MARKS = st.sampled_from([*"|`_<[)\n\u2028\x0c", "# ", "- ", "1. ", "> ", "```\n", "**", "](", "\n\n", "    "])
WORDS = st.from_regex(r"[a-z]{2,8}", fullmatch=True)


@settings(max_examples=12)
@given(st.lists(st.one_of(MARKS, WORDS.map(lambda word: f"{word} ")), max_size=30).map("".join))
def test_no_word_is_lost_and_nothing_fails(text: str) -> None:
    shown = "".join(line.strip() for line in printed([*text]).split("\n"))
    inside = re.sub(r"```.*", "", text)  # what follows there is the name of a language
    missing = [word for word in re.findall(r"[a-z]{2,8}", inside) if word not in shown]
    assert not missing


def test_a_finished_block_is_printed_at_once_and_the_next_one_is_seen_to_grow() -> None:
    page = Page()
    assert page.add("First block.") == ""
    assert page.tail(80, 10) == ["First block."]
    assert page.add("\n\nSecond ") == "First block.\n\n"
    assert page.add("block\n") == ""
    assert page.tail(80, 10) == ["Second block"]
    assert page.add("\r") == "" and page.add("\n\x07\r\n\r\n") == "Second block\n\n\\u0007\n\n"
    page.add("\n```python\n" + "x = 1\n" * 400)
    assert len(page.tail(80, 10)) == 10
    assert page.end().count("x = 1") == 400


def test_a_long_list_is_not_read_again_with_each_of_its_lines() -> None:
    begun = time.process_time()
    assert printed(["- a word\n"] * 800).count("a word") == 800
    assert time.process_time() - begun < 3
