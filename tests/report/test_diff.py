"""The diff of a patch, given to git, makes the same bytes."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from optimizer.edits.parse import parse_reply
from optimizer.report.diff import unified
from optimizer.types import FileChange, Patch


def git_apply(root: Path, text: str) -> None:
    subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        cwd=root,
        input=text.encode("utf-8", "surrogateescape"),
        check=True,
    )


def random_text(rng: random.Random) -> bytes:
    lines = [
        rng.choice([b"a", b"b", b"", b"caf\xc3\xa9", b"\xe9", b"tab\t", b"-- x", b"++ y", b"a\rb"]) for _ in range(12)
    ]
    ends = rng.choice([[b"\n"], [b"\r\n"], [b"\n", b"\r\n"]])
    return b"".join(line + rng.choice(ends) for line in lines)[: None if rng.random() < 0.6 else -1 * len(ends[-1])]


def test_git_apply_gives_the_same_bytes(tmp_path: Path) -> None:
    rng = random.Random(3)
    changes = []
    for number in range(60):
        before = random_text(rng)
        lines = before.split(b"\n")
        lines[rng.randrange(len(lines)) :][:2] = []
        at = rng.randrange(len(lines))
        lines[at : at + rng.randint(0, 3)] = [b"new %d" % rng.randint(0, 99)] * rng.randint(0, 2)
        path = f"d/f {number}.txt" if number % 7 == 0 else f"d/é{number}.txt" if number % 7 == 1 else f"f{number}.txt"
        after = b"\n".join(lines)
        changes.append(FileChange(path, before if number % 5 else None, after if number % 9 else None))
    changes = [change for change in changes if change.before != change.after]
    for change in changes:
        target = tmp_path / change.path
        target.parent.mkdir(exist_ok=True)
        if change.before is not None:
            target.write_bytes(change.before)
    git_apply(tmp_path, unified(Patch(tuple(changes))))
    for change in changes:
        target = tmp_path / change.path
        assert (target.read_bytes() if target.exists() else None) == change.after, change


def test_creation_deletion_and_missing_newline_are_written_as_git_does() -> None:
    text = unified(Patch((FileChange("n", None, b"x"), FileChange("o", b"y\n", None), FileChange("b", b"\0", b"\0\1"))))
    assert text == (
        "diff --git a/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"
        "\\ No newline at end of file\n"
        "diff --git a/o b/o\ndeleted file mode 100644\n--- a/o\n+++ /dev/null\n@@ -1 +0,0 @@\n-y\n"
        "diff --git a/b b/b\nBinary files a/b and b/b differ\n"
    )


@pytest.mark.parametrize("path", ["a b.txt", 'q"uote.txt', "back\\slash.txt", "é.txt", "tab\t.txt", "a/b/c.txt"])
def test_paths_survive_diff_and_parser(path: str) -> None:
    text = unified(Patch((FileChange(path, b"a\n", b"b\n"),)))
    assert [edit.path for edit in parse_reply(f"```diff\n{text}```\n").edits] == [path]


def test_empty_lines_after_a_changed_line_are_no_change_in_a_long_file() -> None:
    before = "".join(f"@test\ndef f{number}():\n    return g({number})\n\n\n" for number in range(200))
    after = before.replace("return g(20)", "return h(20)").replace("return g(150)", "return h(150)")
    lines = unified(Patch((FileChange("f.py", before.encode(), after.encode()),))).splitlines()
    assert [line for line in lines if line[0] in "+-" and "f.py" not in line] == [
        *("-    return g(20)", "+    return h(20)", "-    return g(150)", "+    return h(150)")
    ]
