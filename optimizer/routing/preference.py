"""What profiles, roles and settings wish of models: who of them comes first, and who is left out; pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from optimizer.config.profiles import Wanted
from optimizer.models.catalogue import Traits
from optimizer.types import Model, Task

_DEGREES = 4  # by name, by family, by what the catalogue says, not at all


class Preference(NamedTuple):
    """Where a model stands among the wishes, the smaller the better, and why; `late`: it is slow, soon is wanted."""

    rank: int = 0
    why: str = ""
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
    return Preference(len(wanted) * _DEGREES * 2 + unhandy, "", late)


def lacking(wanted: Sequence[Wanted], model: Model, traits: Traits) -> tuple[str, str]:
    """Why a model is left out by one of the wishes, and the cure; '' when it is not."""
    for one in wanted:
        missing = sorted(one.requires - traits.capabilities)
        if missing:
            return f"{one.title} asks for {', '.join(missing)}", _cure(one)
        if model.window < one.window:
            return f"{one.title} asks for a window of {one.window:,} tokens, this has {model.window:,}", _cure(one)
        if one.local_only and not model.local:
            return f"{one.title} is kept on this machine", _cure(one)
    return "", ""


def names(wanted: Wanted, model: Model) -> bool:
    """Whether a wish names this very model."""
    return any(fnmatchcase(model.id.lower(), pattern.lower()) for pattern in wanted.models)


def _reasons(one: Wanted, model: Model, traits: Traits) -> tuple[str, str, str]:
    """Why it is preferred by name, by family and by the catalogue; '' where it is not."""
    suited = next((name for name in one.suits if name in traits.profiles), "")
    return (
        f"{one.title} prefers {model.id}" if names(one, model) else "",
        f"{one.title} prefers {traits.family}" if traits.family and traits.family in one.families else "",
        f"{one.title} prefers it, as it suits {suited}" if suited else "",
    )


def _cure(one: Wanted) -> str:
    kind, _, name = one.title.partition(" ")
    return f"optimize profile show {name}" if kind == "profile" else ""
