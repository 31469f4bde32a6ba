"""Answers from real indexes of small repositories in several languages."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from optimizer.index.reader import Index
from optimizer.lookup.answer import answer
from optimizer.lookup.ask import parse_lookup
from optimizer.lookup.names import nearest
from optimizer.lookup.questions import Lookup, LookupResult, lines_of
from tests.conftest import IndexRepo

PYTHON = {
    "shop/__init__.py": "",
    "shop/cart.py": (
        '"""Carts."""\n\nimport json\n\nfrom shop.price import total_price\n\n\n'
        "class Cart:\n    def add(self, item):\n        self.items.append(item)\n\n"
        "    def total(self):\n        return total_price(self.items)\n"
    ),
    "shop/price.py": (
        "RATE = 2\n\n\ndef total_price(items):\n    return sum(items) * RATE\n\n\ndef idle():\n    return 0\n"
    ),
    "shop/order.py": (
        "from shop.cart import Cart\nfrom shop.price import total_price\n\n\n"
        "def place(items):\n    cart = Cart()\n    for item in items:\n        cart.add(item)\n"
        "    check = total_price(items)\n    return cart.total(), check, total_price([])\n"
    ),
}
GO = {
    "go.mod": "module example.org/app\n\ngo 1.22\n",
    "main.go": 'package main\n\nimport "example.org/app/store"\n\nfunc main() {\n\tstore.Open("x")\n}\n',
    "store/store.go": (
        "package store\n\ntype Store struct{ Name string }\n\n"
        "func Open(name string) *Store {\n\treturn &Store{Name: name}\n}\n\n"
        "func (s *Store) Close() error {\n\treturn nil\n}\n"
    ),
}
JAVASCRIPT = {
    "src/index.js": (
        "import { parseRow } from './rows.js';\n\n"
        "export function load(text) {\n  return text.split(';').map(parseRow);\n}\n"
    ),
    "src/rows.js": "export function parseRow(row) {\n  return row.split(',');\n}\n\n"
    "export class RowWriter {\n  write(row) {\n    return row;\n  }\n}\n",
}


class Said(NamedTuple):
    """The lines of an answer, and whether its subject was found."""

    lines: tuple[str, ...]
    found: bool


def answered(index: Index, text: str) -> LookupResult:
    lookup = parse_lookup(text)
    assert lookup is not None
    return answer(lookup, index)


def remarks(index: Index, text: str) -> tuple[str, ...]:
    """The lines of an answer that are no place in the code."""
    return tuple(row.text for row in answered(index, text).citations if not row.path)


def ask(index: Index, text: str) -> Said:
    lookup = parse_lookup(text)
    assert lookup is not None
    answered = answer(lookup, index)
    return Said(lines_of(answered.citations), answered.found)


def test_where_a_python_method_stands(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    found = ask(index, "where is Cart.total")
    assert found == (("shop/cart.py:12  method def total(self)",), True)
    assert ask(index, "find shop.cart.Cart.total") == found
    assert ask(index, "find total_price").lines == ("shop/price.py:4  function def total_price(items)",)
    assert ask(index, "where is price.py").lines[0].startswith("shop/price.py:1")


def test_where_in_go_and_javascript(index_repo: IndexRepo) -> None:
    index = index_repo(GO | JAVASCRIPT)
    assert ask(index, "where is Open").lines[0].startswith("store/store.go:5  function func Open(name string)")
    assert ask(index, "find parseRow").lines[0].startswith("src/rows.js:1  function ")
    assert ask(index, "where is RowWriter.write").lines[0].startswith("src/rows.js:6  method ")


def test_show_gives_the_numbered_source(index_repo: IndexRepo) -> None:
    lines = ask(index_repo(PYTHON), "show total_price").lines
    assert lines == (
        "shop/price.py:4  function def total_price(items)",
        "    4  def total_price(items):",
        "    5      return sum(items) * RATE",
    )


def test_show_a_file(index_repo: IndexRepo) -> None:
    lines = ask(index_repo(PYTHON), "show shop/price.py").lines
    assert lines[0].startswith("shop/price.py:1  file")
    assert "    1  RATE = 2" in lines


def test_list_by_kind_and_folder(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    assert ask(index, "list functions in shop/price.py").lines == (
        "shop/price.py:4  function def total_price(items)",
        "shop/price.py:8  function def idle()",
    )
    assert [line.split()[1] for line in ask(index, "list classes in shop").lines] == ["class"]
    nothing = ask(index, "list classes in shop/price.py")
    assert nothing.found and len(nothing.lines) == 1 and "shop/price.py" in nothing.lines[0]
    assert remarks(index, "list classes in shop/price.py") == nothing.lines


def test_callers_are_grouped_by_what_encloses_them(index_repo: IndexRepo) -> None:
    lines = ask(index_repo(PYTHON), "who calls total_price").lines
    assert "shop/order.py:9  in place (also 10): check = total_price(items)" in lines
    assert any(line.startswith("shop/cart.py:13  in Cart.total") for line in lines)
    assert not any("price.py:4 " in line for line in lines)


def test_what_is_not_shown_is_said(index_repo: IndexRepo) -> None:
    calls = "".join(f"def user_{number}():\n    total_price([])\n    total_price([])\n" for number in range(600))
    many = {f"many/m{number:03}.py": "" for number in range(230)}
    index = index_repo(PYTHON | {"big.py": calls} | many)
    lines = ask(index, "who calls total_price").lines
    assert "1,000" in lines[-1] and remarks(index, "who calls total_price") == lines[-1:]
    (more,) = remarks(index, "where is many")
    assert "30" in more


def test_unused_is_said_so(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    found = ask(index, "who calls idle")
    assert found.found
    assert found.lines[0].startswith("shop/price.py:8") and len(found.lines) == 2
    (unused,) = remarks(index, "who calls idle")
    assert "idle" in unused
    assert not remarks(index, "who calls total_price"), "which is used"


def test_imports_both_ways(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON | GO | JAVASCRIPT)
    assert [line.split()[0] for line in ask(index, "what imports shop/price.py").lines] == [
        "shop/cart.py:5",
        "shop/order.py:2",
    ]
    assert ask(index, "who imports json").lines[0].startswith("shop/cart.py:3  json")
    targets = {row.text: row.target for row in answered(index, "what does shop/cart.py import").citations}
    assert targets == {"json": "", "shop.price": "shop/price.py"}
    assert any("→ shop/price.py" in line for line in ask(index, "imports of shop/cart.py").lines)
    assert ask(index, "what imports src/rows.js").lines[0].startswith("src/index.js:1")
    assert any("store/store.go" in line for line in ask(index, "what does main.go import").lines)
    (unimported,) = remarks(index, "what imports shop/order.py")
    assert "shop/order.py" in unimported and ask(index, "what imports shop/order.py") == ((unimported,), True)


def test_what_is_missing_is_said_with_the_nearest_names(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    missing = ask(index, "where is total_prise")
    assert not missing.found
    assert "total_prise" in missing.lines[0] and missing.lines[0] in remarks(index, "where is total_prise")
    assert "shop/price.py:4  function def total_price(items)" in missing.lines
    file = ask(index, "what does shop/prices.py import")
    assert not file.found
    assert "shop/price.py:1  file" in file.lines


def test_defined_elsewhere_than_asked(index_repo: IndexRepo) -> None:
    missing = ask(index_repo(PYTHON), "where is total_price in shop/cart.py")
    assert not missing.found
    assert missing.lines[1:] and missing.lines[2].startswith("shop/price.py:4")


def test_an_empty_repository_has_nothing(index_repo: IndexRepo) -> None:
    index = index_repo({})
    for text in (
        "where is X1",
        "show X1",
        "list functions in x.py",
        "who calls X1",
        "what imports x.py",
        "imports of x",
    ):
        assert not ask(index, text).found


@pytest.mark.parametrize(("wanted", "best"), [("parse_respnse", "parse_response"), ("OpenIndex", "open_index")])
def test_nearest_spelling(wanted: str, best: str) -> None:
    assert nearest(wanted, ["close", "open_index", "parse_request", "parse_response", "zebra"])[0] == best


def test_nothing_is_near_enough() -> None:
    assert nearest("qqqq", ["alpha", "beta"]) == ()


def test_uses_are_narrowed_to_a_file_or_a_folder(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)

    def used_in(within: str) -> set[str]:
        found = answer(Lookup("callers", "total_price", within=within), index)
        return {row.path for row in found.citations if row.path}

    assert used_in("") == {"shop/cart.py", "shop/order.py"}
    assert used_in("shop/cart.py") == {"shop/cart.py"}
    assert used_in("shop") == {"shop/cart.py", "shop/order.py"}
    nowhere = answer(Lookup("callers", "total_price", within="shop/__init__.py"), index)
    assert nowhere.found
    assert {(row.path, row.line) for row in nowhere.citations if row.path} == {("shop/price.py", 4)}
