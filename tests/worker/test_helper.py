"""The helper as real processes: who may reach it, that there is one, and what is left when it is stopped or killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from optimizer.queue.store import Queue
from optimizer.queue.task import NewTask, Task
from optimizer.tasks import contact
from optimizer.wiring.background import REFRESH, begin

pytestmark = pytest.mark.slow

HANGING = """
import signal, socket, sys
from pathlib import Path
from optimizer.queue.task import Done
from optimizer.tasks.loop import Control, Kind, serve

def call(task):
    with socket.create_connection(("127.0.0.1", task.payload["port"])) as line:
        return Done({"heard": line.recv(100).decode()})

control = Control()
signal.signal(signal.SIGINT, control.interrupt)
signal.signal(signal.SIGTERM, lambda *_: control.stop())
serve(Path(sys.argv[1]), {"call": Kind(call)}, control, 60, print)
"""


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until something holds; whether it does."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def task(state: Path, id: int) -> Task:
    with closing(Queue(state)) as queue:
        found = queue.get(id)
    assert found is not None
    return found


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory, whose helper is stopped at the end."""
    monkeypatch.setenv("OPTIMIZER_HOME", str(tmp_path))
    place = tmp_path / "state"
    place.mkdir(mode=0o700)
    yield place
    assert contact.stop(place)


@pytest.fixture
def repository(make_repo: Callable[[Mapping[str, str | bytes]], Path]) -> Path:
    return make_repo({"a.py": "def f(): pass\n"})


def shown(repository: Path) -> dict[str, Any]:
    """What `optimize helper status --json` prints."""
    command = [sys.executable, "-m", "optimizer", "helper", "status", "--json"]
    found: dict[str, Any] = json.loads(subprocess.run(command, cwd=repository, check=True, capture_output=True).stdout)
    return found


def running(state: Path) -> contact.Held:
    held = contact.holder(state)
    assert held is not None
    return held


def test_it_does_what_waits_and_there_is_one(state: Path, repository: Path) -> None:
    begin(state, repository, 60)
    assert until(lambda: task(state, 1).state == "done"), (state / contact.LOG).read_text()
    assert task(state, 1).result == {"parsed": 1, "removed": 0, "unchanged": 0}
    first = running(state)
    begin(state, repository, 60)
    again = subprocess.run([sys.executable, "-m", "optimizer.worker", str(state), "60"], timeout=30)
    assert again.returncode == 0
    assert running(state) == first


def test_only_its_user_and_whoever_has_the_token_reaches_it(state: Path, repository: Path) -> None:
    begin(state, repository, 60)
    held = running(state)
    assert stat.S_IMODE((state / contact.FOLDER).stat().st_mode) == 0o700
    assert stat.S_IMODE((state / contact.FOLDER / "holder.json").stat().st_mode) == 0o600
    answer = contact.ask(held, "status")
    assert answer is not None and answer["pid"] == held.pid
    assert contact.ask(held._replace(token="0" * 32), "stop") is None
    assert contact.ask(held, "status") is not None, "it goes on"


def test_it_leaves_when_idle(state: Path, repository: Path) -> None:
    begin(state, repository, 1)
    assert until(lambda: contact.holder(state) is None)
    assert task(state, 1).state == "done"
    assert not list((state / contact.FOLDER).glob("*.sock"))


def test_one_that_was_killed_is_not_shown_and_the_next_one_goes_on(state: Path, repository: Path) -> None:
    begin(state, repository, 60)
    held = running(state)
    assert (shown(repository)["pid"], shown(repository)["answers"]) == (held.pid, True)
    os.kill(held.pid, signal.SIGKILL)
    assert until(lambda: contact.holder(state) is None, 2)
    assert (shown(repository)["pid"], shown(repository)["running"]) == (0, [])
    with closing(Queue(state)) as queue:
        assert queue.listed("running", 9) == ()
        (id,) = queue.add([NewTask(REFRESH, repository=str(repository), cached=False)])
    begin(state, repository, 60)
    assert until(lambda: task(state, id).state == "done")


def test_a_failed_attempt_is_shown_with_its_reason(state: Path, repository: Path, tmp_path: Path) -> None:
    begin(state, tmp_path / "gone", 60)
    assert until(lambda: task(state, 1).attempts == 1)
    assert str(tmp_path / "gone") in task(state, 1).detail
    now = shown(repository)
    (tried,) = [*now["waiting"], *now["running"], *now["failed"]]
    assert (tried["id"], tried["why"]) == (1, "error") and tried["attempts"] >= 1
    assert contact.holder(state) is not None, "it goes on"


@pytest.mark.parametrize("how", ["cancel", "stop"])
def test_a_call_in_flight_is_broken_off(state: Path, how: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, closing(Queue(state)) as queue:
        (id,) = queue.add([NewTask("call", {"port": silent.getsockname()[1]})])
        with subprocess.Popen([sys.executable, "-c", HANGING, str(state)]) as helper:
            silent.settimeout(20)
            line, _ = silent.accept()
            with line:
                begun = time.monotonic()
                if how == "cancel":
                    assert queue.cancel(id) == "running"
                    assert until(lambda: task(state, id).state == "cancelled", 5)
                helper.terminate()
                assert helper.wait(5) == 0
                assert time.monotonic() - begun < 5
                assert line.recv(1) == b"", "the connection is closed"
    ended = task(state, id)
    assert (ended.state, ended.attempts, ended.deaths) == (("cancelled" if how == "cancel" else "waiting"), 0, 0)
