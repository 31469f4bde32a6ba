"""The table that the choice of context is measured in: what counts as found, the mean, and the change."""

from typing import Any

import pytest

from benchmarks.figures_table import ndcg, table


def _result(name: str, places: list[int], repo: str = "a/a", **more: Any) -> dict[str, Any]:
    sent = {"tokens": 3000, "in_bodies": 1500, "left": True, "covered": [], "lines": [1, 4], "of_gold": 30}
    result = {"id": name, "repo": repo, "language": "go", "category": "symbol", "places": places, "6000": sent}
    return result | more


def _row(rows: Any, name: str) -> dict[str, Any]:
    return next(row for row in rows if row["figure"] == name)


def test_the_gain_is_of_each_gold_file_among_the_first_ten() -> None:
    assert ndcg(_result("x", [1])) == 1.0
    assert ndcg(_result("x", [11])) == 0.0
    assert ndcg(_result("x", [1, 10**6])) == pytest.approx(1 / (1 + 0.6309), abs=1e-3)


def test_an_issue_is_found_when_its_last_gold_file_is_and_each_share_has_an_interval() -> None:
    rows = list(table({"denchmark": [_result("x", [1, 4]), _result("y", [1])]}, {}))
    assert _row(rows, "@3")["value"] == 50.0
    assert (_row(rows, "@5")["value"], _row(rows, "@5")["low"], _row(rows, "@5")["high"]) == (100.0, 100.0, 100.0)
    assert (_row(rows, "@3")["low"], _row(rows, "@3")["high"]) == (0.0, 100.0)
    assert _row(rows, "several files, all @5")["requests"] == 1
    assert _row(rows, "edited lines in bodies, 6000, others")["value"] == 25.0
    assert _row(rows, "budget used when evidence is left")["value"] == 50.0


def test_repositories_count_alike_in_the_gain_of_questions() -> None:
    one = [_result("x", [1]), _result("y", [1]), _result("z", [1])]
    rows = list(table({"short": [*one, _result("w", [11], "b/b")]}, {}))
    assert _row(rows, "NDCG@10")["value"] == 0.5


def test_a_change_is_of_the_same_requests_alone() -> None:
    now = {"denchmark": [_result("x", [1]), _result("y", [2])]}
    before = {"denchmark": [_result("x", [9]), _result("z", [1])]}
    row = _row(table(now, before), "@1")
    assert (row["compared"], row["change"]["value"]) == (1, 100.0)
    assert "change" not in _row(table(now, {}), "@1")
