"""Each version of a file is parsed once for all checks, counted as the real parsers are entered."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType

import pytest

from optimizer.index.reader import Index
from optimizer.types import FileChange, Patch
from optimizer.verify.checks import at_once
from tests.conftest import IndexRepo

GO = {
    "go.mod": "module example.com/shop\n",
    "shop/cart.go": 'package shop\n\nimport "fmt"\n\nfunc Total(n int) int {\n\tfmt.Println(n)\n\treturn n + tax\n}\n\n'
    "func gone() int { return 1 }\n\nvar tax = 1\n",
}
PYTHON = {
    "calc/parse.py": "import os\n\nLIMIT = 3\n\n\ndef total(text):\n    return os.fspath(text)\n\n\n"
    "def gone():\n    return LIMIT\n"
}


def parses(index: Index, change: FileChange) -> Counter[str]:
    """How often each parser was entered for one patch."""
    entered: Counter[str] = Counter()

    def watch(frame: FrameType, event: str, entering: object) -> None:
        if event == "c_call":
            owner = type(getattr(entering, "__self__", None)).__name__
            name = getattr(entering, "__name__", "")
            if (owner, name) == ("Parser", "parse") or name in ("compile", "symtable"):
                entered[name] += frame.f_code.co_filename != "<frozen importlib._bootstrap_external>"

    at_once(Patch(()), index)  # what is imported or compiled when first needed
    sys.setprofile(watch)
    try:
        verdict = at_once(Patch((change,)), index)
    finally:
        sys.setprofile(None)
    assert {check.name for check in verdict.checks} >= {"parses", "imports", "names", "uses"}
    return entered


def change(files: dict[str, str], path: str, old: str, new: str) -> FileChange:
    assert old in files[path]
    return FileChange(path, files[path].encode(), files[path].replace(old, new).encode())


@pytest.mark.parametrize(("old", "new"), [("n + tax", "n * tax"), ("func gone() int { return 1 }", "func added() {}")])
def test_a_go_file_is_parsed_once_before_and_once_after(index_repo: IndexRepo, old: str, new: str) -> None:
    index = index_repo(GO)
    warm = at_once(Patch((change(GO, "shop/cart.go", old, new),)), index)
    assert warm.ok
    assert parses(index, change(GO, "shop/cart.go", old, new))["parse"] == 2


@pytest.mark.parametrize(("old", "new"), [("LIMIT = 3", "LIMIT = 4"), ("def gone", "def added")])
def test_a_python_file_is_parsed_once_before_and_once_after(index_repo: IndexRepo, old: str, new: str) -> None:
    index = index_repo(PYTHON)
    warm = at_once(Patch((change(PYTHON, "calc/parse.py", old, new),)), index)
    assert warm.ok
    found = parses(index, change(PYTHON, "calc/parse.py", old, new))
    assert (found["parse"], found["compile"], found["symtable"]) == (2, 2, 2)
