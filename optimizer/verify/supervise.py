"""Run one command confined and see it and all it started to an end; a program of its own, standard library only.

`python -I -S supervise.py ORDER` where ORDER is JSON: `argv`, `cwd`, `seconds`, `writable` (the one folder that may be
written, where the system lets us say so), `covers` (folders of `writable` that stand in for others, by path), and
`status`, an open descriptor that is told one JSON object a line. Standard input is a lifeline: at its end, which is
also when the caller was killed, everything is ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NEW_USER, _NEW_NET, _NEW_MOUNTS = 0x10000000, 0x40000000, 0x00020000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_MOUNT_SETATTR, _HERE, _READ_ONLY, _ALL_BELOW = 442, -100, 0x1, 0x8000
_SUBREAPER, _NO_NEW_PRIVILEGES, _DROP_CAPABILITY = 36, 38, 24
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_LAST_CAPABILITY = 40
_FIRST_STEP, _LAST_STEP = 0.002, 0.05  # seconds between two looks at the command


def main() -> None:
    """Do what the order says; tells `confined` first and `code` or `timed_out` at the end."""
    order = json.loads(sys.argv[1])
    status = os.fdopen(order["status"], "w", buffering=1)
    os.set_inheritable(order["status"], False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    if sys.platform == "linux":
        _libc().prctl(_SUBREAPER, 1, 0, 0, 0)
    status.write(json.dumps(_confine(order)) + "\n")
    child: subprocess.Popen[bytes] | None = None
    try:
        child = subprocess.Popen(
            order["argv"],
            cwd=order["cwd"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_give_up_powers,
        )
        status.write(json.dumps(_see(child, order["seconds"])) + "\n")
    except OSError as error:
        status.write(json.dumps({"missing": error.strerror or str(error)}) + "\n")
    finally:
        _end_all(child)


def _see(child: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
    end = time.monotonic() + seconds
    step = _FIRST_STEP
    while child.poll() is None:
        if time.monotonic() > end:
            return {"timed_out": True}
        if select.select([0], [], [], step)[0] and not os.read(0, 1):
            return {"abandoned": True}
        step = min(step * 1.5, _LAST_STEP)
    return {"code": child.returncode}


def _end_all(child: subprocess.Popen[bytes] | None) -> None:
    """Kill the command's group, and then every process that descends from this one, until none is left."""
    if child is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    for _ in range(1000):
        alive = _descendants()
        for process in alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not alive:
            return
        time.sleep(0.002)


def _descendants() -> list[int]:
    """All processes below this one; orphans among them came to it as their reaper."""
    below: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
                    below.setdefault(int(fields[1]), []).append(int(process.name))
    found, pending = [], [os.getpid()]
    while pending:
        children = below.get(pending.pop(), [])
        found += children
        pending += children
    return found


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
        return Path("/proc/self/ns/user").stat().st_ino
    except OSError:
        return 0


_FIRST_NAMESPACE = _namespace()


def _confine(order: Mapping[str, Any]) -> dict[str, bool]:
    """Cut the network and make all but one folder read-only, as far as the system allows; tells what was done."""
    if sys.platform != "linux" or not _own_namespaces():
        return {"network": False, "files": False}
    with contextlib.suppress(OSError):
        _loopback_up()
    try:
        _only_writable(order["writable"], order["shown"])
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
            Path("/proc/self", name).write_text(text)
    except OSError:
        return False
    return True


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        import fcntl

        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(control, _GET_FLAGS, request))[1]
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh22x", b"lo", flags | _UP))


def _only_writable(folder: str, shown: Mapping[str, str]) -> None:
    """Make every mount read-only but `folder`, in a namespace of our own; `shown` maps a place to what it shows."""
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount(folder, folder, None, _BIND)
    _set_read_only("/", True, recursive=True)
    _set_read_only(folder, False, recursive=False)
    for place, source in shown.items():
        _mount(source, place, None, _BIND)
    with contextlib.suppress(OSError):
        _mount("tmpfs", "/dev/shm", "tmpfs", 0)


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    names = [None if name is None else os.fsencode(name) for name in (source, target, kind)]
    if _libc().mount(*names, ctypes.c_ulong(flags), None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def _set_read_only(place: str, on: bool, *, recursive: bool) -> None:
    attributes = struct.pack("QQQQ", _READ_ONLY if on else 0, 0 if on else _READ_ONLY, 0, 0)
    flags = _ALL_BELOW if recursive else 0
    if _libc().syscall(_MOUNT_SETATTR, _HERE, os.fsencode(place), flags, attributes, len(attributes)) != 0:
        raise OSError(ctypes.get_errno(), f"mount_setattr {place}")


if __name__ == "__main__":
    main()
