"""Which local models fit a machine, the best first, and why; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from optimizer.models.catalogue import Catalogue
from optimizer.models.machine import Machine
from optimizer.models.memory import GIB, USUAL_WINDOW, Estimate, estimate
from optimizer.vendors import OLLAMA

PROFILE_STRENGTH: Mapping[str, str] = {"code": "coding", "creative": "creativity", "general": "reasoning"}
SLOW_FROM_BILLIONS = 14.0  # beyond this, a model is slow without a graphics processor


@dataclass(frozen=True, slots=True)
class Advice:
    """A model to have on this machine, or not to: the memory it takes, whether it fits, why, and `how` it would run."""

    id: str
    estimate: Estimate
    fits: bool
    held: bool
    why: str
    strength: float
    how: str


def recommend(
    catalogue: Catalogue, machine: Machine, held: Collection[str] = (), profile: str = "code"
) -> tuple[Advice, ...]:
    """Names of Ollama's library, those that fit first, the strongest of them first.

    Of models of the same strength the larger is taken for the better one where it is quick enough here.
    """
    found = [_advice(catalogue, machine, name, name in held, profile) for name in catalogue.pullable]
    return tuple(sorted(found, key=lambda one: _order(one, machine)))


def _order(one: Advice, machine: Machine) -> tuple[bool, bool, float, float]:
    slow = not _quick(one.estimate, machine)
    return not one.fits, slow, -one.strength, one.estimate.billions if slow else -one.estimate.billions


def _advice(catalogue: Catalogue, machine: Machine, name: str, held: bool, profile: str) -> Advice:
    needed = estimate(name, USUAL_WINDOW, catalogue.billions(name, OLLAMA))
    traits = catalogue.traits(catalogue.describe(name, OLLAMA))
    strength = traits.strengths.get(PROFILE_STRENGTH.get(profile, "reasoning"), 0.0)
    fits = 0 < needed.bytes <= machine.room
    return Advice(name, needed, fits, held, _why(needed, machine, fits), strength, _how(needed, machine, fits))


def _quick(needed: Estimate, machine: Machine) -> bool:
    return needed.bytes <= machine.on_cards or needed.billions <= SLOW_FROM_BILLIONS


def _why(needed: Estimate, machine: Machine, fits: bool) -> str:
    size = f"about {needed.bytes / GIB:.1f} GiB with a window of {USUAL_WINDOW:,}: {needed.why}"
    return f"{size}; {_how(needed, machine, fits)}"


def _how(needed: Estimate, machine: Machine, fits: bool) -> str:
    if not fits:
        return f"too large, models may take {machine.room / GIB:.1f} GiB here"
    if machine.on_cards and needed.bytes <= machine.on_cards:
        return "runs on the graphics processor"
    return "runs on the processor" + ("" if _quick(needed, machine) else ", slowly")
