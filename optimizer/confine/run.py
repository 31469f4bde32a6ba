"""Run a command that sees only its copy and the tool chains of the machine: no keys, limits, nothing left behind."""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Literal, NamedTuple

from optimizer import programs
from optimizer.confine import seatbelt
from optimizer.confine.view import Place, View, view, without_planted

INHERITED = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "PATHEXT", "COMSPEC")
MAX_OUTPUT = 400_000  # bytes kept of what a command prints: a quarter from its start, the rest from its end
MOST_OUTPUT = 100_000_000  # bytes after which a command is ended
SECONDS_TO_END = 5.0
_PACKAGES = str(Path(__file__).parents[2])
_BOOT = "import sys; sys.path.append(sys.argv[1]); from optimizer.confine.supervise import main; main(sys.argv[2:])"
_SANDBOX_EXEC = "/usr/bin/sandbox-exec"
_TRIED = ("--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true")

Layer = Literal["bwrap", "namespaces", "landlock", "seatbelt", "none"]
"""What held a command: bubblewrap, our namespaces, rules for files without sockets (on Linux, on macOS), nothing."""
LAYERS: tuple[Layer, ...] = ("bwrap", "namespaces", "landlock", "seatbelt")
"""Those that confine, the best first."""
Limit = Literal["", "processes", "memory", "disk", "output"]


class Bounds(NamedTuple):
    """What a command may use: seconds, processes, bytes of memory and of disk; 0 is no limit, except for seconds.

    `layers` are tried in turn; where none is to be had, nothing runs. `readable` are further paths that it may read.
    """

    seconds: float
    layers: tuple[Layer, ...] = LAYERS
    readable: tuple[str, ...] = ()
    processes: int = 1000
    memory: int = 0
    disk: int = 0


class Ended(NamedTuple):
    """How a command ended: `code` is None when it did not end by itself; `missing` is why it could not start.

    `layer` is what held it, None where it did not run; `unconfined`, since nothing on this system could hold it.
    `exceeded` is the limit that ended it.
    """

    code: int | None
    output: str
    seconds: float
    missing: str = ""
    timed_out: bool = False
    layer: Layer | None = None
    exceeded: Limit = ""
    unconfined: bool = False


def program(word: str, root: Path, env: Mapping[str, str]) -> str | None:
    """The program a command's first word names: from PATH without the repository, or a file of it named as such."""
    if "/" in word:
        full = root / word
        return str(full) if os.path.isfile(full) and os.access(full, os.X_OK) else None  # noqa: PTH113
    return programs.find(word, root, env)


def _program_in_copy(word: str, place: Place) -> str | None:
    """The program that a path names, of the copy: what is installed is mounted there later."""
    path = place.tree / word
    return str(path) if "/" in word and path.is_relative_to(place.tree) and os.access(path, os.X_OK) else None


def run(
    argv: tuple[str, ...],
    place: Place,
    env: Mapping[str, str],
    bounds: Bounds,
    more: Mapping[str, str] = MappingProxyType({}),
    *,
    sources: bool = False,
) -> Ended:
    """Run `argv` in the copy within `bounds`; it and all it started have ended when this returns or raises.

    `env` is the user's environment, of which only PATH, language and time zone are handed on; `more` is added to it.
    With `sources`, Python finds the copy's modules; without it, they cannot shadow those of the tool.
    """
    found = _program_in_copy(argv[0], place) or program(argv[0], place.root, env)
    if found is None:
        return Ended(None, "", 0.0, missing=f"{argv[0]} is not installed")
    for name in ("tree", "home", "tmp", "empty"):
        (place.area / name).mkdir(exist_ok=True)
    given = {**environment(place, env, sources=sources), **more}
    seen = view(place, (found, *given["PATH"].split(os.pathsep)), env, bounds.readable)
    started = time.monotonic()
    try:
        without_planted(seen)
        output, fields = _supervised(_order((found, *argv[1:]), place, seen, bounds), place, given)
    except OSError as error:
        return Ended(None, "", 0.0, missing=error.strerror or str(error))
    return _ended(output, fields, time.monotonic() - started)


def _order(words: tuple[str, ...], place: Place, seen: View, bounds: Bounds) -> dict[str, object]:
    """The order for the supervisor, of plain types."""
    return {
        "words": list(words),
        "cwd": os.path.realpath(place.tree),
        "seconds": float(bounds.seconds),
        "area": os.path.realpath(place.area),
        "mounts": [tuple(mount) for mount in seen.mounts],
        "links": list(seen.links),
        "layers": list(bounds.layers),
        "bwrap": bubblewrap() if "bwrap" in bounds.layers else "",
        "seatbelt": sandbox_exec() if "seatbelt" in bounds.layers else "",
        "most": {"processes": bounds.processes, "memory": bounds.memory, "disk": bounds.disk},
    }


@cache
def bubblewrap() -> str:
    """The system's bubblewrap, where it is installed and allowed to work; otherwise ''."""
    found = shutil.which("bwrap", path="/usr/bin:/bin:/usr/local/bin") if sys.platform == "linux" else None
    if found is None or subprocess.run([found, *_TRIED], capture_output=True, check=False, env={}).returncode:
        return ""
    return found


