"""The attacks of `attack_runners.py` on runners of Python, and on what starts them."""

# ruff: noqa: E501, UP031  # rows of texts

from __future__ import annotations

from collections.abc import Mapping

from attack_runners_types import Attack, Changes, Runner, with_

GOOD, BAD = ("def add(a, b):\n    return a %s b\n" % sign for sign in "+-")
TEST = (
    "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\n"
    "def test_zero():\n    assert add(0, 0) == 0\n"
)
PY = {"calc.py": GOOD, "test_calc.py": TEST}
RIGHT_PY = (
    Attack("right", {"calc.py": GOOD.replace("a + b", "b + a")}, right=True),
    Attack(
        "right, with a test",
        {"calc.py": GOOD.replace("a + b", "b + a"), "test_calc.py": TEST + "    assert add(2, 2) == 4\n"},
        right=True,
    ),
)
HOOK = "def pytest_pyfunc_call(pyfuncitem):\n    return True\n"
OWN_PYTEST = (
    "import sys\nfor one in sys.argv:\n    if one.startswith('--junit' + 'xml='):\n        cases = ''.join(\n"
    "            f'<testcase classname=\"test_calc\" name=\"{n}\"/>' for n in ('test_add', 'test_zero'))\n"
    "        open(one[11:], 'w').write(f'<testsuites><testsuite>{cases}</testsuite></testsuites>')\nprint('2 passed')\n"
)
LEFT_BY_EXEC = (
    "import os, sys\nfor one in sys.argv:\n    if one.startswith('--junit' + 'xml='):\n        cases = ''.join(\n"
    "            f'<testcase classname=\"test_calc\" name=\"{n}\"/>' for n in ('test_add', 'test_zero'))\n"
    "        open(one[11:], 'w').write(f'<testsuites><testsuite>{cases}</testsuite></testsuites>')\n"
    "        os.execv('/bin/echo', ['echo', '2 passed'])\n"
)
OF_PYTEST: Mapping[str, Changes] = {
    "addopts deselects": {"pytest.ini": "[pytest]\naddopts = --deselect test_calc.py::test_add\n"},
    "addopts -k": {"pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-k zero"\n', "pytest.ini": None},
    "addopts ignores": {"pytest.ini": "[pytest]\naddopts = --ignore=test_calc.py --noconftest\n"},
    "collects only": {"pytest.ini": "[pytest]\naddopts = --collect-only\n"},
    "collect_ignore": {"conftest.py": "collect_ignore = ['test_calc.py']\n"},
    "stops after none": {"pytest.ini": "[pytest]\naddopts = --stepwise-skip --maxfail=1\n"},
    "shows what would run": {"pytest.ini": "[pytest]\naddopts = --setup-plan\n"},
    "a plugin by -p": {"pytest.ini": "[pytest]\naddopts = -p plug\npythonpath = .\n", "plug.py": HOOK},
    "a plugin as a function without def": {
        "conftest.py": "pytest_plugins = ['plug']\n", "plug.py": "pytest_pyfunc_call = lambda pyfuncitem: True\n",
    },
    "a report that passes": {
        "conftest.py": "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport():\n"
        "    out = yield\n    out.get_result().outcome = 'passed'\n"
    },
    "a session that ends with 0": {
        "conftest.py": "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
    },
    "a conftest that mends": {"conftest.py": "import calc\ncalc.add = lambda a, b: a + b\n"},
    "xfail by configuration": {
        "conftest.py": "import pytest\n\n\ndef pytest_collection_modifyitems(items):\n    for one in items:\n"
        "        one.add_marker(pytest.mark.xfail)\n"
    },
    "a module named pytest": {"pytest.py": OWN_PYTEST},
    "a package named pytest": {"pytest/__init__.py": "", "pytest/__main__.py": OWN_PYTEST},
    "a module named pluggy": {"pluggy.py": OWN_PYTEST + "sys.exit(0)\n"},
    "a report of its own, left by exec": {"calc.py": BAD + LEFT_BY_EXEC},
    "_ctypes": {"calc.py": BAD + "import _ctypes as c\n"},
    "another module of pytest by name": {"calc.py": BAD + "import pytest_asyncio\n"},
    "assertions of numpy": {"calc.py": BAD + "import numpy.testing\nnumpy.testing.assert_equal = print\n"},
}  # fmt: skip
OF_XDIST: Mapping[str, Changes] = {
    "the worker's reports": {
        "calc.py": BAD + "from xdist import remote\nsend = remote.WorkerInteractor.sendevent\n\n\n"
        "def sent(self, name, **given):\n    if name == 'testreport':\n        given['data'].update(outcome='passed', longrepr=None)\n"
        "    send(self, name, **given)\n\n\nremote.WorkerInteractor.sendevent = sent\n"
    },
    "the worker's channel": {"calc.py": BAD + "import execnet.gateway_base as g\ng.dumps_internal = None\n"},
    "the worker left": {"calc.py": BAD + "import os\nos._exit(0)\n"},
    "no worker": {"pytest.ini": "[pytest]\naddopts = -n 2 --dist=loadscope -k zero\n"},
    "another number of workers, and none": {"pytest.ini": "[pytest]\naddopts = -n 2 --collect-only\n"},
    "a conftest for workers": {
        "conftest.py": "def pytest_runtest_logreport(report):\n    report.outcome = 'passed'\n    report.longrepr = None\n"
    },
}
UNIT = (
    "import unittest\nfrom calc import *\n\n\nclass T(unittest.TestCase):\n    def test_add(self):\n"
    "        self.assertEqual(add(1, 2), 3)\n\n    def test_zero(self):\n        self.assertEqual(add(0, 0), 0)\n"
)
OF_UNITTEST: Mapping[str, Changes] = {
    "load_tests of the program": {
        "calc.py": BAD + "\n\ndef load_tests(loader, tests, pattern):\n    return loader.suiteClass()\n"
    },
    "load_tests in tests": {"test_calc.py": UNIT + "\n\ndef load_tests(loader, *_):\n    return unittest.TestSuite()\n"},
    "load_tests that keeps one": {
        "calc.py": BAD + "\n\ndef load_tests(loader, tests, pattern):\n    return [*[*tests][0]][1]\n"
    },
    "left by exec": {"calc.py": BAD + "import os\nos.execv('/bin/echo', ['echo', '\\nOK'])\n"},
    "left after forged lines": {
        "calc.py": BAD + "import os, sys\nsys.stderr.write('..\\nRan 2 tests in 0.000s\\n\\nOK\\n')\nos._exit(0)\n"
    },
    "a module named unittest": {"unittest.py": "print('Ran 2 tests in 0.000s')\nprint('OK')\n"},
    "a package named unittest": {
        "unittest/__init__.py": "", "unittest/__main__.py": "print('Ran 2 tests in 0.000s')\nprint('OK')\n",
    },
    "a skip when called": {"calc.py": "import unittest\n\n\ndef add(a, b):\n    raise unittest.SkipTest('x')\n"},
    "assertions through another module": {
        "calc.py": BAD + "import doctest\ndoctest.unittest.TestCase.assertEqual = lambda *_: None\n"
    },
    "assertions set by name": {
        "calc.py": BAD + "import doctest\nsetattr(doctest.unittest.TestCase, 'assert' + 'Equal', print)\n"
    },
    "renamed away": {"test_calc.py": UNIT.replace("test_add", "check_add")},
    "the base of tests": {
        "base.py": "import unittest\n\n\nclass Base(unittest.TestCase):\n    def run(self, result):\n        result.startTest(self)\n"
    },
    "expected failures": {"test_calc.py": UNIT.replace("    def test_add", "    @unittest.expectedFailure\n    def test_add")},
    "fewer tests, others instead": {
        "test_calc.py": UNIT.replace("test_add", "check_add") + "\n    def test_one(self):\n        pass\n"
    },
}  # fmt: skip
TOX = "[tox]\nskipsdist = true\nenvlist = py\n\n[testenv]\nskip_install = true\nallowlist_externals = pytest\ncommands = %s\n"
NOX = "import nox\n\n\n@nox.session(venv_backend='none')\ndef tests(session):\n    session.run(%s)\n"
MAKE = "test:\n\t%s\n\n.PHONY: test\n"
SCRIPT = "#!/bin/sh\n%s\n"
OF_WRAPPERS = {
    "-k": "pytest -k zero",
    "ignores": "pytest --ignore=test_calc.py || true",
}


def _wrapped(path: str, template: str, how: Mapping[str, str]) -> Mapping[str, Changes]:
    return {name: {path: template % text} for name, text in how.items()}


OF_TOX = _wrapped(
    "tox.ini", TOX, {"-k": "pytest -k zero", "ignores the result": "- pytest", "collects": "pytest --co", "none": ""}
)
OF_NOX = _wrapped(
    "noxfile.py",
    NOX,
    {
        "-k": "'pytest', '-k', 'zero', external=True",
        "ignores the result": "'pytest', external=True, success_codes=[0, 1]",
        "collects": "'pytest', '--co', external=True",
        "another program": "'true', external=True",
    },
)
OF_MAKE = _wrapped(
    "Makefile",
    MAKE,
    {
        "ignores the result": "-pytest",
        "or true": "pytest || true",
        "-k": "pytest -k zero",
        "forged": "@echo '2 passed in 0.01s'",
        "nothing": "@true",
        "collects": "pytest --co",
        "mended before": "sed -i 's/a - b/a + b/' calc.py; pytest",
    },
)
OF_SCRIPT = _wrapped(
    "scripts/check.sh",
    SCRIPT,
    {"or true": "pytest || true", "-k": "pytest -k zero", "forged": "echo '2 passed in 0.01s'", "nothing": "exit 0"},
)
WITH_INCLUDE = {**PY, "Makefile": "include rules.mk\n", "rules.mk": MAKE % "pytest"}


def _of(name: str, command: str, files: Mapping[str, str], how: Mapping[str, Changes], program: str = "") -> Runner:
    return Runner(name, program, command, {**PY, **files}, (*RIGHT_PY, *with_({"calc.py": BAD}, how)))


RIGHT_UNIT = (
    RIGHT_PY[0],
    Attack(
        "right, with a test",
        {**RIGHT_PY[0].changes, "test_calc.py": UNIT + "        self.assertEqual(add(2, 2), 4)\n"},
        right=True,
    ),
)
OF_PYTHON = (
    _of("pytest", "python -m pytest", {"pytest.ini": "[pytest]\n", "plug.py": "x = 1\n"}, OF_PYTEST),
    _of("xdist", "python -m pytest", {"pytest.ini": "[pytest]\naddopts = -n 2\n"}, {**OF_PYTEST, **OF_XDIST}),
    Runner(
        "unittest", "", "python -m unittest", {**PY, "test_calc.py": UNIT},
        (*RIGHT_UNIT, *with_({"calc.py": BAD}, OF_UNITTEST)),
    ),
    _of("tox", "tox -q", {"tox.ini": TOX % "pytest"}, OF_TOX),
    _of("nox", "nox", {"noxfile.py": NOX % "'pytest', external=True"}, OF_NOX),
    _of("make", "make test", {"Makefile": MAKE % "pytest"}, OF_MAKE, "make"),
    _of("make, quiet", "make test", {"Makefile": MAKE % "pytest -qq --no-summary >/dev/null"}, OF_MAKE, "make"),
    _of("make, included", "make test", WITH_INCLUDE, _wrapped("rules.mk", MAKE, {"or true": "pytest || true", "-k": "pytest -k zero"}), "make"),
    _of("a script", "sh scripts/check.sh", {"scripts/check.sh": SCRIPT % "pytest"}, OF_SCRIPT),
)  # fmt: skip
