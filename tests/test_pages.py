"""Every link between the pages leads to a file, and every path that a page for contributors names exists."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from optimizer.cli.main import optimize, with_default
from optimizer.settings import rows

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LAYERS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
NAMED = re.compile(r"`((?:optimizer|tests|docs|benchmarks|\.ci|\.github)/[\w./-]*[\w])`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_all_pages_are_in_the_navigation() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [str(page.relative_to(ROOT / "docs")) for page in ROOT.glob("docs/**/*.md")]
    assert [page for page in pages if f": {page}\n" not in nav] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_path_that_a_page_for_contributors_names_exists(page: str) -> None:
    named = NAMED.findall((ROOT / page).read_text(encoding="utf-8"))
    assert len(named) > 5
    places = [ROOT / (path if "NAME" not in path else path.rpartition("/")[0]) for path in named]
    assert [str(place) for place in places if not place.exists()] == []


def test_the_floors_are_those_that_are_checked() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    block = page.split("```text\n")[1].split("```")[0]
    shown = [re.split(r"\s{2,}", line)[0].split(" | ") for line in block.splitlines()]
    checked = [layer.split(" | ") for layer in LAYERS[0]["layers"]]
    assert [set(floor) for floor in shown] == [set(floor) for floor in checked]
    rooms = {path.stem for path in (ROOT / "optimizer").iterdir() if path.suffix in ("", ".py")}
    built = {name for floor in shown for name in floor if not name.startswith("(")}
    assert rooms - {"__init__", "__main__", "__pycache__"} == built


WRITTEN = ("commands.md", "settings.md", "languages.md")
SECTIONS = {name.partition(".")[0] for one in rows() if "." in (name := one.key)}


def pages_by_hand() -> list[Path]:
    return [page for page in PAGES if page.name not in WRITTEN]


def command_lines(page: Path) -> Iterator[list[str]]:
    """The command lines of `optimize` in the shell blocks of a page."""
    for block in page.read_text(encoding="utf-8").split("```sh\n")[1:]:
        for line in block.split("```")[0].splitlines():
            for part in re.split(r"; |(?<= )\| ", line):
                words = shlex.split(part, comments=True)
                if words[:1] == ["optimize"]:
                    yield words[1:]


@pytest.mark.parametrize("page", pages_by_hand(), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_that_a_page_shows_exist(page: Path) -> None:
    for words in command_lines(page):
        line = with_default(words)
        command: click.Command = optimize
        for word in line:
            if not isinstance(command, click.Group) or word.startswith("-"):
                break
            inner = command.get_command(click.Context(command), word)
            assert inner is not None, words
            command = inner
        options = {name for one in command.params for name in one.opts + one.secondary_opts}
        used = {word for word in line if word.startswith("-")} - {"--debug", "-v", "--help"}
        assert used <= options | {"--version"}, words


@pytest.mark.parametrize("page", pages_by_hand(), ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`([a-z]+\.[a-z_]+)(?: = [^`]*)?`", page.read_text(encoding="utf-8"))
    known = {one.key for one in rows()}
    files = ("toml", "md", "py", "sqlite3", "txt", "json", "lock")
    keys = {name for name in named if name.partition(".")[0] in SECTIONS and name.rpartition(".")[2] not in files}
    assert keys <= known


def test_pages_that_the_program_names_exist() -> None:
    named = {
        page
        for path in (ROOT / "optimizer").rglob("*")
        if path.suffix in (".py", ".toml")
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [page for page in sorted(named) if not (ROOT / page).exists()] == []
