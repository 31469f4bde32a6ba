"""Editors that save a file while it is written: no save may be lost.

Each round writes one change of a file while another process saves it at a random moment, in one of three ways: in
place, by truncating and writing, or by renaming a new file over it. Whatever the order, what the editor saved must
stand there at the end. The control writes by a plain rename over a checked file.

usage: python benchmarks/attack_saves.py [--rounds 20000] [--seed 1] [--folder DIR] [--control]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

from optimizer.edits.write import undo, write
from optimizer.errors import Conflict, StorageError
from optimizer.types import FileChange, Patch

SIZE = 64
BASE, OURS = b"base\n".ljust(SIZE, b"."), b"ours\n".ljust(SIZE, b",")
KINDS = ("in place", "truncated", "renamed over")
WHAT = ("write", "undo")
FRESH = 50  # rounds with one journal: a long one makes each of them slow


def save(path: str, kind: str, data: bytes) -> None:
    """Save as an editor does."""
    if kind == "renamed over":
        Path(f"{path}~").write_bytes(data)
        os.replace(f"{path}~", path)  # noqa: PTH105 - one call, as editors make it
        return
    flags = os.O_WRONLY | (os.O_TRUNC | os.O_CREAT if kind == "truncated" else 0)
    file = os.open(path, flags)
    os.write(file, data)
    os.close(file)


def edit(asked: Connection) -> None:
    """The editor: waits for a path, a way, bytes and a moment, saves, and says so."""
    while (order := asked.recv()) is not None:
        path, kind, data, moment = order
        while time.perf_counter() < moment:
            pass
        save(path, kind, data)
        asked.send(True)


def by_rename(path: Path) -> None:
    """What the control does: compare, then rename over."""
    temporary = path.with_name("control.tmp")
    temporary.write_bytes(OURS)
    if path.read_bytes() != BASE:
        raise Conflict("changed")
    temporary.replace(path)


class Race:
    """One file, the editor that saves it, and how long our own write takes."""

    def __init__(self, base: Path, control: bool) -> None:
        self.root, self.journal, self.control = base / "repo", base / "journal", control
        self.root.mkdir()
        self.path = self.root / "a.txt"
        self.pipe, theirs = multiprocessing.Pipe()
        self.editor = multiprocessing.Process(target=edit, args=(theirs,), daemon=True)
        self.editor.start()
        self.takes = 0.002

    def round(self, number: int, what: str, kind: str, share: float) -> tuple[bool, str]:
        """Whether the save was lost, and how our own work ended."""
        self.path.write_bytes(BASE)
        if number % FRESH == 0:
            shutil.rmtree(self.journal, ignore_errors=True)
        patch = Patch((FileChange("a.txt", BASE, OURS),))
        if what == "undo" and not self.control:
            write(self.root, Patch((FileChange("a.txt", BASE, OURS),)), self.journal, "")
        data = f"saved {number}\n".encode().ljust(SIZE, b"-")
        begun = time.perf_counter()
        self.pipe.send((str(self.path), kind, data, begun + 0.0002 + share * self.takes))
        begun = time.perf_counter()
        try:
            if self.control:
                by_rename(self.path)
            elif what == "undo":
                undo(self.root, self.journal)
            else:
                write(self.root, patch, self.journal, "")
            ended = "done"
            self.takes = 0.9 * self.takes + 0.1 * (time.perf_counter() - begun)
        except Conflict:
            ended = "conflict"
        except StorageError:
            ended = "error"
        self.pipe.recv()
        lost = self.path.read_bytes() != data
        left = list(self.root.glob(".optimizer-*"))
        assert not left, left
        return lost, ended


def main() -> int:
    """Run the races and print what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", help="where the files are; default: memory where there is such a folder")
    parser.add_argument("--control", action="store_true", help="write by a plain rename instead")
    given = parser.parse_args()
    folder = given.folder or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    rng = random.Random(given.seed)
    lost: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=folder) as base:
        race = Race(Path(base), given.control)
        for number in range(given.rounds):
            what, kind = WHAT[number % 2], KINDS[number // 2 % 3]
            gone, how = race.round(number, what, kind, rng.random() * 1.2)
            lost[f"{what}, {kind}"] += gone
            ended[how] += 1
        race.pipe.send(None)
    for name, count in sorted(lost.items()):
        print(f"{name}: {count} lost")
    print(f"{given.rounds:,} saves, {sum(lost.values())} lost; {dict(ended)}")
    return 1 if sum(lost.values()) or ended["error"] else 0


if __name__ == "__main__":
    sys.exit(main())
