from pathlib import Path

import pytest

from optimizer.config.load import load
from optimizer.config.paths import places
from optimizer.errors import ConfigError


def test_home_is_the_fallback() -> None:
    found = places({"HOME": "/home/a"})
    assert found.config == Path("/home/a/.config/optimizer")
    assert found.state == Path("/home/a/.local/state/optimizer")
    assert found.cache == Path("/home/a/.cache/optimizer")
    assert found.config_file == Path("/home/a/.config/optimizer/config.toml")
    assert found.models_file == Path("/home/a/.config/optimizer/models.toml")


def test_xdg_needs_no_home() -> None:
    found = places({"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/k"})
    assert (found.config, found.state, found.cache) == (
        Path("/c/optimizer"),
        Path("/s/optimizer"),
        Path("/k/optimizer"),
    )


def test_a_relative_or_empty_xdg_path_counts_as_unset() -> None:
    found = places({"HOME": "/h", "XDG_CONFIG_HOME": "here", "XDG_CACHE_HOME": ""})
    assert found.config == Path("/h/.config/optimizer")
    assert found.cache == Path("/h/.cache/optimizer")


def test_optimizer_home_moves_everything() -> None:
    found = places({"OPTIMIZER_HOME": "/o", "XDG_CONFIG_HOME": "/c"})
    assert (found.config, found.state, found.cache) == (Path("/o/config"), Path("/o/state"), Path("/o/cache"))
    assert places({"OPTIMIZER_HOME": "~/o", "HOME": "/h"}).state == Path("/h/o/state")
    assert places({"OPTIMIZER_HOME": "rel"}).state.is_absolute()


@pytest.mark.parametrize("env", [{}, {"HOME": ""}, {"XDG_CONFIG_HOME": "/c"}])
def test_no_home_at_all_is_told(env: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        places(env)
    assert "OPTIMIZER_HOME" in caught.value.hint


@pytest.mark.parametrize("name", ["OPTIMIZER_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"])
def test_a_repository_brings_no_places_of_ours(tmp_path: Path, name: str) -> None:
    root, home = tmp_path / "repo", tmp_path / "home"
    (root / ".home").mkdir(parents=True)
    home.mkdir()
    (tmp_path / "link").symlink_to(root / ".home")
    for there in (root / ".home", root, tmp_path / "link"):
        env = {"HOME": str(home), name: str(there)}
        assert places(env, root) == places({"HOME": str(home)})
        config = load(root, env, {}, within=root)
        assert config.places == places({"HOME": str(home)})
        assert name in config.notices[0] and "ignored" in config.notices[0]
    assert places({"HOME": str(home), name: str(home / "x")}, root) == places(
        {"HOME": str(home), name: str(home / "x")}
    )
    mine = {"HOME": str(root / ".home"), name: str(root / ".home")}
    assert places(mine, root) == places(mine), "a repository that holds the home is the user's own"
