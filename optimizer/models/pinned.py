"""The model that a user pinned for a project, until they unpin it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from optimizer.errors import StorageError
from optimizer.privacy import private_file

FILE = "chosen-models.json"


def pinned(state: Path, project: str) -> str:
    """The id of the model pinned for a project (its root), '' when there is none. Raises StorageError."""
    return all_pinned(state).get(project, "")


def pin(state: Path, project: str, model: str) -> None:
    """Pin a model for a project, in place of any other. Raises StorageError."""
    _change(state, project, model)


def unpin(state: Path, project: str) -> bool:
    """Let the router choose again; whether a model was pinned. Raises StorageError."""
    had = bool(pinned(state, project))
    if had:
        _change(state, project, "")
    return had


def all_pinned(state: Path) -> Mapping[str, str]:
    """Models by project. Raises StorageError when the file is damaged or cannot be read."""
    path = state / FILE
    damaged = StorageError("the record of pinned models is damaged", f"remove {path}, and pin again")
    try:
        rows = json.loads(path.read_bytes())["projects"]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise StorageError(f"the record of pinned models cannot be read ({error.strerror})", f"check {path}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged from None
    if not isinstance(rows, dict) or not all(isinstance(model, str) for model in rows.values()):
        raise damaged
    return rows


def _change(state: Path, project: str, model: str) -> None:
    path = state / FILE
    try:
        with private_file.alone(path):
            rows = dict(all_pinned(state)) | {project: model}
            text = json.dumps({"projects": {where: name for where, name in rows.items() if name}}, indent=1)
            private_file.replace(path, text + "\n")
    except OSError as error:
        raise StorageError(f"the pin cannot be saved ({error.strerror})", f"check {path}") from error
