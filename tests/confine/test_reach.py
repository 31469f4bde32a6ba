"""Ways around a layer: the kernel's own files, links left for the next run, calls that no rule for files guards."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from optimizer.confine.run import Bounds, Layer, run
from optimizer.confine.view import Place, view
from optimizer.errors import StorageError
from optimizer.index.files import Root
from optimizer.verify.scratch import scratch
from tests.confine.test_layers import ENV, Probe, held, layer, place, probe, tried

__all__ = ["layer", "place", "probe"]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="these layers are of Linux")]


def test_settings_of_the_kernel_are_not_written(probe: Probe) -> None:
    """Root owns them, in each namespace, and needs no powers to write them: core_pattern names a program to run."""
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness"):
        assert probe(tried(f"os.close(os.open({path!r}, os.O_WRONLY))")).output.startswith("held")


def test_modes_of_devices_stay(probe: Probe, layer: Layer) -> None:
    if layer == "bwrap" and os.getuid() == 0:
        pytest.skip("bubblewrap mounts devices with what their owner may do")
    before = Path("/dev/null").stat().st_mtime_ns
    probe("import os; os.utime('/dev/null', (1, 1))")
    assert Path("/dev/null").stat().st_mtime_ns == before
    assert probe("print(open('/dev/null', 'w').write('x'))").output == "1\n"


@pytest.mark.parametrize("through", ["", "/oldroot"])
def test_links_left_for_the_next_run_are_not_followed(place: Place, layer: Layer, tmp_path: Path, through: str) -> None:
    outside, home = tmp_path / "outside", tmp_path / "home"
    outside.mkdir()
    (home / ".cargo/registry").mkdir(parents=True)
    script = f'ln -s {through}{outside} "$HOME/.cargo"'
    assert run(("sh", "-c", script), place, ENV, Bounds(20, (layer,))).code == 0
    ended = run(("ls", str(place.area / "home/.cargo")), place, {**ENV, "HOME": str(home)}, Bounds(20, (layer,)))
    assert ended.output == "registry\n"
    assert not list(outside.iterdir())


def test_datagrams_reach_no_socket_of_the_machine(probe: Probe, tmp_path: Path) -> None:
    name = str(tmp_path / "s")[-100:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(name)
        for kind in ("DGRAM", "RAW"):
            pair = f"a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_{kind})\n"
            assert held(probe, f"{pair}a.sendto(b'x', {name!r})")
            assert held(probe, f"{pair}a.connect({name!r})")


def test_shared_memory_of_others_is_not_read(probe: Probe) -> None:
    libc = ctypes.CDLL(None)
    segment = libc.shmget(0, 4096, 0o1600)
    try:
        code = f"if ctypes.CDLL(None).shmat({segment}, None, 0) == -1: raise OSError(1)"
        assert held(probe, code)
    finally:
        libc.shmctl(segment, 0, None)


def test_attributes_of_other_files_are_not_read(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    try:
        os.setxattr(tmp_path / "x", "user.origin", b"canary")
    except OSError:
        pytest.skip("this file system has no attributes")
    assert held(probe, f"os.getxattr({str(tmp_path / 'x')!r}, 'user.origin')")


def seen(place: Place, home: Path, program: Path, *folders: Path) -> set[str]:
    """What of a home is seen by a program with these folders on PATH."""
    env = {"PATH": os.pathsep.join(map(str, folders)), "HOME": str(home)}
    mounts = view(place, (str(program), *map(str, folders)), env).mounts
    return {path for mount in mounts if (path := mount.source.removeprefix(f"{home}/")) != mount.source}


def made(path: Path, text: str = "", mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_of_a_repository_on_path_programs_are_seen_alone(place: Place, tmp_path: Path) -> None:
    home = tmp_path / "home"
    tool = made(home / "work/tools/bin/tool", "#!/bin/sh\n", 0o755)
    (home / "work/tools/.git").mkdir()
    made(home / "work/scripts/run", "#!/bin/sh\n", 0o755)
    made(home / "work/scripts/key.pem")
    found = seen(place, home, tool, tool.parent, home / "work/scripts")
    assert found == {"work/tools/bin", "work/scripts/run"}


def test_what_a_script_names_is_seen_without_its_folder(place: Place, tmp_path: Path) -> None:
    home = tmp_path / "home"
    helper = made(home / ".ssh/helper.sh", "#!/bin/sh\n", 0o755)
    tool = made(home / "bin/tool", f"#!/bin/sh\nexec {helper}\n", 0o755)
    (home / "bin/linked").symlink_to(helper)
    assert seen(place, home, tool, tool.parent) == {"bin", ".ssh/helper.sh"}
    assert seen(place, home, home / "bin/linked", tool.parent) == {"bin", ".ssh/helper.sh"}


def test_an_environment_names_no_folder_without_python(place: Place, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made(home / ".aws/x")
    python = made(home / "work/env/bin/python", "", 0o755)
    made(home / "work/env/pyvenv.cfg", f"home = {home}/.aws\n")
    assert seen(place, home, python, python.parent) == {"work/env"}


def test_a_program_of_node_finds_its_packages(place: Place, layer: Layer) -> None:
    modules = place.root / "node_modules"
    made(modules / "tool/bin/tool", f"#!/bin/sh\ncat {modules}/other/kept\n", 0o755)
    made(modules / "other/kept", "kept")
    (modules / ".bin").mkdir()
    (modules / ".bin/tool").symlink_to("../tool/bin/tool")
    assert run(("node_modules/.bin/tool",), place, ENV, Bounds(20, (layer,))).output == "kept"


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
def test_no_copy_is_made_in_a_folder_of_another_user(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cache lies in the repository, copies go to the temporary folder that all users share."""
    shared = place.area / "tmp"
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    root = Root(place.root, True)
    with scratch(root, place.root / "cache", {}) as made:
        assert made.area.is_relative_to(shared)
    os.chown(made.area.parent, 65534, 65534)
    with pytest.raises(StorageError, match="another user"), scratch(root, place.root / "cache", {}):
        pass


