import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from optimizer.config.load import PROJECT_FILE, Config, load
from optimizer.errors import ConfigError, StorageError
from optimizer.settings import Settings, rows

Load = Callable[..., Config]


@pytest.fixture
def config(tmp_path: Path) -> Load:
    """Load with the given user file, project file, environment and flags."""

    def run(user: str = "", project: str = "", env: Mapping[str, str] | None = None, **flags: object) -> Config:
        (tmp_path / "home/config").mkdir(parents=True, exist_ok=True)
        (tmp_path / "home/config/config.toml").write_text(user)
        (tmp_path / PROJECT_FILE).write_text(project)
        dotted = {key.replace("__", "."): value for key, value in flags.items()}
        return load(tmp_path, {"OPTIMIZER_HOME": str(tmp_path / "home"), **(env or {})}, dotted)

    return run


def test_an_empty_home_gives_the_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, {"HOME": str(tmp_path)}, {})
    shipped = dict(config.settings.features)
    assert asdict(config.settings) == asdict(Settings(features=shipped))
    assert shipped["context-optimization"] is True
    assert config.features.semantic_search is False
    assert set(map(str, config.origins.values())) == {"default"}
    assert "context.max_files" in config.origins
    assert "features.local-models" in config.origins
    assert config.notices == ()


def test_later_places_win_and_each_value_tells_its_origin(config: Load, tmp_path: Path) -> None:
    user = "temperature = 0.1\nprovider = 'groq'\nmax_tokens = 10\n[context]\nmax_files = 3\n"
    project = "temperature = 0.5\nmax_tokens = 5\ntop_p = 0.5\n"
    env = {"OPTIMIZER_PROVIDER": "ollama", "OPTIMIZER_MAX_TOKENS": "30", "OPTIMIZER_TOP_P": "0.9"}
    got = config(user, project, env, max_tokens=40)
    assert (got.settings.max_files, got.settings.temperature, got.settings.top_p) == (3, 0.5, 0.9)
    assert got.notices == ("project sets: temperature=0.5",)
    assert (got.settings.provider, got.settings.max_tokens) == ("ollama", 40)
    assert str(got.origins["context.max_files"]) == f"user:{tmp_path}/home/config/config.toml:5"
    assert str(got.origins["temperature"]) == f"project:{tmp_path}/{PROJECT_FILE}:1"
    assert str(got.origins["provider"]) == "env:OPTIMIZER_PROVIDER"
    assert str(got.origins["max_tokens"]) == "flag"
    assert str(got.origins["tier"]) == "default"


def test_all_variables(config: Load) -> None:
    env = {
        "OPTIMIZER_MODEL": "m",
        "OPTIMIZER_PROVIDER": "openai",
        "OPTIMIZER_TEMPERATURE": "0.5",
        "OPTIMIZER_MAX_TOKENS": "99",
        "OPTIMIZER_CONTEXT_SIZE": "8192",
        "OLLAMA_HOST": "gpu",
    }
    settings = config(env=env).settings
    assert (settings.model, settings.provider, settings.temperature) == ("m", "openai", 0.5)
    assert (settings.max_tokens, settings.context_size) == (99, 8192)
    assert settings.endpoints == {"ollama": "http://gpu:11434"}


def test_the_environment_overrides_one_endpoint_and_keeps_the_others(config: Load) -> None:
    user = "[endpoints]\nollama = 'http://a:1'\nanthropic = 'http://127.0.0.1:9/'\n"
    got = config(user, env={"OLLAMA_HOST": "b:2"})
    assert got.settings.endpoints == {"ollama": "http://b:2", "anthropic": "http://127.0.0.1:9"}
    assert str(got.origins["endpoints.ollama"]) == "env:OLLAMA_HOST"
    assert str(got.origins["endpoints.anthropic"]).endswith("config.toml:3")


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_is_unset(config: Load, text: str) -> None:
    assert config(env={"OPTIMIZER_MAX_TOKENS": text, "OLLAMA_HOST": text}).settings.max_tokens == 1500


