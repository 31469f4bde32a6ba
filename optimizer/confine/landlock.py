"""Restrict this thread to folders that it is given, with Landlock; a module with few imports.

Source: the kernel's `Documentation/userspace-api/landlock.rst` and `include/uapi/linux/landlock.h`.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION, _BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_OF_FIRST = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_TCP = 0b11
_SCOPES = 0b11  # abstract sockets and signals
_ON_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
OLDEST = 2
"""Before this version, no file can be moved to another folder."""


def version() -> int:
    """The version of Landlock that this kernel has; 0 where it has none."""
    found: int = ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, 0, _ASK_VERSION)
    return max(found, 0)


def restrict(readable: Iterable[str], writable: Iterable[str], known: int) -> None:
    """Allow reading and running what is below some paths, everything below others, and nothing else of the system.

    `known` is the kernel's version. From version 4 on no TCP, from 6 on no signals to others and no abstract sockets.
    Raises OSError where the kernel refuses.
    """
    files = _OF_FIRST | _REFER | (_TRUNCATE if known >= 3 else 0) | (_IOCTL if known >= 5 else 0)
    handled = struct.pack("QQQ", files, _TCP, _SCOPES)[: 8 if known < 4 else 16 if known < 6 else 24]
    rules = _call(_CREATE, handled, len(handled), 0)
    for path in readable:
        _allow(rules, path, files & (_EXECUTE | _READ | _READ_FOLDER))
    for path in writable:
        _allow(rules, path, files)
    _call(_RESTRICT, rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    """Add a rule for a path; a path that is not there needs none."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _ON_FILES
        _call(_ADD, rules, _BENEATH, struct.pack("=Qi", rights, opened), 0)
    finally:
        os.close(opened)


def _call(number: int, *arguments: int | bytes) -> int:
    done: int = ctypes.CDLL(None, use_errno=True).syscall(number, *arguments)
    if done < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return done
