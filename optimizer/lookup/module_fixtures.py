"""What a parameter of a test stands for: the fixture of its name, in its own file or a `conftest.py` above it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.languages.naming.uses import binds, find_uses, is_parameter

if TYPE_CHECKING:
    from optimizer.languages.naming.uses import Use
    from optimizer.lookup.protocols import Subject

# Fixtures of pytest whose values, and all that is taken from them, are of types outside of the repository.
_OF_PYTEST = frozenset({
    "capfd", "capfdbinary", "caplog", "capsys", "capsysbinary", "monkeypatch", "pytestconfig", "recwarn", "tmp_path",
    "tmp_path_factory", "tmpdir", "tmpdir_factory",
})  # fmt: skip
_FIRST = re.compile(r"[A-Za-z_]\w*")
_FIXTURE = re.compile(r"@\s*(?:[\w.]+\.)?\w*fixture\b")


def follow() -> None:
    """Let the inference engine find fixtures by how they are marked.

    By itself it looks for the mark in pytest, which is not read here, and finds those of one test in a file only.
    """
    from jedi.plugins import pytest

    pytest.FixtureFilter._is_fixture = lambda _, __, name: _is_fixture(name.parent)
    pytest._goto_pytest_fixture = _fixtures


def _is_fixture(function: Any) -> bool:
    marked = function.parent if function.type == "funcdef" else None
    return marked is not None and marked.type == "decorated" and bool(_FIXTURE.search(marked.children[0].get_code()))


def _fixtures(module: Any, name: str, skip_own_module: bool) -> list[Any]:
    from jedi.plugins.pytest import FixtureFilter

    found = [] if skip_own_module else FixtureFilter(module).get(name)
    return found or next((names for one in _above(module) if (names := FixtureFilter(one).get(name))), [])


def _above(module: Any) -> Any:
    """The modules of the repository that give fixtures to a module, the nearest first."""
    from jedi.file_io import FileIO
    from jedi.inference.imports import load_module_from_path

    state, own = module.inference_state, module.py__file__()
    root = state.project.path
    for folder in Path(own).parents if own is not None else ():
        path = folder / "conftest.py"
        if path != own and path.is_file() and folder.is_relative_to(root):
            yield load_module_from_path(state, FileIO(path)).as_context()


def is_given_by_pytest(subject: Subject, path: str, use: Use) -> bool:
    """Whether a member is taken from what a fixture of pytest itself gives, or from a variable that holds such."""
    first = _FIRST.match(use.receiver)
    if first is None or is_parameter(use, first[0]):
        return first is not None and _is_of_pytest(subject, first[0])
    same = find_uses(subject.sources[path], first[0])
    scopes = {one.scope for one in same if one.place.start == use.node.parent.start_byte} if use.node.parent else set()
    bound = [one for one in same if one.scope in scopes - {None} and binds(one.node)]
    made = bound[0].node.parent if len(bound) == 1 else None
    value = made.child_by_field_name("right") if made is not None and made.type == "assignment" else None
    source = _FIRST.match((value.text or b"").decode("utf-8", "replace")) if value is not None else None
    return source is not None and is_parameter(use, source[0]) and _is_of_pytest(subject, source[0])


def _is_of_pytest(subject: Subject, name: str) -> bool:
    return name in _OF_PYTEST and not subject.index.symbols_named([name])
