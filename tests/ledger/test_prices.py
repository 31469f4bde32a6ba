import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from optimizer.ledger.prices import cost, estimate, list_price
from optimizer.types import Model, Usage

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
MILLION = 1_000_000


def model(price_ref: str, **changes: Any) -> Model:
    row: dict[str, Any] = {
        "id": "m", "provider": "p", "tier": "budget", "window": 100_000, "max_output": 8000, "tools": True,
        "edit_format": "tool", "parameters": frozenset(), "licence": "api", "label": "M",
    }  # fmt: skip
    return Model(**(row | {"price_ref": price_ref} | changes))


HAIKU = model("anthropic:claude-haiku-5-5")


@pytest.mark.parametrize(
    ("price_ref", "usage", "micro"),
    [
        ("anthropic:claude-haiku-5-5", Usage(input=100_000), 10_000),
        ("anthropic:claude-haiku-5-5", Usage(input=100_000, output=1000), 10_500),
        ("anthropic:claude-haiku-5-5", Usage(input=100_001, output=1000), 50_001 + 2_500),
        ("anthropic:claude-haiku-5-5", Usage(input=50_000, cache_read=50_001), 25_000 + 2_500),
        ("anthropic:claude-haiku-5-5", Usage(cache_read=100_000), 1_000),
        ("anthropic:claude-haiku-5-5", Usage(cache_write_5m=80_000), 10_000),
        ("anthropic:claude-haiku-5-5", Usage(cache_write_1h=50_000), 10_000),
        ("anthropic:claude-sonnet-5-5", Usage(MILLION, MILLION, MILLION, MILLION, MILLION), 18_600_000),
        ("anthropic:claude-opus-5-5", Usage(input=MILLION, output=MILLION), 24_000_000),
        ("groq:openai/gpt-oss-120b", Usage(input=MILLION, output=MILLION), 750_000),
        ("google:gemini-2.5-flash-lite", Usage(input=MILLION, output=MILLION), 500_000),
        ("anthropic:claude-haiku-5-5", Usage(), 0),
        ("anthropic:claude-haiku-5-5", Usage(input=4), 0),
        ("anthropic:claude-haiku-5-5", Usage(input=5), 1),
        ("anthropic:claude-haiku-5-5", Usage(input=14), 1),
        ("anthropic:claude-haiku-5-5", Usage(input=4, output=1), 1),
    ],
)
def test_list_prices_to_the_micro_dollar(price_ref: str, usage: Usage, micro: int) -> None:
    assert cost(model(price_ref), usage, AT) == micro


def test_a_price_that_changes_by_date() -> None:
    argon, usage = model("google:gemini-4-argon"), Usage(input=MILLION, output=MILLION)
    assert cost(argon, usage, AT) == 12_000_000
    assert cost(argon, usage, datetime(2026, 12, 1, tzinfo=UTC)) == 24_000_000
    east = timezone(timedelta(hours=14))
    assert cost(argon, usage, datetime(2026, 12, 1, 1, tzinfo=east)) == 12_000_000


def test_a_price_that_changes_by_hour() -> None:
    deepseek, usage = model("deepseek:deepseek-flash"), Usage(input=MILLION)
    assert cost(deepseek, usage, datetime(2026, 11, 20, 12, tzinfo=UTC)) == 150_000
    assert cost(deepseek, usage, datetime(2026, 11, 20, 2, tzinfo=UTC)) == 300_000


@pytest.mark.parametrize(
    "price_ref", ["", "anthropic:claude-unheard", "nobody:gpt", "claude-haiku-5-5", "google:gemma-3"]
)
def test_unknown_is_never_zero(price_ref: str) -> None:
    assert cost(model(price_ref), Usage(input=10, output=10), AT) is None
    assert estimate(model(price_ref), 10, 10, AT) is None


@pytest.mark.parametrize("tier", ["local", "free"])
def test_what_is_not_charged_still_has_a_list_price(tier: str) -> None:
    row = model("groq:openai/gpt-oss-120b", tier=tier)
    assert cost(row, Usage(input=MILLION), AT) == 0
    assert list_price(row, Usage(input=MILLION), AT) == 150_000
    assert cost(model("", tier=tier), Usage(input=5), AT) == 0


def test_an_estimate_is_the_cost_of_an_uncached_call() -> None:
    assert estimate(HAIKU, 6_000, 1_500, AT) == cost(HAIKU, Usage(input=6_000, output=1_500), AT) == 1_350


def test_the_price_table_is_imported_late() -> None:
    script = "import sys, optimizer.ledger.prices; print('genai_prices' in sys.modules, 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]
