"""The layer of macOS: what its profile says, how it is started, and, on macOS, the probes of every layer."""

from __future__ import annotations

import marshal
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from optimizer.confine import seatbelt
from optimizer.confine.run import Bounds, Layer, run
from optimizer.confine.view import Place, view
from tests.confine.test_layers import (
    ENV,
    Probe,
    held,
    place,
    probe,
    test_a_folder_that_the_user_names_is_read,
    test_endless_output_is_ended,
    test_installed_packages_are_seen_in_the_copy_and_not_written,
    test_no_other_file_is_read,
    test_no_other_file_is_written_moved_or_removed,
    test_no_other_folder_is_listed,
    test_servers_on_this_machine_are_out_of_reach,
    test_the_copy_the_home_and_the_temporary_folder_may_be_written,
    test_the_disk_is_bounded,
    test_the_network_is_out_of_reach,
)

__all__ = [
    "place",
    "probe",
    "test_a_folder_that_the_user_names_is_read",
    "test_endless_output_is_ended",
    "test_installed_packages_are_seen_in_the_copy_and_not_written",
    "test_no_other_file_is_read",
    "test_no_other_file_is_written_moved_or_removed",
    "test_no_other_folder_is_listed",
    "test_servers_on_this_machine_are_out_of_reach",
    "test_the_copy_the_home_and_the_temporary_folder_may_be_written",
    "test_the_disk_is_bounded",
    "test_the_network_is_out_of_reach",
]
pytestmark = pytest.mark.slow
Form = list["Form"] | str
_WORD = re.compile(r'\s*(?:([()])|#?"((?:[^"\\]|\\.)*)"|([^\s()"]+))', re.S)


@pytest.fixture
def layer() -> Layer:
    """The layer that the probes run in; on another system there is none to be tried."""
    if sys.platform != "darwin":
        pytest.skip("Seatbelt is of macOS")
    return "seatbelt"


# ── the profile ──────────────────────────────────────────────────────────────────────────────────


def parsed(text: str) -> list[Form]:
    """The forms of a profile; fails where its brackets or its quotes do not match."""
    stack: list[list[Form]] = [[]]
    at = 0
    while found := _WORD.match(text, at):
        at = found.end()
        if found[1] == "(":
            stack.append([])
        elif found[1] == ")":
            stack[-2].append(stack.pop())
        else:
            stack[-1].append(found[3] if found[2] is None else re.sub(r"\\(.)", r"\1", found[2]))
    assert not text[at:].strip()
    (forms,) = stack
    return forms


def allows(forms: list[Form], operation: str, path: str) -> bool:
    """What a profile decides about a path: the last rule that fits."""
    decision = False
    for form in forms:
        if isinstance(form, list) and form[0] in ("allow", "deny") and operation in form:
            filters = [one for one in form[2:] if isinstance(one, list)]
            if not filters or any(_fits(one, path) for one in filters):
                decision = form[0] == "allow"
    return decision


def _fits(condition: list[Form], path: str) -> bool:
    match condition:
        case ["literal", str(given)]:
            return path == given
        case ["subpath", str(given)]:
            return path == given or path.startswith(f"{given}/")
    return False


AREA = "/private/cache/area"
MOUNTS = [
    ("/usr/share", "/usr/share", False),
    (f"{AREA}/tmp", "/tmp", True),
    (f"{AREA}/empty", "/usr/share/me", False),
    ("/usr/share/me/tool/bin", "/usr/share/me/tool/bin", False),
    (f"{AREA}/tree", f"{AREA}/tree", True),
    ("/Users/me/a/node_modules", f"{AREA}/tree/node_modules", False),
]


@pytest.fixture
def forms() -> list[Form]:
    return parsed(seatbelt.profile(MOUNTS, [("/usr/share/link", "x")], AREA))


@pytest.mark.parametrize(
    ("path", "reads", "writes"),
    [
        ("/usr/share/x", True, False),
        ("/usr/share/me/secret", False, False),
        ("/usr/share/me/tool/bin/x", True, False),
        (f"{AREA}/tree/a.py", True, True),
        (f"{AREA}/tmp/x", True, True),
        (f"{AREA}/lock", False, False),
        ("/tmp/x", False, False),
        ("/Users/me/a/node_modules/x", True, False),
        ("/Users/me/a/.env", False, False),
        ("/Users/me/Library/Keychains/login.keychain-db", False, False),
    ],
)
def test_a_path_is_read_and_written_as_the_view_has_it(forms: list[Form], path: str, reads: bool, writes: bool) -> None:
    assert allows(forms, "file-read*", path) is reads
    assert allows(forms, "file-write*", path) is writes


def test_all_else_is_denied(forms: list[Form]) -> None:
    assert forms[:2] == [["version", "1"], ["deny", "default"]]
    after = forms[forms.index(["import", "system.sb"]) :]
    assert {"network*", "sysctl-read"} <= {str(form[1]) for form in after if form[0] == "deny"}
    allowed = [form for form in after if form[0] == "allow"]
    whole = {str(one) for form in allowed if all(isinstance(one, str) for one in form) for one in form[1:]}
    assert whole == {"process-exec", "process-fork", "mach-host*", "ipc-posix-sem", "pseudo-tty"}
    sockets = [form for form in allowed if any(str(one).startswith("network") for one in form)]
    assert sockets and all("unix-socket" in form[-1] and AREA in str(form[-1]) for form in sockets)


