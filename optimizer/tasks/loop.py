"""The loop that does tasks: one after another in the main thread, while a second thread renews their lease.

What is to end early (a task that was cancelled, a helper that is to stop) is broken off as by Ctrl-C.
"""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from optimizer.errors import OptimizerError
from optimizer.queue.store import Queue
from optimizer.queue.task import Claim, Done, Failed, Task

BEAT_SECONDS, NAP_SECONDS = 1.0, 1.0
Do = Callable[[Task], Done]


class Kind(NamedTuple):
    """How tasks of a kind are done, and how many of them are taken at once."""

    do: Do
    batch: int = 1


@dataclass
class Control:
    """What other threads tell the loop: `woken` that there is something to do, `stopping` that it is to end."""

    woken: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    unwanted: frozenset[int] = frozenset()
    running: int = 0

    def stop(self) -> None:
        """Let the loop end, and break off what it does."""
        self.stopping.set()
        self.woken.set()
        _break_off()

    def interrupt(self, *_: object) -> None:
        """Break off the task that runs, if it is to end; the handler of SIGINT, in the main thread."""
        if self.running and (self.stopping.is_set() or self.running in self.unwanted):
            self.running = 0
            raise KeyboardInterrupt


def _break_off() -> None:
    """Send SIGINT to the main thread: a system call that waits ends too."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


def serve(state: Path, kinds: Mapping[str, Kind], control: Control, idle: float, tell: Callable[[str], None]) -> None:
    """Do tasks until `control` says stop, or none could be done for `idle` seconds. Raises StorageError."""
    queue = Queue(state, tell=tell)
    busy = time.monotonic()
    try:
        queue.prune()
        while not control.stopping.is_set():
            queue.refuse(kinds)
            claim = queue.claim({name: kind.batch for name, kind in kinds.items()})
            if claim is not None:
                _work(queue, claim, kinds, control, tell)
                busy = time.monotonic()
            elif time.monotonic() - busy > idle and queue.next_at() is None:
                return
            else:
                control.woken.wait(NAP_SECONDS)
                control.woken.clear()
    finally:
        queue.close()


def _work(queue: Queue, claim: Claim, kinds: Mapping[str, Kind], control: Control, tell: Callable[[str], None]) -> None:
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(queue, claim, control, over), daemon=True)
    beating.start()
    try:
        for task in claim.tasks:
            if control.stopping.is_set():
                break
            if (result := _one(task, kinds[task.kind].do, control)) is not None:
                accepted = task.id in queue.finish(claim, {task.id: result})
                tell(f"task {task.id} ({task.kind}): {_ending(result) if accepted else 'not wanted any more'}")
    finally:
        over.set()
        beating.join()
    queue.give_back(claim)


def _one(task: Task, do: Do, control: Control) -> Done | Failed | None:
    """Do a task; None when it was broken off because the helper is to stop."""
    try:
        control.running = task.id
        control.interrupt()
        result = do(task)
        control.running = 0
        return result
    except OptimizerError as error:
        return Failed("error", error.whole)
    except KeyboardInterrupt:
        return None if control.stopping.is_set() else Failed("asked", "", again=False)
    finally:
        control.running = 0


def _ending(result: Done | Failed) -> str:
    return "done" if isinstance(result, Done) else f"failed: {result.detail}"


def _beat(queue: Queue, claim: Claim, control: Control, over: threading.Event) -> None:
    """Renew the lease by a connection of its own, until the tasks of a claim are over."""
    own = Queue(queue.path.parent)
    try:
        while not over.wait(BEAT_SECONDS):
            control.unwanted = own.beat(claim)
            if control.running in control.unwanted:
                _break_off()
    except OptimizerError:
        return  # the lease expires, and what is done without it is not accepted
    finally:
        own.close()
