"""The types that an expression may have, inferred over the files of a repository without running any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.errors import NotFound
from optimizer.languages.naming import expressions as kinds
from optimizer.languages.naming.bases import TYPES
from optimizer.languages.naming.declarations import Declared, declaration, declarations, leaves
from optimizer.languages.naming.expressions import (
    assigned,
    is_import,
    taken_from,
    text_of,
)
from optimizer.languages.naming.uses import owners
from optimizer.languages.naming.written import UNKNOWN, WRITTEN, Type, element, inner, parse
from optimizer.languages.source import Source
from optimizer.languages.table import language_of
from optimizer.lookup.called import called, result
from optimizer.lookup.family import Classes
from optimizer.lookup.imported import OUTSIDE, imported
from optimizer.lookup.returned import DEEPEST
from optimizer.lookup.ruby_values import given_to_block, of_object, of_reader
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.index.reader import Index
    from optimizer.languages.naming.table import Naming


class Types:
    """Answers which types an expression may have; `UNKNOWN` is among them where that is not known."""

    def __init__(self, index: Index, classes: Classes, row: Naming) -> None:
        self.index, self.classes, self.row = index, classes, row
        self._sources: dict[str, Source | None] = {}
        self._known: dict[tuple[str, int, int], tuple[Type, ...]] = {}
        self._named: dict[str, tuple[Symbol, ...]] = {}

    def types(self, path: str, node: Node, depth: int = 0) -> tuple[Type, ...]:
        """The types of an expression of a file."""
        key = (path, node.start_byte, node.end_byte)
        if key not in self._known:
            self._known[key] = (UNKNOWN,)
            found = tuple(dict.fromkeys(self._types(path, node, depth))) if depth < DEEPEST else ()
            self._known[key] = found or (UNKNOWN,)
        return self._known[key]

    def symbols(self, name: str) -> tuple[Symbol, ...]:
        """The definitions of a name in the languages of the subject."""
        if name not in self._named:
            self._named[name] = tuple(one for one in self.index.symbols_named([name]) if self._is_near(one))
        return self._named[name]

    def _is_near(self, one: Symbol) -> bool:
        language = language_of(one.path)
        return language is not None and not language.outline

    def source(self, path: str) -> Source | None:
        """A file of the repository; None where it is gone."""
        if path not in self._sources:
            try:
                self._sources[path] = Source(path, self.index.read(path))
            except NotFound:
                self._sources[path] = None
        return self._sources[path]

    def target(self, path: str, module: str) -> str | None:
        """The file that a module leads to from a file; None for one outside the repository."""
        return next((one.target for one in self.index.imports_of(path) if one.module == module and one.target), None)

    def add(self, path: str, source: Source) -> None:
        """Take in code that is no file of the repository, such as that of an example, under a name of its own."""
        self._sources[path] = source

    # ── expressions ──────────────────────────────────────────────────────────────────────────────

    def _types(self, path: str, node: Node, depth: int) -> Iterator[Type]:
        kind, text = node.type, text_of(node)
        if text in kinds.OWN_NAMES or kind in ("this", "self", "super", "base"):
            yield self.owner(path, node)
        elif kind in kinds.NAMES or (kind == "variable_name" and node.named_child_count == 1):
            yield from self._name(path, node if kind != "variable_name" else node.named_children[0], depth)
        elif kind in kinds.CALLS:
            yield from called(self, path, node, depth)
        elif kind in kinds.NEW:
            yield from self._made(path, node)
        elif kind in kinds.MEMBERS:
            yield from self._member(path, node, depth)
        elif kind in kinds.CASTS:
            written = node.child_by_field_name("type") or node.named_children[-1]
            yield from parse(text_of(written), path)
        elif kind in ("await_expression", "try_expression") or kind in kinds.INDEXED:
            yield from map(inner, self.types(path, node.named_children[0], depth + 1))
        elif kind in kinds.CHOICES:
            yield from (t for part in node.named_children[1:3] for t in self.types(path, part, depth + 1))
        elif kind == "binary_expression" and re.search(r"\|\||\?\?", text):
            yield from (t for part in node.named_children for t in self.types(path, part, depth + 1))
        elif kind in kinds.SAME and node.named_children:
            yield from self.types(path, node.named_children[-1 if kind == "unary_expression" else 0], depth + 1)
        elif kind in kinds.ASSIGNS and (right := node.child_by_field_name("right")):
            yield from self.types(path, right, depth + 1)
        elif kinds.is_statement(node):
            yield from (t for part in kinds.values_of(node) for t in self.types(path, part, depth + 1))
        elif kind == "object" or (kind in kinds.FUNCTIONS and self.row.reach == "exports"):
            yield Type(f"{WRITTEN}{node.start_byte}", (), path)
        elif kinds.LITERALS.fullmatch(kind):
            yield Type(f"literal {kind}")

    def owner(self, path: str, node: Node) -> Type:
        """The class around a node; UNKNOWN for none."""
        source = self.source(path)
        around = next(iter(owners(node, source.text)), "") if source else ""
        return Type(around, (), path) if around else UNKNOWN

    def _name(self, path: str, node: Node, depth: int) -> Iterator[Type]:
        source = self.source(path)
        if source is None or source.root is None:
            return
        found = list(declarations(source.root, source.text, node))
        if found and not any(one.value is not None and is_import(one.value) for one in found):
            for one in found:
                yield from self._declared(path, one, depth)
            return
        if node.type == "instance_variable":
            yield from of_object(self, path, node, depth)
            return
        if self.row.reach == "exports" and (taken := list(imported(self, path, text_of(node), depth))):
            yield from taken
            return
        known = list(self._of_repository(path, text_of(node), depth))
        if not known and self.row.bare_reads:
            known = list(result(self, path, node, depth)) or list(of_reader(self, path, node, depth))
        yield from known

    def _of_repository(self, path: str, name: str, depth: int) -> Iterator[Type]:
        """What a name means that the file does not declare itself: a type, or a constant of another file."""
        known = self.symbols(name)
        if any(one.kind in (*TYPES, "module") for one in known):
            yield Type(name, (), path)
            return
        for one in known if len(known) == 1 else ():
            if one.kind == "constant":
                yield from self._constant(one, depth)
            elif one.path == path and not one.parent and self.row.reach == "exports":
                functions = (leaf.parent for leaf in self.leaves(one))
                yield from (
                    Type(f"{WRITTEN}{node.start_byte}", (), path)
                    for node in functions
                    if node is not None and node.type == "function_declaration"
                )
        if not known and (name[:1].isupper() or self._is_package(path, name)):
            yield Type(name if name[:1].isupper() else f"package {name}", (), path)
        elif not known and self.row.reach == "exports" and name in self.row.globals:
            yield Type(f"{OUTSIDE}{name}", (), path)

    def _is_package(self, path: str, name: str) -> bool:
        """Whether a name is that of a package of Go from outside the repository."""
        edges = self.index.imports_of(path) if self.row.embeds else ()
        return any(edge.target is None and edge.module.rpartition("/")[2] == name for edge in edges)

    def _constant(self, symbol: Symbol, depth: int) -> Iterator[Type]:
        for leaf in self.leaves(symbol):
            if (declared := declaration(leaf)) is not None:
                yield from self._declared(symbol.path, declared, depth)
                return

    def _declared(self, path: str, one: Declared, depth: int) -> Iterator[Type]:
        if one.type is not None:
            for written in parse(text_of(one.type), path):
                if written.name in kinds.OWN_NAMES:
                    yield self.owner(path, one.leaf)
                else:
                    yield from self.bound(written, one.leaf)
        elif one.value is None:
            yield from given_to_block(self, path, one.leaf, depth)
        elif one.element:
            yield from map(element, self.types(path, one.value, depth + 1))
        elif one.value.type == "expression_list" and one.value.named_child_count > one.place:
            yield from self.types(path, one.value.named_children[one.place], depth + 1)
        elif one.place:
            yield UNKNOWN
        else:
            yield from self.types(path, one.value, depth + 1)

    def bound(self, written: Type, at: Node) -> tuple[Type, ...]:
        """A type as it is, or for a parameter of the function or class around it what it is bound to."""
        parts = kinds.bounds(at, written.name) if written.name and not self.symbols(written.name) else None
        if parts is None:
            return (written,)
        known = [one for part in parts for one in parse(part, written.path) if self.classes.named(one.name)]
        return tuple(known) or (UNKNOWN,)

    def _made(self, path: str, node: Node) -> Iterator[Type]:
        made = node.child_by_field_name("constructor") or node.child_by_field_name("type")
        made = made or node.child_by_field_name("name") or (node.named_children[0] if node.named_children else None)
        for one in parse(text_of(made), path) if made is not None else ():
            own = one.name in ("self", "static", "Self", "this")
            yield self.owner(path, node) if own else one

    # ── calls and members ────────────────────────────────────────────────────────────────────────

    def _member(self, path: str, node: Node, depth: int) -> Iterator[Type]:
        holder, name = taken_from(node)
        is_type = any(one.kind in (*TYPES, "module") for one in self.symbols(name))
        if is_type or node.type == "qualified_name":
            yield Type(name, (), path, f"{text_of(holder)}." if holder is not None else "")
            return
        for one in self.types(path, holder, depth + 1) if holder is not None else ():
            outside = self.is_outside(one) or one.name.startswith(OUTSIDE)
            yield from (one,) if outside else list(self.field(one, name, depth)) or (UNKNOWN,)

    def is_outside(self, one: Type) -> bool:
        """Whether a type of Go is one of another repository, whose members never give a type of this one."""
        return self.row.embeds and bool(one.name) and not self.classes.named(one.name)

    def methods(self, owner: Type, name: str) -> list[Symbol]:
        """The methods of a type by one name, its own before those of its bases."""
        known = [one for one in self.symbols(name) if one.parent and one.kind in ("method", "function", "constant")]
        if not owner.name or not known:
            return []
        meant = self.classes.meant(owner.whole, owner.path)
        own = [one for one in known if one.parent.split(".")[-1] in (owner.name, *(one.name for one in meant))]
        if own:
            return [one for one in own if self.classes.owner(one) in meant] or own
        above = {one.name for one in self.above(owner)}
        return [one for one in known if one.parent.split(".")[-1] in above]

    def field(self, owner: Type, name: str, depth: int = 0) -> Iterator[Type]:
        """What a field of a type holds, by its declaration, or by what is assigned to it within its class."""
        for symbol in self.above(owner) if owner.name else ():
            if name.isdigit():
                for leaf in self.leaves(symbol):
                    yield from (
                        one for kind in kinds.by_place(leaf, int(name)) for one in parse(text_of(kind), symbol.path)
                    )
                continue
            for leaf in self.leaves(symbol, name):
                declared = declaration(leaf)
                if declared is not None and declared.field:
                    yield from self._declared(symbol.path, declared, depth)
                elif (value := assigned(leaf)) is not None:
                    yield from self.types(symbol.path, value, depth + 1)
            if self.row.in_parts and not name.startswith("@"):
                yield from (
                    self.field(Type(symbol.name, (), symbol.path), f"@{name}", depth + 1) if depth < DEEPEST else ()
                )

    def above(self, owner: Type) -> set[Symbol]:
        """A type with all that it is derived from, or takes over as a struct of Go does."""
        found = self.classes.above(self.classes.meant(owner.whole, owner.path))
        pending = list(found) if self.row.embeds else []
        while pending:
            new = set(self._embedded(pending.pop())) - found
            found |= new
            pending += new
        return found

    def _embedded(self, one: Symbol) -> Iterator[Symbol]:
        if (source := self.source(one.path)) is not None:
            body = b"\n".join(source.text.split(b"\n")[one.start - 1 : one.end])
            for found in kinds.EMBEDDED.finditer(body):
                yield from self.classes.meant(found[1].decode(), one.path)

    def leaves(self, symbol: Symbol, name: str = "") -> Iterator[Node]:
        """The nodes of a name, or of its own one, within a definition."""
        source = self.source(symbol.path)
        if source is None or source.root is None:
            return
        lines = source.text.split(b"\n")
        start = sum(len(line) + 1 for line in lines[: symbol.start - 1])
        end = start + sum(len(line) + 1 for line in lines[symbol.start - 1 : symbol.end])
        yield from leaves(source.root, source.text, (name or symbol.name).encode(), start, end)
