"""What a machine has, and which models are advised for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from optimizer.models import machine
from optimizer.models.catalogue import load_catalogue
from optimizer.models.machine import Machine, recommend, suggested
from optimizer.models.memory import GIB

CATALOGUE = load_catalogue(None)
ROOT = Path(__file__).parent


def test_linux_tells_total_and_available(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:       16384000 kB\nMemFree:  1 kB\nMemAvailable:    8192000 kB\nHugePages_Total: 0\n")
    assert machine.meminfo(file) == (16_384_000 * 1024, 8_192_000 * 1024)
    file.write_bytes(b"\xff\xfe")
    assert machine.meminfo(file) is None
    assert machine.meminfo(tmp_path / "none") is None


def tool(folder: Path, text: str) -> None:
    """An nvidia-smi that prints this."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the tool")
def test_cards_are_told_by_their_own_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    tool(tmp_path, "echo 'NVIDIA GeForce RTX 4090, 24564'; echo 'NVIDIA T4, 15360'")
    here = machine.look(ROOT)
    assert here.cards == ("NVIDIA GeForce RTX 4090", "NVIDIA T4")
    assert here.vram == (24564 + 15360) * machine.MIB
    tool(tmp_path, "echo 'NVIDIA-SMI has failed because it could not talk to the driver'; exit 9")
    assert machine.look(ROOT).cards == ()
    tool(tmp_path, "echo '[N/A], [N/A]'")
    assert machine.look(ROOT).vram == 0
    tool(tmp_path, "echo 'NVIDIA T4, 15360'")
    assert machine.look(tmp_path).cards == (), "a program of the repository is not run"


def test_this_machine_has_memory() -> None:
    here = machine.look(ROOT)
    assert here.ram > GIB // 4
    assert 0 < here.usable < here.ram or here.vram


def test_a_small_machine_is_advised_a_small_model() -> None:
    best = recommend(CATALOGUE, Machine(ram=4 * GIB))[0]
    assert best.fits and best.estimate.bytes <= 3 * GIB
    assert not any(one.fits for one in recommend(CATALOGUE, Machine(ram=GIB)))


def test_a_card_makes_the_large_models_quick() -> None:
    without = recommend(CATALOGUE, Machine(ram=32 * GIB))
    assert without[0].estimate.billions <= 14
    carded = recommend(CATALOGUE, Machine(ram=32 * GIB, vram=24 * GIB, cards=("Card",)))
    assert carded[0].id == "qwen3-coder:30b"
    apple = recommend(CATALOGUE, Machine(ram=64 * GIB, shared=True))
    assert apple[0].id == "qwen3-coder:30b"
    assert apple[0].how == carded[0].how == "gpu" and without[0].how == "cpu"


def test_what_does_not_fit_says_how_much_there_is() -> None:
    huge = next(one for one in recommend(CATALOGUE, Machine(ram=16 * GIB)) if one.id == "gpt-oss:120b")
    assert not huge.fits and (huge.how, huge.usable) == ("too-large", 12 * GIB)


def test_what_is_installed_is_marked() -> None:
    found = {one.id: one.held for one in recommend(CATALOGUE, Machine(ram=16 * GIB), ("qwen2.5-coder:7b",))}
    assert found["qwen2.5-coder:7b"] and not found["qwen3:8b"]


def test_what_is_suggested_fits_the_machine_and_the_request() -> None:
    roomy, small = (Machine(ram=64 * GIB, cores=cores) for cores in (16, 2))
    assert suggested(CATALOGUE, roomy) == CATALOGUE.suggested_local
    assert suggested(CATALOGUE, small) == "qwen2.5-coder:3b"
    for one in (roomy, small):
        assert CATALOGUE.describe(suggested(CATALOGUE, one, seeing=True), "ollama").vision
    assert suggested(CATALOGUE, Machine(ram=GIB, cores=2)) == "qwen2.5-coder:0.5b"


def test_what_fits_into_free_memory_comes_before_what_does_not() -> None:
    free = recommend(CATALOGUE, Machine(64 * GIB, 60 * GIB, cores=16))
    short = recommend(CATALOGUE, Machine(64 * GIB, 4 * GIB, cores=16))
    assert free[0].estimate.bytes > 4 * GIB >= short[0].estimate.bytes
    how = {one.id: one.how for one in short}
    assert (how[free[0].id], how[short[0].id]) == ("crowded", "cpu")
    assert recommend(CATALOGUE, Machine(64 * GIB, 0, cores=16))[0] == free[0], "0 is unknown"
