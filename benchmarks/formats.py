"""What an edit costs in output tokens, by the form it is written in: `python benchmarks/formats.py REPOSITORY [-n N]`.

The edits are those of the last commits of a local repository that change one to five files of text. Each commit is
written as a model would: whole files, a unified diff, search/replace blocks with the fewest lines that are found once,
and calls of `edit_file`. Every reply is read and applied again; only those that give the commit's own bytes count as
right. Tokens are those of the offline estimate; `asking` is what the rules and tools of a form add to the prompt.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from optimizer.agent import prompts
from optimizer.agent.prompts import EDIT_TOOLS
from optimizer.context.budget import count_tokens
from optimizer.edits.apply import apply_edits
from optimizer.edits.parse import parse_reply
from optimizer.edits.text import locate
from optimizer.errors import OptimizerError
from optimizer.report.diff import unified
from optimizer.types import FileChange, Patch, ToolCall

MOST_FILES = 5
MOST_BYTES = 400_000
MOST_AROUND = 12


@dataclass(frozen=True)
class Written:
    """A reply: its text, its native calls, and the tokens of both."""

    text: str
    calls: tuple[ToolCall, ...] = ()

    @property
    def tokens(self) -> int:
        return count_tokens(self.text) + sum(
            count_tokens(f"{c.name}{json.dumps(dict(c.arguments))}") for c in self.calls
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("-n", "--commits", type=int, default=200)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    counts: dict[str, list[int]] = {name: [] for name in FORMS}
    right: dict[str, int] = dict.fromkeys(FORMS, 0)
    for patch in patches(arguments.repository, arguments.commits):
        for name, write in FORMS.items():
            written = write(patch)
            counts[name].append(written.tokens)
            right[name] += is_right(written, patch)
    report(counts, right, arguments.json)


def report(counts: Mapping[str, list[int]], right: Mapping[str, int], out: Path | None) -> None:
    """Print a row for each form; the baseline is whole files, which models write by default."""
    commits = len(counts["whole files"])
    if not commits:
        raise SystemExit("no commit there changes one to five files of text")
    base = sum(counts["whole files"])
    print(f"{commits} commits; output tokens by the form of the edit")
    print(f"{'form':<18}{'total':>11}{'of whole':>10}{'median':>9}{'p90':>9}{'right':>8}{'asking':>9}")
    rows = []
    for name, tokens in counts.items():
        row = {
            "form": name,
            "total": sum(tokens),
            "of_whole": round(sum(tokens) / base, 4),
            "median": statistics.median(tokens),
            "p90": sorted(tokens)[int(len(tokens) * 0.9)],
            "right": round(right[name] / commits, 4),
            "asking": ASKING[name],
        }
        rows.append(row)
        print(
            f"{name:<18}{row['total']:>11,}{row['of_whole']:>10.1%}{row['median']:>9,.0f}{row['p90']:>9,}"
            f"{row['right']:>8.1%}{row['asking']:>9,}"
        )
    if out:
        out.write_text(json.dumps({"commits": commits, "forms": rows}, indent=1) + "\n")


def patches(repository: Path, most: int) -> Iterator[Patch]:
    """The changes of the newest suitable commits."""
    found = 0
    for commit in _git(repository, "rev-list", "--no-merges", "HEAD").decode().split():
        if found >= most:
            return
        lines = _git(repository, "diff-tree", "-r", "--no-commit-id", "--no-renames", commit).decode().splitlines()
        rows = [[*line.split("\t")[0].split(), line.split("\t")[1]] for line in lines]
        if not 0 < len(rows) <= MOST_FILES or any(row[4] != "M" or not row[0].startswith(":100") for row in rows):
            continue
        blobs = [
            (row[5], _git(repository, "cat-file", "blob", row[2]), _git(repository, "cat-file", "blob", row[3]))
            for row in rows
        ]
        if all(_is_text(before) and _is_text(after) and before != after for _, before, after in blobs):
            found += 1
            yield Patch(tuple(FileChange(path, before, after) for path, before, after in blobs))


def _git(repository: Path, *words: str) -> bytes:
    return subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True).stdout


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return 0 < len(data) <= MOST_BYTES and b"\0" not in data and b"\r" not in data and data.endswith(b"\n")


def is_right(written: Written, patch: Patch) -> bool:
    """Whether the reply, read and applied, gives exactly what the commit gave."""
    before = {change.path: change.before for change in patch.changes}
    reply = parse_reply(written.text, written.calls)
    try:
        made = apply_edits(reply.edits, before.get)
    except OptimizerError:
        return False
    return {c.path: c.after for c in made.changes} == {c.path: c.after for c in patch.changes}


def whole(patch: Patch) -> Written:
    parts = []
    for change in patch.changes:
        text = (change.after or b"").decode()
        fence = "`" * max(3, *(len(line) - len(line.lstrip("`")) + 1 for line in text.split("\n")))
        parts.append(f"{change.path}\n{fence}\n{text}{fence}\n")
    return Written("\n".join(parts))


def diff(patch: Patch) -> Written:
    return Written(f"```diff\n{unified(patch)}```\n")


def blocks(patch: Patch) -> Written:
    """Search/replace blocks; a block grows until its lines occur once in the file."""
    parts = []
    for change in patch.changes:
        old, new = _lines(change.before), _lines(change.after)
        text = "".join(old)
        for i1, i2, j1, j2 in _hunks(old, new):
            around = 0 if i2 > i1 else 1
            while around < MOST_AROUND and not _is_once(text, "".join(old[max(0, i1 - around) : i2 + around])):
                around += 1
            head, tail = old[max(0, i1 - around) : i1], old[i2 : i2 + around]
            search, replace = "".join([*head, *old[i1:i2], *tail]), "".join([*head, *new[j1:j2], *tail])
            parts.append(f"{change.path}\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n")
    return Written("\n".join(parts))


def calls(patch: Patch) -> Written:
    made = []
    for change in patch.changes:
        old, new = _lines(change.before), _lines(change.after)
        for i1, i2, j1, j2 in _hunks(old, new):
            values = {"path": change.path, "start": i1 + 1, "end": i2, "content": "".join(new[j1:j2])}
            made.append(ToolCall("edit_file", values))
    return Written("", tuple(made))


def _lines(data: bytes | None) -> list[str]:
    return [line + "\n" for line in (data or b"").decode().split("\n")[:-1]]


def _hunks(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return ((i1, i2, j1, j2) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")


def _is_once(text: str, search: str) -> bool:
    try:
        return bool(search.strip()) and locate(text, search).exact
    except OptimizerError:
        return False


FORMS: Mapping[str, Callable[[Patch], Written]] = {
    "whole files": whole,
    "unified diff": diff,
    "search/replace": blocks,
    "tool calls": calls,
}
_SCHEMAS = sum(count_tokens(json.dumps([tool.name, tool.description, tool.parameters])) for tool in EDIT_TOOLS)
ASKING: Mapping[str, int] = {
    "whole files": count_tokens(prompts.EDIT_WHOLE),
    "unified diff": 0,
    "search/replace": count_tokens(prompts.EDIT_WITH_TEXT),
    "tool calls": count_tokens(prompts.EDIT_WITH_TOOLS) + _SCHEMAS,
}


if __name__ == "__main__":
    main()
