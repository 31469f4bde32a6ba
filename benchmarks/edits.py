"""Time to read, place and apply a reply of 50 edits on files of 10,000 lines: `python benchmarks/edits.py`."""

from __future__ import annotations

import json
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


def measure(write: Callable[[str, int, str], str], files: int, end: str, indent: str) -> tuple[float, float]:
    """Median and worst milliseconds of processor time of nine runs."""
    texts = {
        f"src/module_{n}.py": "".join(
            f"    value_{k} = compute({k}){end}    other_{k} = {k}{end}" for k in range(LINES // 2)
        ).encode()
        for n in range(files)
    }
    paths = list(texts)
    reply = "".join(write(paths[n % files], 90 * n + 7, indent) for n in range(EDITS)) + "Done.\n"
    times = []
    for _ in range(9):
        begun = time.process_time()
        read = parse_reply(reply)
        patch = apply_edits(read.edits, texts.get)
        times.append((time.process_time() - begun) * 1000)
        assert len(read.edits) == EDITS
        assert len(patch.changes) == files
    return statistics.median(times), max(times)


def codex(path: str, number: int, indent: str) -> str:
    body = diff(path, number, indent).split("\n", 3)[3]
    return f"*** Begin Patch\n*** Update File: {path}\n@@\n{body}*** End Patch\n\n"


def listed(path: str, number: int, indent: str) -> str:
    search = f"{indent}value_{number} = compute({number})\n"
    edit = {"path": path, "search": search, "replace": f"{search}{indent}added = {number}\n"}
    return f"```json\n{json.dumps([edit])}\n```\n\n"


ROWS = [
    ("blocks, one file", block, 1, "\n", "    "),
    ("blocks, one file, CRLF", block, 1, "\r\n", "    "),
    ("blocks, one file, indentation off", block, 1, "\n", ""),
    ("blocks, 50 files", block, 50, "\n", "    "),
    ("calls, one file", call, 1, "\n", "    "),
    ("calls, 50 files", call, 50, "\n", "    "),
    ("diffs, one file", diff, 1, "\n", "    "),
    ("diffs, 50 files", diff, 50, "\n", "    "),
    ("patches, one file", codex, 1, "\n", "    "),
    ("patches, 50 files", codex, 50, "\n", "    "),
    ("JSON, one file", listed, 1, "\n", "    "),
    ("JSON, 50 files", listed, 50, "\n", "    "),
]


def rows() -> dict[str, str]:
    """Median and worst time of each kind of reply."""
    found = {name: measure(*how) for name, *how in ROWS}
    return {name: f"{median:.1f} ms median, {worst:.1f} ms worst" for name, (median, worst) in found.items()}


def main() -> None:
    print(f"{EDITS} edits on files of {LINES:,} lines (held to {LIMIT_MS} ms of processor time)")
    for name, row in rows().items():
        print(f"  {name:35} {row}")


if __name__ == "__main__":
    main()
