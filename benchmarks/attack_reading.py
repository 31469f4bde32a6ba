"""Attacks on what may be read: hidden files over every channel, files of other users, pipes in the place of files.

    python benchmarks/attack_reading.py [--optimize PROGRAM] [--only WORD]

Each is tried on the installed command with a vendor on loopback that keeps what it gets. Its control leaves out what
should hold the attack: there the canary must leave, else the attack shows nothing. The exit code is 1 when an attack
succeeds or a control fails. Needs Linux and root, which gives files to another user.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from attack_case import ANOTHER, CALC, CANARY, MINE, Answer, Case, called, tried

ROOT = Path(__file__).parents[1]
LONGEST = 30.0  # seconds that a command may take where a pipe is in the place of a file
NO_GIT = {"PATH": "/nothing"}

ATTACKS: dict[str, Callable[[Case], None]] = {}


def attack(function: Callable[[Case], None]) -> Callable[[Case], None]:
    ATTACKS[function.__name__.strip("_").replace("_", " ")] = function
    return function


# ── git's four sources, where git does not answer ────────────────────────────────────────────────


def sources(case: Case, which: str) -> None:
    if not case.held:
        return
    if which == "a gitignore":
        case.put(".gitignore", "notes.py\n")
    elif which == "a pattern with a class":
        case.put(".gitignore", "[[:alpha:]]otes.py\n")
    elif which == "info exclude":
        (case.root / ".git/info/exclude").write_text("notes.py\n")
    elif which == "the default excludes":
        case.put(".config/git/ignore", "notes.py\n", case.home)
    elif which == "the global excludes":
        case.put(".gitconfig", "[core]\n\texcludesFile = ~/rules\n", case.home)
        case.put("rules", "notes.py\n", case.home)
    elif which == "included excludes":
        case.put(".gitconfig", "[include] path = more\n", case.home)
        case.put("more", '[core] excludesfile = "~/rules" ; mine\n', case.home)
        case.put("rules", "notes.py\n", case.home)
    else:
        case.env["GIT_CONFIG_GLOBAL"] = str(case.home / "other")
        case.put("other", f"[core]\n\texcludesFile = {case.home}/rules\n", case.home)
        case.put("rules", "notes.py\n", case.home)


SOURCES = ("a gitignore", "a pattern with a class", "info exclude", "the default excludes", "the global excludes",
           "included excludes", "the excludes of a variable")  # fmt: skip


def spoilt(case: Case, how: str) -> None:
    if how == "git is missing":
        case.env |= NO_GIT
    elif how == "git refuses":
        case.give_away(case.root)
    elif how == "the repository is broken":
        (case.root / ".git/HEAD").write_text("nonsense\n")


def by_source(which: str, how: str) -> Callable[[Case], None]:
    def lay(case: Case) -> None:
        case.untracked()
        sources(case, which)
        spoilt(case, how)

    return lay


for _how in ("git works", "git refuses", "git is missing", "the repository is broken"):
    for _which in SOURCES:
        ATTACKS[f"{_how}, ignored by {_which}"] = by_source(_which, _how)


@attack
def a_linked_working_tree_without_git(case: Case) -> None:
    case.commit()
    tree = case.start = case.base / "tree"
    case.git("worktree", "add", "-q", str(tree))
    case.put("notes.py", MINE, tree)
    sources(case, "info exclude")
    case.env |= NO_GIT


@attack
def a_repository_in_a_plain_folder(case: Case) -> None:
    case.untracked()
    sources(case, "info exclude")
    case.start = case.base / "plain"
    case.start.mkdir()
    case.root.rename(case.start / "inner")


@attack
def an_own_folder_in_anothers_repository_that_ignores_a_file_of_it(case: Case) -> None:
    case.commit()
    case.put("sub/notes.py", MINE)
    case.start = case.root / "sub"
    (case.root / ".git/info/exclude").write_text("/sub/notes.py\n" if case.held else "")
    case.give_away(case.root / ".git")


# ── notes, links, tools, edits, copies ───────────────────────────────────────────────────────────


def notes(case: Case, name: str, ignore: Callable[[Case], None]) -> None:
    case.commit()
    case.put(name, f"Mind {CANARY}.\n")
    case.request = ("explain add",)
    if case.held:
        ignore(case)


@attack
def an_ignored_AGENTS(case: Case) -> None:
    notes(case, "AGENTS.md", lambda case: case.put(".gitignore", "AGENTS.md\n"))


@attack
def an_ignored_CLAUDE_without_git(case: Case) -> None:
    notes(case, "CLAUDE.md", lambda case: (case.root / ".git/info/exclude").write_text("CLAUDE.md\n"))
    case.env |= NO_GIT


@attack
def a_tracked_AGENTS_in_an_ignore_file_of_an_assistant(case: Case) -> None:
    case.commit(AGENTS_DOT_md=f"Mind {CANARY}.\n", _DOT_cursorignore="AGENTS.md\n" if case.held else "")
    case.request = ("explain add",)


@attack
def an_AGENTS_that_is_a_link_to_an_ignored_file(case: Case) -> None:
    notes(case, "mine.md", lambda case: case.put(".gitignore", "mine.md\n"))
    (case.root / "AGENTS.md").symlink_to("mine.md")


@attack
def an_AGENTS_that_is_a_link_of_a_link_in_an_ignored_folder(case: Case) -> None:
    notes(case, "docs/mine.md", lambda case: case.put(".gitignore", "docs/\n"))
    (case.root / "over.md").symlink_to("docs/mine.md")
    (case.root / "AGENTS.md").symlink_to("over.md")


@attack
def an_AGENTS_that_is_a_link_to_a_secret_file(case: Case) -> None:
    notes(case, "id_rsa" if case.held else "plain.md", lambda case: None)
    (case.root / "AGENTS.md").symlink_to("id_rsa" if case.held else "plain.md")


def ignored_by_git(case: Case) -> None:
    case.untracked()
    sources(case, "a gitignore")
    case.request = ("change add to subtract",)


def ignored_by_assistant(case: Case) -> None:
    case.commit(notes_DOT_py=MINE, _DOT_optimizerignore="notes.py\n" if case.held else "")
    case.request = ("change add to subtract",)


TOOLS = {
    "read_file": called(("read_file", {"path": "notes.py"})),
    "search_code": called(("search_code", {"text": "CANARY_"})),
    "find_symbol": called(("find_symbol", {"name": "private_notes"}), ("search_code", {"text": "return 'CAN"})),
    "an edit that does not fit": called(
        ("edit_file", {"path": "notes.py", "old": "    return 'CANARY'\n", "new": "    return 1\n"})
    ),
}


def by_tool(lay: Callable[[Case], None], answer: Answer) -> Callable[[Case], None]:
    def laid(case: Case) -> None:
        lay(case)
        case.answer = answer

    return laid


for _tool, _answer in TOOLS.items():
    ATTACKS[f"{_tool} of what git ignores"] = by_tool(ignored_by_git, _answer)
    ATTACKS[f"{_tool} of what an assistant's file names"] = by_tool(ignored_by_assistant, _answer)


@attack
def a_link_to_an_ignored_file_is_edited(case: Case) -> None:
    ignored_by_git(case)
    (case.root / "open.py").symlink_to("notes.py")
    case.answer = called(("edit_file", {"path": "open.py", "old": "    return 'CANARY'\n", "new": "    return 1\n"}))


@attack
def a_test_reads_the_hidden_file_of_the_copy(case: Case) -> None:
    test = "import pathlib\n\n\ndef test_x():\n    raise ValueError(pathlib.Path('notes.py').read_text())\n"
    ignored_by_assistant(case)
    case.answer = called(
        ("create_file", {"path": "test_x.py", "content": test}), ("run_tests", {"paths": ["test_x.py"]})
    )
    case.request = ("write tests for add",)


# ── ignore files of assistants ───────────────────────────────────────────────────────────────────

for _kind in ("optimizer", "aider", "cline", "cursor", "gemini", "codeium"):

    def _tracked(case: Case, kind: str = _kind) -> None:
        case.commit(**{"notes.py": MINE, f".{kind}ignore": "notes.py\n" if case.held else ""})

    ATTACKS[f"a tracked file in .{_kind}ignore"] = _tracked


@attack
def an_ignore_file_that_git_ignores_in_a_folder(case: Case) -> None:
    case.commit(sub__notes_DOT_py=MINE, _DOT_gitignore=".aider*\n")
    case.put("sub/.aiderignore", "/notes.py\n" if case.held else "")


@attack
def another_ignore_file_shows_it_again(case: Case) -> None:
    first = "notes.py\n" if case.held else ""
    case.commit(
        notes_DOT_py=MINE, _DOT_cursorignore=first, _DOT_geminiignore="!notes.py\n", _DOT_gitignore="!notes.py\n"
    )


@attack
def an_ignore_file_with_windows_lines_and_a_mark(case: Case) -> None:
    case.commit(notes_DOT_py=MINE)
    (case.root / ".cursorignore").write_bytes(b"\xef\xbb\xbf/notes.*\r\n" if case.held else b"\xef\xbb\xbf\r\n")


@attack
def an_ignore_file_that_is_a_link(case: Case) -> None:
    case.commit(notes_DOT_py=MINE, rules="notes.py\n" if case.held else "")
    (case.root / ".clineignore").symlink_to("rules")


# ── files of other users ─────────────────────────────────────────────────────────────────────────


@attack
def a_repository_above_of_another_user(case: Case) -> None:
    case.untracked()
    case.start = case.root / "mine"
    case.put("a.py", "A = 1\n", case.start)
    if case.held:
        case.give_away(case.root / ".git")


def with_settings(case: Case) -> None:
    case.commit(_DOT_optimizer_DOT_toml="max_tokens = 1234\n")
    case.request, case.sign = ("explain add",), "1234"


@attack
def settings_in_anothers_repository(case: Case) -> None:
    with_settings(case)
    case.give_away(case.root)
    if not case.held:
        case.put(".gitconfig", f"[safe]\n\tdirectory = {case.root}\n", case.home)


@attack
def settings_of_another_user_in_my_repository(case: Case) -> None:
    with_settings(case)
    if case.held:
        case.give_away(case.root / ".optimizer.toml")


@attack
def settings_in_a_repository_that_calls_itself_safe(case: Case) -> None:
    with_settings(case)
    if case.held:
        case.git("config", "safe.directory", "*")
        case.give_away(case.root)


@attack
def notes_in_anothers_repository(case: Case) -> None:
    notes(case, "AGENTS.md", lambda case: case.give_away(case.root))


@attack
def notes_of_another_user_in_my_repository(case: Case) -> None:
    notes(case, "AGENTS.md", lambda case: case.give_away(case.root / "AGENTS.md"))


@attack
def notes_of_a_plain_folder_of_another_user(case: Case) -> None:
    case.start = case.base / "plain"
    for name, text in {**CALC, "AGENTS.md": f"Mind {CANARY}.\n"}.items():
        case.put(name, text, case.start)
    case.request = ("explain add",)
    if case.held:
        os.chown(case.start, ANOTHER, ANOTHER)


# ── pipes in the place of files: nothing waits, and what may be sent still is ────────────────────

PIPES = (
    ".gitignore", "sub/.gitignore", ".git/index", ".git/info/exclude", ".git/packed-refs", ".git/included",
    ".aiderignore", "AGENTS.md", "CLAUDE.md", ".optimizer.toml", "pytest.ini", "pyproject.toml", "sub/AGENTS.md",
    "piped.py",
)  # fmt: skip


def by_pipe(path: str) -> Callable[[Case], None]:
    def lay(case: Case) -> None:
        case.untracked()
        case.put("sub/b.py", "B = 1\n")
        case.quick = True
        if case.held:
            (case.root / path).unlink(missing_ok=True)
            os.mkfifo(case.root / path)
            if path == ".git/included":
                case.put(".git/config", "[core]\n\trepositoryformatversion = 0\n[include]\n\tpath = included\n")

    return lay


for _path in PIPES:
    ATTACKS[f"a pipe as {_path}"] = by_pipe(_path)


class Result(NamedTuple):
    """What became of an attack: whether its control shows the canary, whether it was held, and a remark on time."""

    name: str
    shown: bool
    held: bool
    took: str


def result(name: str, program: str) -> Result:
    """Try an attack, and its control."""
    shown, _, _ = tried(ATTACKS[name], False, program)
    gone, seconds, quick = tried(ATTACKS[name], True, program)
    took = f" ({seconds:.1f} s)" if quick else ""
    return Result(name, shown, seconds < LONGEST if quick else not gone, took)


def main() -> None:
    """Print a line for each attack: whether its control shows the canary, and whether the attack was held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--optimize", default=str(ROOT / ".venv/bin/optimize"))
    parser.add_argument("--only", default="", help="those attacks alone whose name holds this")
    parser.add_argument("--jobs", type=int, default=2, help="so many at once")
    given = parser.parse_args()
    wanted = [name for name in ATTACKS if given.only in name]
    good = 0
    print(f"{'attack':<74} {'control':<8} held")
    with ThreadPoolExecutor(given.jobs) as pool:
        for one in pool.map(lambda name: result(name, given.optimize), wanted):
            control, ended = "leaves" if one.shown else "NO SIGN", "held" if one.held else "SUCCEEDS"
            print(f"{one.name:<74} {control:<8} {ended}{one.took}", flush=True)
            good += one.shown and one.held
    print(f"{good} of {len(wanted)} held, each with a control that shows the canary")
    sys.exit(good < len(wanted))


if __name__ == "__main__":
    main()
