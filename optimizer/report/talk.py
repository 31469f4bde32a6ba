"""Conversations in words, and as the objects that headless runs print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from optimizer.report.figures import count, dollars, money
from optimizer.report.layout import inert
from optimizer.types import Outcome, Usage

MICRO = 1_000_000


class Row(NamedTuple):
    """A session in a list; times are local, `cost` is micro-dollars (None: unknown)."""

    id: str
    last: str
    turns: int
    title: str


def listed(rows: Sequence[Row]) -> str:
    """Sessions, a line each."""
    if not rows:
        return "no sessions here yet: optimize chat begins one"
    return "\n".join(f"{row.id}  {row.last}  {count(row.turns, 'turn'):>9}  {inert(row.title)}" for row in rows)


def opened(session: str, turns: int, tokens: int, damaged: int) -> str:
    """The line at the start of a conversation."""
    went = f"goes on after {count(turns, 'turn')}, {tokens:,} tokens" if turns else "begins"
    lost = f"; {count(damaged, 'damaged entry') if damaged == 1 else f'{damaged} damaged entries'} left out"
    return f"session {session} {went}{lost if damaged else ''} · /help lists the commands, Ctrl-D leaves"


def left(session: str, turns: int, cost: int | None) -> str:
    """The line at its end."""
    return f"session {session}: {count(turns, 'turn')}, {money(cost)} · optimize chat --continue goes on"


def handoff(before: str, now: str) -> str:
    """The line when another model goes on."""
    return f"{now} goes on instead of {before}"


def stopped(session: str) -> str:
    """The line when a person breaks an answer off."""
    return f"stopped; session {session} goes on (Ctrl-C again, or Ctrl-D, leaves)"


def compacted(dropped: int, saving: int, cost: int, why: str) -> str:
    """The line when less of a conversation is sent from now on, with why a plan says so."""
    gain = f"expected to save {dollars(saving)} for {dollars(cost)}"
    because = {
        "window": "the conversation would not fit the model's window",
        "too-long": "the conversation would not fit the model's window, and may not even so",
        "expired": f"{gain}; the provider's cache has expired, so nothing is written twice",
    }
    return f"{dropped:,} tokens of earlier reads and results are left out from now on: {because.get(why, gain)}"


def not_compacted(why: str, saving: int, cost: int) -> str:
    """Why nothing is left out."""
    because = {
        "no-gain": f"it would save {dollars(saving)} and cost {dollars(cost)}",
        "free": "tokens cost nothing here, and there is room",
    }
    return f"nothing is left out: {because.get(why, 'all of it is recent, short or yours')}"


def holds_secret(turn: int) -> str:
    """The line when a secret kept a turn from being sent; `turn` is the one before."""
    return (
        "each turn sends the earlier messages and the table again: "
        f"/drop all clears the table, /rewind {turn} conversation takes back this request"
    )


def prefix_changed() -> str:
    """The line when what was sent before would be sent otherwise, though nothing was left out."""
    return "the beginning of this conversation is not as it was sent: the provider's cache will not hold it"


class Standing(NamedTuple):
    """What the status line says: the model of the last turn ('': none yet), whether it runs on this machine, tokens of
    the conversation, micro-dollars of today and left of the day's cap (None: no cap)."""

    model: str
    local: bool
    tokens: int
    mode: str
    today: int
    left: int | None


def status(now: Standing) -> str:
    """The status line below the prompt."""
    model = f"{inert(now.model)} ({'local' if now.local else 'cloud'})" if now.model else "no model asked yet"
    cap = f", {dollars(now.left)} left" if now.left is not None else ""
    return f"{model} · {now.tokens:,} tokens · {now.mode} · today {dollars(now.today)}{cap}"


# ── headless ─────────────────────────────────────────────────────────────────────────────────────


class Figures(NamedTuple):
    """What a headless turn took: milliseconds in all and of models, turns of the session, and usage."""

    milliseconds: int
    in_models: int
    turns: int
    usage: Usage


def begun(session: str, folder: str, model: str) -> Mapping[str, Any]:
    """The first object of `stream-json`; `model` is the one that is asked first, '' while that is not known."""
    return {"type": "system", "subtype": "init", "session_id": session, "cwd": folder, "model": model}


def spoken(session: str, model: str, text: str) -> Mapping[str, Any]:
    """The object of an answer in `stream-json`."""
    message = {"role": "assistant", "model": model, "content": [{"type": "text", "text": text}]}
    return {"type": "assistant", "session_id": session, "message": message}


def result(session: str, outcome: Outcome, landed: str, figures: Figures) -> Mapping[str, Any]:
    """The last object of `json` and `stream-json`; the names of fields are those of other command-line agents."""
    usage = figures.usage
    return {
        "type": "result",
        "subtype": "error_during_execution" if outcome.exit_code else "success",
        "is_error": bool(outcome.exit_code),
        "exit_code": outcome.exit_code,
        "result": outcome.text,
        "session_id": session,
        "num_turns": figures.turns,
        "duration_ms": figures.milliseconds,
        "duration_api_ms": figures.in_models,
        "total_cost_usd": None if outcome.cost is None else outcome.cost / MICRO,
        "usage": {
            "input_tokens": usage.input,
            "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "cache_read_input_tokens": usage.cache_read,
            "output_tokens": usage.output,
        },
        "model": outcome.model,
        "tier": outcome.tier,
        "files": [change.path for change in outcome.patch.changes] if outcome.patch else [],
        "landed": landed,
        "hint": outcome.hint,
    }
