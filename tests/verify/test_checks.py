"""Checks of patches and answers, on a real index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path

import pytest

from optimizer.index.files import find_root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
from optimizer.types import FileChange, Patch, Verdict
from optimizer.verify.checks import WEIGHTS, at_once
from tests.conftest import git

FILES = {
    "src/app.py": "def f():\n    return 1\n\n\ndef g():\n    return f()\n",
    "src/ReadMe.md": "# T\n",
    "web/main.js": "export function a() { return 1; }\n",
    "LICENSE": "MIT\n",
}


@pytest.fixture
def index(make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path) -> Iterator[Index]:
    index = open_index(find_root(make_repo(FILES)), tmp_path / "cache")
    refresh(index, Settings(workers=1), lambda progress: None)
    yield index
    index.close()


def verdict(path: str, before: bytes | None, after: bytes | None, index: Index | None = None) -> Verdict:
    return at_once(Patch((FileChange(path, before, after),)), index)


HEADER = b'#ifdef __cplusplus\nextern "C" {\n#endif\nint f(int);\n#ifdef __cplusplus\n}\n#endif\n'
SWIFT = b"struct A {\n  @available(macOS 10.15, *)\n  func f() { g() }\n}\n"
MACRO = b"#define B(x) \\\n  do { \\\n /* it \\\n * so. */ \\\n f(x); \\\n } while (0)\n"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.py", b"x = 1\n", b"x = 2\n"),
        ("a.py", None, b"x = 1\n"),
        ("a.py", b"x = = 1\ny = 1\n", b"x = = 1\ny = 2\n"),
        ("a.py", "# coding: latin-1\nx = 'é'\n".encode("latin-1"), "# coding: latin-1\nx = 'éé'\n".encode("latin-1")),
        ("a.py", b"\xef\xbb\xbfx = 1\n", b"\xef\xbb\xbfx = 2\n"),
        ("a.go", b"package a\n", b"package a\n\nfunc F() int { return 1 }\n"),
        ("a.json", b"{}", b'{"a": 1}'),
        ("a.json", b"{ // a comment\n}", b"{ // another\n}"),
        ("tsconfig.json", None, b"{ // a comment\n}"),
        (".vscode/settings.json", None, b'{"a": 1,\n}'),
        ("a.toml", b"a = 1\n", b"a = 2\n"),
        ("notes.txt", b"a", b"b"),
        ("a.png", b"a\0", b"b\0"),
        ("a.png", None, b"b\0"),
        ("a.h", b"A(x)\nB(y)\nvoid f(int a);\n", b"A(x)\nB(y)\nC(z)\nvoid f(int a);\n"),
        ("a.py", b"x = 1\n", None),
        ("a.vue", b"<p>{{ 1 }}</p>\n", b"<p>{{ ( }}</p>\n<script>\nlet a = 1\n</script>\n"),
        ("a.html", None, b"<script>\nlet a = {{ value|tojson }};\n</script>\n"),
        ("a.c", None, b'struct a b = {\n    #define C(n, d) d,\n    #include "c.def"\n};\n'),
        ("a.h", HEADER, HEADER.replace(b"#ifdef", MACRO + b"#ifdef", 1)),
        ("a.h", b"int f(int *a);\n", b"int f(int *a) ATTRS(warn_unused_result);\n"),
        (
            "a.swift",
            SWIFT,
            SWIFT.replace(b"@available", b"#if !A\n  @available(*, unavailable)\n  #endif\n  @available"),
        ),
    ],
)
def test_good_changes_pass(path: str, before: bytes | None, after: bytes | None) -> None:
    result = verdict(path, before, after)
    assert result.ok, result.checks
    assert 0 < result.confidence < 1


@pytest.mark.parametrize(
    ("path", "before", "after", "why"),
    [
        ("a.c", None, b'struct a b = {\n    #define C(n, d) d,\n    #include "c.def"\n', "no longer balanced"),
        ("a.h", b"int f(int *a);\n", b"int f(int *a ATTRS(warn_unused_result);\n", "does not parse"),
        ("a.swift", SWIFT, b"#if A\n" + SWIFT.replace(b"{ g() }", b"{ g( }"), "no"),
        ("a.py", b"x = 1\n", b"x = (1\n", "does not parse"),
        ("a.py", None, b"def f(:\n", "does not parse"),
        ("a.py", b"if x:\n    pass\n", b"if x:\npass\n", "does not parse"),
        ("a.py", b"x = 1\n", b"# coding: none-such\nx = 1\n", "does not parse"),
        ("a.go", b"package a\n", b"package a\n\nfunc F( {\n", "does not parse"),
        ("a.ts", b"let a = 1;\n", b"let a = ;\n", "does not parse"),
        ("a.vue", b"<script>\nlet a = 1\n</script>\n", b"<p/>\n<script>\nlet a = (\n</script>\n", "see line 3"),
        ("a.html", None, b"<p>(</p>\n<script>\nlet a = );\n</script>\n", "see line 3"),
        ("a.json", b"{}", b"{,}", "does not load"),
        ("a.json", None, b"[" * 100_000, "does not load"),
        ("a.toml", b"a = 1\n", b"a = \n", "does not load"),
        ("tests/data/a.toml", b"a = 1\n", b"a = \n", "does not load"),
        ("a.bin", b"a", b"a\0", "binary"),
        ("a.h", b"A(x)\nB(y)\nvoid f(int a);\n", b"A(x)\nB(y)\nC(z)\nvoid f(int a;\n", "no longer balanced"),
        ("a.txt", b"a\n", b"<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n", "conflict markers"),
        (".git/hooks/x", None, b"a", "git"),
        ("../x", None, b"a", "repository"),
    ],
)
def test_bad_changes_fail_and_say_why(path: str, before: bytes | None, after: bytes, why: str) -> None:
    result = verdict(path, before, after)
    assert not result.ok
    assert result.confidence == 0
    assert any(why in check.detail for check in result.checks if check.passed is False)


@pytest.mark.parametrize(
    ("after", "passed"), [("func f( }\n// no more\n", True), ("func f( }\nfunc g( }\nfunc h( }\n", None)]
)
def test_a_file_that_did_not_parse_before_may_be_no_worse(after: str, passed: bool | None) -> None:
    result = verdict("a.go", b"package a\n\nfunc f( }\n", f"package a\n\n{after}".encode())
    assert [check.passed for check in result.checks if check.name == "parses"] == [passed]


def test_new_data_of_tests_may_be_broken_on_purpose() -> None:
    result = verdict("tests/data/invalid/a.toml", None, b"a = \n")
    assert result.ok
    assert [check.passed for check in result.checks if check.name == "loads"] == [None]
    assert not verdict("data/invalid/a.toml", None, b"a = \n").ok


def test_one_bad_file_fails_the_patch() -> None:
    patch = Patch((FileChange("a.py", b"x = 1\n", b"x = 2\n"), FileChange("b.py", b"x = 1\n", b"x = \n")))
    assert not at_once(patch, None).ok
    assert not at_once(Patch(()), None).ok


def test_the_confidence_comes_from_what_ran() -> None:
    parsed = verdict("a.py", b"x = 1\n", b"x = 2\n")
    unknown = verdict("notes.txt", b"a", b"b")
    for one in (parsed, unknown):
        doubt = prod(1 - WEIGHTS[check.name] for check in one.checks if check.passed)
        assert one.confidence == pytest.approx(1 - doubt, abs=1e-4)
    ran = [{check.name for check in one.checks if check.passed} for one in (parsed, unknown)]
    assert ran[0] - ran[1] == {"parses"}


def test_a_new_name_that_differs_in_case_fails(index: Index) -> None:
    assert not verdict("SRC/app.py", None, b"x = 1\n", index).ok
    assert verdict("src/new.py", None, b"x = 1\n", index).ok
    old = index.read("src/app.py")
    moved = Patch((FileChange("src/app.py", old, None), FileChange("SRC/app.py", None, old)))
    assert at_once(moved, index).ok, "it is renamed"


def test_a_file_outside_a_sparse_checkout_is_not_created_over(index: Index) -> None:
    git(index.root.path, "sparse-checkout", "set", "src")
    assert not (index.root.path / "web/main.js").exists()
    for path, passed in (("web/main.js", False), ("web/new.js", True)):
        checks = {check.name: check.passed for check in verdict(path, None, b"let x = 1;\n", index).checks}
        assert checks["path"] is passed
