"""Names that imports, packages and other files bring, where one more or less decides."""

from __future__ import annotations

import pytest

from optimizer.types import FileChange, Patch
from optimizer.verify.checks import at_once
from tests.conftest import IndexRepo

FILES = {
    "go.mod": "module example.org/m\n",
    "calc/calc.go": "package calc\n\nfunc Total(n int) int { return n }\n",
    "main.go": 'package main\n\nimport "os"\n\nfunc main() {\n\tprintln(len(os.Args))\n}\n',
    "gen/a.go": "package gen\n\nfunc A() {\n\tmade()\n\tprintln(os.Args)\n}\n",
    "j/A.java": "package j;\n\nimport k.Kind;\n\nclass A {\n  Kind kind;\n}\n",
    "j/Kind.java": "package j;\n\nclass Kind {}\n",
    "src/a.rs": "use super::*;\nuse std::env;\n\nfn run() -> usize {\n    env::args().count()\n}\n",
}


@pytest.mark.parametrize(
    ("path", "old", "new", "missing"),
    [
        ("main.go", "len(os.Args)", "made()", ""),
        ("main.go", 'import "os"\n\n', "", "os"),
        ("main.go", "len(os.Args)", "c.Total(1)", "c"),
        ("main.go", '"os"\n\nfunc main() {\n\tprintln(len(os.Args))', '(\n\tc "example.org/m/calc"\n)\n\n'
         "func main() {\n\tprintln(c.Total(1))", ""),
        ("j/A.java", "import k.Kind;\n", "", ""),
        ("src/a.rs", "use std::env;\n", "", "env"),
    ],
    ids=["used elsewhere", "import gone", "no import", "import by another name", "same package", "beside super::*"],
)  # fmt: skip
def test_a_name_is_missed_only_where_nothing_brings_it(
    index_repo: IndexRepo, path: str, old: str, new: str, missing: str
) -> None:
    before = FILES[path]
    assert old in before
    change = FileChange(path, before.encode(), before.replace(old, new).encode())
    checks = at_once(Patch((change,)), index_repo(FILES)).checks
    found = [one.evidence for one in checks if one.name == "names" and one.passed is False]
    assert len(found) == bool(missing)
    assert all(f" {missing}," in one for one in found)


def test_a_stub_of_another_package_is_not_all_of_it(index_repo: IndexRepo) -> None:
    before = b"import torch\n\nprint(torch)\n"
    index = index_repo({"stubs/torch/__init__.pyi": "def tensor(): ...\n", "app/run.py": before.decode()})
    change = FileChange("app/run.py", before, b"import torch.nn\n\nprint(torch.nn)\n")
    assert [one.name for one in at_once(Patch((change,)), index).checks if one.passed is False] == []
