"""Answers from the index alone, as citations of path and line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from optimizer.errors import NotFound
from optimizer.lookup.names import definitions, files, is_path, nearest, parts_of
from optimizer.lookup.questions import Citation, CitationKind, Lookup, LookupResult
from optimizer.lookup.unseen import mentions, not_indexed, remarks, unlooked, without_grammar
from optimizer.retrieval import Reference, Symbol

if TYPE_CHECKING:
    from optimizer.index.reader import Index
    from optimizer.languages.imports import ImportEdge

MOST_SHOWN = 5
MOST_USES = 5
MOST_FILES = 200
MOST_REFERENCES = 1000

_KINDS: dict[str, frozenset[str]] = {
    "functions": frozenset({"function", "method", "macro"}),
    "methods": frozenset({"method"}),
    "classes": frozenset({"class", "struct", "interface", "trait", "enum"}),
    "types": frozenset({"class", "struct", "interface", "trait", "enum", "type"}),
    "structs": frozenset({"struct"}),
    "enums": frozenset({"enum"}),
    "traits": frozenset({"trait"}),
    "interfaces": frozenset({"interface"}),
    "constants": frozenset({"constant"}),
    "macros": frozenset({"macro"}),
    "modules": frozenset({"module"}),
}


def answer(lookup: Lookup, index: Index) -> LookupResult:
    """Answer a question from the index; `found` is False when there is no such subject; the nearest names are cited.

    Raises Conflict or InputError for a rename that cannot be done.
    """
    if lookup.kind == "rename":
        from optimizer.lookup.targets import rename_target

        return rename_target(lookup, index)
    return _ANSWERS[lookup.kind](lookup, index)


def _where(lookup: Lookup, index: Index) -> LookupResult:
    if found := definitions(index, lookup.subject, lookup.within):
        return LookupResult(tuple(map(_cite, found)), True)
    if not lookup.within and (paths := files(index, lookup.subject)):
        counts = ((path, len(index.symbols_in(path))) for path in paths[:MOST_FILES])
        rows = tuple(Citation(f"{count} symbols", path, 1, "file") for path, count in counts)
        more = len(paths) - len(rows)
        return LookupResult((*rows, *([Citation(f"and {more:,} more files")] if more else ())), True)
    return _missing(lookup, index)


def _show(lookup: Lookup, index: Index) -> LookupResult:
    found = definitions(index, lookup.subject, lookup.within)
    if found:
        rows: list[Citation] = []
        for number, symbol in enumerate(found[:MOST_SHOWN]):
            rows += [*([Citation("")] if number else ()), _cite(symbol), *_source(index, symbol)]
        return LookupResult((*rows, *map(_cite, found[MOST_SHOWN:])), True)
    paths = () if lookup.within else files(index, lookup.subject)
    if len(paths) == 1:
        text = _lines(index, paths[0])
        return LookupResult((Citation(f"{len(text)} lines", paths[0], 1, "file"), *_numbered(text, paths[0], 1)), True)
    return _where(lookup, index)


def _list(lookup: Lookup, index: Index) -> LookupResult:
    paths = files(index, lookup.within)
    if not paths:
        return _missing_file(lookup.within, index)
    wanted = _KINDS.get(lookup.subject)
    symbols = [symbol for path in paths for symbol in index.symbols_in(path) if wanted is None or symbol.kind in wanted]
    nothing = () if symbols else (Citation(f"{lookup.within} defines no {lookup.subject}"),)
    return LookupResult((*map(_cite, symbols), *nothing, *_unread(index, paths)), True)


def _callers(lookup: Lookup, index: Index) -> LookupResult:
    if not (parts := parts_of(lookup.subject)):
        return _missing(lookup, index)
    known = definitions(index, lookup.subject)
    name = known[0].name if known else parts[-1]
    only = frozenset(files(index, lookup.within)) if lookup.within else None
    found = index.references(name, MOST_REFERENCES + 1 if only is None else sys.maxsize)
    uses = [use for use in found if use.kind != "definition" and (only is None or use.path in only)]
    rest = (*(row for row in mentions(index, name) if only is None or row.path in only), *remarks(index, name))
    if not uses:
        alone = Citation(f"{name} is used nowhere else" if not rest else f"no code that was read uses {name}")
        return LookupResult((*map(_cite, known), alone, *rest), True) if known else _missing(lookup, index)
    rows = (*map(_use, uses), *rest)
    if only is None and len(found) > MOST_REFERENCES:
        rows = (*rows, Citation(f"only the first {MOST_REFERENCES:,} places with this name are shown"))
    others = [symbol for symbol in index.symbols_named([name]) if symbol not in known]
    if known and others:
        place = f"{others[0].path}:{others[0].line}"
        note = f"by name alone: {len(others)} other definitions are also called {name}, first {place}"
        return LookupResult((*rows, Citation(note)), True)
    return LookupResult(
        rows if known else (*rows, Citation(f"{lookup.subject} is not defined in this repository")), True
    )


def _importers(lookup: Lookup, index: Index) -> LookupResult:
    """What imports a file or folder; what no path of the repository means is taken for a module or a name."""
    paths = files(index, lookup.subject)
    edges = [edge for path in paths for edge in index.importers_of(path)]
    if edges:
        return LookupResult(tuple(_edge(edge, "imported") for edge in dict.fromkeys(edges)), True)
    nothing: tuple[Citation, ...] = ()
    if paths:
        listed = lookup.subject if is_path(index, lookup.subject) else ", ".join(paths[:MOST_SHOWN])
        nothing = (Citation(f"nothing in this repository imports {listed}"), *unlooked(index, paths))
        if is_path(index, lookup.subject):
            return LookupResult(nothing, True)
    edges = [edge for path in index.paths() for edge in index.imports_of(path) if _is_module(edge, lookup.subject)]
    if edges:
        return LookupResult((*nothing, *(_edge(edge, "imported") for edge in dict.fromkeys(edges))), True)
    parts = parts_of(lookup.subject)
    uses = [use for use in index.references(parts[-1]) if use.kind == "import"] if parts else []
    if uses:
        rows = (Citation(use.text, use.path, use.line, "imported", use.symbol) for use in uses)
        return LookupResult((*nothing, *rows), True)
    return LookupResult(nothing, True) if nothing else _missing_file(lookup.subject, index)


def _imports(lookup: Lookup, index: Index) -> LookupResult:
    paths = files(index, lookup.subject)
    if not paths:
        return _missing_file(lookup.subject, index)
    edges = [edge for path in paths for edge in index.imports_of(path)]
    rest = _unread(index, paths)
    if not edges:
        nothing = (
            f"{lookup.subject} imports nothing"
            if len(rest) < len(paths)
            else f"no imports of {lookup.subject} are known"
        )
        return LookupResult((Citation(nothing), *rest), True)
    return LookupResult((*(_edge(edge, "imports") for edge in edges), *rest), True)


def _unread(index: Index, paths: Iterable[str]) -> tuple[Citation, ...]:
    return tuple(Citation(f"not looked at: {path} (no grammar reads it)") for path in without_grammar(index, paths))


_ANSWERS = {
    "where": _where,
    "show": _show,
    "list": _list,
    "callers": _callers,
    "importers": _importers,
    "imports": _imports,
}


# ── citations ─────────────────────────────────────────────────────────────────────────────────────────


def _cite(symbol: Symbol) -> Citation:
    return Citation(symbol.signature or symbol.qualified, symbol.path, symbol.line, symbol.kind, symbol.qualified)


def _use(use: Reference) -> Citation:
    return Citation(use.text, use.path, use.line, use.kind, use.symbol)


def _edge(edge: ImportEdge, kind: CitationKind) -> Citation:
    return Citation(edge.module, edge.source, edge.line, kind, target=edge.target or "")


def _lines(index: Index, path: str) -> Sequence[str]:
    try:
        return index.read(path).decode("utf-8", "replace").split("\n")
    except NotFound:
        return ()


def _numbered(lines: Iterable[str], path: str, first: int) -> Iterable[Citation]:
    return (Citation(line, path, number, "source") for number, line in enumerate(lines, first))


def _source(index: Index, symbol: Symbol) -> Iterable[Citation]:
    return _numbered(_lines(index, symbol.path)[symbol.start - 1 : symbol.end], symbol.path, symbol.start)


def _is_module(edge: ImportEdge, wanted: str) -> bool:
    module, name = parts_of(edge.module), parts_of(wanted)
    return bool(name) and module[: len(name)] == name


def _missing(lookup: Lookup, index: Index) -> LookupResult:
    name = parts_of(lookup.subject)[-1] if parts_of(lookup.subject) else lookup.subject
    place = f" in {lookup.within}" if lookup.within else " in this repository"
    rows = [Citation(f"{lookup.subject} is not defined{place}")]
    if elsewhere := definitions(index, lookup.subject) if lookup.within else ():
        rows += [Citation("it is defined here:"), *map(_cite, elsewhere)]
    elif uses := index.references(name, MOST_USES):
        rows += [
            Citation("it is used here:"),
            *(Citation(use.text, use.path, use.line, use.kind, use.symbol) for use in uses),
        ]
    rows += [*mentions(index, name)[:MOST_USES], *remarks(index, name)]
    return LookupResult((*rows, *_did_you_mean(name, index.all_names(), index)), False)


def _missing_file(named: str, index: Index) -> LookupResult:
    if (why := not_indexed(index, named)) is not None:
        return LookupResult((why,), False)
    row = Citation(f"there is no file {named} in this repository")
    return LookupResult((row, *remarks(index, ""), *_did_you_mean(named, index.paths(), index)), False)


def _did_you_mean(name: str, names: Iterable[str], index: Index) -> tuple[Citation, ...]:
    near = nearest(name, names)
    if not near:
        return ()
    symbols = {symbol.name: symbol for symbol in reversed(index.symbols_named(near))}
    files_or_names = (_cite(symbols[word]) if word in symbols else Citation("", word, 1, "file") for word in near)
    return (Citation("did you mean:"), *files_or_names)
