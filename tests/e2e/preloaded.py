"""The command, forked from a process that has loaded it and the vendors' libraries: loading is most of a short run.

Each run is a process with its own arguments, environment, working directory and streams, and ends as the command does.
What Python reads when it starts (`READ_AT_START`) and what /proc shows are those of the process that forks.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CAN = hasattr(os, "pidfd_open") and hasattr(socket, "SOCK_SEQPACKET")
READ_AT_START = ("PYTHON", "LC_", "LD_", "MALLOC_", "TZ")
LOADED = (
    "anthropic.resources.messages",
    "encodings.idna",
    "genai_prices.data",
    "google.genai.client",
    "groq.resources.chat",
    "httpcore2",
    "httpx",
    "jedi",
    "ollama",
    "openai.resources.chat",
    "openai.resources.responses",
    "rich.console",
    "tree_sitter_python",
)
REQUEST = 1 << 18


class Preloaded:
    """The process that forks, and how to run the command in it."""

    def __init__(self, command: Path) -> None:
        self._command = command
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def close(self) -> None:
        self._channel.close()
        self._process.communicate(timeout=60)

    def run(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: str | None, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` with text, both outputs captured and a timeout."""
        ours, reply = socket.socketpair()
        with ours, ThreadPoolExecutor(3) as pool:
            given, stdin_end = os.pipe()
            stdout_end, printed = os.pipe()
            stderr_end, complained = os.pipe()
            request = json.dumps([[str(self._command), *arguments], str(cwd), dict(env)]).encode()
            ends = [reply.detach(), given, printed, complained]
            socket.send_fds(self._channel, [request], ends)
            for end in ends:
                os.close(end)
            out, err = pool.submit(_read, stdout_end), pool.submit(_read, stderr_end)
            pool.submit(_write, stdin_end, stdin or "")
            code = self._ended(ours, arguments, seconds)
            return subprocess.CompletedProcess(arguments, code, out.result(seconds), err.result(seconds))

    def _ended(self, ours: socket.socket, arguments: Sequence[str], seconds: float) -> int:
        with ours.makefile() as lines:
            pid = int(lines.readline())
            ours.settimeout(seconds)
            try:
                return int(lines.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired([*arguments], seconds) from None


def _read(end: int) -> str:
    with open(end, encoding="utf-8") as stream:
        return stream.read()


def _write(end: int, text: str) -> None:
    try:
        with open(end, "w", encoding="utf-8") as stream:
            stream.write(text)
    except BrokenPipeError:
        return


def load() -> None:
    """Load all of the package and the vendors' libraries."""
    import optimizer

    for module in pkgutil.walk_packages(optimizer.__path__, "optimizer."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def serve(channel: socket.socket) -> None:
    """Fork for each request; returns in the new process, which has become what was asked for."""
    selector = selectors.DefaultSelector()
    selector.register(channel, selectors.EVENT_READ)
    replies: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for key, _ in selector.select():
            if key.fd in replies:
                pid, reply = replies.pop(key.fd)
                selector.unregister(key.fd)
                os.close(key.fd)
                with reply:
                    reply.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                continue
            request, ends, *_ = socket.recv_fds(channel, REQUEST, 4)
            if not request:
                os._exit(0)
            pid = os.fork()
            reply = socket.socket(fileno=ends[0])
            if pid == 0:
                selector.close()
                for one in (channel, reply, *(other for _, other in replies.values())):
                    one.close()
                words, cwd, env = json.loads(request)
                become(words, cwd, env, ends[1:])
                return
            for end in ends[1:]:
                os.close(end)
            reply.sendall(b"%d\n" % pid)
            watched = os.pidfd_open(pid)
            replies[watched] = (pid, reply)
            selector.register(watched, selectors.EVENT_READ)


def become(words: list[str], cwd: str, env: dict[str, str], streams: list[int]) -> None:
    """Be a process started with these."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).parent))


if __name__ == "__main__":
    load()
    serve(socket.socket(fileno=int(sys.argv[1])))
    from optimizer.__main__ import start

    start()
