"""How a command line ends that cannot be read, or whose output is no longer read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.cli.main import main


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "optimizer", "config", "path"]
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait(60) == 0


@pytest.mark.parametrize("argv", [["log", "--transcript"], ["context", "total", "--top"]])
def test_an_option_without_its_argument_points_to_the_help_of_its_command(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert f"optimize {argv[0]} --help" in capsys.readouterr().err


def test_the_nearest_option_is_suggested_first(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--jsn", "total"])
    err = capsys.readouterr().err
    assert 0 < err.index("--json") < err.index("--yes")


def test_an_interrupt_while_the_program_is_loaded_shows_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nwhile True: pass\n")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    command = [sys.executable, "-m", "optimizer", "--help"]
    done = subprocess.run(command, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (130, "")


def test_an_interrupt_within_the_import_system_waits_until_it_is_left(tmp_path: Path) -> None:
    (tmp_path / "caught.py").write_text("import sys\nFRAME = sys._getframe(1)  # a frame of the import system\n")
    script = f"""
import signal, sys, time
sys.path.insert(0, {str(tmp_path)!r})
from optimizer.cli import ending
import caught
ending.listen()
signal.getsignal(signal.SIGINT)(signal.SIGINT, caught.FRAME)
print("waits")
try:
    time.sleep(20)
    print("slept")
except KeyboardInterrupt:
    print("came")
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["waits", "came"]
