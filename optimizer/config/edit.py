"""Change one setting in a configuration file, leaving every other byte as it was."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from optimizer.config.convert import quoted
from optimizer.config.document import Document, read_document
from optimizer.config.servers import check_provider
from optimizer.config.values import Given, given, leaves, parts
from optimizer.errors import ConfigError, StorageError


def set_value(path: Path, key: str, value: bool | int | float | str) -> None:
    """Write `key` (dotted) into the TOML file at `path`, which is made when there is none.

    Raises ConfigError for a file that is broken or writes the key in a way that cannot be changed safely, StorageError
    when it cannot be written.
    """
    document = read_document(path)
    lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True) if document else []
    *tables, name = parts(key)
    section, header = ".".join(tables), ".".join(map(quoted, tables))
    written = f"{name} = {_toml(value)}\n"
    known = document.lines if document else {}
    if key in known:
        comment = re.search(r"\s+#[^\"']*$", lines[known[key] - 1])
        lines[known[key] - 1] = written.rstrip("\n") + (comment[0] if comment else "\n")
    elif not section:
        lines.insert(0, written)
    elif section in known and _is_header(lines[known[section] - 1]):
        lines.insert(known[section], written)
    else:
        end = "" if not lines or lines[-1].endswith("\n") else "\n"
        lines.append(f"{end}\n[{header}]\n{written}" if lines else f"[{header}]\n{written}")
    text = "".join(lines)
    if not _holds(text, key, value):
        raise ConfigError(f"{path}: {key} is written in a way that is not changed here", f"set {key} there by hand")
    write_text(path, text)


def take(document: Document, path: Path, models_file: Path) -> tuple[Given, ...]:
    """Write all settings of a document into the file at `path`, or none of them; returns them.

    `models_file` names the servers of the user's own.

    Raises ConfigError for an unknown setting, a value that it cannot hold or a broken file, StorageError.
    """
    found = tuple(given(document, key, value, "user") for key, value in leaves(document.data))
    for one in found:
        check_provider(one, models_file)
    before = path.read_text(encoding="utf-8") if path.exists() else None
    try:
        for one in found:
            set_value(path, one.key, one.value)
    except ConfigError:
        if before is not None:
            write_text(path, before)
        else:
            path.unlink(missing_ok=True)
        raise
    return found


def _toml(value: bool | int | float | str) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _is_header(line: str) -> bool:
    return line.lstrip().startswith("[")


def _holds(text: str, key: str, value: object) -> bool:
    import tomllib

    try:
        found: Any = tomllib.loads(text)
        for part in parts(key):
            found = found[part]
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return False
    return bool(found == value)


def write_text(path: Path, text: str) -> None:
    """Write a file all or nothing, through a link where it is one, with the mode that it had. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                Path(name).chmod(target.stat().st_mode & 0o777)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}", "check the disk and its permissions") from error
