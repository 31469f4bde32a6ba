"""The kinds of background tasks, with the services that they need."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from optimizer.errors import StorageError
from optimizer.queue.store import Queue
from optimizer.queue.task import Done, NewTask, Task
from optimizer.tasks.contact import spawn
from optimizer.tasks.loop import Kind
from optimizer.wiring.workspace import Start

REFRESH = "refresh-index"


def kinds(env: Mapping[str, str]) -> Mapping[str, Kind]:
    """Every kind of task by its name: a further one is a row here."""
    return {REFRESH: Kind(lambda task: _refresh(task, env))}


def _refresh(task: Task, env: Mapping[str, str]) -> Done:
    """Bring the index of a repository up to date."""
    from optimizer.index.refresh import refresh
    from optimizer.wiring.services import services

    with services(Start(Path(task.repository), env, {}), lambda _: None, lambda _: None) as opened:
        done = refresh(opened.workspace.index, opened.workspace.settings, lambda _: None)
    return Done({"parsed": done.parsed, "removed": done.removed, "unchanged": done.unchanged})


def begin(state: Path, repository: Path, idle: float) -> None:
    """Start the helper of a state directory, with the index of a repository to refresh first.

    Raises StorageError where that cannot be.
    """
    with closing(Queue(state)) as queue:
        queue.add([NewTask(REFRESH, repository=str(repository), cached=False)])
    try:
        started = spawn(state, idle)
    except OSError as error:
        raise StorageError(f"cannot start the helper: {error}", "check the disk and its permissions") from error
    if started is None:
        raise StorageError("the helper did not start", "optimize helper logs")
