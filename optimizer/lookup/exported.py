"""What a name means in languages whose modules export by name: through imports, re-exports and whole modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.languages.naming import exports

if TYPE_CHECKING:
    from optimizer.languages.naming.exports import Taken
    from optimizer.languages.naming.uses import Use
    from optimizer.lookup.protocols import Verdict
    from optimizer.lookup.subject import Subject


def meaning(subject: Subject, path: str, use: Use) -> Verdict:
    """What a use that no local scope binds means when something of the top level is renamed."""
    if use.role == "member":
        if use.receiver in exports.OWN_EXPORTS:
            return "ours" if path in _exporters(subject) else "other"
        return "ours" if use.receiver.strip() in _namespaces(subject, path, _exporters(subject)) else "other"
    if path in subject.paths:
        return "ours"
    taken = next((one for one in subject.linkage(path).taken if one.start == use.place.start), None)
    if taken is not None and (use.role == "aliased" or taken.passes_on):
        return "ours" if _is_from(subject, path, taken, _exporters(subject)) else "other"
    if path in _bound(subject):
        return "ours"
    return "other" if use.role == "aliased" else _global(subject, path)


def _global(subject: Subject, path: str) -> Verdict:
    """Scripts without modules share their top level; which of them meet on a page is not known."""
    sources = [subject.sources[one] for one in (subject.target.path, path)]
    return "other" if path in subject.taken or any(map(exports.is_module, sources)) else "open"


def _exporters(subject: Subject) -> frozenset[str]:
    """The files from which the name can be imported: its own, and those that pass it on."""
    if "exporters" not in subject.known:
        found, bound = set(subject.paths), set[str]()
        others = [path for path in subject.uses if path not in subject.paths]
        while True:
            before = len(found), len(bound)
            found |= _barrels(subject, found)
            for path in others:
                linkage = subject.linkage(path)
                named = (one for one in linkage.taken if one.name == one.local == subject.name)
                takes = [one for one in named if _is_from(subject, path, one, found)]
                bound |= {path for one in takes if not one.passes_on}
                given = any(one.name == one.own == subject.name for one in linkage.given)
                if takes and given:
                    found.add(path)
            if (len(found), len(bound)) == before:
                break
        subject.known["exporters"], subject.known["bound"] = frozenset(found), frozenset(bound)
    return subject.known["exporters"]


def _barrels(subject: Subject, exporters: set[str]) -> set[str]:
    """The files that pass on all that one of `exporters` has, whether or not they hold the name."""
    edges = [edge for path in exporters for edge in subject.index.importers_of(path)]
    return {edge.source for edge in edges if edge.module in subject.linkage(edge.source).all_of}


def _bound(subject: Subject) -> frozenset[str]:
    """The files whose top level binds the name to what is renamed."""
    _exporters(subject)
    return subject.known["bound"]


def _is_from(subject: Subject, path: str, taken: Taken, exporters: set[str] | frozenset[str]) -> bool:
    """Whether a name is taken from a file that exports what is renamed."""
    if taken.holder:
        return taken.holder in _namespaces(subject, path, exporters)
    return taken.module in _modules(subject, path, exporters)


def _modules(subject: Subject, path: str, exporters: set[str] | frozenset[str]) -> set[str]:
    """What a file calls the modules that export the name."""
    return {edge.module for edge in subject.index.imports_of(path) if edge.target in exporters}


def _namespaces(subject: Subject, path: str, exporters: set[str] | frozenset[str]) -> set[str]:
    """The names that a file gives to whole modules from which the name can be taken."""
    modules = _modules(subject, path, exporters)
    has_default = any(b"exports" in subject.sources[one].text for one in subject.paths)
    namespaces = (one for one in subject.linkage(path).namespaces if has_default or not one.default)
    return {one.name for one in namespaces if one.module in modules}
