"""Bodies that need not be parsed: what is left gives the same definitions and imports."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.languages.hollow import hollow
from optimizer.languages.source import read
from optimizer.languages.table import language_of

OURS = sorted((Path(__file__).parents[2] / "optimizer" / "index").rglob("*.py"))
LINES = (
    "value = compute(1, 2)",
    "if value:",
    "    value = other[value]",
    "# def commented(out):",
    "text = 'def nothing(): pass'",
    "text = '''",
    "def lower(): in a string",
    "'''",
    "def inner(first, second=(1, 2)):",
    "    return first",
    "class Local:",
    "import os",
    "    from . import sibling",
    "",
    "call(first,",
    "second)",
    "# a comment",
    "x = 1 + \\",
    "    2",
    "brackets = ')('",
    "type Alias = int",
    "return {",
    "}",
)


def both(path: str, source: str) -> tuple[object, object]:
    data = source.encode()
    return read(path, data), read(path, data, whole=False)


def blanked(path: str, source: str) -> str:
    language = language_of(path)
    assert language
    return hollow(source.encode(), language).decode()


def test_our_own_files_give_the_same_and_are_blanked() -> None:
    spared = 0
    for path in OURS:
        data = path.read_bytes()
        assert read("a.py", data, whole=False) == read("a.py", data), path
        language = language_of("a.py")
        assert language
        left = hollow(data, language)
        assert len(left) == len(data)
        assert [len(line) for line in left.split(b"\n")] == [len(line) for line in data.split(b"\n")]
        spared += left.count(b" ") - data.count(b" ")
    assert spared > 0.1 * sum(path.stat().st_size for path in OURS)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(LINES), max_size=12), st.lists(st.sampled_from(LINES), max_size=12), st.booleans())
def test_any_body_gives_the_same(first: list[str], second: list[str], in_class: bool) -> None:
    step = "    " if in_class else ""
    source = "class Outer:\n" if in_class else ""
    for name, body in (("one", first), ("two", second)):
        lines = [
            f"async def {name}(self):",
            '    """Says `what` it does."""',
            "    start = 1",
            *("    " + x for x in body),
        ]
        source += "".join(f"{step}{line}\n" for line in lines) + "\n"
    whole, part = both("a.py", source + "LAST = 1\n")
    assert part == whole


@pytest.mark.parametrize(
    ("path", "head", "inner", "tail"),
    [
        ("a.py", "def f(a, b=(1, 2)):\n", "    def inner():\n        return 1\n", ""),
        ("a.py", "def f():\n", "    import os\n", ""),
        ("a.c", "static int f(int a)\n{\n", "\tstruct local {\n\t\tint a;\n\t};\n", "}\n"),
        ("a.c", "int f(int a) {\n", "#define INNER 1\n", "}\n"),
        ("a.go", "package a\n\nfunc f(a int) int {\n", "\ttype inner struct {\n\t\ta int\n\t}\n", "}\n"),
    ],
)
def test_what_a_body_defines_is_found(path: str, head: str, inner: str, tail: str) -> None:
    filler = "\n".join(["    value = compute(value);", *["    value = compute(value);"] * 4]) + "\n"
    source = head + filler + inner + filler + tail
    whole, part = both(path, source)
    assert part == whole
    assert blanked(path, source) == source
    plain = head + filler + filler + tail
    whole, part = both(path, plain)
    assert part == whole
    assert "compute" not in blanked(path, plain)


def test_an_error_outside_of_bodies_is_seen_as_in_the_whole_file() -> None:
    body = "    value = compute(value)\n" * 5
    source = f"def f():\n{body}\ndef g(:\n{body}\nclass A:\n    def h(self):\n    {body.replace('    v', '        v')}"
    whole, part = both("a.py", source)
    assert part == whole


def test_a_function_that_a_macro_breaks_is_found() -> None:
    body = "\tfor_each_thing(thing, list) {\n\t\tif (thing->ok)\n\t\t\tbreak;\n\t}\n" * 3
    source = f"static int __init start(void)\n{{\n{body}\treturn 0;\n}}\n"
    rows = read("a.c", source.encode(), whole=False)[0]
    assert [(row[0], row[3], row[4]) for row in rows] == [("start", 1, source.count("\n"))]
