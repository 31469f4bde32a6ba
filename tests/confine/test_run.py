"""Commands in a scratch copy: what they see, what they cannot do, and that nothing of them is left."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from optimizer.confine.run import MAX_OUTPUT, Bounds, Ended, environment, program, run
from optimizer.confine.view import Place
from optimizer.errors import StorageError
from optimizer.index.files import Root
from optimizer.programs import search_path
from optimizer.verify import scratch as scratches
from optimizer.verify.scratch import scratch

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
FILES = {"a.py": "x = 1\n", "sub/a/c": "", "sub/b.sh": "echo b\n", ".env": "KEY=canary-1\n", ".gitignore": "ignored/\n"}
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GROQ_API_KEY": "canary-2", "SSH_AUTH_SOCK": "/canary-3"}
DAEMON = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sh", ["sh", "-c", "sleep 600; : {mark}"])
    os._exit(0)
os.wait()
"""


@pytest.fixture
def root(make_repo: Callable[[Mapping[str, str | bytes]], Path]) -> Root:
    return Root(make_repo(FILES), True)


@pytest.fixture
def place(root: Root, tmp_path: Path) -> Iterator[Place]:
    with scratch(root, tmp_path / "cache", {}) as made:
        yield made


@pytest.fixture
def mark() -> str:
    """A word that only the processes of this test have on their command line."""
    return f"mark-{uuid.uuid4().hex}"


def alive(mark: str) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in line:
                found.append(line.decode())
    return found


