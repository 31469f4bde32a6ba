"""Filters of system calls, as programs of classic BPF for seccomp(2); a module with few imports."""

from __future__ import annotations

import ctypes
import os
import struct

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS, _ENOTSUP, _DONE = 1, 38, 95, 0
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24  # where in struct seccomp_data, low halves
_NEW_USER = 0x10000000
_X32 = 0x40000000  # numbers of the x32 calls begin here
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_COLUMN = {"x86_64": 0, "aarch64": 1}
NUMBERS = {
    "add_key": (248, 217), "bpf": (321, 280), "chmod": (90, -1), "chown": (92, -1), "clone": (56, 220),
    "clone3": (435, 435), "fanotify_init": (300, 262), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "fchownat": (260, 54), "fcntl": (72, 25), "file_setattr": (469, 469), "futimesat": (261, -1),
    "getxattr": (191, 8), "getxattrat": (464, 464), "inotify_add_watch": (254, 27), "io_uring_setup": (425, 425),
    "ioctl": (16, 29), "ioprio_set": (251, 30), "keyctl": (250, 219), "kill": (62, 129), "lchown": (94, -1),
    "lgetxattr": (192, 9), "listxattr": (194, 11), "listxattrat": (465, 465), "llistxattr": (195, 12),
    "lremovexattr": (198, 15), "lsetxattr": (189, 6), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "msgctl": (71, 187), "msgget": (68, 186), "msgrcv": (70, 188), "msgsnd": (69, 189), "perf_event_open": (298, 241),
    "pidfd_send_signal": (424, 424), "prlimit64": (302, 261), "process_vm_writev": (311, 271), "ptrace": (101, 117),
    "removexattr": (197, 14), "removexattrat": (466, 466), "request_key": (249, 218), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "sched_setaffinity": (203, 122), "sched_setattr": (314, 274),
    "sched_setparam": (142, 118), "sched_setscheduler": (144, 119), "semctl": (66, 191), "semget": (64, 190),
    "semop": (65, 193), "semtimedop": (220, 192), "setpriority": (141, 140), "setxattr": (188, 5),
    "setxattrat": (463, 463), "shmat": (30, 196), "shmctl": (31, 195), "shmget": (29, 194), "socket": (41, 198),
    "socketpair": (53, 199), "tgkill": (234, 131), "tkill": (200, 130), "truncate": (76, 45), "unshare": (272, 97),
    "userfaultfd": (323, 282), "utime": (132, -1), "utimensat": (280, 88), "utimes": (235, -1),
}  # fmt: skip
"""The numbers of the calls that are filtered, on x86_64 and on aarch64 (the kernel's tables of system calls)."""

_KERNEL = ("add_key", "bpf", "io_uring_setup", "keyctl", "perf_event_open", "request_key", "userfaultfd")
_METADATA = (
    "chmod", "chown", "fchmodat", "fchmodat2", "fchownat", "file_setattr", "futimesat", "lchown", "lremovexattr",
    "lsetxattr", "removexattr", "removexattrat", "setxattr", "setxattrat", "utime", "utimes",
)  # fmt: skip
_ATTRIBUTES = ("getxattr", "getxattrat", "lgetxattr", "listxattr", "listxattrat", "llistxattr")
_SHARED = (
    "fanotify_init", "inotify_add_watch", "ioprio_set", "mq_open", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd",
    "semctl", "semget", "semop", "semtimedop", "setpriority", "shmat", "shmctl", "shmget", "socket",
)  # fmt: skip
"""What reaches others of the user: a segment of shared memory needs no call but `shmat`, its number can be guessed."""
_SCHEDULING = ("sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler")
_OWNERS = (("fcntl", 8), ("fcntl", 15), ("ioctl", 0x8901), ("ioctl", 0x8902))
"""F_SETOWN, F_SETOWN_EX, FIOSETOWN, SIOCSPGRP: what a descriptor has the kernel signal."""
_DATAGRAMS = 0x2
"""Of the types of sockets: SOCK_DGRAM and SOCK_RAW have this bit, SOCK_STREAM and SOCK_SEQPACKET have not."""
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
            _if_bit("socketpair", _SECOND, _DATAGRAMS, machine),  # a datagram goes to any address from one of a pair
            *(_unless_zero(name, _FIRST, _EPERM, machine) for name in _SCHEDULING),
            *(_call(name, _ENOTSUP, machine) for name in _ATTRIBUTES),
            *(_if_equal(name, _SECOND, value, machine) for name, value in _OWNERS if landlock < 6),
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
    return _if(_ANY_BIT, name, argument, bit, machine)


def _if_equal(name: str, argument: int, value: int, machine: str) -> bytes:
    """Refuse a call one of whose arguments has a value."""
    return _if(_EQUAL, name, argument, value, machine)


def _if(comparison: int, name: str, argument: int, value: int, machine: str) -> bytes:
    inner = [_step(_LOAD, 0, 0, argument), _step(comparison, 0, 1, value), _error(_EPERM), _step(_LOAD, 0, 0, _NUMBER)]
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
