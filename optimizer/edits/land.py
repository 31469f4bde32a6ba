"""Change several files as one: all get their new bytes, or all keep the old ones."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from optimizer.edits.exchange import exchange, put_back, untouched
from optimizer.edits.folder import (
    current,
    exists,
    keep_link,
    opened,
    put_new,
    read,
    remove,
    remove_empty,
    replace,
    split,
    write_new,
)
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

    def returning(self, number: int) -> str:
        return f".optimizer-{self.id}-{number}.back.tmp"


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
        for number, swap in enumerate(landing.swaps):
            _verify(landing, number, swap)
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


def _prepare(landing: Landing, number: int, swap: FileSwap) -> None:
    if swap.new is None:
        return
    parent, name = split(swap.path)
    with opened(landing.base, parent, create=swap.old is None) as folder:
        remove(folder, landing.temporary(number))
        like = name if swap.old is not None else ""
        write_new(folder, landing.temporary(number), swap.new, like=like, mode=swap.mode)


def _swap(landing: Landing, number: int, swap: FileSwap) -> None:
    parent, name = split(swap.path)
    with opened(landing.base, parent) as folder:
        seen = read(folder, name)
        if (None if seen is None else seen.data) != swap.old:
            raise _saved(swap)
        if swap.old is None:
            try:
                put_new(folder, landing.temporary(number), name)
            except FileExistsError as error:
                raise _saved(swap) from error
        else:
            try:
                _take_out(landing, number, swap, folder)
            except FileNotFoundError as error:
                raise _saved(swap) from error
            if not _kept(landing, number, swap, folder):
                raise _saved(swap)
        os.fsync(folder)


def _take_out(landing: Landing, number: int, swap: FileSwap, folder: int) -> None:
    """Make a file the backup, and its new form, if it has one, take its place."""
    _, name = split(swap.path)
    temporary, backup = landing.temporary(number), landing.backup(number)
    if swap.new is None:
        replace(folder, name, backup)
        return
    remove(folder, backup)
    if exchange(folder, temporary, name):
        replace(folder, temporary, backup)
    else:
        keep_link(folder, name, backup)
        replace(folder, temporary, name)


def _kept(landing: Landing, number: int, swap: FileSwap, folder: int) -> bool:
    """Whether the backup of a file holds the bytes that it should; a save that came between makes it differ."""
    backup = landing.backup(number)
    return swap.old is None or not exists(folder, backup) or untouched(folder, backup, swap.old)


def _saved(swap: FileSwap) -> Conflict:
    return Conflict(f"{swap.path} was saved by another program at the same moment", "check it, then ask again")


def _verify(landing: Landing, number: int, swap: FileSwap) -> None:
    if current(landing.base, swap.path) != swap.new:
        raise _saved(swap)
    with opened(landing.base, split(swap.path)[0]) as folder:
        if not _kept(landing, number, swap, folder):
            raise _saved(swap)


def restore(landing: Landing) -> tuple[str, ...]:
    """Restore the old bytes of every file that has its new ones, and remove temporary files; may be repeated.

    Returns the paths that hold neither, since another program saved them: those keep what was saved. Raises OSError.
    """
    foreign: list[str] = []
    for number, swap in reversed(list(enumerate(landing.swaps))):
        try:
            now = current(landing.base, swap.path)
            if now == swap.new:
                if not _put_back(landing, number, swap):
                    foreign.append(swap.path)
            elif now != swap.old:
                foreign.append(swap.path)
        except SafetyRefused:
            foreign.append(swap.path)
    sweep(landing)
    remove_empty(landing.base, reversed(landing.made))
    return tuple(foreign)


def _put_back(landing: Landing, number: int, swap: FileSwap) -> bool:
    """Give a file that has its new bytes the old ones, or what was saved instead of them; whether it has the old."""
    parent, name = split(swap.path)
    with opened(landing.base, parent, create=swap.old is not None) as folder:
        if swap.old is None:
            done = _take_away(landing, number, swap, folder)
        else:
            spare, same = _spare(landing, number, swap, folder)
            done = _place(folder, spare, name, swap.new) and same
        os.fsync(folder)
    return done


def _take_away(landing: Landing, number: int, swap: FileSwap, folder: int) -> bool:
    """Remove a file that was created, unless it was saved since."""
    assert swap.new is not None
    _, name = split(swap.path)
    replace(folder, name, landing.returning(number))
    if untouched(folder, landing.returning(number), swap.new):
        return True
    with contextlib.suppress(FileExistsError):
        put_new(folder, landing.returning(number), name)
    return False


def _spare(landing: Landing, number: int, swap: FileSwap, folder: int) -> tuple[str, bool]:
    """The file that goes back, and whether it holds the old bytes: what was taken out, else a copy from the journal."""
    assert swap.old is not None
    for name in (landing.backup(number), landing.temporary(number)):
        if exists(folder, name):
            return name, untouched(folder, name, swap.old)
    remove(folder, landing.returning(number))
    like = split(swap.path)[1] if swap.new is not None else ""
    write_new(folder, landing.returning(number), swap.old, like=like, mode=swap.mode)
    return landing.returning(number), True


def _place(folder: int, spare: str, name: str, placed: bytes | None) -> bool:
    """Put `spare` in the place of `name`, which should hold `placed` (None: be missing); whether it did."""
    if placed is None:
        try:
            put_new(folder, spare, name)
        except FileExistsError:
            return False
        return True
    done = put_back(folder, spare, name, placed)
    if done is None:
        replace(folder, spare, name)
    return done is not False


def sweep(landing: Landing) -> None:
    """Remove the temporary files of a landing."""
    for number, swap in enumerate(landing.swaps):
        with (
            contextlib.suppress(FileNotFoundError, SafetyRefused),
            opened(landing.base, split(swap.path)[0]) as folder,
        ):
            remove(folder, landing.temporary(number))
            remove(folder, landing.backup(number))
            remove(folder, landing.returning(number))
