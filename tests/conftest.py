"""Fixtures shared by all rooms' tests: real git repositories in a clean home."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from optimizer.index.files import Root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
from tests.loopback.server import Loopback

IndexRepo = Callable[[Mapping[str, str | bytes]], Index]
CLEAN = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}
QUICK = {
    "GIT_TEMPLATE_DIR": str(Path(__file__).with_name("template")),  # no sample hooks
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "maintenance.auto",  # no process that looks for work after each commit
    "GIT_CONFIG_VALUE_0": "false",
}
MEMORY, ROOM = Path("/dev/shm"), 1 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C be heard, by the programs started here too (a shell has its background jobs ignore it).

    A property does not fail because the machine has other work. The fast part keeps its files in memory.
    """
    if not config.getoption("--slow") and _holds_files():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy machine")


def _holds_files() -> bool:
    """Whether there is a directory in memory with room, where programs may be run."""
    try:
        noexec = os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
        return not noexec and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    except (OSError, AttributeError):
        return False


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests that take longer than a second or so")
    parser.addoption(
        "--live", action="store_true", help="also ask the real providers, with the keys of the environment"
    )
    parser.addoption(
        "--update-screens", action="store_true", help="write the screens of tests/e2e/screens as they are now"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """All cores for the whole suite; one process for files that are named, unless `-n` asks for more."""
    wanted = config.invocation_params.args
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return 0 if named and not any(str(word).startswith(("-n", "--numprocesses")) for word in wanted) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        by_name = tuple(argument for argument in config.args if "::" in argument)
        slow = {item for item in items if "slow" in item.keywords and not item.nodeid.startswith(by_name)}
        config.hook.pytest_deselected(items=[item for item in items if item in slow])
        items[:] = [item for item in items if item not in slow]
    if not config.getoption("--live"):
        for item in items:
            if "live" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="asks a real provider: only with --live"))


@pytest.fixture(scope="session")
def loopback_server() -> Iterator[Loopback]:
    """The one server of a test run; use `loopback`."""
    server = Loopback()
    yield server
    server.close()


@pytest.fixture
def loopback(loopback_server: Loopback) -> Loopback:
    """A server that answers as all providers do, and keeps what it received; empty at the start of each test."""
    loopback_server.reset()
    return loopback_server


def git(root: Path, *arguments: str) -> str:
    """Run git in `root` with no configuration but its own; returns what it printed."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, env={**os.environ, **QUICK, **CLEAN}, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[[Mapping[str, str | bytes]], Path]:
    """Build a git repository from path → content, all committed; returns its root."""

    return partial(committed, tmp_path)


def committed(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A git repository `folder`/repo of path → content, all committed."""
    root = folder / "repo"
    root.mkdir()
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "begin")
    return root


@pytest.fixture
def index_repo(make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path) -> Iterator[IndexRepo]:
    """Build a repository from path → content and index it."""
    with ExitStack() as opened:
        yield lambda files: opened.enter_context(_indexed(make_repo(files), tmp_path / "cache"))


@contextmanager
def shared_index(folder: Path, files: Mapping[str, str | bytes]) -> Iterator[Index]:
    """The index of a repository of path → content, for tests that only read it."""
    with _indexed(committed(folder, files), folder / "cache") as index:
        yield index


@contextmanager
def _indexed(root: Path, cache: Path) -> Iterator[Index]:
    index = open_index(Root(root, True), cache)
    refresh(index, Settings(workers=1), lambda _: None)
    yield index
    index.close()
