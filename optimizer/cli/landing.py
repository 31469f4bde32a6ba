"""From a proven change to files: the questions before it is written, and the commit after."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from optimizer.cli import show, terminal
from optimizer.errors import ChecksFailed, Conflict, UnusableOutput
from optimizer.events import Event, Judged, Notice
from optimizer.types import Outcome, Verdict

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.git.commit import Repository


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for: `yes` to any plain question, `allowed` paths by name, and a commit with its message."""

    request: str
    yes: bool
    allowed: tuple[str, ...] = ()
    commit: Repository | None = None
    message: str = ""


def land(outcome: Outcome, services: Services, screen: show.Screen, wish: Wish) -> int:
    """Write a proven change once all yeses are there, and commit it where that was asked; returns the exit code."""
    from optimizer.engine.commit import check, commit, needs_a_yes, wanting_a_yes

    if outcome.patch is None or outcome.exit_code:
        screen.result(outcome, "")
        return outcome.exit_code
    if not wish.yes and not terminal.interactive():
        screen.result(outcome, "not written: run again with --yes to write it")
        return 0
    check(outcome.patch, services)
    with _declined_on_leaving(outcome, services):
        outcome = _check_further(outcome, services, screen, wish.yes)
    if outcome.patch is None:
        return outcome.exit_code
    unnamed = [path for path in wanting_a_yes(outcome.patch) if path not in wish.allowed]
    if unnamed and not terminal.interactive():
        raise needs_a_yes(unnamed)
    wish = _committable(outcome, screen, wish)
    _tell_open_editors(outcome, services, screen)
    asks = unnamed or not wish.yes
    if asks and not _agreed(outcome, services, _question(outcome, wish, unnamed)):
        screen.result(outcome, "declined; nothing was written")
        return 0
    entry = commit(outcome, services, wish.request, (*wish.allowed, *unnamed))
    return _finish(outcome, screen, wish, entry)


def _agreed(outcome: Outcome, services: Services, question: str) -> bool:
    """Whether a person wants the change; booked as declined where they do not."""
    from optimizer.engine.commit import decline

    with _declined_on_leaving(outcome, services):
        agreed = terminal.confirm(question)
    if not agreed:
        decline(outcome, services)
    return agreed


@contextmanager
def _declined_on_leaving(outcome: Outcome, services: Services) -> Iterator[None]:
    """Book the change as declined when a person breaks off before it is written."""
    from optimizer.engine.commit import decline

    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        decline(outcome, services)
        raise


def _finish(outcome: Outcome, screen: show.Screen, wish: Wish, entry: str) -> int:
    """Commit where that was asked, and tell what is written."""
    from optimizer.edits.paths import scripts_to_allow
    from optimizer.git import commit as git_commit

    assert outcome.patch is not None
    for line in scripts_to_allow(outcome.patch):
        screen.event(Notice(line))
    landed = f"written as change {entry.lstrip('0')}; take it back with: optimize undo"
    if wish.commit is None:
        screen.result(outcome, landed)
        return 0
    changes = outcome.patch.changes
    message = wish.message or git_commit.message_for(wish.request, changes)
    try:
        made = git_commit.make(wish.commit, changes, message)
    except ChecksFailed as error:
        screen.event(Notice(error.message))
        screen.result(replace(outcome, exit_code=error.exit_code, hint=error.hint), landed)
        return error.exit_code
    except KeyboardInterrupt:
        screen.event(Notice(f"not committed; {landed}"))
        raise
    for note in made.notes:
        screen.event(Notice(note))
    on = f" on {made.branch}" if made.branch else ""
    screen.result(outcome, f"{landed}\ncommitted as {made.id[:10]}{on}; undo leaves the commit and changes the files")
    return 0


def _committable(outcome: Outcome, screen: show.Screen, wish: Wish) -> Wish:
    """The wish without its commit where that would hold more than the edit, and a person still wants the edit."""
    from optimizer.git.commit import hindrance

    if wish.commit is None or outcome.patch is None:
        return wish
    why = hindrance(wish.commit, outcome.patch.changes)
    if not why:
        return wish
    if wish.yes or not terminal.interactive():
        raise Conflict(
            f"{why}: nothing was written, since a commit of it would not hold the edit alone",
            "commit yours first, or leave --commit away",
        )
    screen.event(Notice(f"{why}: the change can be written, but not committed by itself"))
    return replace(wish, commit=None)


def _tell_open_editors(outcome: Outcome, services: Services, screen: show.Screen) -> None:
    from optimizer.edits.paths import open_in_editors

    if outcome.patch is not None:
        for line in open_in_editors(services.workspace.root, outcome.patch):
            screen.event(Notice(line))


def _check_further(outcome: Outcome, services: Services, screen: show.Screen, yes: bool) -> Outcome:
    """Offer a person to run the commands that nobody was asked about yet; the change is dropped when they fail."""
    from optimizer.cli import trust
    from optimizer.verify import prove

    if yes or outcome.patch is None or not terminal.interactive() or not trust.offer(outcome, services):
        return outcome
    verdict = _shown(prove.judge(outcome.patch, services.workspace.index, services.workspace.means()), screen)
    screen.event(Judged(verdict))
    if verdict.ok:
        return replace(outcome, verdict=verdict)
    failed = replace(outcome, patch=None, verdict=verdict, exit_code=UnusableOutput.exit_code)
    screen.result(failed, "nothing was written: a check failed")
    return failed


def _shown(judging: Generator[Event, None, Verdict], screen: show.Screen) -> Verdict:
    while True:
        try:
            screen.event(next(judging))
        except StopIteration as done:
            verdict: Verdict = done.value
            return verdict


def _question(outcome: Outcome, wish: Wish, unnamed: list[str]) -> str:
    from optimizer.edits.paths import taken_up_by

    count = len(outcome.patch.changes) if outcome.patch else 0
    careful = "".join(f"{path}: {taken_up_by(path)} acts on this file by itself.\n" for path in unnamed)
    then = " and commit it" if wish.commit else ""
    return f"{careful}Write this change to {count} file{'s' if count != 1 else ''}{then}?"
