"""Notebooks: what is read of them keeps its byte offset in the file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.languages.source import Source, text_of

PATH = "look.ipynb"


def cell(*source: str, kind: str = "code", **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, **more, "source": list(source)}


def notebook(*cells: dict[str, Any], indent: int | None = 1, **metadata: Any) -> bytes:
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}, indent=indent).encode()


def line_of(data: bytes, text: str) -> int:
    return data[: data.index(text.encode())].count(b"\n") + 1


def test_a_definition_is_cited_where_it_stands_in_the_file() -> None:
    data = notebook(
        cell("# Title\n", "def prose(): pass", kind="markdown"),
        cell(
            "x = 1\n", "def first(a,\n", "          b):\n", '    """Docs."""\n', "    return a", outputs=["def no(): 1"]
        ),
        cell("def second():\n", "    return first(1, 2)"),
    )
    first, second = (symbol for symbol in Source(PATH, data).symbols if symbol.kind == "function")
    assert (first.name, first.start, first.end) == ("first", line_of(data, "def first"), line_of(data, "return a"))
    assert (first.signature, first.doc) == ("def first(a, b)", "Docs.")
    assert (second.name, second.line) == ("second", line_of(data, "def second"))


def test_names_are_found_at_their_bytes_in_the_file() -> None:
    data = notebook(cell('print("größe \\n\\t\\"größe")\n', "größe = größe(1)\n", "wide = 'größe'"))
    data = json.dumps(json.loads(data), indent=1, ensure_ascii=False).encode()
    found = Source(PATH, data).occurrences("größe")
    assert [data[item.start : item.end].decode() for item in found] == ["größe", "größe"]
    line = line_of(data, "größe =")
    assert [(item.line, item.kind) for item in found] == [(line, "definition"), (line, "call")]


def test_a_backslash_stays_before_what_it_escapes_or_at_the_end_of_its_line() -> None:
    data = notebook(cell("print('it\\'s')\n", "size = 1 + \\\n", "    2\n", "def last():\n", "    return size"))
    assert Source(PATH, data).error_count == 0
    assert [symbol.name for symbol in Source(PATH, data).symbols if symbol.kind == "function"] == ["last"]


def test_cells_do_not_run_into_each_other() -> None:
    data = notebook(cell("class A:\n", "    def f(self):\n", "        pass"))
    data = data.replace(b"\n ],", b',\n  {"cell_type": "code",\n   "source": "f = 1"}\n ],', 1)
    symbols = {symbol.qualified: symbol for symbol in Source(PATH, data).symbols}
    assert set(symbols) == {"A", "A.f", "f"}
    assert symbols["A"].end == line_of(data, "pass")


def test_commands_and_cells_for_other_programs_are_no_code() -> None:
    data = notebook(cell("%matplotlib inline\n", "!ls (\n", "def f(): pass"), cell("%%bash\n", "def g(): pass"))
    assert [symbol.name for symbol in Source(PATH, data).symbols] == ["f"]
    assert Source(PATH, data).error_count == 0


def test_a_cell_written_on_one_line_gives_words_only() -> None:
    data = notebook(cell("def f():\n", "    pass"), indent=None)
    assert Source(PATH, data).symbols == ()
    assert b"def f():" in text_of(PATH, data)
    one = notebook({"cell_type": "code", "source": "def f():\n    pass"})
    assert Source(PATH, one).symbols == ()
    assert b"def f():" in text_of(PATH, one)


def test_the_language_is_what_the_notebook_says() -> None:
    source = cell("function f() {}")
    assert [s.name for s in Source(PATH, notebook(source, language_info={"name": "JavaScript"})).symbols] == ["f"]
    assert [s.name for s in Source(PATH, notebook(source, kernelspec={"language": "javascript"})).symbols] == ["f"]
    assert Source(PATH, notebook(source, language_info={"name": "apl"})).language is None


def test_what_is_not_whole_json_is_broken() -> None:
    data = notebook(cell("def f(): pass"))[:-3]
    assert (Source(PATH, data).error_count or 0) > 0
    assert Source(PATH, data).error_lines
    assert Source(PATH, data).symbols == ()


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"1", b'{"cells": 1}', b'{"cells": [1, {}, {"source": 2}]}'])
def test_odd_notebooks(data: bytes) -> None:
    assert Source(PATH, data).symbols == ()
    assert len(text_of(PATH, data)) == len(data)


@given(
    sources=st.lists(st.lists(st.text(max_size=30), max_size=4), max_size=3),
    indent=st.sampled_from([None, 1, 4]),
    plain=st.booleans(),
)
@settings(max_examples=200)
def test_a_view_has_the_lines_and_length_of_the_file(sources: list[list[str]], indent: int | None, plain: bool) -> None:
    cells = [cell(*source) for source in sources]
    data = json.dumps({"cells": cells}, indent=indent, ensure_ascii=plain).encode("utf-8", "replace")
    view = text_of(PATH, data)
    assert len(view) == len(data)
    assert [len(line) for line in view.split(b"\n")] == [len(line) for line in data.split(b"\n")]
    last = data.count(b"\n") + 1
    for symbol in Source(PATH, data).symbols:
        assert 1 <= symbol.start <= symbol.line <= symbol.end <= last
