"""Renames as patches over real indexes: complete, byte exact elsewhere, and refused when in doubt."""

from __future__ import annotations

import re

import pytest

from optimizer.errors import Conflict, InputError
from optimizer.index.reader import Index
from optimizer.languages.source import Source
from optimizer.lookup.questions import Lookup, lines_of
from optimizer.lookup.rename import rename
from tests.conftest import IndexRepo

PYTHON = {
    "a.py": 'def load(path):\n    """load a thing"""\n    return path  # load\n\n\n'
    'class Box:\n    def open_lid(self):\n        return load("load")\n',
    "b.py": "from a import Box, load\n\n\ndef go(box: Box):\n    box.open_lid()\n    return load(1), load(2)\n",
    "notes.md": "Call load to load.\n",
}


def renamed(index: Index, name: str, new: str, within: str = "") -> dict[str, str]:
    found = rename(Lookup("rename", name, new, within), index)
    assert found.found
    assert found.patch is not None
    return {change.path: (change.after or b"").decode() for change in found.patch.changes}


def test_every_use_is_renamed_and_text_is_left(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    after = renamed(index, "load", "fetch")
    assert after["a.py"] == PYTHON["a.py"].replace("def load", "def fetch").replace('return load("', 'return fetch("')
    assert after["b.py"] == PYTHON["b.py"].replace("load", "fetch")
    assert set(after) == {"a.py", "b.py"}
    lines = lines_of(rename(Lookup("rename", "load", "fetch"), index).citations)
    assert re.search(r"\b5\b.*\b2\b", lines[0])
    assert any("a.py (3)" in line and "notes.md (2)" in line for line in lines)


def test_a_unique_method_is_renamed_by_name(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    after = renamed(index, "Box.open_lid", "lift")
    assert "box.lift()" in after["b.py"]
    assert "def lift(self)" in after["a.py"]


def test_go_and_javascript_and_crlf_bytes(index_repo: IndexRepo) -> None:
    files = {
        "main.go": "package main\r\n\r\nfunc Sum(a int) int {\r\n\treturn a\r\n}\r\n\r\n"
        "func main() { Sum(1) } // Sum\r\n",
        "x.js": "export function joinAll(a) { return a; }\nexport const b = joinAll('joinAll');\n",
    }
    index = index_repo(files)
    assert renamed(index, "Sum", "Total") == {
        "main.go": files["main.go"].replace("func Sum", "func Total").replace("{ Sum(1)", "{ Total(1)")
    }
    assert renamed(index, "joinAll", "concat")["x.js"] == (
        "export function concat(a) { return a; }\nexport const b = concat('joinAll');\n"
    )


@pytest.mark.parametrize("name", ["f", "test", "string"])
def test_names_too_common_for_the_index_are_still_renamed_everywhere(index_repo: IndexRepo, name: str) -> None:
    index = index_repo({"a.py": f"def {name}():\n    pass\n", "b.py": f"from a import {name}\n\n{name}()\n"})
    assert set(renamed(index, name, "probe")) == {"a.py", "b.py"}


def test_two_definitions_are_refused_until_one_is_said(index_repo: IndexRepo) -> None:
    index = index_repo(
        {
            "one.py": "def run():\n    return 1\n\n\ndef main():\n    return run()\n",
            "two.py": "def run():\n    return 2\n",
            "use.py": "from one import run\n\nrun()\n",
            "other.py": "from two import run\n\nrun()\n",
        }
    )
    with pytest.raises(Conflict) as refused:
        rename(Lookup("rename", "run", "start"), index)
    assert refused.value.exit_code == 8
    assert "one.py:1" in refused.value.message
    after = renamed(index, "run", "start", "one.py")
    assert set(after) == {"one.py", "use.py"}
    assert "run" not in after["use.py"]


def test_two_classes_with_the_method_are_told_apart(index_repo: IndexRepo) -> None:
    index = index_repo(
        {"a.py": "class A:\n    def go(self):\n        pass\n", "b.py": "class B:\n    def go(self):\n        pass\n"}
    )
    with pytest.raises(Conflict):
        rename(Lookup("rename", "go", "walk"), index)
    assert renamed(index, "A.go", "walk") == {"a.py": "class A:\n    def walk(self):\n        pass\n"}


@pytest.mark.parametrize("new", ["class", "None", "lambda"])
def test_a_keyword_is_refused(index_repo: IndexRepo, new: str) -> None:
    with pytest.raises(InputError):
        rename(Lookup("rename", "load", new), index_repo(PYTHON))


def test_a_keyword_of_another_language_is_refused_there(index_repo: IndexRepo) -> None:
    index = index_repo({"m.go": "package m\n\nfunc Sum(a int) int {\n\treturn a\n}\n"})
    with pytest.raises(InputError):
        rename(Lookup("rename", "Sum", "func"), index)


@pytest.mark.parametrize("new", ["go", "Box", "path"])
def test_a_taken_name_is_refused(index_repo: IndexRepo, new: str) -> None:
    with pytest.raises(Conflict) as refused:
        rename(Lookup("rename", "load", new), index_repo(PYTHON))
    assert "already" in refused.value.message


def test_the_same_name_and_a_missing_one(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    with pytest.raises(InputError):
        rename(Lookup("rename", "load", "load"), index)
    missing = rename(Lookup("rename", "lod", "fetch"), index)
    assert not missing.found
    assert missing.patch is None
    assert any("load" in row.text for row in missing.citations[1:])


def test_renaming_there_and_back_gives_the_same_bytes(index_repo: IndexRepo) -> None:
    index = index_repo(PYTHON)
    for path, text in renamed(index, "load", "fetch_it").items():
        assert not Source(path, text.encode()).occurrences("load")
        back = text.replace("fetch_it", "load")
        assert back == PYTHON[path]
