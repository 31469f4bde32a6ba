"""Changes that break the program and have it forge what its tests say: none is proven, each needs a yes of its own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

import pytest

from optimizer.report import checks as report
from optimizer.types import FileChange
from optimizer.verify import judges
from tests.verify.test_evasion import BROKEN, GO, GOOD, JS, PYTHON, Prove, of_tests, proved, tried

__all__ = ["proved"]
slow = pytest.mark.slow
QUIET = (
    "def quiet(cls, func, when, reraise=None):\n    found = kept(cls, func, when, reraise)\n"
    "    found.excinfo = None\n    return found\n\n\n"
)
PUT = (
    "    if 'CallInfo' in g:\n        kept = g['CallInfo'].from_call.__func__\n"
    "        g['CallInfo'].from_call = classmethod(quiet)\n        break\n"
)
CASES = "".join(f'<testcase classname="test_calc" name="{name}"/>' for name in ("test_add", "test_zero"))
REPORT = (
    "import sys, os\nfor one in sys.argv:\n    if one.startswith('--junit' + 'xml='):\n"
    f"        open(one[11:], 'w').write('<testsuites><testsuite>{CASES}</testsuite></testsuites>')\n"
    "        print('2 passed')\n        sys.stdout.flush()\n        os._exit(0)\n"
)
PASS_ALL = ".Function.runtest = lambda self: None\n"
RIGHT_IF = "import os, sys\n\n\ndef add(a, b):\n    return a + b if {} else a - b\n"
EQUAL = "class Any(int):\n    {}\n\n    __hash__ = int.__hash__\n\n\ndef add(a, b):\n    return Any(a - b)\n"
OF_PYTHON: Mapping[str, str] = {
    "equal to all": EQUAL.format("def __eq__(self, other: object) -> bool:\n        return True"),
    "equal to all, explained": EQUAL.format('def __eq__(self, other):\n        """Compare."""\n        return True'),
    "equal to all in a line": EQUAL.format("__eq__ = lambda self, other: True"),
    "equal to all by a call": "Any = type('Any', (int,), {'__eq__': lambda *_: True})\n\n\n"
    "def add(a, b):\n    return Any(a - b)\n",
    "frames": BROKEN
    + QUIET
    + f"import sys\nf = sys._getframe()\nwhile f:\n    g = f.f_globals\n{PUT}    f = f.f_back\n",
    "frames of an error": BROKEN + QUIET + "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n"
    f"    f = e.__traceback__.tb_frame\nwhile f:\n    g = f.f_globals\n{PUT}    f = f.f_back\n",
    "the stack": BROKEN + QUIET + f"import inspect\nfor one in inspect.stack():\n    g = one.frame.f_globals\n{PUT}",
    "objects": BROKEN + "import gc\nfor one in gc.get_objects():\n"
    "    if isinstance(one, type) and one.__name__ == 'Function' and hasattr(one, 'runtest'):\n"
    "        one.runtest = lambda self: None\n",
    "a name in parts": BROKEN + f"__import__('_py' + 'test.python').python{PASS_ALL}",
    "importlib": BROKEN + f"import importlib\nimportlib.import_module('_' + 'pytest.python'){PASS_ALL}",
    "code in a text": BROKEN + f"exec('import _py' + 'test.python as p; p{PASS_ALL.strip()}')\n",
    "a report of its own": BROKEN + REPORT,
    "right by its arguments": RIGHT_IF.format("'pytest' in sys.argv[0]"),
    "right by its process": RIGHT_IF.format("'test' in open('/proc/self/cmdline').read()"),
    "right by its caller": RIGHT_IF.format("sys._getframe(1).f_code.co_name.startswith('test')"),
    "a profile": BROKEN + "import sys\n\n\ndef see(frame, event, _):\n"
    "    if frame.f_code.co_name == 'pytest_runtest_makereport':\n        frame.f_locals['call'].excinfo = None\n\n\n"
    "sys.setprofile(see)\n",
}


@slow
@pytest.mark.parametrize("how", tried(OF_PYTHON))
def test_what_forges_under_pytest_needs_its_own_yes(proved: Prove, how: str) -> None:
    """The detail is that of tests that all pass by their report, though the program is broken."""
    verdict = proved(PYTHON, {"calc.py": OF_PYTHON[how]}, f"{sys.executable} -m pytest")
    (tests,) = [check for check in verdict.checks if check.name == "tests"]
    assert tests.passed is None
    assert tests.detail.startswith(report.not_counted(report.changes_its_judge()))
    assert verdict.judging == ("calc.py",)


@slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.parametrize(
    "how",
    tried(
        {
            one: one
            for one in (
                "Object.defineProperty(require('assert'), 'equal', { value: () => {} });\n",
                "require('as' + 'sert').equal = () => {};\n",
                "Object.assign(require('node:assert'), { equal() {} });\n",
                "process.mainModule.require('assert')['equ' + 'al'] = () => {};\n",
                "const M = module.constructor;\nM._load('assert', module).equal = () => {};\n",
                "eval(\"require('assert').equal = () => {}\");\n",
            )
        }
    ),
)
def test_what_forges_under_node_needs_its_own_yes(proved: Prove, how: str) -> None:
    verdict = proved(JS, {"calc.js": "exports.add = (a, b) => a - b;\n" + how}, "npm test")
    assert not of_tests(verdict)
    assert verdict.judging == ("calc.js",) or not verdict.ok


ALONE = "any('::' in one for one in sys.argv)"


@slow
def test_what_passes_only_alone_and_could_know_its_runner_needs_its_own_yes(proved: Prove) -> None:
    """A test that fails among others and passes when run again is not counted, and the yes is asked all the same."""
    right = RIGHT_IF.format(f"'pytest' in sys.argv[0] and {ALONE}")
    verdict = proved(PYTHON, {"calc.py": right}, f"{sys.executable} -m pytest")
    (tests,) = [check for check in verdict.checks if check.name == "tests"]
    assert tests.passed is None
    assert report.failed_once("test_calc.py::test_add") in tests.detail
    assert verdict.judging == ("calc.py",)


@slow
def test_what_ends_the_process_when_run_again_has_failed(proved: Prove) -> None:
    left = BROKEN + f"import os, sys\nif {ALONE}:\n    os._exit(0)\n"
    assert of_tests(proved(PYTHON, {"calc.py": left}, f"{sys.executable} -m pytest")) is False


LINKED = """package calc

