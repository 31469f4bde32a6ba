"""What a rename is about: one definition, what shares its fate, and every use of its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from optimizer.languages.source import Source
from optimizer.languages.table import LANGUAGES, language_of
from optimizer.languages.uses import Use, find_uses
from optimizer.lookup.family import Classes
from optimizer.lookup.receivers import types_of
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from optimizer.index.reader import Index
    from optimizer.lookup.python_names import PythonNames

# `open`: it may well be meant. `left`: it is hardly meant, but nothing shows that it is not.
Verdict = Literal["ours", "other", "open", "left"]
MEMBERS = frozenset({"method"})
SCRIPTS = frozenset({"javascript", "typescript", "tsx"})
_PAGES = frozenset(row.name for row in LANGUAGES if row.blocks)
_GROUPS = (
    SCRIPTS | _PAGES,
    frozenset({"c", "cpp"}),
    frozenset({"java", "kotlin", "scala"}),
    frozenset({"python", "notebook"}),
)
_OWN = frozenset({"this", "self", "super", "Self", "cls", "parent", "static", "$this", "super()", "base", "@self"})
_WORDS = re.compile(r"[a-z][A-Z]|[^_]_[^_]")


def group_of(path: str) -> frozenset[str]:
    """The languages that share their names with that of a file."""
    language = language_of(path)
    name = language.name if language else ""
    return next((group for group in _GROUPS if name in group), frozenset({name}))


class Place(NamedTuple):
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
    others: tuple[Symbol, ...] = ()
    classes: Classes | None = None
    names: PythonNames | None = None
    known: dict[str, frozenset[str]] = field(default_factory=dict)
    symbols: dict[str, tuple[Symbol, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def is_member(self) -> bool:
        kinds = ("function", "constant", "type") if self.language == "rust" else ("function", "constant")
        inside = self.target.parent and self.language != "c"
        if self.is_described:
            return False
        return self.target.kind in MEMBERS or bool(inside and self.target.kind in kinds)

    @property
    def language(self) -> str:
        language = language_of(self.target.path)
        return "" if language is None else "typescript" if language.blocks else language.name

    @property
    def is_described(self) -> bool:
        language = language_of(self.target.path)
        return language is not None and language.described

    @cached_property
    def paths(self) -> frozenset[str]:
        """The files of the definitions that are renamed."""
        return frozenset(one.path for one in self.family)

    @cached_property
    def taken(self) -> frozenset[str]:
        """Files that define another thing of this name at their top level."""
        return frozenset(one.path for one in self.others if not one.parent and one.kind not in MEMBERS)

    @cached_property
    def is_own_word(self) -> bool:
        """Whether an outside library is unlikely to have a member of this name, and nothing here shows that one has."""
        return bool(_WORDS.search(self.name)) and not self.others and not self._has_other_members

    @cached_property
    def _has_other_members(self) -> bool:
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
        if use.receiver in _OWN or use.receiver.startswith("super("):
            return self._of_owner(use)
        whole = self.sources[path].text.decode("utf-8", "replace")
        names: set[str] = set()
        for text in (self._around(path, use), whole):
            names = names or set(types_of(use.receiver, text, self.language, self._symbols))
        if not names:
            return "open"
        ours = {name for name in names if name in self.types}
        if not ours:
            return "other" if all(self._is_known(name) for name in names) else "open"
        return "ours" if ours == names else "open"

    def _symbols(self, names: Iterable[str]) -> tuple[Symbol, ...]:
        return tuple(one for name in names for one in self._named(name))

    def _named(self, name: str) -> tuple[Symbol, ...]:
        if name not in self.symbols:
            self.symbols[name] = self.index.symbols_named([name])
        return self.symbols[name]

    def _is_known(self, name: str) -> bool:
        """Whether a type cannot have the renamed member: it is not defined here, or derived from nothing outside."""
        return self.classes is None or not self.classes.named(name) or name not in self.types

    def _of_owner(self, use: Use) -> Verdict:
        if not use.owners:
            return "open"
        return "ours" if use.owners[0] in self.types else "other"

    def _around(self, path: str, use: Use) -> str:
        node = use.node
        while node.parent is not None and not _is_function(node.type):
            node = node.parent
        text = self.sources[path].text
        return text[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _is_function(kind: str) -> bool:
    return ("function" in kind or "method_d" in kind or kind == "method") and "call" not in kind and "type" not in kind


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
