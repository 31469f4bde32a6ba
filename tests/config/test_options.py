"""Settings for the calls of one model, provider or kind of work, and the user's own keywords."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from optimizer.config.load import PROJECT_FILE, Config, load
from optimizer.config.options import option
from optimizer.config.schema import schema
from optimizer.errors import ConfigError

Load = Callable[..., Config]
OWN = """\
temperature = 0.7
[options.provider.groq]
temperature = 0
[options.model."qwen2.5-coder:*"]
top_p = 0.9
temperature = 0.1
[options.model."qwen2.5-coder:7b"]
temperature = 0.2
[options.kind.quick]
answer_seconds = 30
temperature = 0.5
"""


@pytest.fixture
def config(tmp_path: Path) -> Load:
    """Load with the given user file, project file, environment and flags."""

    def run(user: str = "", project: str = "", env: Mapping[str, str] | None = None, **flags: object) -> Config:
        (tmp_path / "home/config").mkdir(parents=True, exist_ok=True)
        (tmp_path / "home/config/config.toml").write_text(user)
        (tmp_path / PROJECT_FILE).write_text(project)
        return load(tmp_path, {"OPTIMIZER_HOME": str(tmp_path / "home"), **(env or {})}, flags)

    return run


@pytest.mark.parametrize(
    ("name", "call", "value"),
    [
        ("temperature", ("qwen2.5-coder:7b", "groq", "quick"), 0.2),
        ("temperature", ("Qwen2.5-Coder:14b", "groq", "quick"), 0.1),
        ("top_p", ("qwen2.5-coder:7b", "ollama", ""), 0.9),
        ("temperature", ("gpt-oss-120b", "groq", "quick"), 0.0),
        ("temperature", ("gpt-oss-120b", "openai", "quick"), 0.5),
        ("temperature", ("gpt-oss-120b", "openai", "edit"), 0.7),
        ("answer_seconds", ("gpt-oss-120b", "openai", "quick"), 30.0),
        ("answer_seconds", ("gpt-oss-120b", "openai", "edit"), 300.0),
    ],
)
def test_the_narrowest_option_counts(config: Load, name: str, call: tuple[str, str, str], value: float) -> None:
    assert option(config(OWN).settings, name, *call) == value


def test_a_flag_and_a_variable_count_before_all_options(config: Load) -> None:
    call = ("qwen2.5-coder:7b", "groq", "quick")
    for got in (config(OWN, env={"OPTIMIZER_TEMPERATURE": "1"}), config(OWN, temperature="1")):
        assert option(got.settings, "temperature", *call) == 1.0
        assert option(got.settings, "top_p", *call) == 0.9
        assert not any(key.endswith(".temperature") for key in got.origins)
    assert config(env={"OPTIMIZER_TOP_P": "0.4"}).settings.top_p == 0.4


def test_an_option_has_its_line(config: Load, tmp_path: Path) -> None:
    origin = config(OWN).origins["options.model.qwen2.5-coder:7b.temperature"]
    assert str(origin) == f"user:{tmp_path}/home/config/config.toml:8"


@pytest.mark.parametrize(
    ("text", "line", "near"),
    [
        ("[options.modle.x]\ntop_p = 1", 1, "'model'"),
        ("[options.model.x]\ntop_q = 1", 2, "'top_p'"),
        ("[options.model.x]\n\ntop_p = 3", 3, ""),
        ("[options.model]\nx = 3", 2, '[options.model."x"]'),
        ("[options.provider.groc]\ntop_p = 1", 2, "'groq'"),
        ("[options.kind.explian]\ntop_p = 1", 2, "'explain'"),
        ("[options.model.x]\nkeep_alive = 'for ever'", 2, ""),
        ("[keywords]\ndebgu = 'triage'", 2, "'debug'"),
        ("[keywords]\ndebug = ['triage']", 2, ""),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_the_nearest(
    config: Load, tmp_path: Path, text: str, line: int, near: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        config(text)
    assert f"{tmp_path}/home/config/config.toml:{line}:" in caught.value.message
    assert near in caught.value.hint


def test_a_project_has_no_options(config: Load) -> None:
    got = config(project="[options.model.x]\ntop_p = 0.5\n")
    assert (got.settings.options, len(got.notices)) == ({}, 1)


def test_a_long_answer_makes_room_for_itself(config: Load) -> None:
    assert config(max_tokens="8000").settings.first_request == 12_500
    assert config(max_tokens="3000").settings.first_request == 6000
    with pytest.raises(ConfigError):
        config("request_tokens = 6000", max_tokens="8000")


def test_the_size_of_a_request_is_a_number_or_a_word(config: Load) -> None:
    assert config('request_tokens = "auto"').settings.first_request == 6000
    assert config("request_tokens = 9000").settings.first_request == 9000
    with pytest.raises(ConfigError, match="a whole number or 'auto'"):
        config('request_tokens = "large"')


@pytest.mark.parametrize(
    ("user", "project", "taken"),
    [("", "6000", 6000), ("", "6001", "auto"), ("9000", "8000", 8000), ("9000", '"auto"', 9000)],
)
def test_a_project_may_only_lower_the_size_of_a_request(config: Load, user: str, project: str, taken: object) -> None:
    got = config(f"request_tokens = {user}" if user else "", f"request_tokens = {project}\n")
    assert got.settings.request_tokens == taken


def test_the_schema_has_the_options() -> None:
    found = schema()["properties"]["options"]["properties"]["model"]["additionalProperties"]
    assert {"temperature", "top_p", "max_tokens", "keep_alive"} <= set(found["properties"])
    json.dumps(found)
