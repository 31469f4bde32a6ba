"""The helper as others see it: which process holds its place in a state directory, and one line to it."""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from optimizer.db import leases
from optimizer.privacy import private_file

FOLDER = "helper"
LOG = f"{FOLDER}/log"
MOST_LOG_BYTES = 1_000_000
LONGEST_PATH = 100  # bytes of the path of a UNIX socket that every system takes
ANSWER_SECONDS = 2.0
MOST_BYTES = 10_000


class Held(NamedTuple):
    """The process of a helper, how it is reached (a path, or a port of this machine), and since when it runs."""

    machine: str
    pid: int
    started: int
    address: str | int
    token: str
    since: float


def folder(state: Path) -> Path:
    """The helper's own directory, which only its user may enter. Raises OSError."""
    place = state / FOLDER
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.chmod(0o700)
    return place


def holder(state: Path) -> Held | None:
    """The helper that runs, None when there is none; one that was killed is none."""
    try:
        held = Held(**json.loads((state / FOLDER / "holder.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    owner = leases.Process(held.machine, held.pid, held.started)
    return held if owner.machine == leases.process().machine and leases.runs(owner) else None


def hold(state: Path, address: str | int, since: float) -> Held | None:
    """Take the place of the helper, unless another one holds it (None). Raises OSError."""
    file = folder(state) / "holder.json"
    with private_file.alone(file):
        if (other := holder(state)) and other.pid != os.getpid():
            return None
        held = Held(*leases.process(), address, secrets.token_hex(16), since)
        private_file.replace(file, json.dumps(held._asdict()))
    return held


def release(state: Path, held: Held) -> None:
    """Leave the place of the helper, unless it is another's by now. Raises OSError."""
    file = folder(state) / "holder.json"
    with private_file.alone(file):
        if (now := holder(state)) and now.token == held.token:
            file.unlink(missing_ok=True)


def listen(state: Path) -> socket.socket:
    """A socket that only this user reaches; on loopback where UNIX sockets are missing. Raises OSError."""
    path = folder(state) / f"{os.getpid()}.sock"
    if hasattr(socket, "AF_UNIX") and len(os.fsencode(path)) <= LONGEST_PATH:
        path.unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
    else:
        server = socket.socket(socket.AF_INET)
        server.bind(("127.0.0.1", 0))
    server.listen()
    return server


def address(server: socket.socket) -> str | int:
    """How a socket is reached: a path, or a port of this machine."""
    name = server.getsockname()
    return name if isinstance(name, str) else int(name[1])


def ask(held: Held, what: str) -> Mapping[str, Any] | None:
    """Send one word to the helper and return its answer; None when none comes in time."""
    try:
        with socket.socket(socket.AF_UNIX if isinstance(held.address, str) else socket.AF_INET) as line:
            line.settimeout(ANSWER_SECONDS)
            line.connect(held.address if isinstance(held.address, str) else ("127.0.0.1", held.address))
            line.sendall(json.dumps({"token": held.token, "do": what}).encode() + b"\n")
            with line.makefile("rb") as file:
                answer: Mapping[str, Any] = json.loads(file.readline(MOST_BYTES))
                return answer
    except (OSError, ValueError):
        return None


def asked(server: socket.socket, held: Held) -> Iterator[tuple[str, socket.socket]]:
    """The words that come with the right token, each with the line to answer on; ends when the socket is closed."""
    while True:
        try:
            line, _ = server.accept()
        except OSError:
            return
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError), line:
            line.settimeout(ANSWER_SECONDS)
            with line.makefile("rb") as file:
                said = json.loads(file.readline(MOST_BYTES))
            if hmac.compare_digest(str(said["token"]).encode(), held.token.encode()):
                yield str(said["do"]), line


def stop(state: Path, seconds: float = 10.0) -> bool:
    """Let the helper end, and wait for that; whether it has."""
    held, until = holder(state), time.monotonic() + seconds
    if held is not None:
        ask(held, "stop")
    while holder(state) is not None and time.monotonic() < until:
        time.sleep(0.05)
    return holder(state) is None


def spawn(state: Path, idle: float, seconds: float = 10.0) -> Held | None:
    """Start a helper that outlives this process, and wait until it can be reached; what runs then. Raises OSError."""
    if holder(state) is None:
        log = folder(state) / "log"
        if log.exists() and log.stat().st_size > MOST_LOG_BYTES:
            log.replace(log.with_suffix(".1"))
        command = [sys.executable, "-P", "-m", "optimizer.worker", str(state), str(idle)]
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=state, start_new_session=True
            )
    until = time.monotonic() + seconds
    while (held := holder(state)) is None and time.monotonic() < until:
        time.sleep(0.05)
    if held is not None:
        ask(held, "wake")
    return held
