"""Answers from the index alone, each line citing `path:line`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from optimizer.errors import NotFound
from optimizer.lookup.names import definitions, files, nearest, parts_of
from optimizer.lookup.rename import rename
from optimizer.types import Answer, Lookup, Reference, Symbol

if TYPE_CHECKING:
    from optimizer.index.imports import ImportEdge
    from optimizer.index.store import Index

MOST_SHOWN = 5
MOST_USES = 5
MOST_FILES = 200

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


def answer(lookup: Lookup, index: Index) -> Answer:
    """Answer a question from the index; `found` is False when the subject is not there, with the nearest names.

    Raises Conflict or InputError for a rename that cannot be done.
    """
    if lookup.kind == "rename":
        return rename(lookup, index)
    return _ANSWERS[lookup.kind](lookup, index)


def _where(lookup: Lookup, index: Index) -> Answer:
    if found := definitions(index, lookup.subject, lookup.within):
        return Answer(tuple(map(_cite, found)), True)
    if not lookup.within and (paths := files(index, lookup.subject)):
        return Answer(
            tuple(f"{path}:1  file, {len(index.symbols_in(path))} symbols" for path in paths[:MOST_FILES]), True
        )
    return _missing(lookup, index)


def _show(lookup: Lookup, index: Index) -> Answer:
    found = definitions(index, lookup.subject, lookup.within)
    if found:
        lines = [line for symbol in found[:MOST_SHOWN] for line in (_cite(symbol), *_source(index, symbol), "")]
        lines += [_cite(symbol) for symbol in found[MOST_SHOWN:]]
        return Answer(tuple(lines[:-1] if not lines[-1] else lines), True)
    paths = () if lookup.within else files(index, lookup.subject)
    if len(paths) == 1:
        text = _lines(index, paths[0])
        return Answer((f"{paths[0]}:1  file, {len(text)} lines", *_numbered(text, 1)), True)
    return _where(lookup, index)


def _list(lookup: Lookup, index: Index) -> Answer:
    paths = files(index, lookup.within)
    if not paths:
        return _missing_file(lookup.within, index)
    wanted = _KINDS.get(lookup.subject)
    symbols = [symbol for path in paths for symbol in index.symbols_in(path) if wanted is None or symbol.kind in wanted]
    if not symbols:
        return Answer((f"{lookup.within} defines no {lookup.subject}",), True)
    return Answer(tuple(map(_cite, symbols)), True)


def _callers(lookup: Lookup, index: Index) -> Answer:
    name = parts_of(lookup.subject)[-1]
    only = frozenset(files(index, lookup.within)) if lookup.within else None
    uses = [use for use in index.references(name) if use.kind != "definition" and (only is None or use.path in only)]
    known = definitions(index, lookup.subject)
    if not uses:
        return Answer((*map(_cite, known), f"{name} is used nowhere else"), True) if known else _missing(lookup, index)
    lines = list(_grouped(uses))
    others = [symbol for symbol in index.symbols_named([name]) if symbol not in known]
    if known and others:
        lines.append(
            f"by name alone: {len(others)} other definitions are also called {name}, first {_place(others[0])}"
        )
    elif not known:
        lines.append(f"{lookup.subject} is not defined in this repository")
    return Answer(tuple(lines), True)


def _importers(lookup: Lookup, index: Index) -> Answer:
    paths = files(index, lookup.subject)
    edges = [edge for path in paths for edge in index.importers_of(path)]
    if not edges:
        edges = [edge for path in index.paths() for edge in index.imports_of(path) if _is_module(edge, lookup.subject)]
    if edges:
        return Answer(tuple(f"{edge.source}:{edge.line}  {edge.module}" for edge in dict.fromkeys(edges)), True)
    name = parts_of(lookup.subject)[-1]
    uses = [use for use in index.references(name) if use.kind == "import"]
    if uses:
        return Answer(tuple(f"{use.path}:{use.line}  {use.text}" for use in uses), True)
    if paths:
        return Answer((f"nothing in this repository imports {', '.join(paths[:MOST_SHOWN])}",), True)
    return _missing_file(lookup.subject, index)


def _imports(lookup: Lookup, index: Index) -> Answer:
    paths = files(index, lookup.subject)
    if not paths:
        return _missing_file(lookup.subject, index)
    edges = [edge for path in paths for edge in index.imports_of(path)]
    if not edges:
        return Answer((f"{lookup.subject} imports nothing",), True)
    return Answer(
        tuple(
            f"{edge.source}:{edge.line}  {edge.module} → {edge.target or 'outside this repository'}" for edge in edges
        ),
        True,
    )


_ANSWERS = {
    "where": _where,
    "show": _show,
    "list": _list,
    "callers": _callers,
    "importers": _importers,
    "imports": _imports,
}


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


def _place(symbol: Symbol) -> str:
    return f"{symbol.path}:{symbol.line}"


def _cite(symbol: Symbol) -> str:
    return f"{_place(symbol)}  {symbol.kind} {symbol.signature or symbol.qualified}"


def _lines(index: Index, path: str) -> Sequence[str]:
    try:
        return index.read(path).decode("utf-8", "replace").split("\n")
    except NotFound:
        return ()


def _numbered(lines: Iterable[str], first: int) -> list[str]:
    return [f"{number:>5}  {line}" for number, line in enumerate(lines, first)]


def _source(index: Index, symbol: Symbol) -> list[str]:
    return _numbered(_lines(index, symbol.path)[symbol.start - 1 : symbol.end], symbol.start)


def _grouped(uses: Sequence[Reference]) -> Iterable[str]:
    """One line for each place that uses the name, with its further lines."""
    groups: dict[tuple[str, str], list[Reference]] = {}
    for use in uses:
        groups.setdefault((use.path, use.symbol), []).append(use)
    for (path, symbol), group in groups.items():
        more = list(dict.fromkeys(str(use.line) for use in group[1:] if use.line != group[0].line))
        also = f" (also {', '.join(more)})" if more else ""
        yield f"{path}:{group[0].line}  in {symbol or 'the file itself'}{also}: {group[0].text}"


def _is_module(edge: ImportEdge, wanted: str) -> bool:
    module, name = parts_of(edge.module), parts_of(wanted)
    return module[: len(name)] == name


def _missing(lookup: Lookup, index: Index) -> Answer:
    name = parts_of(lookup.subject)[-1] if parts_of(lookup.subject) else lookup.subject
    place = f" in {lookup.within}" if lookup.within else " in this repository"
    lines = [f"{lookup.subject} is not defined{place}"]
    if elsewhere := definitions(index, lookup.subject) if lookup.within else ():
        lines += ["it is defined here:", *map(_cite, elsewhere)]
    elif uses := index.references(name, MOST_USES):
        lines += ["it is used here:", *(f"{use.path}:{use.line}  {use.text}" for use in uses)]
    return Answer((*lines, *_did_you_mean(name, index.all_names(), index)), False)


def _missing_file(named: str, index: Index) -> Answer:
    lines = (f"there is no file {named} in this repository",)
    return Answer((*lines, *_did_you_mean(named, index.paths(), index)), False)


def _did_you_mean(name: str, names: Iterable[str], index: Index) -> tuple[str, ...]:
    near = nearest(name, names)
    if not near:
        return ()
    symbols = {symbol.name: symbol for symbol in reversed(index.symbols_named(near))}
    return ("did you mean:", *(_cite(symbols[word]) if word in symbols else f"{word}:1" for word in near))
