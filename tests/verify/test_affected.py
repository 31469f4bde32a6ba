"""Which tests a change reaches, in which order, and why."""

from __future__ import annotations

from optimizer.verify.affected import reached
from tests.conftest import IndexRepo

FILES = {
    "calc/__init__.py": "",
    "calc/parse.py": "def total(t): ...\n",
    "calc/cli.py": "from calc.parse import total\n",
    "calc/other.py": "",
    "tests/test_parse.py": "from calc.parse import total\n",
    "tests/test_cli.py": "from calc.cli import total\n",
    "tests/test_far.py": "import helper\n",
    "tests/test_other.py": "import calc.other\n",
    "tests/sub/conftest.py": "",
    "tests/sub/test_deep.py": "",
    "helper.py": "import calc.cli\n",
    "go/a.go": "package a\n",
    "go/b_test.go": "package a\n",
}


def test_the_nearest_come_first_and_each_has_its_reason(index_repo: IndexRepo) -> None:
    found = reached(["calc/parse.py"], index_repo(FILES))
    assert [test.path for test in found] == ["tests/test_parse.py", "tests/test_cli.py", "tests/test_far.py"]
    assert [(test.by.code, test.by.via) for test in found] == [
        ("named", ("calc/parse.py",)),
        ("imports", ("calc/cli.py", "calc/parse.py")),
        ("imports", ("helper.py", "calc/cli.py", "calc/parse.py")),
    ]


def test_changed_tests_fixtures_and_packages(index_repo: IndexRepo) -> None:
    index = index_repo(FILES)
    assert [t.path for t in reached(["tests/test_cli.py"], index)] == ["tests/test_cli.py"]
    assert [t.path for t in reached(["tests/sub/conftest.py"], index)] == ["tests/sub/test_deep.py"]
    assert [t.path for t in reached(["go/a.go"], index)] == ["go/b_test.go"]
    assert reached(["README.md"], index) == ()
    made = reached(["calc/fresh.py", "tests/test_fresh.py"], index, new=("calc/fresh.py", "tests/test_fresh.py"))
    assert [(t.path, t.steps) for t in made] == [("tests/test_fresh.py", 0)]
