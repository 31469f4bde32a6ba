"""No file imports another that leads back to it, not even for its types."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def imported(path: Path, modules: Mapping[str, Path]) -> Iterator[Path]:
    """The files that a file imports, at any level; for a script, also from its own folder."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            beside = "" if (path.parent / "__init__.py").exists() else f"{path.parent.name}."
            found = modules.get(name) or modules.get(beside + name)
            if found not in (None, path):
                yield found


def circles(folder: Path) -> set[frozenset[str]]:
    """All the circles that are left when one file of each is taken out in turn."""
    paths = [path for path in sorted(folder.rglob("*.py")) if path.read_bytes().strip()]
    modules = {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in paths
    }
    graph = {path: set(imported(path, modules)) for path in paths}
    found: set[frozenset[str]] = set()
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = error.args[1]
            found.add(frozenset(path.relative_to(folder.parent).as_posix() for path in circle))
            graph[circle[1]].discard(circle[0])
        else:
            return found


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["optimizer", "benchmarks", "tests"])
def test_no_imports_go_in_a_circle(folder: str) -> None:
    assert circles(ROOT / folder) == set()


def test_a_circle_is_seen(tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    (room / "__init__.py").write_text("")
    (room / "types.py").write_text("import room.four\n")
    (room / "one.py").write_text("def work():\n    from room import two\n")
    (room / "two.py").write_text("if TYPE_CHECKING:\n    from room.three import Name\n")
    (room / "three.py").write_text("import room.one\n")
    (room / "four.py").write_text("import types\nimport room.one\n")
    assert circles(room) == {frozenset({"room/one.py", "room/two.py", "room/three.py"})}
