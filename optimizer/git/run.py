"""Run git: safely, so that nothing in a repository's configuration runs code, or as the user would."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, Timer
from time import monotonic
from types import MappingProxyType
from typing import IO

SECONDS = 120.0
MOST_ERROR_TEXT = 2_000
_SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=" + os.devnull,
    "-c",
    "core.quotePath=false",
    "-c",
    "log.showSignature=false",
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
)
# Where the user's own ignore file is, and what Windows needs to start a process.
_PASSED = ("XDG_CONFIG_HOME", "SYSTEMROOT")
_NAMES = ("git.exe",) if os.name == "nt" else ("git",)
_EMPTY: Mapping[str, str] = MappingProxyType({})


def find_git(root: Path) -> str | None:
    """The absolute path of a git that lies outside `root`; None when there is none."""
    inside = os.path.realpath(root)
    for folder in os.get_exec_path():
        for name in _NAMES if Path(folder).is_absolute() else ():
            found = f"{folder}{os.sep}{name}"
            if not Path(found).is_file() or not os.access(found, os.X_OK):
                continue
            if os.path.commonpath((inside, os.path.realpath(found))) != inside:
                return found
    return None


class Running:
    """A safe git command that runs in the background; `output` waits for its output, `close` ends it."""

    def __init__(
        self, git: str, root: Path, arguments: Sequence[str], seconds: float = SECONDS, env: Mapping[str, str] = _EMPTY
    ) -> None:
        """Start it in `root` with the safe environment and `env`; it has `seconds`."""
        self._deadline = monotonic() + seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._output = b""
        try:
            self._process = _start([git, *_SAFE, *arguments], root, {**_environment(root), **env}, subprocess.DEVNULL)
        except OSError:
            return
        self._reader = Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        with process.stdout as output:
            self._output = output.read()

    def output(self) -> bytes | None:
        """What the command prints; None when it fails or exceeds its time."""
        if self._process is None:
            return None
        self._reader.join(self._deadline - monotonic())
        late = self._reader.is_alive()
        self.close()
        return None if late or self._process.returncode else self._output

    def close(self) -> None:
        """End the command, whether or not it is done."""
        if self._process is not None:
            if self._reader.is_alive():
                self._process.kill()
            self._reader.join()
            self._process.wait()


def run(
    git: str, root: Path, arguments: Sequence[str], seconds: float = SECONDS, env: Mapping[str, str] = _EMPTY
) -> bytes | None:
    """What a safe git command prints; None when it fails or exceeds its time."""
    return Running(git, root, arguments, seconds, env).output()


@contextmanager
def stream(
    git: str, root: Path, arguments: Sequence[str], stdin: bytes, seconds: float
) -> Iterator[Callable[[int], bytes]]:
    """Read the output of a safe git command in pieces: a function from a number of bytes to at most as many.

    It gives b'' at the end of the output or of the time. On leaving, the command is ended, whether or not it is done.
    """
    import tempfile

    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        try:
            process = _start([git, *_SAFE, *arguments], root, _environment(root), given)
        except OSError:
            yield lambda _: b""
            return
    timer = Timer(max(0.0, seconds), process.kill)
    timer.start()
    try:
        assert process.stdout
        with process.stdout as output:
            yield output.read1  # type: ignore[attr-defined]
    finally:
        timer.cancel()
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a git command ended, and what it printed; `errors` also holds the output where it failed."""

    code: int
    output: bytes
    errors: str


def run_as_user(git: str, root: Path, arguments: Sequence[str], env: Mapping[str, str], stdin: bytes = b"") -> Ended:
    """Run git with the user's configuration, hooks and environment, without an editor or pager.

    After an interrupt, wait for it, so that it leaves no lock behind.
    """
    own = {**env, "GIT_EDITOR": "true"}
    process = _start([git, "--no-pager", *arguments], root, own, subprocess.PIPE, subprocess.PIPE)
    try:
        output, errors = process.communicate(stdin)
    except BaseException:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    text = (errors if process.returncode == 0 else errors + output).decode("utf-8", "replace").strip()
    return Ended(process.returncode, output, text[-MOST_ERROR_TEXT:])


def _start(
    command: Sequence[str], root: Path, env: Mapping[str, str], stdin: int | IO[bytes], stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=root, env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr)


def _environment(root: Path) -> dict[str, str]:
    """The whole environment of a safe command: no fetching of what a partial clone lacks, no prompt."""
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_GRAFT_FILE": os.devnull,
    }
    environment |= {name: os.environ[name] for name in _PASSED if name in os.environ}
    try:
        return {**environment, "HOME": str(Path.home())}
    except RuntimeError:
        return environment
