"""A file that bears the name of its class, and is renamed with it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path

from optimizer.errors import Conflict
from optimizer.languages.naming.bases import TYPES
from optimizer.lookup.subject import Subject
from optimizer.types import FileChange


def new_path(subject: Subject, new: str) -> str:
    """Where the file of a class that bears its name belongs afterwards; '' where it stays. Raises Conflict."""
    target = subject.target
    folder, (stem, ending) = posixpath.dirname(target.path), posixpath.splitext(posixpath.basename(target.path))
    if not subject.naming.file_of_class or target.kind not in TYPES or target.parent or stem != target.name:
        return ""
    path = posixpath.join(folder, new + ending)
    known = {one.casefold() for one in subject.index.paths()}
    if path.casefold() in known or Path(subject.index.root.path, path).exists():
        raise Conflict(f"{target.path} would become {path}, which exists already", "choose another name")
    return path


def moved(changes: Iterable[FileChange], subject: Subject, path: str) -> Iterator[FileChange]:
    """The changes, with the file of the class moved to that path, if there is one."""
    for change in changes:
        if path and change.path == subject.target.path:
            yield change._replace(after=None)
            yield FileChange(path, None, change.after)
        else:
            yield change
