"""Run one command confined, and end it with all it started; a program of its own, with few modules to load.

Standard input holds the order (see `Order`), marshalled, and is then a lifeline: at its end, also when the caller was
killed, everything is ended. The report, a name and a value a line, goes to the descriptor that is the first word.
"""

# ruff: noqa: PTH103, PTH118, PTH120  # pathlib costs more than all that is here

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # without the enumerations, which cost as much as a Python
import ctypes
import marshal
import os
import select
import sys
import time

from optimizer.confine import landlock, limits, namespaces, seatbelt, seccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypedDict

    class Order(TypedDict):
        """What to run and how: the words of the command, the program with its path, and the folder it starts in.

        `area` may be written; `mounts` are (source, target, writable) and `links` (path, text), as in `View`. `layers`
        are tried in turn; `bwrap` and `seatbelt` are their programs. `most` are the limits that `limits` knows.
        """

        words: Sequence[str]
        cwd: str
        seconds: float
        area: str
        mounts: Sequence[tuple[str, str, bool]]
        links: Sequence[tuple[str, str]]
        layers: Sequence[str]
        bwrap: str
        seatbelt: str
        most: Mapping[str, int]


_SUBREAPER, _NO_NEW_PRIVILEGES, _DROP_CAPABILITY, _DEATH_SIGNAL, _DUMPABLE = 36, 38, 24, 1, 4
_LAST_CAPABILITY = 40
_FIRST_STEP, _LAST_STEP = 0.002, 0.05  # seconds between two looks at the command
_REFUSED = (1, 13, 22, 38)  # EPERM, EACCES, EINVAL, ENOSYS: the system does not allow it, or does not know it
_UNSUPPORTED = 255  # in place of an error number: this layer is not to be had here
_OWN_PROC = tuple(f"/proc/{name}" for name in ("cpuinfo", "filesystems", "loadavg", "meminfo", "self", "stat", "sys"))
_DEVICES = tuple(f"/dev/{name}" for name in ("full", "null", "random", "urandom", "zero"))


class _NotHere(Exception):
    """A layer that this system does not have."""


def main(words: Sequence[str]) -> None:
    """Run the command; reports `layer` first, then `code`, `timed_out`, `exceeded`, `missing` or `unconfined`."""
    status = int(words[0])
    os.set_inheritable(status, False)
    size = int.from_bytes(_read(8), "little")
    order: Order = marshal.loads(_read(size))  # written by our caller, on a pipe of our own
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    if sys.platform == "linux":
        _prctl(_SUBREAPER, 1)
    for layer in order["layers"]:
        child = 0
        try:
            child, ended = _START[layer](order, status)
            _tell(status, "layer", layer)
            _tell(status, *_see(child, order, ended))
        except _NotHere:
            continue
        except OSError as error:
            _tell(status, "layer", layer)
            _tell(status, "missing", error.strerror or str(error))
        finally:
            _end_all(child)
        return
    _tell(status, "unconfined", 1)


