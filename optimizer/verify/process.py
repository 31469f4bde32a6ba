"""Run a command in a scratch copy: no keys, a time limit, no network where the system allows, nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from optimizer.report import checks as report

INHERITED = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "PATHEXT", "COMSPEC")
MAX_OUTPUT = 400_000  # bytes kept of what a command prints: a quarter from its start, the rest from its end
SECONDS_TO_END = 5.0
_PACKAGES = str(Path(__file__).parents[2])
_BOOT = "import sys; sys.path.append(sys.argv[1]); from optimizer.verify.supervise import main; main(sys.argv[2:])"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command runs: the user's repository, and the area that holds `tree`, `home` and `tmp`."""

    root: Path
    area: Path

    @property
    def tree(self) -> Path:
        """The copy of the repository."""
        return self.area / "tree"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: `code` is None when it did not end by itself; `missing` is why it could not start."""

    code: int | None
    output: str
    seconds: float
    missing: str = ""
    timed_out: bool = False
    network_cut: bool = False
    files_kept: bool = False

    @property
    def confinement(self) -> str:
        """What the command could not do, in a few words."""
        return report.confined(self.network_cut, self.files_kept)


def program(word: str, root: Path, env: Mapping[str, str]) -> str | None:
    """The program a command's first word names: from PATH without the repository, or a file of it named as such."""
    if "/" in word:
        full = root / word
        return str(full) if full.is_file() and os.access(full, os.X_OK) else None
    return shutil.which(word, path=search_path(root, env))


def search_path(root: Path, env: Mapping[str, str]) -> str:
    """PATH without relative folders and without those that lie in the repository."""
    inside = os.path.realpath(root)
    folders = [folder for folder in env.get("PATH", os.defpath).split(os.pathsep) if Path(folder).is_absolute()]
    kept = [folder for folder in folders if not Path(os.path.realpath(folder)).is_relative_to(inside)]
    return os.pathsep.join(kept) or os.defpath


def run(argv: tuple[str, ...], place: Place, env: Mapping[str, str], seconds: float, *, sources: bool = False) -> Ended:
    """Run `argv` in the copy at most `seconds` long; it and all it started have ended when this returns or raises.

    `env` is the user's environment, of which only PATH, language and time zone are handed on. With `sources`, Python
    finds the copy's modules; without it, they cannot shadow those of the tool.
    """
    found = program(argv[0], place.root, env)
    if found is None:
        return Ended(None, "", 0.0, missing=f"{argv[0]} is not installed")
    reading, writing = os.pipe()
    shown = [path for pair in _shown(place, found).items() for path in pair]
    order = [str(writing), str(seconds), str(place.tree), str(place.area), str(len(shown) // 2), *shown]
    started = time.monotonic()
    try:
        supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT, _PACKAGES, *order, found, *argv[1:]],
            cwd=place.area,
            env=environment(place, env, sources=sources),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
            start_new_session=True,
        )
    except OSError as error:
        os.close(reading)
        return Ended(None, "", 0.0, missing=error.strerror or str(error))
    finally:
        os.close(writing)
    output = _listen(supervisor)
    with os.fdopen(reading, "rb") as status:
        fields = _fields(status)
    return Ended(
        int(fields["code"]) if "code" in fields else None,
        output,
        time.monotonic() - started,
        missing=fields.get("missing", "") or ("" if "code" in fields or "timed_out" in fields else "it was stopped"),
        timed_out="timed_out" in fields,
        network_cut=fields.get("network") == "1",
        files_kept=fields.get("files") == "1",
    )


def environment(place: Place, env: Mapping[str, str], *, sources: bool) -> dict[str, str]:
    """The environment of a command: no keys, a home and caches of its own."""
    home, tmp = place.area / "home", place.area / "tmp"
    real = Path(env.get("HOME") or env.get("USERPROFILE") or "/")
    folders = [str(folder) for folder in (place.tree, place.tree / "src") if folder.is_dir()]
    return {
        **{name: env[name] for name in INHERITED if name in env},
        "PATH": search_path(place.root, env),
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


def _shown(place: Place, found: str) -> dict[str, str]:
    """Folders mounted into the copy instead of copied, and a /tmp of its own where nothing else needs the real one."""
    shown = {}
    for name in ("node_modules", ".venv", "venv", "vendor"):
        source, target = place.root / name, place.tree / name
        if source.is_dir() and not source.is_symlink() and not target.exists():
            target.mkdir()
            shown[str(target)] = str(source)
    needed = (place.root, place.area, found, os.path.realpath(found), sys.prefix)
    if not any(Path(path).is_relative_to("/tmp") for path in needed):
        shown["/tmp"] = str(place.area / "tmp")
    return shown


def _listen(supervisor: subprocess.Popen[bytes]) -> str:
    """Read all output; on leaving, close the lifeline, which ends whatever still runs."""
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
    return text + (f"\n[{cut:,} bytes in the middle of the output were left out]\n" if cut else "")


def _fields(status: BinaryIO) -> dict[str, str]:
    """The report of the supervisor, by name; a line cut off by a kill does not count."""
    lines = status.read().decode("utf-8", "replace").split("\n")[:-1]
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}
