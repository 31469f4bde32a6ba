"""The queue: order, one result for each task, what ends a claim, and what becomes of failures."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from optimizer.db import leases
from optimizer.queue.store import FILE, KEPT_SECONDS, LEASE_SECONDS, Queue
from optimizer.queue.task import MOST_ATTEMPTS, MOST_DEATHS, Claim, Done, Failed, NewTask, pause

HOLDER = """
import sys
from pathlib import Path
from optimizer.queue.store import Queue
print(Queue(Path(sys.argv[1])).claim({"topic": 2}).token, flush=True)
input()
"""


@dataclass
class Clock:
    at: float = 1_000_000.0

    def now(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_queue(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Queue]]:
    """Opens the same queue once more, as another process would."""
    opened: list[Queue] = []

    def again() -> Queue:
        opened.append(Queue(tmp_path, clock.now, lambda: 1.0))
        return opened[-1]

    yield again
    for one in opened:
        one.close()


@pytest.fixture
def queue(open_queue: Callable[[], Queue]) -> Queue:
    return open_queue()


def topic(text: str, **more: object) -> NewTask:
    return NewTask("topic", {"text": text}, **more)  # type: ignore[arg-type]


def taken(queue: Queue, most: int = 1, kind: str = "topic") -> Claim:
    claim = queue.claim({kind: most})
    assert claim is not None
    return claim


def state(queue: Queue, id: int) -> str:
    task = queue.get(id)
    assert task is not None
    return task.state


def test_tasks_go_by_priority_then_deadline_and_a_claim_holds_one_kind(queue: Queue, clock: Clock) -> None:
    ids = queue.add(
        [
            topic("last"),
            topic("soon", deadline=clock.at + 50),
            topic("urgent", priority=1),
            NewTask("summarise", {"text": "x"}),
        ]
    )
    claim = taken(queue, 10)
    assert [task.id for task in claim.tasks] == [ids[2], ids[1], ids[0]]
    assert queue.claim({"topic": 10}) is None
    assert [task.id for task in taken(queue, 10, "summarise").tasks] == [ids[3]]


def test_what_was_asked_for_is_there_once(queue: Queue) -> None:
    first, same, other = queue.add([topic("a"), topic("a"), topic("b")])
    assert (first, same) == (first, first) and other != first
    claim = taken(queue, 2)
    assert queue.add([topic("a")]) == (first,), "one that runs is joined"
    queue.finish(claim, {first: Done({"topic": "letters"})})
    assert queue.add([topic("a")]) == (first,), "one that is done is not done again"
    named = queue.add([topic("a", key="k"), topic("c", key="k")])
    assert named[0] == named[1] != first


def test_a_result_is_used_again_and_what_is_not_cached_is_not(queue: Queue) -> None:
    (first,) = queue.add([topic("a")])
    queue.finish(taken(queue), {first: Done({"topic": "letters"})})
    (second,) = queue.add([topic("a", key="again")])
    assert second != first
    assert taken(queue).tasks == (), "nobody has to do it"
    done = queue.get(second)
    assert done is not None and (done.state, done.result) == ("done", {"topic": "letters"})
    (index,) = queue.add([NewTask("refresh-index", repository="r", cached=False)])
    assert queue.add([NewTask("refresh-index", repository="r", cached=False)]) == (index,)
    taken(queue, 1, "refresh-index")
    assert queue.add([NewTask("refresh-index", repository="r", cached=False)]) != (index,), "it may run too early"


def test_only_the_holder_of_a_claim_gives_a_result(queue: Queue, open_queue: Callable[[], Queue], clock: Clock) -> None:
    (id,) = queue.add([topic("a")])
    lost = taken(queue)
    clock.at += LEASE_SECONDS
    other = open_queue()
    assert state(other, id) == "waiting", "it is not shown as running"
    clock.at += 60
    held = taken(other)
    assert queue.finish(lost, {id: Done({"by": "the first"})}) == frozenset()
    assert queue.beat(lost) == {id}
    assert other.finish(held, {id: Done({"by": "the second"})}) == {id}
    assert other.finish(held, {id: Done({"by": "the second, again"})}) == frozenset()
    task = queue.get(id)
    assert task is not None and task.result == {"by": "the second"}


def test_a_heartbeat_keeps_a_claim_and_tells_of_progress(queue: Queue, clock: Clock) -> None:
    (id,) = queue.add([topic("a")])
    claim = taken(queue)
    for part in range(4):
        clock.at += LEASE_SECONDS - 1
        assert queue.beat(claim, {id: f"{part} of 4"}) == frozenset()
    task = queue.get(id)
    assert task is not None and (task.state, task.note, task.pid) == ("running", "3 of 4", os.getpid())


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_the_tasks_of_a_dead_worker_go_back_at_once(tmp_path: Path, death: signal.Signals) -> None:
    queue = Queue(tmp_path)
    ids = queue.add([topic("a"), topic("b")])
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        token = int(holder.stdout.readline())
        assert {state(queue, id) for id in ids} == {"running"}
        holder.send_signal(death)
        holder.wait()
    tasks = [queue.get(id) for id in ids]
    assert [(task.state, task.why, task.deaths, task.pid) for task in tasks if task] == [("waiting", "died", 1, 0)] * 2
    late = Claim(token, ())
    assert queue.finish(late, {ids[0]: Done({})}) == frozenset()
    queue.close()


def test_a_task_that_ends_each_worker_is_given_up(queue: Queue, clock: Clock) -> None:
    gone = leases.process()._replace(started=leases.process().started + 1)
    (id,) = queue.add([topic("a")])
    for _ in range(MOST_DEATHS):
        clock.at += 10_000
        assert queue.claim({"topic": 1}, gone) is not None
        assert queue.counts().keys() <= {"waiting", "failed"}
    task = queue.get(id)
    assert task is not None and (task.state, task.why) == ("failed", "died")


def test_a_failure_waits_longer_each_time_and_is_given_up_with_its_reason(queue: Queue, clock: Clock) -> None:
    (id,) = queue.add([topic("a")])
    waits = []
    for number in range(MOST_ATTEMPTS):
        queue.finish(taken(queue), {id: Failed("error", f"no {number}")})
        task = queue.get(id)
        assert task is not None
        if task.state == "waiting":
            waits.append(task.after - clock.at)
            assert queue.claim({"topic": 1}) is None, "it rests"
            assert queue.next_at() == task.after
            clock.at = task.after
    assert waits == [2.0, 4.0, 8.0]
    task = queue.get(id)
    assert task is not None and (task.state, task.why, task.detail) == ("failed", "error", "no 3")
    assert queue.counts() == {"failed": 1}


def test_chance_spreads_attempts_and_a_wait_that_was_asked_for_holds(queue: Queue, clock: Clock) -> None:
    assert (pause(1, 0.0), pause(1, 1.0), pause(99, 1.0)) == (1.0, 2.0, 600.0)
    (id,) = queue.add([topic("a")])
    queue.finish(taken(queue), {id: Failed("error", "its limit", wait=90.0)})
    assert queue.next_at() == clock.at + 90
    (other,) = queue.add([topic("b")])
    queue.finish(taken(queue), {other: Failed("refused", "no consent", again=False)})
    assert state(queue, other) == "failed"


def test_a_cancelled_task_has_no_result(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    waiting, running = queue.add([topic("waits"), topic("runs", priority=1)])
    claim, other = taken(queue), open_queue()
    assert other.cancel(waiting) == "cancelled"
    assert other.cancel(running) == "running"
    assert queue.beat(claim) == {running}, "its worker hears of it"
    assert queue.finish(claim, {running: Done({"topic": "too late"})}) == frozenset()
    task = other.get(running)
    assert task is not None and (task.state, task.why, task.result) == ("cancelled", "asked", None)
    assert other.cancel(99) is None


def test_what_is_given_back_waits_and_a_late_or_unknown_one_fails(queue: Queue, clock: Clock) -> None:
    (id,) = queue.add([topic("a", deadline=clock.at + 5)])
    queue.give_back(taken(queue))
    task = queue.get(id)
    assert task is not None and (task.state, task.attempts, task.deaths) == ("waiting", 0, 0)
    clock.at += 5
    assert queue.claim({"topic": 1}) is None
    (strange,) = queue.add([NewTask("from-tomorrow")])
    queue.refuse(["topic"])
    assert [(one.id, one.why) for one in queue.listed("failed", 9)] == [(strange, "unknown"), (id, "late")]


@pytest.mark.parametrize(
    ("verdict", "why"), [("done", ""), ("cancelled", "dropped"), ("waiting", "")], ids=["keep", "drop", "redo"]
)
def test_a_flagged_result_is_not_used_before_it_is_judged(queue: Queue, verdict: str, why: str) -> None:
    (id,) = queue.add([topic("a")])
    queue.finish(taken(queue), {id: Done({"topic": "?"}, flagged=True)})
    assert [task.id for task in queue.listed("flagged", 9)] == [id]
    (other,) = queue.add([topic("a")])
    assert other != id, "a flagged result is no result"
    queue.cancel(other)
    assert queue.judge(id, verdict)  # type: ignore[arg-type]
    task = queue.get(id)
    assert task is not None and (task.state, task.why) == (verdict, why)
    assert not queue.judge(id, verdict), "once"  # type: ignore[arg-type]


def test_what_ended_long_ago_is_deleted(queue: Queue, clock: Clock) -> None:
    done, waiting = queue.add([topic("a", priority=1), topic("b")])
    queue.finish(taken(queue), {done: Done({})})
    clock.at += KEPT_SECONDS + 1
    assert queue.prune() == 1
    assert queue.get(done) is None and state(queue, waiting) == "waiting"


def test_what_was_acknowledged_is_written_through(queue: Queue) -> None:
    queue.add([topic("a")])
    assert queue._store.is_open
    with queue._store.connected() as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_damaged_queue_is_put_aside_with_a_word(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    told: list[str] = []
    queue = Queue(tmp_path, tell=told.append)
    assert queue.add([topic("a")]) == (1,)
    queue.close()
    assert len(told) == 1 and (tmp_path / f"{FILE}.damaged-1").exists()
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("SELECT count(*) FROM tasks").fetchone() == (1,)
