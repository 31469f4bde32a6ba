"""What a name means, by an inference engine over the files of the repository and the standard library.

This is no rule of a language but a whole engine that knows one, Python, and reads files as the index lists them; that
is why it stands here and not with the languages.
"""

from __future__ import annotations

import os
import re
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Location(NamedTuple):
    """Where something is defined: a path ('' outside the repository), a line from 1, a column, and its kind."""

    path: str
    line: int
    column: int
    kind: str


class Inference:
    """Answers what names mean; nothing of the repository is run, and no virtual environment is read."""

    def __init__(self, root: Path, paths: Iterable[str]) -> None:
        import jedi

        self._root = Path(os.path.realpath(root))
        places = [str(self._root / folder) for folder in _import_roots(paths)]
        self._project = jedi.Project(
            self._root, added_sys_path=places, smart_sys_path=False, load_unsafe_extensions=False
        )
        self._scripts: dict[str, tuple[Any, list[str]]] = {}

    def meaning(self, path: str, text: bytes, line: int, start: int) -> tuple[Location, ...]:
        """The definitions that the name at byte `start` may mean; none when that is not known."""
        script, _ = self._script(path, text)
        column = len(text[text.rfind(b"\n", 0, start) + 1 : start].decode("utf-8", "replace"))
        return self._defined(lambda: script.goto(line, column, follow_imports=True))

    def types(self, path: str, text: bytes, line: int, start: int) -> tuple[Location, ...]:
        """The types of what the name at byte `start` stands for, or returns where it is called."""
        script, _ = self._script(path, text)
        column = len(text[text.rfind(b"\n", 0, start) + 1 : start].decode("utf-8", "replace"))
        return tuple(one for one in self._defined(lambda: script.infer(line, column)) if one.kind != "function")

    def member(self, path: str, text: bytes, expression: str, name: str) -> tuple[tuple[Location, ...], bool]:
        """What `expression.name` means at the end of a file, and whether anything is known of the expression."""
        lines = text.decode("utf-8", "replace").rstrip("\n") + f"\n\n\n{expression}.{name}\n"
        script, line = _script(lines, self._root / path, self._project), lines.count("\n")
        found = self._defined(lambda: script.goto(line, len(expression) + 1, follow_imports=True))
        return found, bool(self._defined(lambda: script.infer(line, max(0, len(expression) - 1))))

    def _script(self, path: str, text: bytes) -> tuple[Any, list[str]]:
        if path not in self._scripts:
            self._scripts[path] = (_script(text.decode("utf-8", "replace"), self._root / path, self._project), [])
        return self._scripts[path]

    def _defined(self, look: Any) -> tuple[Location, ...]:
        try:
            found = look()
        except Exception:  # noqa: BLE001 - the library raises what its parser and its stubs raise: nothing is known then
            return ()
        return tuple(dict.fromkeys(self._definition(name) for name in found))

    def _definition(self, name: Any) -> Location:
        module = name.module_path
        try:
            path = Path(os.path.realpath(module)).relative_to(self._root).as_posix() if module else ""
        except ValueError:
            path = ""
        return Location(path, name.line or 0, name.column or 0, name.type)


def _import_roots(paths: Iterable[str]) -> tuple[str, ...]:
    """The folders that top-level packages and modules lie in."""
    files = [path for path in paths if path.endswith((".py", ".pyi"))]
    packages = {os.path.dirname(path) for path in files if path.endswith("/__init__.py")}  # noqa: PTH120
    roots = {""}
    for package in packages:
        parent = os.path.dirname(package)  # noqa: PTH120
        if parent not in packages:
            roots.add(parent)
    roots |= {folder for path in files if (folder := os.path.dirname(path)) not in packages}  # noqa: PTH120
    return tuple(sorted(roots))


def _script(text: str, path: Path, project: Any) -> Any:
    import jedi

    _prepare()
    return jedi.Script(text, path=path.with_suffix(".py"), project=project, environment=_environment())


@cache
def _environment() -> Any:
    """An environment that knows the standard library of this interpreter alone."""
    from jedi.api.environment import InterpreterEnvironment

    library = sysconfig.get_path("stdlib")
    environment = InterpreterEnvironment()
    environment.get_sys_path = lambda: [library, os.path.join(library, "lib-dynload")]  # noqa: PTH118
    return environment


@cache
def _prepare() -> None:
    """Keep the library from loading modules by name, and from reading and writing pickles on the disk."""
    import jedi
    import parso.cache

    from optimizer.lookup import module_fixtures

    jedi.settings.auto_import_modules = []
    parso.cache._load_from_file_system = lambda *_, **__: None
    parso.cache._save_to_file_system = lambda *_, **__: None
    module_fixtures.follow()


@cache
def is_standard(name: str) -> bool:
    """Whether anything of the standard library, or of the libraries whose stubs are at hand, has a name."""
    import jedi

    word = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
    stubs = Path(jedi.__file__).parent / "third_party" / "typeshed"
    return any(word.search(path.read_bytes()) for path in stubs.rglob("*.pyi"))
