"""Money spent, as people read it: a day, several days, and what the caps leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer.report.figures import count, dollars
from optimizer.report.layout import table


def day(summary: Any) -> str:
    """The requests, success, cost and latency of a day."""
    lines = [f"Daily Metrics ({summary.date}):", f"  Total Requests: {summary.requests:,}"]
    if not summary.requests:
        return "\n".join(lines)
    lines += [f"  Success Rate: {summary.success_rate or 0:.1%}", "  Costs:"]
    wide = max(len(label.label) for label in summary.labels) + 1
    for part in summary.labels:
        unknown = f", {part.unknown:,} of unknown price" if part.unknown else ""
        requests = count(part.requests, "request")
        lines.append(f"    {part.label + ':':<{wide}} {dollars(part.cost)} ({requests}, {part.share:.0%}{unknown})")
    lines.append(f"    {'Total:':<{wide}} {dollars(summary.total)}")
    if found := summary.latency:
        p50, p95, p99 = (f"{seconds:.2f} s" for seconds in (found.p50, found.p95, found.p99))
        lines.append(f"  Performance: P50 {p50} / P95 {p95} / P99 {p99} latency")
    return "\n".join(lines)


def days(summaries: Sequence[Any]) -> str:
    """A row for each day."""
    rows = [("day", "requests", "success", "cost")]
    for one in summaries:
        success = "" if one.success_rate is None else f"{one.success_rate:.1%}"
        rows.append((str(one.date), f"{one.requests:>8,}", f"{success:>7}", dollars(one.total)))
    return "\n".join(table(rows, None, ""))


def budget(caps: Any, spent: Any, counted: int) -> str:
    """What today has cost, the caps, and what they leave."""

    def cap(amount: int | None) -> str:
        return "no cap" if amount is None else dollars(amount)

    lines = [f"Spent today:   {dollars(spent.cost)}"]
    if spent.unknown:
        calls, amount = count(spent.unknown, "call"), dollars(counted - spent.cost)
        lines.append(f"               and {calls} of unknown price, counted as {amount}")
    share = f" ({counted / caps.day:.0%} used)" if caps.day else ""
    lines += [
        f"Cap of a day:  {cap(caps.day)}{share}",
        f"Left today:    {'no cap' if caps.day is None else dollars(max(0, caps.day - counted))}",
        f"Cap of a run:  {cap(caps.run)}",
        f"Asks first:    {'never' if caps.ask is None else f'above {dollars(caps.ask)} a call'}",
    ]
    return "\n".join(lines)
