"""What a command and all it starts may use together; a module with few imports."""

# ruff: noqa: PTH123  # pathlib costs more than all that is here

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EVERY = 0.1  # seconds between two looks
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Watch:
    """Looks, now and then, at the processes below one and at the disk; `most` maps names of limits to figures.

    `processes` is a count, `memory` and `disk` are bytes; a limit that is 0 or missing is none.
    """

    def __init__(self, first: int, area: str, most: Mapping[str, int]) -> None:
        self._first = first
        self._area = area
        self._most = most
        self._free = _free(area)
        self._shared = _shared()
        self._next = 0.0

    def exceeded(self) -> str:
        """The name of a limit that is exceeded, or ''; without a look where the last one was just before."""
        now = time.monotonic()
        if now < self._next:
            return ""
        self._next = now + EVERY
        found = list(below(self._first))
        if 0 < self._most.get("processes", 0) < len(found):
            return "processes"
        if 0 < self._most.get("memory", 0) < sum(map(_memory, found)) + _shared() - self._shared:
            return "memory"
        most = self._most.get("disk", 0)
        if 0 < most < self._free - _free(self._area) and most < _size(self._area):
            return "disk"
        return ""


def below(process: int) -> Iterator[int]:
    """A process and all that descend from it."""
    pending = [process]
    while pending:
        one = pending.pop()
        yield one
        try:
            with open(f"/proc/{one}/task/{one}/children", "rb") as file:
                pending += map(int, file.read().split())
        except OSError:
            continue


def bound(most: Mapping[str, int]) -> None:
    """Set the limits that the system itself keeps: processes of the user, size of a file, no dump of memory."""
    import resource

    wanted = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_NPROC, most.get("processes", 0))]
    wanted += [(resource.RLIMIT_FSIZE, most.get("disk", 0))]
    for kind, figure in wanted:
        soft, hard = resource.getrlimit(kind)
        if figure or kind == resource.RLIMIT_CORE:
            least = figure if hard == resource.RLIM_INFINITY else min(figure, hard)
            resource.setrlimit(kind, (least if soft == resource.RLIM_INFINITY else min(soft, least), least))


def besides_others(most: Mapping[str, int]) -> Mapping[str, int]:
    """The limits where the system counts all processes of the user as one: with those that run already."""
    if not most.get("processes"):
        return most
    with open("/proc/loadavg", "rb") as file:
        running = int(file.read().split()[3].partition(b"/")[2])
    return {**most, "processes": most["processes"] + running}


def _memory(process: int) -> int:
    """Bytes of memory that a process has for itself."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            _, resident, shared, *_ = map(int, file.read().split())
    except (OSError, ValueError):
        return 0
    return (resident - shared) * _PAGE


def _shared() -> int:
    """Bytes of memory in files without a disk and in mappings that are shared; the system counts them as one."""
    try:
        with open("/proc/meminfo", "rb") as file:
            found = file.read().partition(b"\nShmem:")[2].split(maxsplit=1)
    except OSError:
        return 0
    return int(found[0]) * 1024 if found else 0


def _free(folder: str) -> int:
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def _size(folder: str) -> int:
    total, pending = 0, [folder]
    while pending:
        try:
            for entry in os.scandir(pending.pop()):
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total
