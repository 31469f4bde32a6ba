"""Options of calls, from flags and files to the wire, and settings from other files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from optimizer.context.budget import count_tokens
from optimizer.models.memory import GIB
from tests.e2e.conftest import Optimize
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

GOOD = Reply(text="It splits the text (calc/parse.py:4).")
OWN = """\
[options.model."qwen2.5-coder:7b"]
top_p = 0.9
max_tokens = 900
keep_alive = "30m"
[options.provider.ollama]
temperature = 0.1
[keywords]
design = "triage, big picture"
"""


def test_options_reach_the_wire_and_flags_count_first(user: Optimize, loopback: Loopback) -> None:
    user.configure(loopback.config("ollama") + OWN)
    loopback.answer("ollama", lambda _: GOOD)
    assert user("explain parse_response").code == 0
    ran = user("explain parse_response", "--temperature", "0", "--top-p", "0.5", "--max-tokens", "800")
    assert ran.code == 0, ran.err
    own, flags = (one.body for one in loopback.asked("ollama") if one.path == "/api/chat")
    names = ("temperature", "top_p", "num_predict")
    assert [own["options"][name] for name in names] == [0.1, 0.9, 900]
    assert [flags["options"][name] for name in names] == [0.0, 0.5, 800]
    assert own["keep_alive"] == "30m"


def test_a_flag_that_is_no_number_is_refused(user: Optimize) -> None:
    assert user("explain parse_response", "--temperature", "hot").code == 2


def test_a_parameter_that_a_model_does_not_take_is_named(user: Optimize, loopback: Loopback) -> None:
    row = '[[model]]\nid = "qwen*"\nprovider = "ollama"\nparameters = []\n'
    user.configure(loopback.config("ollama"))
    user.config.with_name("models.toml").write_text(row)
    loopback.answer("ollama", lambda _: GOOD)
    ran = user("explain parse_response", "--temperature", "0", "--json")
    assert (ran.code, len(ran.notices("not-sent"))) == (0, 1)


def test_keywords_of_the_user_choose_the_kind(user: Optimize, loopback: Loopback) -> None:
    user.configure(loopback.config("ollama") + OWN)
    ran = user("route", "explain the big picture of parse_response", "--json", "-p", str(user.cwd), cwd=Path("/"))
    assert ran.event("route")["task"]["kind"] == "design"


def test_settings_are_imported_all_or_none(user: Optimize, tmp_path: Path) -> None:
    user.configure("max_tokens = 700 # mine\n")
    (tmp_path / "one.json").write_text('{"max_tokens": 900, "context": {"max_files": 5}}')
    ran = user("config", "import", str(tmp_path / "one.json"), "--json")
    assert ran.event("import")["settings"] == {"max_tokens": 900, "context.max_files": 5}
    kept = user.config.read_text()
    assert kept == "max_tokens = 900 # mine\n\n[context]\nmax_files = 5\n"
    (tmp_path / "bad.json").write_text('{"max_tokens": 800,\n "context": {"max_fils": 5}}')
    ran = user("config", "import", str(tmp_path / "bad.json"))
    assert ran.code == 2
    assert f"{tmp_path}/bad.json:2:" in ran.err
    (tmp_path / "own.json").write_text('{"options": {"model": {"a.b:7b": {"top_p": 0.5}}}}')
    assert user("config", "import", str(tmp_path / "own.json")).code == 4
    assert user.config.read_text() == kept
    assert user("config", "import", str(tmp_path / "own.json"), "--allow-user-only").code == 0
    assert user.config.read_text() == f'{kept}\n[options.model."a.b:7b"]\ntop_p = 0.5\n'


@pytest.mark.skipif(importlib.util.find_spec("yaml") is None, reason="the extra yaml is not installed")
def test_settings_are_imported_from_yaml(user: Optimize, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("temperature: 0.5\nkeywords:\n  debug: triage\n")
    assert user("config", "import", str(tmp_path / "one.yaml")).code == 0
    assert user("config", "show", "keywords.debug").out.split() == ["keywords.debug", "=", '"triage"']


@pytest.mark.parametrize(("room", "gone"), [(16, ["big:13b"]), (64, [])])
def test_idle_models_are_unloaded_for_one_that_does_not_fit(
    user: Optimize, loopback: Loopback, room: int, gone: list[str]
) -> None:
    user.configure(loopback.config("ollama").replace("[models]", f"[models]\nmemory_gib = {room}"))
    loopback.answer("ollama", lambda _: GOOD)
    loopback.sizes["qwen2.5-coder:7b"] = 5 * GIB
    loopback.loaded = {"big:13b": {"size": 9 * GIB}, "mid:3b": {"size": 3 * GIB}}
    ran = user("explain parse_response", "--model", "qwen2.5-coder:7b", "--json")
    assert ran.code == 0, ran.err
    asked = [one.body for one in loopback.requests if one.path == "/api/generate"]
    assert asked == [{"model": name, "keep_alive": 0} for name in gone]
    assert len(ran.notices("unloaded")) == len(gone)


@pytest.mark.parametrize("request_", ["explain parse_response", "make total skip empty parts", "what is a monad?"])
def test_the_estimate_of_a_route_is_the_prompt_that_is_sent(user: Optimize, loopback: Loopback, request_: str) -> None:
    user.configure(loopback.config("ollama"))
    loopback.answer("ollama", lambda _: GOOD)
    estimated = user("route", request_, "--json").event("route")["task"]["input_tokens"]
    assert user(request_, "--json").event("route")["task"]["input_tokens"] == estimated
    body = next(one.body for one in loopback.asked("ollama") if one.path == "/api/chat")
    tools = (one["function"] for one in body.get("tools", ()))
    specs = (json.dumps([one["name"], one["description"], one["parameters"]]) for one in tools)
    sent = sum(map(count_tokens, (*(one["content"] for one in body["messages"]), *specs)))
    assert sent - 5 <= estimated <= sent + 5
