"""An index kept up to date: only what is new is parsed, and the result is that of a build from nothing."""

from __future__ import annotations

import gc
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.errors import StorageError
from optimizer.index.files import find_root
from optimizer.index.reader import open_index
from optimizer.settings import Settings
from optimizer.types import Progress
from tests.conftest import git
from tests.index.conftest import ONE, everything, update

FILES = {
    "pkg/__init__.py": "",
    "pkg/core.py": "import os\nfrom pkg.util import help_out\n\n\nclass Core:\n    '''Runs it.'''\n\n"
    "    limit = 3\n\n    def run(self):\n        return help_out(self.limit)\n",
    "pkg/util.py": "def help_out(count):\n    '''Help out.'''\n    return count + 1\n",
    "README.md": "# Words about parseResponse\n",
}

BUILD = """
import sys
from pathlib import Path
from optimizer.index.refresh import refresh
from optimizer.index.reader import open_index
from optimizer.index.files import find_root
from optimizer.settings import Settings
index = open_index(find_root(Path(sys.argv[1])), Path(sys.argv[2]))
done = refresh(index, Settings(workers=2), lambda progress: print("working", progress.done, flush=True))
print("done", done.parsed, index.state(), flush=True)
"""


def from_nothing(index, tmp_path):
    """What a fresh index of the same tree answers."""
    with tempfile.TemporaryDirectory(dir=tmp_path) as cache:
        fresh = open_index(index.root, Path(cache))
        update(fresh)
        found = everything(fresh)
        fresh.close()
    return found


def test_a_refresh_leaves_no_file_open_and_the_collector_as_it_was(make_repo, opened):
    index = opened(make_repo({f"f{n}.py": f"x = {n}\n" for n in range(20)}))
    update(index)
    for n in range(20):
        (index.root.path / f"f{n}.py").write_text(f"y = {n}\n")
    handles = len(list(Path("/dev/fd").iterdir()))
    update(index)
    assert len(list(Path("/dev/fd").iterdir())) == handles
    assert gc.isenabled()


@pytest.mark.slow
def test_a_tree_that_is_as_before_writes_nothing(make_repo, opened):
    root = make_repo({"a.py": "x = 1\n"})
    os.utime(root / "a.py", (1_700_000_000,) * 2)
    index = opened(root)
    for _ in range(2):
        update(index)
        if not index.meta("stamp"):  # its times are within the grain of the clock
            time.sleep(2.1)
    before = index.connection.total_changes
    assert update(index).unchanged == 1
    assert index.connection.total_changes == before


def test_a_first_build_parses_all_and_a_second_nothing(make_repo, opened):
    index = opened(make_repo(FILES))
    first = update(index)
    assert (first.parsed, first.removed, first.unchanged, first.skipped, first.notice) == (4, 0, 0, (), "")
    again = update(index)
    assert (again.parsed, again.removed, again.unchanged) == (0, 0, 4)
    assert index.paths() == tuple(sorted(FILES))


@pytest.mark.slow
def test_new_changed_renamed_and_deleted_files(make_repo, opened, tmp_path):
    root = make_repo(FILES)
    index = opened(root)
    update(index)
    states = {index.state()}
    for change, parsed, removed in (
        (lambda: (root / "pkg/new.py").write_text("from pkg import core\n"), 1, 0),
        (lambda: (root / "pkg/util.py").write_text("def help_out(count):\n    return 2\n"), 1, 0),
        (lambda: (root / "pkg/util.py").rename(root / "pkg/tools.py"), 0, 1),
        (lambda: (root / "pkg/core.py").unlink(), 0, 1),
    ):
        change()
        done = update(index)
        assert (done.parsed, done.removed) == (parsed, removed)
        assert everything(index) == from_nothing(index, tmp_path)
        states.add(index.state())
    assert len(states) == 5


def test_a_new_file_changes_where_the_imports_of_others_lead(make_repo, opened):
    root = make_repo({"a.py": "import helper\n"})
    index = opened(root)
    update(index)
    assert [edge.target for edge in index.imports_of("a.py")] == [None]
    (root / "helper.py").write_text("x = 1\n")
    update(index)
    assert [edge.target for edge in index.imports_of("a.py")] == ["helper.py"]
    assert [edge.source for edge in index.importers_of("helper.py")] == ["a.py"]


def test_a_changed_file_no_longer_imports_what_it_did(make_repo, opened):
    root = make_repo({"a.py": "import b\n", "b.py": "", "c.py": ""})
    index = opened(root)
    update(index)
    (root / "a.py").write_text("import c\n")
    update(index)
    assert index.importers_of("b.py") == ()
    assert [edge.source for edge in index.importers_of("c.py")] == ["a.py"]