def _read(size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = os.read(0, size - len(found))
        if not piece:
            sys.exit(1)
        found += piece
    return found


def _tell(status: int, name: str, value: object) -> None:
    os.write(status, f"{name} {value}\n".encode("utf-8", "replace"))


# ── one way to start for each layer ──────────────────────────────────────────────────────────────


def _in_namespaces(order: Order, status: int) -> tuple[int, int]:
    """The command in a root and namespaces of its own; the first process there reports how it ended."""
    if sys.platform != "linux":
        raise _NotHere
    reading, writing = os.pipe()

    def enter(handshake: int) -> None:
        if not namespaces.enter():
            raise _NotHere
        if first := os.fork():
            _close(handshake, status, writing)
            os.waitpid(first, 0)
            os._exit(0)
        _prctl(_DEATH_SIGNAL, signal.SIGKILL)
        _prctl(_DUMPABLE, 0)
        import fcntl  # noqa: F401  # the command may not see this Python: nothing can be imported in the new root
        import resource  # noqa: F401

        try:
            namespaces.new_root(_folder(order, "root"), order["mounts"], order["links"])
        except OSError as error:
            if error.errno in _REFUSED:
                raise _NotHere from None
            raise
        _try(namespaces.loopback_up)
        if command := os.fork():
            _close(handshake, status)
            os.write(writing, b"%d\n" % _reaped(command))
            os._exit(0)
        os.setsid()
        limits.bound(order["most"])
        _give_up_powers()
        if filter_ := seccomp.program(seccomp.machine()):
            seccomp.install(filter_)
        os.chdir(order["cwd"])

    return _started(order["words"], enter, reading, writing)


def _in_bwrap(order: Order, status: int) -> tuple[int, int]:
    """The command under bubblewrap, which reports how it ended."""
    if not order["bwrap"]:
        raise _NotHere
    filter_ = seccomp.program(seccomp.machine(), tracing=False)
    rules, source = os.pipe()
    os.write(source, filter_)
    os.close(source)
    reading, writing = os.pipe()

    def enter(_: int) -> None:
        os.close(status)
        os.set_inheritable(writing, True)
        os.set_inheritable(rules, True)
        limits.bound({**order["most"], "processes": 0})

    given = ["--json-status-fd", str(writing), *(("--seccomp", str(rules)) if filter_ else ())]
    try:
        return _started([order["bwrap"], *given, *_words_of_bwrap(order)], enter, reading, writing)
    finally:
        os.close(rules)


def _words_of_bwrap(order: Order) -> list[str]:
    words = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for source, target, writable in order["mounts"]:
        words += ["--bind" if writable else "--ro-bind", source, target]
    for path, text in order["links"]:
        words += ["--symlink", text, path]
    words += ["--proc", "/proc", "--dev", "/dev", "--size", str(namespaces.SHARED_MEMORY), "--tmpfs", "/dev/shm"]
    # As root, /proc/sys is the machine's own, and its owner needs no powers to write there.
    words += ["--remount-ro", "/proc", "--remount-ro", "/"]
    return [*words, "--chdir", order["cwd"], "--", *order["words"]]


def _under_landlock(order: Order, status: int) -> tuple[int, int]:
    """The command with rules for files, and without sockets."""
    version = landlock.version() if sys.platform == "linux" else 0
    filter_ = seccomp.program(seccomp.machine(), files_only=True, landlock=version) if version else b""
    masked = any(source == order["area"] + "/empty" for source, _, _ in order["mounts"])
    if version < landlock.OLDEST or not filter_ or masked:
        raise _NotHere
    _link_packages(order)

    def enter(_: int) -> None:
        os.close(status)
        limits.bound(limits.besides_others(order["most"]))
        _give_up_powers()
        os.chdir(order["cwd"])
        readable = [source for source, _, writable in order["mounts"] if not writable]
        writable = [source for source, _, writable in order["mounts"] if writable]
        landlock.restrict([*readable, *_OWN_PROC], [*writable, *_DEVICES], version)
        seccomp.install(filter_)

    return _start(order["words"], enter), -1


def _under_seatbelt(order: Order, status: int) -> tuple[int, int]:
    """The command under `sandbox-exec`, with rules for files, and without sockets; it becomes the command."""
    if not order["seatbelt"]:
        raise _NotHere
    _link_packages(order)
    rules = seatbelt.profile(order["mounts"], order["links"], order["area"])

    def enter(_: int) -> None:
        os.close(status)
        limits.bound({**order["most"], "processes": 0})
        os.chdir(order["cwd"])

    return _start([order["seatbelt"], "-p", rules, "--", *order["words"]], enter), -1


def _link_packages(order: Order) -> None:
    """Where nothing can be mounted: links in the copy and its home to what is installed elsewhere."""
    for source, target, _ in order["mounts"]:
        if source != target and target.startswith(order["area"]):
            _try(os.rmdir, target)
            _try(os.makedirs, os.path.dirname(target))
            _try(os.symlink, source, target)


def _unconfined(order: Order, status: int) -> tuple[int, int]:
    def enter(_: int) -> None:
        os.close(status)
        _give_up_powers()
        os.chdir(order["cwd"])

    return _start(order["words"], enter), -1


_START = {
    "bwrap": _in_bwrap,
    "namespaces": _in_namespaces,
    "landlock": _under_landlock,
    "seatbelt": _under_seatbelt,
    "none": _unconfined,
}


def _started(words: Sequence[str], enter: Callable[[int], None], reading: int, writing: int) -> tuple[int, int]:
    """Start a program that reports how it ended to `writing`; the process, and where that can be read."""
    try:
        return _start(words, enter), reading
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)


