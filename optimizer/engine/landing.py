"""From a proven change to files: the questions before it is written, the write, and the git commit after it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.debug import debug
from optimizer.errors import ChecksFailed, SafetyRefused, UnusableOutput
from optimizer.events import Careful, Flow, Judged, LandingQuestion, Notice, ProjectCommand, TrustQuestion
from optimizer.report import outcome as report
from optimizer.types import Landed, Outcome, Patch

if TYPE_CHECKING:
    from optimizer.engine.services import Services, Workspace
    from optimizer.git.commit import Repository

MOST_OF_A_REQUEST = 4_000
MOST_NAMED = 5  # characters of one file in a question


@dataclass(frozen=True, slots=True)
class LandingOptions:
    """The answers given in advance: yes to plain questions, `allowed` paths by name, a commit with its message."""

    yes: bool = False
    allowed: tuple[str, ...] = ()
    commit: Repository | None = None
    message: str = ""


def land(outcome: Outcome, patch: Patch, request: str, landing: LandingOptions, services: Services) -> Flow[Outcome]:
    """Write the proven `patch` of `outcome` once every question is answered with yes, and commit it where asked.

    Raises Conflict when a file has changed since it was read or the commit would hold more than the edit, SafetyRefused
    for a path that is never written or whose question was not answered, StorageError when the disk fails (everything is
    put back).
    """
    from optimizer.edits.paths import new_scripts, open_files

    workspace = services.workspace
    _refuse(patch, workspace)
    try:
        if not landing.yes:
            outcome = yield from _check_further(outcome, patch, services)
            if outcome.patch is None:
                return outcome
        landing = yield from _committable(patch, landing)
        for path, editor in open_files(workspace.root, patch):
            yield Notice(report.open_file(path, editor), "open-file")
        found = (*careful_of(patch), *_weakened(outcome, request), *_judging(outcome))
        careful = tuple(one for one in found if one.path not in landing.allowed)
        doubtful = _doubtful(outcome, workspace) if landing.yes else None
        if careful or doubtful is not None or not landing.yes:
            answer = yield LandingQuestion(patch, careful, landing.commit is not None, doubtful)
            if answer is False:
                _decline(outcome, services)
                return outcome._replace(landed=Landed("declined"))
            if answer is not True:
                if careful:
                    raise report.needs_answer(careful)
                if doubtful is not None:
                    _decline(outcome, services)
                    raise report.doubtful(doubtful, workspace.settings.confidence_yes)
                return outcome._replace(landed=Landed("unanswered"))
    except (GeneratorExit, KeyboardInterrupt):
        _decline(outcome, services)
        raise
    entry = _write(outcome, patch, request, services)
    for path in new_scripts(patch):
        yield Notice(report.new_script(path), "new-script")
    debug("landing", "%d files written as change %s", len(patch.changes), entry)
    outcome = outcome._replace(landed=Landed("written", entry))
    return (yield from _commit(outcome, patch, request, landing)) if landing.commit else outcome


def careful_of(patch: Patch) -> Iterator[Careful]:
    """What a yes in advance does not cover; each reason of a file is an entry of its own."""
    from optimizer.characters import named
    from optimizer.edits.unprompted import acts_on
    from optimizer.languages.hidden import hidden

    marks = hidden(patch)
    for change in patch.changes:
        if program := acts_on(change):
            yield Careful(change.path, "acts", program)
        if found := dict.fromkeys(one.character for one in marks.get(change.path, ())):
            more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
            yield Careful(change.path, "hidden", ", ".join(map(named, list(found)[:MOST_NAMED])) + more)


def _weakened(outcome: Outcome, request: str) -> Iterator[Careful]:
    """The tests that a model's change weakens, unless the request is about tests."""
    weakened = outcome.verdict.weakened if outcome.verdict and outcome.tier != "index" else ()
    about_tests = {"test", "tests", "spec", "specs"} & {*re.findall(r"[a-z]+", request.lower())}
    for path in weakened:
        if not about_tests and path not in request:
            yield Careful(path, "weakened")


def _judging(outcome: Outcome) -> Iterator[Careful]:
    """The files by which a model's change could judge itself; a request about tests is no reason for them."""
    judging = outcome.verdict.judging if outcome.verdict and outcome.tier != "index" else ()
    return (Careful(path, "judging") for path in judging)


