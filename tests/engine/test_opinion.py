"""The small model that sorts requests: its call is closed and recorded when the run ends before its answer is read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import pytest

from optimizer.db import leases
from optimizer.engine.run import run
from optimizer.events import Routed
from optimizer.models.state_store import FILE
from optimizer.retrieval import Progress, Query
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

CODE = {"a.py": "def total(prices):\n    return sum(prices)\n"}


@pytest.fixture
def env(tmp_path: Path, loopback: Loopback) -> Mapping[str, str]:
    """A user whose one local model sorts requests."""
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    small = "[local]\nrouter = 'tiny:1b'\nrouter_seconds = 20\n"
    (home / "config/config.toml").write_text(
        small + loopback.config("ollama").replace("[models]", "[models]\nmemory_gib = 64")
    )
    loopback.served["ollama"] = ("tiny:1b",)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "OPTIMIZER_HOME": str(home)}


@pytest.mark.slow
def test_an_answer_that_comes_later_than_the_context_is_waited_for(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], env: Mapping[str, str], loopback: Loopback
) -> None:
    loopback.answer("ollama", lambda _: Reply(text="design 0.9", stall_at=0, stall=2))
    with open_services(Start(make_repo(CODE), env, {}), lambda _: None, lambda _: None) as services:
        flow = run(Query("explain total"), services)
        routed = next(event for event in flow if isinstance(event, Routed))
        flow.close()
        settled = [one.outcome for one in services.calls.ledger().last(9) if one.task == "sorting"]
    assert routed.task.kind == "design"
    assert settled == ["accepted"]


def test_a_run_that_is_broken_off_meanwhile_leaves_no_call_open(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], env: Mapping[str, str], loopback: Loopback
) -> None:
    loopback.answer("ollama", lambda _: Reply(text="design 0.9", stall_at=0, stall=20))

    def break_off(_: Progress) -> None:
        until = monotonic() + 20
        while not loopback.asked("ollama") and monotonic() < until:
            sleep(0.02)
        raise KeyboardInterrupt

    with open_services(Start(make_repo(CODE), env, {}), break_off, lambda _: None) as services:
        with pytest.raises(KeyboardInterrupt):
            list(run(Query("explain total"), services))
        assert [(one.model_asked, one.outcome) for one in services.calls.ledger().last(9)] == [("tiny:1b", "cancelled")]
    with closing(sqlite3.connect(Path(env["HOME"]) / "state" / FILE)) as db:
        assert not leases.held(db, 0.0)
