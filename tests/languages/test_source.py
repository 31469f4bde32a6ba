"""One file is parsed once, whatever is read of it."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest

from optimizer.languages import blocks, syntax
from optimizer.languages import source as source_module
from optimizer.languages.source import Source
from optimizer.languages.table import language_of

GO = b'package shop\n\nimport "fmt"\n\nfunc Total() int {\n\tfmt.Println(1)\n\treturn Price()\n}\n'
CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"), key=lambda path: path.name)


def test_a_file_is_parsed_once_whatever_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    parses = 0
    original = syntax.root_of

    def counted(*arguments: object) -> object:
        nonlocal parses
        parses += 1
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(syntax, "root_of", counted)
    source = Source("shop.go", GO)
    assert parses == 0
    assert [symbol.name for symbol in source.symbols] == ["Total"]
    assert [one.module for one in source.imports] == ["fmt"]
    assert (source.error_count, source.error_lines, source.unbalanced) == (0, (), ())
    assert [(place.line, place.kind) for place in source.occurrences("Price")] == [(7, "call")]
    assert [(place.line, place.kind) for place in source.occurrences("Total")] == [(5, "definition")]
    assert source.occurrences("Nothing") == ()
    assert parses == 1


def test_errors_are_counted_with_their_lines() -> None:
    source = Source("shop.go", GO + b"\nfunc {\n")
    assert source.error_count
    assert source.error_lines == (10,)
    assert source.unbalanced == ("{}",)
    assert [symbol.name for symbol in source.symbols] == ["Total"]


@pytest.mark.parametrize("path", ["notes.txt", "x.unknown"])
def test_without_a_grammar_nothing_is_found(path: str) -> None:
    source = Source(path, b"def f(: (")
    assert source.language is None and source.root is None
    assert (source.symbols, source.imports, source.occurrences("f"), source.unbalanced) == ((), (), (), ())
    assert (source.error_count, source.error_lines) == (None, None)


def test_errors_in_data_say_nothing() -> None:
    source = Source("x.json", b'{"a": 1, "b"')
    assert (source.error_count, source.error_lines, source.unbalanced) == (None, None, ())
    assert source.occurrences("a") == ()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_reads_the_same_whatever_is_read_first(path: Path) -> None:
    case = tomllib.loads(path.read_text("utf-8"))
    data, name = case["source"].encode(), case["occurrences"]["name"]
    one, other = Source(case["path"], data), Source(case["path"], data)
    found = one.symbols, one.imports, one.error_lines, one.occurrences(name)
    assert (other.occurrences(name), other.error_lines, other.imports, other.symbols) == found[::-1]


def test_a_page_that_takes_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "MOST_SECONDS", 0.01)
    page = Source("a.html", b"<!--" * 5_000)
    assert (page.symbols, page.root, page.too_slow) == ((), None, True)
    assert not Source("a.html", b"<p>\n" * 100).too_slow


def test_expressions_that_never_end_are_passed_over_soon() -> None:
    page = language_of("a.html")
    begun = time.process_time()
    assert page is not None and blocks.unread(b"{{ " * 20_000 + b"a }}", page).strip() == b"a"
    assert time.process_time() - begun < 3
