"""Files that bear the name of their class are renamed with it."""

# ruff: noqa: E501 - a case is one line

from __future__ import annotations

import pytest

from optimizer.lookup.questions import Lookup
from optimizer.lookup.rename import rename
from tests.conftest import IndexRepo


def test_the_file_of_a_class_moves_with_it(index_repo: IndexRepo) -> None:
    files = {
        "p/Box.java": "package p;\npublic class Box { Box() {} class Lid { } }\n",
        "q/Use.java": "package q;\nimport p.Box;\nclass Use { Box b = new Box(); }\n",
    }
    found = rename(Lookup("rename", "Box", "Crate"), index_repo(files))
    assert found.patch is not None
    assert {change.path: change.after for change in found.patch.changes} == {
        "p/Box.java": None,
        "p/Crate.java": b"package p;\npublic class Crate { Crate() {} class Lid { } }\n",
        "q/Use.java": b"package q;\nimport p.Crate;\nclass Use { Crate b = new Crate(); }\n",
    }


BOX = {"src/Box.php": "<?php\nnamespace P;\nclass Box { }\n", "use.php": "<?php\nuse P\\Box;\nnew Box();\n"}
OLD = {"lib/P/Box.php": "<?php\nclass P_Box { }\n", "use.php": "<?php\nnew P_Box();\n"}


@pytest.mark.parametrize(("name", "new", "files", "old_path", "new_path"), [
    ("Box", "Crate", BOX, "src/Box.php", "src/Crate.php"),
    ("Box", "Crate", BOX | {"in.php": "<?php\nrequire 'src/Box.php';\n"}, "src/Box.php", "src/Crate.php"),
    ("Box", "Crate", BOX | {"composer.json": '{"autoload": {"files": ["src/Box.php"]}}'}, "src/Box.php", "src/Crate.php"),
    ("Box", "Crate", BOX | {"in.php": "<?php\nrequire 'src/Box.php';\n", "b/Box.php": "<?php\n"}, "src/Box.php", "src/Box.php"),
    ("P_Box", "P_Crate", OLD, "lib/P/Box.php", "lib/P/Crate.php"),
])  # fmt: skip
def test_a_class_of_php_that_is_loaded_by_its_name_moves(
    index_repo: IndexRepo, name: str, new: str, files: dict[str, str], old_path: str, new_path: str
) -> None:
    found = rename(Lookup("rename", name, new), index_repo(files))
    assert found.patch is not None
    after = {change.path: change.after for change in found.patch.changes}
    assert f"class {new} ".encode() in (after[new_path] or b"")
    assert (after[old_path] is None) == (old_path != new_path)
    naming = [one for one in ("in.php", "composer.json") if one in files]
    assert all((after.get(one) is not None) == (old_path != new_path) for one in naming)
    assert all(new_path.encode() in (after[one] or b"") for one in naming if one in after)
