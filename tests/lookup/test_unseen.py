"""What is absent from the files that were read is not called absent where other files were not read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from optimizer.index.files import Root
from optimizer.index.reader import open_index
from optimizer.index.refresh import refresh
from optimizer.languages.table import is_installed, language_of
from optimizer.lookup.answer import answer
from optimizer.lookup.questions import Lookup
from optimizer.lookup.rename import rename
from optimizer.lookup.unseen import not_here
from optimizer.settings import Settings
from tests.conftest import IndexRepo


def test_words_that_no_grammar_reads_as_names_are_mentions(index_repo: IndexRepo) -> None:
    index = index_repo({
        "cart.ts": "export function total(n: number[]) { return n.length }\n",
        "App.vue": '<script>\nimport { total } from "./cart"\n</script>\n<template>\n{{ total(1) }}\n</template>\n',
        "Old.vue": '<script lang="coffee">\nimport { total } from "./cart"\n</script>\n',
        "page.html": '<p title="total">total</p>\n<a onclick="total(1)">total</a>\n', "a.sql": "select subtotal;\n",
    })  # fmt: skip
    found = answer(Lookup("callers", "total"), index).citations
    mentions = {(row.path, row.line) for row in found if row.kind == "mention"}
    assert mentions == {("App.vue", 5), ("Old.vue", 2), ("page.html", 2)}
    assert [(row.path, row.line) for row in found if row.kind == "import"] == [("App.vue", 2)]
    found = answer(Lookup("importers", "cart.ts"), index).citations
    assert [(row.path, row.line) for row in found] == [("App.vue", 2)]


def test_words_of_a_description_are_uses_and_a_rename_asks_for_them(index_repo: IndexRepo) -> None:
    if (row := language_of("a.tf")) is None or not is_installed(row):
        pytest.skip("the grammar of hcl is not installed")
    texts = {"variables.tf": 'variable "cidr" {}\n', "main.tf": "# cidr\nx = var.cidr\n", "Makefile": "cidr:\n"}
    index = index_repo(texts)
    found = answer(Lookup("callers", "cidr", within="main.tf"), index).citations
    assert [(row.path, row.line, row.kind) for row in found] == [("main.tf", 2, "use")]
    changed = rename(Lookup("rename", "cidr", "block", within="variables.tf"), index)
    assert changed.patch and [change.path for change in changed.patch.changes] == ["variables.tf"]
    assert ([f"{row.path}:{row.line}" for row in changed.open], changed.breaks) == (["main.tf:2"], True)


def test_a_script_without_an_ending_is_code(index_repo: IndexRepo) -> None:
    script = "#!/usr/bin/env python3\nfrom cart import total\n\nprint(total([1]))\n"
    index = index_repo({"cart.py": "def total(n):\n    return len(n)\n", "run": script})
    found = answer(Lookup("callers", "total"), index).citations
    assert [(row.path, row.line, row.kind) for row in found] == [("run", 2, "import"), ("run", 4, "call")]
    assert [row.path for row in answer(Lookup("importers", "cart.py"), index).citations] == ["run"]
    changed = rename(Lookup("rename", "total", "whole"), index)
    assert changed.patch and [change.path for change in changed.patch.changes] == ["cart.py", "run"]
    assert not changed.open


def test_an_import_follows_what_it_names_to_another_file_of_the_package(index_repo: IndexRepo) -> None:
    shop = "<?php\nnamespace Acme\\Shop;\n"
    function = "function total() {}\n"
    index = index_repo({
        "a.php": shop + function, "b.php": f"{shop}class B {{}}\n",
        "main.php": "<?php\nuse function Acme\\Shop\\total;\n",
    })  # fmt: skip
    assert [edge.target for edge in index.imports_of("main.php")] == ["a.php"]
    (index.root.path / "a.php").write_text(shop)
    (index.root.path / "b.php").write_text(shop + function)
    refresh(index, Settings(workers=1), lambda _: None)
    assert [edge.target for edge in index.imports_of("main.php")] == ["b.php"]


def test_files_outside_a_sparse_checkout_are_named_and_stop_a_rename(tmp_path: Path) -> None:
    root = tmp_path / "project"
    for path, text in {"a/a.py": "def in_a():\n    return 1\n", "b/b.py": "from a.a import in_a\n"}.items():
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(text)
    person = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (["init", "-q"], ["add", "-A"], [*person, "commit", "-qm", "x"], ["sparse-checkout", "set", "a"]):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)
    index = open_index(Root(root, True), tmp_path / "cache")
    refresh(index, Settings(), lambda _: None)
    assert not_here(index, "in_a") == (1, ("b/b.py",), ())
    assert "b/b.py" in {row.path for row in answer(Lookup("callers", "in_a"), index).citations}
    assert rename(Lookup("rename", "in_a", "inside"), index).breaks
    index.close()


@pytest.mark.parametrize("path", ["a.py", "pkg/time.py"])
def test_a_file_that_nothing_imports_is_not_taken_for_a_module(index_repo: IndexRepo, path: str) -> None:
    index = index_repo({"a.py": "x = 1\n", "pkg/time.py": "y = 1\n", "b.py": "import time\n"})
    found = answer(Lookup("importers", path), index)
    assert not [row for row in found.citations if row.kind == "imported"]
