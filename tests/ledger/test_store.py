import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import StorageError
from optimizer.ledger.store import FILE, OUTCOMES, SCHEMA, Ledger, open_ledger
from optimizer.types import TIERS, Usage, UsageRecord

ALWAYS = ("0", "9")
RECORD = UsageRecord(
    request="r1",
    at="2026-11-20T10:00:00.000000Z",
    tier="budget",
    label="Haiku",
    provider="anthropic",
    model_asked="asked",
    model_served="served",
    usage=Usage(input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4, output=5, estimated=True),
    seconds=1.5,
    outcome="accepted",
    cost=42,
    task="edit",
    repository="/home/a/project",
)


def test_what_is_added_comes_back(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    unknown = RECORD._replace(cost=None, usage=Usage())
    ledger.add(RECORD)
    ledger.add(unknown)
    ledger.close()
    assert open_ledger(tmp_path).records(*ALWAYS) == (RECORD, unknown)


def test_nothing_is_touched_before_the_first_use(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "state")
    assert ledger.records(*ALWAYS) == ()
    ledger.close()
    assert not (tmp_path / "state").exists()


def test_bounds_are_half_open_and_in_the_order_of_adding(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for hour in ("12", "10", "11"):
        ledger.add(RECORD._replace(at=f"2026-11-20T{hour}:00:00Z"))
    found = ledger.records("2026-11-20T10:00:00.000000Z", "2026-11-20T12:00:00.000000Z")
    assert [record.at[11:13] for record in found] == ["10", "11"]


def test_times_are_kept_in_utc(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add(RECORD._replace(at="2026-11-20T01:00:00+02:00"))
    assert ledger.records(*ALWAYS)[0].at == "2026-11-19T23:00:00.000000Z"


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "perfect"},
        {"cost": -1},
        {"cost": 0.5},
        {"seconds": -1.0},
        {"usage": Usage(input=-1)},
        {"usage": Usage(output="many")},  # type: ignore[arg-type]
        {"usage": Usage(input=2**63)},
        {"request": ""},
        {"at": "2026-11-20T10:00:00"},
        {"at": "yesterday"},
    ],
)
def test_what_cannot_be_true_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    ledger = open_ledger(tmp_path)
    with pytest.raises(ValueError):
        ledger.add(RECORD._replace(**change))
    assert ledger.records(*ALWAYS) == ()


def test_a_path_that_is_no_text_does_not_lose_the_row(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add(RECORD._replace(repository="/r/\udcff"))
    assert ledger.records(*ALWAYS)[0].repository == "/r/\\udcff"


@pytest.mark.parametrize("statement", ["UPDATE attempts SET cost = 0", "DELETE FROM attempts"])
def test_rows_can_be_neither_changed_nor_removed(tmp_path: Path, statement: str) -> None:
    import sqlite3

    ledger = open_ledger(tmp_path)
    ledger.add(RECORD)
    with sqlite3.connect(tmp_path / FILE) as connection, pytest.raises(sqlite3.IntegrityError) as refused:
        connection.execute(statement)
    assert refused.value.sqlite_errorname == "SQLITE_CONSTRAINT_TRIGGER"
    assert ledger.records(*ALWAYS) == (RECORD,)


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    assert not SCHEMA.cache
    assert ledger._connection().execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_damaged_ledger_is_put_aside_and_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 1000)
    ledger = open_ledger(tmp_path)
    ledger.add(RECORD)
    assert ledger.records(*ALWAYS) == (RECORD,)
    (aside,) = tmp_path.glob(f"{FILE}.damaged-*")
    assert aside.name in ledger.notice


def test_a_ledger_that_is_damaged_while_it_is_open_is_put_aside_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    first = open_ledger(tmp_path)
    for number in range(300):
        first.add(RECORD._replace(request=f"r{number}"))
    first.close()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(4096)
        file.write(b"garbage" * 10_000)
    ledger = open_ledger(tmp_path, told.append)
    assert ledger.total(*ALWAYS) == (0, 0, 0)
    ledger.settle("r1", "accepted")
    ledger.add(RECORD)
    assert ledger.records(*ALWAYS) == (RECORD,)
    (line,) = told
    assert "damaged" in line


