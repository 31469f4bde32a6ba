"""Ask git for names and messages only, so that nothing a repository configures can run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from time import monotonic
from types import MappingProxyType

from optimizer.index.skip import SKIPPED_FOLDERS

SECONDS = 120.0
SAFE = (
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
# Where the user's own list of ignored files is, and what Windows needs to start a process.
_PASSED = ("XDG_CONFIG_HOME", "SYSTEMROOT")
_NAMES = ("git.exe",) if os.name == "nt" else ("git",)
EMPTY: Mapping[str, str] = MappingProxyType({})
TRACKED = ("ls-files", "-z", "--cached")
UNTRACKED = (
    *("ls-files", "-z", "--others", "--exclude-standard"),
    *(f"--exclude={name}/" for name in SKIPPED_FOLDERS),
)


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


class Asked:
    """A git command at work beside this program; `answer` waits for what it prints, `close` ends it."""

    def __init__(
        self, git: str, root: Path, arguments: Sequence[str], seconds: float = SECONDS, also: Mapping[str, str] = EMPTY
    ) -> None:
        """It is told of the world what `environment` and `also` say, and has `seconds` for its work."""
        self._deadline = monotonic() + seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._told = b""
        try:
            self._process = subprocess.Popen(
                [git, *SAFE, *arguments],
                cwd=root,
                env={**environment(root), **also},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return
        self._reader = Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        with process.stdout as told:
            self._told = told.read()

    def answer(self) -> bytes | None:
        """What the command prints; None when it fails or is late."""
        if self._process is None:
            return None
        self._reader.join(self._deadline - monotonic())
        late = self._reader.is_alive()
        self.close()
        return None if late or self._process.returncode else self._told

    def close(self) -> None:
        """End the command, whether or not it is done."""
        if self._process is not None:
            if self._reader.is_alive():
                self._process.kill()
            self._reader.join()
            self._process.wait()


def ask(
    git: str, root: Path, arguments: Sequence[str], seconds: float = SECONDS, also: Mapping[str, str] = EMPTY
) -> bytes | None:
    """What a git command prints; None when it fails or is late."""
    return Asked(git, root, arguments, seconds, also).answer()


def environment(root: Path) -> dict[str, str]:
    """All that git is told of the world: nothing is fetched that a partial clone lacks, nothing is asked of a user."""
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
