"""A context as text that models, Markdown and XML readers take as it is meant."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from optimizer.context.render import as_markdown, as_xml, for_prompt, inert
from optimizer.types import Context, ContextItem


def item(path: str, start: int, text: str, symbol: str = "") -> ContextItem:
    return ContextItem(path, start, start + text.count("\n"), symbol, "body", 0, 1.0, (), text)


def context(*items: ContextItem) -> Context:
    return Context("q", 0, (), items)


def test_each_line_has_its_number_and_each_file_its_path_once() -> None:
    text = for_prompt(context(item("a.py", 3, "x = 1\ny = 2"), item("a.py", 9, "z = 3"), item("b.py", 1, "w")))
    assert text.endswith("\n## a.py\n3\tx = 1\n4\ty = 2\n9\tz = 3\n\n## b.py\n1\tw\n")
    assert for_prompt(context()) == ""


def test_blank_lines_have_no_number_and_the_lines_after_them_keep_theirs() -> None:
    text = for_prompt(context(item("a.py", 3, "x = 1\n\n    \ny = 2")))
    assert text.endswith("\n## a.py\n3\tx = 1\n\n\n6\ty = 2\n")


def test_the_beginning_is_the_same_for_every_context() -> None:
    one, two = for_prompt(context(item("a.py", 1, "x"))), for_prompt(context(item("b.py", 5, "y")))
    first = one.split("\n## ", 1)[0]
    assert len(first) > 20
    assert two.startswith(first)


def test_a_fence_outlasts_the_fences_within() -> None:
    code = "```\ninner\n````\nmore"
    text = as_markdown(context(item("a.md", 1, code)))
    fence = re.search(r"^(`{3,})md\n", text, re.M)
    assert fence is not None
    assert len(fence[1]) == 5
    assert f"{fence[1]}md\n{code}\n{fence[1]}\n" in text


@given(st.text(max_size=200), st.text(min_size=1, max_size=40))
def test_xml_is_well_formed_and_gives_the_code_back(code: str, path: str) -> None:
    root = ElementTree.fromstring(as_xml(context(item(path, 1, code, "A<b>"))))
    lines = root.find("file/lines")
    assert lines is not None
    kept = re.sub("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", code)
    assert lines.text == f"\n{kept}\n"


@given(st.text(max_size=100))
def test_a_name_cannot_move_the_cursor_or_turn_the_text(name: str) -> None:
    shown = inert(name)
    assert shown.isprintable()


def test_ansi_and_direction_marks_are_shown_as_numbers() -> None:
    assert inert("a\x1b[31m\u202eb\n.py") == "a\\u001b[31m\\u202eb\\u000a.py"
    assert "\x1b" not in for_prompt(context(item("a\x1b.py", 1, "x")))
