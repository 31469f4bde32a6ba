"""The checks of an answer before it may be offered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.errors import Conflict, UnusableOutput
from optimizer.events import Flow, Judged, Proposed
from optimizer.retrieval import Context
from optimizer.types import Patch, Verdict

if TYPE_CHECKING:
    from optimizer.agent.loop import Ended
    from optimizer.engine.services import Workspace


def proven(ended: Ended, context: Context, workspace: Workspace) -> Flow[Ended]:
    """A conversation that gave an answer, with the verdict on it; a failed check is its failure."""
    if ended.patch is None:
        from optimizer.verify.answers import check_answer

        verdict = check_answer(ended.text, workspace.index)
    else:
        from optimizer.verify import prove

        try:
            _check_as_shown(context, ended.patch)
        except Conflict as error:
            return replace(ended, patch=None, failure=error)
        verdict = yield from prove.judge(ended.patch, workspace.index, workspace.means())
        if verdict.ok:
            yield Proposed(ended.patch)
    yield Judged(verdict)
    if verdict.ok:
        return replace(ended, verdict=verdict)
    why = "; ".join(f"{check.name}: {check.detail}" for check in verdict.checks if check.passed is False)
    return replace(ended, patch=None, verdict=verdict, failure=UnusableOutput(why))


def evidence(verdict: Verdict) -> str:
    """What failed, with the excerpts that show it."""
    failed = [check for check in verdict.checks if check.passed is False]
    return "\n".join(f"{check.name}: {check.evidence or check.detail}" for check in failed)


def _check_as_shown(context: Context, patch: Patch) -> None:
    """Raise Conflict when a file is no longer what the model was shown: its line numbers would mean other lines."""
    before = {change.path: (change.before or b"").decode("utf-8", "replace") for change in patch.changes}
    for item in context.items:
        if item.path in before:
            lines = before[item.path].split("\n")[item.start - 1 : item.end]
            if _bare(lines) != _bare(item.text.split("\n")):
                raise Conflict(f"{item.path} has changed since it was shown to the model", "ask again")


def _bare(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")
