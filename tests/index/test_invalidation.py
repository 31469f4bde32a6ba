"""What makes a refresh read files or resolve imports again, and what does not."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import closing
from types import SimpleNamespace

import pytest

from optimizer.index.refresh import refresh
from optimizer.languages.table import is_installed
from optimizer.retrieval import Progress
from tests.index.conftest import ONE, update

HOUR = 3600 * 10**9


@pytest.fixture
def clock(monkeypatch):
    """A file system with one time for all changes; set it, in nanoseconds, with `clock.now`."""
    clock, lstat = SimpleNamespace(now=time.time_ns() - HOUR), os.lstat

    def coarse(path):
        status = lstat(path)
        return SimpleNamespace(
            st_mode=status.st_mode, st_size=status.st_size, st_mtime_ns=clock.now, st_ctime_ns=clock.now
        )

    monkeypatch.setattr(os, "lstat", coarse)
    return clock


def targets(index, path):
    return {edge.module: edge.target for edge in index.imports_of(path)}


MANIFESTS = {
    "go.mod": (
        {"main.go": 'package main\n\nimport "acme.org/shop/cart"\n', "cart/cart.go": "package cart\n"},
        ("module acme.org/other\n", "module acme.org/shop\n"),
        ("main.go", "acme.org/shop/cart", "cart/cart.go"),
    ),
    "packages/cart/package.json": (
        {
            "app/main.ts": 'import { total } from "@shop/cart";\n',
            "packages/cart/src/index.ts": "export const total = 1;\n",
        },
        ('{"name": "@other/cart"}\n', '{"name": "@shop/cart"}\n'),
        ("app/main.ts", "@shop/cart", "packages/cart/src/index.ts"),
    ),
    "tsconfig.base.json": (
        {
            "tsconfig.json": '{"extends": "./tsconfig.base.json"}\n',
            "app/main.ts": 'import { total } from "~/cart";\n',
            "lib/cart.ts": "export const total = 1;\n",
        },
        ("{}\n", '{"compilerOptions": {"paths": {"~/*": ["lib/*"]}}}\n'),
        ("app/main.ts", "~/cart", "lib/cart.ts"),
    ),
    "cart/Cargo.toml": (
        {"app/src/main.rs": "use cart::total;\n", "app/Cargo.toml": "", "cart/src/lib.rs": "pub fn total() {}\n"},
        ('[package]\nname = "basket"\n', '[package]\nname = "cart"\n'),
        ("app/src/main.rs", "cart::total", "cart/src/lib.rs"),
    ),
    "composer.json": (
        {"app/main.php": "<?php\nuse Shop\\Cart;\n", "src/Cart.php": "<?php\nclass Cart {}\n"},
        ("{}\n", '{"autoload": {"psr-4": {"Shop\\\\": "src/"}}}\n'),
        ("app/main.php", "Shop\\Cart", "src/Cart.php"),
    ),
}


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_changed_manifest_resolves_imports_again(make_repo, opened, clock, manifest):
    files, (before, after), (source, module, target) = MANIFESTS[manifest]
    root = make_repo({**files, manifest: before})
    index = opened(root)
    update(index)
    assert targets(index, source) == {module: None}
    assert index.importers_of(target) == ()
    (root / manifest).write_text(after)
    assert update(index).parsed == 1
    assert targets(index, source) == {module: target}
    assert [edge.source for edge in index.importers_of(target)] == [source]


def test_a_grammar_that_is_installed_later_reads_its_files_again(make_repo, opened, clock, monkeypatch):
    pytest.importorskip("tree_sitter_lua")
    index = opened(make_repo({"cart.lua": "function total() end\n", "a.py": "def kept(): pass\n"}))
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "tree_sitter_lua", None)
        is_installed.cache_clear()
        update(index)
        assert [symbol.path for symbol in index.symbols_named(["total", "kept"])] == ["a.py"]
        assert update(index).parsed == 0
    is_installed.cache_clear()
    assert update(index).parsed == 1
    assert [symbol.path for symbol in index.symbols_named(["total"])] == ["cart.lua"]
    assert update(index).parsed == 0


def test_a_file_changed_within_the_grain_of_the_clock_is_read_again(make_repo, opened, clock):
    clock.now = time.time_ns()
    root = make_repo({"a.py": "def first(): pass\n", "b.py": "def other(): pass\n"})
    index = opened(root)
    update(index)
    (root / "a.py").write_text("def later(): pass\n")
    assert update(index).parsed == 1
    assert index.all_names() == ("later", "other")


def test_a_file_that_was_left_alone_for_long_is_known_by_its_size_and_times(make_repo, opened, clock):
    root = make_repo({"a.py": "def first(): pass\n"})
    index = opened(root)
    update(index)
    (root / "a.py").write_text("def later(): pass\n")
    assert update(index).parsed == 0
    clock.now += 1
    assert update(index).parsed == 1
    assert index.all_names() == ("later",)
    (root / "a.py").write_text("def longer(): pass\n")
    assert update(index).parsed == 1
    assert index.all_names() == ("longer",)


def test_one_content_is_read_once_for_each_way_to_read_it(make_repo, opened):
    """Data files keep no words, and a header may be C++ where the same bytes are C."""
    header = "class Cart {\n  int total();\n};\n"
    files = {"a.csv": "apples pears\n", "a.txt": "apples pears\n", "a.c": header, "a.h": header}
    index = opened(make_repo(files))
    assert update(index).parsed == 4
    words = index.words()
    assert {words.paths[number] for number in words.files_of("body", "pears")} == {"a.txt"}
    assert {symbol.path for symbol in index.symbols_named(["Cart"])} == {"a.h"}


def test_a_content_that_another_process_deletes_before_it_is_used_is_parsed_again(make_repo, opened):
    index = opened(make_repo({"a.py": "def first(): pass\n"}))
    deleted: list[int] = []

    def delete_once(_: Progress) -> None:
        if not deleted:
            with closing(sqlite3.connect(index.file)) as other:
                deleted.append(other.execute("DELETE FROM content").rowcount)
                other.commit()

    assert refresh(index, ONE, delete_once).parsed == 2
    assert deleted == [1]
    assert index.all_names() == ("first",)
