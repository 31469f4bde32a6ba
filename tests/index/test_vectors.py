"""Vectors: what is embedded, kept by content, filled in bit by bit, and never lost by an interruption."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from optimizer.errors import ConfigError, NotFound
from optimizer.index.embed import Embedder, ModelChoice, open_model
from optimizer.index.vectors import AT_ONCE, MOST_CHARACTERS, Piece, Vectors, fill, missing, open_vectors, piece
from optimizer.types import Progress
from tests.tiny_model import DIMENSION, NAME, words_of, write_model

needs_fastembed = pytest.mark.skipif(
    importlib.util.find_spec("fastembed") is None, reason="fastembed is not installed (the extra `embeddings`)"
)
NUMBERS = [str(number) for number in range(AT_ONCE + 20)]


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", words_of("read a file write def", *NUMBERS))


@pytest.fixture
def embedder(model_dir: Path, tmp_path: Path) -> Embedder:
    return open_model(ModelChoice(NAME, str(model_dir), tmp_path / "fetched"))


def pieces(count: int) -> list[Piece]:
    return [piece("read", [f"read a file {number}"], [(1, 1)]) for number in NUMBERS[:count]]


# ── what is embedded ─────────────────────────────────────────────────────────────────────────────


def test_a_piece_is_its_words_not_its_layout() -> None:
    lines = ["def read(self):", "    return  self.data", "", "x = 1"]
    moved = ["", "", "    def read(self):", "        return self.data"]
    assert piece("Reader.read", lines, [(1, 2)]) == piece("Reader.read", moved, [(3, 4)])
    assert piece("Reader.read", lines, [(1, 2)]).text == "Reader read def read(self): return self.data"
    assert piece("Reader.load", lines, [(1, 2)]).key != piece("Reader.read", lines, [(1, 2)]).key
    assert piece("Reader.read", lines, [(1, 2), (4, 4)]).text.endswith("self.data x = 1")


def test_a_long_piece_is_cut() -> None:
    assert len(piece("f", ["word " * 1000] * 50, [(1, 50)]).text) == MOST_CHARACTERS
    assert piece("f", ["\ud800 odd"], [(1, 1)]).key


# ── the store ────────────────────────────────────────────────────────────────────────────────────


def test_vectors_are_kept_by_model_and_content(tmp_path: Path) -> None:
    file = tmp_path / "index.db"
    first, second, other = open_vectors(file, "one"), open_vectors(file, "one"), open_vectors(file, "other")
    wanted = pieces(3)
    first.put({wanted[0].key: b"ab", wanted[1].key: b"cd"})
    second.put({wanted[1].key: b"cd"})
    assert second.get([item.key for item in wanted]) == {wanted[0].key: b"ab", wanted[1].key: b"cd"}
    assert missing([*wanted, *wanted], second) == [wanted[2]]
    assert (first.count(), other.count()) == (2, 0)
    assert missing(wanted, other) == wanted
    for store in (first, second, other):
        store.close()


def test_more_keys_than_sqlite_takes_at_once(tmp_path: Path) -> None:
    store = open_vectors(tmp_path / "index.db", "one")
    keys = [number.to_bytes(16, "big") for number in range(3000)]
    store.put({key: key for key in keys})
    assert store.get(keys) == {key: key for key in keys}
    store.close()


def test_a_damaged_store_is_put_aside(tmp_path: Path) -> None:
    store = open_vectors(tmp_path / "index.db", "one")
    store.put({b"key": b"body"})
    store.close()
    store.file.write_bytes(b"not a database" * 1000)
    again = Vectors(store.file, "one")
    assert "damaged" in again.notice
    assert again.count() == 0
    again.close()


# ── filling in ───────────────────────────────────────────────────────────────────────────────────


@needs_fastembed
def test_the_vectors_of_a_model_are_what_its_network_says(embedder: Embedder) -> None:
    import numpy

    vectors = [numpy.frombuffer(body, "<f2") for body in embedder.embed(["read a file", "a read file", "write"])]
    assert [vector.shape for vector in vectors] == [(DIMENSION,)] * 3
    assert [float(vector @ vector) for vector in vectors] == pytest.approx([1.0] * 3, abs=0.01)
    assert float(vectors[0] @ vectors[1]) == pytest.approx(1.0, abs=0.01)
    assert abs(float(vectors[0] @ vectors[2])) < 0.3


@needs_fastembed
def test_an_interruption_loses_nothing_that_was_done(embedder: Embedder, tmp_path: Path) -> None:
    store, wanted = open_vectors(tmp_path / "index.db", "one"), pieces(len(NUMBERS))
    steps: list[Progress] = []

    def interrupt(step: Progress) -> None:
        steps.append(step)
        if step.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(wanted, embedder, store, interrupt)
    left = missing(wanted, store)
    assert left == wanted[AT_ONCE:]
    assert [(step.done, step.total) for step in steps] == [(0, len(wanted)), (AT_ONCE, len(wanted))]
    steps.clear()
    fill(left, embedder, store, steps.append)
    assert missing(wanted, store) == []
    assert steps[-1] == Progress("embedding", len(left), len(left))
    alone = dict(zip([p.key for p in wanted], embedder.embed([p.text for p in wanted]), strict=True))
    assert store.get([item.key for item in wanted]) == alone
    store.close()


# ── which model ──────────────────────────────────────────────────────────────────────────────────


@needs_fastembed
def test_a_directory_that_holds_no_model_is_named_with_the_cure(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match=re.escape(str(model_dir))) as broken:
        open_model(ModelChoice(NAME, str(model_dir), tmp_path))
    assert "semantic.model" in broken.value.hint
    with pytest.raises(NotFound, match=re.escape(str(tmp_path / "nowhere"))):
        open_model(ModelChoice(NAME, str(tmp_path / "nowhere"), tmp_path))
    with pytest.raises(ConfigError, match="'nonsense'"):
        open_model(ModelChoice("nonsense", "", tmp_path))


def test_the_id_of_a_model_follows_its_files_not_their_place(model_dir: Path, tmp_path: Path) -> None:
    before = ModelChoice(NAME, str(model_dir), tmp_path).id
    moved = model_dir.rename(tmp_path / "elsewhere")
    assert ModelChoice(NAME, str(moved), tmp_path).id == before
    other = write_model(tmp_path / "other", words_of("read a file write def", *NUMBERS), seed=2)
    assert ModelChoice(NAME, str(other), tmp_path).id != before
    assert ModelChoice(NAME, "", tmp_path).id == NAME