def test_switching_branches_parses_nothing_that_was_seen(make_repo, opened, tmp_path):
    root = make_repo(FILES)
    index = opened(root)
    update(index)
    main = index.state()
    git(root, "checkout", "-q", "-b", "side")
    (root / "pkg/util.py").write_text("def other():\n    return 3\n")
    (root / "extra.py").write_text("y = 2\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "side")
    assert update(index).parsed == 2
    side = index.state()
    git(root, "checkout", "-q", "main")
    assert update(index).parsed == 0
    assert index.state() == main
    assert everything(index) == from_nothing(index, tmp_path)
    git(root, "checkout", "-q", "side")
    assert update(index).parsed == 0
    assert index.state() == side


def test_a_change_that_keeps_size_and_time_is_seen(make_repo, opened):
    root = make_repo({"a.py": "def one(): pass\n"})
    index = opened(root)
    update(index)
    status = (root / "a.py").stat()
    (root / "a.py").write_text("def two(): pass\n")
    os.utime(root / "a.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    update(index)
    assert index.all_names() == ("two",)


@pytest.mark.slow
def test_many_small_changes_are_merged_and_stay_right(make_repo, opened, tmp_path):
    root = make_repo(FILES)
    index = opened(root)
    for number in range(25):
        (root / "pkg/util.py").write_text(f"def help_{number}():\n    return shared_word_{number % 3}\n")
        assert update(index).parsed == 1 + 3 * (number == 0)
    assert index.connection.execute("SELECT count(*) FROM segment").fetchone()[0] <= 9
    assert everything(index) == from_nothing(index, tmp_path)


@pytest.mark.slow
def test_contents_out_of_use_are_dropped_when_they_are_most(make_repo, opened, tmp_path, monkeypatch):
    monkeypatch.setattr("optimizer.index.writer.SPARE_UNITS", 5)
    root = make_repo(FILES)
    index = opened(root)
    for number in range(12):
        (root / "pkg/util.py").write_text(f"def help_{number}():\n    return {number}\n")
        update(index)
    assert index.connection.execute("SELECT count(*) FROM content").fetchone()[0] < 12
    assert everything(index) == from_nothing(index, tmp_path)


def test_files_that_cannot_be_indexed_are_named_and_the_rest_goes_on(make_repo, opened):
    root = make_repo(
        {"a.py": "x = 1\n", "b.bin": b"\x00\x01", "c.py": b"\xff\xfe caf\xe9 = 1\n", "d.py": "y = 2\n" * 50}
    )
    index = opened(root)
    done = update(index, Settings(workers=1, max_file_bytes=200))
    assert index.paths() == ("a.py", "c.py")
    assert [one.path for one in done.skipped] == ["b.bin", "d.py"] and done.skipped[1][1:] == ("large", 200)
    assert done.skipped == index.skipped()
    assert update(index).skipped == done.skipped[:1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(make_repo, opened):
    root = make_repo({"a.py": "x = 1\n", "b.py": "y = 2\n"})
    (root / "b.py").chmod(0)
    assert [one.path for one in update(opened(root)).skipped] == ["b.py"]


def test_a_file_that_becomes_a_pipe_between_look_and_read_does_not_hang(tmp_path):
    from optimizer.index.regular import read_file

    os.mkfifo(tmp_path / "pipe")
    assert read_file(str(tmp_path / "pipe")) is None


def test_two_files_of_one_content_are_both_found(make_repo, opened):
    text = "def twin():\n    return speciality\n"
    index = opened(make_repo({"a.py": text, "b/c.py": text, "z.py": "def other(): pass\n"}))
    assert update(index).parsed == 2
    assert [symbol.path for symbol in index.symbols_named(["twin"])] == ["a.py", "b/c.py"]
    words = index.words()
    numbers, _ = words.postings("body", "speciality")
    assert sorted(words.unit(number).path for number in numbers) == ["a.py", "b/c.py"]
    assert sorted(words.paths[words.file_of[number]] for number in numbers) == ["a.py", "b/c.py"]
    assert len(words.length) == len(words.file_of)


@pytest.mark.slow
def test_progress_never_goes_back_and_ends_at_most_at_the_total(make_repo, opened):
    from optimizer.index.refresh import refresh

    index = opened(make_repo({f"f{number}.py": f"x{number} = 1\n" * 4000 for number in range(20)}))
    seen: list[Progress] = []
    refresh(index, Settings(workers=2), seen.append)
    assert [item.done for item in seen] == sorted(item.done for item in seen)
    assert seen[-1].done == seen[-1].total == 20


def test_outside_git_and_without_a_git_binary(tmp_path, monkeypatch, opened):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".gitignore").write_text("skip.py\n")
    (tree / "skip.py").write_text("a = 1\n")
    (tree / "keep.py").write_text("def kept(): pass\n")
    index = opened(tree)
    update(index)
    assert index.paths() == (".gitignore", "keep.py")
    assert update(index).parsed == 0


def test_an_unborn_branch_and_an_empty_folder(tmp_path, opened):
    git(tmp_path, "init", "-q", "repo")
    index = opened(tmp_path / "repo")
    assert update(index).parsed == 0
    assert index.paths() == ()
    assert index.words().mean_length == 0.0
    (tmp_path / "repo" / "a.py").write_text("x = 1\n")
    assert update(index).parsed == 1


def build(root: Path, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(root), str(cache)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def many(count: int) -> dict[str, str]:
    body = "    value = value + first_word(second_word)\n" * 2000
    return {f"m{number}.py": f"def f{number}(value):\n{body}" for number in range(count)}


@pytest.mark.slow
def test_processes_that_refresh_at_once_both_end_well(make_repo, opened, tmp_path):
    root = make_repo(many(40))
    for _ in range(3):
        shutil.rmtree(tmp_path / "shared", ignore_errors=True)
        both = [build(root, tmp_path / "shared") for _ in range(3)]
        ends = [process.communicate(timeout=60) for process in both]
        assert [process.returncode for process in both] == [0, 0, 0], ends
        assert len({out.split()[-1] for out, _ in ends}) == 1
    index = opened(root, tmp_path / "shared")
    assert update(index).parsed == 0
    assert everything(index) == from_nothing(index, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_build_that_is_cut_short_is_taken_up_again(make_repo, opened, tmp_path, how):
    root = make_repo(many(60))
    process = build(root, tmp_path / "cache")
    assert process.stdout
    process.stdout.readline()
    process.send_signal(how)
    process.communicate(timeout=30)
    index = opened(root)
    done = update(index)
    assert (done.parsed < 60) == (how == signal.SIGINT)
    assert everything(index) == from_nothing(index, tmp_path)


@pytest.mark.slow
def test_no_process_is_left_when_the_parent_is_killed(make_repo, tmp_path):
    process = build(make_repo(many(60)), tmp_path / "cache")
    assert process.stdout
    process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("needs /proc")
    pids = children.read_text().split()
    assert pids
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in pids)


def _alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_foreign_or_older_store_is_put_aside_with_one_line(make_repo, opened, tmp_path):
    root = make_repo(FILES)
    first = open_index(find_root(root), tmp_path / "cache")
    update(first)
    expected = everything(first)
    first.close()
    for spoil in (lambda path: path.write_bytes(b"no database" * 500), lambda path: _set_version(path, 999)):
        spoil(first.file)
        index = opened(root)
        done = update(index)
        assert done.parsed == 4
        asides = [path.name for path in first.file.parent.glob(f"{first.file.name}.damaged-*")]
        assert any(name in done.notice for name in asides)
        assert "\n" not in done.notice
        assert everything(index) == expected
        index.close()


def _set_version(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={version}")
    connection.close()


def test_a_place_that_cannot_be_written_is_one_clear_error(make_repo, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=re.escape(str(tmp_path / "file"))):
        open_index(find_root(make_repo(FILES)), tmp_path / "file")


@pytest.mark.slow
@settings(max_examples=80, derandomize=True, suppress_health_check=list(HealthCheck))
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=40))
def test_a_damaged_store_is_never_a_crash(flips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage")
    tree = folder / "tree"
    for path, text in FILES.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    index = open_index(find_root(tree), folder / "cache")
    update(index)
    expected = everything(index)
    index.close()
    data = bytearray(index.file.read_bytes())
    used = [place for place, byte in enumerate(data) if byte]
    for place, mask in flips:
        data[used[int(place * len(used))]] ^= mask
    index.file.write_bytes(data)
    assert update_twice(tree, folder) == expected
    (tree / "extra.py").write_text("z = 1\n")
    update_twice(tree, folder)
    (tree / "extra.py").unlink()
    assert update_twice(tree, folder) == expected


def test_a_damaged_name_of_a_kept_value_is_damage(make_repo, tmp_path):
    root = find_root(make_repo(FILES))
    index = open_index(root, tmp_path / "cache")
    update(index)
    expected = everything(index)
    index.close()
    with sqlite3.connect(index.file) as connection:
        connection.execute("UPDATE meta SET name='next_unis' WHERE name='next_unit'")
    connection.close()
    index = open_index(root, tmp_path / "cache")
    assert "damaged" in update(index).notice
    assert everything(index) == expected
    index.close()


def update_twice(tree: Path, folder: Path):
    """What a user sees after starting the program again, as an error advised."""
    try:
        return update_once(tree, folder)
    except StorageError:
        return update_once(tree, folder)


def update_once(tree: Path, folder: Path):
    index = open_index(find_root(tree), folder / "cache")
    try:
        update(index)
        return everything(index)
    finally:
        index.close()


TEXTS = st.sampled_from(
    [
        "",
        "x = 1\n",
        "import a\n",
        "from b import c\n",
        "def f():\n    return a.b\n",
        "class K:\n    def m(self): pass\n",
        "a\0b",
    ]
)
EDITS = st.lists(
    st.tuples(st.sampled_from(["a.py", "b.py", "b/c.py", "a.md", "d/e/f.go"]), st.none() | TEXTS), max_size=5
)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(rounds=st.lists(EDITS, min_size=1, max_size=4))
def test_any_series_of_edits_and_refreshes_equals_a_rebuild(rounds, tmp_path_factory):
    folder = tmp_path_factory.mktemp("edits")
    tree = folder / "tree"
    tree.mkdir()
    index = open_index(find_root(tree), folder / "cache")
    for edits in rounds:
        for path, text in edits:
            target = tree / path
            if text is None:
                target.unlink(missing_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
        update(index, ONE)
        assert everything(index) == from_nothing(index, folder)
    index.close()
