"""Names that a change uses and that nothing declares, in languages other than Python; what is not sure is let pass.

In JavaScript, TypeScript, Go and Rust: a name that no scope of the file, no import, no file of the package and no known
global declares, and that no other file of the repository uses so either, as it would a global of the project's own.
In Go also what a package of the repository is asked for and does not have. In languages that name what they import one
by one: an import that goes while what it brought is still used.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from optimizer.index.store import Index
from optimizer.languages import imports, parse
from optimizer.languages.table import language_of
from optimizer.types import FileChange
from optimizer.verify import known
from optimizer.verify.patched import Patched, read
from optimizer.verify.scopes import free_names, selections

MOST_LOOKED_AT = 6
MOST_REFERENCES = 40
_SEGMENT = re.compile(r"[./:\\\\-]+")
_ONE_BY_ONE = frozenset({"java", "kotlin", "scala", "rust", "php"})
_GLOB = re.compile(rb"^\s*(?:pub )?use [^;]*\*", re.M)
_OF_STD = re.compile(r"(?:std|core|alloc)::.*\*$|.*prelude::\*$")
_QUALIFIES = (b".", b":", b"\\", b">")


def is_looked_at(path: str) -> bool:
    """Whether names of such a file are looked at here."""
    language = language_of(path)
    return language is not None and (language.name in known.GLOBALS or language.name in _ONE_BY_ONE)


def new_unresolved(patched: Patched) -> Iterator[str]:
    """One line for each name that a file of the patch newly uses and that nothing declares."""
    index = patched.index
    for change in patched.changes:
        language = language_of(change.path)
        if language is None or change.after is None:
            continue
        if language.name in known.GLOBALS:
            yield from _free(change, patched, index, language.name)
        if language.name == "go":
            yield from _not_in_package(change, patched, index)
        if language.name in _ONE_BY_ONE:
            yield from _no_longer_imported(change, index)


# ── names without a declaration ──────────────────────────────────────────────────────────────────


def _free(change: FileChange, patched: Patched, index: Index, language: str) -> Iterator[str]:
    data, old = change.after or b"", change.before or b""
    after = _unresolved(change.path, data, language)
    before = _unresolved(change.path, old, language)
    if after is None or before is None or (language == "rust" and parse.error_count(change.path, old)):
        return
    for name, line in after.items():
        if name in before or name in known.GLOBALS[language]:
            continue
        if language == "go" and _in_package(name, change.path, patched, index):
            continue
        if _was_declared(name, change.path, old, language) or not (
            name in known.USUAL or _is_global(name, change.path, language, data, index)
        ):
            yield f"{change.path}:{line} uses {name}, which is not defined"


def _was_declared(name: str, path: str, old: bytes, language: str) -> bool:
    """Whether the file had an import or a definition of the name before, so that no global is meant."""
    if language == "go" and name in (_imported_by_go(path, old) or ()):
        return True
    return any(place.kind in ("import", "definition") for place in parse.occurrences(path, old, name))


def _unresolved(path: str, data: bytes, language: str) -> dict[str, int] | None:
    """The free names of a file that its imports do not bring; None where that is not known."""
    free = free_names(path, data)
    if free is None or language != "go":
        return free
    there = _imported_by_go(path, data)
    return None if there is None else {name: line for name, line in free.items() if name not in there}


def _imported_by_go(path: str, data: bytes) -> frozenset[str] | None:
    """The names that imports of a Go file may have; None when one brings in all the names of a package."""
    found: set[str] = set()
    for raw in parse.parse(path, data).imports:
        if raw.names == (".",):
            return None
        parts = [part for part in _SEGMENT.split(raw.module) if part]
        found.update(raw.names or parts)
        found.update(part.removeprefix("go").removesuffix("go").strip("_") for part in parts[-2:])
    return frozenset(found)


def _in_package(name: str, path: str, patched: Patched, index: Index) -> bool:
    folder = posixpath.dirname(path)
    changed = {change.path for change in patched.changes}
    if any(
        symbol.path not in changed and posixpath.dirname(symbol.path) == folder and symbol.path.endswith(".go")
        for symbol in index.symbols_named((name,))
    ):
        return True
    return any(
        name in _tops(change.path, change.after or b"")
        for change in patched.changes
        if posixpath.dirname(change.path) == folder and change.path.endswith(".go")
    )


def _tops(path: str, data: bytes) -> set[str]:
    return {symbol.name for symbol in parse.parse(path, data).symbols if not symbol.parent}


def _is_global(name: str, path: str, language: str, data: bytes, index: Index) -> bool:
    """Whether other files use the name without declaring it either, or declare it for all."""
    if language == "rust" and index.symbols_named((name,)) and _GLOB.search(data):
        return True
    seen: dict[str, None] = {}
    for reference in index.references(name, MOST_REFERENCES):
        if reference.path.endswith(".d.ts"):
            return True
        other = language_of(reference.path)
        if reference.path != path and other is not None and known.GLOBALS.get(other.name) == known.GLOBALS[language]:
            seen.setdefault(reference.path)
    others = list(seen)[:MOST_LOOKED_AT]
    return any(name in (_unresolved(other, read(index, other), language) or ()) for other in others)


# ── what a package is asked for ──────────────────────────────────────────────────────────────────


def _not_in_package(change: FileChange, patched: Patched, index: Index) -> Iterator[str]:
    after = change.after or b""
    old = {(operand, field) for operand, field, _ in selections(change.path, change.before or b"")}
    asked = {(o, f): line for o, f, line in selections(change.path, after) if (o, f) not in old and f[:1].isupper()}
    if not asked:
        return
    free = free_names(change.path, after) or {}
    defined: dict[str, Callable[[], set[str]] | None] = {}
    for raw in parse.parse(change.path, after).imports:
        files = tuple(edge.target for edge in imports.resolve(change.path, (raw,), patched.tree_after) if edge.target)
        name = raw.names[0] if raw.names else raw.module.rpartition("/")[2]
        if files and "vendor/" not in files[0]:
            defined[name] = _names_of(files, patched, index)
    for (operand, field), line in asked.items():
        names = defined.get(operand)
        if names is not None and operand in free and field not in (there := names()) and there:
            yield f"{change.path}:{line} uses {operand}.{field}, which that package does not define"


def _names_of(files: tuple[str, ...], patched: Patched, index: Index) -> Callable[[], set[str]]:
    changed = {change.path: change.after for change in patched.changes}

    def names() -> set[str]:
        found: set[str] = set()
        for path in files:
            if path in changed:
                found |= _tops(path, changed[path] or b"")
            else:
                found |= {symbol.name for symbol in index.symbols_in(path) if not symbol.parent}
        return found

    return names


# ── imports that go ──────────────────────────────────────────────────────────────────────────────


def _no_longer_imported(change: FileChange, index: Index) -> Iterator[str]:
    if change.before is None or change.after is None or parse.error_count(change.path, change.before):
        return
    before, after = _bound(change.path, change.before), _bound(change.path, change.after)
    if "*" in after:
        return
    for name in sorted(before - after - known.PRELUDE):
        places = parse.occurrences(change.path, change.after, name)
        if any(place.kind == "definition" for place in places) or _is_beside(name, change.path, index):
            continue
        for place in places:
            if place.kind in ("call", "use") and change.after[place.start - 1 : place.start] not in _QUALIFIES:
                yield f"{change.path}:{place.line} uses {name}, which is no longer imported"
                break


def _bound(path: str, data: bytes) -> set[str]:
    """The last part of each import; `*` for one that may bring anything of the repository."""
    modules = [one.module for one in parse.parse(path, data).imports]
    return {_SEGMENT.split(module)[-1] for module in modules if module != "super::*" and not _OF_STD.match(module)} | {
        _SEGMENT.split(module)[-1] for module in modules if not module.endswith("*")
    }


def _is_beside(name: str, path: str, index: Index) -> bool:
    """Whether a file of the same package, which shares the end of its folder, defines the name."""
    if path.endswith(".rs"):
        return False
    end = posixpath.dirname(path).split("/")[-2:]
    return any(posixpath.dirname(symbol.path).split("/")[-2:] == end for symbol in index.symbols_named((name,)))