@cache
def sandbox_exec() -> str:
    """The system's `sandbox-exec`, where it takes our profiles and a program starts under them; otherwise ''."""
    if sys.platform != "darwin":
        return ""
    words = [_SANDBOX_EXEC, "-p", seatbelt.profile([("/usr", "/usr", False)], (), ""), "--", "/usr/bin/true"]
    try:
        tried = subprocess.run(words, capture_output=True, check=False, env={})
    except OSError:
        return ""
    return "" if tried.returncode else _SANDBOX_EXEC


def _supervised(order: dict[str, object], place: Place, env: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Start the supervisor with an order; all output of the command, and the supervisor's report. Raises OSError."""
    reading, writing = os.pipe()
    try:
        supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT, _PACKAGES, str(writing)],
            cwd=place.area,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
            start_new_session=True,
        )
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    assert supervisor.stdin is not None
    packed = marshal.dumps(order)
    with suppress(BrokenPipeError):
        supervisor.stdin.write(len(packed).to_bytes(8, "little") + packed)
        supervisor.stdin.flush()
    output, is_flood = _listen(supervisor)
    with os.fdopen(reading, "rb") as status:
        fields = _fields(status)
    return output, {**fields, "exceeded": "output"} if is_flood else fields


def _ended(output: str, fields: Mapping[str, str], seconds: float) -> Ended:
    missing = fields.get("missing", "")
    code = int(fields["code"]) if "code" in fields else None
    if code is None and not {"missing", "timed_out", "exceeded", "unconfined"} & {*fields}:
        missing = output.removeprefix("bwrap: ").strip() if output.startswith("bwrap: ") else "it was stopped"
    return Ended(
        code,
        output,
        seconds,
        missing=missing,
        timed_out="timed_out" in fields,
        layer=_LAYERS.get(fields.get("layer", "")),
        unconfined="unconfined" in fields,
        exceeded=_LIMITS.get(fields.get("exceeded", ""), ""),
    )


_LAYERS: Mapping[str, Layer] = {name: name for name in (*LAYERS, "none")}
_LIMITS: Mapping[str, Limit] = {"processes": "processes", "memory": "memory", "disk": "disk", "output": "output"}


def environment(place: Place, env: Mapping[str, str], *, sources: bool) -> dict[str, str]:
    """The environment of a command: no keys, a home and caches of its own."""
    home, tmp = place.area / "home", place.area / "tmp"
    real = Path(env.get("HOME") or env.get("USERPROFILE") or "/")
    folders = [str(folder) for folder in (place.tree, place.tree / "src") if folder.is_dir()]
    return {
        **{name: env[name] for name in INHERITED if name in env},
        "PATH": programs.search_path(place.root, env),
        "HOME": str(home),
        **{f"XDG_{name}_HOME": str(home / f".{name.lower()}") for name in ("CACHE", "CONFIG", "DATA", "STATE")},
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(tmp)),
        "CI": "1",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "GIT_CEILING_DIRECTORIES": str(place.area),
        "GIT_TERMINAL_PROMPT": "0",
        **({"PYTHONPATH": os.pathsep.join(folders)} if sources else {"PYTHONSAFEPATH": "1"}),
        "PYTHONUSERBASE": env.get("PYTHONUSERBASE", str(real / ".local")),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MYPY_CACHE_DIR": str(tmp / "mypy"),
        "RUFF_CACHE_DIR": str(tmp / "ruff"),
        "RUSTUP_HOME": env.get("RUSTUP_HOME", str(real / ".rustup")),
        "CARGO_HOME": str(home / ".cargo"),
        "CARGO_NET_OFFLINE": "true",
        "GOPROXY": "off",
        "GOMODCACHE": env.get("GOMODCACHE", str(real / "go/pkg/mod")),
    }


def _listen(supervisor: subprocess.Popen[bytes]) -> tuple[str, bool]:
    """Read all output, and whether it was too much; on leaving, close the lifeline, which ends whatever still runs."""
    assert supervisor.stdout is not None
    assert supervisor.stdin is not None
    kept = bytearray()
    cut = 0
    try:
        while piece := os.read(supervisor.stdout.fileno(), 65_536):
            kept += piece
            if len(kept) > 2 * MAX_OUTPUT:
                cut += len(kept) - MAX_OUTPUT
                del kept[MAX_OUTPUT // 4 : len(kept) - MAX_OUTPUT * 3 // 4]
            if cut > MOST_OUTPUT:
                break
        else:
            supervisor.wait(SECONDS_TO_END)
    finally:
        with suppress(OSError):
            supervisor.stdin.close()
        try:
            supervisor.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()
        supervisor.stdout.close()
    text = bytes(kept).decode("utf-8", "replace")
    left_out = f"\n[{cut:,} bytes in the middle of the output were left out]\n" if cut else ""
    return text + left_out, cut > MOST_OUTPUT


def _fields(status: BinaryIO) -> dict[str, str]:
    """The report of the supervisor, by name; a line cut off by a kill does not count."""
    lines = status.read().decode("utf-8", "replace").split("\n")[:-1]
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}
