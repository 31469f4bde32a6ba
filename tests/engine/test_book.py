"""What is booked stays booked, whenever a person breaks off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from optimizer.engine import book
from optimizer.engine.request import Request
from optimizer.retrieval import Context, Query
from optimizer.types import Model, Task, Usage
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

        request = Request(
            "r-1", Query("explain a"), Context("explain a", 0, (), ()), Task("explain", 0.2, (), False, 9, 9)
        )
        spent = book.Spent(Usage(input=1_000_000, output=1_000_000), 1.0, "answered", HAIKU.id)
        with pytest.raises(KeyboardInterrupt):
            book.book(request, HAIKU, spent, replace(opened, calls=replace(opened.calls, cost=interrupted)))
        (record,) = opened.calls.ledger().records("", "~")
    assert (record.request, record.outcome, record.cost) == (
        "r-1",
        "answered",
        opened.calls.cost(HAIKU, spent.usage, datetime.fromisoformat(record.at)),
    )
    assert record.cost
