"""Read a TOML file with the line of each key."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from optimizer.errors import ConfigError, StorageError

LARGEST = 1_000_000

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = rf"\s*(\[\[?)\s*({_KEY})\s*\]\]?\s*(?:#.*)?$"
_ASSIGN = rf"\s*({_KEY})\s*=\s*(.*)$"


class Document(NamedTuple):
    """A file's tables and the line of each dotted key; rows of an array of tables count from 0 (`model.0.glob`)."""

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[str, int]

    def line(self, key: str) -> int:
        """The line of `key`, or of the nearest table around it; 1 when neither is known."""
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key.rpartition(".")[0]
        return 1

    def place(self, key: str) -> str:
        """`path:line` of a key, for messages."""
        return f"{self.path}:{self.line(key)}"


def read_document(path: Path, more: str = "") -> Document | None:
    """Read a TOML file; None when there is none. `more` is added to the hint of an error.

    Raises ConfigError when it is not a regular file of at most LARGEST bytes of valid TOML, naming the line, and
    StorageError when the file cannot be read.
    """
    raw = _read(path)
    if raw is None:
        return None
    import tomllib

    hint = f"fix the file{more}"
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        return Document(path, tomllib.loads(text), dict(_key_lines(text)))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text", hint) from error
    except tomllib.TOMLDecodeError as error:
        what, line = _syntax(str(error), text)
        raise ConfigError(f"{path}:{line}: {what}", hint) from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply", hint) from error


def _read(path: Path) -> bytes | None:
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}", "check the file and its permissions") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ConfigError(f"{path}: not a regular file", "put a plain file in its place")
    with os.fdopen(handle, "rb") as file:
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise ConfigError(f"{path}: larger than {LARGEST:,} bytes", "settings need a few lines only")
    return raw


def _syntax(message: str, text: str) -> tuple[str, int]:
    found = re.search(r"^(.*?) \(at (?:line (\d+), column \d+|end of document)\)$", message, re.S)
    if not found:
        return message, 1
    return found[1], int(found[2]) if found[2] else text.count("\n") + (not text.endswith("\n"))


def _key_lines(text: str) -> Iterator[tuple[str, int]]:
    table, rows, closing = "", dict[str, int](), ""
    for number, line in enumerate(text.split("\n"), 1):
        if closing:
            closing = "" if closing in line else closing
        elif header := re.match(_HEADER, line):
            table = _dotted(header[2])
            if header[1] == "[[":
                rows[table] = rows.get(table, -1) + 1
                if not rows[table]:
                    yield table, number
                table = f"{table}.{rows[table]}"
            yield table, number
        elif assign := re.match(_ASSIGN, line):
            yield f"{table}.{_dotted(assign[1])}".lstrip("."), number
            delimiter = assign[2][:3]
            if delimiter in ('"""', "'''") and delimiter not in assign[2][3:]:
                closing = delimiter


def _dotted(key: str) -> str:
    return ".".join(part.strip("\"'") for part in re.findall(_PART, key))
