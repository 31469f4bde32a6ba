"""Filters of system calls, as programs of classic BPF for seccomp(2); a module with few imports."""

from __future__ import annotations

import ctypes
import os
import struct

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS, _DONE = 1, 38, 0
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24  # where in struct seccomp_data, low halves
_NEW_USER = 0x10000000
_X32 = 0x40000000  # numbers of the x32 calls begin here
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_COLUMN = {"x86_64": 0, "aarch64": 1}
NUMBERS = {
    "add_key": (248, 217), "bpf": (321, 280), "chmod": (90, -1), "chown": (92, -1), "clone": (56, 220),
    "clone3": (435, 435), "fchmodat": (268, 53), "fchmodat2": (452, 452), "fchownat": (260, 54),
    "futimesat": (261, -1), "inotify_add_watch": (254, 27), "io_uring_setup": (425, 425), "keyctl": (250, 219),
    "kill": (62, 129), "lchown": (94, -1), "lremovexattr": (198, 15), "lsetxattr": (189, 6), "mq_open": (240, 180),
    "msgget": (68, 186), "perf_event_open": (298, 241), "pidfd_send_signal": (424, 424), "prlimit64": (302, 261),
    "process_vm_writev": (311, 271), "ptrace": (101, 117), "removexattr": (197, 14), "removexattrat": (466, 466),
    "request_key": (249, 218), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "semget": (64, 190),
    "setxattr": (188, 5), "setxattrat": (463, 463), "shmget": (29, 194), "socket": (41, 198), "tgkill": (234, 131),
    "tkill": (200, 130), "truncate": (76, 45), "unshare": (272, 97), "userfaultfd": (323, 282), "utime": (132, -1),
    "utimensat": (280, 88), "utimes": (235, -1),
}  # fmt: skip
"""The numbers of the calls that are filtered, on x86_64 and on aarch64 (the kernel's tables of system calls)."""

_KERNEL = ("add_key", "bpf", "io_uring_setup", "keyctl", "perf_event_open", "request_key", "userfaultfd")
_METADATA = (
    "chmod", "chown", "fchmodat", "fchmodat2", "fchownat", "futimesat", "lchown", "lremovexattr", "lsetxattr",
    "removexattr", "removexattrat", "setxattr", "setxattrat", "utime", "utimes",
)  # fmt: skip
_SHARED = ("inotify_add_watch", "mq_open", "msgget", "semget", "shmget", "socket")
_SIGNALS = ("kill", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "tgkill", "tkill")


def program(machine: str, *, tracing: bool = True, files_only: bool = False, landlock: int = 0) -> bytes:
    """The filter for a command; b"" where the machine's calls are not known.

    Always refused: keys of the kernel, io_uring, BPF, new user namespaces. `tracing` False refuses ptrace too. With
    `files_only`, the command shares the network and the processes of the user, and Landlock of version `landlock`
    guards files alone: sockets, shared memory and limits of others are refused, changes of times, modes and owners
    succeed without effect, and what that version cannot guard is refused.
    """
    if machine not in ARCHITECTURES:
        return b""
    refused = [*_KERNEL, *(() if tracing else ("ptrace", "process_vm_writev"))]
    without_effect: tuple[str, ...] = ()
    rules = [_if_bit("unshare", _FIRST, _NEW_USER, machine), _if_bit("clone", _FIRST, _NEW_USER, machine)]
    if files_only:
        without_effect = _METADATA
        refused += _SHARED
        refused += _SIGNALS if landlock < 6 else ()
        refused += ("truncate",) if landlock < 3 else ()
        rules += [
            _unless_zero("prlimit64", _FIRST, _EPERM, machine),
            _unless_zero("utimensat", _SECOND, _DONE, machine),
        ]
    rules += [_call("clone3", _ENOSYS, machine)]
    rules += [_call(name, _EPERM, machine) for name in refused]
    rules += [_call(name, _DONE, machine) for name in without_effect]
    return b"".join([_start(machine), *rules, _step(_RETURN, 0, 0, _ALLOW)])


def install(filter_: bytes) -> None:
    """Bind this thread and all it starts to a filter, for good. Raises OSError where the system refuses it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    held = ctypes.create_string_buffer(filter_)
    described = struct.pack("HxxxxxxP", len(filter_) // 8, ctypes.addressof(held))
    if libc.prctl(_SET_SECCOMP, _FILTER, described, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def machine() -> str:
    """The name of the processor's calls."""
    return os.uname().machine


def _step(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _error(number: int) -> bytes:
    return _step(_RETURN, 0, 0, _ERRNO | number)


def _start(machine: str) -> bytes:
    """Refuse calls of other architectures, whose numbers mean other calls; leaves the number loaded."""
    known = [_step(_LOAD, 0, 0, _ARCHITECTURE), _step(_EQUAL, 1, 0, ARCHITECTURES[machine]), _error(_EPERM)]
    number = [_step(_LOAD, 0, 0, _NUMBER)]
    x32 = [_step(_GREATER, 0, 1, _X32), _error(_ENOSYS)] if machine == "x86_64" else []
    return b"".join([*known, *number, *x32])


def _call(name: str, number: int, machine: str) -> bytes:
    called = NUMBERS[name][_COLUMN[machine]]
    return _step(_EQUAL, 0, 1, called) + _error(number) if called >= 0 else b""


def _if_bit(name: str, argument: int, bit: int, machine: str) -> bytes:
    """Refuse a call one of whose arguments has a bit set."""
    inner = [_step(_LOAD, 0, 0, argument), _step(_ANY_BIT, 0, 1, bit), _error(_EPERM), _step(_LOAD, 0, 0, _NUMBER)]
    return _step(_EQUAL, 0, len(inner), NUMBERS[name][_COLUMN[machine]]) + b"".join(inner)


def _unless_zero(name: str, argument: int, number: int, machine: str) -> bytes:
    """End a call one of whose arguments, both halves, is not 0."""
    halves = [
        step
        for at in (argument, argument + 4)
        for step in (_step(_LOAD, 0, 0, at), _step(_EQUAL, 1, 0, 0), _error(number))
    ]
    inner = [*halves, _step(_LOAD, 0, 0, _NUMBER)]
    return _step(_EQUAL, 0, len(inner), NUMBERS[name][_COLUMN[machine]]) + b"".join(inner)
