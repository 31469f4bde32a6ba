"""The queue of background tasks: tasks a second, and what is left when its processes are killed.

    python benchmarks/task_queue.py [--tasks N] [--kills N] [--json OUT] [--folder DIR]

Speed: one process adds tasks, another does them (the work is the hash of a text), both with full synchronisation; the
clock stops when the last result is on disk. Kills: two processes add and do tasks without end; one of them or both are
killed with SIGKILL after a random time by a fixed seed and started again. Whoever adds a task notes in a file that it
was acknowledged; the worker notes each result that was accepted. At the end all is left to finish, and counted: tasks
that were acknowledged and did not end with a result (lost), tasks with two accepted results (doubled), and tasks that
were shown as running 10 seconds after their worker was gone (stuck; each kill of the worker asks at once, and then
until none is shown or 10 seconds have passed).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from optimizer.queue.store import Queue  # noqa: E402
from optimizer.queue.task import Done, NewTask  # noqa: E402

BATCH = 50
SEED = 14
SHOWN_SECONDS = 10.0
Figures = dict[str, Any]


def task(number: int) -> NewTask:
    """A small task of its own."""
    return NewTask("topic", {"text": f"turn {number}"}, key=f"task-{number}")


def note(file: int, lines: list[str]) -> None:
    """Append lines in one write: killed before or after, never between."""
    os.write(file, "".join(f"{line}\n" for line in lines).encode())


def enqueue(folder: Path, first: int, most: int, size: int) -> None:
    """Add tasks from a number on, and note those that were acknowledged."""
    queue, acknowledged = Queue(folder), os.open(folder / "added", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for start in range(first, first + most, size):
        ids = queue.add(task(number) for number in range(start, min(start + size, first + most)))
        note(acknowledged, [str(id) for id in ids])


def work(folder: Path, wanted: int) -> None:
    """Do tasks until so many have been done (0: without end), and note the accepted results."""
    queue, accepted = Queue(folder), os.open(folder / "accepted", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    done = 0
    while not wanted or done < wanted:
        claim = queue.claim({"topic": BATCH})
        if claim is None:
            time.sleep(0.005)
            continue
        results = {
            one.id: Done({"hash": hashlib.sha256(one.payload["text"].encode()).hexdigest()}) for one in claim.tasks
        }
        ended = queue.finish(claim, results)
        note(accepted, [str(id) for id in sorted(ended)])
        done += len(ended)


def start(folder: Path, *arguments: object) -> subprocess.Popen[bytes]:
    """A process of this file with a part of its own."""
    return subprocess.Popen([sys.executable, __file__, "--folder", str(folder), *map(str, arguments)])


def speed(folder: Path, tasks: int, size: int) -> float:
    """Tasks a second from the first that is added to the last that is done, the start of the processes left out."""
    queue = Queue(folder)
    queue.counts()
    worker = start(folder, "--work", tasks)
    time.sleep(1)
    begun = time.perf_counter()
    enqueue(folder, 0, tasks, size)
    worker.wait()
    seconds = time.perf_counter() - begun
    assert queue.counts() == {"done": tasks}
    queue.close()
    return tasks / seconds


def kills(folder: Path, count: int) -> Figures:
    """Kill the worker, who adds, or both so many times, and count what is not as it should be."""
    chance, queue, stuck, longest, number = random.Random(SEED), Queue(folder), 0, 0.0, 0
    killed = {"worker": 0, "adder": 0, "both": 0}
    worker, adder = start(folder, "--work", 0), start(folder, "--enqueue", 0)
    for point in range(count):
        time.sleep(chance.uniform(0.05, 0.6))
        which = ("worker", "adder", "both")[point % 3]
        killed[which] += 1
        number += 1_000_000
        if which in ("adder", "both"):
            adder.kill()
        if which in ("worker", "both"):
            worker.kill()
            worker.wait()
            seconds = shown(queue, worker.pid)
            longest, stuck = max(longest, seconds), stuck + (seconds >= SHOWN_SECONDS)
            worker = start(folder, "--work", 0)
        if which in ("adder", "both"):
            adder.wait()
            adder = start(folder, "--enqueue", number)
    adder.kill()
    adder.wait()
    while queue.counts().keys() & {"waiting", "running"}:
        time.sleep(0.2)
    worker.kill()
    worker.wait()
    return {"kills": killed, "stuck": stuck, "longest shown as running": longest, **counted(folder, queue)}


def shown(queue: Queue, pid: int) -> float:
    """Seconds for which tasks of a process that was killed are shown as running."""
    begun = time.perf_counter()
    while any(one.pid == pid for one in queue.listed("running", 1000)):
        if time.perf_counter() - begun > SHOWN_SECONDS:
            break
        time.sleep(0.01)
    return round(time.perf_counter() - begun, 4)


def counted(folder: Path, queue: Queue) -> Figures:
    """What was acknowledged and has no result, and what has more than one."""
    added = [int(line) for line in (folder / "added").read_text().split()]
    accepted = [int(line) for line in (folder / "accepted").read_text().split()]
    lost = [id for id in added if (one := queue.get(id)) is None or one.state != "done" or not one.result]
    return {
        "acknowledged": len(added),
        "lost": len(lost),
        "doubled": len(accepted) - len(set(accepted)),
        "in the end": dict(queue.counts()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--json", type=Path, help="write all figures here too")
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure; default: a temporary one")
    parser.add_argument("--work", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--enqueue", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is not None:
        work(arguments.folder, arguments.work)
    elif arguments.enqueue is not None:
        with contextlib.suppress(KeyboardInterrupt):
            first = arguments.enqueue
            while True:
                enqueue(arguments.folder, first, BATCH, 5)
                first += BATCH
                time.sleep(0.05)
    else:
        report: Figures = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": "2-core x86-64 cloud VM"}
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            for name, size, tasks in (("one", 1, arguments.tasks // 5), ("batch", BATCH, arguments.tasks)):
                part = Path(folder) / name
                part.mkdir()
                report[f"tasks a second, added {size} at a time"] = round(speed(part, tasks, size))
            (last := Path(folder) / "kills").mkdir()
            report |= kills(last, arguments.kills)
        print(json.dumps(report, indent=2))
        if arguments.json:
            arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
