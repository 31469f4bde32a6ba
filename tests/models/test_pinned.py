"""The model kept for a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.errors import StorageError
from optimizer.models.pinned import FILE, all_pinned, pin, pinned, unpin


def test_a_choice_is_kept_until_it_is_taken_back(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert pinned(state, "/a") == ""
    pin(state, "/a", "opus")
    pin(state, "/b", "haiku")
    pin(state, "/a", "sonnet")
    assert all_pinned(state) == {"/a": "sonnet", "/b": "haiku"}
    assert unpin(state, "/a") and not unpin(state, "/a")
    assert all_pinned(state) == {"/b": "haiku"}


@pytest.mark.parametrize("text", ["", "[]", '{"projects": []}', '{"projects": {"/a": 1}}', "{"])
def test_a_damaged_record_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(StorageError):
        pinned(tmp_path, "/a")
