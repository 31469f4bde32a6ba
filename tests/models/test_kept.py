"""The model kept for a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.errors import StorageError
from optimizer.models.kept import FILE, all_kept, kept, unlock, use


def test_a_choice_is_kept_until_it_is_taken_back(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert kept(state, "/a") == ""
    use(state, "/a", "opus")
    use(state, "/b", "haiku")
    use(state, "/a", "sonnet")
    assert all_kept(state) == {"/a": "sonnet", "/b": "haiku"}
    assert unlock(state, "/a") and not unlock(state, "/a")
    assert all_kept(state) == {"/b": "haiku"}


@pytest.mark.parametrize("text", ["", "[]", '{"projects": []}', '{"projects": {"/a": 1}}', "{"])
def test_a_damaged_record_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(StorageError, match="damaged"):
        kept(tmp_path, "/a")
