"""Whether the new name of a definition is taken: it would capture another use, or be captured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from optimizer.languages.naming.table import group_of
from optimizer.languages.naming.uses import find_uses

if TYPE_CHECKING:
    from optimizer.languages.naming.uses import Use
    from optimizer.lookup.subject import ResolvedUse, Subject


def taken(subject: Subject, new: str, places: Sequence[ResolvedUse]) -> tuple[str, str] | None:
    """Where the new name stands in the way (path:line), and as what: defined or used; None where it is free."""
    return next(_member(subject, new) if subject.is_member else _free(subject, new, places), None)


def _member(subject: Subject, new: str) -> Iterator[tuple[str, str]]:
    owners = (subject.classes.owner(one) for one in subject.family) if subject.classes else ()
    above = subject.classes.above([one for one in owners if one is not None]) if subject.classes else set()
    types = subject.types | {one.name for one in above}
    for one in subject.index.symbols_named([new]):
        if one.parent.split(".")[-1] in types:
            yield f"{one.path}:{one.line}", "defined"
    for path in subject.paths:
        for use in find_uses(subject.sources[path], new):
            if use.role in ("member", "key") and use.owners and use.owners[0] in subject.types:
                yield f"{path}:{use.place.line}", "used"
            if subject.names is not None and use.role == "name" and _is_in_body(subject, path, use):
                yield f"{path}:{use.place.line}", "used"


def _is_in_body(subject: Subject, path: str, use: Use) -> bool:
    """Whether the body of a class that has the subject uses a name as its own."""
    from optimizer.languages.naming import attributes

    owner = attributes.class_of(use.node)
    return owner is not None and (path, attributes.line_of(owner)) in {(one.path, one.line) for one in subject.owners}


def _free(subject: Subject, new: str, places: Sequence[ResolvedUse]) -> Iterator[tuple[str, str]]:
    group = group_of(subject.target.path)
    renamed: dict[str, list[int]] = {}
    for place in places:
        if place.verdict == "ours":
            renamed.setdefault(place.path, []).append(place.use.place.start)
    packages = {one.rpartition("/")[0] for one in subject.paths} if subject.naming.reach == "packages" else set()
    for one in subject.index.symbols_named([new]):
        together = group_of(one.path) == group and one.path.rpartition("/")[0] in packages
        if not one.parent and (one.path in renamed or together):
            yield f"{one.path}:{one.line}", "defined"
    for path, starts in renamed.items():
        for use in find_uses(subject.sources[path], new):
            if use.role not in ("name", "shorthand"):
                continue
            if use.scope is None or any(use.scope[0] <= start < use.scope[1] for start in starts):
                yield f"{path}:{use.place.line}", "used"
