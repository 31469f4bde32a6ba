"""What makes a refresh read files or resolve imports again, and what does not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

import optimizer
from optimizer.index.refresh import refresh
from optimizer.index.survey import links, survey
from optimizer.languages.table import is_installed
from optimizer.retrieval import Progress
from optimizer.settings import Settings
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


def test_a_file_that_a_changed_setting_lets_in_is_indexed(make_repo, opened, clock):
    index = opened(make_repo({"a.py": "def first(): pass\n", "b.py": "x = 1\n"}))
    assert update(index, Settings(workers=1, max_file_bytes=10)).skipped[0].path == "a.py"
    assert index.paths() == ("b.py",)
    assert update(index).parsed == 1
    assert index.paths() == ("a.py", "b.py")


@pytest.mark.slow
def test_a_file_that_took_too_long_is_read_again_with_more_time(make_repo, opened, clock):
    index = opened(make_repo({"long.py": "def long(a, b):\n    return [a, b]\n\n\n" * 20_000}))
    (skipped,) = update(index, Settings(workers=1, parse_seconds=0.01)).skipped
    assert skipped == ("long.py", "slow", 0.01)
    assert update(index).parsed == 1
    assert index.all_names() == ("long",)


def test_a_renamed_file_is_found_under_its_new_name(make_repo, opened, clock):
    root = make_repo({})
    (root / "a.py").write_text("def first(): pass\n")
    index = opened(root)
    update(index)
    (root / "a.py").rename(root / "b.py")
    assert update(index).removed == 1
    assert index.paths() == ("b.py",)


def test_the_graph_of_imports_forgets_what_is_no_longer_imported(make_repo, opened, clock):
    root = make_repo({"a.py": "import b\nimport c\n", "b.py": "", "c.py": "import b\n"})
    index = opened(root)
    update(index)
    assert links(index) == [(0, 1), (0, 2), (2, 1)]
    (root / "a.py").write_text("import c\n")
    assert (done := update(index)).notice == ""
    assert done.parsed == 1
    assert links(index) == [(0, 2), (2, 1)]
    assert survey(index).imports == 2
    (root / "c.py").unlink()
    update(index)
    assert links(index) == []
    assert survey(index).imports == 1


NEWER = """
import os, shutil, sys, time
from pathlib import Path
from types import SimpleNamespace
lstat = os.lstat
os.lstat = lambda path: (s := lstat(path)) and SimpleNamespace(
    st_mode=s.st_mode, st_size=s.st_size, st_mtime_ns=10**18, st_ctime_ns=10**18)
from optimizer.index.files import find_root
from optimizer.index.reader import open_index
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
index = open_index(find_root(Path(sys.argv[1])), Path(sys.argv[2]))
print(refresh(index, Settings(workers=1), lambda _: None).parsed, *index.all_names())
"""


@pytest.mark.slow
def test_a_program_that_reads_differently_reads_every_file_again(make_repo, tmp_path):
    package = Path(optimizer.__file__).parent
    shutil.copytree(package, tmp_path / "newer/optimizer", ignore=shutil.ignore_patterns("__pycache__"))
    root = make_repo({"a.py": "LIMIT = 1\n\ndef first(): pass\n"})

    def run() -> str:
        command = [sys.executable, "-c", NEWER, str(root), str(tmp_path / "cache")]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "newer")}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    assert run() == "1 LIMIT first"
    assert run() == "0 LIMIT first"
    query = tmp_path / "newer/optimizer/languages/queries/python.scm"
    query.write_text("".join(line for line in query.read_text().splitlines(True) if "definition.constant" not in line))
    assert run() == "1 first"
