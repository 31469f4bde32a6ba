"""The choice of context on small repositories: what comes first, and what always holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.context.budget import count_tokens
from optimizer.context.render import for_prompt
from optimizer.context.select import naive, select
from optimizer.index.files import find_root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.retrieval import Signal
from optimizer.settings import Settings
from optimizer.types import Context, ContextLimits, Query
from tests.conftest import IndexRepo
from tests.context.requests import REQUESTS

PYTHON = {
    "app/__init__.py": "from app.parser import parse_response\n",
    "app/parser.py": (
        '"""Reading what servers answer."""\n\nfrom app.wire import Header, split_header\n\n\n'
        "def parse_response(data):\n    header, body = split_header(data)\n    return Header(header), body\n\n\n"
        "def parse_request(data):\n    return data.decode()\n"
    ),
    "app/wire.py": (
        "class Header(dict):\n    def get_first(self, name):\n        return self.get(name)\n\n\n"
        "def split_header(data):\n    head, _, body = data.partition(b'\\r\\n\\r\\n')\n    return head, body\n"
    ),
    "app/client.py": (
        "from app.parser import parse_response\n\n\nclass Client:\n    retries = 3\n\n"
        "    def fetch(self, url):\n        return parse_response(self.send(url))\n\n"
        "    def send(self, url):\n        raise NotImplementedError\n"
    ),
    "app/colours.py": "RED = 'red'\n\n\ndef paint(text, colour=RED):\n    return f'{colour}:{text}'\n",
    "tests/test_parser.py": (
        "from app.parser import parse_response\n\n\ndef test_parse_response():\n    assert parse_response(b'')\n"
    ),
    "docs/parser.md": "# parse_response\n\nparse_response parses the response.\n",
    "vendor/parser.py": "def parse_response(data):\n    return data\n",
}
GO = {
    "go.mod": "module example.org/shop\n\ngo 1.22\n",
    "cart/cart.go": (
        "package cart\n\ntype Cart struct{ items []int }\n\nfunc (c *Cart) Total() int {\n\tsum := 0\n"
        "\tfor _, item := range c.items {\n\t\tsum += item\n\t}\n\treturn sum\n}\n"
    ),
    "ship/ship.go": 'package ship\n\nimport "example.org/shop/cart"\n\n'
    "func Ship(c *cart.Cart) error {\n\treturn nil\n}\n",
    "main.go": "package main\n\nfunc main() {}\n",
}
JAVASCRIPT = {
    "src/table.js": (
        "import { sortRows } from './sort.js';\n\n"
        "export class DataTable {\n  constructor(rows) {\n    this.rows = rows;\n  }\n\n"
        "  sortedBy(column) {\n    return sortRows(this.rows, column);\n  }\n}\n"
    ),
    "src/sort.js": "export function sortRows(rows, column) {\n"
    "  return [...rows].sort((a, b) => a[column] - b[column]);\n}\n",
    "src/theme.js": "export const theme = { dark: true };\n",
    "dist/table.min.js": "class DataTable{sortedBy(c){return c}}\n",
}


def chosen(index: Index, text: str, tokens: int = 3000, files: int = 12) -> Context:
    return select(Query(text), index, ContextLimits(tokens, files))


def holds(context: Context, index: Index, limits: ContextLimits) -> None:
    """What is true of every context."""
    assert context.tokens == count_tokens(for_prompt(context)) <= limits.max_tokens
    assert len({item.path for item in context.items}) <= limits.max_files
    assert len(context.files) <= limits.top
    seen: set[tuple[str, int]] = set()
    for item in context.items:
        lines = index.read(item.path).decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
        assert 1 <= item.start <= item.end <= len(lines)
        assert item.text == "\n".join(lines[item.start - 1 : item.end])
        numbers = {(item.path, number) for number in range(item.start, item.end + 1)}
        assert not numbers & seen
        seen |= numbers
        assert item.why
        assert item.text.strip()
    for one, two in pairwise(context.items):
        assert one.path != two.path or one.end < two.start
    order = list(dict.fromkeys(item.path for item in context.items))
    ranked = [file.path for file in context.files]
    assert [path for path in order if path in ranked] == [path for path in ranked if path in order]


@pytest.mark.parametrize(
    ("files", "text", "path", "symbol"),
    [
        (PYTHON, "refactor parse_response", "app/parser.py", "parse_response"),
        (PYTHON, "Client.fetch should retry", "app/client.py", "Client.fetch"),
        (PYTHON, "the response parser is slow", "app/parser.py", "parse_response"),
        (PYTHON, "paint text in another colour", "app/colours.py", "paint"),
        (GO, "Total of the cart is wrong for negative items", "cart/cart.go", "Cart.Total"),
        (GO, "panic in Ship", "ship/ship.go", "Ship"),
        (JAVASCRIPT, "DataTable.sortedBy ignores missing columns", "src/table.js", "DataTable.sortedBy"),
        (JAVASCRIPT, "sorting rows by column", "src/sort.js", "sortRows"),
    ],
)
def test_the_right_body_comes_first(
    index_repo: IndexRepo, files: dict[str, str], text: str, path: str, symbol: str
) -> None:
    index = index_repo(files)
    context = chosen(index, text)
    assert context.files[0].path == path
    assert any(item.path == path and item.symbol == symbol and item.kind == "body" for item in context.items)
    holds(context, index, ContextLimits(3000))


def test_reasons_say_what_was_found(index_repo: IndexRepo) -> None:
    context = chosen(index_repo(PYTHON), "refactor parse_response in app/parser.py")
    assert context.files[0].why[0] == Signal("named")
    assert Signal("defines", "parse_response") in context.files[0].why


def test_tests_documents_and_vendored_code_come_after(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    order = [file.path for file in chosen(index, "refactor parse_response").files]
    for later in ("tests/test_parser.py", "docs/parser.md", "vendor/parser.py"):
        assert order.index("app/parser.py") < order.index("app/client.py") < order.index(later)
    assert chosen(index, "the test of parse_response fails").files[0].path in ("tests/test_parser.py", "app/parser.py")


def test_what_the_code_calls_comes_as_signatures(index_repo: IndexRepo) -> None:
    filler = {f"app/other{number}.py": f"def other_{number}():\n    return {number}\n" * 40 for number in range(9)}
    context = chosen(index_repo(PYTHON | filler), "refactor parse_response", 260)
    assert any(item.path == "app/parser.py" and item.kind == "body" for item in context.items)
    called = [item for item in context.items if item.path == "app/wire.py"]
    assert any("split_header" in item.text for item in called)


def test_a_named_small_file_comes_whole(index_repo: IndexRepo) -> None:
    context = chosen(index_repo(PYTHON), "tidy up app/colours.py")
    whole = [item for item in context.items if item.path == "app/colours.py"]
    assert [(item.start, item.end, item.kind, item.why) for item in whole] == [(1, 5, "file", (Signal("named"),))]


def test_a_stack_trace_leads_to_its_lines(index_repo: IndexRepo) -> None:
    text = (
        'Crash\n  File "/srv/x/app/client.py", line 8, in fetch\n  File "/srv/x/app/wire.py", line 7, in split_header\n'
    )
    context = chosen(index_repo(PYTHON), text)
    assert context.files[0].path == "app/wire.py"
    assert context.items[0].path == "app/wire.py"
    assert {"app/wire.py", "app/client.py"} <= {item.path for item in context.items if item.kind == "body"}


def test_a_large_function_gives_the_lines_that_matter(index_repo: IndexRepo) -> None:
    lines = [f"    step_{number} = {number}\n" for number in range(900)]
    lines[600] = "    flush_the_queue()\n"
    index = index_repo({"big.py": "def everything():\n" + "".join(lines)})
    context = chosen(index, "flush_the_queue is called too late", 800)
    assert any(item.start <= 602 <= item.end for item in context.items)
    holds(context, index, ContextLimits(800))


BANK = {
    "bank/account.py": (
        "class Account:\n    currency = 'EUR'\n\n"
        "    def deposit(self, amount):\n        self.check(amount)\n        self.balance += amount\n\n"
        "    def withdraw(self, amount):\n        self.check(amount)\n        self.balance -= amount\n\n"
        "    def check(self, amount):\n        if amount <= 0:\n            raise ValueError(amount)\n\n"
        "    def statement(self):\n" + "".join(f"        print('line {number}')\n" for number in range(60))
    ),
    "bank/branch.py": (
        "def open_branch(town):\n    return {'town': town}\n\n\ndef close_branch(branch):\n    branch.clear()\n"
    ),
    "bank/rates.py": "RATE = 3\n\n\ndef interest(balance):\n    return balance * RATE // 100\n",
}


@pytest.mark.parametrize(
    ("text", "tokens", "first", "absent"),
    [
        ("withdraw allows a negative balance", 170, {"Account.withdraw"}, {"Account.statement"}),
        (
            "Account.deposit and Account.withdraw round amounts",
            220,
            {"Account.deposit", "Account.withdraw"},
            {"open_branch"},
        ),
        ("interest is charged at the wrong rate", 150, {"interest"}, {"Account.statement"}),
        ("close_branch fails", 150, {"close_branch"}, {"Account.statement"}),
        ("the statement of an account repeats lines", 1200, {"Account.statement"}, set()),
    ],
)
def test_golden_bodies(index_repo: IndexRepo, text: str, tokens: int, first: set[str], absent: set[str]) -> None:
    index = index_repo(BANK)
    context = chosen(index, text, tokens)
    bodies = {item.symbol for item in context.items if item.kind == "body"}
    assert first <= bodies
    assert not absent & bodies
    holds(context, index, ContextLimits(tokens))


def test_blank_lines_join_what_they_part_and_come_by_themselves_never(index_repo: IndexRepo) -> None:
    index = index_repo(
        {"gaps.py": "class Gap:\n    x = 1\n\n    def a(self):\n        return self.x\n\n\n    y = 2\n\n"}
    )
    context = chosen(index, "Gap.a returns x")
    assert [(item.start, item.end) for item in context.items] == [(1, 3), (4, 7), (8, 8)]
    assert "\n7\t" not in for_prompt(context)
    holds(context, index, ContextLimits(3000))


def test_an_empty_repository_gives_an_empty_context(index_repo: IndexRepo) -> None:
    context = chosen(index_repo({}), "refactor parse_response")
    assert (context.items, context.files, context.tokens) == ((), (), 0)


@pytest.mark.parametrize("text", ["", "?", "the and of", "完全に無関係", "zzzzqqqq"])
def test_a_request_that_names_nothing_is_no_error(index_repo: IndexRepo, text: str) -> None:
    index = index_repo(PYTHON)
    holds(chosen(index, text), index, ContextLimits(3000))


def test_odd_files_do_no_harm(index_repo: IndexRepo) -> None:
    index = index_repo(
        {
            "latin.py": "# café\ndef parse_response():\n    pass\n".encode("latin-1"),
            "crlf.py": "def parse_response():\r\n    return 1\r\n",
            "binary.py": b"\x00\x01parse_response\x00",
            "empty.py": "",
            "one_line.py": "parse_response = 1",
            "form.py": "def parse_response():\n    a = '\x0c'\n    return a\u2028b\n",
        }
    )
    holds(chosen(index, "refactor parse_response"), index, ContextLimits(3000))


def test_a_file_that_vanished_since_is_passed_over(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    (index.root.path / "app/parser.py").unlink()
    context = chosen(index, "refactor parse_response")
    assert all(item.path != "app/parser.py" for item in context.items)


def test_the_number_of_files_is_kept(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    context = chosen(index, "parse_response", files=2)
    assert len({item.path for item in context.items}) == 2


def test_naive_sends_whole_files(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    context = naive(Query("refactor parse_response"), index, 5000)
    assert context.tokens == count_tokens(for_prompt(context)) <= 5000
    assert {item.kind for item in context.items} == {"file"}
    assert all(item.start == 1 for item in context.items)
    assert context.tokens > chosen(index, "refactor parse_response", 200).tokens
    cut = naive(Query("refactor parse_response"), index, 90)
    assert 0 < cut.tokens <= 90


# ── what always holds ────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def this_project(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Index]:
    """This very repository, indexed."""
    index = open_index(find_root(Path(__file__).parent), tmp_path_factory.mktemp("cache"))
    refresh(index, Settings(workers=1), lambda _: None)
    yield index
    index.close()


@pytest.mark.parametrize("tokens", [30, pytest.param(3500, marks=pytest.mark.slow)])
def test_real_requests_fit_their_budget(this_project: Index, tokens: int) -> None:
    assert len(REQUESTS) >= 30
    for text in REQUESTS[:: 1 if tokens == 3500 else 9]:
        holds(select(Query(text), this_project, ContextLimits(tokens)), this_project, ContextLimits(tokens))


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["parse", "index", "`Words`", "rename", "Limits.top", "optimizer/db.py", "of"]),
        max_size=9,
    ),
    st.integers(0, 3000),
    st.integers(1, 6),
)
def test_any_request_and_limits(this_project: Index, words: list[str], tokens: int, files: int) -> None:
    limits = ContextLimits(tokens, files, 5)
    query = Query(" ".join(words))
    context = select(query, this_project, limits)
    holds(context, this_project, limits)
    assert select(query, this_project, limits).items == context.items


def test_signatures_of_what_the_chosen_bodies_call_are_sent(index_repo: IndexRepo) -> None:
    filler = "".join(f"    magnitude += {n} * magnitude\n" for n in range(300))
    index = index_repo(
        {
            "app/start.py": "def run_everything(load):\n    return compute_magnitude(load)\n",
            "far/away.py": f"def compute_magnitude(\n    magnitude,\n):\n{filler}    return magnitude\n",
            "far/common.py": "def compute_nothing():\n    return None\n",
        }
    )
    (called,) = (item for item in chosen(index, "refactor run_everything", 700).items if item.path == "far/away.py")
    assert (called.start, called.end, called.symbol, called.kind) == (1, 3, "compute_magnitude", "signature")
    assert called.why == (Signal("called", "run_everything"),)


# ── kept on disk ─────────────────────────────────────────────────────────────────────────────────


def test_a_context_is_kept_and_found_again(index_repo: IndexRepo, tmp_path: Path) -> None:
    index = index_repo(PYTHON)
    first = select(Query("refactor parse_response"), index, ContextLimits(2000), tmp_path)
    again = select(Query("refactor parse_response"), index, ContextLimits(2000), tmp_path)
    assert "cached" in again.timing_ms and "cached" not in first.timing_ms
    assert (again.items, again.files, again.tokens) == (first.items, first.files, first.tokens)
    assert "cached" not in select(Query("refactor parse_response"), index, ContextLimits(1999), tmp_path).timing_ms
    assert "cached" not in select(Query("refactor", "parse_response"), index, ContextLimits(2000), tmp_path).timing_ms


def test_a_changed_tree_is_chosen_from_anew(index_repo: IndexRepo, tmp_path: Path) -> None:
    index = index_repo(PYTHON)
    query = Query("refactor parse_response")
    select(query, index, ContextLimits(2000), tmp_path)
    (index.root.path / "app/parser.py").write_text("def parse_response():\n    return 'new'\n")
    refresh(index, Settings(workers=1), lambda _: None)
    fresh = select(query, index, ContextLimits(2000), tmp_path)
    assert any("'new'" in item.text for item in fresh.items)


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"query": 1}', b"\xff\xfe", b'{"query":"q","tokens":1,"files":[],"items":[{}]}']
)
def test_a_damaged_entry_is_replaced(index_repo: IndexRepo, tmp_path: Path, damage: bytes) -> None:
    index = index_repo(PYTHON)
    query = Query("refactor parse_response")
    first = select(query, index, ContextLimits(2000), tmp_path / "kept")
    (entry,) = (tmp_path / "kept" / "context").iterdir()
    entry.write_bytes(damage)
    again = select(query, index, ContextLimits(2000), tmp_path / "kept")
    assert again.items == first.items
    assert json.loads(entry.read_bytes())["tokens"] == first.tokens


def test_a_cache_that_cannot_be_written_is_done_without(index_repo: IndexRepo, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert select(Query("refactor parse_response"), index_repo(PYTHON), ContextLimits(2000), blocked).items
