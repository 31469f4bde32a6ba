"""What long sessions cost: all of them sent again, old results trimmed in place, and as this program compacts them.

    python benchmarks/sessions.py CLICK SQLGLOT --work FOLDER [--calls N] [--seeds N] [--loopback] [--json OUT]

CLICK and SQLGLOT are bare clones of those repositories; FOLDER keeps the outputs of their tests (`session_logs.py` says
what sessions are made of). Each call of a model is a turn. A vendor keeps what was sent for 300 seconds after its last
use, and charges the list prices of Claude Sonnet: what a request has in common with the one before is read from the
cache, the rest is written to it. Output is charged alike for all. A read is made only where its lines are not in view;
what a policy dropped and must read again costs it one more call. `--loopback` runs one session, and only that, with
the real SDK against a server on loopback that compares the bytes it gets.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from session_logs import Step, all_needed, session
from session_vendor import OnLoopback

from optimizer.context.budget import count_tokens
from optimizer.ledger.prices import tariff
from optimizer.session.blocks import Block, BlockKind
from optimizer.session.compact import RESERVE, Rates, State, plan
from optimizer.session.levels import Levels, sent, shown_path
from optimizer.session.trim import names_in

PRICED_AS = "anthropic:claude-sonnet-4-6"
LIFETIME = 300.0  # seconds that the cache keeps what was sent
WINDOW = 200_000  # for the policies that drop something; all is sent again to a window of a million
OVERHEAD = 4_000  # tokens of rules and tools
THOUGHT = 350  # tokens that a model thinks before a call: charged, and not sent again
MASKED_AFTER = 10  # results that stay where old ones are trimmed in place (the best value of arXiv 2508.21433)
PINNED = "Never change the public interface; run the tests before you say that something works."
Part = tuple[str, int]


class Simulated:
    """A vendor with a cache: tokens by the longest common beginning with the request before."""

    def __init__(self, lifetime: float = LIFETIME) -> None:
        self.lifetime, self.last, self.at = lifetime, [], -1e12

    def call(self, blocks: Sequence[Block], now: float) -> tuple[int, int]:
        """Tokens read from the cache, and written to it."""
        parts = [("", OVERHEAD), *((f"{one.kind}{one.call}{one.text}{one.arguments}", one.tokens) for one in blocks)]
        return self.cached(parts, now)

    def cached(self, parts: list[Part], now: float) -> tuple[int, int]:
        """The same of parts with their tokens."""
        same = 0
        if now - self.at < self.lifetime:
            while same < min(len(parts), len(self.last)) and parts[same] == self.last[same]:
                same += 1
        self.last, self.at = parts, now
        return sum(tokens for _, tokens in parts[:same]), sum(tokens for _, tokens in parts[same:])


@dataclass
class Figures:
    """What a session took: micro-dollars, calls, reads made again, the largest request, names needed and at hand."""

    cost: float = 0.0
    calls: int = 0
    reads: int = 0
    again: int = 0
    peak: int = 0
    written: int = 0
    output: int = 0
    plans: dict[str, int] = field(default_factory=dict)
    saving: int = 0
    planned_cost: int = 0
    names: int = 0
    reached: int = 0
    statements: float = 0.0
    sizes: list[int] = field(default_factory=list)


Policy = Callable[["Session"], Sequence[Block]]


class Session:
    """A session under a policy."""

    def __init__(self, policy: Policy, vendor: Any, rates: Rates) -> None:
        self.policy, self.vendor, self.rates = policy, vendor, rates
        self.blocks: list[Block] = []
        self.levels: Levels = {}
        self.message, self.turn, self.now = 1, 1, 0.0
        self.last_call, self.expired, self.fresh = -1e12, 0, 1
        self.since: int | None = None
        self.again: set[int] = set()
        self.known: set[str] = set()
        self.here: set[str] = set()
        self.figures = Figures()
        self._add("note", text=PINNED, pinned=True)

    def take(self, step: Step, ran: dict[int, bool], number: int) -> None:
        """One step; `ran` are the calls that are made where nothing was ever dropped."""
        self.now += step.pause
        if step.kind == "asked":
            self.turn += 1
            self.here = set()
            self._add("user", text=f"Request: {step.text}")
            return
        view = self.policy(self)
        read = step.tool == "read_file"
        if read and step.needed <= visible(view, step.path):
            return
        again = read and not ran.get(number, True)
        if read:
            ran.setdefault(number, True)
        if not read:
            self._look(step, view)
        self._call(view, step)
        self.figures.reads += read
        if again:
            self.figures.again += 1
        self.message += 1
        call = f"call_{self.figures.calls}"
        if step.kind == "said":
            self._add("assistant", text=step.text)
            self.message += 1
            return
        arguments = json.dumps(dict(step.arguments))
        self._add("tool-use", tool=step.tool, call=call, arguments=arguments, path=step.path)
        self.message += 1
        self._add("tool-result", not again, tool=step.tool, call=call, text=step.text)
        if again:
            self.again.add(self.blocks[-1].id)
        self.figures.sizes.append(self.blocks[-1].tokens)

    def _add(self, kind: BlockKind, learn: bool = True, **fields: Any) -> None:
        made = Block(len(self.blocks) + 1, self.turn, self.message, kind, tokens=0, **{"text": "", **fields})
        self.blocks.append(replace(made, tokens=count_tokens(made.text) + count_tokens(made.arguments)))
        if learn:
            names = names_in(made.text) | names_in(made.arguments)
            self.here |= names
            self.known |= names

    def _look(self, step: Step, view: Sequence[Block]) -> None:
        """Which of the names that the model uses now, and only earlier turns brought in, are at hand."""
        used = names_in(step.text if step.kind == "said" else json.dumps(dict(step.arguments)))
        needed = (used & self.known) - self.here
        held = set().union(*(names_in(one.text) | names_in(one.arguments) for one in view if one.id not in self.again))
        self.figures.names += len(needed)
        self.figures.reached += len(needed & held)

    def _call(self, view: Sequence[Block], step: Step) -> None:
        figures, rates = self.figures, self.rates
        read, written = self.vendor.call(view, self.now)
        output = THOUGHT + count_tokens(step.text if step.kind == "said" else json.dumps(dict(step.arguments)))
        figures.cost += read * rates.read + written * rates.write + output * rates.output
        figures.calls += 1
        self.since = None if self.since is None else self.since + 1
        figures.written += written
        figures.output += output
        figures.peak = max(figures.peak, read + written + output)
        self.expired += self.now - self.last_call >= LIFETIME and figures.calls > 1
        self.last_call = self.now
        self.fresh = len(self.blocks) + 1

    def end(self) -> Figures:
        """The figures, with the share of the user's own words and pinned notes that the last request holds whole."""
        view = set(self.policy(self))
        own = [one for one in self.blocks if one.kind == "user" or one.pinned]
        self.figures.statements = sum(one in view for one in own) / len(own)
        return self.figures


