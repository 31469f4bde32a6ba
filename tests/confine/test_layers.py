"""What a command can reach from each layer that confines it; without the layer, each of these probes gets out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from optimizer.confine.run import LAYERS, Bounds, Ended, Layer, run
from optimizer.confine.view import Place
from optimizer.index.files import Root
from optimizer.verify.scratch import scratch

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="these layers are of Linux")]
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


@pytest.fixture
def place(make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path) -> Iterator[Place]:
    root = Root(make_repo({"a.py": "x = 1\n"}), True)
    with scratch(root, tmp_path / "cache", {}) as made:
        yield made


@pytest.fixture(params=[layer for layer in LAYERS if layer != "seatbelt"])
def layer(request: pytest.FixtureRequest, place: Place) -> Layer:
    chosen: Layer = request.param
    if run(("true",), place, ENV, Bounds(20, (chosen,))).unconfined:
        pytest.skip(f"this system has no {chosen}")
    return chosen


@pytest.fixture
def probe(place: Place, layer: Layer) -> Callable[..., Ended]:
    """Run code of Python in the layer, or in another."""

    def ran(code: str, chosen: Layer = layer, **bounds: int) -> Ended:
        return run((sys.executable, "-c", code), place, ENV, Bounds(20, (chosen,), **bounds))  # type: ignore[arg-type]

    return ran


Probe = Callable[..., Ended]


def tried(code: str) -> str:
    """Code that prints `out` if it could be done, and `held` with the reason otherwise."""
    body = "".join(f"    {line}\n" for line in code.splitlines())
    return f"import os, socket, ctypes\ntry:\n{body}    print('out')\nexcept OSError as e: print('held', e.errno)\n"


def held(probe: Probe, code: str) -> bool:
    """Whether code is held by the layer, and would get out without one."""
    inside, control = probe(tried(code)), probe(tried(code), "none")
    assert control.output.startswith("out"), control.output
    return inside.code == 0 and inside.output.startswith("held")


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def test_the_copy_the_home_and_the_temporary_folder_may_be_written(probe: Probe) -> None:
    code = (
        "import tempfile, pathlib\npathlib.Path('new').write_text('in')\n(pathlib.Path.home() / 'x').touch()\n"
        "pathlib.Path('sub').mkdir()\npathlib.Path('new').rename('sub/new')\ntempfile.TemporaryFile().write(b'1')\n"
        "print(open('sub/new').read())"
    )
    assert probe(code).output == "in\n"


def test_no_other_file_is_read(probe: Probe, tmp_path: Path, place: Place) -> None:
    (tmp_path / "notes").write_text("canary")
    (place.root / ".env").write_text("canary")
    for path in (tmp_path / "notes", place.root / ".env", place.root / "a.py", place.area / "lock"):
        assert held(probe, f"print('out', open({str(path)!r}).read())")


def test_no_other_folder_is_listed(probe: Probe, tmp_path: Path, place: Place) -> None:
    (tmp_path / "canary").touch()
    assert held(probe, f"os.listdir({str(place.root)!r})")
    assert "canary" not in probe(f"import os; print(os.listdir({str(tmp_path)!r}))").output


def test_no_other_file_is_written_moved_or_removed(probe: Probe, tmp_path: Path, place: Place) -> None:
    (tmp_path / "kept").write_text("kept")
    for path in (tmp_path, place.root):
        probe(f"open({str(path / 'new')!r}, 'w')")
        assert not (path / "new").exists()
        probe(f"open({str(path / 'new')!r}, 'w')", "none")
        assert (path / "new").exists()
    for code in (f"os.truncate({str(tmp_path / 'kept')!r}, 4)", f"os.link({str(tmp_path / 'kept')!r}, 'linked')"):
        assert held(probe, code)
    (tmp_path / "kept").write_text("kept")
    probe(f"import os; os.chmod({str(tmp_path / 'kept')!r}, 0)")
    probe(f"import os; os.utime({str(tmp_path / 'kept')!r}, (0, 0))")
    found = (tmp_path / "kept").stat()
    assert found.st_mode & 0o777 and found.st_mtime > 0
    probe(f"import os; os.remove({str(tmp_path / 'kept')!r})")
    assert (tmp_path / "kept").read_text() == "kept"


def test_tools_of_the_system_are_read_and_not_written(probe: Probe) -> None:
    code = "import os; print(os.access('/usr/bin/env', os.X_OK), flush=True); open('/usr/optimizer-probe', 'w')"
    assert probe(code).output.startswith("True\n")
    assert not Path("/usr/optimizer-probe").exists()


def test_installed_packages_are_seen_in_the_copy_and_not_written(tmp_path: Path, layer: Layer) -> None:
    root = tmp_path / "other"
    root.mkdir()
    subprocess.run(["git", "init", "-q", root], check=True)
    (root / ".gitignore").write_text("node_modules\n.venv\n")
    for name in ("node_modules", ".venv"):
        (root / name).mkdir()
        (root / name / "kept").write_text(name)
    script = "cat node_modules/kept .venv/kept; touch .venv/new; echo; touch node_modules/new"
    with scratch(Root(root, True), tmp_path / "cache", {}) as place:
        ended = run(("sh", "-c", script), place, ENV, Bounds(20, (layer,)))
    assert ended.output.startswith("node_modules.venv")
    assert not list(root.glob("*/new"))


def test_a_folder_that_the_user_names_is_read(place: Place, layer: Layer, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library/x").write_text("x of it")
    words = ("cat", str(tmp_path / "library/x"))
    assert "x of it" not in run(words, place, ENV, Bounds(20, (layer,))).output
    assert run(words, place, ENV, Bounds(20, (layer,), (str(tmp_path / "library"),))).output == "x of it"


# ── processes ────────────────────────────────────────────────────────────────────────────────────


def test_other_processes_are_neither_read_nor_signalled(probe: Probe) -> None:
    with subprocess.Popen(["sleep", "60"], env={"KEY": "canary"}) as other:
        assert "canary" not in probe(f"print(open('/proc/{other.pid}/environ').read())").output
        assert probe(tried(f"open('/proc/{other.pid}/mem', 'rb')")).output.startswith("held")
        assert held(probe, f"os.kill({other.pid}, {signal.SIGCONT.value})")
        probe(f"import os; os.kill({other.pid}, {signal.SIGKILL.value})")
        probe(f"import os; os.kill({os.getpid()}, {signal.SIGKILL.value})")
        assert other.poll() is None
        other.kill()


def test_what_supervises_a_command_cannot_be_ended_by_it(probe: Probe) -> None:
    ended = probe("import os\nfor p in (os.getppid(), 1, -1):\n try: os.kill(p, 9)\n except OSError: pass\nprint('on')")
    assert ended.code != 0 or ended.output == "on\n"
    assert ended.layer


def test_what_supervises_a_command_cannot_be_traced(probe: Probe) -> None:
    code = tried("assert ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0 or exec('raise OSError(1)')")
    assert probe(code).output.startswith("held")


def test_a_command_has_no_powers_and_gains_none(probe: Probe, layer: Layer) -> None:
    code = (
        "import ctypes\nlibc = ctypes.CDLL(None)\nprint([libc.prctl(23, n, 0, 0, 0) for n in range(41)].count(1),"
        " libc.prctl(39, 0, 0, 0, 0), libc.unshare(0x10000000), libc.unshare(0x00020000))"
    )
    powers, *rest = probe(code).output.split()
    assert rest == ["1", "-1", "-1"]
    assert powers == "0" or (layer == "landlock" and os.getuid() != 0), "only root can give up what nobody has"
    assert probe(code, "none").output.split()[2:] != ["-1", "-1"]


def test_the_keys_of_the_kernel_are_out_of_reach(probe: Probe) -> None:
    number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
    code = f"import ctypes; print(ctypes.CDLL(None, use_errno=True).syscall({number}, 0, -3, 0), ctypes.get_errno())"
    assert probe(code).output.split()[0] == "-1"


# ── sockets ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("abstract", [False, True])
def test_sockets_of_the_machine_are_out_of_reach(probe: Probe, tmp_path: Path, *, abstract: bool) -> None:
    name = f"\0{tmp_path}" if abstract else str(tmp_path / "s")[-100:]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        assert held(probe, f"s = socket.socket(socket.AF_UNIX)\ns.connect({name!r})")


def test_servers_on_this_machine_are_out_of_reach(probe: Probe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = threading.Thread(target=server.accept, daemon=True)
        accepted.start()
        assert held(probe, f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5)")


def test_the_network_is_out_of_reach(probe: Probe) -> None:
    code = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))"
    assert probe(tried(code)).output.startswith("held")
    assert probe(tried("socket.create_connection(('192.0.2.1', 9), 5)")).output.startswith("held")


def test_a_server_of_a_test_works_on_loopback(probe: Probe, layer: Layer) -> None:
    code = "a = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(a.getsockname())"
    assert probe(tried(code)).output.startswith("held" if layer == "landlock" else "out")


def test_a_pair_of_sockets_works(probe: Probe) -> None:
    assert probe(tried("a, b = socket.socketpair()\na.send(b'x')\nassert b.recv(1) == b'x'")).output == "out\n"


# ── limits ───────────────────────────────────────────────────────────────────────────────────────


def test_memory_is_bounded(probe: Probe) -> None:
    ended = probe("x = bytearray(300_000_000)\nimport time; time.sleep(10)", memory=100_000_000)
    assert (ended.exceeded, ended.code) == ("memory", None)
    shared = "import os, time\nf = os.memfd_create('x')\nfor _ in range(300): os.write(f, b'x' * 10**6)\ntime.sleep(10)"
    assert probe(shared, memory=100_000_000).exceeded == "memory"


def test_processes_are_bounded(probe: Probe) -> None:
    code = "import os, time\nfor _ in range(60):\n if os.fork() == 0: time.sleep(10); os._exit(0)\ntime.sleep(10)"
    ended = probe(code, processes=20)
    assert ended.exceeded == "processes" or "BlockingIOError" in ended.output


def test_the_disk_is_bounded(probe: Probe) -> None:
    code = (
        "import time\nfor n in range(40):\n with open(f'f{n}', 'wb') as f: f.write(b'x' * 5_000_000); f.flush()\n"
        "import os; os.sync(); time.sleep(10)"
    )
    assert probe(code, disk=50_000_000).exceeded == "disk"
    large = probe("open('f', 'wb').write(b'x' * 60_000_000)", disk=50_000_000)
    assert "File too large" in large.output or large.exceeded == "disk"


def test_endless_output_is_ended(probe: Probe) -> None:
    assert probe("while True: print('x' * 100_000)").exceeded == "output"


# ── the choice of a layer ────────────────────────────────────────────────────────────────────────


def test_nothing_runs_where_no_layer_is_to_be_had(place: Place, tmp_path: Path) -> None:
    ended = run(("touch", str(place.tree / "ran")), place, ENV, Bounds(20, ()))
    assert (ended.unconfined, ended.code, ended.layer) == (True, None, None)
    assert not (place.tree / "ran").exists()


WITHOUT_NAMESPACES = """
import os, sys
from pathlib import Path
from tests.confine.test_layers import Bounds, Place, run, ENV
place = Place(Path(sys.argv[1]), Path(sys.argv[2]))
print(run(("sh", "-c", f"cat {sys.argv[3]}; touch {sys.argv[3]}2"), place, ENV, Bounds(20)))
"""


def test_without_namespaces_landlock_holds(place: Place, tmp_path: Path) -> None:
    if run(("true",), place, ENV, Bounds(20, ("landlock",))).unconfined:
        pytest.skip("this system has no Landlock")
    (tmp_path / "notes").write_text("canary")
    limits = "echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_mnt_namespaces"
    words = [sys.executable, "-c", WITHOUT_NAMESPACES, str(place.root), str(place.area), str(tmp_path / "notes")]
    script = ["unshare", "-Ur", "sh", "-c", f'{limits} && exec "$@"', "sh", *words]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip("this system does not allow namespaces")
    assert "layer='landlock'" in done.stdout, done.stderr
    assert "canary" not in done.stdout
    assert not (tmp_path / "notes2").exists()
