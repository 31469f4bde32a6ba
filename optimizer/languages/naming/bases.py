"""What types are derived from, by the heads of their definitions and by the syntax tree; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming.parents import around
from optimizer.languages.naming.table import Naming, naming
from optimizer.languages.table import language_of
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from tree_sitter import Node

TYPES = frozenset({"class", "interface", "trait", "struct", "enum", "type"})
# Bases that declare nothing which a method of a repository could override by accident.
PLAIN = frozenset({
    "object", "Object", "ABC", "Generic", "Protocol", "Exception", "BaseException", "Enum", "NamedTuple", "TypedDict",
    "Error", "Serializable", "Cloneable", "StandardError", "ValueError", "RuntimeError", "EventEmitter",
})  # fmt: skip
_ANGLES = re.compile(r"<[^<>]*>|\[[^\[\]]*\]")
_ACCESS = re.compile(r"\b(?:public|private|protected|virtual)\b")
_QUALIFIER = re.compile(r"\.|::|\\")


def bases_of(symbol: Symbol) -> tuple[str, ...]:
    """The names of what a type is derived from, as its head writes them, without their parameters.

    `self` as a base is the type around it.
    """
    language = language_of(symbol.path)
    names = tuple(_names(naming(language), symbol.signature)) if language and symbol.kind in TYPES else ()
    return tuple(symbol.parent if name == "self" and symbol.parent else name for name in names)


_MIXES = re.compile(rb"^[ \t]*(?:\w+\.)?(?:include|prepend|extend)[ (]+([A-Z][\w:]*(?:[ \t]*,\s*[A-Z][\w:]*)*)", re.M)


_USES = re.compile(rb"^[ \t]+use[ \t]+([\\\w]+(?:[ \t]*,\s*[\\\w]+)*)\s*[;{]", re.M)


def mixed_in(data: bytes, row: Naming) -> Iterator[tuple[int, list[str]]]:
    """The lines of a file that take modules or traits over, and their names."""
    form = _MIXES if row.mixes else _USES if row.uses_traits else None
    for found in form.finditer(data) if form is not None else ():
        names = [name.strip() for name in found[1].decode("utf-8", "replace").split(",")]
        yield data.count(b"\n", 0, found.start(1)) + 1, names


def last_of(name: str) -> str:
    """The last part of a qualified name."""
    return _QUALIFIER.split(name)[-1]


def around_of(name: str) -> str:
    """What the last part of a qualified name is taken from; '' for a name that stands alone."""
    return "".join(_QUALIFIER.split(name)[-2:-1])


def _names(row: Naming, head: str) -> Iterator[str]:
    if row.bases is None:
        return
    for match in row.bases.finditer(_without_angles(head)):
        for part in _without_angles(_ACCESS.sub("", match["bases"])).split(","):
            name = part.split("(")[0].strip()
            if name and "=" not in name:
                yield name


def _without_angles(text: str) -> str:
    while (plain := _ANGLES.sub("", text)) != text:
        text = plain
    return text


# ── in a tree ────────────────────────────────────────────────────────────────────────────────────

_CLASSES = ("class", "class_declaration", "enum_declaration", "record_declaration", "object_creation_expression")
_MODULES = ("module", "trait_declaration", "interface_declaration")
_MADE = "object_creation_expression"
_METHODS = ("method", "singleton_method")
_BASES = ("superclass", "base_clause", "use_declaration")
_NAMES = ("type_identifier", "constant", "name", "scope_resolution", "qualified_name", "scoped_type_identifier")
_MADE_BASES = (b"Struct.new(", b"Data.define(")
_MIXED_IN = (b"include", b"extend", b"prepend")
_CATCHES_ALL = re.compile(rb"\bmethod_missing\b|\b__call(?:Static)?\b|\bforwardMissingTo\b")
ANSWERS_ALL = "method_missing"
"""The method of Ruby that makes an object answer to any name."""
_RUNS_BLOCKS = re.compile(rb"\binstance_e(?:val|xec)\b[ (]*&")
_DEFINES = re.compile(rb"\bdefine_method\b(?:\(? ?:?\"?(\w+)(#\{)?)?")


def written(declared: Node) -> Iterator[str]:
    """The names of what a class derives from and mixes in; `?` for one that is no name."""
    body = declared.child_by_field_name("body")
    for part in (*declared.named_children, *(body.named_children if body is not None else ())):
        if part.type in _BASES:
            for one in part.named_children:
                name = one.named_children[0] if one.type == "generic_type" else one
                made = name.child_by_field_name("receiver") if (name.text or b"").startswith(_MADE_BASES) else None
                name = made or name
                yield (name.text or b"").decode().removeprefix("::") if name.type in _NAMES else "?"
        elif part.type == "call" and (method := part.child_by_field_name("method")) and method.text in _MIXED_IN:
            arguments = part.child_by_field_name("arguments")
            for one in arguments.named_children if arguments else ():
                yield (one.text or b"").decode().removeprefix("::")


def types_around(node: Node) -> Iterator[Node]:
    """The classes, modules and made objects around a node, the nearest first."""
    return around(node, (*_CLASSES, *_MODULES))


def is_in_method(node: Node) -> bool:
    """Whether a node stands in a method."""
    return any(around(node, _METHODS))


def is_open(declared: Node) -> bool:
    """Whether a type is one whose methods may be called on what others add to it: a module, trait or interface."""
    return declared.type in _MODULES


def is_in_own_method(node: Node) -> bool:
    """Whether a node stands in a method of a class or module itself, as `def self.name`."""
    return next(around(node, _METHODS), node).type == "singleton_method"


def is_made(node: Node) -> bool:
    """Whether an object is made there."""
    return node.type == _MADE


def has_body(made: Node) -> bool:
    """Whether an object is made of a class that is written there."""
    return any(child.type == "class_body" for child in made.named_children)


def may_make(declared: Node, name: str) -> bool:
    """Whether a class may answer to a name that it does not define: to any, or to one that starts as is written."""
    text = declared.text or b""
    if _CATCHES_ALL.search(text):
        return True
    return any(
        one[1] is None or (name.startswith(one[1].decode()) if one[2] else name == one[1].decode())
        for one in _DEFINES.finditer(text)
    )


def runs_blocks(data: bytes) -> bool:
    """Whether a file of Ruby has objects that answer to any name and runs blocks on objects."""
    return ANSWERS_ALL.encode() in data and _RUNS_BLOCKS.search(data) is not None


def class_at(root: Node | None, line: int) -> Node | None:
    """The class or module whose name stands on a line (from 1)."""
    pending = [] if root is None else [root]
    while pending:
        one = pending.pop()
        name = one.child_by_field_name("name") if one.type in (*_CLASSES, *_MODULES) else None
        if name is not None and name.start_point[0] == line - 1:
            return one
        if one.start_point[0] <= line - 1 <= one.end_point[0]:
            pending += one.named_children
    return None