def gone(mark: str, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while alive(mark) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(mark)


def sh(script: str, place: Place, seconds: float = 20.0) -> Ended:
    return run(("sh", "-c", script), place, ENV, Bounds(seconds))


# ── the copy ─────────────────────────────────────────────────────────────────────────────────────


def test_the_copy_holds_what_git_does_not_ignore_with_the_patch_in_it(root: Root, tmp_path: Path) -> None:
    (root.path / "ignored").mkdir()
    (root.path / "ignored/x").write_text("")
    (root.path / "untracked").write_text("u")
    (root.path / "sub/b.sh").chmod(0o755)
    (root.path / "link").symlink_to("a.py")
    contents = {"a.py": b"x = 2\n", "sub/b.sh": b"echo c\n", "new/deep.py": b"", "untracked": None}
    with scratch(root, tmp_path / "cache", contents) as place:
        found = {p.relative_to(place.tree).as_posix(): p.read_bytes() for p in place.tree.rglob("*") if p.is_file()}
        new = {"a.py": b"x = 2\n", "sub/b.sh": b"echo c\n", "new/deep.py": b""}
        assert found == {**new, "sub/a/c": b"", ".gitignore": b"ignored/\n"}
        assert os.access(place.tree / "sub/b.sh", os.X_OK)
        assert not place.area.is_relative_to(root.path)
    assert not place.area.exists()
    assert (root.path / "a.py").read_text() == "x = 1\n"


def test_a_copy_that_was_left_behind_is_swept_and_one_in_use_is_not(root: Root, tmp_path: Path) -> None:
    left = tmp_path / "cache/scratch/left"
    left.mkdir(parents=True)
    (left / "lock").write_text("")
    with scratch(root, tmp_path / "cache", {}) as one, scratch(root, tmp_path / "cache", {}) as other:
        assert not left.exists()
        assert (one.tree / "a.py").exists()
        assert (other.tree / "a.py").exists()


WITHOUT_RIGHTS = """
import os, sys
from pathlib import Path
from optimizer.index.files import Root
from optimizer.programs import search_path
from optimizer.verify.scratch import scratch
with scratch(Root(Path(sys.argv[1]), True), Path(sys.argv[2]), {}) as place:
    (place.tree / "link").symlink_to(sys.argv[3])
    for folder in ("sub/a", "sub", "."):
        (place.tree / folder).chmod(0)
print(place.area.exists(), oct(os.stat(sys.argv[3]).st_mode)[-3:])
"""


@linux
def test_a_copy_whose_folders_lost_their_rights_is_removed_too(root: Root, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o755)
    mortal = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    words = [*mortal, sys.executable, "-c", WITHOUT_RIGHTS, str(root.path), str(tmp_path / "cache"), tmp_path / "kept"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "755"]


def test_a_cache_within_the_repository_is_not_used(root: Root) -> None:
    with scratch(root, root.path / "cache", {}) as place:
        assert not place.area.is_relative_to(root.path)


def test_what_is_too_large_is_refused(root: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratches, "MAX_BYTES", 3)
    with pytest.raises(StorageError, match=r"\b3\b"), scratch(root, tmp_path / "cache", {}):
        pass
    assert not list((tmp_path / "cache/scratch").iterdir())


@linux
def test_copies_are_asked_to_be_placed_apart_where_the_file_system_can(root: Root, tmp_path: Path) -> None:
    with scratch(root, tmp_path / "cache", {}):
        pass
    told = subprocess.run(["lsattr", "-d", tmp_path / "cache/scratch"], capture_output=True, text=True, check=False)
    if told.returncode != 0 or "e" not in told.stdout.split()[0]:
        pytest.skip("not ext4, or no lsattr")
    assert "T" in told.stdout.split()[0]


@linux
def test_a_file_system_that_cannot_place_copies_apart_takes_them_all_the_same(root: Root) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory, scratch(root, Path(memory), {}) as place:
        assert (place.tree / "a.py").read_text() == "x = 1\n"


def test_a_command_that_cannot_be_started_says_why(place: Place) -> None:
    (place.root / "broken").write_text("#!/nonexistent/interpreter\n")
    (place.root / "broken").chmod(0o755)
    ended = run(("./broken",), place, ENV, Bounds(20.0))
    assert ended.code is None
    assert os.strerror(errno.ENOENT) in ended.missing


# ── what a command sees ──────────────────────────────────────────────────────────────────────────


def test_no_key_of_the_user_reaches_a_command(place: Place) -> None:
    ended = sh("env; cat .env; echo end", place)
    assert ended.code == 0
    assert "end" in ended.output
    assert "canary" not in ended.output
    assert f"HOME={place.area}/home" in ended.output
    assert f"TMPDIR={place.area}/tmp" in ended.output
    assert not any("canary" in value for value in environment(place, ENV, sources=True).values())


def test_standard_input_is_empty_and_the_code_is_told(place: Place) -> None:
    ended = sh("cat; exit 3", place)
    assert (ended.code, ended.output, ended.timed_out) == (3, "", False)


@pytest.mark.slow
def test_output_is_capped_in_the_middle(place: Place) -> None:
    ended = sh("echo first; yes | head -c 3000000; echo last", place)
    assert ended.output.startswith("first\n")
    assert "last\n" in ended.output[-200:]
    assert re.search(r"\n\[\d,\d{3},\d{3} .*\]\n", ended.output)
    assert len(ended.output) < 3 * MAX_OUTPUT


# ── which program runs ───────────────────────────────────────────────────────────────────────────


def test_programs_of_the_repository_are_not_on_the_path(root: Root, tmp_path: Path) -> None:
    for name in ("git", "onlyhere"):
        (root.path / name).write_text("#!/bin/sh\necho hostile\n")
        (root.path / name).chmod(0o755)
    env = {**ENV, "PATH": os.pathsep.join([".", "", str(root.path), ENV["PATH"]])}
    assert str(root.path) not in search_path(root.path, env).split(os.pathsep)
    assert program("onlyhere", root.path, env) is None
    with scratch(root, tmp_path / "cache", {}) as place:
        assert "hostile" not in run(("git", "--version"), place, env, Bounds(20)).output
        ended = run(("onlyhere",), place, env, Bounds(20))
        assert "onlyhere" in ended.missing and ended.layer is None, "it never ran"
        assert run(("./onlyhere",), place, env, Bounds(20)).output == "hostile\n"  # named as such


@pytest.mark.slow
def test_modules_of_the_copy_shadow_none_of_a_tool(root: Root, tmp_path: Path) -> None:
    with scratch(root, tmp_path / "cache", {"tomllib.py": b"print('hostile')\n"}) as place:
        words = (sys.executable, "-m", "json.tool", "--help")
        assert "hostile" not in run((sys.executable, "-c", "import tomllib"), place, ENV, Bounds(20)).output
        assert run(words, place, ENV, Bounds(20)).code == 0
        assert "hostile" in run((sys.executable, "-c", "import tomllib"), place, ENV, Bounds(20), sources=True).output


@pytest.mark.parametrize(
    ("env", "home"),
    [
        ({"HOME": "/home/a"}, "/home/a"),
        ({"USERPROFILE": "/home/b"}, "/home/b"),
        ({"HOME": "/home/a", "USERPROFILE": "/home/b"}, "/home/a"),
        ({}, ""),
    ],
)
def test_what_the_user_installed_is_found_below_the_real_home(place: Place, env: Mapping[str, str], home: str) -> None:
    made = environment(place, env, sources=False)
    assert made["PYTHONUSERBASE"] == f"{home}/.local"
    assert made["RUSTUP_HOME"] == f"{home}/.rustup"
    assert made["GOMODCACHE"] == f"{home}/go/pkg/mod"


# ── the end ──────────────────────────────────────────────────────────────────────────────────────


@linux
@pytest.mark.slow
def test_a_command_that_hangs_is_killed_with_its_children(place: Place, mark: str) -> None:
    ended = sh(f"sh -c 'sleep 600; : {mark}' & setsid sh -c 'sleep 600; : {mark}' & sleep 600; : {mark}", place, 1.0)
    assert ended.timed_out
    assert ended.code is None
    assert alive(mark) == []


@linux
@pytest.mark.slow
def test_a_daemon_is_no_orphan(place: Place, mark: str) -> None:
    ended = run((sys.executable, "-c", DAEMON.replace("{mark}", mark)), place, ENV, Bounds(20))
    assert ended.code == 0
    assert alive(mark) == []


def test_a_running_command_is_looked_at_now_and_then(place: Place) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_nvcsw
    assert sh("sleep 0.5", place).code == 0
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_nvcsw - before < 500, "or else it never rests"


IN_A_GROUP = """
import os, signal, sys
from pathlib import Path
from optimizer.confine.run import Bounds, run
from optimizer.confine.view import Place
signal.signal(signal.SIGINT, signal.SIG_IGN)
place = Place(Path(sys.argv[1]), Path(sys.argv[2]))
script = f"kill -INT -{os.getpgid(0)}; sleep 0.3; echo on"
ended = run(("sh", "-c", script), place, dict(os.environ), Bounds(20, ("none",)))
print(ended.code, ended.output)
"""


def test_an_interrupt_at_the_terminal_reaches_the_caller_alone(place: Place) -> None:
    """The caller decides: two of them in a row would end the supervisor while it is ending the command."""
    words = [sys.executable, "-c", IN_A_GROUP, str(place.root), str(place.area)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, start_new_session=True)
    assert done.stdout.split() == ["0", "on"]


CALLER = """
import sys, os
from pathlib import Path
from optimizer.index.files import Root
from optimizer.confine.run import Bounds, run
from optimizer.verify.scratch import scratch
with scratch(Root(Path(sys.argv[1]), True), Path(sys.argv[2]), {}) as place:
    print("ready", flush=True)
    script = "setsid sh -c 'sleep 600; : " + sys.argv[3] + "' & sleep 600"
    run(("sh", "-c", script), place, dict(os.environ), Bounds(600))
"""


@linux
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_when_the_caller_ends_so_do_its_commands(root: Root, tmp_path: Path, mark: str, number: signal.Signals) -> None:
    cache = tmp_path / "cache"
    words = [sys.executable, "-c", CALLER, str(root.path), str(cache), mark]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"ready\n"
        end = time.monotonic() + 20
        while len(alive(mark)) < 3 and time.monotonic() < end:  # the caller, the supervisor and the sleeper
            time.sleep(0.05)
        time.sleep(0.2)
        caller.send_signal(number)
        caller.wait(20)
    assert gone(mark)
    if number == signal.SIGINT:
        assert not list((cache / "scratch").iterdir())
    with scratch(root, cache, {}) as place:
        assert list((cache / "scratch").iterdir()) == [place.area]
