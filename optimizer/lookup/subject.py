"""What a rename is about: one definition, what shares its fate, and every use of its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages.naming import exports, in_text
from optimizer.languages.naming.expressions import first_around, is_in_macro, is_own, taken_in_macro
from optimizer.languages.naming.members import by_library, reached
from optimizer.languages.naming.table import Naming, group_of, naming_in
from optimizer.languages.naming.uses import Use, find_uses, is_in_literal
from optimizer.languages.naming.written import WRITTEN
from optimizer.languages.source import Source
from optimizer.languages.table import language_of
from optimizer.lookup.family import Classes
from optimizer.lookup.protocols import Verdict
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from optimizer.index.reader import Index
    from optimizer.languages.naming.written import Type
    from optimizer.lookup.inference import Inference
    from optimizer.lookup.receivers import Types

# `open`: it may well be meant. `left`: it is hardly meant, but nothing shows that it is not.
_WORDS = re.compile(r"[a-z][A-Z]|[^_]_[^_]")


class ResolvedUse(NamedTuple):
    """One occurrence of the name in a file, and whether it means what is renamed."""

    path: str
    use: Use
    verdict: Verdict


@dataclass(frozen=True)
class Subject:
    """What is renamed: the definition, all that share its fate, and the other definitions of the same name."""

    index: Index
    target: Symbol
    sources: Mapping[str, Source]
    uses: Mapping[str, Sequence[Use]]
    family: frozenset[Symbol] = frozenset()
    types: frozenset[str] = frozenset()
    owners: frozenset[Symbol] = frozenset()
    others: tuple[Symbol, ...] = ()
    classes: Classes | None = None
    names: Inference | None = None
    receivers: Types | None = None
    scope: tuple[int, int] | None = None
    known: dict[str, frozenset[str]] = field(default_factory=dict)
    linkages: dict[str, exports.Linkage] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def is_member(self) -> bool:
        """Whether it belongs to what is around it."""
        row = self.naming
        if self.is_described or self.scope is not None:
            return False
        is_inside = bool(self.target.parent) and not self.is_in_module and not self.is_in_function
        return self.target.kind in row.members or (is_inside and self.target.kind in row.inner)

    @property
    def is_attribute(self) -> bool:
        """Whether it is an attribute of a class, which the index does not list as a definition."""
        return self.naming.is_inferred and self.is_member and self.target.kind == "constant"

    @cached_property
    def is_in_module(self) -> bool:
        """Whether what is around the definition is a module within its file, and no type."""
        last = self.target.parent.split(".")[-1]
        around = [one for one in self.index.symbols_in(self.target.path) if last and one.name == last]
        return self.naming.inner_modules and bool(around) and all(one.kind == "module" for one in around)

    @cached_property
    def is_in_function(self) -> bool:
        """Whether the definition is local to a function, so that no object can have it as a member."""
        around = [one for one in self.index.symbols_in(self.target.path) if one.qualified == self.target.parent]
        around = [one for one in around if one.start <= self.target.line <= one.end]
        return self.naming.is_inferred and bool(around) and all(one.kind in ("function", "method") for one in around)

    @cached_property
    def naming(self) -> Naming:
        """How its language treats names."""
        return naming_in(self.language)

    @property
    def language(self) -> str:
        """The name of its language; in pages, of their scripts."""
        language = language_of(self.target.path)
        return "" if language is None else "typescript" if language.blocks else language.name

    @property
    def is_described(self) -> bool:
        """Whether its language describes things, and scopes no names."""
        language = language_of(self.target.path)
        return language is not None and language.described

    @cached_property
    def paths(self) -> frozenset[str]:
        """The files of the definitions that are renamed."""
        return frozenset(one.path for one in self.family)

    @cached_property
    def paths_of_types(self) -> frozenset[str]:
        """The files of the types that have it, of those derived from them and of all that these are derived from."""
        classes = self.classes
        around = classes.above(classes.below(self.owners)) if classes is not None else set()
        return self.paths | {part.path for one in around if classes is not None for part in classes.parts(one)}

    @cached_property
    def taken(self) -> frozenset[str]:
        """Files that define another thing of this name at their top level."""
        return frozenset(one.path for one in self.others if not one.parent and one.kind not in self.naming.members)

    @cached_property
    def is_in_literal(self) -> bool:
        """Whether it is a property of an object that is written out, so that its name may be known where that goes."""
        return any(is_in_literal(use.node) for _, use in self._definitions())

    @cached_property
    def objects(self) -> frozenset[tuple[str, str]]:
        """The objects of JavaScript that are written out and have it, or are given it by an assignment."""
        found = set[tuple[str, str]]()
        for path, use in self._definitions():
            node = use.node.parent
            if is_in_literal(use.node) and node is not None and node.parent is not None:
                found.add((path, f"{WRITTEN}{node.parent.start_byte}"))
            elif use.role == "member" and node is not None and self.receivers is not None:
                found |= {(one.path, one.name) for one in self.receivers.types(path, node.named_children[0])}
        return frozenset(found)

    @cached_property
    def is_passed_on(self) -> bool:
        """Whether the object that is written with it is handed to a function, which may give its members to another."""
        nodes = [use.node.parent.parent for _, use in self._definitions() if use.node.parent is not None]
        return any(one is not None and one.parent is not None and one.parent.type == "arguments" for one in nodes)

    def _definitions(self) -> Iterator[tuple[str, Use]]:
        defined = {(one.path, one.line) for one in self.family}
        for path, uses in self.uses.items():
            yield from ((path, use) for use in uses if (path, use.place.line) in defined)

    @cached_property
    def is_own_word(self) -> bool:
        """Whether an outside library is unlikely to have a member of this name, and nothing here shows that one has."""
        is_ours = not self.is_known_outside and not self.others
        return is_ours and not self.has_other_members and not self.is_listed

    @cached_property
    def is_known_outside(self) -> bool:
        """Whether an outside library has, or is likely to have, a member of this name.

        The libraries of Ruby are listed whole; of other languages at most the standard library is, so that a name of
        one word counts as known.
        """
        return self.name in self.outside_members or not (self.naming.mixes or _WORDS.search(self.name))

    @cached_property
    def outside_members(self) -> frozenset[str]:
        """The members that the language and the libraries in reach have; empty where these are not listed."""
        if not by_library(self.language):
            return frozenset()
        near = [path for path in self.index.paths() if group_of(path) == group_of(self.target.path)]
        return reached(
            self.language, {one.module for path in near for one in self.index.imports_of(path) if not one.target}
        )

    @cached_property
    def is_in_quotes(self) -> bool:
        """Whether any file has the name as a word of a string."""
        return any(in_text.in_quotes(source.data, self.name) for source in self.sources.values())

    @cached_property
    def is_listed(self) -> bool:
        """Whether a statement such as `attr_reader` gives the name to a member of another type."""
        from optimizer.lookup.shapes import is_listed

        return is_listed(self)

    @cached_property
    def has_other_members(self) -> bool:
        """Whether a field, key or outside receiver has the name too."""
        defined = {(one.path, one.line) for one in self.family}
        return any(
            (use.role == "key" and (path, use.place.line) not in defined)
            or (use.role == "member" and self.receiver(path, use) == "other")
            for path, uses in self.uses.items()
            for use in uses
        )

    def receiver(self, path: str, use: Use) -> Verdict:
        """Whether the receiver of a member is of a type that has the renamed one."""
        if is_own(use.receiver):
            return self._of_owner(path, use)
        first = taken_in_macro(use.node) if is_in_macro(use.node) else first_around(use.node)
        if self.receivers is None or first is None:
            return "open"
        found = {self.has(one) for one in self.receivers.types(path, first)}
        if found == {"ours", "open"} and not self.others and self.name not in self.outside_members:
            return "ours"
        verdict = found.pop() if len(found) == 1 else "open"
        if verdict != "open":
            return verdict
        from optimizer.lookup.shapes import fits

        return fits(self, path, use)

    def has(self, one: Type) -> Verdict:
        """Whether a type has the renamed member."""
        if not one.name:
            return "open"
        if one.name.startswith(WRITTEN):
            return "ours" if (one.path, one.name) in self.objects else "open" if self.is_passed_on else "other"
        meant = set(self.classes.meant(one.whole, one.path)) if self.classes else set()
        if not meant:
            return "ours" if one.name in self.types else "other"
        if not meant & self.owners:
            takes_over = self.naming.embeds and self.receivers is not None and self.receivers.above(one) & self.owners
            return "ours" if takes_over else "open" if self.is_left_to(meant) else "other"
        return "ours" if meant <= self.owners else "open"

    def is_left_to(self, types: Iterable[Symbol]) -> bool:
        """Whether a type leaves the member to those derived from it, one of which has the renamed one."""
        if self.classes is None:
            return False
        return bool(self.classes.below(types) & self.owners) and not self.classes.above(types) & self.other_owners

    @cached_property
    def other_owners(self) -> frozenset[Symbol]:
        """The types that have another member of this name."""
        found = (self.classes.owner(one) for one in self.others) if self.classes else ()
        return frozenset(one for one in found if one is not None and one not in self.owners)

    def linkage(self, path: str) -> exports.Linkage:
        """What a file takes from modules and gives to others."""
        if path not in self.linkages:
            self.linkages[path] = exports.read(self.sources.get(path) or Source(path, self.index.read(path)))
        return self.linkages[path]

    def _of_owner(self, path: str, use: Use) -> Verdict:
        from optimizer.languages.naming.written import Type

        if not use.owners or self.receivers is None:
            return "open"
        found = {self.has(one) for one in self.receivers.bound(Type(use.owners[0], (), path), use.node)}
        return "ours" if "ours" in found else found.pop() if len(found) == 1 else "open"


def leads(subject: Subject, path: str, target: str) -> bool:
    """Whether a file imports another, itself or through others."""
    key = f"reach {path}"
    if key not in subject.known:
        seen, pending = {path}, [path]
        while pending:
            for edge in subject.index.imports_of(pending.pop()):
                if edge.target is not None and edge.target not in seen:
                    seen.add(edge.target)
                    pending.append(edge.target)
        subject.known[key] = frozenset(seen)
    return target in subject.known[key]


def collect(index: Index, target: Symbol, paths: Iterable[str]) -> tuple[dict[str, Source], dict[str, Sequence[Use]]]:
    """The files that hold the name, and each of its uses in code there."""
    from optimizer.errors import NotFound

    group = group_of(target.path)
    sources: dict[str, Source] = {}
    uses: dict[str, Sequence[Use]] = {}
    for path in paths:
        try:
            source = Source(path, index.read(path))
        except NotFound:
            continue
        sources[path] = source
        if source.language is not None and source.language.name in group:
            uses[path] = find_uses(source, target.name)
    return sources, uses
