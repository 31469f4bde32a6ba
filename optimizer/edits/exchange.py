"""Put a file in the place of another without losing what an editor saves at that moment.

Two names are exchanged in one step, so that whatever came out is still there to be looked at, and can go back.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from functools import cache
from time import monotonic, sleep
from typing import Any

PATIENCE = 1.0
"""Seconds for another program to finish writing a file that it has open."""
MOST_TURNS = 100
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM)
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux (renameat2(2)), RENAME_SWAP of macOS (renameatx_np(2))


def exchange(folder: int, one: str, other: str) -> bool:
    """Exchange two files of the directory; False where the system or its file system cannot. Raises OSError."""
    import ctypes

    call = _call()
    if call is None:
        return False
    if call(folder, os.fsencode(one), folder, os.fsencode(other), _EXCHANGE) == 0:
        return True
    failed = ctypes.get_errno()
    if failed in _CANNOT:
        return False
    raise OSError(failed, os.strerror(failed), other)


@cache
def _call() -> Any:
    import ctypes

    name = {"linux": "renameat2", "darwin": "renameatx_np"}.get(sys.platform)
    try:
        call = getattr(ctypes.CDLL(None, use_errno=True), name) if name else None
    except (AttributeError, OSError):  # a C library without it
        return None
    if call is not None:
        call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return call


def untouched(folder: int, name: str, data: bytes) -> bool:
    """Whether a file that was taken away holds `data`, and no program can still write to it.

    A program that has it open for writing gets PATIENCE to close it. Where the system does not tell (all but Linux,
    some file systems, files of other users), only the bytes are compared.
    """
    found = _settled(folder, name)
    return found == (data, True)


def put_back(folder: int, spare: str, name: str, placed: bytes) -> bool | None:
    """Put `spare` in the place of `name`, which should hold the bytes `placed`; whether it does.

    If not, it was saved meanwhile: that save stays at `name`. None where files cannot be exchanged. Raises OSError.
    """
    going, _ = _settled(folder, spare)
    if not exchange(folder, spare, name):
        return None
    expected: bytes | None = placed
    came, _ = _settled(folder, spare)
    if came == expected:
        return True
    for _ in range(MOST_TURNS):  # one turn, and another for each save that comes between
        expected, going = going, came
        exchange(folder, spare, name)
        came, _ = _settled(folder, spare)
        if came == expected:
            break
    return False


def _settled(folder: int, name: str) -> tuple[bytes | None, bool]:
    """The bytes of a file once no program has it open for writing, and whether none has; None for a link."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.EACCES):
            return None, False
        raise
    with os.fdopen(file, "rb", buffering=0) as stream:
        until = monotonic() + PATIENCE
        while (written := _is_written(file)) and monotonic() < until:
            sleep(0.001)
        return stream.readall(), not written


def _is_written(file: int) -> bool:
    """Whether any program has the file open for writing: then Linux grants no lease to read it (fcntl(2))."""
    try:
        import fcntl

        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # ignored by default, should the lease be broken
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except (ImportError, AttributeError):
        return False
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EBUSY)
    return False