def _doubtful(outcome: Outcome, workspace: Workspace) -> float | None:
    """The confidence in a change of a model where it is too low for a yes in advance."""
    confidence = outcome.verdict.confidence if outcome.verdict and outcome.tier != "index" else 1.0
    return confidence if confidence < workspace.settings.confidence_yes else None


def _refuse(patch: Patch, workspace: Workspace) -> None:
    """Raise SafetyRefused for what no yes can allow: optimizer's own files, and files that git ignores."""
    from optimizer.edits.paths import refuse_unseen

    own = (workspace.places.config, workspace.places.state, workspace.places.cache)
    places = [os.path.realpath(place) for place in own]
    for change in patch.changes:
        real = os.path.realpath(workspace.root / change.path)
        if any(os.path.commonpath((place, real)) == place for place in places):
            raise SafetyRefused(f"{change.path} belongs to optimizer itself: it is never edited", "edit it yourself")
        if change.before is not None:
            refuse_unseen((change.path,), workspace.index.sees)


def _check_further(outcome: Outcome, patch: Patch, services: Services) -> Flow[Outcome]:
    """Ask once which commands may check this change, and remember the answers; the change is dropped when they fail."""
    from optimizer.verify import prove
    from optimizer.verify.commands import plan
    from optimizer.verify.trusted import decide

    workspace = services.workspace
    means = workspace.means()
    asked = [run.command for run in plan(patch, workspace.index, means) if run.skip == "unapproved"]
    answer = (yield TrustQuestion(tuple(ProjectCommand(one.kind, one.text) for one in asked))) if asked else None
    answers = answer if isinstance(answer, tuple) else (answer,) * len(asked)
    if len(answers) != len(asked) or not all(isinstance(one, bool) for one in answers):
        return outcome
    for one, allowed in zip(asked, answers, strict=True):
        decide(one, means, allowed is True, patch)
    if not any(answers):
        return outcome
    verdict = yield from prove.judge(patch, workspace.index, means)
    yield Judged(verdict)
    if verdict.ok:
        return outcome._replace(verdict=verdict)
    services.calls.ledger().settle(outcome.request, "checks-failed", was="proven")
    failed = Landed("checks-failed")
    return outcome._replace(patch=None, verdict=verdict, exit_code=UnusableOutput.exit_code, landed=failed)


def _committable(patch: Patch, landing: LandingOptions) -> Flow[LandingOptions]:
    """The landing without its commit where that would hold more than the edit."""
    from optimizer.git.commit import hindrance

    hindered = hindrance(landing.commit, patch.changes) if landing.commit else None
    if hindered is None:
        return landing
    if landing.yes:
        raise report.not_written(hindered)
    yield Notice(report.not_committable(hindered), "not-committable")
    return replace(landing, commit=None)


def _write(outcome: Outcome, patch: Patch, request: str, services: Services) -> str:
    """Write a patch, all or nothing; returns the journal entry that undo takes."""
    from optimizer.edits.journal import JournalBounds
    from optimizer.edits.write import write

    workspace = services.workspace
    entry = write(
        workspace.root,
        patch,
        workspace.journal,
        request.strip()[:MOST_OF_A_REQUEST],
        request=outcome.request,
        bounds=JournalBounds(workspace.settings.journal_bytes, workspace.settings.journal_days),
    )
    services.calls.ledger().settle(outcome.request, "accepted", was="proven")
    return entry


def _commit(outcome: Outcome, patch: Patch, request: str, landing: LandingOptions) -> Flow[Outcome]:
    """Commit the files that were written, with the user's own git."""
    from optimizer.git import commit

    assert landing.commit is not None and outcome.landed is not None
    message = landing.message or commit.message_for(request, patch.changes)
    try:
        made = commit.make(landing.commit, patch.changes, message)
    except ChecksFailed as error:
        yield Notice(error.message, "not-committed")
        return outcome._replace(exit_code=error.exit_code, hint=error.hint)
    except KeyboardInterrupt:
        yield Notice(report.not_committed(outcome), "not-committed")
        raise
    for note in made.notes:
        yield Notice(note, "commit")
    return outcome._replace(landed=outcome.landed._replace(commit=made.id, branch=made.branch))


def _decline(outcome: Outcome, services: Services) -> None:
    """Record that a proven change was not wanted."""
    services.calls.ledger().settle(outcome.request, "declined", was="proven")