def test_a_place_that_cannot_hold_it_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StorageError) as caught:
        open_ledger(tmp_path / "state").add(RECORD)
    assert caught.value.exit_code == 7


def test_a_full_disk_is_a_storage_error_and_keeps_what_was_there(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add(RECORD)
    connection = ledger._connection()
    connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StorageError) as full:
        for _ in range(1000):
            ledger.add(RECORD._replace(repository="/x" * 500))
    assert isinstance(full.value.__cause__, sqlite3.Error) and full.value.__cause__.sqlite_errorname == "SQLITE_FULL"
    ledger.close()
    assert ledger.records(*ALWAYS)[0] == RECORD


WRITER = """
import sys
from pathlib import Path
from optimizer.ledger.store import open_ledger
from optimizer.types import Usage, UsageRecord
for number in range(20):
    ledger = open_ledger(Path(sys.argv[1]))
    request = f"{sys.argv[2]}-{number}"
    at = "2026-11-20T10:00:00Z"
    ledger.add(UsageRecord(request, at, "free", "L", "p", "m", "m", Usage(), 1.0, "accepted", 0, "edit", "/r"))
    ledger.close()
"""


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    state = str(tmp_path / "state")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, state, str(n)], cwd=root) for n in range(4)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0, 0]
    found = [record.request for record in open_ledger(tmp_path / "state").records(*ALWAYS)]
    assert sorted(found) == sorted(f"{writer}-{number}" for writer in range(4) for number in range(20))


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_it_was_told_is_kept(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    script = WRITER.replace("range(20)", "range(10**6)") + "    print(request, flush=True)\n"
    told: list[str] = []
    for number in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), str(number)], cwd=root, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        told += [writer.stdout.readline().strip() for _ in range(1 + number * 3)]
        writer.kill()
        told += writer.stdout.read().split()
        writer.wait()
        writer.stdout.close()
    kept = [record.request for record in open_ledger(tmp_path).records(*ALWAYS)]
    assert len(kept) == len(set(kept))
    assert set(told) <= set(kept)
    assert len(kept) - len(told) <= 10


counts = st.integers(0, 2**62)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
records = st.builds(
    UsageRecord,
    request=words.map("r".__add__),
    at=st.datetimes(datetime(2000, 1, 1)).map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    tier=st.sampled_from(TIERS),
    label=words,
    provider=words,
    model_asked=words,
    model_served=words,
    usage=st.builds(
        Usage,
        input=counts,
        cache_read=counts,
        cache_write_5m=counts,
        cache_write_1h=counts,
        output=counts,
        estimated=st.booleans(),
    ),
    seconds=st.floats(0, 1e9),
    outcome=st.sampled_from(OUTCOMES),
    cost=st.none() | counts,
    task=words,
    repository=words,
)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return open_ledger(tmp_path_factory.mktemp("any"))


@settings(max_examples=60)
@given(record=records)
def test_any_record_comes_back_as_it_was(one: Ledger, record: UsageRecord) -> None:
    one.add(record)
    assert one.records("", "\U0010ffff")[-1] == record


def test_a_ledger_without_arms_is_kept_and_its_records_belong_to_none(tmp_path: Path) -> None:
    first = open_ledger(tmp_path)
    first.add(RECORD._replace(arm="b"))
    first.close()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("ALTER TABLE attempts DROP COLUMN arm")
        db.execute("PRAGMA user_version=1")
    db.close()
    ledger = open_ledger(tmp_path)
    ledger.add(RECORD._replace(arm="b"))
    assert [record.arm for record in ledger.records(*ALWAYS)] == ["", "b"]
    ledger.close()
