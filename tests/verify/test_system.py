"""What compilers of the system newly find in changed files counts, unless something that is missing explains it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from optimizer.index.reader import Index
from optimizer.settings import Settings
from optimizer.types import Check, FileChange, Patch
from optimizer.verify import system
from optimizer.verify.commands import Means
from optimizer.verify.patched import Patched
from optimizer.verify.prove import Copies
from tests.conftest import IndexRepo, shared_index

FILES = {
    "inc/util.h": "int util_sum(int a);\n",
    "src/main.c": '#include "inc/util.h"\n#include <stdio.h>\nint main(void) { return util_sum(1); }\n',
    "src/lost.c": '#include "nowhere.h"\nint lost(void) { return 1; }\n',
    "src/cond.c": "#ifdef HAVE_X\n#define ONE 1\n#else\nint two = 2;\n#endif\nint f(void) { return 1; }\n",
    "j/A.java": "package j;\n\nimport org.absent.Thing;\n\nclass A {\n  Thing t;\n"
    "  int f() { return g(); }\n  int g() { return 1; }\n}\n",
    "k/K.java": "package k;\n\nclass K {\n  int f() { return 1; }\n}\n",
    "j/X.java": "package j;\n\nclass X extends org.absent.Base {\n  int f() { return 1; }\n}\n",
    "Cargo.toml": '[package]\nname = "a"\nedition = "2021"\n',
    "src/lib.rs": "use absent::Thing;\n\npub fn show(total: usize, _: Thing) {\n    println!(\"{}\", total);\n}\n"
    "absent::define! { fn brought() }\n",
    "a.rb": "def f(a)\n  a\nend\n",
    "a.js": "function f(a) { return a; }\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with shared_index(tmp_path_factory.mktemp("shared"), FILES) as index:
        yield index


def checked(index: Index, tmp_path: Path, path: str, old: str, new: str, seconds: float = 20.0) -> list[Check]:
    program = next(tool.program for tool in system.TOOLS if path.endswith(tool.endings))
    if not system.installed(program, index.root.path):
        pytest.skip(f"{program} is not installed")
    assert old in FILES[path]
    before = FILES[path].encode()
    patch = Patch((FileChange(path, before, before.replace(old.encode(), new.encode())),))
    means = Means(index.root, tmp_path, tmp_path / "cache", Settings(), {"PATH": "/nowhere"})
    with Copies(patch, means) as copies:
        checks = list(system.check(Patched(patch, index), index.root.path, copies.words, seconds))
    assert all(check.name == system.NAME for check in checks)
    return checks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "old", "new", "passed"),
    [
        ("src/main.c", "util_sum(1)", "util_sum(2)", True),
        ("src/main.c", "util_sum(1)", "prepared_sum(2)", False),
        ("src/main.c", "util_sum(1)", "util_sum(missing_one)", False),
        ("src/main.c", "util_sum(1)", "util_sum(lost)", False),
        ("src/main.c", "util_sum(1)", "lost()", None),
        ("k/K.java", "return 1", "return g()", False),
        ("src/cond.c", "two = 2", "two = f()", None),
        ("src/cond.c", "return 1", "return *1", False),
        ("src/lost.c", "return 1", "return prepared()", None),
        ("j/A.java", "return 1", "return 2", None),
        ("j/A.java", "return g()", "return prepared()", False),
        ("j/A.java", "Thing t", "Other t", None),
        ("j/X.java", "return 1", "return inherited()", None),
        ("src/main.c", "int main", "static int own(void) { return 1; }\nint main", True),
        ("src/lib.rs", ", total", ", totel", False),
        ("src/lib.rs", "println!", "prepared();\n    println!", False),
        ("src/lib.rs", "println!", "brought();\n    println!", None),
        ("src/lib.rs", "_: Thing", "_: Thinge", False),
        ("src/lib.rs", "println!", "Prepared::new();\n    println!", False),
        ("src/lib.rs", "fn brought() }", "struct Made }\npub fn g(_: Made) { Made::new() }", None),
        ("src/lib.rs", "use absent::Thing;", "use absent::{far::*, Thing};\npub fn g() { farther() }", None),
        ("a.rb", "  a\n", "  a + 1\n", True),
        ("a.rb", "  a\n", "  a +\n", False),
        ("a.js", "return a;", "return a + 1;", True),
        ("a.js", "return a;", "return a +;", False),
    ],
)
def test_only_new_findings_that_nothing_missing_explains_count(
    index: Index, tmp_path: Path, path: str, old: str, new: str, passed: bool | None
) -> None:
    assert [check.passed for check in checked(index, tmp_path, path, old, new)] == [passed]


@pytest.mark.parametrize("seconds", [0.0, 0.001])
def test_programs_are_not_used_beyond_their_time(index: Index, tmp_path: Path, seconds: float) -> None:
    checks = checked(index, tmp_path, "src/main.c", "util_sum(1)", "prepared_sum(2)", seconds)
    assert [check.passed for check in checks] == ([None] if seconds else [])


def test_programs_of_a_repository_or_a_user_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "bin" / "gcc"
    own.parent.mkdir()
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(own.parent))
    assert shutil.which("gcc") == str(own)
    assert system.installed("gcc", tmp_path) != str(own)
    monkeypatch.setattr(system, "_FOLDERS", (str(own.parent),))
    assert system.installed("gcc", tmp_path) == ""


def test_flags_of_a_repository_are_reduced_to_includes_and_defines(index_repo: IndexRepo) -> None:
    words = [
        "cc",
        "-Iinc",
        "-I/etc",
        "-I../up",
        "-DX=1",
        "-std=c11",
        "-fplugin=x.so",
        "-B.",
        "-wrapper",
        "sh",
        "-o",
        "a.o",
    ]
    files: Mapping[str, str] = {
        "compile_commands.json": f'[{{"file": "/x/src/main.c", "arguments": {words!r}}}]'.replace("'", '"'),
        "src/main.c": FILES["src/main.c"],
        "inc/util.h": FILES["inc/util.h"],
    }
    index = index_repo(dict(files))
    data = files["src/main.c"].encode()
    side = Patched(Patch((FileChange("src/main.c", data, data + b"\n"),)), index).after
    (options,) = next(tool for tool in system.TOOLS if tool.program == "gcc").runs(["src/main.c"], side)
    assert {one for one in options if one.startswith(("-I", "-D", "-std", "-B", "-wrapper", "-fplugin", "-o"))} == {
        "-I.",
        "-Iinc",
        "-DX=1",
        "-std=c11",
    }
