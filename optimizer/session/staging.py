"""What the user put on the table: read again for each request, and sent where it is not there as it is now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from optimizer.context.budget import count_tokens
from optimizer.encodings import text_of
from optimizer.errors import InputError, NotFound, SafetyRefused
from optimizer.privacy.secret_files import is_secret_file
from optimizer.retrieval import ContextItem, ItemKind
from optimizer.session.conversation import Staged

if TYPE_CHECKING:
    from optimizer.index.reader import Index


def named(name: str, index: Index) -> Staged:
    """What `name` is: a file of the repository, or a symbol.

    Raises SafetyRefused for a file that may hold secrets, InputError where there is no such thing.
    """
    path = name.removeprefix("./")
    if is_secret_file(path):
        raise SafetyRefused(f"{path} may hold secrets: it is never sent", "copy what is needed into another file")
    if path in index.paths():
        return Staged("file", path)
    from optimizer.lookup.names import definitions, nearest

    if definitions(index, name):
        return Staged("symbol", name)
    near = (*nearest(path, index.paths()), *nearest(name, index.all_names()))
    hint = f"did you mean {' or '.join(near[:2])}?" if near else "name a file, or a function or class"
    raise InputError(f"there is no file and no symbol {name!r} that may be shown", hint)


def items(staged: Iterable[Staged], index: Index) -> tuple[ContextItem, ...]:
    """The staged files and symbols as they are now; what is gone since is left out."""
    found: list[ContextItem] = []
    for one in staged:
        if one.kind == "file":
            found += _file(one.name, index)
        elif one.kind == "symbol":
            found += _symbol(one.name, index)
    return tuple(found)


def texts(staged: Iterable[Staged]) -> tuple[str, ...]:
    """The staged texts."""
    return tuple(one.text for one in staged if one.text)


def _file(path: str, index: Index) -> list[ContextItem]:
    try:
        text = text_of(index.read(path)).replace("\r\n", "\n").rstrip("\n")
    except NotFound:
        return []
    return [_item(path, 1, text, "")]


def _symbol(name: str, index: Index) -> list[ContextItem]:
    from optimizer.lookup.names import definitions

    found = []
    for symbol in definitions(index, name):
        lines = text_of(index.read(symbol.path)).replace("\r\n", "\n").split("\n")
        text = "\n".join(lines[symbol.start - 1 : symbol.end])
        found.append(_item(symbol.path, symbol.start, text, symbol.qualified))
    return found


def _item(path: str, start: int, text: str, symbol: str) -> ContextItem:
    end = start + text.count("\n")
    kind: ItemKind = "body" if symbol else "file"
    return ContextItem(path, start, end, symbol, kind, count_tokens(text), 1.0, (), text)
