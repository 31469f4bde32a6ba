"""Change several files as one: all get their new bytes, or all keep the old ones."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from optimizer.edits import folder as folders
from optimizer.errors import Conflict, SafetyRefused, StorageError


@dataclass(frozen=True, slots=True)
class FileSwap:
    """One file on its way from `old` to `new` bytes (None: it does not exist); `mode` is for a file that comes back."""

    path: str
    old: bytes | None
    new: bytes | None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Landing:
    """Files on their way under the real path `base`; `id` names the temporary files, `made` the new directories."""

    base: str
    id: str
    swaps: tuple[FileSwap, ...]
    made: tuple[str, ...] = ()

    def temporary(self, number: int) -> str:
        return f".optimizer-{self.id}-{number}.tmp"

    def backup(self, number: int) -> str:
        return f".optimizer-{self.id}-{number}.old"


@dataclass(frozen=True, slots=True)
class Transaction:
    """What happens to the journal's entry when all files are new, before they are restored, and after that."""

    commit: Callable[[], None]
    reopen: Callable[[], None]
    abandon: Callable[[], None]


def land(landing: Landing, transaction: Transaction) -> None:
    """Give all files their new bytes and commit the journal's entry; on any failure restore all and abandon it.

    Raises Conflict when a file is not as expected, SafetyRefused when something is in the way, OSError as it comes,
    and StorageError when even the way back failed; the next start then finishes it.
    """
    try:
        for number, swap in enumerate(landing.swaps):
            _prepare(landing, number, swap)
        for number, swap in enumerate(landing.swaps):
            _swap(landing, number, swap)
        for swap in landing.swaps:
            _verify(landing, swap)
        sweep(landing)
        transaction.commit()
    except BaseException as error:
        try:
            transaction.reopen()
            restore(landing)
            transaction.abandon()
        except OSError as second:
            raise StorageError(
                f"writing failed ({error}), and so did restoring ({second})",
                "the old bytes are in the journal; the next start of optimizer restores them",
            ) from error
        raise


def _split(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition("/")
    return parent, name


def _prepare(landing: Landing, number: int, swap: FileSwap) -> None:
    if swap.new is None:
        return
    parent, name = _split(swap.path)
    with folders.opened(landing.base, parent, create=swap.old is None) as folder:
        folders.remove(folder, landing.temporary(number))
        like = name if swap.old is not None else ""
        folders.write_new(folder, landing.temporary(number), swap.new, like=like, mode=swap.mode)


def _swap(landing: Landing, number: int, swap: FileSwap) -> None:
    parent, name = _split(swap.path)
    with folders.opened(landing.base, parent) as folder:
        seen = folders.read(folder, name)
        if (None if seen is None else seen.data) != swap.old:
            raise Conflict(f"{swap.path} was changed at the same moment", "check it, then ask again")
        if swap.old is None:
            try:
                folders.put_new(folder, landing.temporary(number), name)
            except FileExistsError as error:
                raise Conflict(f"{swap.path} was created at the same moment", "check it, then ask again") from error
        elif swap.new is None:
            folders.replace(folder, name, landing.backup(number))
        else:
            folders.remove(folder, landing.backup(number))
            folders.keep_link(folder, name, landing.backup(number))
            folders.replace(folder, landing.temporary(number), name)
        os.fsync(folder)


def _verify(landing: Landing, swap: FileSwap) -> None:
    if current(landing.base, swap.path) != swap.new:
        raise StorageError(f"{swap.path} does not hold what was written to it", "check the disk")


def current(base: str, path: str) -> bytes | None:
    """The bytes of a file now, None when it or its directory does not exist; SafetyRefused for anything else."""
    parent, name = _split(path)
    try:
        with folders.opened(base, parent) as folder:
            seen = folders.read(folder, name)
    except FileNotFoundError:
        return None
    return None if seen is None else seen.data


def restore(landing: Landing) -> tuple[str, ...]:
    """Give every file that has its new bytes the old ones again, and remove temporary files; may be repeated.

    Returns the paths that hold neither: those are left as they are. Raises OSError.
    """
    foreign: list[str] = []
    for number, swap in reversed(list(enumerate(landing.swaps))):
        try:
            now = current(landing.base, swap.path)
            if now == swap.new:
                _put_back(landing, number, swap)
            elif now != swap.old:
                foreign.append(swap.path)
        except SafetyRefused:
            foreign.append(swap.path)
    sweep(landing)
    remove_empty(landing.base, reversed(landing.made))
    return tuple(foreign)


def _put_back(landing: Landing, number: int, swap: FileSwap) -> None:
    parent, name = _split(swap.path)
    with folders.opened(landing.base, parent, create=swap.old is not None) as folder:
        backup = folders.read(folder, landing.backup(number)) if swap.old is not None else None
        if swap.old is None:
            folders.remove(folder, name)
        elif backup is not None and backup.data == swap.old:
            folders.replace(folder, landing.backup(number), name)
        else:
            folders.remove(folder, landing.temporary(number))
            like = name if swap.new is not None else ""
            folders.write_new(folder, landing.temporary(number), swap.old, like=like, mode=swap.mode)
            folders.replace(folder, landing.temporary(number), name)
        os.fsync(folder)


def sweep(landing: Landing) -> None:
    """Remove the temporary files of a landing."""
    for number, swap in enumerate(landing.swaps):
        with (
            contextlib.suppress(FileNotFoundError, SafetyRefused),
            folders.opened(landing.base, _split(swap.path)[0]) as folder,
        ):
            folders.remove(folder, landing.temporary(number))
            folders.remove(folder, landing.backup(number))


def remove_empty(base: str, directories: Iterable[str]) -> None:
    """Remove those of the directories that are empty, in the order given; others stay."""
    for directory in directories:
        parent, name = _split(directory)
        with contextlib.suppress(OSError, SafetyRefused), folders.opened(base, parent) as folder:
            os.rmdir(name, dir_fd=folder)
