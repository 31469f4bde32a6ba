"""From findings to checks, and from checks to a verdict.

The confidence is 0 when a check failed. Otherwise every kind of check that passed removes its share of the doubt:
confidence = 1 - the product of (1 - weight) over the kinds that passed. A check that could not run removes nothing,
and neither does a model's own certainty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from optimizer.report.checks import BrokenName, broken_name, not_run
from optimizer.types import Check, Verdict

MOST_NAMED = 3
MOST_SHOWN = 15


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check in one place: whether it passed (None: it could not run), and why not."""

    passed: bool | None
    detail: str = ""
    evidence: str = ""


def broken(names: Sequence[BrokenName], ran: bool, why_not: str) -> Finding:
    """The result of a check of names; without broken ones, whether it `ran` or why not."""
    if not names:
        return Finding(True) if ran else Finding(None, why_not)
    lines = [broken_name(one) for one in names]
    more = f" and {len(lines) - MOST_NAMED} more" if len(lines) > MOST_NAMED else ""
    return Finding(False, "; ".join(lines[:MOST_NAMED]) + more, evidence="\n".join(lines[:MOST_SHOWN]))


def checks_of(name: str, found: Iterable[Finding]) -> Iterator[Check]:
    """One check for all findings together, and one for each that failed; none where there are no findings."""
    findings = list(found)
    failed = [one for one in findings if one.passed is False]
    passed = [one for one in findings if one.passed]
    for one in failed or passed[:1] or findings[:1]:
        yield check_of(name, one)


def check_of(name: str, found: Finding) -> Check:
    """The check of one finding."""
    detail = not_run(found.detail) if found.passed is None and found.detail else found.detail
    return Check(name, found.passed, detail, found.evidence)


def verdict_of(checks: tuple[Check, ...], weights: Mapping[str, float]) -> Verdict:
    """The verdict of checks; `weights` are by their names."""
    ok = all(check.passed is not False for check in checks)
    ran = {check.name for check in checks if check.passed}
    confidence = 1 - prod(1 - weights[name] for name in ran) if ok else 0.0
    return Verdict(ok, checks, round(confidence, 4))
