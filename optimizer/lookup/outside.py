"""Whether something outside the repository needs the old name of a definition."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import TYPE_CHECKING

from optimizer.errors import SafetyRefused
from optimizer.languages.naming.uses import counts, made_around, says_override, trait_of

if TYPE_CHECKING:
    from optimizer.lookup.subject import ResolvedUse, Subject


def needed(subject: Subject, new: str, places: Sequence[ResolvedUse]) -> str:
    """What outside the repository knows the subject by its name; '' for nothing."""
    target, row = subject.target, subject.naming
    if row.runtime.fullmatch(target.name):
        return f"the runtime of {subject.language}"
    known = row.interfaces.get(target.name, "").split(",")
    if subject.is_member and any(counts(place.use) in known for place in places if _defines(place)):
        return "interfaces of the standard library"
    if row.by_case and target.name[:1].isupper() and not new[:1].isupper():
        folder = posixpath.dirname(target.path)
        if subject.is_member or any(p.verdict == "ours" and posixpath.dirname(p.path) != folder for p in places):
            return "other packages"
    if subject.is_member and not row.is_inferred:
        return _base(subject, places)
    return ""


def needed_outside(subject: Subject, base: str) -> SafetyRefused:
    """The error for a name that something outside the repository may need."""
    return SafetyRefused(
        f"{subject.target.qualified} cannot be renamed: {base}, outside this repository, may know it by this name",
        "rename it by hand where that does not need the name",
    )


def _defines(place: ResolvedUse) -> bool:
    return place.verdict == "ours" and place.use.place.kind == "definition"


def _base(subject: Subject, places: Sequence[ResolvedUse]) -> str:
    defined = [p.use for p in places if _defines(p)]
    if subject.naming.in_traits:
        return next((trait for use in defined if (trait := trait_of(use)) and not _is_ours(subject, trait)), "")
    if subject.classes is None:
        return ""
    for one in sorted(subject.family):
        owner = subject.classes.owner(one)
        for base in (
            () if owner is None else (b for up in subject.classes.above([owner]) for b in subject.classes.outside(up))
        ):
            if not subject.naming.says_override or any(map(says_override, defined)):
                return base
    made = (made_around(use.node) for use in defined if subject.naming.says_override and says_override(use))
    return next((base for base in made if base and not subject.classes.named(base)), "")


def _is_ours(subject: Subject, trait: str) -> bool:
    return any(one.kind == "trait" for one in subject.index.symbols_named([trait]))
