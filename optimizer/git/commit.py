"""Commit exactly the files of an edit, with the user's own git, hooks and signature.

`git commit --only` builds the commit in an index of its own, from HEAD and those files alone, and then updates the real
index for them; other staged changes stay staged, and a failing hook leaves everything as it was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from optimizer.errors import ChecksFailed, Conflict, InputError
from optimizer.events import Hindrance
from optimizer.git.run import GitResult, find_git, run_as_user
from optimizer.types import FileChange

# Set by git for the commands it starts; none of them may point to another repository or index.
_FOREIGN = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_EDITOR",
)
_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}
_FROM_STDIN = ("--pathspec-from-file=-", "--pathspec-file-nul")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that can be committed to now: the git program, the top folder, and the user's environment."""

    git: str
    root: Path
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Committed:
    """The new commit; `branch` is '' on a detached HEAD, `notes` are lines the user should read."""

    id: str
    branch: str
    notes: tuple[str, ...]


def ready(root: Path, env: Mapping[str, str]) -> Repository:
    """Check that a commit is possible in the repository at `root`, before anything is spent.

    Raises InputError where there is no git, no repository or no identity, Conflict while a merge, rebase or the like
    is not finished, files are in conflict, or the index is locked.
    """
    git = find_git(root)
    without = "leave out --commit: optimize undo works without git"
    if git is None:
        raise InputError("--commit needs git, and none was found", f"install git, or {without}")
    repository = Repository(git, root, {name: value for name, value in env.items() if name not in _FOREIGN})
    top = _read(repository, ["rev-parse", "--show-toplevel", "--absolute-git-dir"])
    lines = os.fsdecode(top.output).splitlines()
    if top.code or len(lines) != 2 or os.path.realpath(lines[0]) != os.path.realpath(root):
        raise InputError(f"--commit needs a git repository, and {root} is not the top of one", without)
    folder = Path(lines[1])
    for name, what in _UNDER_WAY.items():
        if (folder / name).exists():
            raise Conflict(f"a {what} is in progress here: nothing was changed", f"finish the {what}, or {without}")
    if _read(repository, ["ls-files", "-u"]).output:
        raise Conflict("files are in conflict here: nothing was changed", f"resolve them, or {without}")
    if (folder / "index.lock").exists():
        raise Conflict(
            "another git process is running here (index.lock): nothing was changed",
            f"try again when it is done; if none is running, remove {folder / 'index.lock'}",
        )
    for identity in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if _read(repository, ["var", identity]).code:
            raise InputError(
                "git has no name and address for commits: nothing was changed",
                "git config --global user.name NAME; git config --global user.email ADDRESS",
            )
    return repository


def hindrance(repository: Repository, changes: Sequence[FileChange]) -> Hindrance | None:
    """What stops a commit of these files, not written yet, from holding the edit alone; None when nothing does.

    Files must be as in HEAD, staged and unstaged, and neither ignored nor overlooked by git (sparse checkout).
    """
    paths = [change.path for change in changes]
    status = ["status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all"]
    listed = _read(repository, ["--literal-pathspecs", *status, "--", *paths])
    if listed.code:
        return Hindrance("unknown", detail=listed.errors)
    if dirty := [os.fsdecode(line[3:]) for line in listed.output.split(b"\0") if line]:
        return Hindrance("uncommitted", tuple(dirty))
    tagged = _read(repository, ["--literal-pathspecs", "ls-files", "-v", "-z", "--", *paths])
    if overlooked := [os.fsdecode(line[2:]) for line in tagged.output.split(b"\0") if line and line[:1] != b"H"]:
        return Hindrance("overlooked", tuple(overlooked))
    ignored = _read(repository, ["check-ignore", "-z", "--stdin"], b"".join(os.fsencode(p) + b"\0" for p in paths))
    if names := [os.fsdecode(name) for name in ignored.output.split(b"\0") if name]:
        return Hindrance("ignored", tuple(names))
    return None


def make(repository: Repository, changes: Sequence[FileChange], message: str) -> Committed:
    """Commit these files, already written, and nothing else. Raises ChecksFailed when git or a hook refuses.

    After a refusal the index is as it was. Hooks, signing, filters and identity are the user's, as with `git commit`.
    """
    names = b"\0".join(b":(top,literal)" + os.fsencode(change.path) for change in changes)
    new = [change.path for change in changes if change.before is None]
    try:
        if new:
            added = b"\0".join(b":(top,literal)" + os.fsencode(path) for path in new)
            _check(_run(repository, ["add", "--intent-to-add", *_FROM_STDIN], added), changes)
        commit = ["commit", "--only", "--quiet", "--cleanup=whitespace", f"--message={message}", *_FROM_STDIN]
        _check(_run(repository, commit, names), changes)
    except BaseException:
        _forget(repository, new)
        raise
    head = _read(repository, ["rev-parse", "HEAD"]).output.decode().strip()
    notes = [*_sync_index(repository, changes, head), *_changed_by_hooks(repository, changes)]
    branch = _read(repository, ["symbolic-ref", "--quiet", "--short", "HEAD"]).output.decode("utf-8", "replace").strip()
    if not branch:
        notes.append("HEAD is detached: no branch holds this commit; git switch -c NAME keeps it")
    return Committed(head, branch, tuple(notes))


