"""A pytest plugin for `mutation.py`: the command runs in a fork, and each test notes the lines it reaches.

The end-to-end tests start the installed command as a process. Here it runs in a fork of the test process instead, from
the sources in `sys.path`: the same arguments, environment, folder and streams, without the start of an interpreter.
With REACH_OUT set, a line of JSON for each test goes to a file in that folder: its name, processor seconds, outcome,
and the lines it reached of REACH_FILES.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import select
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import pytest

FILES = [str(Path(name).resolve()) for name in filter(None, os.environ.get("REACH_FILES", "").split(os.pathsep))]
OUT = os.environ.get("REACH_OUT", "")
SECONDS = 60.0
lines: dict[str, set[int]] = {name: set() for name in FILES}
failed: set[str] = set()


def pytest_collection_finish(session: pytest.Session) -> None:
    conftest: Any = sys.modules.get("tests.e2e.conftest")
    if conftest is not None:
        conftest.Optimize.__call__ = _run_in_fork
        load("optimizer")


def load(*packages: str) -> None:
    """Import all of some packages, so that forks need not."""
    for name in packages:
        with contextlib.suppress(ImportError):
            package = importlib.import_module(name)
            for found in (
                pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}.") if name == "optimizer" else ()
            ):
                if not found.name.endswith("__main__"):
                    importlib.import_module(found.name)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note what a test reaches."""
    for reached in lines.values():
        reached.clear()
    begin = _cpu()
    _trace()
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        if OUT:
            _note(item.nodeid, _cpu() - begin)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed or report.skipped:
        failed.add(report.nodeid)


def _cpu() -> float:
    """Processor seconds of this process and its forks, which a busy machine does not change."""
    return sum(os.times()[:4])


def _note(test: str, seconds: float) -> None:
    reached = {name: sorted(found) for name, found in lines.items() if found}
    row = {"test": test, "seconds": round(seconds, 3), "ok": test not in failed, "lines": reached}
    with Path(OUT, f"{os.getpid()}.jsonl").open("a") as out:
        out.write(json.dumps(row) + "\n")


def _trace() -> None:
    if OUT:
        threading.settrace(_enter)
        sys.settrace(_enter)


def _enter(frame: FrameType, event: str, argument: Any) -> Any:
    found = lines.get(frame.f_code.co_filename)
    if found is None:
        return None
    found.add(frame.f_lineno)

    def step(frame: FrameType, event: str, argument: Any) -> Any:
        found.add(frame.f_lineno)
        return step

    return step


# ── the command in a fork ────────────────────────────────────────────────────────────────────────


def _run_in_fork(self: Any, *arguments: str, stdin: str | None = None, cwd: Path | None = None) -> Any:
    """What `Optimize.__call__` does, with a fork of this process instead of the installed command."""
    conftest: Any = sys.modules["tests.e2e.conftest"]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        given.write((stdin or "").encode())
        given.seek(0)
        notes = tempfile.NamedTemporaryFile(delete=False)  # noqa: SIM115
        pid = os.fork()
        if not pid:
            files = (
                given.fileno() if stdin is not None else os.open(os.devnull, os.O_RDONLY),
                out.fileno(),
                err.fileno(),
            )
            _child([str(conftest.COMMAND), *arguments], cwd or self.cwd, self.environment(), files, notes.name)
        code = _wait(pid)
        for name, found in json.loads(Path(notes.name).read_text() or "{}").items():
            lines[name].update(found)
        Path(notes.name).unlink()
        out.seek(0)
        err.seek(0)
        ran = conftest.Ran(code, out.read().decode(), err.read().decode())
    assert "Traceback" not in ran.err, ran.err
    return ran


def _wait(pid: int) -> int:
    handle = os.pidfd_open(pid)
    ready, _, _ = select.select([handle], [], [], SECONDS)
    os.close(handle)
    if not ready:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert ready, f"the command took longer than {SECONDS:g} s"
    return code


def _child(arguments: list[str], cwd: Path, env: dict[str, str], files: tuple[int, int, int], notes: str) -> None:
    code = 1
    try:
        for target, file in enumerate(files):
            os.dup2(file, target)
        atexit._clear()
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        sys.argv = arguments
        sys.stdin, sys.stdout, sys.stderr = (_stream(number) for number in range(3))
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _trace()
        code = _main()
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.settrace(None)
        Path(notes).write_text(json.dumps({name: sorted(found) for name, found in lines.items() if found}))
    except BaseException:  # noqa: BLE001 - a fork must never go on as a test run
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _stream(number: int) -> TextIO:
    kind = "backslashreplace" if number == 2 else "surrogateescape"
    return open(number, "r" if not number else "w", encoding="utf-8", errors=kind, closefd=False)


def _main() -> int:
    from optimizer.cli.main import main

    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0
