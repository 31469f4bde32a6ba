"""What profiles, roles and settings wish of models: who of them comes first, and who is left out; pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from optimizer.config.profiles import Wanted
from optimizer.models.catalogue import Traits
from optimizer.reasons import KeptLocal, Lacks, Narrow, Preferred
from optimizer.types import Model, Task

_DEGREES = 4  # by name, by family, by what the catalogue says, not at all


class Preference(NamedTuple):
    """Where a model stands among the wishes, the smaller the better, and why; `late`: it is slow, soon is wanted."""

    rank: int = 0
    why: Preferred | None = None
    late: bool = False


NEUTRAL = Preference()


def preference(wanted: Sequence[Wanted], model: Model, traits: Traits, task: Task) -> Preference:
    """How much a model is preferred: by the first of the wishes that prefers it, for a task that it suits."""
    late = task.needs.soon and traits.latency != "fast"
    unhandy = int(task.needs.tools and not model.tools)
    for number, one in enumerate(wanted):
        for degree, why in enumerate(_reasons(one, model, traits)):
            if why:
                return Preference((number * _DEGREES + degree) * 2 + unhandy, why, late)
    return Preference(len(wanted) * _DEGREES * 2 + unhandy, None, late)


def lacking(wanted: Sequence[Wanted], model: Model, traits: Traits) -> Lacks | Narrow | KeptLocal | None:
    """Why a model is left out by one of the wishes; None when it is not."""
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
    """Whether a wish names this very model."""
    return any(fnmatchcase(model.id.lower(), pattern.lower()) for pattern in wanted.models)


def _reasons(one: Wanted, model: Model, traits: Traits) -> tuple[Preferred | None, ...]:
    """Why it is preferred by name, by family and by the catalogue; None where it is not."""
    suited = next((name for name in one.suits if name in traits.profiles), "")
    return (
        Preferred(one.by, model.id) if names(one, model) else None,
        Preferred(one.by, traits.family) if traits.family and traits.family in one.families else None,
        Preferred(one.by, suits=suited) if suited else None,
    )
