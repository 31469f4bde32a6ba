"""The route under a profile; when no model that may be asked fits it, under the profile that stands in for it; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from optimizer.config.profiles import Wanted
from optimizer.models.state import Known
from optimizer.routing.policy import Allowed, choose
from optimizer.routing.score import Candidate
from optimizer.types import Route, Task, TaskKind

_SUITING: Mapping[TaskKind, str] = {
    "quick": "fast",
    "find": "fast",
    "edit": "code",
    "refactor": "code",
    "test": "code",
    "debug": "code",
    "creative": "creative",
}


def profile_for(kind: TaskKind) -> str:
    """The profile, of those that come with the program, that a kind of work chooses."""
    return _SUITING.get(kind, "general")


def choose_with(
    profiles: Sequence[Wanted], task: Task, candidates: Sequence[Candidate], limits: Allowed, standing: Known
) -> Route:
    """The route of the first of `profiles` that leaves a model to ask; else of the first of all.

    `limits.wanted` holds what is wished before the profile, such as by a role. A model that the user named is asked
    under any profile.
    """
    first: Route | None = None
    for number, profile in enumerate(profiles):
        route = choose(task, candidates, replace(limits, wanted=(*limits.wanted, profile)), standing)
        if route.attempts:
            instead_of = profiles[0].by if number else None
            return replace(route, plan=route.plan._replace(profile=profile.by, instead_of=instead_of))
        first = first or route
    return first or choose(task, candidates, limits, standing)
