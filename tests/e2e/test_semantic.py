"""semantic-search as a user meets it: off it costs nothing, on it says what is missing, and the command fills it in."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CALC, Optimize, Ran
from tests.tiny_model import words_of, write_model

pytestmark = pytest.mark.slow

needs_fastembed = pytest.mark.skipif(
    importlib.util.find_spec("fastembed") is None, reason="fastembed is not installed (the extra `embeddings`)"
)
REQUEST = "fetching numbers is slow"
RUN = """
import sys
from optimizer.cli.main import main
{before}
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules)
"""
NO_NETWORK = """
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError("the network was asked for")
sys.addaudithook(hook)
"""
MANY = "".join(f"def function_{number}(value):\n    return value + {number}\n\n\n" for number in range(60))


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", words_of(REQUEST, *CALC.values()), alike={"fetching": "print"})


@pytest.fixture
def alone(calc: Path, stand_in: Callable[..., Optimize]) -> Optimize:
    return stand_in(calc)


def switch_on(user: Optimize, model_dir: Path | str = "") -> None:
    user.configure(f'[features]\nsemantic-search = true\n[semantic]\nmodel_path = "{model_dir}"\n')


def modules(user: Optimize, *arguments: str, before: str = "") -> tuple[set[str], str]:
    """What is loaded after a command, and what it said on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(before=before), *arguments],
        cwd=user.cwd,
        env=user.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split()), done.stderr


def items(ran: Ran) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ran.out)["items"]
    return found


def test_with_the_feature_off_nothing_of_it_is_loaded(alone: Optimize) -> None:
    loaded, _ = modules(alone, "context", REQUEST)
    assert "optimizer.context.select" in loaded
    assert not loaded & {"optimizer.context.semantic", "optimizer.index.vectors", "optimizer.index.embed"}
    assert not loaded & {"fastembed", "numpy", "onnxruntime"}


def test_without_the_extra_one_line_says_so_and_words_decide(alone: Optimize) -> None:
    words = alone("context", REQUEST, "--json")
    switch_on(alone)
    loaded, said = modules(alone, "context", REQUEST, before="sys.modules['fastembed'] = None")
    assert said.count("\n") == 1
    assert "'.[embeddings]'" in said
    assert "numpy" not in loaded
    assert items(words)


@needs_fastembed
def test_without_vectors_one_line_says_so_and_words_decide(alone: Optimize, model_dir: Path) -> None:
    words = alone("context", REQUEST, "--json")
    switch_on(alone, model_dir)
    ran = alone("context", REQUEST, "--json")
    assert ran.code == 0
    assert ran.err.count("optimize index --embed") == ran.err.count("\n") == 1
    assert items(ran) == items(words)


@needs_fastembed
def test_embedding_then_meaning_counts_the_same_each_time(alone: Optimize, model_dir: Path) -> None:
    words = {item["symbol"]: item["why"] for item in items(alone("context", REQUEST, "--json"))}
    switch_on(alone, model_dir)
    first = alone("index", "--embed", "--yes", "--json")
    assert first.code == 0, first.err
    assert first.event("embed")["embedded"] == first.event("embed")["vectors"] == 3
    again = alone("index", "--embed", "--yes")
    assert again.out.splitlines()[-1].startswith("0 functions embedded")
    ran = alone("context", REQUEST, "--json")
    assert ran.err == ""
    reasons = {item["symbol"]: item["why"] for item in items(ran) if item["kind"] == "body"}
    assert reasons["main"] != words["main"]
    other_cache = alone("context", REQUEST, "--json", "--max-tokens", "4000")
    assert {item["symbol"]: item["why"] for item in items(other_cache) if item["kind"] == "body"} == reasons


@needs_fastembed
def test_no_network_is_used_but_with_download(alone: Optimize, model_dir: Path) -> None:
    switch_on(alone, model_dir)
    assert alone("index", "--embed", "--yes").code == 0
    loaded, said = modules(alone, "context", REQUEST, before=NO_NETWORK)
    assert "onnxruntime" in loaded
    assert said == ""
    switch_on(alone)
    ran = alone("index", "--embed", "--yes")
    assert ran.code == 3
    assert "sentence-transformers/all-MiniLM-L6-v2" in ran.err
    assert "--download" in ran.err
    assert "semantic.model_path" in ran.err


@needs_fastembed
def test_nobody_to_ask_means_the_estimate_and_no_more(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], stand_in: Callable[..., Optimize], model_dir: Path
) -> None:
    user = stand_in(make_repo({"many.py": MANY}))
    switch_on(user, model_dir)
    ran = user("index", "--embed")
    assert ran.code == 2
    assert "for 28 functions; 32 are done" in ran.err
    assert "optimize index --embed --yes" in ran.err
    rest = user("index", "--embed", "--yes", "--json")
    assert rest.event("embed")["embedded"] == 28
    assert rest.event("embed")["vectors"] == 60


def test_download_goes_with_embed(alone: Optimize) -> None:
    ran = alone("index", "--download")
    assert ran.code == 2
    assert "--download goes with --embed" in ran.err
