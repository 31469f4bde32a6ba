"""Files reached through an open directory, so that a link created later cannot redirect a read or a write."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from optimizer.errors import SafetyRefused

_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file as it was read."""

    data: bytes
    mode: int
    links: int


@contextlib.contextmanager
def opened(base: str, relative: str, *, create: bool = False) -> Iterator[int]:
    """Open the directory `relative` ('' for `base` itself) under the real path `base`; gives its descriptor.

    Raises FileNotFoundError when it is missing and not to be created, SafetyRefused when a link or file is in the way.
    """
    folder = os.open(base, _DIRECTORY)
    try:
        for name in filter(None, relative.split("/")):
            if create:
                _make(folder, name)
            above, folder = folder, _below(folder, name, relative)
            os.close(above)  # after the exchange: an interrupt here must not close one descriptor twice
        yield folder
    finally:
        os.close(folder)


def _make(folder: int, name: str) -> None:
    try:
        os.mkdir(name, 0o777, dir_fd=folder)
    except FileExistsError:
        return
    os.fsync(folder)


def _below(folder: int, name: str, relative: str) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
            raise SafetyRefused(f"{relative} leads through {name}, which is not a directory of its own") from error
        raise


def read(folder: int, name: str) -> Seen | None:
    """Read a regular file; None when there is none. Raises SafetyRefused for a link, a pipe or anything else."""
    try:
        file = os.open(name, _READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise SafetyRefused(f"{name} is a link or a device, not a regular file") from error
        raise
    with os.fdopen(file, "rb", buffering=0) as stream:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            raise SafetyRefused(f"{name} is not a regular file")
        return Seen(stream.readall(), stat.S_IMODE(about.st_mode), about.st_nlink)


def write_new(folder: int, name: str, data: bytes, *, like: str = "", mode: int | None = None) -> None:
    """Create `name`, write `data`, and sync it to disk; mode, owner and attributes are taken from the file `like`.

    What the system does not let this process set is left out: the file may then belong to the user who writes it, and
    loses set-user-id and set-group-id. Without `like`, `mode` is set (None: the default of the system).
    """
    file = os.open(name, _CREATE, 0o600 if like or mode is not None else 0o666, dir_fd=folder)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        if like:
            _copy_attributes(folder, like, file)
        elif mode is not None:
            os.fchmod(file, mode)
        os.fsync(file)
    finally:
        os.close(file)


def _copy_attributes(folder: int, like: str, file: int) -> None:
    model = os.open(like, _READ, dir_fd=folder)
    try:
        about, mine = os.fstat(model), os.fstat(file)
        kept = (about.st_uid, about.st_gid) == (mine.st_uid, mine.st_gid)
        if not kept:
            with contextlib.suppress(PermissionError):
                os.fchown(file, about.st_uid, about.st_gid)
                kept = True
        if not kept:
            with contextlib.suppress(PermissionError):
                os.fchown(file, -1, about.st_gid)
        _copy_extended(model, file)
        os.fchmod(file, stat.S_IMODE(about.st_mode) & (0o7777 if kept else 0o777))
    finally:
        os.close(model)


def _copy_extended(model: int, file: int) -> None:
    """Copy the extended attributes, access lists included, as far as the system lets this process set them."""
    names: list[str] = []
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            names = os.listxattr(model)
    for name in names:
        with contextlib.suppress(OSError):
            os.setxattr(file, name, os.getxattr(model, name))


def keep_link(folder: int, name: str, link: str) -> None:
    """Give the file `name` a second name, where the file system can; restoring it then needs no space."""
    try:
        os.link(name, link, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise


def replace(folder: int, source: str, target: str) -> None:
    """Rename within the directory, replacing what is there."""
    os.replace(source, target, src_dir_fd=folder, dst_dir_fd=folder)


def put_new(folder: int, source: str, target: str) -> None:
    """Rename within the directory; raises FileExistsError when the target exists."""
    try:
        os.link(source, target, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if exists(folder, target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from error
        replace(folder, source, target)
        return
    os.unlink(source, dir_fd=folder)


def exists(folder: int, name: str) -> bool:
    """Whether anything has that name in the directory."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def remove(folder: int, name: str) -> None:
    """Remove a file; nothing happens when it is not there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def writable(folder: int, name: str) -> bool:
    """Whether the permission bits let this process write the file."""
    return os.access(name, os.W_OK, dir_fd=folder, effective_ids=os.access in os.supports_effective_ids)


def split(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition("/")
    return parent, name


def current(base: str, path: str) -> bytes | None:
    """The bytes of a file now, None when it or its directory does not exist; SafetyRefused for anything else."""
    parent, name = split(path)
    try:
        with opened(base, parent) as folder:
            seen = read(folder, name)
    except FileNotFoundError:
        return None
    return None if seen is None else seen.data


def remove_empty(base: str, directories: Iterable[str]) -> None:
    """Remove those of the directories that are empty, in the order given; others stay."""
    for directory in directories:
        parent, name = split(directory)
        with contextlib.suppress(OSError, SafetyRefused), opened(base, parent) as folder:
            os.rmdir(name, dir_fd=folder)
