"""Stored keys: sealed for one provider, opened by their passphrase alone, and nothing of them in the open."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.errors import ConfigError, StorageError
from optimizer.privacy.keys import sealing
from optimizer.privacy.keys.store import (
    FILE,
    KeyStore,
    Listed,
    Passphrase,
    StoredKey,
    last_letters,
    listed,
    passphrase_in,
)

KEY = "canary-0123456789-abcdefghij-WXYZ"
Change = Callable[[dict], object]


def opens(words: str = "correct horse") -> Passphrase:
    return Passphrase(lambda again: words)


@pytest.fixture(scope="module")
def sealed_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with two keys in the encrypted file; not to be changed."""
    state = tmp_path_factory.mktemp("state")
    store = KeyStore(state, opens())
    store.put("groq", KEY, "file")
    store.put("openai", "another-0123456789-key", "file")
    return state


def changed(state: Path, folder: Path, change: Change) -> Path:
    """A copy of the file with a change."""
    data = json.loads((state / FILE).read_text())
    change(data)
    (folder / FILE).write_text(json.dumps(data))
    return folder


def of(state: Path, provider: str) -> StoredKey:
    return next(one for one in listed(state).keys if one.provider == provider)


def test_a_key_comes_back_and_the_file_is_private(sealed_state: Path) -> None:
    assert KeyStore(sealed_state, opens()).read(of(sealed_state, "groq")) == KEY
    path = sealed_state / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert KEY[:-4] not in text
    assert "correct horse" not in text
    assert of(sealed_state, "groq").last == "…WXYZ"


def test_a_wrong_passphrase_is_asked_for_again_and_opens_nothing(sealed_state: Path) -> None:
    words = ["wrong", "wrong too", "correct horse"]
    assert KeyStore(sealed_state, Passphrase(lambda again: words.pop(0), 3)).read(of(sealed_state, "groq")) == KEY
    with pytest.raises(sealing.WrongPassphrase) as refused:
        KeyStore(sealed_state, opens("wrong")).read(of(sealed_state, "groq"))
    assert refused.value.exit_code == 2


def test_no_passphrase_can_be_had(sealed_state: Path) -> None:
    with pytest.raises(ConfigError):
        KeyStore(sealed_state, None).read(of(sealed_state, "groq"))


def _swap(data: dict) -> None:
    first, second = data["keys"]
    first["sealed"], second["sealed"] = second["sealed"], first["sealed"]


def _rename(data: dict) -> None:
    data["keys"][0]["provider"] = "anthropic"


def _flip(data: dict) -> None:
    sealed = data["keys"][0]["sealed"]
    data["keys"][0]["sealed"] = sealed[:30] + ("A" if sealed[30] != "A" else "B") + sealed[31:]


@pytest.mark.parametrize("change", [_swap, _rename, _flip])
def test_a_key_that_was_moved_or_changed_does_not_open(sealed_state: Path, tmp_path: Path, change: Change) -> None:
    state = changed(sealed_state, tmp_path, change)
    with pytest.raises(StorageError):
        KeyStore(state, opens()).read(listed(state).keys[0])


@pytest.mark.parametrize(("name", "value"), [
    ("memory", 8), ("memory", 2**40), ("passes", 1), ("passes", 10**9), ("lanes", 0), ("salt", ""), ("lanes", True),
    ("salt", "ä"), ("proof", None), ("memory", "65536"),
])  # fmt: skip
def test_a_lock_that_nothing_here_made_is_damaged(sealed_state: Path, tmp_path: Path, name: str, value: object) -> None:
    state = changed(sealed_state, tmp_path, lambda data: data["lock"].update({name: value}))
    with pytest.raises(StorageError):
        KeyStore(state, opens()).read(listed(state).keys[0])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": 3, "lock": null}', '{"keys": [{}], "lock": null}', "\xff"])
def test_a_damaged_file_names_its_cure(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(StorageError) as refused:
        listed(tmp_path)
    assert str(tmp_path / FILE) in refused.value.hint


def test_keys_are_removed_without_a_passphrase_and_the_lock_with_the_last(sealed_state: Path, tmp_path: Path) -> None:
    store = KeyStore(changed(sealed_state, tmp_path, lambda data: None), None)
    assert [one.provider for one in store.remove("groq")] == ["groq"]
    assert [one.provider for one in listed(tmp_path).keys] == ["openai"]
    assert store.remove("groq") == ()
    assert len(store.remove()) == 1
    assert listed(tmp_path) == Listed()


def test_a_link_in_place_of_the_file_is_replaced(sealed_state: Path, tmp_path: Path) -> None:
    victim, state = tmp_path / "victim", tmp_path / "state"
    victim.write_bytes((sealed_state / FILE).read_bytes())
    before = victim.read_bytes()
    state.mkdir()
    (state / FILE).symlink_to(victim)
    KeyStore(state, None).remove("groq")
    assert victim.read_bytes() == before
    assert not (state / FILE).is_symlink()


def test_the_end_of_a_short_key_is_not_shown() -> None:
    assert last_letters("short-key") == "…"


def test_the_first_line_of_a_file_is_the_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    with pytest.raises(ConfigError):
        passphrase_in(str(path))(False)
    path.write_text("\nsecond")
    with pytest.raises(ConfigError):
        passphrase_in(str(path))(False)
    path.write_text(" correct horse \r\n")
    assert passphrase_in(str(path))(False) == " correct horse "
