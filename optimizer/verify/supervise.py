"""Run one command confined, and end it with all it started; a program of its own, with few modules to load.

Its words are: an open descriptor for the report, a name and a value a line; how many seconds the command may take; the
folder it starts in; the one folder that may be written, where the system supports that; how many pairs follow, each a
folder below that one and the folder mounted there; and then the words of the command, the program with its path.
Standard input is a lifeline: at its end, also when the caller was killed, everything is ended.
"""

# ruff: noqa: PTH112, PTH116, PTH123, PTH208

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # without the enumerations, which cost as much as a Python
import _socket as socket
import ctypes
import os
import select
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_NEW_USER, _NEW_NET, _NEW_MOUNTS = 0x10000000, 0x40000000, 0x00020000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_MOUNT_SETATTR, _HERE, _READ_ONLY, _ALL_BELOW = 442, -100, 0x1, 0x8000
_SUBREAPER, _NO_NEW_PRIVILEGES, _DROP_CAPABILITY = 36, 38, 24
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_LAST_CAPABILITY = 40
_FIRST_STEP, _LAST_STEP = 0.002, 0.05  # seconds between two looks at the command


def main(words: Sequence[str]) -> None:
    """Run the command; reports `network` and `files` first and `code`, `timed_out` or `missing` at the end."""
    status, seconds, cwd, writable, pairs = int(words[0]), float(words[1]), words[2], words[3], 2 * int(words[4])
    shown, argv = words[5 : 5 + pairs], words[5 + pairs :]
    os.set_inheritable(status, False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    if sys.platform == "linux":
        _libc().prctl(_SUBREAPER, 1, 0, 0, 0)
    for name, done in _confine(writable, tuple(zip(shown[::2], shown[1::2], strict=True))).items():
        _tell(status, name, int(done))
    child = 0
    try:
        child = _start(argv, cwd)
        _tell(status, *_see(child, seconds))
    except OSError as error:
        _tell(status, "missing", error.strerror or str(error))
    finally:
        _end_all(child)


def _tell(status: int, name: str, value: object) -> None:
    os.write(status, f"{name} {value}\n".encode("utf-8", "replace"))


def _start(argv: Sequence[str], cwd: str) -> int:
    """Start the command as the head of a session of its own. Raises OSError when it cannot be started."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            _give_up_powers()
            os.chdir(cwd)
            os.execv(argv[0], list(argv))
        except OSError as error:
            os.write(writing, b"%d" % (error.errno or 1))
        finally:
            os._exit(127)
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        if number := output.read():
            os.waitpid(child, 0)
            raise OSError(int(number), os.strerror(int(number)))
    return child


def _see(child: int, seconds: float) -> tuple[str, int]:
    end = time.monotonic() + seconds
    step = _FIRST_STEP
    while True:
        ended, how = os.waitpid(child, os.WNOHANG)
        if ended:
            return "code", os.waitstatus_to_exitcode(how)
        if time.monotonic() > end:
            return "timed_out", 1
        if select.select([0], [], [], step)[0] and not os.read(0, 1):
            return "abandoned", 1
        step = min(step * 1.5, _LAST_STEP)


def _end_all(child: int) -> None:
    """Kill the command's group, and then every process that descends from this one, until none is left."""
    if child:
        _try(os.killpg, child, signal.SIGKILL)
    for _ in range(1000):
        if not _has_children():
            return
        for process in _descendants():
            _try(os.kill, process, signal.SIGKILL)
        time.sleep(0.002)


def _has_children() -> bool:
    """Whether a process is left below this one, which adopts their orphans; ended ones are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _try(call: Callable[..., object], *arguments: object) -> None:
    try:
        call(*arguments)
    except OSError:
        return


def _descendants() -> list[int]:
    """All processes below this one."""
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit() and (parent := _parent(name)):
            below.setdefault(parent, []).append(int(name))
    found, pending = [], [os.getpid()]
    while pending:
        children = below.get(pending.pop(), [])
        found += children
        pending += children
    return found


def _parent(process: str) -> int:
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


# ── what the system lets us take away ────────────────────────────────────────────────────────────


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _give_up_powers() -> None:
    """In the child: nothing it runs can gain rights again, nor use those of the namespace it was put in."""
    if sys.platform != "linux":
        return
    libc = _libc()
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if _namespace() != _FIRST_NAMESPACE:
        for capability in range(_LAST_CAPABILITY + 1):
            libc.prctl(_DROP_CAPABILITY, capability, 0, 0, 0)


def _namespace() -> int:
    try:
        return os.stat("/proc/self/ns/user").st_ino
    except OSError:
        return 0


_FIRST_NAMESPACE = _namespace()


def _confine(writable: str, shown: Iterable[tuple[str, str]]) -> dict[str, bool]:
    """Cut the network and make all but one folder read-only, as far as the system allows; returns what was done."""
    if sys.platform != "linux" or not _own_namespaces():
        return {"network": False, "files": False}
    _try(_loopback_up)
    try:
        _only_writable(writable, shown)
    except OSError:
        return {"network": True, "files": False}
    return {"network": True, "files": True}


def _own_namespaces() -> bool:
    """Enter namespaces of our own; tried in a child first, since there is no way back from half of it."""
    child = os.fork()
    if child == 0:
        os._exit(0 if _enter() else 1)
    return os.waitpid(child, 0)[1] == 0 and _enter()


def _enter() -> bool:
    user, group = os.getuid(), os.getgid()
    if _libc().unshare(_NEW_USER | _NEW_NET | _NEW_MOUNTS) != 0:
        return False
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError:
        return False
    return True


def _loopback_up() -> None:
    import fcntl

    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(control, _GET_FLAGS, request))[1]
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh22x", b"lo", flags | _UP))
    finally:
        control.close()


def _only_writable(folder: str, shown: Iterable[tuple[str, str]]) -> None:
    """Make every mount read-only but `folder`, in a namespace of our own; `shown` pairs a place with what it shows."""
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount(folder, folder, None, _BIND)
    _set_read_only("/", True)
    _set_read_only(folder, False)
    for place, source in shown:
        _mount(source, place, None, _BIND)
    _try(_mount, "tmpfs", "/dev/shm", "tmpfs", 0)


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    names = [None if name is None else os.fsencode(name) for name in (source, target, kind)]
    if _libc().mount(*names, ctypes.c_ulong(flags), None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def _set_read_only(place: str, on: bool) -> None:
    """Make a mount and all below it read-only, or that mount alone writable again."""
    taken, given, below = (_READ_ONLY, 0, _ALL_BELOW) if on else (0, _READ_ONLY, 0)
    attributes = struct.pack("QQQQ", taken, given, 0, 0)
    if _libc().syscall(_MOUNT_SETATTR, _HERE, os.fsencode(place), below, attributes, len(attributes)) != 0:
        raise OSError(ctypes.get_errno(), f"mount_setattr {place}")
