"""Which occurrences of a name mean one attribute of a Python class, set in its body, its methods or its constructor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming import attributes, calls
from optimizer.languages.naming.bases import TYPES
from optimizer.languages.naming.table import group_of, naming_of
from optimizer.languages.naming.uses import find_uses
from optimizer.languages.source import Source
from optimizer.lookup.family import Classes
from optimizer.lookup.inferred import Inferred
from optimizer.lookup.names import definitions, holders, parts_of
from optimizer.lookup.text_uses import InText
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.index.reader import Index
    from optimizer.languages.naming.uses import Use
    from optimizer.lookup.inference import Location
    from optimizer.lookup.protocols import Verdict
    from optimizer.lookup.questions import Lookup
    from optimizer.lookup.subject import Subject

_OTHER_CALLS = ("replace", "evolve", "_replace", "__replace__")


def attribute(lookup: Lookup, index: Index) -> tuple[Symbol, ...]:
    """The places that define an attribute of a class, of those it is derived from and of those derived from it."""
    *front, name = parts_of(lookup.subject)
    classes = [one for one in definitions(index, ".".join(front), lookup.within) if one.kind in TYPES] if front else []
    if len(classes) != 1 or not naming_of(classes[0].path).is_inferred:
        return ()
    known = Classes(index, [path for path in index.paths() if group_of(path) == group_of(classes[0].path)])
    defined: dict[Symbol, list[int]] = {}
    for path in sorted(holders(index, name)):
        if naming_of(path).is_inferred:
            for owner, line in _defined(Source(path, index.read(path)), name, index):
                defined.setdefault(owner, []).append(line)
    types = set(classes)
    while True:
        reached = known.below(types)
        joined = {one for one in defined if one not in reached and one in known.above(reached)}
        if not joined:
            break
        types |= joined
    owners = sorted(reached & set(defined), key=lambda one: (one not in classes, one))
    return tuple(_symbol(owner, name, line) for owner in owners for line in defined[owner])


def _symbol(owner: Symbol, name: str, line: int) -> Symbol:
    qualified = f"{owner.qualified}.{name}"
    return Symbol(name, qualified, "constant", owner.path, line, line, line, "", owner.qualified)


def _defined(source: Source, name: str, index: Index) -> Iterator[tuple[Symbol, int]]:
    by_line = {one.line: one for one in index.symbols_in(source.path) if one.kind in TYPES}
    for use in find_uses(source, name):
        owner = attributes.class_of_self(use.node) if use.role == "member" else None
        if use.role == "name" and use.place.kind != "definition":
            owner = attributes.class_of(use.node)
        if owner is not None and attributes.is_assigned(use.node) and attributes.line_of(owner) in by_line:
            yield by_line[attributes.line_of(owner)], use.place.line


class Fields(Inferred):
    """The verdicts on the uses of one attribute."""

    def verdict(self, path: str, use: Use) -> Verdict:
        """Whether a use means the attribute."""
        if (key := attributes.pattern_of(use.node)) is not None:
            return self._by_class(path, key)
        if use.role == "name":
            owner = attributes.class_of(use.node)
            return "ours" if owner is not None and self._is_owner(path, owner) else "other"
        if use.role == "key":
            return self._key(path, use)
        if use.role != "member":
            return "other"
        owner = attributes.class_of_self(use.node)
        if owner is not None and self._is_owner(path, owner):
            return "ours"
        found = self._meaning(path, use.node)
        ours = [one for one in found if (one.path, one.line) in self.family]
        return "open" if not found or (ours and len(ours) < len(found)) else "ours" if ours else "other"

    def _is_owner(self, path: str, owner: Node) -> bool:
        return (path, attributes.line_of(owner)) in _places(self.subject)

    def _meaning(self, path: str, node: Node) -> tuple[Location, ...]:
        text = self.subject.sources[path].text
        return self.names.meaning(path, text, node.start_point[0] + 1, node.start_byte)

    def _key(self, path: str, use: Use) -> Verdict:
        callee = calls.callee_of(use.node)
        if callee is None:
            return "other"
        if (callee.text or b"").decode("utf-8", "replace") in _OTHER_CALLS:
            copied = calls.copied(use.node)
            text = self.subject.sources[path].text
            found = () if copied is None else self.names.types(path, text, copied.start_point[0] + 1, copied.start_byte)
            ours = [one for one in found if (one.path, one.line) in _places(self.subject)]
            return "ours" if ours else "other" if found else "open"
        return self._by_class(path, callee) if fields_make(self.subject) else "other"

    def _by_class(self, path: str, name: Node) -> Verdict:
        found = self._meaning(path, name)
        return "ours" if any((one.path, one.line) in _places(self.subject) for one in found) else "other"


def _places(subject: Subject) -> set[tuple[str, int]]:
    return {(one.path, one.line) for one in subject.owners}


def fields_make(subject: Subject) -> bool:
    """Whether a class that has the attribute is made with its fields by their names."""
    for one in subject.owners:
        root = Source(one.path, subject.index.read(one.path)).root
        node = attributes.class_at(root, one.line) if root is not None else None
        if node is not None and attributes.is_made_of_fields(node):
            return True
    return False


def in_text(subject: Subject, path: str, source: Source) -> Iterator[InText]:
    """Where lists of a class name the attribute, and where a class that is made of its fields is given them unseen."""
    root, size = source.root, len(subject.name.encode())
    owners = [one for one in subject.owners if one.path == path]
    for owner in (attributes.class_at(root, one.line) for one in owners) if root is not None else ():
        for start, sure in attributes.in_strings(owner, source.text, subject.name) if owner is not None else ():
            yield InText(start, start + size, source.text.count(b"\n", 0, start) + 1, sure)
    if not naming_of(path).is_inferred or subject.names is None or not fields_make(subject):
        return
    for name in {one.name for one in subject.owners}:
        for use in find_uses(source, name):
            call = calls.call_of(use.node)
            if call is not None and calls.spreads(call) and calls.keyword(call, subject.name) is None:
                found = subject.names.meaning(path, source.text, use.place.line, use.place.start)
                if any((one.path, one.line) in _places(subject) for one in found):
                    yield InText(use.place.start, use.place.start, use.place.line, False)
