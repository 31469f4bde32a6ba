"""A run in sentences: its context, verdict and review, what is asked before a change is written, and how it ended."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from optimizer.errors import BudgetReached, Conflict, NoProvider, SafetyRefused, UnusableOutput
from optimizer.report.figures import count, together

if TYPE_CHECKING:
    from optimizer.events import Careful, ConsentQuestion, Hindrance, LandingQuestion, RenameQuestion, Reviewed
    from optimizer.retrieval import Context
    from optimizer.types import Check, Outcome, Verdict

MOST_PLACES = 10
REFUSED_LINES, REFUSED_LETTERS = 5, 400  # of an answer that was not accepted
CONFIDENCE = "confidence"  # the check of the whole, which runs nothing
ENDINGS: Mapping[int, str] = {
    UnusableOutput.exit_code: "no answer could be used; nothing was changed",
    NoProvider.exit_code: "no model gave an answer; nothing was changed",
    Conflict.exit_code: "the answer does not fit the files as they are; nothing was changed",
    BudgetReached.exit_code: "the caps leave no model to ask; nothing was changed",
}
"""The last line of a failed request, by exit code, where nothing else explains it."""


def context_line(context: Context) -> str:
    """The context in one line."""
    files, pieces = len({item.path for item in context.items}), len(context.items)
    if not pieces:
        return "context: nothing here matches the request; no code would be sent"
    return f"context: {count(context.tokens, 'token')}, {count(pieces, 'piece')} of {count(files, 'file')}"


_PARTS = {
    "answer": "the answer",
    "fixed": "rules and tools",
    "notes": "project notes",
    "images": "images",
    "asked": "the request",
    "plan": "a plan",
    "code": "code",
}


def budget_line(total: int, parts: Mapping[str, int]) -> str:
    """How the tokens of a first request are split."""
    return f"of {total:,} tokens: " + ", ".join(
        f"{parts[name]:,} for {words}" for name, words in _PARTS.items() if parts.get(name)
    )


def verdict_text(verdict: Verdict) -> str:
    """The checks that passed in one line, and a line for each other one with its reason."""
    passed = ", ".join(dict.fromkeys(check.name for check in verdict.checks if check.passed))
    others = [f"{check.name} {_how(check)}" for check in verdict.checks if not check.passed]
    first = f"checks: {passed} ok" if passed else "checks: none passed"
    return "\n".join([f"{first} · confidence {verdict.confidence:.2f}", *others])


def verdict_line(verdict: Verdict) -> str:
    """The checks in short: how many passed and which did not run, and why others prove nothing.

    Where some failed, only those, with reasons.
    """
    failed = [f"{check.name} {_how(check)}" for check in verdict.checks if check.passed is False]
    if failed:
        return "\n".join(failed)
    passed = len({check.name for check in verdict.checks if check.passed})
    open_ones = [check for check in verdict.checks if check.passed is None and check.name != CONFIDENCE]
    idle = list(dict.fromkeys(check.name for check in open_ones if not check.ran))
    rest = f", {together(idle)} not run" if idle else ""
    first = f"checks: {passed} ok{rest} · confidence {verdict.confidence:.2f} (-v shows each)"
    return "\n".join([first, *(f"{check.name} {_how(check)}" for check in open_ones if check.ran)])


def refused(text: str, request: str, kept: bool) -> str:
    """The beginning of an answer that was not accepted; `kept`: where all of it is found."""
    lines = text.strip().splitlines()
    shown = "\n".join(lines[:REFUSED_LINES])[:REFUSED_LETTERS]
    more = " …" if len(shown) < len("\n".join(lines)) else ""
    whole = f" (whole: optimize log --transcript {request})" if kept else ""
    return f"the last answer, not accepted{whole}:\n{shown}{more}"


def not_accepted() -> str:
    """An answer that was shown as it came, and then failed."""
    return "the answer above is not accepted"


def review_text(review: Reviewed) -> str:
    """The reviewing model and its findings, a line each."""
    head = f"review by {review.model}{', which made the change itself' if review.own else ''}, advice only"
    if not review.findings:
        return f"{head}: no findings"
    return "\n".join([f"{head}:", *(f"- {line}" for line in review.findings)])


def _how(check: Check) -> str:
    if check.passed is None:
        return check.detail or "not run"
    return f"failed: {check.detail}" if check.detail else "failed"


def needs_answer(careful: Sequence[Careful]) -> SafetyRefused:
    """The refusal of files that a yes in advance does not cover, where no prompt is possible."""
    flags = " ".join(f"--allow {shlex.quote(path)}" for path in dict.fromkeys(one.path for one in careful))
    shown = ", ".join(f"{one.path} ({_careful(one)})" for one in careful)
    return SafetyRefused(
        f"nothing was written: {shown} needs its own yes", f"say yes at a terminal, or name it: {flags}"
    )


def _careful(one: Careful) -> str:
    """Why a file needs an answer of its own."""
    match one.code:
        case "acts":
            return f"{one.detail} acts on this file by itself"
        case "hidden":
            return f"new lines hold characters that are not what they seem: {one.detail}"
        case "weakened":
            return "with it, the tests demand less of the code"
        case "judging":
            return "with it, the program could alter how its tests are judged, or know that it is tested"


def doubtful(confidence: float, least: float) -> SafetyRefused:
    """The refusal of a change that no check speaks for, where no prompt is possible."""
    return SafetyRefused(
        f"nothing was written: the confidence in this change is {confidence:.2f}, below confidence_yes {least:g}",
        "say yes at a terminal, name the file in the request, or lower confidence_yes",
    )


def consent(asked: ConsentQuestion) -> str:
    """Whether code may be sent to a provider."""
    training = " They may be used to train models." if asked.trains else ""
    return (
        f"Your request and code of {asked.repository} will be sent to {asked.provider} at {asked.host}.{training}\n"
        "Allow it? A yes is remembered for this repository."
    )


def question(asked: LandingQuestion) -> str:
    """Whether to write a change."""
    count = len(asked.patch.changes)
    then = " and commit it" if asked.commit else ""
    careful = "".join(f"{one.path}: {_careful(one)}.\n" for one in asked.careful)
    if asked.doubtful is not None:
        careful += f"Hardly any check could speak for this change: its confidence is {asked.doubtful:.2f}.\n"
    return f"{careful}Write this change to {count} file{'s' if count != 1 else ''}{then}?"


def unresolved(asked: RenameQuestion) -> str:
    """Whether to rename what is not known to be meant."""
    places = "".join(f"  {place}\n" for place in asked.places)
    return f"It is not known whether these are the same {asked.name}:\n{places}Rename them too?"


def not_renamed(name: str, places: tuple[str, ...]) -> Conflict:
    """A rename whose rest, left as it is, is likely to break the program."""
    shown = ", ".join(places[:MOST_PLACES]) + (f" and {len(places) - MOST_PLACES} more" * (len(places) > MOST_PLACES))
    return Conflict(
        f"nothing was renamed: {name} may be meant at {shown}, and leaving that as it is would break it",
        "run it at a terminal to decide, or give the types that are missing there",
    )


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


def cut(outcome: Outcome, edits: bool) -> str:
    """Why an answer is not whole; of a change, which is not shown, also where to find what came."""
    why = {
        "": "",
        "length": "it reached its limit of tokens (max_tokens)",
        "late": "the rest did not come",
        "loop": "it repeated itself and was stopped",
    }[outcome.cut]
    if not why:
        return ""
    rest = f"; what came of it: optimize log --transcript {outcome.request}" if edits else ""
    return f"the answer is cut: {why}{rest}"


def open_file(path: str, editor: str) -> str:
    """A file that is open elsewhere while it is written."""
    return f"{path} seems to be open in {editor}: load it there again once it is written"


def new_script(path: str) -> str:
    """A new script, which the user has to make executable."""
    return f"{path} is a new script and not executable: chmod +x {path}"


def not_committed(outcome: Outcome) -> str:
    """A commit that was interrupted after the change was written."""
    return f"not committed; {landed(outcome)}"


def not_committable(hindered: Hindrance) -> str:
    """A change that can be written, but whose commit would hold more."""
    return f"{_hindrance(hindered)}: the change can be written, but not committed by itself"


def not_written(hindered: Hindrance) -> Conflict:
    """The refusal of a change whose commit would hold more, where no prompt is possible."""
    return Conflict(
        f"{_hindrance(hindered)}: nothing was written, since a commit of it would not hold the edit alone",
        "commit yours first, or leave out --commit",
    )


def _hindrance(hindered: Hindrance) -> str:
    if hindered.why == "unknown":
        return f"git cannot report the state of the files: {hindered.detail}"
    paths, have = ", ".join(hindered.paths), "has" if len(hindered.paths) == 1 else "have"
    if hindered.why == "uncommitted":
        return f"{paths} {have} changes of yours that are not committed"
    if hindered.why == "overlooked":
        return f"{paths}: git is set to overlook the file (sparse checkout, skip-worktree)"
    return f"{paths}: git ignores the file"
