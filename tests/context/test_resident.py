"""An index that stays open: it answers as one opened afresh after any change, and what it keeps is bounded."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest

from optimizer.context import bm25
from optimizer.context.rank import explain
from optimizer.context.select import select
from optimizer.index import history, plan, postings, reader, words
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
from optimizer.types import ContextLimits, Query
from tests.conftest import IndexRepo, git

NOUNS = ("parser", "ledger", "invoice", "printer", "colour", "header", "socket", "cache")
VERBS = ("parse", "book", "send", "print", "paint", "read", "open", "keep")
LIMITS = ContextLimits(1500)


def source(number: int) -> str:
    noun, verb, other = NOUNS[number % 8], VERBS[number // 8 % 8], NOUNS[(number + 3) % 8]
    return (
        f"from app.{other}{(number + 1) % 24} import {other}\n\n\nclass {noun.title()}{number}:\n"
        f"    def {verb}_{noun}(self, {other}):\n        return {verb}({other}, {number})\n"
    )


FILES = {f"app/{NOUNS[number % 8]}{number}.py": source(number) for number in range(24)}
QUESTIONS = [f"{verb} the {noun}" for verb in VERBS[:3] for noun in NOUNS[:2]] + [
    "Ledger3.book_ledger is wrong\n\nIt keeps the colour of the header in app/ledger3.py:4."
]


def up_to_date(index: Index) -> Index:
    refresh(index, Settings(workers=1), lambda _: None)
    return index


def answers(index: Index) -> list[object]:
    return [select(Query(question), index, LIMITS)._replace(timing_ms={}) for question in QUESTIONS]


def columns(index: Index) -> dict[tuple[str, str], object]:
    """Every signal of every file: unlike the order of equals these depend on the tree alone, but for few digits."""
    found = {(question, file.path): file for question in QUESTIONS for file in explain(question, index)}
    return {key: {name: round(value, 5) for name, value in file.columns.items()} for key, file in found.items()}


def change(root: Path, number: int, chance: random.Random) -> None:
    """One change of the tree or of its history."""
    path = root / chance.choice(sorted(str(path.relative_to(root)) for path in root.glob("app/*.py")))
    match number % 5:
        case 0:
            path.write_text(source(chance.randrange(64)) + path.read_text())
        case 1:
            path.rename(path.with_name(f"moved{number}.py"))
        case 2:
            path.unlink()
        case 3:
            (root / f"app/new{number}.py").write_text(path.read_text())
        case _:
            git(root, "add", "-A")
            git(root, "commit", "-q", "--allow-empty", "-m", f"Book the {chance.choice(NOUNS)} again")


@pytest.mark.parametrize("seed", range(2))
def test_it_answers_as_an_index_opened_or_built_anew_after_each_change(
    index_repo: IndexRepo, tmp_path: Path, seed: int
) -> None:
    index, chance = index_repo(FILES), random.Random(seed)
    for number in range(10):
        change(index.root.path, number + seed, chance)
        given = answers(up_to_date(index)), columns(index)
        with closing(open_index(index.root, tmp_path / "cache")) as opened:
            assert given == (answers(opened), columns(opened)), number
        with closing(up_to_date(open_index(index.root, tmp_path / f"cache{number}"))) as built:
            assert given[1] == columns(built), number


@pytest.fixture
def exact_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file may change twice at the same time, so that new ones need not be read again."""
    monkeypatch.setattr(plan, "RACY_NS", 0)


@pytest.mark.usefixtures("exact_clock")
def test_what_is_known_of_the_tree_stays_while_nothing_changes(index_repo: IndexRepo, tmp_path: Path) -> None:
    index = index_repo(FILES)
    before, past = index.words(), index.history()
    assert up_to_date(index).words() is before
    assert index.history() is past
    other = open_index(index.root, tmp_path / "cache")
    (index.root.path / "app/more.py").write_text("def more(): pass\n")
    up_to_date(other).close()
    assert up_to_date(index).words() is not before
    assert "app/more.py" in index.paths()


@pytest.mark.usefixtures("exact_clock")
def test_a_new_commit_is_known_after_a_refresh(index_repo: IndexRepo) -> None:
    index = index_repo(FILES)
    kept, past = index.words(), index.history()
    git(index.root.path, "commit", "-q", "--allow-empty", "-m", "Umlauts")
    assert index.history() is past
    assert up_to_date(index).history().commits == past.commits + 1
    assert index.words() is kept


def test_what_is_kept_stays_within_its_bounds(index_repo: IndexRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    index = index_repo(FILES)
    whole = answers(index)
    bounds = ((words, "MOST_POSTINGS"), (words, "MOST_SYMBOLS"), (reader, "MOST_EDGES"), (history, "MOST_KEPT"))
    for module, name in (*bounds, (bm25, "MOST_KEPT")):
        monkeypatch.setattr(module, name, 40)
    monkeypatch.setattr(postings, "MOST_READ", 20_000)
    index.close()
    index._open()
    for number in range(300):
        select(Query(f"{VERBS[number % 8]} {NOUNS[number // 8 % 8]} {number}"), index, LIMITS)
    assert answers(index) == whole
    own, past = index.words(), index.history()
    kept = (own._lists, own._symbols, index._edges, past._lists, past._together, own.once(bm25.Saturation)._kept)
    assert all(0 < each.size <= 40 for each in kept)
    largest = max(len(run.lists) + postings.RUN_BYTES for runs in own._runs._read.values() for run in runs)
    assert own._runs.size <= 20_000 + largest
