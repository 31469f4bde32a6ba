"""Ranking: what each signal puts first, that each has a reason, and the sum of learned trees."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.context import weights
from optimizer.context.files import FileLines
from optimizer.context.mentions import find_mentions
from optimizer.context.rank import explain, file_total, rank
from optimizer.context.weights import (
    AROUND_COLUMNS,
    FILE_COLUMNS,
    FILE_WEIGHTS,
    SHAPE_COLUMNS,
    UNIT_COLUMNS,
    UNIT_WEIGHTS,
)
from optimizer.index.reader import Index
from optimizer.index.refresh import refresh
from optimizer.report import evidence
from optimizer.settings import Settings
from tests.conftest import IndexRepo, git

PLAIN = {f"app/part{number}.py": f"def work_{number}():\n    return {number}\n" for number in range(8)}


def ranked(index: Index, text: str) -> list[str]:
    return [file.path for file in rank(find_mentions(text), index, FileLines(index)).files]


def commit(index: Index, message: str, *paths: str) -> None:
    """Change files, commit them, and bring the index up to date."""
    root: Path = index.root.path
    for path in paths:
        (root / path).write_text((root / path).read_text() + "\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    refresh(index, Settings(workers=1), lambda _: None)


def test_a_commit_that_said_the_same_leads_to_its_files(index_repo: IndexRepo) -> None:
    index = index_repo(PLAIN)
    commit(index, "Keep umlauts when exporting invoices", "app/part5.py")
    commit(index, "Faster start", "app/part2.py")
    assert ranked(index, "umlauts are lost in invoices again")[0] == "app/part5.py"


def test_files_that_change_together_come_along(index_repo: IndexRepo) -> None:
    index = index_repo(PLAIN)
    for number in range(3):
        commit(index, f"Step {number}", "app/part1.py", "app/part6.py")
    order = ranked(index, "work_1 is wrong")
    assert order[0] == "app/part1.py"
    (file,) = [file for file in explain("work_1 is wrong", index) if file.path == "app/part6.py"]
    assert file.columns["together"] == 1.0


def vendored(index: Index) -> bool:
    """Whether the file of dialects counts as written by others."""
    (file,) = [file for file in explain("quote names of a dialect", index) if file.path == "app/vendors/dialect.py"]
    return file.columns["factor"] == weights.KIND_FACTORS["vendored"]


def test_a_folder_called_vendors_that_changes_like_the_rest_was_written_here(index_repo: IndexRepo) -> None:
    index = index_repo(PLAIN | {"app/vendors/dialect.py": "def quote(dialect, names):\n    return dialect, names\n"})
    assert vendored(index)
    commit(index, "Another step", *PLAIN)
    assert vendored(index)
    commit(index, "Quote more", "app/vendors/dialect.py")
    assert not vendored(index)
    (index.root.path / "app/vendors/LICENSE").write_text("by others")
    commit(index, "Say who wrote it", "app/vendors/dialect.py")
    assert vendored(index)


def test_what_was_there_once_changes_no_score(index_repo: IndexRepo) -> None:
    asked = "the ledger books a refund twice"
    files = PLAIN | {
        "app/ledger.py": "def book(ledger, refund):\n    return ledger.add(refund)\n",
        "app/shop.py": "def sell(ledger):\n    return ledger.books('a refund')\n",
    }
    index = index_repo(files)
    before = explain(asked, index)
    past = index.root.path / "app" / "past.py"
    for number in range(12):
        past.write_text(f"def refund_{number}(ledger):\n    return 'refund', ledger, {number}\n")
        refresh(index, Settings(workers=1), lambda _: None)
    past.unlink()
    refresh(index, Settings(workers=1), lambda _: None)
    assert -1 in index.words().file_of
    assert explain(asked, index) == before


def test_without_history_the_rest_still_counts(index_repo: IndexRepo) -> None:
    index = index_repo(PLAIN)
    commits = index.root.path / ".git"
    commits.rename(index.root.path / "gone")
    refresh(index, Settings(workers=1), lambda _: None)
    assert ranked(index, "work_3 is wrong")[0] == "app/part3.py"


def test_every_signal_of_a_file_is_told(index_repo: IndexRepo) -> None:
    index = index_repo(PLAIN)
    files = explain("work_4 in app/part4.py is slow", index)
    assert [file.path for file in files] == ranked(index, "work_4 in app/part4.py is slow")
    assert set(files[0].columns) == set(FILE_COLUMNS)
    assert files[0].path == "app/part4.py"
    assert files[0].columns["named"] == 1.0
    assert files[0].columns["defines"] == 1.0
    assert all(0.0 <= files[0].columns[signal] <= 1.0 for signal in FILE_WEIGHTS)
    assert explain("", index) == ()


def test_signals_have_a_reason_in_words() -> None:
    assert {*FILE_WEIGHTS, *UNIT_WEIGHTS} <= {*evidence.PLAIN, *evidence.OF_SUBJECT}


@pytest.mark.parametrize("has_history", [False, True])
@pytest.mark.parametrize("is_question", [False, True])
def test_more_of_any_signal_never_lowers_a_file(is_question: bool, has_history: bool) -> None:
    evidence, shape = weights.file_lines(is_question=is_question, has_history=has_history)
    row = [0.1] * len(FILE_COLUMNS)
    total = file_total(evidence, shape, row)
    for place in range(len(FILE_WEIGHTS)):
        assert file_total(evidence, shape, [*row[:place], 1.0, *row[place + 1 :]]) >= total


@pytest.mark.parametrize("asked", ["total of a tray", "A total is wrong\n\nThe tray is full."])
def test_without_history_the_order_is_what_was_learned_without(index_repo: IndexRepo, asked: str) -> None:
    index = index_repo(PLAIN | {f"app/tray{n}.py": "def total(tray):\n" + "    tray.add(1)\n" * n for n in (1, 3, 9)})
    assert scored_as_learned(index, asked, has_history=False)
    assert not scored_as_learned(index, asked, has_history=True)
    commit(index, "Another step", "app/part2.py")
    assert scored_as_learned(index, asked, has_history=True)


def scored_as_learned(index: Index, asked: str, *, has_history: bool) -> bool:
    """Whether the scores of a request's files are those of the lines for such a repository."""
    files = explain(asked, index)
    lines = weights.file_lines(is_question="\n" not in asked, has_history=has_history)
    totals = [file_total(*lines, [file.columns[name] for name in FILE_COLUMNS]) for file in files]
    return [file.score for file in files] == pytest.approx(
        [math.exp(total - max(totals)) for total in totals], abs=1e-4
    )