def message_for(request: str, changes: Sequence[FileChange]) -> str:
    """A message from the first line of the request and what changed; a longer request follows in full."""
    lines = [" ".join("".join(c if c.isprintable() else " " for c in line).split()) for line in request.splitlines()]
    text = "\n".join(lines).strip()
    first = text.partition("\n")[0] or "Edit"
    subject = first if len(first) <= 72 else first[:71].rpartition(" ")[0].rstrip(",;:") + "…"
    body = "" if subject == text else f"\n\n{text[:4000]}"
    return f"{subject}{body}\n\n" + "\n".join(_counted(change) for change in changes)


def by_hand(changes: Sequence[FileChange]) -> str:
    """The shell command that commits the files of an edit."""
    import shlex

    added = " ".join(shlex.quote(change.path) for change in changes if change.before is None)
    paths = " ".join(shlex.quote(change.path) for change in changes)
    return (f"git add -- {added} && " if added else "") + f"git commit --only -- {paths}"


def _counted(change: FileChange) -> str:
    import difflib

    if change.after is None:
        return f"- {change.path}: removed"
    if change.before is None:
        return f"- {change.path}: new, {_lines(len(change.after.splitlines()))}"
    matcher = difflib.SequenceMatcher(None, change.before.splitlines(), change.after.splitlines(), autojunk=True)
    codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    more, fewer = sum(j2 - j1 for *_, j1, j2 in codes), sum(i2 - i1 for _, i1, i2, *_ in codes)
    return f"- {change.path}: {_lines(more)} added, {fewer} removed"


def _lines(count: int) -> str:
    return f"{count} line{'s' if count != 1 else ''}"


def _sync_index(repository: Repository, changes: Sequence[FileChange], head: str) -> list[str]:
    """Update the real index where a hook put other bytes into the commit than it holds."""
    paths = [change.path for change in changes]
    committed = _read(repository, ["ls-tree", "-z", "--full-tree", head, "--", *paths]).output
    staged = _read(repository, ["--literal-pathspecs", "ls-files", "-s", "-z", "--", *paths]).output
    want = {entry.split(b"\t")[1]: entry.split(b"\t")[0].split() for entry in committed.split(b"\0")[:-1]}
    have = {entry.split(b"\t")[1]: entry.split(b"\t")[0].split() for entry in staged.split(b"\0")[:-1]}
    lines = []
    for path in map(os.fsencode, paths):
        mode, _, name = want.get(path, (b"0", b"", b"0" * len(head)))
        if path not in want and path not in have:
            continue
        if path not in have or have[path][:2] != [mode, name]:
            lines.append(b"%s %s\t%s\0" % (mode, name, path))
    if lines and _run(repository, ["update-index", "-z", "--index-info"], b"".join(lines)).code:
        return ["git's index could not be updated to the commit; git status shows the difference"]
    return []


def _changed_by_hooks(repository: Repository, changes: Sequence[FileChange]) -> list[str]:
    """A note for each file that a hook changed, and where the commit differs from the files."""
    notes = []
    for change in changes:
        place = repository.root / change.path
        now = place.read_bytes() if place.is_file() else None
        if now != change.after:
            notes.append(f"a hook (or an editor) changed {change.path}: undo will ask for --merge")
    rest = _read(repository, ["--literal-pathspecs", "status", "--porcelain", "-z", "--", *(c.path for c in changes)])
    if rest.output:
        notes.append("the files now differ from the commit; git status shows how")
    return notes


def _forget(repository: Repository, new: Sequence[str]) -> None:
    """Remove the new files from the index, where only the commit needed them."""
    if new:
        listed = b"".join(os.fsencode(path) + b"\0" for path in new)
        _run(repository, ["update-index", "-z", "--force-remove", "--stdin"], listed)


def _check(ended: GitResult, changes: Sequence[FileChange]) -> None:
    if ended.code:
        why = ended.errors or f"git ended with {ended.code}"
        raise ChecksFailed(
            f"the change is written, but not committed; git or a hook refused:\n{why}",
            f"fix that, then: {by_hand(changes)}; or optimize undo",
        )


def _run(repository: Repository, arguments: Sequence[str], stdin: bytes = b"") -> GitResult:
    return run_as_user(repository.git, repository.root, arguments, repository.env, stdin)


def _read(repository: Repository, arguments: Sequence[str], stdin: bytes = b"") -> GitResult:
    return run_as_user(repository.git, repository.root, arguments, repository.env, stdin, reads=True)
