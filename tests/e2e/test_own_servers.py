"""Several compatible servers at once, named in models.toml: each with its address, key and consent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Optimize
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

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


@pytest.fixture
def boxes(user: Optimize, loopback: Loopback, second: Loopback) -> Optimize:
    """A user with two servers of their own that hold a model of the same name, and Ollama."""
    user.configure(loopback.config("ollama"))
    name_servers(user, studio=loopback.url, mybox=second.url)
    loopback.served["openai"] = second.served["openai"] = ("coder",)
    for server in (loopback, second):
        server.answer("openai", lambda _: GOOD)
    return user


def test_a_server_is_the_provider_by_flag_variable_file_and_profile(boxes: Optimize, second: Loopback) -> None:
    ran = boxes("explain parse_response", "--provider", "mybox", "--json")
    assert ran.code == 0, ran.err
    assert ran.event("usage")["provider"] == "mybox"
    assert [one.model for one in second.asked("openai")] == ["coder"]
    assert ["coder" in text and "mybox" in text for text in ran.notices("starting")] == [True]
    boxes.env["OPTIMIZER_PROVIDER"] = "mybox"
    assert provider_of(boxes) == "mybox"
    del boxes.env["OPTIMIZER_PROVIDER"]
    assert boxes("profile", "create", "box", "--set", "provider=mybox").code == 0
    assert provider_of(boxes, "--profile", "box") == "mybox"
    boxes.config.write_text('provider = "mybox"\n' + boxes.config.read_text())
    assert provider_of(boxes) == "mybox"
    assert boxes("config", "show", "provider", "--origin").out == f'provider = "mybox"  user ({boxes.config}:1)\n'
    (boxes.cwd / ".optimizer.toml").write_text('provider = "studio"\n')
    assert provider_of(boxes) == "mybox", "a project chooses no provider"


def provider_of(user: Optimize, *flags: str) -> str:
    """The one provider that a request would be asked of."""
    ran = user("route", "explain parse_response", "--json", *flags)
    assert ran.code == 0, ran.err
    (provider,) = {one["model"]["provider"] for one in ran.events[0]["route"]["attempts"]}
    return str(provider)


KNOWN = "anthropic, gemini, groq, ollama, openai, studio, mybox"


def test_an_unknown_provider_is_told_with_all_names_and_its_line(boxes: Optimize) -> None:
    ran = boxes("explain parse_response", "--provider", "mybxo")
    assert ran.code == 2 and KNOWN in ran.err and "'mybox'?" in ran.err
    assert "[[endpoint]]" in boxes("route", "x", "--provider", "zzz").err
    boxes.env["OPTIMIZER_PROVIDER"] = "mybxo"
    said = boxes("route", "x").err
    assert "OPTIMIZER_PROVIDER: " in said and KNOWN in said
    del boxes.env["OPTIMIZER_PROVIDER"]
    ran = boxes("profile", "create", "box", "--set", "provider=mybxo")
    assert ran.code == 2 and KNOWN in ran.err
    boxes.config.write_text('max_tokens = 900\nprovider = "mybxo"\n' + boxes.config.read_text())
    ran = boxes("route", "x")
    assert ran.code == 2 and f"{boxes.config}:2: provider: " in ran.err and KNOWN in ran.err
    found = boxes("config", "validate")
    assert found.code == 2
    assert f"{boxes.config}:2: provider: " in found.out and KNOWN in found.out and "'mybox'?" in found.out


def test_the_schema_takes_a_name_of_ones_own(boxes: Optimize) -> None:
    known, own = json.loads(boxes("config", "schema").out)["properties"]["provider"]["anyOf"]
    assert known["enum"] == ["anthropic", "gemini", "groq", "ollama", "openai", ""]
    assert re.search(own["pattern"], "mybox") and not re.search(own["pattern"], "My Box")


def test_care_of_models_knows_who_holds_what(boxes: Optimize, loopback: Loopback, second: Loopback) -> None:
    second.served["openai"] = ("coder", "large")
    assert boxes("models", "list").code == 0
    shown = boxes("models", "show", "large", "--json").events[0]
    assert (shown["model"], shown["provider"]) == ("large", "mybox")
    ran = boxes("models", "test", "coder", "--provider", "mybox", "--json")
    assert ran.event("test")["local"] and second.asked("openai") and not loopback.asked("openai")
    ran = boxes("models", "test", "nothing", "--provider", "mybox")
    assert ran.code == 6 and "mybox" in ran.err and not loopback.asked("openai")
    second.close()
    ran = boxes("explain parse_response", "--model", "large", "--json")
    codes = {(one["provider"], one["code"]) for one in ran.event("route")["route"]["left_out"]}
    assert ran.code == 6 and ("mybox", "no_answer") in codes, "it held the model when it last answered"


def test_rows_may_speak_of_one_server(boxes: Optimize) -> None:
    models = boxes.config.with_name("models.toml")
    row = '\n[[model]]\nid = "*"\nprovider = "{}"\nwindow = 16384\ntools = true\n'
    models.write_text(models.read_text() + row.format("mybox"))
    window = {one["provider"]: one["window"] for one in boxes("models", "list", "--json").events if one.get("local")}
    assert window["mybox"] == 16_384 and window["studio"] == 8_192
    models.write_text(models.read_text().replace('provider = "mybox"', 'provider = "mybxo"'))
    ran = boxes("models", "list")
    assert ran.code == 2 and "'mybox'?" in ran.err


def test_a_key_that_is_refused_is_called_by_its_own_variable(boxes: Optimize, second: Loopback) -> None:
    second.queue("openai", Reply(status=401, body=b'{"error": {"message": "no"}}'))
    ran = boxes("explain parse_response", "--provider", "mybox")
    assert "K_MYBOX" in ran.err


@pytest.mark.parametrize(
    ("row", "line", "said"),
    [
        ('name = "groq"\nurl = "http://127.0.0.1:1"', 2, "cannot be the name of a server"),
        ('name = "My Rig"\nurl = "http://127.0.0.1:1"', 2, "cannot be the name of a server"),
        ('url = "http://127.0.0.1:1"', 1, "cannot be the name of a server"),
        ('name = "rig"\nurl = "ftp://x"', 3, "url: expected a URL"),
        ('name = "rig"\nurl = "http://u:p@x"', 3, "without user name"),
        ('name = "rig"\nadress = "http://x"', 3, "unknown field 'adress'"),
        ('name = "rig"\nurl = 3', 3, "url: expected text"),
    ],
)
def test_what_is_wrong_with_a_server_is_told_with_its_line(user: Optimize, row: str, line: int, said: str) -> None:
    user.config.with_name("models.toml").write_text(f"[[endpoint]]\n{row}\n")
    ran = user("models", "list")
    assert ran.code == 2 and said in ran.err and f"models.toml:{line}: " in ran.err, ran.err


def test_a_project_cannot_name_servers(user: Optimize) -> None:
    (user.cwd / "models.toml").write_text('[[endpoint]]\nname = "evil"\nurl = "http://127.0.0.1:9"\n')
    assert "evil" not in user("models", "list", "--json").out
