"""Which files hold tests."""

from __future__ import annotations

import pytest

from optimizer.languages.files_of_tests import is_test, serves_tests, stem_under_test


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("tests/test_x.py", "x"),
        ("x_test.py", "x"),
        ("stubs/test_x.pyi", "x"),
        ("x_test.go", "x"),
        ("a/x.test.ts", "x"),
        ("x.spec.jsx", "x"),
        ("command.help.test.js", "command"),
        ("x_spec.mts", "x"),
        ("tests/a/deep.rs", "deep"),
        ("XTest.java", "X"),
        ("XTests.cs", "X"),
        ("XSuite.scala", "X"),
        ("x_spec.rb", "x"),
        ("x_spec.lua", "x"),
        ("x_test.exs", "x"),
        ("x_test.cc", "x"),
        ("x_test.c", "x"),
    ],
)
def test_files_that_a_runner_runs(path: str, stem: str) -> None:
    assert is_test(path)
    assert stem_under_test(path) == stem


@pytest.mark.parametrize(
    "path",
    ["x.py", "tests/conftest.py", "contest.js", "test_.py", "_test.go", "src/tests/a.rs", "XTest.go", "x_test.txt"],
)
def test_other_files(path: str) -> None:
    assert not is_test(path)
    assert stem_under_test("a/parse.tab.c") == "parse"


@pytest.mark.parametrize("name", ["conftest.py", "test-data.json", "x.bench.js", "login.cy.ts", "xSpec.kt", "spec.rb"])
def test_files_that_serve_tests_by_their_names(name: str) -> None:
    assert serves_tests(name)
    assert not serves_tests(f"un{name.title()}.txt")
