"""Profiles: what they inherit, where their values stand among the others, and what a project may not do with them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from optimizer.config import profiles
from optimizer.config.load import PROJECT_FILE, Config, load
from optimizer.config.profiles import CAPABILITIES, ROLES, is_shipped, line_of, names, resolve, role
from optimizer.errors import ConfigError
from optimizer.models import catalogue
from optimizer.reasons import By

Load = Callable[..., Config]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "home/config/profiles"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def config(tmp_path: Path, folder: Path) -> Load:
    """Load with the given user file, project file and environment."""

    def run(user: str = "", project: str = "", env: Mapping[str, str] | None = None, **flags: object) -> Config:
        (folder.parent / "config.toml").write_text(user)
        (tmp_path / PROJECT_FILE).write_text(project)
        return load(tmp_path, {"OPTIMIZER_HOME": str(tmp_path / "home"), **(env or {})}, flags)

    return run


@pytest.mark.parametrize("name", ["fast", "general", "code", "creative"])
def test_shipped_profiles(name: str, folder: Path) -> None:
    profile = resolve(name, folder)
    assert profile.chain == (name,)
    assert profile.about.endswith(".")
    assert profile.wanted.by == By("profile", name)
    assert profile.wanted.window >= 8000
    assert is_shipped(name)


def test_words_of_the_catalogue_are_the_same() -> None:
    assert CAPABILITIES == catalogue.CAPABILITIES
    shipped = catalogue.load_catalogue(None)
    families = {row.family for row in shipped.rows if row.family}
    suited = {name for row in shipped.rows for name in row.profiles or ()}
    for name in ("fast", "general", "code", "creative"):
        assert set(resolve(name, Path("/nowhere")).wanted.families) <= families
        assert name in suited
    for name in ROLES:
        assert set(role(name, None).families) <= families


def test_nearer_values_hold_and_settings_are_joined(folder: Path) -> None:
    (folder / "mine.toml").write_text(
        "extends = 'code'\nfamilies = ['phi']\nfallback = 'fast'\n[settings]\nmax_tokens = 900\n"
        "[settings.context]\nmax_files = 4\n[roles.planner]\nmodels = ['big:*']\ncloud = false\n"
    )
    (folder / "deep.toml").write_text("about = 'Mine, colder.'\nextends = 'mine'\n[settings]\ntemperature = 0.1\n")
    deep = resolve("deep", folder)
    assert deep.chain == ("deep", "mine", "code")
    assert deep.wanted.families == ("phi",)
    assert deep.wanted.requires == {"tools"}
    assert deep.wanted.window == 16_000
    values = {one.key: (one.value, str(one.origin)) for one in deep.settings}
    assert values["max_tokens"] == (900, f"profile:{folder}/mine.toml:5")
    assert values["context.max_files"] == (4, f"profile:{folder}/mine.toml:7")
    assert values["temperature"][0] == 0.1
    assert values["agent.steps"] == (10, f"profile:{profiles.SHIPPED}:{_line('agent.steps = 10')}")
    assert role("planner", deep).models == ("big:*",)
    assert role("planner", deep).local_only
    assert not role("editor", deep).local_only
    assert [one.by.name for one in line_of(deep, folder)] == ["deep", "fast", "general"]
    assert list(names(folder))[-2:] == ["deep", "mine"]


def _line(text: str) -> int:
    return profiles.SHIPPED.read_text().splitlines().index(text) + 1


@pytest.mark.parametrize(
    ("text", "line", "named", "hint"),
    [
        ("familys = ['x']", 1, "'familys'", "'families'"),
        ("max_tokens = 5", 1, "'max_tokens'", "[settings]"),
        ("about = 'x'\nfamilies = 'qwen'", 2, "families", ""),
        ("window = -1", 1, "window", ""),
        ("window = true", 1, "window", ""),
        ("requires = ['tool']", 1, "'tool'", "'tools'"),
        ("extends = 'cod'", 1, "'cod'", "'code'"),
        ("\nfallback = 'generol'", 2, "'generol'", "'general'"),
        ("extends = 'mine'", 1, "mine -> mine", ""),
        ("extends = '../config'", 1, "'../config'", ""),
        ("[settings]\nmax_token = 5", 2, "'max_token'", "'max_tokens'"),
        ("[settings]\nmax_tokens = 'x'", 2, "max_tokens", ""),
        ("[settings]\nprofile = 'code'", 2, "", "extends"),
        ("[roles.planer]\nwindow = 1", 1, "'planer'", "'planner'"),
        ("[roles.planner]\ncloud = 1", 2, "cloud", ""),
        ("[roles]\nplanner = 1", 2, "", "[roles.planner]"),
        ("about = = 1", 1, "", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    folder: Path, config: Load, text: str, line: int, named: str, hint: str
) -> None:
    (folder / "mine.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        config(user="profile = 'mine'")
    assert caught.value.message.startswith(f"{folder}/mine.toml:{line}: ")
    assert named in caught.value.message
    assert caught.value.hint and hint in caught.value.hint


def test_an_unknown_profile_is_told_where_it_is_named(config: Load, tmp_path: Path) -> None:
    for where, place in (
        ({"user": "\nprofile = 'fats'"}, f"{tmp_path}/home/config/config.toml:2: "),
        ({"env": {"OPTIMIZER_PROFILE": "fats"}}, "OPTIMIZER_PROFILE: "),
        ({"profile": "fats"}, "no profile "),
    ):
        with pytest.raises(ConfigError) as caught:
            config(**where)
        assert caught.value.message.startswith(place) and "'fats'" in caught.value.message
        assert "'fast'" in caught.value.hint


def test_a_profile_stands_between_the_user_and_the_project(config: Load, folder: Path) -> None:
    (folder / "mine.toml").write_text(
        "[settings]\nmax_tokens = 900\ntemperature = 0.3\nmodel = 'p'\n[settings.features]\nsemantic-search = true\n"
    )
    user = "profile = 'mine'\nmax_tokens = 100\nmax_tier = 'budget'\n"
    got = config(user, "temperature = 0.7\n", {"OPTIMIZER_MODEL": "e"})
    assert got.settings.max_tokens == 900
    assert got.settings.temperature == 0.7
    assert got.settings.model == "e"
    assert got.settings.max_tier == "budget"
    assert got.features.semantic_search
    assert str(got.origins["max_tokens"]) == f"profile:{folder}/mine.toml:2"
    assert str(got.origins["features.semantic-search"]) == f"profile:{folder}/mine.toml:6"
    assert got.profile is not None
    assert got.profile.name == "mine"
    assert config(user, env={"OPTIMIZER_PROFILE": "fast"}).settings.max_tokens == 800
    assert config(user, env={"OPTIMIZER_PROFILE": "fast"}, profile="code").settings.max_tokens == 2000
    assert config(user, profile="").profile is None
    assert config().profile is None


def test_a_project_chooses_no_profile(config: Load, folder: Path) -> None:
    (folder / "mine.toml").write_text("[settings]\nmax_tokens = 900\n[settings.verify]\ntest = 'make test'\n")
    got = config(project="profile = 'mine'")
    assert (got.profile, got.settings.max_tokens, got.settings.verify_test) == (None, 1500, "")
    (line,) = got.notices
    assert "'profile' is ignored" in line
    mine = config(user="profile = 'mine'", project="profile = 'fast'")
    assert (mine.settings.max_tokens, mine.settings.verify_test) == (900, "make test")


def test_the_example_of_the_page_is_a_profile(folder: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/guides/profiles.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    (folder / "mine.toml").write_text(example)
    mine = resolve("mine", folder)
    assert mine.chain == ("mine", "code")
    assert mine.roles["planner"].models == ("claude-opus*",)
    assert {one.key: one.value for one in mine.settings}["context.max_files"] == 20
