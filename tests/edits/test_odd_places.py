"""A disk of one megabyte, files that cannot be changed, huge files, and calls that no one can have meant."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.edits.apply import apply_edits
from optimizer.edits.edit import LineEdit, Replace
from optimizer.edits.parse import parse_reply
from optimizer.edits.paths import reader
from optimizer.edits.write import write
from optimizer.errors import EditRefused, OptimizerError, StorageError
from optimizer.types import FileChange, Patch, ToolCall

REPO = Path(__file__).parents[2]
PASSES = """
import os, random, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from optimizer.edits.journal import entries
from optimizer.edits.journalled import recover
from optimizer.edits.write import undo, write
from optimizer.errors import OptimizerError
from optimizer.types import FileChange, Patch
rng = random.Random(int(sys.argv[3]))
root, journal = Path(sys.argv[2], "repo"), Path(sys.argv[2], "journal")
root.mkdir()
files, full = {}, 0
for number in range(40):
    path = rng.choice("abcd")
    new = bytes([rng.randrange(256)]) * rng.choice([10, 5_000, 200_000, 400_000])
    try:
        if files and rng.random() < 0.3:
            for one in undo(root, journal):
                pass
            files = {p.name: p.read_bytes() for p in root.iterdir()}
        elif files.get(path) != new:
            write(root, Patch((FileChange(path, files.get(path), new),)), journal, str(number))
            files[path] = new
    except OptimizerError as error:
        assert error.exit_code in (7, 8), error
        full += error.exit_code == 7
    recover(root, journal)
    there = {p.name: p.read_bytes() for p in root.iterdir()}
    assert there == files, (number, {k: len(v) for k, v in there.items()}, {k: len(v) for k, v in files.items()})
assert not [entry for entry in entries(journal) if entry.state in ("begun", "undoing", "damaged")]
print(full)
"""


def small_disk(folder: Path, seed: int) -> subprocess.CompletedProcess[str]:
    code = shutil.which("unshare") and ["unshare", "-m", "--propagation", "private", "sh", "-c"]
    if not code:
        pytest.skip("unshare is not installed")
    script = 'mount -t tmpfs -o size=1m none "$1" || exit 77; shift; exec "$@"'
    words = [sys.executable, "-c", PASSES, str(REPO), str(folder), str(seed)]
    return subprocess.run([*code, script, "sh", str(folder), *words], capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_on_a_disk_of_one_megabyte_every_file_is_old_or_new(tmp_path: Path, seed: int) -> None:
    done = small_disk(tmp_path, seed)
    if done.returncode in (1, 77) and "Traceback" not in done.stderr:
        pytest.skip("no file system can be mounted here")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


@pytest.mark.skipif(os.name != "posix" or shutil.which("chattr") is None, reason="chattr is not installed")
def test_an_immutable_file_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "a").write_bytes(b"1")
    (root / "b").write_bytes(b"1")
    if subprocess.run(["chattr", "+i", str(root / "b")], capture_output=True, check=False).returncode:
        pytest.skip("this file system knows no immutable files")
    try:
        changes = (FileChange("a", b"1", b"2"), FileChange("b", b"1", b"2"))
        with pytest.raises(StorageError):
            write(root, Patch(changes), tmp_path / "journal", "")
        assert ((root / "a").read_bytes(), (root / "b").read_bytes()) == (b"1", b"1")
    finally:
        subprocess.run(["chattr", "-i", str(root / "b")], check=True)


def test_a_file_of_a_gibibyte_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as stream:
        stream.truncate(1 << 30)
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from optimizer.edits.apply import apply_edits; from optimizer.edits.paths import reader\n"
        "from optimizer.errors import SafetyRefused; from optimizer.edits.edit import LineEdit\n"
        "resource.setrlimit(resource.RLIMIT_AS, (600_000_000, -1))\n"
        "try: apply_edits((LineEdit('big', 1, 1, 'x'),), reader(Path(sys.argv[2]), bool))\n"
        "except SafetyRefused: sys.exit(4)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(REPO), str(tmp_path)], check=False)
    assert done.returncode == 4


@pytest.mark.slow
def test_a_line_of_ten_megabytes_is_edited_like_any_other(tmp_path: Path) -> None:
    data = b"x = '" + b"a" * 10_000_000 + b"'\ny = 1\n"
    (tmp_path / "wide.py").write_bytes(data)
    patch = apply_edits((Replace("wide.py", "y = 1\n", "y = 2\n"),), reader(tmp_path, bool))
    assert patch.changes[0].after == data[:-6] + b"y = 2\n"
    with pytest.raises(EditRefused) as raised:
        apply_edits((Replace("wide.py", "x = 2\n", "y = 2\n"),), reader(tmp_path, bool))
    assert len(raised.value.message) < 2000


def test_calls_that_no_one_can_have_meant() -> None:
    good = ToolCall("edit_file", {"path": "a", "start": 1, "end": 1, "content": "x"})
    nested: object = "x"
    for _ in range(100_000):
        nested = [nested]
    for arguments in (
        {"path": "a", "content": nested, "start": 1, "end": 1},
        {"path": nested, "content": "x"},
        {"path": "a", "content": "x", "start": 1.0, "end": 1},
        {"path": "a", "content": "x", "start": None, "end": None},
        {"path": "", "content": "x", "start": 1, "end": 1},
    ):
        reply = parse_reply("", (good, ToolCall("edit_file", arguments)))
        assert (reply.edits, bool(reply.problems)) == ((), True)
    assert parse_reply("", (good, ToolCall("delete_everything", {"path": "a"}))).edits == (LineEdit("a", 1, 1, "x"),)
    for text in ("[" * 100_000, '{"path": "a", "edits": ' + "[" * 100_000, '```json\n{"a":' * 50_000):
        assert parse_reply(text).edits == ()
    with pytest.raises(OptimizerError):
        apply_edits((LineEdit("a", 1, 1, "\udcff"),), {"a": b"x\n"}.get)
