"""The table of faults names tests that are there, and cases that are collected."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = TESTS.parent / "docs" / "reference" / "faults.md"


def test_every_test_that_the_table_names_is_there() -> None:
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", TABLE.read_text("utf-8"))
    assert len(named) > 60
    for file, test in named:
        if not file.startswith("benchmarks/"):
            assert test in (TESTS / file).read_text("utf-8"), (file, test)


def test_every_line_of_the_table_names_a_test() -> None:
    rows = [line for line in TABLE.read_text("utf-8").split("\n") if line.startswith("| ") and "**" not in line]
    assert len(rows) > 35
    kinds = {file.stem for file in (TESTS / "edits" / "cases").glob("*.txt")}
    for row in rows[1:]:
        held = row.split("|")[3]
        assert "test_" in held or set(re.findall(r"`(\w+)`", held)) <= kinds, row
