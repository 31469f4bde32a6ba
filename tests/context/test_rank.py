"""Ranking: what each signal puts first, that all of them can be told, and the sum of learned trees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.context import learned
from optimizer.context.files import Files
from optimizer.context.mentions import find_mentions
from optimizer.context.rank import FILE_COLUMNS, FILE_WEIGHTS, REASONS, UNIT_COLUMNS, explain, rank
from optimizer.index.refresh import refresh
from optimizer.index.store import Index
from optimizer.settings import Settings
from tests.conftest import IndexRepo, git

PLAIN = {f"app/part{number}.py": f"def work_{number}():\n    return {number}\n" for number in range(8)}


def ranked(index: Index, text: str) -> list[str]:
    return [file.path for file in rank(find_mentions(text), index, Files(index)).files]


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
    noted = {"module", "defines", "defines_code", "imports"}
    assert set(FILE_WEIGHTS) - noted <= set(REASONS)


# ── learned trees ────────────────────────────────────────────────────────────────────────────────


def test_the_table_that_ships_fits_the_columns() -> None:
    for kind, columns in (("files", FILE_COLUMNS), ("units", UNIT_COLUMNS)):
        trees = learned.trees(kind, columns)
        assert isinstance(learned.total(trees, [0.0] * len(columns)), float)
    assert learned.TABLE.stat().st_size < 400_000


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=2))
def test_a_row_falls_into_one_leaf_of_each_tree(row: list[float]) -> None:
    trees: learned.Trees = ((0, 0.5, -1.0, (1, 0.0, 2.0, 3.0)), 10.0, (1, 1.0, 0.25, 0.5))
    first = -1.0 if row[0] <= 0.5 else 2.0 if row[1] <= 0.0 else 3.0
    assert learned.total(trees, row) == first + 10.0 + (0.25 if row[1] <= 1.0 else 0.5)


def test_a_table_with_an_unknown_column_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "learned.json"
    table.write_text(json.dumps({"files": [["no such column", 0.5, 1, 2]], "units": []}))
    monkeypatch.setattr(learned, "TABLE", table)
    learned.trees.cache_clear()
    with pytest.raises(KeyError):
        learned.trees("files", FILE_COLUMNS)
    learned.trees.cache_clear()