def _start(words: Sequence[str], enter: Callable[[int], None]) -> int:
    """Start a program in a session of its own, after `enter`, which is given the descriptor that reports a failure.

    Raises OSError or _NotHere when it cannot be started.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            enter(writing)
            os.execv(words[0], list(words))
        except _NotHere:
            os.write(writing, b"%d" % _UNSUPPORTED)
        except OSError as error:
            os.write(writing, b"%d" % (error.errno or 1))
        finally:
            os._exit(127)
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        number = int(output.read() or 0)
    if not number:
        return child
    _try(os.waitpid, child, 0)
    if number == _UNSUPPORTED:
        raise _NotHere
    raise OSError(number, os.strerror(number))


def _folder(order: Order, name: str) -> str:
    path = os.path.join(order["area"], name)
    os.makedirs(path, exist_ok=True)
    return path


def _close(*descriptors: int) -> None:
    for one in descriptors:
        os.close(one)


def _reaped(command: int) -> int:
    """Reap what ends until the command does; its code, negative for a signal."""
    while True:
        ended, how = os.wait()
        if ended == command:
            return os.waitstatus_to_exitcode(how)


# ── the end ──────────────────────────────────────────────────────────────────────────────────────


def _see(child: int, order: Order, ended: int) -> tuple[str, object]:
    """How the command ended; `ended` is where its layer reports that, or negative where it is the child itself."""
    end = time.monotonic() + order["seconds"]
    watch = limits.Watch(child, order["area"], order["most"])
    step = _FIRST_STEP
    while True:
        process, how = os.waitpid(child, os.WNOHANG)
        if process:
            return _code(ended, how)
        if time.monotonic() > end:
            return "timed_out", 1
        if exceeded := watch.exceeded():
            return "exceeded", exceeded
        if select.select([0], [], [], step)[0] and not os.read(0, 1):
            return "abandoned", 1
        step = min(step * 1.5, _LAST_STEP)


def _code(ended: int, how: int) -> tuple[str, object]:
    if ended < 0:
        return "code", os.waitstatus_to_exitcode(how)
    with os.fdopen(ended, "rb") as report:
        text = report.read().decode("ascii", "replace").strip()
    if "{" in text:
        text = text.partition('"exit-code":')[2].strip(" }")
    return ("code", int(text)) if text.lstrip("-").isdigit() else ("abandoned", 1)


def _end_all(child: int) -> None:
    """Kill the command's group, and then every process that descends from this one, until none is left."""
    if child:
        _try(os.killpg, child, signal.SIGKILL)
    for _ in range(1000):
        if not _has_children():
            return
        for process in limits.below(os.getpid()):
            if process != os.getpid():
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


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _give_up_powers() -> None:
    """In the child: nothing it runs can gain rights again, nor use those that it has."""
    if sys.platform == "linux":
        _prctl(_NO_NEW_PRIVILEGES, 1)
        for capability in range(_LAST_CAPABILITY + 1):
            _prctl(_DROP_CAPABILITY, capability)
