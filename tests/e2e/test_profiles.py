"""`optimize config` and `optimize profile` as a person types them, with files of their own."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from optimizer.git.identity import identify
from optimizer.privacy.consent import grant
from tests.e2e.conftest import Optimize
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow


@pytest.fixture
def local(user: Optimize, loopback: Loopback) -> Optimize:
    """The user with three providers, all on loopback; `user` of this file has none."""
    user.env.update({"GROQ_API_KEY": "g-1", "ANTHROPIC_API_KEY": "a-1"})
    del user.env["OLLAMA_HOST"]
    user.configure(loopback.config())
    loopback.served["ollama"] = ("qwen2.5-coder:7b",)
    for destination in ("groq", "anthropic"):
        state = user.home / ".local/state/optimizer"
        grant(
            state, str(user.cwd), destination, loopback.url.removeprefix("http://"), partial(identify, user.cwd, state)
        )
    return user


@pytest.fixture
def user(stand_in: Callable[..., Optimize], make_repo: Callable[[dict[str, str]], Path]) -> Optimize:
    return stand_in(make_repo({"calc.py": "def total(a):\n    return sum(a)\n"}))


def test_show_tells_where_each_value_comes_from(user: Optimize) -> None:
    user.configure("max_tokens = 700\nprofile = 'fast'\n[context]\nmax_files = 3\n")
    (user.cwd / ".optimizer.toml").write_text("temperature = 0.5\n[endpoints]\ngroq = 'http://evil'\n")
    user.env["OPTIMIZER_MODEL"] = "some-model"
    ran = user("config", "show", "--origin", "--json")
    found = ran.event("config")["settings"]
    assert found["max_tokens"]["value"] == 800
    assert found["max_tokens"]["origin"].startswith("profile:")
    assert found["context.max_files"] == {"value": 3, "origin": f"user:{user.config}:4"}
    assert found["temperature"] == {"value": 0.5, "origin": f"project:{user.cwd}/.optimizer.toml:1"}
    assert found["model"] == {"value": "some-model", "origin": "env:OPTIMIZER_MODEL"}
    assert found["tier"]["origin"] == "default"
    assert "endpoints.groq" not in found
    assert "'endpoints.groq' is ignored" in ran.err
    assert user("config", "show", "max_tokens", "--profile", "code").out.split() == ["max_tokens", "=", "2000"]
    assert f"user ({user.config}:4)" in user("config", "show", "context", "--origin").out
    missed = user("config", "show", "max_token")
    assert missed.code == 2
    assert "'max_tokens'" in missed.err


def test_paths_schema_and_validate(user: Optimize) -> None:
    rows = user("config", "path", "--json").event("paths")
    assert rows["config"] == {"path": str(user.config), "exists": False}
    schema = json.loads(user("config", "schema").out)
    assert schema["properties"]["context"]["properties"]["max_files"]["minimum"] == 1
    assert schema["properties"]["endpoints"]["properties"]["groq"]["x-user-only"]
    assert schema["$defs"]["profile"]["additionalProperties"] is False
    assert "no files" in user("config", "validate").out
    user.configure("max_tokens = 'x'\nmodle = 'y'\nmax_tier = 'budget'\n")
    (user.cwd / ".optimizer.toml").write_text("[endpoints]\ngroq = 'http://evil'\n")
    (user.config.parent / "models.toml").write_text("[[model]]\nid = 'a'\nwindw = 5\n")
    ran = user("config", "validate")
    assert ran.code == 2
    for line in (
        f"{user.config}:1: max_tokens: expected a whole number",
        f"{user.config}:2: unknown setting 'modle'\n    did you mean 'model'",
        f"{user.cwd}/.optimizer.toml:2: 'endpoints.groq' is ignored",
        f"{user.config.parent}/models.toml:3: ",
    ):
        assert line in ran.out
    user.configure("max_tier = 'budget'\n")
    assert f"{user.config}: ok" in user("config", "validate").out


def test_a_profile_from_its_making_to_its_end(user: Optimize) -> None:
    made = user("profile", "create", "mine", "--extends", "code", "--family", "qwen", "--set", "context.max_files=4")
    assert made.code == 0, made.err
    path = user.config.parent / "profiles/mine.toml"
    assert tomllib.loads(path.read_text()) == {
        "extends": "code",
        "families": ["qwen"],
        "settings": {"context": {"max_files": 4}},
    }
    assert user("profile", "use", "mine").code == 0
    assert tomllib.loads(user.config.read_text()) == {"profile": "mine"}
    rows = {row["name"]: row for row in user("profile", "list", "--json").events}
    assert [name for name, row in rows.items() if row["used"]] == ["mine"]
    assert rows["code"]["origin"] == "shipped"
    assert user("config", "show", "context.max_files").out.split()[-1] == "4"
    shown = user("profile", "show", "mine").out
    assert "builds on  code" in shown
    assert f"context.max_files = 4  profile ({path}:" in shown
    assert "max_tokens = 2000" in shown
    assert user("profile", "copy", "mine", "other").code == 0
    whole = json.loads(user("profile", "export", "mine", "--whole", "--format", "json").out)
    assert (whole["requires"], whole["settings"]["max_tokens"]) == (["tools"], 2000)
    assert "in use" in user("profile", "delete", "mine").err
    assert user("profile", "use", "none").code == 0
    assert user("profile", "delete", "mine").code == 0
    assert not path.exists()
    assert user("profile", "validate", "--json").events == [
        {"event": "profile", "name": "other", "error": "", "hint": ""}
    ]


def test_what_cannot_be_done_says_why(user: Optimize) -> None:
    assert user("profile", "create", "mine").code == 0
    assert user("profile", "create", "child", "--extends", "mine").code == 0
    for words, code, said in (
        (("create", "mine"), 2, "'mine' exists"),
        (("create", "code"), 2, "shipped"),
        (("create", "../x"), 2, "not a valid profile name"),
        (("create", "x", "--extends", "cod"), 2, "did you mean 'code'"),
        (("create", "x", "--requires", "tool"), 2, "'tools'"),
        (("create", "x", "--set", "max_token=5"), 2, "'max_tokens'"),
        (("create", "x", "--set", "max_tokens=x"), 2, "expected a whole number"),
        (("delete", "mine"), 2, "used by child"),
        (("delete", "code"), 2, "shipped"),
        (("show", "mien"), 2, "did you mean 'mine'"),
        (("use", "mien"), 2, "did you mean 'mine'"),
        (("import", "nowhere.json"), 2, "cannot read nowhere.json"),
    ):
        ran = user("profile", *words)
        assert ran.code == code, words
        assert said in ran.err, words
    assert sorted(path.name for path in (user.config.parent / "profiles").iterdir()) == ["child.toml", "mine.toml"]
    assert not user.config.exists()


def test_import_takes_toml_and_json_and_checks_them(user: Optimize, tmp_path: Path) -> None:
    given = {"about": "Mine.", "families": ["phi"], "settings": {"context": {"max_files": 2}}}
    (tmp_path / "one.json").write_text(json.dumps(given, indent=1))
    assert user("profile", "import", str(tmp_path / "one.json")).code == 0
    assert user("profile", "export", "one", "--format", "json", "-o", str(tmp_path / "two.json")).code == 0
    assert json.loads((tmp_path / "two.json").read_text()) == given
    (tmp_path / "three.toml").write_text(user("profile", "export", "one").out)
    assert user("profile", "import", str(tmp_path / "three.toml"), "--name", "four").code == 0
    assert user("config", "show", "context.max_files", "--profile", "four").out.split()[-1] == "2"
    (tmp_path / "bad.json").write_text('{\n "about": "x",\n "settings": {\n  "max_token": 5\n }\n}')
    ran = user("profile", "import", str(tmp_path / "bad.json"))
    assert ran.code == 2
    assert f"{tmp_path}/bad.json:4: " in ran.err
    (tmp_path / "evil.toml").write_text("[settings.endpoints]\ngroq = 'http://127.0.0.1:1'\n")
    ran = user("profile", "import", str(tmp_path / "evil.toml"))
    assert ran.code == 4
    assert "endpoints.groq" in ran.err
    assert user("profile", "import", str(tmp_path / "evil.toml"), "--allow-user-only").code == 0


def test_yaml_is_taken_where_it_can_be_read(user: Optimize, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("about: Mine.\nsettings:\n  max_tokens: many\n")
    ran = user("profile", "import", str(tmp_path / "one.yaml"))
    assert ran.code == 2
    if importlib.util.find_spec("yaml") is None:
        assert "pyyaml" in ran.err
        return
    assert f"{tmp_path}/one.yaml:3: max_tokens: " in ran.err
    (tmp_path / "one.yaml").write_text("about: Mine.\nsettings:\n  max_tokens: 50\n")
    assert user("profile", "import", str(tmp_path / "one.yaml")).code == 0
    assert user("config", "show", "max_tokens", "--profile", "one").out.split()[-1] == "50"


def test_a_request_that_begins_with_profile_is_a_request(user: Optimize) -> None:
    assert "no command" not in user("profile", "the", "slow", "parser", "--dry-run").err
    assert user("profile", "lst").code == 2


def routed(user: Optimize, *flags: str) -> dict[str, Any]:
    """The route of a question."""
    found: dict[str, Any] = json.loads(user("route", "explain total", "--json", *flags).out)["route"]
    return found


def test_a_profile_moves_the_route_and_the_reasons_say_so(local: Optimize) -> None:
    assert routed(local)["plan"]["profile"] is None
    chosen = routed(local, "--profile", "code")
    assert chosen["plan"]["profile"] == {"kind": "profile", "name": "code"}
    preferred = [one["facts"].get("preferred") for one in chosen["attempts"]]
    assert {"by": {"kind": "profile", "name": "code"}, "what": "claude", "suits": ""} in preferred
    assert local("profile", "create", "strict", "--requires", "vision", "--fallback", "fast").code == 0
    assert local("profile", "create", "wide", "--window", "90000000").code == 0
    local.env["OPTIMIZER_PROFILE"] = "wide"
    found = routed(local)
    assert found["attempts"] == []
    assert {(one["code"], one["facts"]["needs"]) for one in found["left_out"] if one["code"] == "narrow"} == {
        ("narrow", 90_000_000)
    }
    ran = local("explain total")
    assert ran.code == 6
    assert "optimize profile show wide" in ran.err
    local.env["OPTIMIZER_PROFILE"] = "nosuch"
    assert local("explain total").code == 2


@pytest.mark.parametrize(
    ("request_", "profile"),
    [
        ("add a flag to total", "code"),
        ("write a haiku about adding", "creative"),
        ("hello", "fast"),
        ("explain total", "general"),
    ],
)
def test_auto_takes_the_profile_that_the_kind_of_work_asks_for(local: Optimize, request_: str, profile: str) -> None:
    plan = json.loads(local("route", request_, "--json", "--profile", "auto").out)["route"]["plan"]
    assert (plan["profile"]["name"], plan["by_kind"]) == (profile, True)


def test_auto_brings_the_settings_of_the_profile(local: Optimize, loopback: Loopback) -> None:
    loopback.answer("ollama", lambda _: Reply(text="Numbers fall like rain, see calc.py:2."))
    assert local("profile", "use", "auto").code == 0
    assert local("write a haiku about adding").code == 0
    assert local("explain total").code == 0
    first, second = (one.body["options"].get("temperature") for one in loopback.asked("ollama"))
    assert (first, second) == (0.9, None)


def test_auto_is_a_name_of_its_own(local: Optimize) -> None:
    local.configure(f"profile = 'auto'\n{local.config.read_text()}")
    assert local("config", "show", "profile", "--origin").out.startswith('profile = "auto"')
    assert local("config", "validate").code == 0
    rows = {row["name"]: row for row in local("profile", "list", "--json").events}
    assert [name for name, row in rows.items() if row["used"]] == ["auto"]
    assert "reserved" in local("profile", "create", "auto").err
    assert local("profile", "show", "auto").code == 2
    assert "'auto'?" in local("route", "x", "--profile", "autp").err


def test_a_profile_in_use_that_is_gone_is_told_beside_the_others(user: Optimize) -> None:
    assert user("profile", "create", "mine").code == 0
    assert user("profile", "use", "mine").code == 0
    (user.config.parent / "profiles/mine.toml").unlink()
    listed = user("profile", "list")
    assert listed.code == 0 and "general" in listed.out and "*" not in listed.out
    assert f"{user.config}:1: no profile 'mine'" in listed.err
    assert "optimize profile use none" in listed.err
    assert "optimize profile use none" in user("config", "show").err
    assert user("profile", "use", "none").code == 0
    assert user("profile", "list").err == ""
