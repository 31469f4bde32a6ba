"""The page of the languages says what the table says."""

from __future__ import annotations

import tomllib
from pathlib import Path

from optimizer.languages.page import languages_page
from optimizer.languages.table import LANGUAGES

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    page = languages_page()
    kept = (ROOT / "docs/reference/languages.md").read_text("utf-8")
    assert kept == page, "regenerate it with the command on its top"
    assert all(f"| {language.name} |" in page for language in LANGUAGES)


def test_each_grammar_is_a_dependency_where_the_table_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    for language in LANGUAGES:
        wheel = language.module.replace("_", "-")
        assert any(line.startswith(f"{wheel}>=") for line in lists[language.extra]), language.name
    assert any(line.startswith("optimizer[languages") for line in lists["dev"])
