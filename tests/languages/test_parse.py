"""Bytes → symbols, imports and occurrences: one case file a language, then whatever bytes there may be."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.languages import syntax, table
from optimizer.languages.source import Source
from optimizer.languages.table import LANGUAGES, Language, installed_names, is_installed, language_of
from optimizer.retrieval import SymbolKind

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"), key=lambda path: path.name)
EXTENSIONS = [language.extensions[0] for language in LANGUAGES if is_installed(language)]


def has_grammar(path: str) -> bool:
    language = language_of(path)
    return language is not None and is_installed(language)


READABLE = [path for path in CASES if has_grammar(tomllib.loads(path.read_text("utf-8"))["path"])]


def load(path: Path) -> dict[str, Any]:
    case = tomllib.loads(path.read_text("utf-8"))
    if not has_grammar(case["path"]):
        pytest.skip(f"the grammar of {path.stem} is not installed: pip install '.[languages]'")
    return case


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
class TestCase:
    def test_symbols(self, path: Path) -> None:
        case = load(path)
        parsed = Source(case["path"], case["source"].encode())
        found = [
            [symbol.kind, symbol.qualified, f"{symbol.start}-{symbol.end}", symbol.signature, symbol.doc]
            for symbol in parsed.symbols
        ]
        assert found == case["symbols"]

    def test_symbols_stand_where_they_say(self, path: Path) -> None:
        case = load(path)
        lines = case["source"].splitlines()
        for symbol in Source(case["path"], case["source"].encode()).symbols:
            assert symbol.path == case["path"]
            assert symbol.start <= symbol.line <= symbol.end <= len(lines)
            assert symbol.name in lines[symbol.line - 1]
            assert symbol.qualified == (f"{symbol.parent}.{symbol.name}" if symbol.parent else symbol.name)

    def test_imports(self, path: Path) -> None:
        case = load(path)
        parsed = Source(case["path"], case["source"].encode())
        found = [[str(item.line), item.kind, item.module, " ".join(item.names)] for item in parsed.imports]
        assert found == case["imports"]

    def test_occurrences(self, path: Path) -> None:
        case = load(path)
        name = case["occurrences"]["name"]
        data = case["source"].encode()
        found = Source(case["path"], data).occurrences(name)
        assert [f"{item.line} {item.kind}" for item in found] == case["occurrences"]["found"]
        assert all(data[item.start : item.end] == name.encode() for item in found)

    def test_windows_line_ends_change_nothing(self, path: Path) -> None:
        case = load(path)
        unix = Source(case["path"], case["source"].encode())
        windows = Source(case["path"], case["source"].replace("\n", "\r\n").encode())
        assert windows.symbols == unix.symbols
        assert windows.imports == unix.imports

    def test_every_prefix_parses(self, path: Path) -> None:
        case = load(path)
        data = case["source"].encode()
        for end in range(0, len(data), 97):
            parsed = Source(case["path"], data[:end])
            assert all(symbol.end <= data.count(b"\n") + 1 for symbol in parsed.symbols)


def test_every_language_has_a_case_and_a_query() -> None:
    covered = {
        language.name for path in CASES if (language := language_of(tomllib.loads(path.read_text("utf-8"))["path"]))
    }
    assert covered == {language.name for language in LANGUAGES}
    queries = Path(syntax.__file__).parent / "queries"
    shared = {"ecmascript", "jsx"}
    assert {language.name for language in LANGUAGES} == {path.stem for path in queries.glob("*.scm")} - shared


CAPTURE = re.compile(
    r"@(definition\.\w+|reference(?:\.import|\.call)?|ignore|wide|line|inner|name|body|head|scope|callee|arguments)(?![\w.])"
)


@pytest.mark.parametrize("language", [row for row in LANGUAGES if is_installed(row)], ids=lambda row: row.name)
def test_queries_hold_known_captures_and_no_predicates_but_settings(language: Language) -> None:
    patterns = syntax.patterns_of(language.name)
    queries = syntax.grammar(language.name).query, syntax.names_query(language.name)
    assert len(patterns) == sum(query.pattern_count for query in queries)
    for query in queries:
        assert not any(query.pattern_assertions(number) for number in range(query.pattern_count))
    text = "".join(patterns)
    assert set(re.findall(r"\(#([\w?!-]+)", text)) <= {"set!"}
    assert text.count("@") - text.count('"@"') == len(CAPTURE.findall(text))
    kinds = {name.partition(".")[2] for name in CAPTURE.findall(text) if name.startswith("definition.")}
    assert kinds <= {*get_args(SymbolKind), "impl"}


def test_a_query_holds_the_patterns_that_it_inherits() -> None:
    assert syntax.patterns_of("cpp")[: len(c := syntax.patterns_of("c"))] == c
    shared = {*syntax.patterns_of("ecmascript")}
    assert shared < {*syntax.patterns_of("typescript")} < {*syntax.patterns_of("tsx")}
    assert shared < {*syntax.patterns_of("javascript")}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.py", "python"),
        ("stub.pyi", "python"),
        ("wscript", "python"),
        ("x.mjs", "javascript"),
        ("x.jsx", "javascript"),
        ("x.d.ts", "typescript"),
        ("x.tsx", "tsx"),
        ("Rakefile", "ruby"),
        ("x.H", "c"),
        ("x.CC", "cpp"),
        ("x.php", "php"),
        ("a/B.cs", "csharp"),
        ("build.gradle.kts", "kotlin"),
        ("build.sbt", "scala"),
        ("mix.exs", "elixir"),
        (".bashrc", "bash"),
        ("README.md", "markdown"),
        ("look.ipynb", "notebook"),
        ("Dockerfile.prod", "dockerfile"),
        ("GNUmakefile", "make"),
    ],
)
def test_language_by_name(path: str, name: str) -> None:
    language = language_of(path)
    assert language is not None
    assert language.name == name


@pytest.mark.parametrize(
    ("first", "name"),
    [
        ("#!/usr/bin/env python3", "python"),
        ("#!/usr/bin/python3.11 -u", "python"),
        ("#! /usr/bin/env -S uv run --script", "python"),
        ("#!/bin/sh", "bash"),
        ("#!/usr/bin/env node", "javascript"),
        ("#!/usr/bin/env PYTHONPATH=. ruby", "ruby"),
        ("#!/usr/bin/perl", ""),
        ("#!", ""),
        ("# python", ""),
    ],
)
def test_a_script_without_an_ending_is_of_the_language_that_its_first_line_names(first: str, name: str) -> None:
    language = Source("bin/run", f"{first}\n".encode()).language
    assert (language.name if language else "") == (name if not name or has_grammar(f"x{_ending(name)}") else "")


def _ending(name: str) -> str:
    return next(language.extensions[0] for language in LANGUAGES if language.name == name)


@pytest.mark.parametrize("path", ["README", "x.txt", "x", ".py", "py", "dir.py/file"])
def test_no_language(path: str) -> None:
    assert language_of(path) is None
    assert Source(path, b"def f(): pass").symbols == ()
    assert Source(path, b"(").error_count is None
    assert Source(path, b"(").error_lines is None
    assert Source(path, b"f").occurrences("f") == ()


def test_headers_are_c_until_they_look_like_more() -> None:
    assert Source("x.h", b"struct a { int b; };\n").language == language_of("x.c")
    assert Source("x.h", b"  template <typename T> struct A { T t; };\n").language == language_of("x.cpp")


@given(extension=st.sampled_from(EXTENSIONS), data=st.binary(max_size=400))
@settings(max_examples=300)
def test_any_bytes(extension: str, data: bytes) -> None:
    parsed = Source(f"x{extension}", data)
    assert parsed.language
    assert (parsed.error_count or 0) >= len(parsed.error_lines or ())


@pytest.mark.slow
@given(
    path=st.sampled_from(READABLE),
    cuts=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=6)), min_size=1, max_size=4),
)
@settings(max_examples=200)
def test_any_damage(path: Path, cuts: list[tuple[int, int, bytes]]) -> None:
    case = load(path)
    data = case["source"].encode()
    for start, length, instead in cuts:
        data = data[:start] + instead + data[start + length :]
    last = data.count(b"\n") + 1
    for symbol in Source(case["path"], data).symbols:
        assert 1 <= symbol.start <= symbol.line <= symbol.end <= last
        assert len(symbol.signature) <= 200
        assert "\n" not in symbol.signature + symbol.doc + symbol.name
    for found in Source(case["path"], data).occurrences(case["occurrences"]["name"]):
        assert data[found.start : found.end].decode() == case["occurrences"]["name"]


@pytest.mark.slow
@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("unit", [b"(", b"[", b"{", b"a(", b"module A\n", b"if(a){", b"\0", b"\xff"], ids=repr)
def test_deep_nesting_ends_soon(extension: str, unit: bytes) -> None:
    begin = time.process_time()
    Source(f"x{extension}", unit * 5_000)
    assert time.process_time() - begin < 10


@pytest.mark.parametrize("extension", [row.extensions[0] for row in LANGUAGES if row.outline and is_installed(row)])
@pytest.mark.parametrize("unit", [b"- ", b"? ", b"- ? ", b"> ", b"k: {", b"# h\n"], ids=repr)
def test_deep_text_ends_soon(extension: str, unit: bytes) -> None:
    begin = time.process_time()
    for count in (150, 200, 300, 5_000):
        Source(f"x{extension}", unit * count)
        Source(f"x{extension}", b"".join(b" " * depth + unit.strip() + b"\n" for depth in range(count % 1_000)))
    assert time.process_time() - begin < 10


@pytest.mark.slow
@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("source", [b"(" * 100_000, b"(" * 100_000 + b")" * 100_000, b"a{" * 50_000])
def test_a_hundred_thousand_brackets(extension: str, source: bytes) -> None:
    begin = time.process_time()
    Source(f"x{extension}", source)
    Source(f"x{extension}", source).occurrences("a")
    assert time.process_time() - begin < 40


def test_a_byte_order_mark_is_not_part_of_a_name() -> None:
    (symbol,) = Source("x.py", b"\xef\xbb\xbfdef first(): pass\n").symbols
    assert (symbol.name, symbol.line, symbol.signature) == ("first", 1, "def first()")


def test_invalid_utf8_is_replaced_in_what_is_shown() -> None:
    symbols = Source("x.py", b"def f(a='\xff'):\n    '''\xfe docs'''\n").symbols
    assert symbols[0].signature == "def f(a='\ufffd')"
    assert symbols[0].doc == "\ufffd docs"


def test_names_beyond_ascii() -> None:
    data = "def größe(): pass\ngröße()\ngrößer()\n".encode()
    assert Source("x.py", data).symbols[0].name == "größe"
    assert [(item.line, item.kind) for item in Source("x.py", data).occurrences("größe")] == [
        (1, "definition"),
        (2, "call"),
    ]


def test_long_signatures_are_cut() -> None:
    (symbol,) = Source("x.py", b"def f(" + b"argument, " * 1000 + b"): pass").symbols
    assert len(symbol.signature) == 200


def test_errors_are_counted_and_placed() -> None:
    broken = b"def f():\n    return (\n\ndef g(:\n    pass\n"
    assert Source("x.py", b"x = 1\n").error_count == 0
    assert Source("x.py", b"x = 1\n").error_lines == ()
    assert (Source("x.py", broken).error_count or 0) >= 1
    assert Source("x.py", broken).error_lines != ()
    assert Source("x.c", b"int f(void) { return 1 }\n").error_count == 1


def test_a_broken_file_still_tells_what_it_can() -> None:
    parsed = Source("x.py", b"def whole(): pass\n\nclass Broken(:\n    def inside(self): pass\n")
    assert "whole" in [symbol.name for symbol in parsed.symbols]


def test_definitions_below_any_number_of_statements_are_found() -> None:
    source = "def outer():\n"
    for depth in range(1, 30):
        source += "    " * depth + "if x:\n"
    source += "    " * 30 + "import deep\n" + "    " * 30 + "@mark\n" + "    " * 30 + "def inner(): pass\n"
    parsed = Source("x.py", source.encode())
    assert [(symbol.qualified, symbol.start, symbol.line) for symbol in parsed.symbols] == [
        ("outer", 1, 1),
        ("outer.inner", 32, 33),
    ]
    assert [item.module for item in parsed.imports] == ["deep"]


def test_words_in_strings_and_comments_are_no_occurrences() -> None:
    data = b"name = 'name'  # name\nf'{name}'\nrename = name_ = name\n"
    assert [item.start for item in Source("x.py", data).occurrences("name")] == [0, 25, 49]


def test_an_import_of_this_module_loads_no_grammar() -> None:
    code = "import sys; from optimizer.languages.source import Source; assert 'tree_sitter' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_outlines_take_no_part_in_names_and_checks() -> None:
    data = b".navbar { color: red; }\n}}}}\n"
    assert Source("x.css", data).occurrences("navbar") == ()
    assert Source("x.css", data).error_count is None
    assert Source("x.css", data).error_lines is None
    assert Source("Dockerfile", b"FROM (\n").error_count is None
    assert Source("x.json", b'{"a": 1' * 100_000).symbols == ()
    assert [symbol.kind for symbol in Source("x.json", b'{"a": {"b": 1}}').symbols] == ["section"]


def test_a_language_without_its_grammar_is_left_to_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Language("absent", (".absent",), "tree_sitter_not_installed")
    monkeypatch.setitem(table._BY_EXTENSION, ".absent", absent)
    assert language_of("x.absent") == absent
    assert not is_installed(absent)
    assert "absent" not in installed_names()
    assert (Source("x.absent", b"def f").language, Source("x.absent", b"def f").symbols) == (None, ())
    assert Source("x.absent", b"(").error_count is None
    assert Source("x.absent", b"f").occurrences("f") == ()


def test_an_elixir_module_is_found_by_the_end_of_its_name() -> None:
    data = b"defmodule Acme.Cart do\n  alias Acme.Cart.Item\n  def a, do: Acme.Cart.b(Cartel)\nend\n"
    if not has_grammar("x.ex"):
        pytest.skip("the grammar of elixir is not installed")
    assert [(item.line, item.kind) for item in Source("x.ex", data).occurrences("Cart")] == [
        (1, "definition"),
        (2, "import"),
        (3, "use"),
    ]
    assert [(item.line, item.kind) for item in Source("x.ex", data).occurrences("Acme")] == [
        (1, "use"),
        (2, "import"),
        (3, "use"),
    ]
