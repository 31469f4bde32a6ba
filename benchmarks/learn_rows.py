"""The signals of all candidates of a request, files and units, and which of them its fix changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from issues import NOT_RANKED, Issue, place_of

from optimizer.context import render
from optimizer.context.budget import count_tokens
from optimizer.context.files import FileLines
from optimizer.context.mentions import find_mentions
from optimizer.context.rank import score_files, unit_candidates, unit_rows
from optimizer.index.reader import Index
from optimizer.languages.units import FUNCTIONS
from optimizer.retrieval import ContextItem


def rows_of(issue: Issue, index: Index) -> dict[str, Any]:
    """The signals of the candidates of one issue, files and units, and which of them the fix changed."""
    mentions, source = find_mentions(issue["query"]), FileLines(index)
    scored = score_files(mentions, index, source)
    paths = scored.sheet.words.paths
    order = sorted(scored.best, key=lambda number: -scored.sums[number])
    gold = [place_of(paths[number], issue) for number in order]
    bodies = [_body(function, index) for function in issue["gold_functions"]]
    for path, changed in issue.get("gold_lines", {}).items():
        bodies += [(path, [body]) for body in _bodies_around(changed, path, index)]
    return {
        **{name: issue[name] for name in ("id", "repo", "language")},
        "paths": [paths[number] for number in order],
        "rows": [scored.rows[number] for number in order],
        "gold": [gold.index(at) if at in gold else NOT_RANKED for at in range(len(issue["gold_files"]))],
        "bodies": bodies,
        "units": _units(scored, mentions, index, source) if bodies else [],
    }


def _body(function: str, index: Index) -> tuple[str, list[tuple[int, int]]]:
    """The place of a function; the longest of several with that name, as with overloads."""
    path, _, name = function.partition(":")
    found = [(symbol.start, symbol.end) for symbol in index.symbols_in(path) if symbol.qualified == name]
    return path, sorted(found, key=lambda body: body[0] - body[1])[:1]


def _bodies_around(changed: Sequence[int], path: str, index: Index) -> list[tuple[int, int]]:
    functions = [symbol for symbol in index.symbols_in(path) if symbol.kind in FUNCTIONS]
    found = {}
    for line in changed:
        around = [(symbol.end - symbol.start, symbol) for symbol in functions if symbol.start <= line <= symbol.end]
        if around:
            body = min(around, key=lambda pair: pair[0])[1]
            found[body.start, body.end] = None
    return list(found)


def _units(scored: Any, mentions: Any, index: Index, source: FileLines) -> list[dict[str, Any]]:
    candidates = [each for each in unit_candidates(scored, mentions, index, source) if each.unit.symbol]
    found = []
    for candidate, row in zip(candidates, unit_rows(scored, mentions, candidates), strict=True):
        path = scored.sheet.words.paths[candidate.file]
        lines = source.lines(path)
        items = [
            ContextItem(path, start, end, "", "body", 0, 0.0, (), "\n".join(lines[start - 1 : end]))
            for start, end in candidate.unit.spans
        ]
        tokens = count_tokens("".join(map(render.body, items)))
        found.append({"path": path, "candidate": candidate, "row": row, "tokens": tokens})
    return found
