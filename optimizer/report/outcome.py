"""A run in sentences: its context, its verdict, a review, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from optimizer.errors import BudgetReached, NoProvider, UnusableOutput
from optimizer.humanize import count

if TYPE_CHECKING:
    from optimizer.events import Reviewed
    from optimizer.retrieval import Context
    from optimizer.types import Check, Verdict

ENDINGS: Mapping[int, str] = {
    UnusableOutput.exit_code: "no answer could be used; nothing was changed",
    NoProvider.exit_code: "no model gave an answer; nothing was changed",
    BudgetReached.exit_code: "the caps leave no model to ask; nothing was changed",
}
"""The last line of a failed request, by exit code, where nothing else explains it."""


def context_line(context: Context) -> str:
    """The context in one line."""
    files, pieces = len({item.path for item in context.items}), len(context.items)
    if not pieces:
        return "context: nothing here matches the request; no code would be sent"
    return f"context: {count(context.tokens, 'token')}, {count(pieces, 'piece')} of {count(files, 'file')}"


def verdict_text(verdict: Verdict) -> str:
    """The checks that passed in one line, and a line for each other one with its reason."""
    passed = ", ".join(check.name for check in verdict.checks if check.passed)
    others = [f"{check.name} {_how(check)}" for check in verdict.checks if not check.passed]
    first = f"checks: {passed} ok" if passed else "checks: none passed"
    return "\n".join([f"{first} · confidence {verdict.confidence:.2f}", *others])


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
