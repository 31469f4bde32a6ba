"""Attacks on the path of an edit: none leads outside, into git's files, or to anything but a regular file."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.edits.paths import check_path, resolve
from optimizer.edits.write import recover, write
from optimizer.errors import Conflict, SafetyRefused, StorageError
from optimizer.types import FileChange, Patch

REFUSED = [
    "", "/etc/passwd", "//host/share", "~/x", "~root/x", "../x", "a/../../x", "a/../b", "..", ".", "./", "a/", "C:\\x",
    "c:/x", "C:x", "\\\\?\\C:\\x", "\\\\host\\x", "a\\b", "a\0b", "a\nb", "a\x1b[31mb", "a\u202eb", "a\u2028b",
    "a\udc80b", "x" * 4097, "y" * 300, ".git", ".git/config", ".GIT/config", "a/.Git/hooks/x", ".git.", ".git ",
    ".git./x",
    "GIT~1/x",
    ".git::$INDEX_ALLOCATION/x", ".g\u200cit/x", "．git/x", ".env", ".env.local", "a/.ENV", ".envrc", "a/b.", "a/b ",
    "../repo-evil/x", "/repo-evil/x", "a/./../../x", "file://x/../..", "./.git/config", "a//.git/x",
]  # fmt: skip


@pytest.mark.parametrize("path", REFUSED)
def test_refused(path: str) -> None:
    with pytest.raises(SafetyRefused) as raised:
        check_path(path)
    assert "\x1b" not in raised.value.message
    assert len(raised.value.message) < 1000


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("a/./b//c.py", "a/b/c.py"),
        ("./a", "a"),
        *[(path, path) for path in (".gitignore", ".github/w.yml", "-x", 'q"uote', "a b", "naïve.py", "..a/b..c")],
    ],
)
def test_allowed(path: str, normal: str) -> None:
    assert check_path(path) == normal


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(["..", ".", "", "a", ".git", "~", "\\", "C:", "b c", ".env", "é", "\0"]), max_size=6))
def test_what_is_allowed_stays_inside(parts: list[str]) -> None:
    try:
        path = check_path("/".join(parts))
    except SafetyRefused:
        return
    assert os.path.normpath(os.path.join("/repo", path)) == f"/repo/{path}"  # noqa: PTH118
    assert not {".git", "..", ".env"} & set(path.split("/"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "src").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("[core]\n")
    (root / "src" / "a.py").write_text("x = 1\n")
    (root / "ReadMe").write_text("hello\n")
    (tmp_path / "repo-evil").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret\n")
    return root


def test_links_and_odd_files_are_refused(place: Path) -> None:
    links = {
        "out": "../outside/secret", "dir": "../outside", "gone": "nowhere", "loop": "loop", "config": ".git/config",
        "gitdir": ".git", "evil": "../repo-evil", "proc": "/proc/self",
    }  # fmt: skip
    for name, target in links.items():
        (place / name).symlink_to(target)
    (place / "env").symlink_to(".env")
    (place / ".env").write_text("KEY=1\n")
    os.mkfifo(place / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place / "sock")) if len(str(place)) < 90 else (place / "sock").mkdir()
    paths = [
        "out",
        "dir/new",
        "dir/secret",
        "gone",
        "loop",
        "loop/x",
        "config",
        "gitdir/hooks/x",
        "evil/x",
        "env",
        "pipe",
    ]
    for path in [*paths, "sock", "src", "ReadMe/x", "readme", "SRC/a.py", "Src/new.py", "proc/mem"]:
        with pytest.raises(SafetyRefused):
            resolve(place, path)
        with pytest.raises((SafetyRefused, Conflict)):
            write(place, Patch((FileChange(path, None, b"evil\n"),)), place.parent / "journal", "attack")
    assert (place.parent / "outside" / "secret").read_text() == "secret\n"
    assert [entry.name for entry in (place.parent / "outside").iterdir()] == ["secret"]


def test_a_link_within_the_repository_is_followed_to_its_target(place: Path) -> None:
    (place / "link.py").symlink_to("src/a.py")
    write(place, Patch((FileChange("link.py", b"x = 1\n", b"x = 2\n"),)), place.parent / "journal", "")
    assert (place / "src" / "a.py").read_text() == "x = 2\n"
    assert (place / "link.py").is_symlink()
    both = (FileChange("link.py", b"x = 2\n", b"x = 3\n"), FileChange("src/a.py", b"x = 2\n", b"x = 4\n"))
    with pytest.raises(SafetyRefused, match="same file"):
        write(place, Patch(both), place.parent / "journal", "")


def test_a_parent_swapped_for_a_link_while_writing_leads_nowhere(place: Path) -> None:
    outside = place.parent / "outside"
    (outside / "a.py").write_text("x = 1\n")
    real, aside, target = place / "src", place / "aside", place / "src" / "a.py"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            real.rename(aside)
            real.symlink_to(outside)
            real.unlink()
            aside.rename(real)

    thread = threading.Thread(target=swap)
    thread.start()
    outcomes = {"written": 0, "refused": 0}
    try:
        for number in range(150):
            before = b"x = 1\n" if number % 2 == 0 else b"x = 2\n"
            after = b"x = 2\n" if number % 2 == 0 else b"x = 1\n"
            try:
                write(place, Patch((FileChange("src/a.py", before, after),)), place.parent / "journal", "")
                outcomes["written"] += 1
            except (SafetyRefused, Conflict, StorageError):
                outcomes["refused"] += 1
            assert (outside / "a.py").read_text() == "x = 1\n"
            assert sorted(entry.name for entry in outside.iterdir()) == ["a.py", "secret"]
    finally:
        stop.set()
        thread.join()
    recover(place, place.parent / "journal")
    assert target.read_text() in ("x = 1\n", "x = 2\n")
    assert outcomes["refused"] > 0
