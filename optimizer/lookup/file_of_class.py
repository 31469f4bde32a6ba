"""A file that bears the name of its class, and is renamed with it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from optimizer.errors import Conflict
from optimizer.languages.naming.bases import TYPES
from optimizer.languages.table import language_of
from optimizer.lookup.names import holders
from optimizer.lookup.subject import Subject
from optimizer.types import FileChange


def new_path(subject: Subject, new: str) -> str:
    """Where the file of a class that bears its name belongs afterwards; '' where it stays. Raises Conflict."""
    target = subject.target
    if target.kind not in TYPES or target.parent:
        return ""
    path = _with_class(subject, new) if subject.naming.file_of_class else _autoloaded(subject, new)
    if not path:
        return ""
    known = {one.casefold() for one in subject.index.paths()}
    if path.casefold() in known or Path(subject.index.root.path, path).exists():
        raise Conflict(f"{target.path} would become {path}, which exists already", "choose another name")
    return path


def _with_class(subject: Subject, new: str) -> str:
    folder, (stem, ending) = posixpath.dirname(subject.target.path), _split(subject.target.path)
    return posixpath.join(folder, new + ending) if stem == subject.name else ""


def _autoloaded(subject: Subject, new: str) -> str:
    """The new path where a loader finds the file by the name of its class; '' where code names the file itself."""
    path = subject.target.path
    if is_named_with(subject):
        return _with_class(subject, new)
    if not subject.naming.autoloads or _is_named(subject):
        return ""
    # PSR-0: underscores in the name of a class are folders.
    ending = posixpath.splitext(path)[1]
    tail = subject.name.replace("_", "/") + ending
    return path.removesuffix(tail) + new.replace("_", "/") + ending if f"/{path}".endswith(f"/{tail}") else ""


def is_named_with(subject: Subject) -> bool:
    """Whether a file moves with its class, with all that names it: found by the class, and of a name of its own."""
    target, key = subject.target, "file of class"
    if key not in subject.known:
        moves = subject.naming.autoloads and target.kind in TYPES and not target.parent
        moves = moves and _split(target.path)[0] == target.name
        subject.known[key] = frozenset(
            {target.path} if moves and (_is_alone(subject) or not _is_named(subject)) else ()
        )
    return bool(subject.known[key])


def _is_alone(subject: Subject) -> bool:
    name = posixpath.basename(subject.target.path)
    return all(posixpath.basename(one) != name or one == subject.target.path for one in subject.index.paths())


def _is_named(subject: Subject) -> bool:
    """Whether code or a manifest names the file of the subject."""
    name = posixpath.basename(subject.target.path)
    for path in holders(subject.index, posixpath.splitext(name)[0]):
        language = language_of(path)
        if language is not None and not language.prose and name.encode() in subject.index.read(path):
            return True
    return False


def _split(path: str) -> tuple[str, str]:
    return posixpath.splitext(posixpath.basename(path))


def mentions(subject: Subject, data: bytes) -> Iterator[int]:
    """Where a text names the file that moves with its class."""
    name = re.escape(posixpath.basename(subject.target.path).encode())
    yield from (match.start() for match in re.finditer(rb"(?<![\w.-])" + name + rb"(?![\w.])", data))


def moved(changes: Iterable[FileChange], subject: Subject, path: str) -> Iterator[FileChange]:
    """The changes, with the file of the class moved to that path, if there is one."""
    for change in changes:
        if path and change.path == subject.target.path:
            yield change._replace(after=None)
            yield FileChange(path, None, change.after)
        else:
            yield change
