"""Run git, safely or as the user would; what it lists of a working tree, and what it holds at HEAD."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread, Timer
from time import monotonic
from types import MappingProxyType
from typing import IO, Literal, NamedTuple

from optimizer import programs
from optimizer.errors import InputError

SECONDS = 120.0
STALL_SECONDS = 1.0
MOST_ERROR_TEXT = 2_000
_NO_WATCHER = ("-c", "core.fsmonitor=false")
_NO_HOOKS = ("-c", "core.hooksPath=" + os.devnull)
_SAFE = (
    *_NO_WATCHER,
    *_NO_HOOKS,
    "-c",
    "core.quotePath=false",
    "-c",
    "log.showSignature=false",
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
)
# Where the user's own ignore file and list of safe folders are, who called sudo, and what Windows needs.
_PASSED = (
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "SUDO_UID",
    "SYSTEMROOT",
)
_EMPTY: Mapping[str, str] = MappingProxyType({})
_MODES = (b"100644", b"100755", b"100664")
Refusal = Literal["", "missing", "stalled", "failed"]
_TRACKED = ("ls-files", "-z", "--cached")
_OTHERS = ("ls-files", "-z", "--others", "--exclude-standard")


def find_git(root: Path) -> str | None:
    """The absolute path of a git that lies outside `root`; None when there is none."""
    return programs.find("git", root, os.environ)


def required_git(root: Path) -> str:
    """As `find_git`; InputError when there is none."""
    git = find_git(root)
    if git is None:
        raise InputError("git was not found", "install git, or put it on the PATH")
    return git


class GitProcess:
    """A safe git command that runs in the background; `output` waits for its output, `close` ends it."""

    def __init__(
        self, git: str, root: Path, arguments: Sequence[str], seconds: float = SECONDS, env: Mapping[str, str] = _EMPTY
    ) -> None:
        """Start it in `root` with the safe environment and `env`; it has `seconds`."""
        self._deadline = monotonic() + seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._output = b""
        self.stalled = False
        try:
            self._process = _start([git, *_SAFE, *arguments], root, {**environment(root), **env}, subprocess.DEVNULL)
        except OSError:
            return
        self._reader = Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        with process.stdout as output:
            self._output = output.read()

    def output(self) -> bytes | None:
        """What the command prints; None when it fails, exceeds its time or waits for what never comes."""
        if self._process is None:
            return None
        before = ""
        while self._reader.is_alive() and (left := self._deadline - monotonic()) > 0 and not self.stalled:
            self._reader.join(min(left, STALL_SECONDS))
            now = _sleep_of(self._process.pid) if self._reader.is_alive() else ""
            self.stalled = now != "" and now == before
            before = now
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


def _sleep_of(pid: int) -> str:
    """A text that stays the same as long as all of a process sleeps, as before a pipe; '' where that is not known."""
    states = []
    for task in Path("/proc", str(pid), "task").glob("*/status"):
        try:
            lines = task.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return ""
        found = [line for line in lines if line.startswith(("State:", "voluntary_", "nonvoluntary_"))]
        if not any(line.startswith("State:\tS") for line in found):
            return ""
        states.append(" ".join((task.parent.name, *found)))
    return "\n".join(sorted(states))


def run(
    git: str, root: Path, arguments: Sequence[str], seconds: float = SECONDS, env: Mapping[str, str] = _EMPTY
) -> bytes | None:
    """What a safe git command prints; None when it fails or exceeds its time."""
    return GitProcess(git, root, arguments, seconds, env).output()


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
            process = _start([git, *_SAFE, *arguments], root, environment(root), given)
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


class GitResult(NamedTuple):
    """How a git command ended, and what it printed; `errors` also holds the output where it failed."""

    code: int
    output: bytes
    errors: str


def run_as_user(
    git: str, root: Path, arguments: Sequence[str], env: Mapping[str, str], stdin: bytes = b"", *, reads: bool = False
) -> GitResult:
    """Run git with the user's configuration, hooks and environment but keys, without an editor or pager.

    With `reads`, it only reads: no hooks run. No program that watches files is started either way. After an interrupt,
    wait for it, so that it leaves no lock behind.
    """
    own = {**programs.environment(env), "GIT_EDITOR": "true"}
    safe = _NO_WATCHER + (_NO_HOOKS if reads else ())
    process = _start([git, *safe, "--no-pager", *arguments], root, own, subprocess.PIPE, subprocess.PIPE)
    try:
        output, errors = process.communicate(stdin)
    except BaseException:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    text = (errors if process.returncode == 0 else errors + output).decode("utf-8", "replace").strip()
    return GitResult(process.returncode, output, text[-MOST_ERROR_TEXT:])


def _start(
    command: Sequence[str], root: Path, env: Mapping[str, str], stdin: int | IO[bytes], stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=root, env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr)


def environment(root: Path) -> dict[str, str]:
    """The whole environment of a safe command: no fetching of what a partial clone lacks, no prompt."""
    variables = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_GRAFT_FILE": os.devnull,
    }
    variables |= {name: os.environ[name] for name in _PASSED if name in os.environ}
    try:
        return {**variables, "HOME": str(Path.home())}
    except RuntimeError:
        return variables


class FileNames:
    """The names of all files of a root, listed by git in the background: the tracked ones, then the others."""

    def __init__(
        self, root: Path | None, skipped_folders: Sequence[str], wanted: Sequence[str] = (), only: str = ""
    ) -> None:
        """Start listing (nothing without a root), or look for `only` one path.

        Untracked files in a folder of `skipped_folders` are left out; those named as one of `wanted` are listed even
        if git ignores them.
        """
        self._root = root
        self._git = find_git(root) if root else None
        excluded = (*(f"--exclude={name}/" for name in skipped_folders), *(f"--exclude=!{name}" for name in wanted))
        paths = ("--", f":(top,literal){only}") if only else ()
        lists = ((*_TRACKED, *paths), (*_OTHERS, *excluded, *paths))
        self._lists = [GitProcess(self._git, root, words) for words in lists] if root and self._git else []

    def outputs(self) -> Iterator[bytes | None]:
        """Names relative to the root, a zero byte after each, list by list; None where there is no git or it fails."""
        if not self._lists:
            yield None
        for listing in self._lists:
            yield listing.output()

    def refusal(self) -> Refusal:
        """Why git did not list the files of a repository; '' where there is none."""
        if self._root is None:
            return ""
        if self._git is None:
            return "missing"
        return "stalled" if any(listing.stalled for listing in self._lists) else "failed"

    def close(self) -> None:
        """End git, whether or not it is done."""
        for listing in self._lists:
            listing.close()


class Head:
    """The regular files of the commit HEAD: the object name of each path, and their contents."""

    def __init__(self, git: str, root: Path, blobs: dict[str, str]) -> None:
        self._git, self._root, self.blobs = git, root, blobs

    def read(self, path: str) -> bytes | None:
        """The content of a path at HEAD; None when git cannot read it."""
        return run(self._git, self._root, ["cat-file", "blob", self.blobs[path]])


def read_head(root: Path) -> Head | None:
    """What HEAD holds; None where there is no git, no repository or no commit."""
    git = find_git(root)
    listed = run(git, root, ["ls-tree", "-r", "-z", "--full-tree", "HEAD"]) if git else None
    return None if git is None or listed is None else Head(git, root, dict(_blobs(listed)))


def _blobs(listed: bytes) -> Iterator[tuple[str, str]]:
    for entry in listed.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, kind, name = about.split()
        if kind == b"blob" and mode in _MODES:
            yield os.fsdecode(path), name.decode()


def object_name(data: bytes, length: int) -> str:
    """The object name that git gives to a file, in a repository whose names have `length` digits."""
    import hashlib

    digest = hashlib.sha256() if length == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(b"blob %d\0" % len(data) + data)
    return digest.hexdigest()


def is_hidden(root: Path, path: str) -> bool:
    """Whether git tracks a path and keeps it out of a sparse checkout; False where there is no git."""
    git = find_git(root)
    listed = run(git, root, ["ls-files", "-t", "-z", "--", f":(top,literal){path}"]) if git else None
    return listed is not None and listed.startswith(b"S ") and not (root / path).exists()
