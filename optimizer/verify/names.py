"""Do names still resolve: imports within the repository, names in Python, and definitions that other files use."""

from __future__ import annotations

import ast
import builtins
import posixpath
import symtable
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.util import decode_source
from itertools import islice

from optimizer.languages import imports, parse
from optimizer.types import FileChange
from optimizer.verify import unresolved as unresolved_names
from optimizer.verify.patched import Patched
from optimizer.verify.verdict import Finding

MOST_IMPORTERS = 200
_MODULE_NAMES = frozenset(
    {"__annotations__", "__builtins__", "__doc__", "__file__", "__loader__", "__name__", "__package__", "__path__"}
    | {"__spec__", "__module__", "__qualname__", "__class__", "__dict__", "__conditional_annotations__", "reveal_type"}
)
_KNOWN = frozenset(dir(builtins)) | _MODULE_NAMES
# Forms of imports that can only mean a file of the repository, in languages that write paths.
_LOCAL_KINDS = frozenset({"include-local", "require_relative"})
# Languages in which whoever uses a definition of another file names it in an import.
_NAMED_IMPORTS = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")


def imported(patched: Patched) -> Iterator[Finding]:
    """Imports of the changed files, and of those that import a removed one, still lead somewhere."""
    found = [line for path in _touched(patched) for line in _new_unresolved(path, patched)]
    yield _finding(found, _any_code(patched), "no file with imports")


def defined(patched: Patched) -> Iterator[Finding]:
    """Every name that a changed file newly uses is defined."""
    python = [change for change in patched.changes if change.path.endswith(".py") and change.after is not None]
    found = [line for change in python for line in _new_undefined(change)]
    found += [line for change in python for line in _new_missing_attributes(change, patched)]
    found += unresolved_names.new_unresolved(patched)
    named = python or [change for change in patched.changes if unresolved_names.is_looked_at(change.path)]
    yield _finding(found, bool(named), "no file of a language whose names are looked at")


def kept(patched: Patched) -> Iterator[Finding]:
    """No definition goes that another file still uses."""
    found = [line for change in patched.changes for line in _orphans(change, patched)]
    yield _finding(found, _any_code(patched), "no file with definitions")


def _any_code(patched: Patched) -> bool:
    return any(parse.error_count(change.path, change.after or b"") is not None for change in patched.changes)


def _finding(found: list[str], ran: bool, why_not: str) -> Finding:
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        return Finding(False, "; ".join(found[:3]) + more, evidence="\n".join(found[:15]))
    return Finding(True) if ran else Finding(None, why_not)


def _touched(patched: Patched) -> Iterator[str]:
    """The files whose imports the patch may break: those it writes, and those that import what it removes."""
    written = {change.path for change in patched.changes if change.after is not None}
    removed = {change.path for change in patched.changes if change.after is None}
    importers = {edge.source for path in removed for edge in patched.index.importers_of(path)}
    yield from sorted(written | (importers - removed))


def _new_unresolved(path: str, patched: Patched) -> list[str]:
    old, new = patched.before(path), patched.after(path)
    before = {what for what, _ in _unresolved(path, old, patched.tree_before, patched.before)}
    return [
        f"{path}:{line} imports {what}, which is not in the repository"
        for what, line in _unresolved(path, new, patched.tree_after, patched.after)
        if what not in before
    ]


def _unresolved(path: str, data: bytes, tree: imports.Tree, read: Callable[[str], bytes]) -> Iterator[tuple[str, int]]:
    """Imports of a file that point into the repository and lead nowhere, with their lines."""
    if path.endswith(".py"):
        yield from _unresolved_python(path, data, tree, read)
        return
    raw = parse.parse(path, data).imports
    kinds = {(one.module, one.line): one.kind for one in raw}
    for edge in imports.resolve(path, raw, tree):
        local = edge.module.startswith(("./", "../")) or kinds.get((edge.module, edge.line)) in _LOCAL_KINDS
        if edge.target is None and local and not _beside(path, edge.module, tree):
            yield edge.module, edge.line


