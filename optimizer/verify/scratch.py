"""A throw-away copy of the repository's files, outside of it, to try a change in."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from optimizer.confine.view import Place
from optimizer.errors import StorageError
from optimizer.index.files import Root, listing
from optimizer.privacy.secret_files import is_secret_file

MAX_BYTES = 1_000_000_000
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_LONG = struct.calcsize("l") << 16
_GET_FLAGS, _SET_FLAGS, _FAR_APART = 0x80006601 | _LONG, 0x40006602 | _LONG, 0x20000


@contextmanager
def scratch(root: Root, cache: Path, contents: Mapping[str, bytes | None]) -> Iterator[Place]:
    """Copy the files of a repository that git does not ignore, with `contents` in place of theirs (None: no such file).

    Nothing of the user's is linked, so nothing of it can be written through; secret files and `.git` are left out.
    The copy is removed on leaving; one that a killed run left behind, by the next run. Raises StorageError.
    """
    folder = _folder(root.path, cache)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_owner(folder)
        _sweep(folder)
        _spread(folder)
        area = Path(tempfile.mkdtemp(dir=folder))
    except OSError as error:
        raise StorageError(f"no scratch copy can be made ({error.strerror})", f"check {folder}") from error
    with (area / "lock").open("w") as lock:
        _hold(lock)
        try:
            place = Place(root.path, area)
            for name in ("tree", "home", "tmp"):
                (area / name).mkdir()
            try:
                _fill(root, place.tree, contents)
            except OSError as error:
                raise StorageError(f"no scratch copy can be made ({error.strerror})", f"check {folder}") from error
            yield place
        finally:
            _remove(area)


def _folder(root: Path, cache: Path) -> Path:
    """Below the cache, unless that lies in the repository itself."""
    folder = cache / "scratch"
    if Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root)):
        return Path(tempfile.gettempdir()) / f"optimizer-scratch-{os.getuid() if hasattr(os, 'getuid') else 0}"
    return folder


def _check_owner(folder: Path) -> None:
    """Raise StorageError where another user made our folder in the shared temporary one: copies would be theirs."""
    if folder.parent == Path(tempfile.gettempdir()) and hasattr(os, "getuid") and folder.lstat().st_uid != os.getuid():
        raise StorageError(f"{folder} belongs to another user", "remove it, or set TMPDIR to a folder of yours")


def _spread(folder: Path) -> None:
    """Ask the file system to place each copy far from the last, where it can.

    ext4 does not reuse what was freed in the last minutes, and scans it for every file created near it: a copy soon
    after another would take ten times as long.
    """
    if sys.platform != "linux":
        return
    import fcntl

    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            flags = struct.unpack("i", fcntl.ioctl(opened, _GET_FLAGS, bytes(4)))[0]
            if not flags & _FAR_APART:
                fcntl.ioctl(opened, _SET_FLAGS, struct.pack("i", flags | _FAR_APART))
        finally:
            os.close(opened)


def _fill(root: Root, tree: Path, contents: Mapping[str, bytes | None]) -> None:
    found = listing(root)
    if sum(size for size, _, _ in found.stats) > MAX_BYTES:
        raise StorageError(f"the repository holds more than {MAX_BYTES:,} bytes: too many to copy for a check")
    source, target = f"{root.path}{os.sep}", f"{tree}{os.sep}"
    made = {""}
    for path in found.paths:
        if path not in contents and not is_secret_file(path):
            _make_folder(tree, path, made)
            _copy(source + path, target + path)
    for path, data in contents.items():
        if data is not None:
            _make_folder(tree, path, made)
            file = os.open(target + path, _CREATE, _mode(root.path / path))
            with os.fdopen(file, "wb") as stream:
                stream.write(data)


def _make_folder(tree: Path, path: str, made: set[str]) -> None:
    folder = path.rpartition("/")[0]
    if folder not in made:
        (tree / folder).mkdir(parents=True, exist_ok=True)
        made.add(folder)


def _copy(source: str, target: str) -> None:
    """Copy a regular file, unless it has vanished. The system may share blocks until one of the two is written."""
    try:
        read = os.open(source, _READ)
    except OSError:
        return
    try:
        status = os.fstat(read)
        if not stat.S_ISREG(status.st_mode):
            return
        write = os.open(target, _CREATE, stat.S_IMODE(status.st_mode) | stat.S_IRUSR | stat.S_IWUSR)
        try:
            _copy_bytes(read, write, status.st_size)
        finally:
            os.close(write)
    finally:
        os.close(read)


def _copy_bytes(read: int, write: int, size: int) -> None:
    if size > 65_536 and hasattr(os, "copy_file_range"):
        with suppress(OSError):
            while os.copy_file_range(read, write, 1 << 30):
                pass
            return
        os.lseek(read, 0, os.SEEK_SET)
        os.lseek(write, 0, os.SEEK_SET)
    while piece := os.read(read, max(65_536, min(size + 1, 1 << 22))):
        os.write(write, piece)
        if len(piece) == size:
            return


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.lstat().st_mode) | stat.S_IRUSR | stat.S_IWUSR
    except OSError:
        return 0o644


# ── removal ───────────────────────────────────────────────────────────────────────────────────


def _remove(area: Path) -> None:
    shutil.rmtree(area, ignore_errors=True)
    if area.exists():  # a test took the rights of a folder away
        for folder, inner, _ in os.walk(area):
            for path in (Path(folder, name) for name in inner):
                with suppress(OSError):
                    if not path.is_symlink():  # before it is listed, and never what a link leads to
                        path.chmod(0o700)
        shutil.rmtree(area, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove the copies of killed runs: their lock is free."""
    for area in folder.iterdir():
        with suppress(OSError), (area / "lock").open("r+") as lock:
            _hold(lock)
            _remove(area)


def _hold(lock: IO[str]) -> None:
    """Take the lock or raise OSError; where the system has no such locks, nothing is ever swept."""
    if sys.platform == "win32":
        raise OSError("no locks")
    import fcntl

    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
