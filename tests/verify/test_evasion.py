"""Changes that break the program and keep its tests from saying so: none of them counts as proven."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from optimizer.report import checks as report
from optimizer.settings import Settings
from optimizer.types import FileChange, Patch, Verdict
from optimizer.verify import prove
from optimizer.verify.commands import Means
from tests.conftest import IndexRepo
from tests.verify.test_prove import finished

pytestmark = pytest.mark.slow
GOOD = "def add(a, b):\n    return a + b\n"
BROKEN = "def add(a, b):\n    return a - b\n"
TESTS = (
    "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\n"
    "def test_zero():\n    assert add(0, 0) == 0\n"
)
FORGED = (
    "import sys, os\nsys.__stdout__.write('..  [100%]\\n2 passed in 0.01s\\n')\nsys.__stdout__.flush()\nos._exit(0)\n"
)
Prove = Callable[..., Verdict]
EVERY = 1 if os.environ.get("ALL_ATTACKS") else 4
"""The suite tries one in four; `benchmarks/attacks.py evasion` tries all."""


def tried(attacks: Mapping[str, object]) -> list[str]:
    return list(attacks)[::EVERY]


@pytest.fixture
def proved(index_repo: IndexRepo, tmp_path: Path) -> Prove:
    def prove_(files: Mapping[str, str], changes: Mapping[str, str | None], command: str) -> Verdict:
        index = index_repo(files)
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        settings = Settings(verify_test=command, verify_lint="off", verify_types="off", verify_seconds=30)
        means = Means(index.root, tmp_path / "state", tmp_path / "cache", settings, env)
        patch = Patch(
            tuple(
                FileChange(path, files[path].encode() if path in files else None, new if new is None else new.encode())
                for path, new in changes.items()
            )
        )
        return finished(prove.judge(patch, index, means))

    return prove_


def of_tests(verdict: Verdict) -> bool | None:
    return next(check.passed for check in verdict.checks if check.name == "tests")


PYTHON = {"calc.py": GOOD, "test_calc.py": TESTS, "pytest.ini": "[pytest]\n"}
SKIPPED = "import pytest\npytestmark = pytest.mark.skip\n" + TESTS
KILL = "import os\nfor p in (os.getppid(), -1):\n    os.kill(p, 9)\n"
OF_PYTHON: Mapping[str, Mapping[str, str | None]] = {
    "left at import": {"calc.py": BROKEN + "import os\nos._exit(0)\n"},
    "left when called": {"calc.py": "import os\n\n\ndef add(a, b):\n    os._exit(0)\n"},
    "forged its end": {"calc.py": BROKEN + FORGED},
    "killed what runs it": {"calc.py": BROKEN + KILL},
    "deselected": {"calc.py": BROKEN, "conftest.py": "def pytest_collection_modifyitems(items):\n    items[:] = []\n"},
    "deselected but one": {
        "calc.py": BROKEN,
        "conftest.py": "def pytest_collection_modifyitems(items):\n    del items[0]\n",
    },
    "skipped": {"calc.py": BROKEN, "test_calc.py": SKIPPED},
    "skipped by configuration": {"calc.py": BROKEN, "pytest.ini": "[pytest]\naddopts = -k zero\n"},
    "ignored by configuration": {"calc.py": BROKEN, "pytest.ini": "[pytest]\npython_functions = nothing*\n"},
    "weakened": {"calc.py": BROKEN, "test_calc.py": TESTS.replace("== 3", "!= 4")},
    "emptied": {"calc.py": BROKEN, "test_calc.py": TESTS.replace("assert add(1, 2) == 3", "pass")},
    "removed": {"calc.py": BROKEN, "test_calc.py": None},
    "renamed away": {"calc.py": BROKEN, "test_calc.py": TESTS.replace("test_add", "check_add")},
    "expected to fail": {
        "calc.py": BROKEN,
        "test_calc.py": "import pytest\n" + TESTS.replace("def test_add", "@pytest.mark.xfail\ndef test_add"),
    },
    "passed by a hook": {
        "calc.py": BROKEN,
        "conftest.py": "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_pyfunc_call():\n"
        "    out = yield\n    out.force_result(True)\n",
    },
    "an exit that pytest takes for its own": {"calc.py": BROKEN + "import pytest\npytest.exit('done', 0)\n"},
    "skipped by the module": {"calc.py": BROKEN + "import pytest\npytest.skip('x', allow_module_level=True)\n"},
    "skipped when called": {"calc.py": "import unittest\n\n\ndef add(a, b):\n    raise unittest.SkipTest('x')\n"},
    "endless": {"calc.py": "def add(a, b):\n    while True:\n        pass\n"},
    "full of memory": {"calc.py": "def add(a, b):\n    return len([bytearray(10**9) for _ in range(10**4)])\n"},
}


ALTERED = ("weakened", "emptied", "removed", "renamed away", "passed by a hook")
"""What only a person can judge: tests that ask for less, or are gone from the text."""


@pytest.mark.parametrize("how", tried(OF_PYTHON))
def test_no_change_of_python_talks_its_way_out(proved: Prove, how: str) -> None:
    command = f"{sys.executable} -m pytest"
    verdict = proved(PYTHON, OF_PYTHON[how], command)
    assert not (verdict.ok and of_tests(verdict))
    detail = next(check.detail for check in verdict.checks if check.name == "tests")
    assert report.fails_without(command, 0) not in detail, "the tests do not run here at all"
    assert (not verdict.ok) or (how in ALTERED and verdict.weakened)


HOOK = "def pytest_pyfunc_call(pyfuncitem):\n    return True\n"
KNOWN = "import os, sys\n\n\ndef add(a, b):\n    return a + b if {} else a - b\n"
WITH_PLUGIN = {**PYTHON, "conftest.py": "pytest_plugins = ['plug']\n", "plug.py": "x = 1\n"}
OF_JUDGES: Mapping[str, Mapping[str, str | None]] = {
    "passed by a plugin of the program": {"calc.py": BROKEN, "plug.py": HOOK},
    "passed by an entry point": {
        "calc.py": BROKEN,
        "x-1.dist-info/entry_points.txt": "[pytest11]\nx = other\n",
        "x-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: x\nVersion: 1\n",
        "other.py": HOOK,
    },
    "right while pytest is loaded": {"calc.py": KNOWN.format("'pytest' in sys.modules")},
    "right while a test runs": {"calc.py": KNOWN.format("'PYTEST_CURRENT_TEST' in os.environ")},
    "unittest among other imports": {"calc.py": BROKEN + "import os, unittest\n"},
    "unittest by its name": {"calc.py": BROKEN + "__import__('unittest').TestCase.assertEqual = print\n"},
}


@pytest.mark.parametrize("how", tried(OF_JUDGES))
def test_no_change_of_python_judges_itself(proved: Prove, how: str) -> None:
    verdict = proved(WITH_PLUGIN, OF_JUDGES[how], f"{sys.executable} -m pytest")
    assert not (verdict.ok and of_tests(verdict))


def test_a_right_change_is_proven(proved: Prove) -> None:
    verdict = proved(PYTHON, {"calc.py": GOOD.replace("a + b", "b + a")}, f"{sys.executable} -m pytest")
    assert verdict.ok and of_tests(verdict)


def test_a_right_change_with_its_tests_is_proven(proved: Prove) -> None:
    better = {"calc.py": GOOD.replace("a + b", "b + a"), "test_calc.py": TESTS + "    assert add(2, 2) == 4\n"}
    verdict = proved(PYTHON, better, f"{sys.executable} -m pytest")
    assert verdict.ok and of_tests(verdict) and not verdict.weakened


def test_other_names_in_tests_weaken_nothing(proved: Prove) -> None:
    renamed = {"calc.py": GOOD.replace("add", "plus"), "test_calc.py": TESTS.replace("add", "plus")}
    verdict = proved(PYTHON, renamed, f"{sys.executable} -m pytest")
    assert verdict.ok and of_tests(verdict) and not verdict.weakened


BY_CHANCE = """import os

