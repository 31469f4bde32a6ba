"""Meaning: only what changed is embedded again, and what means the same as the request moves up."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.context.files import FileLines
from optimizer.context.mentions import find_mentions
from optimizer.context.rank import Ranking, rank
from optimizer.context.select import select
from optimizer.context.semantic import MEANING, Reranker, Weights, candidates, pieces_of
from optimizer.index.embed import Embedder, ModelChoice, open_model
from optimizer.index.reader import Index
from optimizer.index.refresh import refresh
from optimizer.index.vectors import Piece, Vectors, fill, missing, open_vectors
from optimizer.settings import Settings
from optimizer.types import ContextLimits, Query
from tests.conftest import IndexRepo
from tests.tiny_model import NAME, words_of, write_model

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("fastembed") is None, reason="fastembed is not installed (the extra `embeddings`)"
)

ACCOUNT = """
def sign_off(report):
    report.signed = True
    return report


def banner(page):
    return page.head + page.title


def footer(page):
    return page.foot


def authenticate(user, secret):
    return user.secret == secret
"""
LOGIN = '''
class Session:
    """What a visitor has."""

    def close(self):
        self.open = False
'''
PEOPLE = "def people(table):\n    return table.rows\n"
REQUEST = "login is refused: sign people in"


@pytest.fixture
def index(index_repo: IndexRepo) -> Index:
    return index_repo({"account.py": ACCOUNT, "session.py": LOGIN, "people.py": PEOPLE, "a.min.js": "f()"})


@pytest.fixture
def embedder(tmp_path: Path) -> Embedder:
    words = words_of(ACCOUNT, LOGIN, PEOPLE, REQUEST)
    folder = write_model(tmp_path / "model", words, alike={"login": "authenticate", "refused": "secret"})
    return open_model(ModelChoice(NAME, str(folder), tmp_path / "fetched"))


@pytest.fixture
def vectors(index: Index) -> Iterator[Vectors]:
    store = open_vectors(index.file, "tiny")
    yield store
    store.close()


def whole(index: Index) -> list[Piece]:
    return list(pieces_of(index, FileLines(index)))


def names(pieces: list[Piece]) -> set[str]:
    return {" ".join(item.text.split()[:2]) for item in pieces}


def ranking(index: Index) -> Ranking:
    return rank(find_mentions(REQUEST), index, FileLines(index))


def place(found: Ranking, symbol: str) -> int:
    return [unit.symbol for unit in found.units].index(symbol)


# ── filling in ───────────────────────────────────────────────────────────────────────────────────


def test_a_changed_file_embeds_only_its_changed_functions_anew(
    index: Index, vectors: Vectors, embedder: Embedder
) -> None:
    first = missing(whole(index), vectors)
    assert {item.text.split()[0] for item in first} >= {"sign_off", "banner", "footer", "authenticate", "Session"}
    fill(first, embedder, vectors, lambda _: None)
    assert missing(whole(index), vectors) == []

    file = index.root.path / "account.py"
    file.write_text("import os\n" + ACCOUNT.replace("page.foot", "page.foot or page.head"))
    (index.root.path / "moved").mkdir()
    (index.root.path / "session.py").rename(index.root.path / "moved/session.py")
    refresh(index, Settings(workers=1), lambda _: None)
    changed = missing(whole(index), vectors)
    assert names(changed) == {"footer def"}
    fill(changed, embedder, vectors, lambda _: None)

    file.write_text(ACCOUNT)
    refresh(index, Settings(workers=1), lambda _: None)
    assert missing(whole(index), vectors) == []
    assert vectors.count() == len(first) + 1


# ── order ────────────────────────────────────────────────────────────────────────────────────────


def test_what_means_the_same_moves_up_and_says_why(index: Index, vectors: Vectors, embedder: Embedder) -> None:
    fill(missing(whole(index), vectors), embedder, vectors, lambda _: None)
    words = ranking(index)
    reranker = Reranker(lambda: embedder, vectors, "tiny", Weights(units=4.0, files=0.5))
    both = reranker.rerank(REQUEST, words, FileLines(index))
    assert place(words, "authenticate") > place(words, "sign_off")
    assert place(both, "authenticate") < place(both, "sign_off")
    assert MEANING in both.units[place(both, "authenticate")].why
    assert MEANING in next(file.why for file in both.files if file.path == "account.py")
    assert sorted(unit.symbol for unit in both.units) == sorted(unit.symbol for unit in words.units)
    assert [unit.score for unit in both.units] == sorted((unit.score for unit in both.units), reverse=True)
    assert reranker.rerank(REQUEST, words, FileLines(index)) == both


def test_a_unit_without_a_vector_keeps_its_score(index: Index, vectors: Vectors, embedder: Embedder) -> None:
    words = ranking(index)
    reranker = Reranker(lambda: embedder, vectors, "tiny")
    assert reranker.rerank(REQUEST, words, FileLines(index)) == words

    known = [item for item in candidates(words, FileLines(index)).values() if not item.text.startswith("banner")]
    fill(known, embedder, vectors, lambda _: None)
    both = reranker.rerank(REQUEST, words, FileLines(index))
    assert both != words
    assert both.units[place(both, "banner")] == words.units[place(words, "banner")]


def test_vectors_of_another_length_count_for_nothing(index: Index, vectors: Vectors, embedder: Embedder) -> None:
    words = ranking(index)
    vectors.put({item.key: b"1234" for item in candidates(words, FileLines(index)).values()})
    assert Reranker(lambda: embedder, vectors, "tiny").rerank(REQUEST, words, FileLines(index)) == words


def test_a_context_kept_from_before_the_vectors_is_not_used(
    index: Index, vectors: Vectors, embedder: Embedder, tmp_path: Path
) -> None:
    reranker = Reranker(lambda: embedder, vectors, "tiny", Weights(units=2.0, files=0.5))
    query, kept = Query(REQUEST), tmp_path / "kept"
    before = select(query, index, ContextLimits(400), kept, reranker)
    assert before.items == select(query, index, ContextLimits(400)).items
    fill(missing(whole(index), vectors), embedder, vectors, lambda _: None)
    after = select(query, index, ContextLimits(400), kept, reranker)
    assert "cached" not in after.timing_ms
    assert any(MEANING in item.why for item in after.items)
    assert after.items != before.items
    again = select(query, index, ContextLimits(400), kept, reranker)
    assert "cached" in again.timing_ms
    assert again.items == after.items
