"""Profiles in other forms: TOML, JSON or YAML read with their lines, and TOML or JSON written."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optimizer.config.document import LARGEST, Document, read_document
from optimizer.config.values import parts
from optimizer.errors import ConfigError, InputError

MOST_VALUES = 1000
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def read_any(path: Path) -> Document:
    """The tables of a file in TOML, JSON or YAML, by its suffix, with the lines of its keys.

    Raises ConfigError for a file that is none of them or broken, InputError when there is none, or no reader of YAML.
    """
    suffix = path.suffix.lower()
    if suffix == ".toml":
        document = read_document(path)
        if document is None:
            raise InputError(f"no file {path}", "check the path")
        return document
    if suffix not in (".json", ".yaml", ".yml"):
        raise InputError(f"{path}: not a .toml, .json, .yaml or .yml file", "rename the file")
    text = _text(path)
    data = _json(path, text) if suffix == ".json" else _yaml(path, text)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}:1: a profile is a table of keys", "write it as docs/guides/profiles.md shows")
    tables = _named(data, [MOST_VALUES], path)
    return Document(path, tables, dict(_lines(tables, text)))


def to_toml(table: Mapping[str, Any]) -> str:
    """A table of texts, numbers, switches, lists of them, and tables of those, as TOML."""
    return "".join(f"{line}\n" for line in _written(table, ())).lstrip("\n")


def quoted(name: str) -> str:
    """A name as a key of TOML."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All values of nested tables by dotted key."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted key as nested tables; the other way round than `flat`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        *tables, name = parts(key)
        inner = found
        for part in tables:
            inner = inner.setdefault(part, {})
        inner[name] = value
    return found


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "name a file that exists") from error
    if len(raw) > LARGEST:
        raise ConfigError(f"{path}: larger than {LARGEST:,} bytes", "a profile needs a few lines only")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text", "fix the file") from error


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}: {error.msg}", "fix the file") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply", "fix the file") from error


def _yaml(path: Path, text: str) -> Any:
    try:
        yaml: Any = importlib.import_module("yaml")
    except ImportError as error:
        raise InputError(
            f"{path}: PyYAML is not installed",
            "write TOML or JSON, or install PyYAML: pipx inject optimizer pyyaml",
        ) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        what = getattr(error, "problem", None) or "no valid YAML"
        raise ConfigError(f"{path}:{line}: {what}", "fix the file") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply", "fix the file") from error


def _named(data: Mapping[Any, Any], left: list[int], path: Path) -> dict[str, Any]:
    """The same tables with texts as keys; raises ConfigError when there are more values than a profile can have."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        left[0] -= 1
        if left[0] < 0:
            raise ConfigError(f"{path}: more than {MOST_VALUES} values", "a profile needs a few lines only")
        found[str(name)] = _named(value, left, path) if isinstance(value, dict) else value
    return found


def _lines(data: Mapping[str, Any], text: str) -> Iterator[tuple[str, int]]:
    """The line of each key, found by walking through the text in the order in which keys were read."""
    at = 0

    def walk(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, int]]:
        nonlocal at
        for name, value in table.items():
            found = re.compile(rf"""(?<![\w-])["']?{re.escape(str(name))}["']?\s*:""").search(text, at)
            at = found.end() if found else at
            yield f"{prefix}{name}", text.count("\n", 0, found.start() if found else at) + 1
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}{name}.")

    yield from walk(data, "")


def _written(table: Mapping[str, Any], within: tuple[str, ...]) -> Iterator[str]:
    plain = {name: value for name, value in table.items() if not isinstance(value, dict)}
    if within and plain:
        yield ""
        yield f"[{'.'.join(quoted(part) for part in within)}]"
    for name, value in plain.items():
        yield f"{quoted(name)} = {json.dumps(value, ensure_ascii=False)}"
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _written(value, (*within, name))
