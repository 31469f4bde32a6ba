"""What becomes of an attempt after it was booked."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from optimizer.ledger.store import FILE, open_ledger
from optimizer.types import Usage, UsageRecord


def record(request: str, outcome: str = "answered") -> UsageRecord:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC).isoformat()
    return UsageRecord(request, at, "free", "Groq", "groq", "m", "m", Usage(input=1), 0.5, outcome, 0, "edit", "/repo")


def outcomes(state: Path) -> list[tuple[str, str]]:
    return [(r.request, r.outcome) for r in open_ledger(state).records("2026-11-20", "2026-11-21")]


def test_the_latest_word_counts_for_the_last_attempt_only(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add(record("a", "checks-failed"))
    ledger.add(record("a"))
    ledger.add(record("b"))
    ledger.settle("a", "proven")
    ledger.settle("a", "declined")
    assert outcomes(tmp_path) == [("a", "checks-failed"), ("a", "declined"), ("b", "answered")]


def test_a_word_about_what_was_proven_passes_over_what_was_booked_after_it(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for outcome in ("proven", "accepted"):
        ledger.add(record("a"))
        ledger.settle("a", outcome)
    ledger.settle("a", "declined", was="proven")
    assert [outcome for _, outcome in outcomes(tmp_path)] == ["declined", "accepted"]
    with pytest.raises(ValueError, match=r"'a'.*'accepted'"):
        ledger.settle("a", "accepted", was="proven")


def test_what_was_never_booked_cannot_be_settled(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add(record("a"))
    with pytest.raises(ValueError, match=r"'b'.*'accepted'"):
        ledger.settle("b", "accepted")
    with pytest.raises(ValueError, match="'wonderful'"):
        ledger.settle("a", "wonderful")
    assert outcomes(tmp_path) == [("a", "answered")]


def test_settlements_only_grow(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add(record("a"))
    ledger.settle("a", "accepted")
    connection = sqlite3.connect(tmp_path / FILE)
    for statement in ("DELETE FROM settlements", "UPDATE settlements SET outcome = 'declined'"):
        with pytest.raises(sqlite3.IntegrityError) as refused:
            connection.execute(statement)
        assert refused.value.sqlite_errorname == "SQLITE_CONSTRAINT_TRIGGER"


def test_the_written_change_is_reconsidered_and_not_what_came_after_it(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.reconsider("a", "declined")
    assert not ledger.path.exists()
    for outcome in ("accepted", "answered", "accepted"):  # a plan, the change, a review of it
        ledger.add(record("a", outcome))
        if outcome == "answered":
            ledger.settle("a", "proven")
            ledger.settle("a", "accepted", was="proven")
    for outcome in ("declined", "accepted", "declined"):
        ledger.reconsider("a", outcome)
        ledger.reconsider("b", outcome)
        assert [after for _, after in outcomes(tmp_path)] == ["accepted", outcome, "accepted"]
    with pytest.raises(ValueError, match="'splendid'"):
        ledger.reconsider("a", "splendid")
