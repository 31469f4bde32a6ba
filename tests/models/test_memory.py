"""What a model's name tells of the memory it takes."""

from __future__ import annotations

import pytest

from optimizer.models.catalogue import load_catalogue
from optimizer.models.memory import GIB, estimate, parameters


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("qwen2.5-coder:7b", 7),
        ("qwen2.5-coder:1.5b-instruct-q8_0", 1.5),
        ("qwen3-coder:30b-a3b", 30),
        ("Qwen3-30B-A3B", 30),
        ("mixtral:8x7b", 47.04),
        ("smollm:360m", 0.36),
        ("phi4", 0),
        ("qwen2.5-coder:latest", 0),
        ("llama3.1:8b-instruct-fp16", 8),
        ("lab4b-model", 0),
    ],
)
def test_the_size_is_read_from_the_name(name: str, billions: float) -> None:
    assert parameters(name) == billions


def test_the_estimate_follows_the_documented_formula() -> None:
    found = estimate("qwen2.5-coder:7b-q4_K_M", window=8192)
    assert found.bytes == int(7e9 * 4.9 / 8 * 1.05 + 8192 * 48 * 1024 * 7**0.5 + GIB // 2)
    assert (found.window, found.billions, found.quantisation, found.bits) == (8192, 7, "q4_k_m", 4.9)


def test_a_finer_quantisation_and_a_larger_window_take_more() -> None:
    sizes = [estimate(f"m:7b-{one}").bytes for one in ("q2_K", "q4_K_M", "q8_0", "fp16")]
    assert sizes == sorted(sizes) and len(set(sizes)) == 4
    assert estimate("m:7b", window=32768).bytes > estimate("m:7b", window=4096).bytes


def test_a_name_without_a_size_takes_that_of_its_row_or_none() -> None:
    catalogue = load_catalogue(None)
    known = estimate("qwen2.5-coder:latest", billions=catalogue.billions("qwen2.5-coder:latest", "ollama"))
    assert known.bytes == estimate("qwen2.5-coder:7b").bytes
    assert estimate("my-own:latest", billions=catalogue.billions("my-own:latest", "ollama")).bytes == 0


def test_all_names_to_choose_from_have_an_estimate() -> None:
    catalogue = load_catalogue(None)
    assert catalogue.suggested_local in catalogue.pullable
    assert all(estimate(name).bytes for name in catalogue.pullable)


def test_facts_tell_their_row() -> None:
    facts = load_catalogue(None).facts("qwen2.5-coder:7b", "ollama")
    assert (facts["window"].value, facts["window"].row, facts["window"].own) == (32_768, "*qwen2.5-coder*", False)
    assert facts["streaming"].row == "*"
