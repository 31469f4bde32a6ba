"""From an answer to a proven one or the reason why it is none."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from optimizer.engine.request import Request, Tried
from optimizer.errors import Conflict
from optimizer.events import Event, Judged, Proposed
from optimizer.retrieval import Context
from optimizer.types import Patch, Verdict

if TYPE_CHECKING:
    from optimizer.engine.services import Services


def prove(request: Request, text: str, patch: Patch | None, services: Services) -> Generator[Event, None, Tried]:
    """Check what an answer says, or what its patch changes."""
    if patch is None:
        return (yield from _prove_answer(text, services))
    return (yield from _prove_patch(request, text, patch, services))


def judge(patch: Patch, services: Services) -> Generator[Event, None, Verdict]:
    """The proof of a patch; a notice comes before the commands that may take their time."""
    from optimizer.verify import prove

    return (yield from prove.judge(patch, services.workspace.index, services.workspace.means()))


def _prove_answer(text: str, services: Services) -> Generator[Event, None, Tried]:
    from optimizer.verify.answers import check_answer

    verdict = check_answer(text, services.workspace.index)
    yield Judged(verdict)
    return Tried("" if verdict.ok else _failures(verdict), text, verdict=verdict)


def _prove_patch(request: Request, text: str, patch: Patch, services: Services) -> Generator[Event, None, Tried]:
    try:
        _check_as_shown(request.context, patch)
    except Conflict as error:
        return Tried(error.message, text, exit_code=error.exit_code)
    verdict = yield from judge(patch, services)
    if verdict.ok:
        yield Proposed(patch)
    yield Judged(verdict)
    if verdict.ok:
        return Tried("", text, patch, verdict)
    return Tried(_failures(verdict), text, None, verdict, _evidence(verdict))


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


def _failures(verdict: Verdict) -> str:
    return "; ".join(f"{check.name}: {check.detail}" for check in verdict.checks if check.passed is False)


def _evidence(verdict: Verdict) -> str:
    """What failed, with the excerpts that show it."""
    failed = [check for check in verdict.checks if check.passed is False]
    return "\n".join(f"{check.name}: {check.evidence or check.detail}" for check in failed)