def _beside(path: str, module: str, tree: imports.Tree) -> bool:
    """Whether any file has that place and name, whatever its ending: styles and pictures are imported too."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), module.partition("?")[0]))
    return any(other == place or other.startswith((f"{place}.", f"{place}/")) for other in tree.paths)


def _unresolved_python(
    path: str, data: bytes, tree: imports.Tree, read: Callable[[str], bytes]
) -> Iterator[tuple[str, int]]:
    for node in _nodes(data):
        if isinstance(node, ast.Import):
            for alias in node.names:
                raw = parse.RawImport(alias.name, (), node.lineno, "import")
                yield from _missing_module(path, raw, tree)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names = tuple(alias.name for alias in node.names)
            raw = parse.RawImport(module, names, node.lineno, "from")
            missing = list(_missing_module(path, raw, tree))
            yield from missing or _missing_names(path, raw, tree, read)


def _new_missing_attributes(change: FileChange, patched: Patched) -> Iterator[str]:
    """What a Python file newly takes from a module of the repository, by a dot, that the module does not have."""
    before = {(module, name) for module, name, _, _ in _attributes(change.before or b"")}
    for module, name, line, raw in _attributes(change.after or b""):
        if (module, name) in before:
            continue
        targets = [edge.target for edge in imports.resolve(change.path, (raw,), patched.tree_after) if edge.target]
        target = targets[-1] if targets and (raw.names or len(targets) == 1) else None
        whole = [part for part in (*raw.module.split("."), *raw.names) if part]
        if target is None or not target.endswith(".py") or target == change.path or not _leads_to(target, whole[-1:]):
            continue
        defined = _module_names(patched.after(target)) if _is_module(target, whole[-1]) else None
        if defined is not None and name not in defined and not _has_module(target, name, patched.tree_after):
            yield f"{change.path}:{line} uses {module}.{name}, which {target} does not define"


def _is_module(target: str, name: str) -> bool:
    """Whether a file is the module of that name itself, and not one that only holds the name."""
    return posixpath.splitext(target)[0].removesuffix("/__init__").rpartition("/")[2] == name


def _has_module(target: str, name: str, tree: imports.Tree) -> bool:
    place = posixpath.join(posixpath.dirname(target), name)
    return any(path.startswith((f"{place}/", f"{place}.py")) for path in tree.paths)


def _attributes(data: bytes) -> Iterator[tuple[str, str, int, parse.RawImport]]:
    """(name of the module in the file, attribute, line, import) of every `module.attribute` that is read."""
    nodes = _nodes(data)
    bound: dict[str, parse.RawImport] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname or "." not in alias.name:
                    bound[alias.asname or alias.name] = parse.RawImport(alias.name, (), node.lineno, "import")
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            for alias in node.names:
                bound[alias.asname or alias.name] = parse.RawImport(source, (alias.name,), node.lineno, "from")
    taken = {node.arg for node in nodes if isinstance(node, ast.arg)}
    taken |= {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
            name = node.value.id
            if name in bound and name not in taken:
                yield name, node.attr, node.lineno, bound[name]


def _missing_module(path: str, raw: parse.RawImport, tree: imports.Tree) -> Iterator[tuple[str, int]]:
    edges = imports.resolve(path, (raw,), tree)
    parts = [part for part in raw.module.split(".") if part]
    local = raw.module.startswith(".") or any(_leads_to(edge.target, parts[:1]) for edge in edges)
    if local and parts and not any(_leads_to(edge.target, parts) or _names_more(edge, raw) for edge in edges):
        yield raw.module, raw.line


def _names_more(edge: imports.ImportEdge, raw: parse.RawImport) -> bool:
    """Whether the import led to a module below the one it names."""
    return edge.target is not None and edge.module != raw.module


def _leads_to(target: str | None, parts: list[str]) -> bool:
    """Whether a file is the module named by `parts`, or lies in the package of that name."""
    if target is None:
        return False
    found = [part for part in posixpath.splitext(target)[0].split("/") if part != "__init__"]
    return len(parts) == 1 and parts[0] in found if len(parts) < 2 else found[-len(parts) :] == parts


def _missing_names(
    path: str, raw: parse.RawImport, tree: imports.Tree, read: Callable[[str], bytes]
) -> Iterator[tuple[str, int]]:
    edges = imports.resolve(path, (raw,), tree)
    submodules = {edge.module.rpartition(".")[2] for edge in edges if edge.module != raw.module and edge.target}
    own = next((edge.target for edge in edges if edge.module == raw.module and edge.target), None)
    if own is None or not own.endswith(".py") or own == path:
        return
    defined = _module_names(read(own))
    if defined is None:
        return
    for name in raw.names:
        if name != "*" and name not in defined and name not in submodules:
            yield f"{name} from {raw.module}", raw.line


@lru_cache(maxsize=128)
def _module_names(data: bytes) -> frozenset[str] | None:
    """What a Python module defines at its top level; None when that cannot be told without running it."""
    nodes = _nodes(data)
    if not nodes or any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in nodes):
        return None
    names = _defined(_table(data))
    if names & {"__getattr__", "globals"} or b"globals()" in data or b"sys.modules" in data:
        return None
    return names | _MODULE_NAMES


# ── names in Python ──────────────────────────────────────────────────────────────────────────────


def _new_undefined(change: FileChange) -> Iterator[str]:
    known = _undefined(change.before or b"")
    for name, line in sorted(_undefined(change.after or b"").items(), key=lambda item: item[1]):
        if name not in known:
            yield f"{change.path}:{line} uses {name}, which is not defined"


@lru_cache(maxsize=32)
def _undefined(data: bytes) -> dict[str, int]:
    """Names that are used and that no scope, import or builtin defines, with the line of the first use."""
    nodes = _nodes(data)
    if not nodes or any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in nodes):
        return {}
    top = _table(data)
    if top is None:
        return {}
    missing = _used_globals(top, top=True) - _defined(top) - _KNOWN
    lines: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in missing:
            lines[node.id] = min(node.lineno, lines.get(node.id, node.lineno))
    return lines


@lru_cache(maxsize=8)
def _parsed(data: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=8)
def _nodes(data: bytes) -> tuple[ast.AST, ...]:
    """Every node of a Python file; none where it does not parse."""
    module = _parsed(data)
    return () if module is None else tuple(ast.walk(module))


@lru_cache(maxsize=8)
def _table(data: bytes) -> symtable.SymbolTable | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return symtable.symtable(decode_source(data), "<patch>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


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


def _used_globals(table: symtable.SymbolTable, *, top: bool) -> set[str]:
    used = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or (top and not symbol.is_assigned()))
    }
    for child in table.get_children():
        used |= _used_globals(child, top=False)
    return used


# ── definitions that others use ──────────────────────────────────────────────────────────────────


def _orphans(change: FileChange, patched: Patched) -> Iterator[str]:
    """Uses, in files that import this one, of definitions that the change takes away."""
    if change.before is None or change.after is None:
        return  # a removed file shows in the imports of others
    if change.path.endswith(".py"):
        yield from _python_orphans(change, patched)
        return
    removed = _tops(change.path, change.before) - _tops(change.path, change.after)
    for name in sorted(removed):
        if any(symbol.path != change.path for symbol in patched.index.symbols_named((name,))):
            continue  # another definition may be meant
        for path in islice(patched.importers(change.path), MOST_IMPORTERS):
            kinds = ("import",) if path.endswith(_NAMED_IMPORTS) else ("import", "call")
            places = parse.occurrences(path, patched.after(path), name)
            if any(place.kind == "definition" for place in places):
                continue
            lines = [place.line for place in places if place.kind in kinds]
            yield from (f"{path}:{line} uses {name}, which {change.path} no longer defines" for line in lines[:1])


def _tops(path: str, data: bytes) -> set[str]:
    return {s.name for s in parse.parse(path, data).symbols if not s.parent and s.kind != "section"}


def _python_orphans(change: FileChange, patched: Patched) -> Iterator[str]:
    old, new = _module_names(change.before or b""), _module_names(change.after or b"")
    removed = (old - new) if old is not None and new is not None else frozenset()
    if not removed:
        return
    for path in islice(patched.importers(change.path), MOST_IMPORTERS):
        data = patched.after(path)
        module = _parsed(data) if any(name.encode() in data for name in removed) else None
        if module is not None:
            for name, line in _taken(path, module, change.path, patched.tree_after):
                if name in removed:
                    yield f"{path}:{line} uses {name}, which {change.path} no longer defines"


def _taken(path: str, module: ast.Module, target: str, tree: imports.Tree) -> Iterator[tuple[str, int]]:
    """The names that a module takes from the file `target`, by `from` or through the module's own name."""
    aliases: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            for alias in node.names:
                raw = parse.RawImport(source, (alias.name,), node.lineno, "from")
                for edge in imports.resolve(path, (raw,), tree):
                    if edge.target == target and edge.module == source:
                        yield alias.name, node.lineno
                    elif edge.target == target:
                        aliases.add(alias.asname or alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                raw = parse.RawImport(alias.name, (), node.lineno, "import")
                if any(edge.target == target for edge in imports.resolve(path, (raw,), tree)):
                    aliases.add(alias.asname or alias.name)
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in aliases:
            yield node.attr, node.lineno
