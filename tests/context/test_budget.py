"""The count of tokens: near a real tokenizer's, seldom below, and quick."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.context.budget import count_tokens
from tests.pace import seconds

# Texts with what o200k_base counts for them.
COUNTED = [
    ("def add(a, b):\n    return a + b\n", 14),
    ("The quick brown fox jumps over the lazy dog.", 10),
    ("for (let i = 0; i < items.length; i++) {\n  total += items[i].price;\n}\n", 25),
    ("func (s *Store) Close() error {\n\treturn s.db.Close()\n}\n", 17),
]


@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_near_a_real_tokenizer(text: str, tokens: int) -> None:
    assert tokens * 0.95 - 1 <= count_tokens(text) <= tokens * 1.4 + 2


def test_nothing_costs_nothing() -> None:
    assert count_tokens("") == 0
    assert count_tokens(" ") == 1


@given(st.text(max_size=500))
def test_any_text_has_a_count(text: str) -> None:
    assert (count_tokens(text) > 0) == bool(text)
    assert count_tokens(text) <= 3 * len(text) + 1


@given(st.lists(st.text(max_size=60), max_size=8))
def test_a_whole_never_costs_much_more_than_its_lines(lines: list[str]) -> None:
    whole = "".join(line + "\n" for line in lines)
    assert count_tokens(whole) <= sum(count_tokens(line + "\n") for line in lines) + 1


@pytest.mark.slow
def test_it_is_quick() -> None:
    text = "def parse_response(self, data):\n    return self.client.read(data)[0]\n" * 30_000
    assert seconds(lambda: count_tokens(text)) < 4 * seconds(lambda: re.findall(r"\w+|\W", text))
