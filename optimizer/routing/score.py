"""Scores of models: the cost of an accepted answer, and what profiles, roles and settings prefer; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from optimizer.config.profiles import Wanted
from optimizer.ledger.prices import Tariff
from optimizer.ledger.summary import Tally
from optimizer.models.catalogue import Traits
from optimizer.models.state import Known
from optimizer.reasons import Cached, HigherRate, KeptLocal, Lacks, Narrow, Note, Preferred, Size, Trimmed
from optimizer.types import Model, Task

PRIOR_TRIES = 6.0
ENOUGH_TRIES = 3
HARDNESS = 0.4
USUAL_DIFFICULTY = 0.35
_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "edit": {"coding": 1.0},
    "refactor": {"coding": 1.0},
    "test": {"coding": 1.0},
    "tool": {"coding": 1.0},
    "debug": {"coding": 0.5, "reasoning": 0.5},
    "design": {"reasoning": 0.7, "coding": 0.3},
    "plan": {"reasoning": 0.7, "coding": 0.3},
    "review": {"reasoning": 0.5, "coding": 0.5},
    "math": {"reasoning": 1.0},
    "creative": {"creativity": 1.0},
}
_USUAL: Mapping[str, float] = {"reasoning": 0.6, "coding": 0.4}
MIDDLING = 0.5
_DEGREES = 4  # by name, by family, by what the catalogue says, not at all


class Preference(NamedTuple):
    """The rank of a model by preference (smaller is better), and why; `late`: too slow for an answer wanted soon."""

    rank: int = 0
    why: Preferred | None = None
    late: bool = False


NEUTRAL = Preference()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that could be asked: its rates (None: unknown), traits, and whether the project may be sent there."""

    model: Model
    tariff: Tariff | None
    traits: Traits
    consented: bool = True


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate for one task.

    `estimate` is what an attempt is expected to cost (None: unknown), `charge` what one call counts at most against the
    caps, both in micro-dollars; `chance` is of an accepted answer; `wait` in seconds for its quota; `note` is
    anything else to show; `size` is how large its request may be.
    """

    candidate: Candidate
    estimate: int | None
    charge: int
    chance: float
    tally: Tally
    wait: float = 0.0
    note: Note | None = None
    preference: Preference = NEUTRAL
    size: Size | None = None

    @property
    def model(self) -> Model:
        """The model scored."""
        return self.candidate.model

    @property
    def accepted_cost(self) -> float:
        """Micro-dollars to an accepted answer, unknown prices at the rate by which they count against the caps."""
        return (self.charge if self.estimate is None else self.estimate) / self.chance


def score(candidate: Candidate, task: Task, answer: int, known: Known, preferred: Preference = NEUTRAL) -> Scored:
    """Score a candidate for a task whose answer may have `answer` tokens."""
    model, tariff = candidate.model, candidate.tariff
    tally = known.tally(model, task.kind)
    asked = tariff.fitting(task.input_tokens) if tariff else task.input_tokens
    entry, output = asked, task.output_tokens
    if tally.tries >= ENOUGH_TRIES:
        entry, output = max(entry, tally.input // tally.tries), max(1, tally.output // tally.tries)
    warm = min(known.of(model).warm, asked)
    estimate = None if tariff is None else tariff.cost(entry, output, warm)
    most = None if tariff is None else tariff.cost(asked, answer, warm)
    return Scored(
        candidate=candidate,
        estimate=estimate,
        charge=known.money.charge(most, asked + answer),
        chance=chance(candidate.traits, task, tally),
        tally=tally,
        note=_note(tariff, task.input_tokens, warm, estimate),
        preference=preferred,
    )


def chance(traits: Traits, task: Task, tally: Tally) -> float:
    """How likely an answer is to be accepted: a Beta prior from strengths and difficulty, moved by the tally."""
    prior = expected(traits.strengths, task)
    return (PRIOR_TRIES * prior + tally.accepted) / (PRIOR_TRIES + tally.tries)


def expected(strengths: Mapping[str, float], task: Task) -> float:
    """The success rate that a model's strengths let expect, within [0.05, 0.95]."""
    weights = _WEIGHTS.get(task.kind, _USUAL)
    strength = sum(weight * strengths.get(name, MIDDLING) for name, weight in weights.items())
    return min(max(strength - HARDNESS * (task.difficulty - USUAL_DIFFICULTY), 0.05), 0.95)


def _note(tariff: Tariff | None, tokens: int, warm: int, estimate: int | None) -> Note | None:
    if tariff is None:
        return None
    if (fitting := tariff.fitting(tokens)) < tokens:
        return Trimmed(tokens - fitting, fitting)
    if ceiling := tariff.ceiling(tokens):
        return HigherRate(ceiling)
    return Cached(warm) if warm and estimate else None


def preference(wanted: Sequence[Wanted], model: Model, traits: Traits, task: Task) -> Preference:
    """How much a model is preferred: by the first of `wanted` that prefers it, for a task that it suits."""
    late = task.needs.soon and traits.latency != "fast"
    unhandy = int(task.needs.tools and not model.tools)
    for number, one in enumerate(wanted):
        for degree, why in enumerate(_reasons(one, model, traits)):
            if why:
                return Preference((number * _DEGREES + degree) * 2 + unhandy, why, late)
    return Preference(len(wanted) * _DEGREES * 2 + unhandy, None, late)


def lacking(wanted: Sequence[Wanted], model: Model, traits: Traits) -> Lacks | Narrow | KeptLocal | None:
    """Why one of `wanted` leaves a model out; None where none does."""
    for one in wanted:
        missing = sorted(one.requires - traits.capabilities)
        if missing:
            return Lacks(one.by, tuple(missing))
        if model.window < one.window:
            return Narrow(one.by, model.window, one.window)
        if one.local_only and not model.local:
            return KeptLocal(one.by)
    return None


def names(wanted: Wanted, model: Model) -> bool:
    """Whether `wanted` names this very model."""
    return any(fnmatchcase(model.id.lower(), pattern.lower()) for pattern in wanted.models)


def _reasons(one: Wanted, model: Model, traits: Traits) -> tuple[Preferred | None, ...]:
    """Why it is preferred by name, by family and by the catalogue; None where it is not."""
    suited = next((name for name in one.suits if name in traits.profiles), "")
    return (
        Preferred(one.by, model.id) if names(one, model) else None,
        Preferred(one.by, traits.family) if traits.family and traits.family in one.families else None,
        Preferred(one.by, suits=suited) if suited else None,
    )