def test_of_a_tool_below_the_configuration_only_programs_are_seen(place: Place, tmp_path: Path) -> None:
    tool = tmp_path / "home/.config/editor"
    for name in ("bin", "lib"):
        (tool / name).mkdir(parents=True)
    (tool / "authinfo").write_text("canary")
    seen = {mount.source for mount in view(place, (str(tool / "bin"),), {"HOME": str(tmp_path / "home")}).mounts}
    assert {str(tool / "bin"), str(tool / "lib")} <= seen
    assert not seen & {str(tool), str(tool / "authinfo")}


def test_a_tool_chain_outside_the_home_is_seen_whole(place: Place, tmp_path: Path) -> None:
    for name in ("bin", "src"):
        (tmp_path / "opt/go" / name).mkdir(parents=True)
    mounts = view(place, (str(tmp_path / "opt/go/bin"),), {"HOME": str(tmp_path / "home")}).mounts
    assert str(tmp_path / "opt/go") in {mount.source for mount in mounts}


def test_a_folder_of_path_that_cannot_be_looked_at_is_passed_over(place: Place) -> None:
    assert view(place, ("/" + "x" * 300 + "/bin", "/usr/bin"), ENV).mounts


def test_sources_of_the_system_are_not_seen_but_those_that_tool_chains_build(place: Place, probe: Probe) -> None:
    """A folder that users unpack into, and that only holds headers of the kernel and sources of packages."""
    probed = "optimizer-probe"
    for outer in ("/usr/src", "/usr/local/src"):
        try:
            (Path(outer) / probed).mkdir()
            (Path(outer) / probed / "notes").write_text("canary")
        except OSError:
            pytest.skip(f"{outer} is not ours to write")
        try:
            assert held(probe, f"print('out', open('{outer}/{probed}/notes').read())")
            assert held(probe, f"print('out', os.listdir('{outer}/{probed}'))")
        finally:
            shutil.rmtree(Path(outer) / probed)


def test_a_home_in_a_folder_of_the_system_is_hidden(place: Place) -> None:
    env = {**ENV, "HOME": "/usr/share/doc"}
    sources = {mount.source for mount in view(place, ("/usr/bin",), env).mounts}
    assert "/usr/share" in sources and "/usr" not in sources
    hidden = [mount.target for mount in view(place, ("/usr/bin",), env).mounts if mount.source.endswith("/empty")]
    assert hidden == ["/usr/share/doc"]
