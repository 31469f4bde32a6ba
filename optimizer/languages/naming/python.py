"""A Python file as Python itself reads it: what its module defines, and which names are not defined in it."""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib.util import decode_source
from typing import TYPE_CHECKING

from optimizer.languages.edges import RawImport
from optimizer.languages.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

_MODULE_NAMES = frozenset(
    {"__annotations__", "__builtins__", "__doc__", "__file__", "__loader__", "__name__", "__package__", "__path__"}
    | {"__spec__", "__module__", "__qualname__", "__class__", "__dict__", "__conditional_annotations__", "reveal_type"}
)
_KNOWN = frozenset(dir(builtins)) | _MODULE_NAMES
OLD_BUILTINS = frozenset({
    "StandardError", "basestring", "buffer", "cmp", "execfile", "file", "intern", "long", "raw_input", "reduce",
    "reload", "unichr", "unicode", "xrange",
})  # fmt: skip
"""What only Python 2 has without an import."""
OLD_SIGNS = ("basestring", "iteritems", "print_function", "unicode_literals", "urllib2", "xrange")
"""Words that show that a repository runs, or also runs, on Python 2."""


# What Pythons after 3.11 read and earlier ones do not, by the grammar's nodes.
_NEWER = ("type_alias_statement", "type_parameter")


def is_module(path: str, *, stubs: bool = False) -> bool:
    """Whether a file is a Python module; with `stubs`, or says what is in one."""
    return path.endswith((".py", ".pyi") if stubs else ".py")


def is_newer(source: Source) -> bool:
    """Whether a file has forms that the Python which runs this may be too old to read."""
    pending = [source.root] if source.root is not None else []
    while pending:
        node = pending.pop()
        around = node.parent.type if node.parent is not None else ""
        if node.type in _NEWER and around in ("module", "block", "function_definition", "class_definition"):
            return True
        if node.type == "string" and (_is_template(node) or _nests_quotes(node)):
            return True
        pending += node.named_children
    return False


def _is_template(string: Node) -> bool:
    return b"t" in (string.text or b"")[:3].lower().partition(b'"')[0].partition(b"'")[0]


def _nests_quotes(string: Node) -> bool:
    """Whether a string is written within another one of the same quotes."""
    quote = (string.text or b"")[-1:]
    around = string.parent
    while around is not None:
        if around.type == "string":
            return (around.text or b"")[-1:] == quote
        around = around.parent
    return False


class Module:
    """A Python file, parsed once for all its properties."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._error = ""

    @cached_property
    def tree(self) -> ast.Module | None:
        """The tree of the file; None where Python cannot parse it."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.data)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self._error = str(error) or type(error).__name__
            return None

    @property
    def error(self) -> str:
        """Why Python cannot parse the file; '' where it can."""
        return self._error if self.tree is None else ""

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the file; none where it does not parse."""
        return () if self.tree is None else tuple(ast.walk(self.tree))

    @cached_property
    def defined(self) -> frozenset[str] | None:
        """What the module defines at its top level; None where only running it would show that."""
        if not self.nodes or self._takes_all:
            return None
        names = _defined(self._table)
        if names & {"__getattr__", "globals"} or b"globals()" in self.data or b"sys.modules" in self.data:
            return None
        return names | _MODULE_NAMES

    @cached_property
    def undefined(self) -> dict[str, int]:
        """Names that are used and that no scope, import or builtin defines, with the line of the first use."""
        return {} if self._takes_all else self.free

    @cached_property
    def free(self) -> dict[str, int]:
        """The same, with the names that imports of everything may bring."""
        if not self.nodes or self._table is None:
            return {}
        missing = _used_globals(self._table, top=True) - _defined(self._table) - _KNOWN
        tried = set(_tried_names(self.nodes)) if missing else set()
        lines: dict[str, int] = {}
        for node in self.nodes:
            if isinstance(node, ast.Name) and node.id in missing and node not in tried:
                lines[node.id] = min(node.lineno, lines.get(node.id, node.lineno))
        return lines

    @cached_property
    def imports(self) -> tuple[RawImport, ...]:
        """Every module that is imported: one for each of `import a, b`, and `from` with all its names."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[RawImport]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield RawImport(alias.name, (), node.lineno, "import")
            elif isinstance(node, ast.ImportFrom):
                yield RawImport(_module_of(node), tuple(alias.name for alias in node.names), node.lineno, "from")

    @cached_property
    def bindings(self) -> tuple[tuple[str, RawImport], ...]:
        """Each name that an import binds, with what it is bound to; a dotted `import a.b` binds `a.b` here."""
        return tuple(self._bindings())

    def _bindings(self) -> Iterator[tuple[str, RawImport]]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.asname or alias.name, RawImport(alias.name, (), node.lineno, "import")
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    raw = RawImport(_module_of(node), (alias.name,), node.lineno, "from")
                    yield alias.asname or alias.name, raw

    def attributes(self) -> Iterator[tuple[str, str, int, RawImport]]:
        """(imported name, attribute, line, import) of every `name.attribute` that is read and can only be of it."""
        bound = {name: raw for name, raw in self.bindings if "." not in name}
        taken = {node.arg for node in self.nodes if isinstance(node, ast.arg)}
        taken |= {node.id for node in self.nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
        for node in self.nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
                name = node.value.id
                if name in bound and name not in taken:
                    yield name, node.attr, node.lineno, bound[name]

    @property
    def _takes_all(self) -> bool:
        return any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in self.nodes)

    @cached_property
    def _table(self) -> symtable.SymbolTable | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return symtable.symtable(decode_source(self.data), "<patch>", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _module_of(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _defined(table: symtable.SymbolTable | None) -> frozenset[str]:
    """The module's own names, with those that functions make global."""
    if table is None:
        return frozenset()
    own = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    return frozenset(own | set(_made_global(table)))


def _made_global(table: symtable.SymbolTable) -> Iterator[str]:
    for child in table.get_children():
        for symbol in child.get_symbols():
            if symbol.is_declared_global() and symbol.is_assigned():
                yield symbol.get_name()
        yield from _made_global(child)


def _tried_names(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """What stands where a name that is not defined is expected: in `try` with `except NameError`."""
    for node in nodes:
        if isinstance(node, ast.Try):
            caught = (name for one in node.handlers if one.type is not None for name in ast.walk(one.type))
            if any(isinstance(name, ast.Name) and name.id == "NameError" for name in caught):
                yield from (inner for statement in node.body for inner in ast.walk(statement))


def _used_globals(table: symtable.SymbolTable, *, top: bool) -> set[str]:
    used = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or (top and not symbol.is_assigned()))
    }
    for child in table.get_children():
        used |= _used_globals(child, top=False)
    return used
