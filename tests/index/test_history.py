"""What the commits before HEAD say of files: read with real git, stored, and never beyond HEAD."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.git.log import list_commits, read_commits
from optimizer.git.run import find_git
from optimizer.index import commits
from optimizer.index.files import Root
from optimizer.index.history import History, head_mark, open_history
from optimizer.languages.words import terms
from tests.conftest import CLEAN, committed, git
from tests.index.conftest import update

DAY = 86_400
START = 1_700_000_000
PROGRAMS = """
core.fsmonitor core.pager core.sshCommand core.editor core.askPass core.alternateRefsCommand
gpg.program gpg.ssh.program gpg.x509.program credential.helper interactive.diffFilter uploadpack.packObjectsHook
diff.external diff.evil.command diff.evil.textconv filter.evil.clean filter.evil.smudge
alias.log alias.rev-list alias.diff-tree pager.log pager.rev-list pager.diff-tree
"""


def commit(root: Path, message: str | bytes, files: dict[str, str | None], day: int = 0) -> str:
    """Write, remove (None) and commit files some days after the beginning; returns the id."""
    for path, content in files.items():
        target = root / path
        if content is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    git(root, "add", "-A")
    when = f"{START + day * DAY} +0000"
    subprocess.run(
        ["git", "commit", "-q", "--allow-empty", "-F", "-"],
        cwd=root,
        env={**os.environ, **CLEAN, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when},
        input=message if isinstance(message, bytes) else message.encode(),
        check=True,
        capture_output=True,
    )
    return git(root, "rev-parse", "HEAD").strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = committed(tmp_path_factory.mktemp("project"), {"README": "hello\n"})
    commit(root, "Add a parser of numbers", {"parser.py": "x = 1\n", "numbers.py": "n = 1\n"}, 1)
    commit(root, "Teach the printer colours", {"printer.py": "p = 1\n"}, 2)
    commit(root, "Printer: fix colours on Windows", {"printer.py": "p = 2\n", "terminal.py": "t = 1\n"}, 3)
    return root


@pytest.fixture
def project(built, tmp_path):
    return Path(shutil.copytree(built, tmp_path / "repo"))


@pytest.fixture
def history(tmp_path):
    opened: list[History] = []

    def read(root: Path, seconds: float = 10.0) -> History:
        paths = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
        opened.append(open_history(Root(root, True), tmp_path / "kept.history.db", paths, seconds))
        return opened[-1]

    yield read
    for one in opened:
        one.close()


def similar(read: History, text: str) -> dict[str, float]:
    return read.similar(dict.fromkeys(terms(text), 1.0), 50)


def churn(read: History) -> dict[str, float]:
    return {read.paths[place]: value for place, value in read.churn.items()}


def answers(read: History) -> tuple[object, ...]:
    """All answers of a history, rounded."""
    answers = (similar(read, "parser printer colours windows numbers"), churn(read), read.together(read._now))
    return tuple({path: round(value, 4) for path, value in one.items()} for one in answers)


def test_commits_whose_message_resembles_the_query_name_their_files(project, history):
    read = history(project)
    assert read.commits == 4
    found = similar(read, "colours are wrong on windows")
    assert sorted(found) == ["printer.py", "terminal.py"]
    assert found["printer.py"] > found["terminal.py"]
    assert similar(read, "nothing of this") == {}


def test_recent_changes_count_more(make_repo, history):
    root = make_repo({"a.py": ""})
    commit(root, "old", {"a.py": "1", "b.py": "1"}, 0)
    commit(root, "half a life later", {"a.py": "2"}, 180)
    found = churn(history(root))
    assert found["a.py"] == pytest.approx(3 * found["b.py"])


def test_files_that_change_together_small_commits_first(make_repo, history):
    root = make_repo({"README": ""})
    many = {f"other{number}.py": "1" for number in range(20)}
    commit(root, "wide", {"a.py": "1", **many}, 1)
    commit(root, "narrow", {"a.py": "2", "b.py": "1"}, 2)
    commit(root, "alone", {"lonely.py": "1"}, 3)
    found = history(root).together(["a.py"])
    assert set(found) == {"b.py", *many}
    assert found["b.py"] > found["other1.py"] > 0
    assert history(root).together(["nowhere.py"]) == {}


def test_only_new_commits_are_read(project, history, monkeypatch):
    history(project).close()
    asked: list[str] = []

    def watched(git_path, root, ids, seconds):
        asked.extend(ids)
        return read_commits(git_path, root, ids, seconds)

    monkeypatch.setattr("optimizer.git.log.read_commits", watched)
    history(project).close()
    assert asked == []
    new = commit(project, "Printer: wrap", {"printer.py": "p = 3\n"}, 4)
    read = history(project)
    assert (asked, read.commits, read.head) == ([new], 5, new)
    assert "printer.py" in similar(read, "wrap")


def test_nothing_new_runs_no_git(project, history, monkeypatch):
    before = answers(history(project))
    monkeypatch.setenv("PATH", "/nowhere")
    assert answers(history(project)) == before
    (project / ".git" / "HEAD").write_text("0" * 40 + "\n")
    assert history(project).commits == 0


@pytest.mark.slow
@pytest.mark.parametrize("step", ["amend", "reset", "branch", "merge", "orphan", "detached", "rebase"])
def test_whatever_happens_to_head_the_history_is_that_of_a_fresh_reading(project, history, tmp_path, step):
    history(project).close()
    if step == "amend":
        (project / "printer.py").write_text("p = 9\n")
        git(project, "commit", "-q", "-a", "--amend", "-m", "Windows only")
    elif step == "reset":
        git(project, "reset", "-q", "--hard", "HEAD~2")
    elif step == "branch":
        git(project, "checkout", "-q", "-b", "side", "HEAD~2")
        commit(project, "Windows numbers", {"numbers.py": "n = 2\n"}, 5)
        history(project).close()
        git(project, "checkout", "-q", "main")
    elif step == "merge":
        git(project, "checkout", "-q", "-b", "side", "HEAD~1")
        commit(project, "Windows numbers", {"numbers.py": "n = 2\n"}, 5)
        git(project, "checkout", "-q", "main")
        git(project, "merge", "-q", "--no-edit", "side")
    elif step == "orphan":
        git(project, "checkout", "-q", "--orphan", "new")
        commit(project, "Colours again", {"printer.py": "p = 5\n"}, 6)
        commit(project, "Colours again", {"printer.py": "p = 6\n"}, 7)
    elif step == "detached":
        git(project, "checkout", "-q", "--detach", "HEAD~1")
    elif step == "rebase":
        git(project, "checkout", "-q", "-b", "side", "HEAD~2")
        commit(project, "Windows numbers", {"numbers.py": "n = 2\n"}, 5)
        git(project, "rebase", "-q", "main")
    kept = history(project)
    fresh = open_history(Root(project, True), tmp_path / "fresh.history.db", sorted(kept._now))
    expected = git(project, "rev-list", "--count", "--no-merges", "HEAD")
    assert kept.commits == fresh.commits == int(expected)
    assert answers(kept) == answers(fresh)
    fresh.close()


def test_it_never_looks_past_head(project, history):
    commit(project, "A secret of the future", {"parser.py": "x = 2\n"}, 9)
    assert "parser.py" in similar(history(project), "secret future")
    git(project, "checkout", "-q", "--detach", "HEAD~1")
    git(project, "replace", "HEAD", "main")
    (project / ".git" / "info").mkdir(exist_ok=True)
    (project / ".git" / "info" / "grafts").write_text(
        f"{git(project, 'rev-parse', 'HEAD').strip()} {git(project, 'rev-parse', 'main').strip()}\n"
    )
    git(project, "pack-refs", "--all")
    read = history(project)
    assert (read.commits, similar(read, "secret future")) == (4, {})


def test_a_renamed_file_keeps_its_history(project, history):
    git(project, "mv", "parser.py", "reader.py")
    commit(project, "Move", {}, 4)
    (project / "src").mkdir()
    git(project, "mv", "reader.py", "src/reader.py")
    commit(project, "Move on", {"src/reader.py": "x = 1\ny = 2\n"}, 5)
    read = history(project)
    assert sorted(similar(read, "parser numbers")) == ["numbers.py", "src/reader.py"]
    assert churn(read)["src/reader.py"] > 2.9 * churn(read)["numbers.py"]
    assert "numbers.py" in read.together(["src/reader.py"])
    assert "src/reader.py" in read.together(["numbers.py"])


def test_a_file_that_is_gone_is_not_told(project, history):
    commit(project, "Drop the terminal", {"terminal.py": None}, 4)
    read = history(project)
    assert "terminal.py" not in {**similar(read, "windows terminal"), **churn(read), **read.together(["printer.py"])}


def test_a_huge_commit_counts_for_nothing_but_its_renames(project, history):
    files = {f"many/{number}.py": f"{number}\n" for number in range(150)}
    git(project, "mv", "parser.py", "reader.py")
    commit(project, "Reformat gigantically", files, 4)
    read = history(project)
    assert read.commits == 5
    assert similar(read, "gigantically") == {}
    assert not any(path.startswith("many/") for path in churn(read))
    assert "reader.py" in similar(read, "parser numbers")


def test_a_shallow_clone_has_what_it_has_and_gains_when_it_is_deepened(project, history, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "2", f"file://{project}", str(clone))
    read = history(clone)
    assert read.commits == 2
    assert set(churn(read)) == {"printer.py", "terminal.py"}  # where it ends, a commit does not touch the whole tree
    git(clone, "fetch", "-q", "--unshallow")
    read = history(clone)
    assert read.commits == 4
    assert "parser.py" in similar(read, "parser of numbers")


def test_that_a_clone_is_shallow_is_known_once_and_again_when_it_ends_elsewhere(project, history, tmp_path):
    assert history(project).cut_short() is None
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{project}", str(clone))
    assert history(clone).cut_short() == 1
    assert history(clone).cut_short() is None
    git(clone, "fetch", "-q", "--depth", "3")
    read = history(clone)
    assert (read.cut_short(), read.cut_short()) == (3, None)
    git(clone, "fetch", "-q", "--unshallow")
    assert history(clone).cut_short() is None


@pytest.mark.parametrize("lacks", ["blob:none", "tree:0"])
def test_a_partial_clone_is_never_asked_to_fetch(project, history, tmp_path, lacks):
    commit(project, "Rename and edit", {"printer.py": None, "colours.py": "p = 2\n# and more\n"}, 4)
    git(project, "config", "uploadpack.allowFilter", "true")
    clone, sentinel = tmp_path / "clone", tmp_path / "sentinel"
    git(tmp_path, "clone", "-q", "--no-checkout", f"--filter={lacks}", f"file://{project}", str(clone))
    script = tmp_path / "upload"
    script.write_text(f'#!/bin/sh\ntouch {sentinel}\nexec git-upload-pack "$@"\n')
    script.chmod(0o755)
    git(clone, "config", "remote.origin.uploadpack", str(script))
    git(clone, "config", "protocol.file.allow", "always")
    for path in ("parser.py", "colours.py", "numbers.py", "terminal.py"):
        (clone / path).write_text("")
    read = history(clone)
    assert not sentinel.exists()
    found = similar(read, "parser of numbers")
    assert sorted(found) == (["numbers.py", "parser.py"] if lacks == "blob:none" else [])


def test_a_worktree_and_packed_refs_are_followed(project, history, tmp_path):
    tree = tmp_path / "tree"
    git(project, "worktree", "add", "-q", "-b", "side", str(tree), "HEAD~1")
    assert history(tree).commits == 3
    git(project, "pack-refs", "--all")
    assert history(tree).commits == 3
    new = commit(tree, "In the tree", {"parser.py": "x = 7\n"}, 4)
    assert history(tree).head == new
    before = head_mark(tree)
    git(project, "pack-refs", "--all")
    commit(project, "In the other tree", {"parser.py": "x = 8\n"}, 5)
    assert head_mark(project) != head_mark(tree) != before


def test_messages_and_paths_that_are_not_utf8(make_repo, history):
    root = make_repo({"a.py": "1"})
    odd = root / os.fsdecode(b"d\xff") / os.fsdecode(b"f\xfe.py")
    odd.parent.mkdir()
    odd.write_text("1")
    commit(root, b"Caf\xe9 broken \xff\xfe bytes \x01\x1e", {"b.py": "1"}, 1)
    git(root, "config", "i18n.commitEncoding", "ISO-8859-1")
    commit(root, "Gr\xfc\xdfe an alle".encode("latin-1"), {"c.py": "1"}, 2)
    commit(root, "\x01" + "a" * 40 + " 1\nfake", {"odd\nname\t.py": "1", "\x01" + "b" * 40 + " 1": "1"}, 3)
    git(root, "config", "i18n.logOutputEncoding", "UTF-16")
    read = history(root)
    assert read.commits == 4
    assert set(similar(read, "broken bytes")) == {"b.py"}
    assert set(similar(read, "Grüße")) == {"c.py"}
    assert {"odd\nname\t.py", "\x01" + "b" * 40 + " 1"} <= set(similar(read, "fake"))


def test_a_first_commit_alone_tells_nothing_but_is_a_commit(make_repo, history):
    root = make_repo({"a.py": "1"})
    assert (history(root).commits, answers(history(root))) == (1, ({}, {}, {}))
    commit(root, "Change the a", {"a.py": "2"}, 1)
    assert list(churn(history(root))) == ["a.py"]


def test_long_messages_are_cut_and_trailers_dropped(make_repo, history):
    root = make_repo({"a.py": "1"})
    text = "Subject\n\nbody words\n\nSigned-off-by: Zebediah <z@example.org>\n" + "filler " * 1000 + "omega\n"
    commit(root, text, {"b.py": "1"}, 1)
    read = history(root)
    assert set(similar(read, "body")) == {"b.py"}
    assert similar(read, "zebediah omega") == {}


@pytest.mark.parametrize("place", ["no commits", "no repository", "broken", "no git", "pipe"])
def test_without_history_all_is_empty(make_repo, history, tmp_path, monkeypatch, place):
    root = tmp_path / "empty"
    root.mkdir()
    if place == "no git":
        root = make_repo({"a.py": "1"})
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    elif place == "no commits":
        git(root, "init", "-q")
    elif place == "broken":
        (root / ".git").mkdir()
        (root / ".git" / "HEAD").write_bytes(b"ref: \xff\x00../../up\n")
    elif place == "pipe":
        git(root, "init", "-q")
        (root / ".git" / "HEAD").unlink()
        os.mkfifo(root / ".git" / "HEAD")
    read = open_history(Root(root, True), tmp_path / "h.db", ["a.py"])
    assert answers(read) == ({}, {}, {})
    assert (read.commits, read.head) == (0, "")


def test_a_hostile_repository_runs_nothing(project, history, tmp_path):
    sentinel, script = tmp_path / "sentinel", tmp_path / "evil"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> {sentinel}\ncat\n')
    script.chmod(0o755)
    (project / ".gitattributes").write_text("* diff=evil filter=evil\n")
    for key in PROGRAMS.split():
        value = f"!{script}" if key.startswith("alias.") else str(script)
        git(project, "config", key, value)
    for key, value in {
        "log.showSignature": "true",
        "diff.orderFile": str(tmp_path / "fifo"),
        "core.hooksPath": str(tmp_path),
        "diff.relative": "true",
        "log.mailmap": "true",
        "diff.noprefix": "true",
        "core.attributesFile": str(project / ".gitattributes"),
        "notes.displayRef": "*",
    }.items():
        git(project, "config", key, value)
    os.mkfifo(tmp_path / "fifo")
    for name in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        shutil.copy(script, project / ".git" / "hooks" / name)
    shutil.copy(script, project / "git")
    (project / "git").chmod(stat.S_IRWXU)
    sentinel.unlink(missing_ok=True)
    read = history(project)
    assert read.commits == 4
    assert sorted(similar(read, "colours windows")) == ["printer.py", "terminal.py"]
    assert not sentinel.exists(), sentinel.read_text()


def test_variables_of_git_in_the_environment_change_nothing(project, history, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/nowhere")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    assert history(project).commits == 4
    assert not (tmp_path / "trace").exists()


def test_what_is_not_read_in_time_is_read_the_next_time(project, history, monkeypatch):
    def slow(git_path, root, ids, seconds):
        for number, one in enumerate(read_commits(git_path, root, ids, seconds)):
            if number == 2:
                return
            yield one

    monkeypatch.setattr("optimizer.git.log.read_commits", slow)
    assert history(project).commits == 2
    assert history(project).commits == 4
    assert answers(history(project))[0]


@pytest.mark.slow
def test_a_git_that_is_late_is_no_history_and_no_error(project, history, tmp_path, monkeypatch):
    late = tmp_path / "programs/git"
    late.parent.mkdir()
    late.write_text(f'#!/bin/sh\nsleep 1\nexec {find_git(project)} "$@"\n')
    late.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(late.parent), prepend=os.pathsep)
        assert history(project, 0.1).commits == 0
    assert history(project).commits == 4


@pytest.mark.parametrize("how", ["text", "page", "list", "foreign", "previous"])
def test_a_damaged_store_is_read_again_or_gives_nothing(project, history, tmp_path, how):
    file = tmp_path / "kept.history.db"
    before = answers(history(project))
    history(project).close()
    if how == "text":
        file.write_bytes(b"not a database, but long enough to look like one" * 100)
        for suffix in ("-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)
    else:
        with sqlite3.connect(file) as connection:
            if how == "page":
                connection.execute("UPDATE meta SET value=substr(value, 1, 9) WHERE name='touched'")
            elif how == "list":
                connection.execute("UPDATE run SET data=zeroblob(length(data))")
            elif how == "previous":
                connection.executescript("CREATE TABLE name (number INTEGER, body BLOB); PRAGMA user_version=3")
            else:
                connection.execute("PRAGMA user_version=99")
        connection.close()
    read = history(project)
    if how == "list":
        assert similar(read, "parser") == {}
    else:
        assert answers(read) == before
    assert any("damaged" in path.name for path in tmp_path.iterdir()) is (how in ("text", "page", "foreign"))


def test_two_at_once_agree(project, tmp_path):
    file = tmp_path / "both.history.db"
    command = (
        "import sys; from pathlib import Path\n"
        "from optimizer.index.history import open_history\n"
        "from optimizer.index.files import Root\n"
        "read = open_history(Root(Path(sys.argv[1]), True), Path(sys.argv[2]), ['printer.py', 'parser.py'])\n"
        "print(read.commits, len(read._store.live), sorted(map(read.paths.__getitem__, read.churn)))\n"
    )
    arguments = [sys.executable, "-c", command, str(project), str(file)]
    running = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    printed = {process.communicate()[0] for process in running}
    assert printed == {"4 4 ['parser.py', 'printer.py']\n"}


@pytest.mark.slow
def test_many_small_updates_are_merged_into_few_lists(make_repo, history, tmp_path):
    root = make_repo({"a.py": "0"})
    for number in range(12):
        commit(root, f"Change number{number} again", {"a.py": str(number + 1)}, number)
        history(root).close()
    read = history(root)
    assert len(read._segments) <= commits.MOST_SEGMENTS
    assert read.commits == 13
    assert all("a.py" in similar(read, f"number{number}") for number in range(12))
    fresh = open_history(Root(root, True), tmp_path / "fresh.history.db", ["a.py"])
    assert churn(read) == pytest.approx(churn(fresh))
    fresh.close()


def test_only_the_newest_commits_are_kept(project, history, monkeypatch):
    monkeypatch.setattr("optimizer.index.history.MOST_COMMITS", 3)
    monkeypatch.setattr(commits, "MOST_COMMITS", 3)
    monkeypatch.setattr("optimizer.index.history.MOST_NUMBERS", 5)
    monkeypatch.setattr(commits, "MOST_NUMBERS", 5)
    assert history(project).commits == 3
    for number in range(4):
        commit(project, f"More {number}", {"more.py": str(number)}, 10 + number)
        read = history(project)
        assert read.commits == 3
        assert len(read._store.live) <= 6
    assert set(churn(read)) == {"more.py"}


def test_reading_stops_at_the_cap(project):
    found = find_git(project)
    listed = list_commits(found, project, "", 100, 10.0)
    assert len(listed.new) == 4
    assert list(read_commits(found, project, listed.new, 0.0)) == []
    assert [one.id for one in read_commits(found, project, listed.new, 10.0)] == list(listed.new)
    assert list(read_commits(found, project, ("0" * 40,), 10.0)) == []


def test_an_index_has_a_history_that_follows_a_refresh(project, opened):
    index = opened(project)
    update(index)
    assert "printer.py" in similar(index.history(), "colours")
    assert index.history() is index.history()
    git(project, "mv", "printer.py", "output.py")
    commit(project, "Move", {}, 4)
    update(index)
    index.forget()
    assert "output.py" in similar(index.history(), "colours")


def test_an_index_without_git_has_an_empty_history(tmp_path, opened):
    (tmp_path / "a.py").write_text("x = 1\n")
    index = opened(tmp_path)
    update(index)
    assert answers(index.history()) == ({}, {}, {})
