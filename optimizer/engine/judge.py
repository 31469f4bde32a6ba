"""From a completion to a proven answer or the reason why it is none."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from optimizer.engine.request import Request, Tried
from optimizer.errors import Conflict, OptimizerError
from optimizer.events import Event, Judged, Notice, Proposed
from optimizer.retrieval import Context
from optimizer.types import Completion, Patch, Reply, Verdict, Whole

if TYPE_CHECKING:
    from optimizer.engine.parts import Parts


def prove(request: Request, completion: Completion, parts: Parts) -> Generator[Event, None, Tried]:
    """Read a completion, apply its edits in memory and check what it says or changes."""
    from optimizer.edits.parse import parse_reply

    if completion.stop == "length":
        return Tried("the answer was cut at its token limit; answer shorter", cut=True)
    reply = parse_reply(completion.text, completion.tool_calls)
    if not request.task.wants_edits and all(isinstance(edit, Whole) for edit in reply.edits):
        return (yield from _prove_answer(completion, parts))  # a path above a fence is an excerpt here
    return (yield from _prove_edits(request, reply, parts))


def judge(patch: Patch, parts: Parts) -> Generator[Event, None, Verdict]:
    """The proof of a patch; a notice comes before each command that may take its time."""
    from optimizer.verify import prove

    verdict = prove.at_once(patch, parts.index)
    if not verdict.ok:
        return verdict
    means = parts.means()
    steps = prove.plan(patch, parts.index, means)
    if running := [step.command.text for step in steps if not step.skip]:
        yield Notice(f"checking in a scratch copy: {', '.join(running)}")
    return prove.prove(verdict, steps, patch, means)


def _prove_answer(completion: Completion, parts: Parts) -> Generator[Event, None, Tried]:
    from optimizer.verify.checks import check_answer

    verdict = check_answer(completion.text, parts.index)
    yield Judged(verdict)
    return Tried("" if verdict.ok else _failures(verdict), completion.text, verdict=verdict)


def _prove_edits(request: Request, reply: Reply, parts: Parts) -> Generator[Event, None, Tried]:
    from optimizer.edits.apply import apply_edits
    from optimizer.edits.read import reader

    if reply.problems:
        return Tried("; ".join(reply.problems), reply.prose)
    if not reply.edits:
        return Tried("the answer holds no edit", reply.prose)
    try:
        patch = apply_edits(reply.edits, reader(parts.root))
        _check_as_shown(request.context, patch)
    except OptimizerError as error:
        return Tried(error.message, reply.prose, exit_code=error.exit_code)
    verdict = yield from judge(patch, parts)
    if verdict.ok:
        yield Proposed(patch)
    yield Judged(verdict)
    if verdict.ok:
        return Tried("", reply.prose, patch, verdict)
    return Tried(_failures(verdict), reply.prose, None, verdict, _evidence(verdict))


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
