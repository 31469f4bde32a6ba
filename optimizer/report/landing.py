"""What is asked before a change is written, and what became of it, as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.errors import SafetyRefused
from optimizer.events import LandingQuestion
from optimizer.reasons import Hindrance
from optimizer.types import Outcome


def needs_answer(careful: Sequence[tuple[str, str]]) -> SafetyRefused:
    """The refusal of files that a program acts on by itself, where no prompt is possible."""
    flags = " ".join(f"--allow {path}" for path, _ in careful)
    shown = ", ".join(f"{path} ({program} acts on it by itself)" for path, program in careful)
    return SafetyRefused(
        f"nothing was written: {shown} needs its own yes", f"say yes at a terminal, or name it: {flags}"
    )


def question(asked: LandingQuestion) -> str:
    """Whether to write a change."""
    count = len(asked.patch.changes)
    then = " and commit it" if asked.commit else ""
    careful = "".join(f"{path}: {program} acts on this file by itself.\n" for path, program in asked.careful)
    return f"{careful}Write this change to {count} file{'s' if count != 1 else ''}{then}?"


def landed(outcome: Outcome) -> str:
    """What became of a proven change; '' where there was none."""
    done = outcome.landed
    if done is None or done.state == "unanswered":
        unwritten = outcome.patch is not None and not outcome.exit_code
        return "not written: run again with --yes to write it" if unwritten else ""
    if done.state == "declined":
        return "declined; nothing was written"
    if done.state == "checks-failed":
        return "nothing was written: a check failed"
    line = f"written as change {done.entry.lstrip('0')}; take it back with: optimize undo"
    if not done.commit:
        return line
    branch = f" on {done.branch}" if done.branch else ""
    return f"{line}\ncommitted as {done.commit[:10]}{branch}; undo leaves the commit and changes the files"


def open_file(path: str, editor: str) -> str:
    """A file that is open elsewhere while it is written."""
    return f"{path} seems to be open in {editor}: load it there again once it is written"


def new_script(path: str) -> str:
    """A new script, which the user has to make executable."""
    return f"{path} is a new script and not executable: chmod +x {path}"


def hindrance(hindered: Hindrance) -> str:
    """Why a git commit would not hold the edit alone."""
    if hindered.why == "unknown":
        return f"git cannot report the state of the files: {hindered.detail}"
    paths, have = ", ".join(hindered.paths), "has" if len(hindered.paths) == 1 else "have"
    if hindered.why == "uncommitted":
        return f"{paths} {have} changes of yours that are not committed"
    if hindered.why == "overlooked":
        return f"{paths}: git is set to overlook the file (sparse checkout, skip-worktree)"
    return f"{paths}: git ignores the file"