def test_a_test_that_says_the_same_leads_to_what_it_tests(index_repo: IndexRepo) -> None:
    tests = {"tests/test_part3.py": "def test_umlauts_survive_the_invoice_export():\n    assert True\n"}
    index = index_repo({**PLAIN, **tests})
    files = {file.path: file for file in explain("umlauts survive no invoice export", index)}
    assert files["app/part3.py"].columns["tested"] == 1.0
    assert next(path for path in files if path.startswith("app/")) == "app/part3.py"


@pytest.mark.parametrize(
    ("test", "source"),
    [
        ("spec/shop/cart_spec.rb", "lib/shop/cart.rb"),
        ("pkg/cart_test.go", "pkg/cart.go"),
        ("src/test/java/shop/CartTest.java", "src/main/java/shop/Cart.java"),
        ("web/test/cart.test.js", "web/src/cart.js"),
    ],
)
def test_tests_are_named_after_files_in_many_ways(index_repo: IndexRepo, test: str, source: str) -> None:
    index = index_repo({**PLAIN, test: "zebras eat okapis\n", source: "nothing\n", "other/basket.js": "nothing\n"})
    columns = {file.path: file.columns for file in explain("zebras eat okapis", index)}
    assert columns[source]["tested"] == 1.0


def test_the_first_line_is_looked_for_in_messages_by_itself(index_repo: IndexRepo) -> None:
    index = index_repo(PLAIN)
    commit(index, "Keep umlauts when exporting invoices", "app/part5.py")
    commit(index, "Zebras, okapis and quaggas in the cache of pages", "app/part2.py")
    text = "umlauts are lost in invoices\n\nOur cache of pages has zebras, okapis and quaggas."
    files = {file.path: file.columns for file in explain(text, index)}
    assert files["app/part5.py"]["title_messages"] == 1.0
    assert files["app/part2.py"]["title_messages"] == 0.0
    assert files["app/part2.py"]["messages"] > files["app/part5.py"]["messages"]


def test_a_name_in_output_alone_is_a_loose_mention(index_repo: IndexRepo) -> None:
    index = index_repo({**PLAIN, "app/main.py": "def main():\n    return 1\n"})
    (said,) = [file for file in explain("Broken main.py\n", index) if file.path == "app/main.py"]
    (shown,) = [file for file in explain("Broken\n```\nmain.py:3: error\n```\n", index) if file.path == "app/main.py"]
    assert said.columns["named"] == 1.0 and said.columns["loosely"] == 0.0
    assert shown.columns["named"] == 0.0 and shown.columns["loosely"] == 1.0


