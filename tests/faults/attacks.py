"""Paths that lead out of a repository, into git's files or to odd files, brought in by replies in every format."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from optimizer.edits.apply import apply_edits
from optimizer.edits.parse import parse_reply
from optimizer.edits.write import write
from optimizer.errors import OptimizerError
from optimizer.types import FileChange, Patch, ToolCall

REFUSED = [
    "", "/etc/passwd", "//host/share", "~/x", "~root/x", "../x", "a/../../x", "a/../b", "..", ".", "./", "a/", "C:\\x",
    "c:/x", "C:x", "\\\\?\\C:\\x", "\\\\host\\x", "a\\b", "a\0b", "a\nb", "a\x1b[31mb", "a\u202eb", "a\u2028b",
    "a\udc80b", "x" * 4097, "y" * 300, ".git", ".git/config", ".GIT/config", "a/.Git/hooks/x", ".git.", ".git ",
    ".git./x",
    "GIT~1/x",
    ".git::$INDEX_ALLOCATION/x", ".g\u200cit/x", "．git/x", ".env", ".env.local", "a/.ENV", ".envrc", "a/b.", "a/b ",
    "../repo-evil/x", "/repo-evil/x", "a/./../../x", "file://x/../..", "./.git/config", "a//.git/x",
]  # fmt: skip
LINKS = {
    "out": "../outside/secret", "dir": "../outside", "gone": "nowhere", "loop": "loop", "config": ".git/config",
    "gitdir": ".git", "evil": "../repo-evil", "proc": "/proc/self", "env": ".env",
}  # fmt: skip
ODD = [
    "out", "dir/new", "dir/secret", "gone", "loop", "loop/x", "config", "gitdir/hooks/x", "evil/x", "env", "pipe",
    "sock", "src", "ReadMe/x", "readme", "SRC/a.py", "Src/new.py", "proc/mem",
]  # fmt: skip
PARTS = ["..", ".", "", "a", "src", ".git", ".GIT", "~", "\\", "C:", "b c", ".env", "é", "\0", "dir", "gitdir", "out"]
PARTS += ["evil", "outside", "\u2024\u2024", "%2e%2e", "..;", " ..", "...", "\r"]

Write = Callable[[str], tuple[str, tuple[ToolCall, ...]]]
WRITTEN: tuple[Write, ...] = (
    lambda path: (f"{path}\n<<<<<<< SEARCH\n=======\nevil\n>>>>>>> REPLACE\n", ()),
    lambda path: (f"```diff\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+evil\n```\n", ()),
    lambda path: (f"*** Begin Patch\n*** Add File: {path}\n+evil\n*** End Patch\n", ()),
    lambda path: (f"```py:{path}\nevil\n```\n", ()),
    lambda path: (f"create_file({path!r}, 'evil\\n')\n", ()),
    lambda path: (f"```json\n{json.dumps([{'path': path, 'content': 'evil'}])}\n```\n", ()),
    lambda path: ("", (ToolCall("create_file", {"path": path, "content": "evil\n"}),)),
    lambda path: ("", (ToolCall("edit_file", {"path": path, "start": 1, "end": 1, "content": "evil\n"}),)),
)


def lay_out(base: Path) -> Path:
    """A repository with links, a pipe and a socket in it, and beside it what must never be touched."""
    root = base / "repo"
    (root / "src").mkdir(parents=True)
    (root / ".git" / "hooks").mkdir(parents=True)
    (root / ".git" / "config").write_text("[core]\n")
    (root / "src" / "a.py").write_text("x = 1\n")
    (root / "ReadMe").write_text("hello\n")
    (root / ".env").write_text("KEY=1\n")
    (base / "repo-evil").mkdir()
    (base / "outside").mkdir()
    (base / "outside" / "secret").write_text("secret\n")
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "sock")) if len(str(root)) < 90 else (root / "sock").mkdir()
    return root


def kept(root: Path) -> dict[str, bytes]:
    """All bytes that no path may lead to: what stands beside the repository, git's files and secrets."""
    places = [root.parent / "outside", root.parent / "repo-evil", root / ".git"]
    files = [root / ".env", *(file for place in places for file in place.rglob("*") if file.is_file())]
    beside = {str(path): b"" for path in root.parent.iterdir()}
    return {**beside, **{str(file): file.read_bytes() for file in files}}


def paths(count: int, seed: int = 5) -> Iterator[str]:
    """The known attacks, and `count` more put together at random."""
    yield from REFUSED
    yield from ODD
    rng = random.Random(seed)
    for _ in range(count):
        yield "/".join(rng.choice(PARTS) for _ in range(rng.randint(1, 6)))


def escapes(base: Path, count: int) -> tuple[int, list[str]]:
    """Try every path in every format, up to the disk: how many were tried, and those that reached what is kept."""
    root = lay_out(base)
    before = kept(root)
    tried, escaped = 0, []
    for path in paths(count):
        for write_reply in WRITTEN:
            text, calls = write_reply(path)
            with suppress(OptimizerError):
                patch = apply_edits(parse_reply(text, calls).edits, lambda _: None)
                write(root, patch, base / "journal", "attack")
            tried += 1
        with suppress(OptimizerError):
            write(root, Patch((FileChange(path, None, b"evil\n"),)), base / "journal", "attack")
        tried += 1
        if kept(root).items() - {(str(base / "journal"), b"")} != before.items():
            escaped.append(path)
            before = kept(root)
    return tried, escaped


def swapped_parents(base: Path, rounds: int) -> tuple[int, int, int]:
    """Writes while a directory is swapped for a link to the outside: written, refused, and those that got outside."""
    root, outside = base / "repo", base / "outside"
    (outside / "a.py").write_text("x = 1\n")
    there = sorted(entry.name for entry in outside.iterdir())
    real, aside = root / "src", root / "aside"
    stop, rng = threading.Event(), random.Random(1)

    def swap() -> None:
        while not stop.is_set():
            real.rename(aside)
            real.symlink_to(outside)
            real.unlink()
            aside.rename(real)
            time.sleep(rng.random() / 100)

    thread = threading.Thread(target=swap)
    thread.start()
    written = refused = outside_reached = 0
    try:
        for _ in range(rounds):
            before, after = (b"x = 1\n", b"x = 2\n") if written % 2 == 0 else (b"x = 2\n", b"x = 1\n")
            try:
                write(root, Patch((FileChange("src/a.py", before, after),)), base / "journal", "")
                written += 1
            except OptimizerError:
                refused += 1
            held = (outside / "a.py").read_text() == "x = 1\n"
            outside_reached += not held or sorted(entry.name for entry in outside.iterdir()) != there
    finally:
        stop.set()
        thread.join()
    return written, refused, outside_reached
