"""Time to read, place and apply a reply of 50 edits on files of 10,000 lines: `python benchmarks/edits.py`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from optimizer.edits.apply import apply_edits
from optimizer.edits.parse import parse_reply

EDITS = 50
LINES = 10_000
LIMIT_MS = 100


def block(path: str, number: int, indent: str) -> str:
    search = f"{indent}value_{number} = compute({number})\n{indent}other_{number} = {number}\n"
    return f"{path}\n<<<<<<< SEARCH\n{search}=======\n{search}{indent}added = {number}\n>>>>>>> REPLACE\n\n"


def call(path: str, number: int, indent: str) -> str:
    return f'edit_file("{path}", {2 * number}, {2 * number}, "{indent}changed = {number}\\n")\n'


def diff(path: str, number: int, indent: str) -> str:
    first, second = f"{indent}value_{number} = compute({number})", f"{indent}other_{number} = {number}"
    return (
        f"--- a/{path}\n+++ b/{path}\n@@ -{2 * number + 1},2 +{2 * number + 1},2 @@\n {first}\n-{second}\n+{second}0\n"
    )


def measure(write: Callable[[str, int, str], str], files: int, end: str, indent: str) -> float:
    """Median milliseconds of five runs."""
    texts = {
        f"src/module_{n}.py": "".join(
            f"    value_{k} = compute({k}){end}    other_{k} = {k}{end}" for k in range(LINES // 2)
        ).encode()
        for n in range(files)
    }
    paths = list(texts)
    reply = "".join(write(paths[n % files], 90 * n + 7, indent) for n in range(EDITS)) + "Done.\n"
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        read = parse_reply(reply)
        patch = apply_edits(read.edits, texts.get)
        times.append((time.perf_counter() - begun) * 1000)
        assert len(read.edits) == EDITS
        assert len(patch.changes) == files
    return statistics.median(times)


def main() -> None:
    rows = [
        ("blocks, one file", block, 1, "\n", "    "),
        ("blocks, one file, CRLF", block, 1, "\r\n", "    "),
        ("blocks, one file, indentation off", block, 1, "\n", ""),
        ("blocks, 50 files", block, 50, "\n", "    "),
        ("calls, one file", call, 1, "\n", "    "),
        ("calls, 50 files", call, 50, "\n", "    "),
        ("diffs, one file", diff, 1, "\n", "    "),
        ("diffs, 50 files", diff, 50, "\n", "    "),
    ]
    print(f"{EDITS} edits on files of {LINES:,} lines (held to {LIMIT_MS} ms)")
    for name, write, files, end, indent in rows:
        print(f"  {name:35} {measure(write, files, end, indent):7.1f} ms")


if __name__ == "__main__":
    main()
