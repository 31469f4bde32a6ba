"""Several compatible servers at once, named in models.toml: each with its address, key and consent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Optimize
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

GOOD = Reply(text="It splits the text (calc/parse.py:4).", tokens=Tokens(2000, 100))


@pytest.fixture
def second() -> Iterator[Loopback]:
    """Another server."""
    server = Loopback()
    yield server
    server.close()


def name_servers(user: Optimize, **urls: str) -> None:
    rows = "".join(
        f'[[endpoint]]\nname = "{name}"\nurl = "{url}/v1"\nkey = "K_{name.upper()}"\n' for name, url in urls.items()
    )
    user.config.with_name("models.toml").write_text(rows)


def test_two_local_servers_answer_each_with_its_key(user: Optimize, loopback: Loopback, second: Loopback) -> None:
    user.configure(loopback.config("ollama"))
    name_servers(user, studio=loopback.url, rig=second.url)
    user.env["K_RIG"] = "r-1"
    loopback.served |= {"ollama": (), "openai": ("small-coder",)}
    second.served["openai"] = ("large-coder",)
    models = {one["id"]: one for one in user("models", "list", "--json").events if one.get("local")}
    assert {(one["provider"], one["tier"]) for one in models.values()} == {("studio", "local"), ("rig", "local")}
    second.queue("openai", GOOD)
    ran = user("explain parse_response", "--model", "large-coder", "--json")
    assert ran.code == 0, ran.err
    assert ran.event("usage")["provider"] == "rig"
    assert second.asked("openai")[0].headers["authorization"] == "Bearer r-1"
    loopback.queue("openai", GOOD)
    assert user("explain parse_response", "--model", "small-coder").code == 0
    assert "authorization" not in loopback.asked("openai")[0].headers
    assert "large-coder at rig" in user("models", "limits", "large-coder", "--provider", "rig").out


def test_a_server_elsewhere_needs_a_yes_of_its_own(user: Optimize) -> None:
    name_servers(user, far="http://192.0.2.1:9")
    left = next(one for one in user("models", "list", "--json").events if one.get("provider") == "far")
    assert left["event"] == "missing" and left["cure"] == "optimize consent grant far"
    assert user("consent", "grant", "far").code == 0
    assert user("consent", "revoke", "far").code == 0


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('name = "groq"\nurl = "http://127.0.0.1:1"', "cannot be the name of a server"),
        ('name = "My Rig"\nurl = "http://127.0.0.1:1"', "cannot be the name of a server"),
        ('name = "rig"\nurl = "ftp://x"', "url: expected a URL"),
        ('name = "rig"\nurl = "http://u:p@x"', "without user name"),
        ('name = "rig"\nadress = "http://x"', "unknown field 'adress'"),
        ('name = "rig"\nurl = 3', "url: expected text"),
    ],
)
def test_what_is_wrong_with_a_server_is_told_with_its_line(user: Optimize, row: str, said: str) -> None:
    user.config.with_name("models.toml").write_text(f"[[endpoint]]\n{row}\n")
    ran = user("models", "list")
    assert ran.code == 2 and said in ran.err and "models.toml:1" in ran.err, ran.err


def test_a_project_cannot_name_servers(user: Optimize) -> None:
    (user.cwd / "models.toml").write_text('[[endpoint]]\nname = "evil"\nurl = "http://127.0.0.1:9"\n')
    assert "evil" not in user("models", "list", "--json").out
