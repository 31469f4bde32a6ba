"""No attack on the keys of providers succeeds; `benchmarks/attack_keys.py` runs the same ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Optimize
from tests.e2e.key_attacks import ATTACKS, STORED, prepare
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow


# What these try is tried on the store itself in tests/privacy/test_keys.py.
ON_THE_STORE = {"by_link", "by_guess", "by_moving", "by_weakening", "by_damage"}


@pytest.fixture
def preloaded() -> None:
    """Attacks look at the environment, the memory and the modules of a process that was started with the keys."""


@pytest.mark.parametrize("name", sorted({*ATTACKS} - ON_THE_STORE))
def test_no_attack_succeeds(name: str, user: Optimize, loopback: Loopback, tmp_path: Path) -> None:
    prepare(user)
    breached, took_place = ATTACKS[name](user, loopback, tmp_path)
    assert took_place
    assert not breached


def test_nothing_is_decrypted_where_no_cloud_model_is_asked(user: Optimize, loopback: Loopback) -> None:
    prepare(user)
    user.env["PYTHONPROFILEIMPORTTIME"] = "1"
    loopback.queue("ollama", Reply(text="It splits the text (calc/parse.py:4)."))
    loopback.queue("groq", Reply(text="It splits the text (calc/parse.py:4)."))
    local = user("explain parse_response", "--json")
    cloud = user("explain parse_response", "--provider", "groq", "--json")
    assert (local.code, cloud.code) == (0, 0)
    assert "cryptography" not in local.err
    assert "cryptography.hazmat.primitives.kdf.argon2" in cloud.err
    assert os.environ.get("PYTHONPROFILEIMPORTTIME") is None
    assert STORED not in local.err + cloud.err