def visible(view: Sequence[Block], path: str) -> set[str]:
    """The lines of a file that are in view, in reads and in edits."""
    found: set[str] = set()
    for one in view:
        if shown_path(one) == path:
            found.update(line.partition("\t")[2].strip() for line in one.text.split("\n"))
        elif one.kind == "tool-use" and one.tool == "edit_file" and one.path == path:
            found.update(line.strip() for line in str(json.loads(one.arguments).get("content", "")).split("\n"))
    return found


# ── policies ─────────────────────────────────────────────────────────────────────────────────────


def resent(session: Session) -> Sequence[Block]:
    """All is sent again."""
    return tuple(session.blocks)


def masked(session: Session) -> Sequence[Block]:
    """Results but the newest are trimmed in place to a line."""
    results = [one.id for one in session.blocks if one.kind == "tool-result"]
    old = set(results[:-MASKED_AFTER])
    return tuple(_masked(one) if one.id in old else one for one in session.blocks)


def _masked(block: Block) -> Block:
    text = f"Previous {block.text.count(chr(10)) + 1} lines omitted for brevity."
    return replace(block, text=text, tokens=count_tokens(text)) if len(text) < len(block.text) else block


def compacted(session: Session) -> Sequence[Block]:
    """As this program sends it."""
    warm = session.now - session.last_call < LIFETIME
    window = round((WINDOW - OVERHEAD) - 20_000 / RESERVE)
    state = State(session.rates, window, warm, session.figures.calls, session.expired, session.fresh, session.since)
    found = plan(session.blocks, session.levels, state)
    session.figures.plans[found.why] = session.figures.plans.get(found.why, 0) + 1
    if found.levels:
        session.levels = {**session.levels, **found.levels}
        session.since = 0
        session.figures.saving += found.saving
        session.figures.planned_cost += found.cost
    return sent(session.blocks, session.levels)


def rates() -> Rates:
    """The prices of the vendor."""
    found = tariff(PRICED_AS, datetime(2026, 11, 20, tzinfo=UTC))
    if found is None:
        raise SystemExit(f"no price of {PRICED_AS}")
    step = found.steps[0]
    return Rates(step.input, step.cache_read, step.cache_write, step.output)


