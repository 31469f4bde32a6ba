"""Every link between the pages leads to a file, and every path that a page for contributors names exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

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
    checked = [[name.removeprefix("optimizer.") for name in layer.split(" | ")] for layer in LAYERS[0]["layers"]]
    assert [set(floor) for floor in shown] == [set(floor) for floor in checked]
    rooms = {path.stem for path in (ROOT / "optimizer").iterdir() if path.suffix in ("", ".py")}
    assert rooms - {"__init__", "__main__", "__pycache__"} == {name for floor in shown for name in floor}
