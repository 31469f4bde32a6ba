"""Check the names of files that their own language's parser reads, scopes and all: Python."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Container, Iterable, Iterator, Mapping

from optimizer.languages import imports
from optimizer.languages.edges import ImportEdge, RawImport
from optimizer.languages.naming.python import OLD_BUILTINS, OLD_SIGNS, Module, is_module
from optimizer.report.checks import BrokenName
from optimizer.types import FileChange
from optimizer.verify.patched import Patched, Side


def unread(patched: Patched) -> str:
    """The first changed module that this Python cannot read, so that its names are not known; '' where it reads all."""
    modules = (change.path for change in patched.changes if change.after is not None and is_module(change.path))
    return next((path for path in modules if patched.after.module(path).error), "")


def unresolved(path: str, side: Side) -> Iterator[tuple[str, int]]:
    """Imports of a file that point into the repository and lead nowhere, with their lines."""
    for raw in side.module(path).imports:
        missing = list(_missing_module(path, raw, side.tree))
        yield from missing or (_missing_names(path, raw, side) if raw.kind == "from" else ())


def undefined(change: FileChange, patched: Patched) -> Iterator[BrokenName]:
    """Names that the change uses and nothing defines, in the file or in a module of the repository."""
    before = patched.before.module(change.path)
    known = {name for one in patched.changes if is_module(one.path) for name in _undefined(one.path, patched.before)}
    for name, line in sorted(_undefined(change.path, patched.after).items(), key=lambda item: item[1]):
        is_old = name in OLD_BUILTINS and any(map(patched.mentions, OLD_SIGNS))
        if name not in known and not is_old:
            yield BrokenName("undefined", change.path, line, name)
    yield from _missing_attributes(
        change.path, patched.after, {(name, attr) for name, attr, _, _ in before.attributes()}
    )


def _undefined(path: str, side: Side) -> Mapping[str, int]:
    """The undefined names of a module; none where it takes all of a module that is not known."""
    brought: set[str] = set()
    for raw in side.module(path).imports:
        if raw.names == ("*",):
            name = raw.module.rpartition(".")[2]
            target = next((one for one in side.leads(path, raw) if posixpath.basename(one) == f"{name}.py"), "")
            defined = side.module(target).defined if target else None
            if defined is None:
                return {}
            brought |= defined
    return {name: line for name, line in side.module(path).free.items() if name not in brought}


def _missing_attributes(path: str, side: Side, known: Container[tuple[str, str]]) -> Iterator[BrokenName]:
    """Attributes of a module of the repository that a file uses and the module does not have."""
    for module, name, line, raw in side.module(path).attributes():
        if (module, name) in known:
            continue
        targets = [edge.target for edge in imports.resolve(path, (raw,), side.tree) if edge.target]
        target = targets[-1] if targets and (raw.names or len(targets) == 1) else None
        whole = [part for part in (*raw.module.split("."), *raw.names) if part]
        if target is None or not is_module(target) or target == path or not _leads_to(target, whole[-1:]):
            continue
        defined = side.module(target).defined if _is_called(target, whole[-1]) else None
        if defined is not None and name not in defined and not _has_module(target, name, side.tree):
            yield BrokenName("attribute", path, line, f"{module}.{name}", target)


def _is_called(target: str, name: str) -> bool:
    """Whether a file is the module of that name itself, and not one that only holds the name."""
    return posixpath.splitext(target)[0].removesuffix("/__init__").rpartition("/")[2] == name


def _has_module(target: str, name: str, tree: imports.Tree) -> bool:
    place = posixpath.join(posixpath.dirname(target), name)
    return any(path.startswith((f"{place}/", f"{place}.py")) for path in tree.paths)


def _missing_module(path: str, raw: RawImport, tree: imports.Tree) -> Iterator[tuple[str, int]]:
    edges = imports.resolve(path, (raw,), tree)
    parts = [part for part in raw.module.split(".") if part]
    local = raw.module.startswith(".") or any(
        _leads_to(edge.target, parts[:1]) and not _describes_another(edge.target) for edge in edges
    )
    if local and parts and not any(_leads_to(edge.target, parts) or _names_more(edge, raw) for edge in edges):
        yield raw.module, raw.line


def _describes_another(target: str | None) -> bool:
    """Whether a file is a stub alone: what it describes may have more modules than it has."""
    return target is not None and target.endswith(".pyi")


def _names_more(edge: ImportEdge, raw: RawImport) -> bool:
    """Whether the import led to a module below the one it names."""
    return edge.target is not None and edge.module != raw.module


def _leads_to(target: str | None, parts: list[str]) -> bool:
    """Whether a file is the module named by `parts`, or lies in the package of that name."""
    if target is None:
        return False
    found = [part for part in posixpath.splitext(target)[0].split("/") if part != "__init__"]
    return len(parts) == 1 and parts[0] in found if len(parts) < 2 else found[-len(parts) :] == parts


def _missing_names(path: str, raw: RawImport, side: Side) -> Iterator[tuple[str, int]]:
    edges = imports.resolve(path, (raw,), side.tree)
    submodules = {edge.module.rpartition(".")[2] for edge in edges if edge.module != raw.module and edge.target}
    own = next((edge.target for edge in edges if edge.module == raw.module and edge.target), None)
    if own is None or not is_module(own) or own == path:
        return
    defined = side.module(own).defined
    if defined is None or _sets_itself_up(own, side.module(own)):
        return
    for name in raw.names:
        if name != "*" and name not in defined and name not in submodules:
            yield f"{name} from {raw.module}", raw.line


def _sets_itself_up(path: str, module: Module) -> bool:
    """Whether a package calls something when it is imported, which may add modules to it."""
    body = module.tree.body if module.tree is not None and path.endswith("__init__.py") else []
    return any(isinstance(one, ast.Expr) and isinstance(one.value, ast.Call) for one in body)


def orphans(change: FileChange, patched: Patched, importers: Iterable[str]) -> Iterator[BrokenName]:
    """Definitions that the change removes, where a file that imports them still uses them."""
    old, new = patched.before.module(change.path).defined, patched.after.module(change.path).defined
    removed = (old - new) if old is not None and new is not None else frozenset()
    if not removed:
        return
    for path in importers:
        if any(name.encode() in patched.after.source(path).data for name in removed):
            for name, line in _taken(path, patched.after.module(path), change.path, patched.after.tree):
                if name in removed:
                    yield BrokenName("removed", path, line, name, change.path)


def _taken(path: str, module: Module, target: str, tree: imports.Tree) -> Iterator[tuple[str, int]]:
    """The names that a module uses of the file `target`, imported or as attributes."""
    aliases: set[str] = set()
    for name, raw in module.bindings:
        for edge in imports.resolve(path, (raw,), tree):
            if edge.target == target and raw.kind == "from" and edge.module == raw.module:
                yield raw.names[0], raw.line
            elif edge.target == target:
                aliases.add(name)
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in aliases:
            yield node.attr, node.lineno