def ran(steps: Sequence[Step], policy: Policy, vendor: Any, reads: dict[int, bool]) -> Figures:
    """The figures of a session under a policy; `reads` says which reads are made where all is sent again."""
    taken = Session(policy, vendor, rates())
    for number, step in enumerate(steps):
        taken.take(step, reads, number)
    return taken.end()


def compared(steps: Sequence[Step]) -> dict[str, Any]:
    """A session under each policy."""
    reads: dict[int, bool] = {}
    warm = ran(steps, resent, Simulated(float("inf")), reads)
    reads = {number: reads.get(number, False) for number, one in enumerate(steps) if one.tool == "read_file"}
    rows = {"resent, always warm": warm, "resent": ran(steps, resent, Simulated(), dict(reads))}
    rows["masked"] = ran(steps, masked, Simulated(), dict(reads))
    began = time.process_time()
    ours = ran(steps, compacted, Simulated(), dict(reads))
    rows["ours"] = ours
    sizes = sorted(warm.sizes)
    return {
        "turns": warm.calls,
        "tokens a result": {"median": sizes[len(sizes) // 2], "mean": round(sum(sizes) / len(sizes))},
        "output a call": round(warm.output / warm.calls),
        "ours / resent, always warm": round(ours.cost / warm.cost, 3),
        "ours / resent": round(ours.cost / rows["resent"].cost, 3),
        "ours / masked": round(ours.cost / rows["masked"].cost, 3),
        "ms of plans a call": round((time.process_time() - began) * 1000 / ours.calls, 1),
        "policies": {name: _row(one) for name, one in rows.items()},
    }


def _row(one: Figures) -> dict[str, Any]:
    return {
        "dollars": round(one.cost / 1e6, 2),
        "calls": one.calls,
        "read again": one.again,
        "largest request": one.peak,
        "statements kept": one.statements,
        "names needed": one.names,
        "names at hand": round(one.reached / one.names, 3) if one.names else None,
        "plans": one.plans,
        "expected saving, dollars": round(one.saving / 1e6, 2),
        "expected cost, dollars": round(one.planned_cost / 1e6, 2),
    }


def through_the_sdk(steps: Sequence[Step]) -> dict[str, Any]:
    """A session under two policies, each call through the adapter and its SDK."""
    reads: dict[int, bool] = {}
    rows = {}
    for name, policy in (("resent", resent), ("ours", compacted)):
        with tempfile.TemporaryDirectory() as state, OnLoopback(Path(state), Simulated().cached) as vendor:
            rows[name] = ran(steps, policy, vendor, reads)
        reads = {number: reads.get(number, False) for number, one in enumerate(steps) if one.tool == "read_file"}
    return {name: _row(one) for name, one in rows.items()}


def sessions(given: argparse.Namespace) -> Iterator[tuple[str, list[Step]]]:
    """The sessions, each with its name."""
    sources = [(given.click, "src/click/", "src", "click"), (given.sqlglot, "tests/dialects/", ".", "sqlglot")]
    for source, wanted, prefix, name in sources:
        for seed in range(given.seeds):
            yield f"{name} {seed + 1}", session(source, wanted, seed, given.calls, given.work, prefix)
    for source, code, name in ((given.click, "src/click/", "click"), (given.sqlglot, "sqlglot/", "sqlglot")):
        for late in (False, True):
            word = "all needed at the end" if late else "all needed throughout"
            yield f"{name}, {word}", all_needed(source, code, 1, given.calls, late)


def main() -> None:
    """Run the sessions and print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("click", type=Path)
    parser.add_argument("sqlglot", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--loopback", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    report: dict[str, Any] = {"prices": PRICED_AS, "sessions": {}}
    if given.loopback:
        steps = session(given.click, "src/click/", 0, given.calls, given.work, "src")
        report["sessions"]["click 1, through the SDK"] = through_the_sdk(steps)
        _write(report, given.json)
        return
    for name, steps in sessions(given):
        report["sessions"][name] = found = compared(steps)
        _write(report, given.json)
        ours, warm = found["policies"]["ours"], found["policies"]["resent, always warm"]
        print(
            f"{name:32} ${warm['dollars']:6.2f} -> ${ours['dollars']:6.2f}  "
            f"{found['ours / resent, always warm']:.2f} of resent always warm, {found['ours / resent']:.2f} of resent, "
            f"{found['ours / masked']:.2f} of masked; names {ours['names at hand']}, again {ours['read again']}, "
            f"peak {ours['largest request']:,}",
            flush=True,
        )


def _write(report: dict[str, Any], file: Path | None) -> None:
    text = json.dumps(report, indent=1) + "\n"
    if file:
        file.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
