"""`optimize keys`: set from standard input, used where the environment has none, never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Optimize
from tests.e2e.test_terminal import typed
from tests.keyrings import stand_in
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

KEY = "canary-0123456789-abcdefghij-WXYZ"
GOOD = Reply(text="It splits the text (calc/parse.py:4).", tokens=Tokens(2000, 100))
ASK = ("explain parse_response", "--tier", "free", "--provider", "groq", "--json")


@pytest.fixture
def keyless(user: Optimize) -> Optimize:
    """A user without a key of groq, and with a passphrase in a file."""
    del user.env["GROQ_API_KEY"]
    passphrase = user.home / "passphrase"
    passphrase.write_text("correct horse\n")
    user.env["OPTIMIZER_PASSPHRASE_FILE"] = str(passphrase)
    return user


def row(user: Optimize, provider: str = "groq") -> dict[str, str]:
    return next(one for one in user("keys", "--json").events if one["provider"] == provider)


def test_a_key_in_the_encrypted_file_is_used(keyless: Optimize, loopback: Loopback) -> None:
    assert row(keyless)["last"] == ""
    ran = keyless("keys", "set", "groq", stdin=KEY + "\n")
    assert ran.code == 0, ran.err
    assert KEY not in ran.out + ran.err
    assert (row(keyless)["last"], row(keyless)["source"]) == ("…WXYZ", "encrypted file")
    loopback.queue("groq", GOOD)
    assert keyless(*ASK).code == 0
    assert loopback.asked("groq")[0].headers["authorization"] == f"Bearer {KEY}"
    keyless.env["GROQ_API_KEY"] = "g-1"
    loopback.queue("groq", GOOD)
    assert keyless(*ASK).code == 0
    assert loopback.asked("groq")[1].headers["authorization"] == "Bearer g-1"


def test_without_a_passphrase_it_is_as_if_the_key_were_missing(keyless: Optimize, loopback: Loopback) -> None:
    assert keyless("keys", "set", "groq", stdin=KEY).code == 0
    path = Path(keyless.env.pop("OPTIMIZER_PASSPHRASE_FILE"))
    models = [one for one in keyless("models", "list", "--json").events if one.get("provider") == "groq"]
    assert {one["code"] for one in models} == {"locked"}
    path.write_text("wrong\n")
    keyless.env["OPTIMIZER_PASSPHRASE_FILE"] = str(path)
    assert keyless(*ASK).code == 2
    (keyless.home / ".local/state/optimizer/keys.json").write_text("{")
    assert keyless(*ASK).code == 7
    assert not loopback.asked("groq")


def test_a_key_in_the_keyring_is_used_and_removed(keyless: Optimize, loopback: Loopback, tmp_path: Path) -> None:
    del keyless.env["OPTIMIZER_PASSPHRASE_FILE"]
    keyless.env["PYTHONPATH"] = stand_in(tmp_path / "library")
    assert keyless("keys", "set", "groq", stdin=KEY).code == 0
    assert row(keyless)["source"] == "system keyring"
    assert KEY not in (keyless.home / ".local/state/optimizer/keys.json").read_text()
    loopback.queue("groq", GOOD)
    assert keyless(*ASK).code == 0
    assert loopback.asked("groq")[0].headers["authorization"] == f"Bearer {KEY}"
    assert keyless("keys", "rm", "groq").code == 0
    assert json.loads((keyless.home / "stand-in-keyring.json").read_text()) == {}


def test_a_keyring_that_writes_keys_plainly_is_not_used(keyless: Optimize, tmp_path: Path) -> None:
    keyless.env["PYTHONPATH"] = stand_in(tmp_path / "library", "keyrings.alt.file")
    assert keyless("keys", "set", "groq", stdin=KEY).code == 0
    assert row(keyless)["source"] == "encrypted file"
    assert not (keyless.home / "stand-in-keyring.json").exists()


@pytest.mark.parametrize("words", [("set", "groq", KEY), ("set", KEY * 2), ("set", "groq", KEY, "--json")])
def test_a_key_as_an_argument_is_refused_and_not_repeated(keyless: Optimize, words: tuple[str, ...]) -> None:
    ran = keyless("keys", *words)
    assert ran.code == 2
    assert KEY not in ran.out + ran.err


@pytest.mark.parametrize("key", ["", "two words of it", "ké-0123456789", "x" * 9000])
def test_what_can_be_no_key_is_refused(keyless: Optimize, key: str) -> None:
    assert keyless("keys", "set", "groq", stdin=key).code == 2
    assert row(keyless)["last"] == ""


def test_keys_are_tested_without_consent_and_without_code(keyless: Optimize, loopback: Loopback) -> None:
    keyless("consent", "revoke", "groq")
    assert keyless("keys", "set", "groq", stdin=KEY).code == 0
    loopback.served["groq"] = ("openai/gpt-oss-20b",)
    ran = keyless("keys", "test", "groq", "--json")
    assert ran.code == 0, ran.err
    assert (ran.events[0]["ok"], ran.events[0]["models"]) == (True, 1)
    asked = [one for one in loopback.requests if one.wire == "groq"]
    assert [(one.method, one.raw, one.headers["authorization"]) for one in asked] == [("GET", b"", f"Bearer {KEY}")]


def test_a_key_without_its_passphrase_is_tested_as_one_that_is_there(keyless: Optimize, loopback: Loopback) -> None:
    assert keyless("keys", "set", "groq", stdin=KEY).code == 0
    del keyless.env["OPTIMIZER_PASSPHRASE_FILE"]
    ran = keyless("keys", "test", "groq", "--json")
    assert ran.code == 6, ran.err
    assert "passphrase" in ran.events[0]["error"] and "PASSPHRASE" in ran.events[0]["hint"]
    assert not loopback.requests


def test_only_keys_of_providers_are_removed(keyless: Optimize) -> None:
    assert keyless("keys", "rm", "grok").code == 2
    assert keyless("keys", "rm", "groq").code == 0


def test_at_a_terminal_key_and_passphrase_are_not_shown(keyless: Optimize, loopback: Loopback) -> None:
    del keyless.env["OPTIMIZER_PASSPHRASE_FILE"]
    lines = f"{KEY}\ncorrect horse\ncorrect house\ncorrect horse\ncorrect horse\n"
    code, screen = typed(keyless, ["keys", "set", "groq"], "Key of groq", lines)
    assert code == 0, screen
    assert screen.count("not the same") == 1
    assert KEY not in screen
    assert "correct horse" not in screen
    loopback.queue("groq", GOOD)
    code, screen = typed(
        keyless, ["explain parse_response", "--provider", "groq"], "Passphrase", "wrong\ncorrect horse\n"
    )
    assert code == 0, screen
    assert screen.count("does not open") == 1
    assert loopback.asked("groq")[0].headers["authorization"] == f"Bearer {KEY}"
