"""What of a project's manifest may change without a change of how its tests run: versions, prose, other tools."""

from __future__ import annotations

import configparser
import json
import posixpath
import tomllib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from optimizer.types import FileChange

_PROSE = frozenset(
    {"version", "description", "readme", "author", "authors", "maintainers", "contributors", "license", "license-files"}
    | {"classifiers", "keywords", "urls", "homepage", "repository", "documentation", "bugs", "funding"}
)
_OTHER_TOOLS = frozenset(
    {
        "ruff",
        "black",
        "isort",
        "mypy",
        "pyright",
        "pylint",
        "flake8",
        "pycodestyle",
        "pydocstyle",
        "codespell",
        "pyupgrade",
    }
    | {"towncrier", "bumpversion", "bumpver", "tbump", "commitizen", "semantic_release", "mdformat", "interrogate"}
)


def is_same_for_tests(change: FileChange) -> bool:
    """Whether a change of a manifest leaves all as it is that may decide how tests run."""
    read = _READERS.get(posixpath.basename(change.path))
    if read is None or change.before is None or change.after is None:
        return False
    try:
        before, after = (read(text.decode("utf-8")) for text in (change.before, change.after))
    except (ValueError, AttributeError, RecursionError, configparser.Error):
        return False
    return before == after


def _without(table: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}


def _pyproject(text: str) -> object:
    data = tomllib.loads(text)
    tool = _without(data.get("tool", {}), _OTHER_TOOLS)
    poetry = _without(tool.get("poetry", {}), _PROSE)
    return {**data, "project": _without(data.get("project", {}), _PROSE), "tool": {**tool, "poetry": poetry}}


def _package(text: str) -> object:
    return _without(json.loads(text), _PROSE)


def _setup(text: str) -> object:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    kept = {name: dict(parser[name]) for name in parser if name.partition("-")[0] not in {"metadata", *_OTHER_TOOLS}}
    return {name: section for name, section in kept.items() if not name.startswith("bumpversion:")}


def _cargo(text: str) -> object:
    data = tomllib.loads(text)
    targets = {name: data.get(name) for name in ("lib", "bin", "test", "bench", "example", "profile")}
    return targets, {name: value for name, value in data.get("package", {}).items() if name.startswith("auto")}


_READERS: Mapping[str, Callable[[str], object]] = {
    "pyproject.toml": _pyproject,
    "package.json": _package,
    "setup.cfg": _setup,
    "Cargo.toml": _cargo,
}
