"""Parse files in child processes that can be killed: a hang or a crash costs one file, never the run."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from optimizer.errors import StorageError
from optimizer.index.extract import extract, receive, send
from optimizer.languages.syntax import TooSlow
from optimizer.programs import environment
from optimizer.retrieval import SkipCode

START_SECONDS = 60.0
# How much wall time a parser gets per second of CPU time, where the system counts CPU time.
PATIENCE = 12 if hasattr(signal, "setitimer") else 1
_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from optimizer.index.extract import serve; serve()"


class Job(NamedTuple):
    """One content to parse; `key` identifies it for the caller."""

    key: bytes
    path: str
    data: bytes


class Content(NamedTuple):
    """What the store keeps of one content; its units are numbered `first`, `first + stride`, …"""

    first: int
    stride: int
    lines: int
    lengths: bytes
    symbols: str
    imports: str
    origin: str


class Parsed(NamedTuple):
    """A batch that was parsed: contents in the order of the jobs, with their `keys`, and the words of all."""

    keys: tuple[bytes, ...]
    contents: tuple[Content, ...]
    body: dict[bytes, bytes]
    doc: dict[bytes, bytes]
    name: dict[bytes, bytes]


class FailedJob(NamedTuple):
    """A job on which the parser crashed, or took longer than `limit` seconds."""

    job: Job
    code: SkipCode
    limit: float = 0


Batch = tuple[Job, ...]


def parse_here(batch: Batch, first: int, seconds: float) -> Parsed | None:
    """Parse a small batch in this process, faster than a child starts; None when it is not done in time.

    Only nodes with very many children make a query slow, and callers bound the bytes.
    """
    try:
        return _parsed(batch, extract([(job.path, job.data) for job in batch], first, 1, time.monotonic() + seconds))
    except TooSlow:
        return None


class _Child:
    """One parser process; its reader thread puts (child, message) on the queue, message None at the end."""

    def __init__(self, slot: int, inbox: queue.Queue[tuple[_Child, Any]]) -> None:
        self.slot = slot
        self.batch: Batch | None = None
        self.deadline = time.monotonic() + START_SECONDS
        self.ready = False
        here = str(Path(__file__).parents[2])
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT, here, *(path for path in sys.path if path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(sys.executable).anchor,
            env=environment(os.environ),
        )
        threading.Thread(target=self._read, args=(inbox,), daemon=True).start()

    def _read(self, inbox: queue.Queue[tuple[_Child, Any]]) -> None:
        assert self.process.stdout
        message: Any = b""
        while message is not None:
            try:
                message = receive(self.process.stdout)
            except (OSError, ValueError, EOFError, TypeError):
                message = None
            inbox.put((self, message))

    def work(self, batch: Batch, first: int, stride: int, seconds: float) -> None:
        """Send a batch; a dead child shows as the end of its messages."""
        assert self.process.stdin
        self.batch = batch
        self.deadline = time.monotonic() + PATIENCE * seconds + (0 if self.ready else START_SECONDS)
        try:
            send(self.process.stdin, (first, stride, seconds, [(job.path, job.data) for job in batch]))
        except OSError:
            return

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdin
        try:
            self.process.stdin.close()
        except OSError:
            return


class Pool:
    """Child processes that parse; call `close` at the end."""

    def __init__(self, count: int, seconds: float) -> None:
        self.seconds = seconds
        self._inbox: queue.Queue[tuple[_Child, Any]] = queue.Queue()
        self._children = [_Child(slot, self._inbox) for slot in range(count)]

    def close(self) -> None:
        """End all processes."""
        for child in self._children:
            child.kill()

    def parse(self, batches: Iterable[Batch], first: int) -> Iterator[Parsed | FailedJob]:
        """Parse all batches, numbering units from `first` without clashes; results come in no order."""
        todo = iter(batches)
        again: deque[Batch] = deque()
        stride = len(self._children)
        numbers = [first + slot for slot in range(stride)]
        while True:
            for child in self._children:
                if child.batch is None and (batch := again.popleft() if again else next(todo, None)):
                    child.work(batch, numbers[child.slot], stride, self.seconds)
            if all(child.batch is None for child in self._children):
                return
            child, message, code = self._wait()
            if message == b"":
                child.ready = True
                child.deadline = time.monotonic() + PATIENCE * self.seconds
            elif message is not None and child.batch is not None:
                done = _parsed(child.batch, message)
                numbers[child.slot] += stride * sum(len(content.lengths) // 4 for content in done.contents)
                child.batch = None
                yield done
            else:
                yield from self._replace(child, code, again)

    def _wait(self) -> tuple[_Child, Any, SkipCode]:
        """The next message of a live child, or a child that is late or dead."""
        while True:
            busy = [child for child in self._children if child.batch is not None]
            late = min(busy, key=lambda child: child.deadline)
            try:
                child, message = self._inbox.get(timeout=max(0.0, late.deadline - time.monotonic()))
            except queue.Empty:
                return late, None, "slow"
            if child in self._children:
                return child, message, "crash"

    def _replace(self, child: _Child, code: SkipCode, again: deque[Batch]) -> Iterator[FailedJob]:
        child.kill()
        if -child.process.returncode == getattr(signal, "SIGPROF", None):
            code = "slow"
        if not child.ready:
            raise StorageError("the processes that parse files do not start", "check free memory and the installation")
        batch = child.batch or ()
        self._children[self._children.index(child)] = _Child(child.slot, self._inbox)
        if len(batch) == 1:
            yield FailedJob(batch[0], code, self.seconds if code == "slow" else 0)
        else:
            again.extend((job,) for job in batch)


def _parsed(batch: Batch, message: Any) -> Parsed:
    contents, body, doc, name = message
    return Parsed(tuple([job.key for job in batch]), tuple(Content(*content) for content in contents), body, doc, name)
