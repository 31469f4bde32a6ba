"""Which questions the index answers, and which go to a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.lookup.ask import parse_lookup
from optimizer.lookup.questions import Lookup


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where is X", Lookup("where", "X")),
        ("Where is parse_reply defined?", Lookup("where", "parse_reply")),
        ("where's the function `open_index()`?", Lookup("where", "open_index")),
        ("find Index.read", Lookup("where", "Index.read")),
        ("where is Foo::bar", Lookup("where", "Foo::bar")),
        ("where is total in src/sum.py", Lookup("where", "total", within="src/sum.py")),
        ("show src/a.py:total", Lookup("show", "total", within="src/a.py")),
        ("show me the source of the class Parser", Lookup("show", "Parser")),
        ("show Gemfile", Lookup("show", "Gemfile")),
        ("list functions in src/a.py", Lookup("list", "functions", within="src/a.py")),
        ("list all the classes in `a.py`.", Lookup("list", "classes", within="a.py")),
        ("what symbols are defined in src/", Lookup("list", "symbols", within="src/")),
        ("who calls save?", Lookup("callers", "save")),
        ("callers of Store.save", Lookup("callers", "Store.save")),
        ("find all usages of save", Lookup("callers", "save")),
        ("where is save used in src/a.py", Lookup("callers", "save", within="src/a.py")),
        ("what imports src/a.py", Lookup("importers", "src/a.py")),
        ("who imports os.path", Lookup("importers", "os.path")),
        ("what does src/a.py import?", Lookup("imports", "src/a.py")),
        ("imports of main.go", Lookup("imports", "main.go")),
        ("rename old_name to new_name", Lookup("rename", "old_name", "new_name")),
        ("rename the parameter x of A.run to y", Lookup("rename", "A.run.x", "y", target="parameter")),
        ("rename argument `x` to y in src/a.py:run", Lookup("rename", "run.x", "y", "src/a.py", target="parameter")),
        ("rename local variable x in run to y", Lookup("rename", "run.x", "y", target="variable")),
        ("rename variable x to y in src/a.py", Lookup("rename", "x", "y", "src/a.py")),
        ("rename field debug of Config to verbose", Lookup("rename", "Config.debug", "verbose")),
        ("rename method A.run to start in src/a.py", Lookup("rename", "A.run", "start", "src/a.py")),
    ],
)
def test_questions_of_the_index(text: str, expected: Lookup) -> None:
    assert parse_lookup(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "find the bug in the parser",
        "show me how parsing works",
        "find bugs",
        "find dead code",
        "where is the config loaded",
        "where is it?",
        "rename the foo variable to something better",
        "rename foo to bar-baz",
        "rename parameter x to y",
        "rename the parameter of run to something better",
        "refactor parse_response",
        "who calls save and why",
        "list functions",
        "find X\nand then delete it",
        "where is a, b and c",
        "find " + "x" * 400,
    ],
)
def test_other_requests_are_left_to_a_model(text: str) -> None:
    assert parse_lookup(text) is None


@given(st.text(max_size=400))
def test_any_text_is_read_or_left(text: str) -> None:
    lookup = parse_lookup(text)
    assert lookup is None or (lookup.subject and "\n" not in lookup.subject)


@given(
    st.sampled_from(["where is", "find", "show", "who calls", "what imports"]),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{2,20}x9", fullmatch=True),
)
def test_any_identifier_can_be_asked_for(verb: str, name: str) -> None:
    lookup = parse_lookup(f"{verb} {name}?")
    assert lookup is not None
    assert lookup.subject == name
