"""What is absent from the files that were read is not called absent where other files were not read."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.index.files import Root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.languages.table import is_installed, language_of
from optimizer.lookup.answer import answer
from optimizer.lookup.questions import Lookup, LookupKind, lines_of
from optimizer.lookup.rename import rename
from optimizer.lookup.unseen import not_here
from optimizer.settings import Settings
from tests.conftest import IndexRepo, shared_index


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


TREE = {
    "used.pl": "use cart;\n", "cart.py": "x = 1\n", "big.py": "# big\n" * 400_000, "blob.py": b"a\0b",
    "pkg/a.go": "package pkg\n\nfunc Use() {}\n", "json/note.py": "y = 2\n", "b.py": "import json\n",
    "pkg/c.py": "import os.path\n",
    "Comp.vue": "<template>{{ total }}</template>\n",
}  # fmt: skip
SCREENS = {
    "nothing imports it, a file without a grammar names it": ("importers", "cart.py", "used.pl"),
    "nothing imports it, its package shares it": ("importers", "pkg/a.go", "same package"),
    "no grammar reads its imports": ("imports", "used.pl", "not looked at: used.pl"),
    "no grammar reads its functions": ("list", "used.pl", "not looked at: used.pl"),
    "a large file": ("imports", "big.py", "not looked at: big.py (larger"),
    "a binary file": ("importers", "blob.py", "not looked at: blob.py (binary"),
    "nothing uses it, a template may": ("callers", "total", "Comp.vue"),
    "not defined, a template has it": ("where", "total", "Comp.vue"),
    "not defined, a large file may have it": ("where", "big", "big.py (larger"),
    "nothing to rename, a large file may have it": ("rename", "big", "big.py (larger"),
}  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with shared_index(tmp_path_factory.mktemp("unseen"), TREE) as index:
        yield index


@pytest.mark.parametrize(("kind", "subject", "said"), SCREENS.values(), ids=SCREENS)
def test_each_screen_that_calls_something_absent_says_what_was_not_seen(
    tree: Index, kind: LookupKind, subject: str, said: str
) -> None:
    lookup = Lookup("list", "functions", within=subject) if kind == "list" else Lookup(kind, subject, "other")
    assert any(said in line for line in lines_of(answer(lookup, tree).citations))


def test_a_folder_is_not_taken_for_a_module_of_its_name(tree: Index) -> None:
    assert not [row for row in answer(Lookup("importers", "json"), tree).citations if row.path]
    assert [row.path for row in answer(Lookup("importers", "os.path"), tree).citations] == ["pkg/c.py"]


def test_a_submodule_and_what_is_not_checked_out_are_named(tmp_path: Path) -> None:
    root = tmp_path / "project"
    for path in ("a/a.py", "b/b.py"):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text("x = 1\n")
    person = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    link = f"160000,{'1' * 40},vendor/sub"
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["update-index", "--add", "--cacheinfo", link],
        [*person, "commit", "-qm", "x"],
        ["sparse-checkout", "set", "a"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)
    index = open_index(Root(root, True), tmp_path / "cache")
    refresh(index, Settings(), lambda _: None)
    for kind, subject, said in (
        ("imports", "b/b.py", "not looked at: b/b.py (outside the sparse checkout)"),
        ("importers", "vendor/sub/x.py", "not looked at: the submodule vendor/sub"),
        ("importers", "a/a.py", "not looked at: 1 tracked files outside the sparse checkout"),
        ("callers", "gone", "not looked at: the submodules vendor/sub"),
    ):
        assert said in lines_of(answer(Lookup(kind, subject), index).citations), subject
    index.close()


@pytest.mark.parametrize("path", ["a.py", "pkg/time.py"])
def test_a_file_that_nothing_imports_is_not_taken_for_a_module(index_repo: IndexRepo, path: str) -> None:
    index = index_repo({"a.py": "x = 1\n", "pkg/time.py": "y = 1\n", "b.py": "import time\n"})
    found = answer(Lookup("importers", path), index)
    assert not [row for row in found.citations if row.kind == "imported"]