@pytest.mark.parametrize(
    ("text", "line", "named", "hint"),
    [
        ("\nmodle = 'x'", 2, ["'modle'"], "'model'"),
        ("[context]\nmax_file = 1", 2, ["'context.max_file'"], "'context.max_files'"),
        ("[contxt]\nmax_files = 1", 1, ["'contxt'"], "'context'"),
        ("[features]\nlocal_models = true", 2, ["'local_models'"], "'local-models'"),
        ("[endpoints]\nantropic = 'http://x'", 2, ["'antropic'"], "'anthropic'"),
        ("\n\nmax_tokens = '5'", 3, ["max_tokens", "'5'"], ""),
        ("max_tokens = 5.0", 1, ["max_tokens", "5.0"], ""),
        ("max_tokens = true", 1, ["max_tokens", "true"], ""),
        ("max_tokens = 0", 1, ["max_tokens", "1,000,000"], ""),
        ("temperature = 2.5", 1, ["temperature", "-1", "2.5"], ""),
        ("temperature = nan", 1, ["temperature", "nan"], ""),
        ("temperature = -0.5", 1, ["temperature", "-0.5"], ""),
        ("model = 1", 1, ["model", "1"], ""),
        ("model = 'a\\u001b'", 1, None, ""),
        ('model = "a\\u001b[31m"', 1, ["model"], ""),
        ("tier = 'cheap'", 1, ["index, local, free, budget, premium", "'cheap'"], ""),
        ("max_tier = 'premum'", 1, ["'premum'"], "'premium'"),
        ("max_tier = ''", 1, ["max_tier"], ""),
        ("provider = 'antropic'", 1, ["'antropic'"], "'anthropic'"),
        ("context = 3", 1, ["context"], "[context]"),
        ("[features]\nlocal-models = 'no'", 2, ["local-models", "'no'"], ""),
        ("[features]\nlocal-models = 1", 2, ["local-models", "1"], ""),
        ("[endpoints]\ngroq = 'x:1'", 2, ["http://", "https://"], "http://127"),
        ("max_tokens = 1979-05-27", 1, ["max_tokens"], ""),
        ("max_tokens = [1]", 1, ["max_tokens"], ""),
        ("max_tokens = {a = 1}", 1, ["max_tokens"], ""),
        ("max_tokens = = 1", 1, [], ""),
    ],
)
def test_bad_files_name_file_line_and_cure(
    config: Load, tmp_path: Path, text: str, line: int, named: list[str] | None, hint: str
) -> None:
    if named is None:
        assert config(user=text).settings.model == "a\\u001b"
        return
    for layer, path in (("user", tmp_path / "home/config/config.toml"), ("project", tmp_path / PROJECT_FILE)):
        if layer == "project" and (text.startswith(("[endpoints]", "[contxt]", "provider"))):
            continue
        with pytest.raises(ConfigError) as caught:
            config(**{layer: text})
        assert caught.value.exit_code == 2
        assert caught.value.message.startswith(f"{path}:{line}: ")
        assert all(one in caught.value.message for one in named)
        assert caught.value.hint and hint in caught.value.hint
        assert ("--no-project-config" in caught.value.hint) == (layer == "project")


def test_a_project_sets_no_endpoint_and_invents_no_section(config: Load, tmp_path: Path) -> None:
    project = "max_tokens = 9\n[endpoints]\nanthropic = 'http://evil'\n[check]\ncommand = 'rm -rf /'\n"
    got = config(project=project)
    assert got.settings.endpoints == {}
    assert got.settings.max_tokens == 9
    assert len(got.notices) == 3
    assert got.notices[0].startswith(f"{tmp_path / PROJECT_FILE}:3: 'endpoints.anthropic' ")
    assert "'check'" in got.notices[1]


DEARER = """
model = "claude-opus-5-5"
provider = "anthropic"
tier = "premium"
max_tier = "premium"
profile = "code"
max_tokens = 9_000
context_size = 100_000
request_tokens = 90_000
confidence_threshold = 0.0
[verify]
seconds = 0.5
test = "off"
confinement = "landlock"
[features]
local-models = false
context-optimization = false
[budget]
run = -1
[agent]
steps = 90
review = true
repair = false
tokens = 1_000_000
[network]
first_token_seconds = 0.01
[keywords]
debug = "the"
[context]
max_files = 500
[options.kind.quick]
max_tokens = 9_000
[local]
router = "x"
[secrets]
found = "redact"
"""
LESS = """
max_tier = "budget"
max_tokens = 500
request_tokens = 3000
[verify]
seconds = 300
[agent]
steps = 3
summarise = false
"""


def test_a_project_makes_nothing_dearer_sends_no_more_and_checks_no_less(config: Load) -> None:
    user = "max_tier = 'budget'\n"
    mine = config(user)
    got = config(user, DEARER)
    assert asdict(got.settings) == asdict(mine.settings)
    assert got.origins == mine.origins
    assert (got.profile, got.features) == (mine.profile, mine.features)
    assert len(got.notices) == len([line for line in DEARER.splitlines() if " = " in line])
    assert all(" is ignored: " in notice for notice in got.notices)


def test_a_project_may_ask_for_less_and_that_is_named(config: Load) -> None:
    got = config("[agent]\nsummarise = true\n", LESS).settings
    assert (got.max_tier, got.max_tokens, got.request_tokens) == ("budget", 500, 3000)
    assert (got.verify_seconds, got.agent_steps, got.agent_summarise) == (300, 3, False)
    (line,) = config("[agent]\nsummarise = true\n", LESS).notices
    assert line == (
        "project sets: max_tier=budget, max_tokens=500, request_tokens=3000, verify.seconds=300.0, agent.steps=3, "
        "agent.summarise=false"
    )
    assert config("max_tokens = 400\n", "max_tokens = 500\n").settings.max_tokens == 400
    assert config("profile = 'fast'\n", "max_tokens = 900\n").settings.max_tokens == 800, "a profile is the user's"


