"""Kinds of files by their paths, and paths in requests."""

from __future__ import annotations

import pytest

from optimizer.context.paths import files_named, kind_of, modules_named

PATHS = ["src/app/a.py", "src/app/__init__.py", "lib/a.py", "web/index.ts", "a.py.txt", "src/app/data.go"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/app/parser.py", "source"),
        ("src/latest.py", "source"),
        ("src/contest.go", "source"),
        ("app/__init__.py", "init"),
        ("tests/test_a.py", "test"),
        ("src/a.test.ts", "test"),
        ("src/CartTest.java", "test"),
        ("pkg/cart_test.go", "test"),
        ("docs/guide.py", "docs"),
        ("README", "docs"),
        ("vendor/a/b.go", "vendored"),
        ("web/jquery.min.js", "minified"),
        ("api/a_pb2.py", "generated"),
        ("types/a.d.ts", "declarations"),
        ("setup.cfg", "data"),
        ("infra/main.tf", "source"),
        ("Makefile", "data"),
    ],
)
def test_kind_of_a_path(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_what_bytes_tell_counts_where_the_path_tells_nothing() -> None:
    assert kind_of("src/api.go", "generated") == "generated"
    assert kind_of("web/app.js", "minified") == "minified"
    assert kind_of("tests/api_test.go", "generated") == "test"
    assert kind_of("vendor/a.js", "minified") == "vendored"


def test_paths_of_other_machines_find_their_file() -> None:
    assert files_named("/home/me/x/src/app/a.py", PATHS) == ["src/app/a.py"]
    assert files_named("app\\\\a.py", PATHS) == ["src/app/a.py"]
    assert files_named("a.py", PATHS) == ["src/app/a.py", "lib/a.py"]
    assert files_named("b.py", PATHS) == ()
    assert files_named("", PATHS) == ()
    assert files_named("a.py", [f"d{number}/a.py" for number in range(20)]) == ()


def test_dotted_names_find_their_module() -> None:
    assert modules_named("app.a.Class", PATHS) == ["src/app/a.py"]
    assert modules_named("src.app", PATHS) == ["src/app/__init__.py"]
    assert modules_named("a", PATHS) == ()
    assert modules_named("no.such", PATHS) == ()
