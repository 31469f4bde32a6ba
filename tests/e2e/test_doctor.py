"""`optimize doctor`: what is protected on a machine and what is not, without a request to anybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Optimize
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow


def found(user: Optimize) -> dict[str, list[str]]:
    """The values of what was found, by code."""
    ran = user("doctor", "--json")
    assert ran.code == 0, ran.err
    rows = [one for one in ran.events if one["event"] == "finding"]
    assert ran.event("doctor")["warnings"] == sum(not one["ok"] for one in rows)
    assert all(bool(one["cure"]) != one["ok"] for one in rows)
    return {one["code"]: one["values"] for one in rows}


def test_a_machine_where_all_is_well_and_nobody_is_asked(user: Optimize, loopback: Loopback) -> None:
    codes = found(user)
    assert {"git", "key", "consent", "server", "models", "no_index", "state_open"} - {*codes} <= {"state_open"}
    assert "groq" in codes["consent"][0]
    assert "environment" in codes
    assert loopback.requests == []
    assert not (user.home / ".cache/optimizer/index").exists()
    user("find", "total")
    assert found(user)["index"][0] == "4"


def test_layers_are_those_that_hold_here(user: Optimize) -> None:
    both = found(user)
    user.configure(user.config.read_text() + '[verify]\nconfinement = "landlock"\n')
    one = found(user)
    if "confined" not in one:
        assert "unconfinable" in one
        return
    assert one["confined"] == ["landlock"]
    assert both["confined"][-1] == "landlock"


def test_what_is_not_protected_is_a_warning_with_its_cure(user: Optimize, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("x")
    passphrase.chmod(0o644)
    user("trust", "grant", "unconfined")
    (user.home / ".local/state/optimizer").chmod(0o755)
    user.env.update({"OPTIMIZER_PASSPHRASE_FILE": str(passphrase), "SSL_CERT_FILE": str(tmp_path / "none.pem")})
    user.env["PATH"] = "/nonexistent"
    codes = found(user)
    assert {"passphrase_open", "unconfined_allowed", "state_open", "certificates_missing", "git_missing"} <= {*codes}
    passphrase.chmod(0o600)
    (user.home / ".local/state/optimizer").chmod(0o700)
    user("trust", "revoke", "unconfined")
    assert not {"passphrase_open", "unconfined_allowed", "state_open"} & {*found(user)}


def test_a_repository_of_another_user(user: Optimize) -> None:
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    assert "git" in found(user)
    os.chown(user.cwd, 12345, 12345)
    os.chown(user.cwd / ".git", 12345, 12345)
    assert found(user)["git_refuses"] == [str(user.cwd)]


def test_damaged_records_are_warnings_and_a_key_to_a_host_without_encryption(user: Optimize) -> None:
    user.configure('[endpoints]\ngroq = "http://groq.example"\n')
    state = user.home / ".local/state/optimizer"
    (state / "trust.json").write_text("{")
    codes = found(user)
    assert {"broken", "plain_http"} <= {*codes}
    (state / "keys.json").write_text("{")
    assert str(state / "keys.json") in found(user)["broken"][1]
    assert user("models", "list").code == 0