@pytest.mark.parametrize("name", ['a"b', "a\\b", 'a\\"b', "a (b) ; c", '") (allow default) ("', "a\nb", "ä"])
def test_no_name_of_a_folder_ends_its_rule(name: str) -> None:
    forms = parsed(seatbelt.profile([(f"/x/{name}", f"/x/{name}", False)], [(f"/{name}", "t")], AREA))
    assert allows(forms, "file-read*", f"/x/{name}/file")
    assert allows(forms, "file-read*", f"/{name}")
    assert not allows(forms, "file-read*", "/x/other")
    assert ["allow", "default"] not in forms


def test_each_mount_of_a_real_view_is_in_its_profile(place: Place) -> None:
    seen = view(place, (sys.executable, "/usr/bin"), ENV)
    forms = parsed(seatbelt.profile(seen.mounts, seen.links, os.path.realpath(place.area)))
    for mount in seen.mounts:
        assert allows(forms, "file-read*", mount.source), mount
        assert allows(forms, "file-write*", mount.source) is mount.writable, mount
    assert not allows(forms, "file-read*", str(place.root / "a.py"))


# ── how it is started ────────────────────────────────────────────────────────────────────────────

STAND_IN = """#!/bin/sh
[ "$1" = -p ] && [ "$3" = -- ] || exit 64
case "$2" in "(version 1)
(deny default)"*) printf %s "$2" > "$0.profile" ;; *) exit 65 ;; esac
shift 3
exec "$@"
"""
SUPERVISE = "import sys; from optimizer.confine.supervise import main; main(sys.argv[1:])"


def supervised(place: Place, words: list[str], program: str) -> tuple[str, Mapping[str, str]]:
    """What words print under a program in place of `sandbox-exec`, and the supervisor's report."""
    seen = view(place, (words[0],), ENV)
    order = {"words": words, "cwd": str(place.tree), "seconds": 20.0, "area": str(place.area), "bwrap": ""}
    order |= {"mounts": [tuple(one) for one in seen.mounts], "links": list(seen.links), "layers": ["seatbelt"]}
    order |= {"seatbelt": program, "most": {"processes": 100, "disk": 10**9}}
    packed = marshal.dumps(order)
    reading, writing = os.pipe()
    command = [sys.executable, "-c", SUPERVISE, str(writing)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(writing,), text=False
    ) as supervisor:
        os.close(writing)
        assert supervisor.stdin is not None and supervisor.stdout is not None
        supervisor.stdin.write(len(packed).to_bytes(8, "little") + packed)
        supervisor.stdin.flush()
        output = supervisor.stdout.read().decode()
    with os.fdopen(reading) as report:
        return output, dict(line.split(" ", 1) for line in report.read().splitlines())


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[Path]:
    program = tmp_path / "sandbox-exec"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    yield program


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script of sh")
def test_a_command_is_started_by_the_program_with_its_profile(place: Place, stand_in: Path) -> None:
    (place.root / "node_modules").mkdir()
    (place.root / "node_modules/kept").write_text("of it")
    for name in ("home", "tmp", "empty"):
        (place.area / name).mkdir(exist_ok=True)
    output, report = supervised(place, ["/bin/sh", "-c", "pwd; cat node_modules/kept; exit 3"], str(stand_in))
    assert report == {"layer": "seatbelt", "code": "3"}
    assert output == f"{place.tree}\nof it"
    forms = parsed(Path(f"{stand_in}.profile").read_text())
    assert allows(forms, "file-write*", str(place.tree / "a.py"))
    assert not allows(forms, "file-read*", str(place.root / "a.py"))


def test_without_the_program_nothing_runs(place: Place) -> None:
    output, report = supervised(place, ["/bin/sh", "-c", "echo ran"], "")
    assert (output, report) == ("", {"unconfined": "1"})


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has it")
def test_no_other_system_has_this_layer(place: Place) -> None:
    ended = run(("true",), place, ENV, Bounds(20, ("seatbelt",)))
    assert ended.unconfined and ended.layer is None


# ── on macOS alone ───────────────────────────────────────────────────────────────────────────────


def test_the_layer_is_to_be_had(place: Place, layer: Layer) -> None:
    ended = run(("true",), place, ENV, Bounds(20, (layer,)))
    assert (ended.layer, ended.code) == (layer, 0), ended


def test_other_processes_are_not_signalled(probe: Probe) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        assert held(probe, f"os.kill({other.pid}, 0)")
        other.kill()


def test_sockets_of_the_machine_are_out_of_reach(probe: Probe, tmp_path: Path) -> None:
    os.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        server.listen()
        assert held(probe, f"os.chdir({str(tmp_path)!r})\ns = socket.socket(socket.AF_UNIX)\ns.connect('s')")


def test_the_environment_of_other_processes_is_not_read(probe: Probe) -> None:
    with subprocess.Popen(["sleep", "60"], env={"KEY": "canary"}) as other:
        code = f"import subprocess; print(subprocess.run(['ps', 'eww', '{other.pid}'], capture_output=True).stdout)"
        assert "canary" not in probe(code).output
        other.kill()