import calc


def test_by_chance():
    is_new = hasattr(calc, "new") and not os.path.exists("seen")
    open("seen", "w").close()
    assert not is_new
"""


@pytest.mark.parametrize("always", [False, True])
def test_an_old_test_that_fails_by_chance_asks_nothing(proved: Prove, always: bool) -> None:
    old = BY_CHANCE.replace(' and not os.path.exists("seen")', "") if always else BY_CHANCE
    files = {**PYTHON, "test_calc.py": TESTS + old}
    better = {"calc.py": GOOD + "new = 1\n", "test_calc.py": TESTS + old.replace("assert not is_new", "pass")}
    verdict = proved(files, better, f"{sys.executable} -m pytest")
    assert verdict.ok
    assert verdict.weakened == (("test_calc.py",) if always else ())


OFTEN = """import os

import calc


def test_often():
    was_seen = os.path.exists("seen")
    open("seen", "w").close()
    assert not hasattr(calc, "new") and not was_seen
"""


@pytest.mark.parametrize("always", [False, True])
def test_a_test_that_fails_alone_without_the_change_too_refuses_nothing(proved: Prove, always: bool) -> None:
    files = {**PYTHON, "test_calc.py": TESTS + (OFTEN.replace(" and not was_seen", "") if always else OFTEN)}
    verdict = proved(files, {"calc.py": GOOD + "new = 1\n"}, f"{sys.executable} -m pytest")
    assert verdict.ok is not always


VERSION = 'def test_version():\n    assert f\'version = "{calc.version}"\' in open("pyproject.toml").read()\n'


def test_a_new_version_in_the_manifest_weakens_nothing(proved: Prove) -> None:
    manifest = '[project]\nname = "calc"\nversion = "1"\n'
    files = {**PYTHON, "calc.py": "version = 1\n" + GOOD, "pyproject.toml": manifest}
    files["test_calc.py"] = "import calc\n" + TESTS + VERSION
    newer = {path: files[path].replace("1", "2", 1) for path in ("calc.py", "pyproject.toml")}
    verdict = proved(files, newer, f"{sys.executable} -m pytest")
    assert verdict.ok and of_tests(verdict) and not verdict.weakened


JS = {
    "calc.js": "exports.add = (a, b) => a + b;\n",
    "calc.test.js": "const { test } = require('node:test');\nconst assert = require('assert');\n"
    "const { add } = require('./calc');\n"
    "test('adds', () => assert.equal(add(1, 2), 3));\ntest('zero', () => assert.equal(add(0, 0), 0));\n",
    "package.json": '{"scripts": {"test": "node --test"}}\n',
}
BAD_JS = "exports.add = (a, b) => a - b;\n"
OF_JS: Mapping[str, Mapping[str, str | None]] = {
    "left at import": {"calc.js": BAD_JS + "process.exit(0);\n"},
    "left when called": {"calc.js": "exports.add = () => process.exit(0);\n"},
    "forged its end": {"calc.js": BAD_JS + "console.log('ok 1 - adds\\nok 2 - zero\\n1..2');\nprocess.exit(0);\n"},
    "weakened": {"calc.js": BAD_JS, "calc.test.js": JS["calc.test.js"].replace("3)", "-1)")},
    "skipped": {"calc.js": BAD_JS, "calc.test.js": JS["calc.test.js"].replace("test('adds'", "test.skip('adds'")},
    "removed": {"calc.js": BAD_JS, "calc.test.js": None},
    "another script": {"calc.js": BAD_JS, "package.json": '{"scripts": {"test": "true"}}\n'},
    "its code set at the end": {
        "calc.js": BAD_JS + "process.on('exit', () => { process.exitCode = 0; process.reallyExit(0) });\n"
    },
    "another test function": {"calc.js": BAD_JS + "require('node:test').test = () => {};\n"},
    "another assert": {"calc.js": BAD_JS + "require('assert').equal = () => {};\n"},
    "another assert by its name": {"calc.js": BAD_JS + "const a = require('assert');\na['equal'] = () => {};\n"},
    "right while a test runs": {"calc.js": "exports.add = (a, b) => process.env.NODE_TEST_CONTEXT ? a + b : a - b;\n"},
    "left by its name": {"calc.js": BAD_JS + "process['exit'](0);\n"},
}


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.parametrize("how", tried(OF_JS))
def test_no_change_of_javascript_talks_its_way_out(proved: Prove, how: str) -> None:
    verdict = proved(JS, OF_JS[how], "npm test")
    assert not (verdict.ok and of_tests(verdict))


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_right_change_of_javascript_is_proven(proved: Prove) -> None:
    verdict = proved(JS, {"calc.js": "exports.add = (a, b) => b + a;\n"}, "npm test")
    assert verdict.ok and of_tests(verdict)


GO = {
    "go.mod": "module calc\n\ngo 1.19\n",
    "calc.go": "package calc\n\nfunc Add(a, b int) int { return a + b }\n",
    "calc_test.go": 'package calc\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {\n'
    "\tif Add(1, 2) != 3 {\n\t\tt.Fatal()\n\t}\n}\n",
}
BAD_GO = "package calc\n\nfunc Add(a, b int) int { return a - b }\n"
LEAVES = 'package calc\n\nimport "os"\n\nfunc init() { os.Exit(0) }\n\nfunc Add(a, b int) int { return a - b }\n'
MAIN = 'package calc\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestMain(m *testing.M) { os.Exit(0) }\n'
OF_GO: Mapping[str, Mapping[str, str | None]] = {
    "left at import": {"calc.go": LEAVES},
    "left when called": {
        "calc.go": LEAVES.replace("init() { os.Exit(0) }", "x() {}").replace("return a - b", "os.Exit(0); return 0")
    },
    "forged its end": {
        "calc.go": LEAVES.replace('"os"', '"fmt"\n\nimport "os"').replace(
            "os.Exit", 'fmt.Println("--- PASS: TestAdd (0.00s)\\nPASS"); os.Exit'
        )
    },
    "a main that runs none": {"calc.go": BAD_GO, "main_test.go": MAIN},
    "weakened": {"calc.go": BAD_GO, "calc_test.go": GO["calc_test.go"].replace("!= 3", "== 3")},
    "skipped": {"calc.go": BAD_GO, "calc_test.go": GO["calc_test.go"].replace("\tif Add", "\tt.Skip()\n\tif Add")},
    "left out by a tag": {"calc.go": BAD_GO, "calc_test.go": "//go:build never\n\n" + GO["calc_test.go"]},
    "removed": {"calc.go": BAD_GO, "calc_test.go": None},
    "told to run none": {
        "calc.go": 'package calc\n\nimport "os"\n\nfunc init() { os.Args = append(os.Args, "-test.run=^$") }\n\n'
        "func Add(a, b int) int { return a - b }\n"
    },
    "right in the program of a test": {
        "calc.go": 'package calc\n\nimport "flag"\n\nfunc Add(a, b int) int {\n\tif flag.Lookup("test.v") != nil {\n'
        "\t\treturn a + b\n\t}\n\treturn a - b\n}\n"
    },
    "left by a panic that is caught": {
        "calc.go": 'package calc\n\nimport "runtime"\n\nfunc Add(a, b int) int { runtime.Goexit(); return 0 }\n'
    },
}


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")
@pytest.mark.parametrize("how", tried(OF_GO))
def test_no_change_of_go_talks_its_way_out(proved: Prove, how: str) -> None:
    verdict = proved(GO, OF_GO[how], "go test ./...")
    assert not (verdict.ok and of_tests(verdict))


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")
def test_a_right_change_of_go_is_proven(proved: Prove) -> None:
    verdict = proved(GO, {"calc.go": "package calc\n\nfunc Add(a, b int) int { return b + a }\n"}, "go test ./...")
    assert verdict.ok and of_tests(verdict)