# ── learned trees ────────────────────────────────────────────────────────────────────────────────


def test_the_table_that_ships_fits_the_columns() -> None:
    trees = weights.trees("around", AROUND_COLUMNS)
    assert isinstance(trees.total([0.0] * len(AROUND_COLUMNS)), float)
    line = weights.line("units", UNIT_COLUMNS)
    table = json.loads(weights.TABLE.read_bytes())
    assert set(table["units"]) == {"bias", *UNIT_COLUMNS}
    for kind in ("", "question_"):
        assert set(table[f"{kind}signals"]) == {"bias", *FILE_WEIGHTS}
        assert set(table[f"{kind}files"]) <= {"bias", *SHAPE_COLUMNS}
    assert line.total([0.0] * len(UNIT_COLUMNS)) == line.bias
    assert weights.TABLE.stat().st_size < 400_000


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=2))
def test_a_row_falls_into_one_leaf_of_each_tree(row: list[float]) -> None:
    trees = ((0, 0.5, -1.0, (1, 0.0, 2.0, 3.0)), 10.0, (1, 1.0, 0.25, 0.5))
    first = -1.0 if row[0] <= 0.5 else 2.0 if row[1] <= 0.0 else 3.0
    assert weights.forest(trees, 2).total(row) == first + 10.0 + (0.25 if row[1] <= 1.0 else 0.5)


def test_a_tree_of_more_than_eight_leaves_is_refused() -> None:
    tree: weights.Tree = 0.0
    for leaf in range(8):
        tree = (0, float(leaf), 1.0, tree)
    with pytest.raises(ValueError, match="9 leaves"):
        weights.forest([tree], 1)


def test_a_table_with_an_unknown_column_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "learned.json"
    table.write_text(json.dumps({"around": [["no such column", 0.5, 1, 2]], "units": []}))
    monkeypatch.setattr(weights, "TABLE", table)
    weights.trees.cache_clear()
    with pytest.raises(KeyError):
        weights.trees("around", AROUND_COLUMNS)
    weights.trees.cache_clear()


def test_a_file_that_says_it_is_generated_comes_after_the_one_it_was_made_from(index_repo: IndexRepo) -> None:
    body = "def parse_invoice(text):\n    return text\n"
    made = {f"app/a_parser{number}.py": f"# @generated by tool\n{body}" for number in range(3)}
    order = ranked(index_repo({**PLAIN, **made, "app/z_parser.py": f"# Written.\n{body}"}), "parse_invoice is wrong")
    assert order[0] == "app/z_parser.py"


def test_a_file_named_by_an_earlier_name_is_found_by_its_present_one(index_repo: IndexRepo) -> None:
    index = index_repo({**PLAIN, "old/basket.py": "def total(cart):\n    return sum(cart)\n"})
    commit(index, "Basket", "old/basket.py")
    git(index.root.path, "mv", "old/basket.py", "app/cart.py")
    commit(index, "Cart", "app/cart.py")
    (found,) = [file for file in explain("Broken total\n\nSee old/basket.py", index) if file.path == "app/cart.py"]
    assert found.columns["named"] == 1.0


def test_a_message_that_is_filled_in_is_found_where_it_is_written(index_repo: IndexRepo) -> None:
    written = 'def load(name):\n    raise OopsError(f"no invoice {name} in the ledger of {name}")\n'
    index = index_repo({**PLAIN, "app/z_load.py": written})
    text = "It stops\n\nOopsError: no invoice 12-A in the ledger of quagga\n"
    (found,) = [file for file in explain(text, index) if file.path == "app/z_load.py"]
    assert found.columns["quoted"] == 1.0
    assert not [file.path for file in explain("OopsError: no invoice at all\n", index) if file.columns["quoted"]]


def test_a_file_whose_name_is_in_a_question_leads(index_repo: IndexRepo) -> None:
    use = "".join(f"def zebra_{number}(stripes):\n    return stripes\n" for number in range(3))
    index = index_repo({**PLAIN, "app/stripes.py": "def count():\n    return 1\n", "app/animals.py": use})
    assert ranked(index, "how are stripes counted")[0] == "app/stripes.py"


def test_a_word_that_most_files_have_finds_the_file_that_defines_it(index_repo: IndexRepo) -> None:
    users = {f"app/user{number}.py": "import context\n\nhold = context\n" for number in range(9)}
    index = index_repo({**users, "app/core.py": "class Context:\n    pass\n"})
    assert ranked(index, "Context")[0] == "app/core.py"