def test_every_setting_says_what_a_project_may_do_with_it() -> None:
    assert not [row.key for row in rows() if row.user_only and row.project]
    assert not [row.key for row in rows() if row.project in ("lower", "higher") and row.special is not None]


def test_a_quoted_endpoint_key_is_no_way_round(config: Load) -> None:
    got = config(project="\"endpoints.anthropic\" = 'http://evil'\nendpoints.groq = 'http://evil'\n")
    assert got.settings.endpoints == {}
    assert len(got.notices) == 2


def test_without_a_root_the_project_file_is_left_out(config: Load, tmp_path: Path) -> None:
    config()
    (tmp_path / PROJECT_FILE).write_text("broken = = ")
    assert load(None, {"OPTIMIZER_HOME": str(tmp_path / "home")}, {}).settings.model == ""


def test_hostile_names_are_told_inertly(config: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        config(project='"\\u001b]52;c;x\\u0007\\u202e" = 1')
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("env", "place", "named"),
    [
        ({"OPTIMIZER_MAX_TOKENS": "many"}, "OPTIMIZER_MAX_TOKENS:", "'many'"),
        ({"OPTIMIZER_TEMPERATURE": "3"}, "OPTIMIZER_TEMPERATURE:", "3.0"),
        ({"OPTIMIZER_PROVIDER": "aws"}, "OPTIMIZER_PROVIDER:", "anthropic"),
        ({"OLLAMA_HOST": "ftp://x"}, "OLLAMA_HOST:", "host:port"),
    ],
)
def test_bad_variables_are_named(config: Load, env: dict[str, str], place: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(env=env)
    assert caught.value.message.startswith(place) and named in caught.value.message
    assert caught.value.hint


def test_flags(config: Load) -> None:
    got = config(features__local__models=None, tier="free", temperature=0, context__max_files="7")
    assert (got.settings.tier, got.settings.temperature, got.settings.max_files) == ("free", 0.0, 7)
    for off in (False, "false", "off", "0"):
        switched = load(None, {"HOME": "/nowhere"}, {"features.local-models": off})
        assert switched.features.local_models is False
        assert str(switched.origins["features.local-models"]) == "flag"


@pytest.mark.parametrize(
    ("flags", "named", "hint"),
    [
        ({"features.local-model": True}, ["'local-model'"], "'local-models'"),
        ({"max_tokenz": 1}, ["'max_tokenz'"], "'max_tokens'"),
        ({"max_tokens": -1}, ["max_tokens", "1"], ""),
        ({"max_tokens": "x"}, ["max_tokens", "'x'"], ""),
        ({"features.local-models": "maybe"}, ["features.local-models", "'maybe'"], ""),
    ],
)
def test_bad_flags(flags: dict[str, object], named: list[str], hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {"HOME": "/nowhere"}, flags)
    assert all(one in caught.value.message for one in named)
    assert caught.value.hint and hint in caught.value.hint


def test_features_are_the_user_s_own(config: Load) -> None:
    got = config("[features]\nsemantic-search = true\nlocal-models = false", "[features]\nlocal-models = true")
    assert (got.features.semantic_search, got.features.local_models) == (True, False)
    assert got.settings.features["semantic-search"] is True


def test_an_answer_budget_that_fills_the_request_is_refused(config: Load) -> None:
    with pytest.raises(ConfigError, match=r"max_tokens.*6,000.*request_tokens"):
        config("request_tokens = 6000", env={"OPTIMIZER_MAX_TOKENS": "6000"})
    assert config("request_tokens = 9000", env={"OPTIMIZER_MAX_TOKENS": "6000"}).settings.max_tokens == 6000


def test_an_unreadable_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.toml").symlink_to("config.toml")
    with pytest.raises(StorageError) as caught:
        load(None, {"OPTIMIZER_HOME": str(tmp_path)}, {})
    assert caught.value.exit_code == 7


def test_keys_never_show(config: Load) -> None:
    got = config(env={"GROQ_API_KEY": " gsk_canary \n", "OPENAI_API_KEY": "two words"})
    assert got.keys.of("groq") == "gsk_canary"
    assert got.keys.of("openai") == ""
    assert "OPENAI_API_KEY" in got.notices[0]
    assert "canary" not in repr(got) + str(got) + repr(got.keys)
    assert "two words" not in repr(got)


def test_importing_is_light() -> None:
    script = "import sys, optimizer.config.load; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert not {"tomllib", "difflib", "sqlite3", "httpx", "anthropic"} & set(loaded)


def test_a_variable_that_is_misspelt_is_told_and_one_that_is_nothing_like_ours_is_not(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "OPTIMIZER_MODLE": "x", "OPTIMIZER_LLAMA_PYTHON": "/usr/bin/python3"}
    (notice,) = load(None, env, {}).notices
    assert re.findall(r"\bOPTIMIZER_\w+", notice) == ["OPTIMIZER_MODLE", "OPTIMIZER_MODEL"]
