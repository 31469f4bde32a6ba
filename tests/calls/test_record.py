"""What is booked stays booked, whenever a person breaks off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from optimizer.calls.record import CallResult, record
from optimizer.calls.services import Purpose
from optimizer.types import Model, Usage
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start

HAIKU = Model(
    "claude-haiku-5-5", "anthropic", "budget", 200_000, 8_000, True, "tool", frozenset(), "proprietary", "Haiku",
    price_ref="anthropic:claude-haiku-5-5",
)  # fmt: skip


def test_an_interrupt_while_the_price_table_is_read_books_the_call_and_goes_on_up(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path
) -> None:
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    asked: list[Usage] = []
    with open_services(Start(make_repo({"a.py": "A = 1\n"}), env, {}), lambda _: None, lambda _: None) as opened:

        def interrupted(model: Model, usage: Usage, at: datetime) -> int | None:
            asked.append(usage)
            if len(asked) == 1:
                raise KeyboardInterrupt
            return opened.calls.cost(model, usage, at)

        spent = CallResult(Usage(input=1_000_000, output=1_000_000), 1.23456, "answered", HAIKU.id)
        with pytest.raises(KeyboardInterrupt):
            record(Purpose("r-1", "explain"), HAIKU, spent, opened.calls._replace(cost=interrupted))
        (kept,) = opened.calls.ledger().records("", "~")
    assert (kept.request, kept.outcome, kept.cost) == (
        "r-1",
        "answered",
        opened.calls.cost(HAIKU, spent.usage, datetime.fromisoformat(kept.at)),
    )
    assert kept.cost and kept.seconds == 1.235
