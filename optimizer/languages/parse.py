"""Bytes of a source file → its symbols, its imports and where it does not parse; pure, and total on any bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from optimizer.languages import notebook, outline, statements, syntax
from optimizer.languages.table import Language, is_installed, language_of
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from tree_sitter import Node

_CPLUSPLUS = re.compile(
    rb"^[ \t]*(?:class\s+\w+(?:\s+\w+){0,2}\s*[:{;]|namespace(?:\s+[\w:]+)?\s*\{|template\s*<"
    rb"|using\s+(?:namespace\b|\w+\s*=|\w*::)|(?:public|private|protected):)",
    re.M,
)

# Data files longer than this are not worth an outline.
MOST_OUTLINED = 256_000
# What opens a block within a line of YAML; each indented line may do so too.
_BLOCK = re.compile(rb"[-?:](?=[ \t])")

# Leaves that are names, in any of the grammars.
_NAMES = frozenset(
    {
        "class_variable",
        "constant",
        "field_identifier",
        "global_variable",
        "identifier",
        "instance_variable",
        "name",
        "namespace_identifier",
        "package_identifier",
        "primitive_type",
        "private_property_identifier",
        "property_identifier",
        "shorthand_field_identifier",
        "shorthand_property_identifier",
        "shorthand_property_identifier_pattern",
        "simple_identifier",
        "statement_identifier",
        "type_identifier",
        "variable_name",
    }
)
# Where the callee stands in a call, and which end of a longer name stands for the whole.
_CALLS = {
    "call": ("function", "method", "target"),
    "call_expression": ("function", ""),
    "command": ("name",),
    "constructor_invocation": ("",),
    "function_call": ("name",),
    "instance_expression": ("",),
    "invocation_expression": ("function",),
    "method_invocation": ("name",),
    "object_creation_expression": ("type", ""),
    "new_expression": ("constructor", "type"),
    "macro_invocation": ("macro",),
    "function_call_expression": ("function",),
    "member_call_expression": ("name",),
    "nullsafe_member_call_expression": ("name",),
    "scoped_call_expression": ("name",),
    "jsx_opening_element": ("name",),
    "jsx_self_closing_element": ("name",),
}
_LAST = {
    "command_name": "",
    "conditional_access_expression": "",
    "dot": "right",
    "dot_index_expression": "field",
    "generic_name": "",
    "member_access_expression": "name",
    "member_binding_expression": "name",
    "method_index_expression": "method",
    "navigation_expression": "",
    "navigation_suffix": "suffix",
    "user_type": "",
    "attribute": "attribute",
    "member_expression": "property",
    "selector_expression": "field",
    "field_expression": "field",
    "scoped_identifier": "name",
    "scoped_type_identifier": "name",
    "qualified_identifier": "name",
    "scope_resolution": "name",
    "generic_function": "function",
    "generic_type": "",
    "template_function": "name",
    "template_type": "name",
    "qualified_name": "",
}
# Longer names whose last part is that of the last child.
_ENDS = frozenset({"conditional_access_expression", "navigation_expression", "qualified_name", "user_type"})
# Where a word of a shell script is a name.
_COMMANDS = frozenset({"command_name", "function_definition"})


ImportRow = tuple[str, tuple[str, ...], int, str]


class RawImport(NamedTuple):
    """An import as written: `kind` tells its form (`from`, `require`, `include-local`, `mod`, …).

    `-inner` ends the kind of an import that stands in a module within the file (Rust).
    """

    module: str
    names: tuple[str, ...]
    line: int
    kind: str


class ParsedFile(NamedTuple):
    """What one file holds; `error_lines` are the lines (from 1) on which a syntax error starts."""

    language: str
    symbols: tuple[Symbol, ...]
    imports: tuple[RawImport, ...]
    error_lines: tuple[int, ...]


class Occurrence(NamedTuple):
    """One place where a name stands in code: byte offsets, the line (from 1), and what is done with it."""

    start: int
    end: int
    line: int
    kind: Literal["call", "import", "use", "definition"]


def parse(path: str, data: bytes) -> ParsedFile:
    """The symbols and imports of a file, in the order they stand; an unknown language gives an empty result."""
    name, rows, imports, broken = read(path, data)
    symbols = [Symbol(row[0], row[1], row[2], path, *row[3:]) for row in rows]
    return ParsedFile(name, tuple(symbols), tuple([RawImport(*item) for item in imports]), _lines(broken))


def read(
    path: str, data: bytes, until: float = 0.0, whole: bool = True
) -> tuple[str, list[outline.Row], list[ImportRow], list[Node]]:
    """What `parse` finds as plain rows, and the nodes that do not parse. Raises syntax.TooSlow after `until`.

    Unless `whole`, bodies that hold no definition are not parsed, nor are errors in them found.
    """
    reading = _reading(path, data)
    if reading is None:
        return "", [], [], []
    language, data = reading
    seen = data
    if not whole:
        from optimizer.languages.hollow import hollow

        seen = hollow(data, language)
    root = syntax.root_of(language, seen, until)
    if seen is not data and root.has_error and not language.macros:
        root = syntax.root_of(language, data, until)
    broken = list(syntax.errors(root)) if root.has_error else []
    found = syntax.find(language, root, data, broken)
    rows, imports = outline.rows(data, language, found), _imports(data, language, found)
    return language.name, list(rows), list(imports), [] if language.outline else broken


def error_count(path: str, data: bytes) -> int | None:
    """How many pieces of a file do not parse or are missing; None when there is no grammar for it."""
    return None if (root := _checked(path, data)) is None else sum(1 for _ in syntax.errors(root))


def error_lines(path: str, data: bytes) -> tuple[int, ...] | None:
    """The lines (from 1) on which syntax errors start; None when there is no grammar for the file."""
    return None if (root := _checked(path, data)) is None else _lines(syntax.errors(root))


def unbalanced(path: str, data: bytes) -> tuple[str, ...]:
    """The kinds of brackets, as `()`, that open and close in different numbers in code; strings do not count."""
    root = _checked(path, data)
    return () if root is None else syntax.unbalanced(root)


def occurrences(path: str, data: bytes, name: str) -> tuple[Occurrence, ...]:
    """Where exactly `name` stands as an identifier in code, never in strings or comments, in order."""
    wanted = name.encode("utf-8", "replace")
    if not wanted or wanted not in data or (reading := _reading(path, data)) is None:
        return ()
    language, data = reading
    root = syntax.root_of(language, data)
    if language.outline or (root.has_error and syntax.is_hopeless(syntax.errors(root))):
        return ()
    found: list[Occurrence] = []
    for match in re.finditer(rb"(?<![A-Za-z0-9_])" + re.escape(wanted) + rb"(?![A-Za-z0-9_])", data):
        start, end = match.span()
        node = root.descendant_for_byte_range(start, end)
        if node is not None and _is_name(node, start, end):
            found.append(Occurrence(start, end, node.start_point[0] + 1, _use(language, root, data, node, end)))
    return tuple(found)


def text_of(path: str, data: bytes) -> bytes:
    """What of a file is text written by people, on the same lines: for a notebook its cells, else all of it."""
    language = language_of(path)
    return notebook.text(data, language) if language is not None and language.name == "notebook" else data


def _reading(path: str, data: bytes) -> tuple[Language, bytes] | None:
    """The language of a file and what is to be read in it; None when there is no grammar for it here."""
    language = language_of(path)
    if language is None or not is_installed(language) or (language.outline and not _can_be_outlined(data, language)):
        return None
    if path.endswith(".h") and _CPLUSPLUS.search(data):
        language = language_of("header.hpp") or language
    return notebook.code(data, language) if language.name == "notebook" else (language, data)


def _can_be_outlined(data: bytes, language: Language) -> bool:
    if len(data) > MOST_OUTLINED:
        return False
    most = language.most_nested
    return not most or all(
        len(line) <= most or len(line) - len(line.lstrip(b" ")) + len(_BLOCK.findall(line)) <= most
        for line in data.splitlines()
    )


def _checked(path: str, data: bytes) -> Node | None:
    """The syntax tree of a file in which errors mean that it is broken."""
    reading = _reading(path, data)
    return None if reading is None or reading[0].outline else syntax.root_of(*reading)


def _lines(broken: Iterable[Node]) -> tuple[int, ...]:
    return tuple(sorted({node.start_point[0] + 1 for node in broken}))


def _imports(data: bytes, language: Language, everything: syntax.Found) -> Iterator[ImportRow]:
    found = sorted(everything.imports, key=lambda item: item.start)
    modules = [item for item in everything.definitions if item.kind == "module"] if language.name == "rust" else []
    read = statements.READERS.get(language.name)
    if read is None:
        return
    for start, kind, node in found:
        text = data[start : node.end_byte].decode("utf-8", "replace")
        line = node.start_point[0] + 1
        inner = any(item.start < start < -item.negative_end for item in modules)
        for module, names, form in read(text, kind):
            yield module, names, line, f"{form}-inner" if inner else form


def _is_name(node: Node, start: int, end: int) -> bool:
    if node.type == "alias":
        return node.child_count == 0
    if node.start_byte != start or node.end_byte != end or node.child_count:
        return False
    parent = node.parent
    if node.type == "word":
        return parent is not None and parent.type in _COMMANDS
    return node.type in _NAMES and (parent is None or parent.type != "variable_name")


def _use(
    language: Language, root: Node, data: bytes, node: Node, end: int
) -> Literal["call", "import", "use", "definition"]:
    around = syntax.find_at(language, root, data, node.start_byte, node.end_byte)
    if any(item.start <= node.start_byte and node.end_byte <= item.node.end_byte for item in around.imports):
        return "import"
    for item in around.definitions:
        name = item.captures["name"][0]
        if item.kind != "impl" and name.end_byte == end and name.start_byte <= node.start_byte:
            return "definition"
    return "call" if _is_callee(node) else "use"


def _is_callee(node: Node) -> bool:
    parent = node.parent
    while parent is not None and (field := _LAST.get(parent.type)) is not None:
        if not _stands_at(parent, field, node, -1 if parent.type in _ENDS else 0):
            return False
        node, parent = parent, parent.parent
    if parent is None:
        return False
    if parent.type == "token_tree":
        following = node.next_sibling
        return following is not None and following.type == "token_tree" and following.child(0).type == "("
    return any(_stands_at(parent, field, node, 0) for field in _CALLS.get(parent.type, ()))


def _stands_at(parent: Node, field: str, node: Node, number: int) -> bool:
    """Whether `node` is the child of `parent` in a field, or by number among the named children when '' is given."""
    if field:
        return parent.child_by_field_name(field) == node
    named = parent.named_children
    return bool(named) and named[number] == node