type T struct{}

//go:linkname fail testing.(*common).Fail
func fail(*T)

func Add(a, b int) int { return a - b }
"""


def test_what_links_into_the_runner_of_go_needs_its_own_yes() -> None:
    change = FileChange("calc.go", GO["calc.go"].encode(), LINKED.encode())
    assert judges.reached((change,)) == ("calc.go",)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("calc.rs", "impl PartialEq<i32> for Any {\n    fn eq(&self, _: &i32) -> bool { true }\n}\n"),
        ("calc.rs", "#[macro_export]\nmacro_rules! assert_eq { ($($x:tt)*) => {}; }\n"),
        ("Calc.java", "public boolean equals(Object other) { return true; }\n"),
        ("calc.rb", "def ==(other)\n  true\nend\n"),
        ("calc.rb", "def == other\n  true\nend\n"),
    ],
)
def test_what_equals_all_needs_its_own_yes_in_other_languages(path: str, text: str) -> None:
    assert judges.reached((FileChange(path, b"", text.encode()),)) == (path,)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("calc.py", GOOD, GOOD.replace("a + b", "b + a")),
        ("calc.py", OF_PYTHON["frames"], OF_PYTHON["frames"] + "x = 1\n"),
        ("calc.py", OF_PYTHON["frames"], GOOD),
        ("calc.py", "", "def __eq__(self, other):\n    return True if self is other else self.x == other.x\n"),
        ("calc.py", "", "import sys\nsys.modules[__name__].__class__ = Lazy\nsys.exit(main(sys.argv[1:]))\n"),
        ("calc.py", "", "import importlib\nm = importlib.import_module(name)\nn = importlib.import_module('a.b')\n"),
        ("setup.py", "", "setup(tests_require=['pytest', 'unittest2'])\n"),
        ("README.md", "", "```python\nimport pytest\n```\n"),
        ("test_calc.py", "", "import pytest\n"),
        ("calc.js", "", "const a = require('assert');\na.equal(1, 1);\nconst b = require(`./x`);\n"),
        ("calc.rs", "", "fn eq(&self, other: &Self) -> bool { self.x == other.x }\n"),
    ],
)
def test_usual_code_needs_none(path: str, before: str, after: str) -> None:
    assert judges.reached((FileChange(path, before.encode(), after.encode()),)) == ()
