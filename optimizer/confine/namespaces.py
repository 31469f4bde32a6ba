"""Enter namespaces of our own, with a new root that holds only what is mounted there; a module with few imports."""

# ruff: noqa: PTH102, PTH103, PTH110, PTH112, PTH120, PTH123, PTH211  # pathlib costs more than all that is here

from __future__ import annotations

import _socket as socket
import ctypes
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_NEW_USER, _NEW_REST = 0x10000000, 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
"""CLONE_NEWUSER; and mounts, host name, IPC, processes, network."""
_READ_ONLY, _BIND, _RECURSIVE, _PRIVATE, _NO_SUID, _NO_DEVICES = 0x1, 0x1000, 0x4000, 0x40000, 0x2, 0x4
_MOUNT_SETATTR, _HERE, _ALL_BELOW = 442, -100, 0x8000
_SET_READ_ONLY, _SET_NO_SUID, _SET_NO_DEVICES = 0x1, 0x2, 0x4
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_DETACH = 2
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
_OF_PROC = ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version")
SHARED_MEMORY = 1 << 30  # bytes


def enter() -> bool:
    """Enter new namespaces, those of processes for children only; False where the system does not allow it."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_USER | _NEW_REST) != 0:
        return user == 0 and libc.unshare(_NEW_REST) == 0
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError:
        return False
    return True


def new_root(base: str, mounts: Iterable[tuple[str, str, bool]], links: Iterable[tuple[str, str]]) -> None:
    """Make `base` the root, with `mounts` (source, target, writable), `links` (path, text), and devices of its own.

    For the first process of new namespaces. Raises OSError where the system does not allow it.
    """
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", base, "tmpfs", _NO_SUID | _NO_DEVICES, "size=4m,mode=755")
    for source, target, writable in mounts:
        _show(source, base + target, writable=writable)
    for path, text in links:
        os.makedirs(os.path.dirname(base + path), exist_ok=True)
        if not os.path.lexists(base + path):
            os.symlink(text, base + path)
    _devices(base + "/dev")
    _processes(base + "/proc")
    _set(base, _SET_READ_ONLY, below=False)
    os.chdir(base)
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None or ctypes.CDLL(None, use_errno=True).syscall(number, b".", b".") != 0:
        raise OSError(ctypes.get_errno(), "pivot_root")
    if ctypes.CDLL(None, use_errno=True).umount2(b".", _DETACH) != 0:
        raise OSError(ctypes.get_errno(), "umount2")
    os.chdir("/")


def loopback_up() -> None:
    """Start the loopback interface of this network namespace. Raises OSError."""
    import fcntl

    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(control, _GET_FLAGS, request))[1]
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh22x", b"lo", flags | _UP))
    finally:
        control.close()


def _show(source: str, target: str, *, writable: bool) -> None:
    """Mount a file or folder, with all below it read-only unless `writable`."""
    _make(target, is_folder=os.path.isdir(source))
    _mount(source, target, None, _BIND | _RECURSIVE)
    _set(target, _SET_NO_SUID | _SET_NO_DEVICES | (0 if writable else _SET_READ_ONLY))


def _make(path: str, *, is_folder: bool) -> None:
    """A place to mount on."""
    if is_folder:
        os.makedirs(path, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o444))


def _devices(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    for name in _DEVICES:
        _make(f"{folder}/{name}", is_folder=False)
        _mount(f"/dev/{name}", f"{folder}/{name}", None, _BIND)
        _set(f"{folder}/{name}", _SET_READ_ONLY)  # its mode and times: a device itself can be written
    for name in ("shm", "pts"):
        os.mkdir(f"{folder}/{name}")
    _mount("tmpfs", f"{folder}/shm", "tmpfs", _NO_SUID | _NO_DEVICES, f"size={SHARED_MEMORY},mode=1777")
    _mount("devpts", f"{folder}/pts", "devpts", _NO_SUID, "newinstance,ptmxmode=0666,mode=620")
    os.symlink("pts/ptmx", f"{folder}/ptmx")
    os.symlink("/proc/self/fd", f"{folder}/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{folder}/{name}")


def _processes(folder: str) -> None:
    """The processes of this namespace; where a container forbids to mount them, only facts about the machine."""
    os.makedirs(folder, exist_ok=True)
    try:
        # As root, /proc/sys is the machine's own, and its owner needs no powers to write there.
        _mount("proc", folder, "proc", _NO_SUID | _NO_DEVICES | _READ_ONLY)
    except OSError:
        for name in _OF_PROC:
            _show(f"/proc/{name}", f"{folder}/{name}", writable=False)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    names = [None if name is None else os.fsencode(name) for name in (source, target, kind)]
    data = None if options is None else options.encode()
    if ctypes.CDLL(None, use_errno=True).mount(*names, ctypes.c_ulong(flags), data) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def _set(place: str, attributes: int, *, below: bool = True) -> None:
    """Set attributes of a mount, and of all below it."""
    wanted = struct.pack("QQQQ", attributes, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_MOUNT_SETATTR, _HERE, os.fsencode(place), _ALL_BELOW if below else 0, wanted, len(wanted)) != 0:
        raise OSError(ctypes.get_errno(), f"mount_setattr {place}")
