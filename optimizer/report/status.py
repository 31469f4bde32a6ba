"""What goes on while a person waits, in a line that is as short as it can be."""

from __future__ import annotations

from optimizer.report.figures import dollars, money
from optimizer.retrieval import Progress

BAR = 24  # columns of a full bar
LEAST_SECONDS, LEAST_TOKENS = 2.0, 10  # of an answer, before its rate says something


def since(seconds: float) -> str:
    """Seconds that pass: `7 s`, `2 min 5 s`."""
    whole = int(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60} s"


def took(seconds: float) -> str:
    """Seconds that have passed: `0.4 s`, `34 s`, `2 min 5 s`."""
    return f"{seconds:.1f} s" if seconds < 10 else since(seconds)


def doing(what: str, seconds: float) -> str:
    """Something that takes its time."""
    return f"{since(seconds)} · {what}"


def calling(model: str, seconds: float, loads: bool, step: int) -> str:
    """A model of which nothing came yet; `step` counts its calls of tools so far."""
    what = "loading, waiting for the first token" if loads else "waiting for the first token"
    return " · ".join(filter(None, (since(seconds), _step(step), what, model)))


def receiving(model: str, seconds: float, tokens: int, writing: float, step: int) -> str:
    """A model that answers: tokens so far, about, and how fast they come since the first, `writing` seconds ago."""
    rate = f"{tokens / writing:,.0f} a second" if writing >= LEAST_SECONDS and tokens >= LEAST_TOKENS else ""
    return " · ".join(filter(None, (since(seconds), _step(step), f"~{tokens:,} tokens", rate, model)))


def progress(step: Progress) -> str:
    """Work of which the end is known, as a bar."""
    share = step.done / step.total if step.total else 0.0
    return f"{step.what} {'█' * int(share * BAR):<{BAR}} {step.done:,}/{step.total:,}"


def spent(model: str, seconds: float, tokens: tuple[int, int], cost: int | None, left: int | None) -> str:
    """What a request took in a line: the last model, and time, tokens in + out and money of all calls."""
    rest = f"{dollars(left)} left today" if left is not None else ""
    counts = f"{tokens[0]:,} + {tokens[1]:,} tokens"
    return " · ".join(filter(None, (model, took(seconds), counts, money(cost), rest)))


def _step(number: int) -> str:
    return f"step {number + 1}" if number else ""
