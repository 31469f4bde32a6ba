"""What a parameter of a test method stands for: the call of the fixture of its class, with the fixtures it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.index.reader import Index
    from optimizer.lookup.family import Classes
    from optimizer.retrieval import Symbol

_PARAMETERS = re.compile(r"\((.*)\)", re.S)
_DEEPEST = 5


def calls(index: Index, classes: Classes, path: str, owner: str, name: str) -> Iterator[tuple[str, str]]:
    """Paths of files, and in each the expression for the fixture `name` of class `owner` or of one derived from it."""
    near = [one for one in classes.meant(owner, path) if one.path == path]
    for one in sorted(classes.below(near)):
        if expression := _call(index, classes, one, name, _DEEPEST):
            yield one.path, expression


def _call(index: Index, classes: Classes, owner: Symbol, name: str, deepest: int) -> str:
    """The expression for one fixture; '' where no class that `owner` is derived from has it."""
    found = next((m for one in _in_order(classes, owner) for m in _methods(index, one) if m.name == name), None)
    text = "" if found is None else index.read(found.path).decode("utf-8", "replace")
    if found is None or deepest == 0 or "fixture" not in _decorated(text, found):
        return ""
    written = _PARAMETERS.search(found.signature)
    names = [re.split(r"[:=]", one)[0].strip() for one in (written[1] if written else "").split(",")][1:]
    given = [_call(index, classes, owner, one, deepest - 1) or "None" for one in names if one.isidentifier()]
    call = f"{owner.name}().{name}({', '.join(given)})"
    body = "\n".join(text.split("\n")[found.line : found.end])
    return f"next({call})" if re.search(r"^\s*yield\b", body, re.M) else call


def _in_order(classes: Classes, owner: Symbol) -> Iterator[Symbol]:
    """A class and what it is derived from, the nearest first."""
    seen, pending = {owner}, [owner]
    while pending:
        one = pending.pop(0)
        yield one
        new = [base for base in classes.up.get(one, ()) if base not in seen]
        seen.update(new)
        pending += new


def _methods(index: Index, owner: Symbol) -> list[Symbol]:
    return [one for one in index.symbols_in(owner.path) if one.parent == owner.qualified]


def _decorated(text: str, method: Symbol) -> str:
    """The line before a method, or those from its first one on."""
    lines = text.split("\n")
    return "\n".join(lines[max(0, min(method.start, method.line - 1) - 1) : method.line])
