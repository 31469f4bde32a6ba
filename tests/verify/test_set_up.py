"""Which changes are of tests, of their data, or of what decides which tests run."""

from __future__ import annotations

import pytest

from optimizer.types import FileChange
from optimizer.verify.judges import reached
from optimizer.verify.results import PRINTED
from optimizer.verify.set_up import changes_tests, is_new_test, is_of_tests, named, old_within


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_a.py", "tests/tools.py", "conftest.py", "pytest.ini", "tox.toml", "noxfile.py", "Makefile",
        "build/rules.mk", "justfile", "web/jest.config.ts", ".mocharc.yml", "vitest.workspace.ts", "babel.config.js",
        ".cargo/config.toml", "Cargo.toml", "go.work", "sitecustomize.py",
    ],
)  # fmt: skip
def test_these_are_of_tests(path: str) -> None:
    assert is_of_tests(path)


@pytest.mark.parametrize("path", ["calc.py", "src/make.py", "docs/tests.md", "lib/config.js", "src/tests.py.txt"])
def test_these_are_not(path: str) -> None:
    assert not is_of_tests(path)


@pytest.mark.parametrize("path", ["tests/data/a.bin", "src/__snapshots__/a.snap", "pkg/testdata/in.txt"])
def test_data_of_tests_belongs_to_them(path: str) -> None:
    assert changes_tests(FileChange(path, b"1", b"2"))
    assert is_new_test(FileChange(path, None, b"2"))


def test_a_new_file_that_sets_up_the_others_is_no_new_test() -> None:
    assert not is_new_test(FileChange("conftest.py", None, b"collect_ignore = ['test_a.py']\n"))
    assert is_new_test(FileChange("tests/test_b.py", None, b""))


RUST = b"pub fn add(a: i32) -> i32 { a + 1 }\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() { %s }\n}\n"


def test_tests_within_a_program_stay_the_old_ones() -> None:
    old, new = RUST % b"assert_eq!(add(1), 2)", (RUST % b"").replace(b"a + 1", b"a - 1")
    assert old_within(FileChange("src/lib.rs", old, new)) == old.replace(b"a + 1", b"a - 1")
    assert old_within(FileChange("src/lib.rs", old, old.replace(b"a + 1", b"a - 1"))) is None


def test_a_file_that_the_command_or_its_runner_names_sets_up_tests() -> None:
    files = {
        "Makefile": b"test:\n\tsh run/all.sh\n",
        "jest.config.js": b"module.exports = {setupFiles: ['./lib/setup']}",
    }
    changed = ("check.js", "run/all.sh", "lib/setup.js", "lib/other.js")
    found = named(changed, "node check.js", files, files.__getitem__)
    assert found == {"check.js", "run/all.sh", "lib/setup.js"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pytest.py", b""),
        ("pluggy/__init__.py", b""),
        ("calc.py", b"import xdist\n"),
        ("calc.py", b"os.execv('/bin/true', [])\n"),
        ("lib.js", b"jest.mock('./a')\n"),
        ("lib.js", b"import { expect } from 'vitest'\n"),
        ("main.go", b'if flag.Lookup("test.v") != nil {}\n'),
        ("lib.rs", b'if std::env::var("CARGO_MANIFEST_DIR").is_ok() {}\n'),
    ],
)
def test_a_program_that_knows_its_runner_needs_a_yes(path: str, text: bytes) -> None:
    assert reached([FileChange(path, None, text)]) == (path,)
    assert not reached([FileChange(path, text, text + b"\n")])


@pytest.mark.parametrize(
    ("output", "passed"),
    [
        ("3 passing (4ms)\n", 3),
        ("Ran 4 tests in 0.001s\n\nOK (skipped=1)\n", 3),
        ("test_add (test_calc.T.test_add) ... ok\ntest_no (test_calc.T.test_no) ... FAIL\n", 1),
        ("Tests run: 5, Failures: 1, Errors: 0, Skipped: 1\n", 3),
        ("\x1b[32m ✓ adds\x1b[0m\n", 1),
        ("done\n", 0),
    ],
)
def test_what_runners_print_is_counted(output: str, passed: int) -> None:
    assert len(PRINTED.read(b"", output).named("passed")) == passed
