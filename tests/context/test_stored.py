"""Kept contexts: few, and the oldest go first."""

from __future__ import annotations

import os
from pathlib import Path

from optimizer.context import stored
from optimizer.types import Context


def test_the_oldest_make_room(tmp_path: Path) -> None:
    folder = tmp_path / stored.FOLDER
    folder.mkdir()
    for number in range(stored.MOST_ENTRIES):
        entry = folder / f"{number}.json"
        entry.write_text("{}")
        os.utime(entry, (number + 1, number + 1))
    stored.save(tmp_path, "newest", Context("q", 0, (), ()))
    names = {entry.name for entry in folder.iterdir()}
    assert len(names) == stored.MOST_ENTRIES
    assert "newest.json" in names
    assert "0.json" not in names
    assert stored.load(tmp_path, "newest") == Context("q", 0, (), ())


def test_keys_keep_their_parts_apart() -> None:
    assert stored.key("a", "bc") != stored.key("ab", "c")
