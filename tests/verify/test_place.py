"""A change stands where the request or the context says, and a new file looks like one of its kind."""

from __future__ import annotations

import pytest

from optimizer.retrieval import Context, ContextItem
from optimizer.types import FileChange, Patch
from optimizer.verify.place import check_place
from optimizer.verify.relevant import Asked
from tests.conftest import IndexRepo

FILES = {"a.py": "def total(x):\n    return x\n", "b.py": "def other():\n    return 1\n", "c.py": "y = total(2)\n"}
SHOWN = ContextItem("a.py", 1, 2, "total", "body", 10, 1.0, (), FILES["a.py"])


def checks(
    index_repo: IndexRepo, request: str, path: str, after: str, shown: bool = True, looked: bool = False
) -> dict[str, bool | None]:
    before = FILES.get(path)
    change = FileChange(path, before.encode() if before is not None else None, after.encode())
    context = Context(request, 10, (), (SHOWN,) if shown else (), {})
    asked = Asked(request, "refactor", context, seen="a file" if looked else "")
    verdict = check_place(Patch((change,)), asked, index_repo(FILES))
    return {check.name: check.passed for check in verdict.checks}


@pytest.mark.parametrize(
    ("request_", "path", "shown", "looked", "placed"),
    [
        ("make it faster", "a.py", True, False, True),
        ("make it faster in b.py", "b.py", True, False, True),
        ("let total return 0", "c.py", True, False, True),
        ("make it faster", "b.py", True, True, True),
        ("make it faster", "b.py", True, False, False),
        ("make it faster", "b.py", False, False, None),
        ("write a tool", "tools/new.py", True, False, None),
        ("make total faster", "tools/new.py", True, False, None),
        ("is total fast", "tools/new.py", True, False, False),
    ],
)
def test_the_place_of_a_change(
    index_repo: IndexRepo, request_: str, path: str, shown: bool, looked: bool, placed: bool | None
) -> None:
    after = FILES.get(path, "def work():\n    return 1\n") + "# faster\n"
    assert checks(index_repo, request_, path, after, shown, looked)["place"] is placed


@pytest.mark.parametrize(
    ("path", "after", "plausible"),
    [
        ("tools/new.py", "def work():\n    return 1\n", True),
        ("path/to/file.py", "def work():\n    return 1\n", False),
        ("a;1;2;0", "111111 222222 333333\n", False),
        ("tools/new.py", "1 2 3 4 5 6 7 8 9\n" * 9, False),
        ("tools/new.py", "\n", False),
        ("tools/__init__.py", "", True),
    ],
)
def test_a_new_file_looks_like_one_of_its_kind(index_repo: IndexRepo, path: str, after: str, plausible: bool) -> None:
    assert checks(index_repo, "write a tool", path, after)["plausible"] is plausible
