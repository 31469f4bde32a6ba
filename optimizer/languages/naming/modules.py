"""Names that are taken by the path of a module, one by one or all of them, as in `module::name`; pure."""

from __future__ import annotations

import posixpath
import re

from optimizer.languages.edges import RawImport
from optimizer.languages.occurrences import Occurrence
from optimizer.languages.source import Source

_GLOB = re.compile(r"(?:^|::)\*$")
_QUALIFIER = re.compile(rb"(?:r#)?(\w+)\s*::\s*(?:r#)?$")
_MACRO = re.compile(rb"^[a-z_:]+!\s*[({\[]", re.M)
_ROOTS = ("lib", "main")
_AROUND = ("crate", "self", "super")
_SEGMENT = re.compile(r"[./:\\\\-]+")
_QUALIFIES = (b".", b":", b"\\", b">")
_OF_STD = re.compile(r"(?:std|core|alloc)::.*\*$|.*prelude::\*$")


def module_of(path: str) -> str:
    """The name of the module that a file is."""
    folder, base = posixpath.split(path)
    stem = posixpath.splitext(base)[0]
    if stem in _ROOTS:
        return "crate"
    return posixpath.basename(folder) if stem == "mod" else stem


def names_of(path: str) -> frozenset[str]:
    """All words that may stand before `::` and mean the module that a file is."""
    folder, base = posixpath.split(path)
    stem = posixpath.splitext(base)[0]
    names = {stem, *_AROUND}
    if stem in ("mod", *_ROOTS):
        names |= {posixpath.basename(folder), posixpath.basename(posixpath.dirname(folder)).replace("-", "_")}
    return frozenset(names)


def last_of(raw: RawImport) -> str:
    """The name that an import takes; `*` for all."""
    return raw.module.rpartition("::")[2]


def called(module: str, data: bytes) -> set[str]:
    """What a file calls a module that it imports: by its own name, and those that `as` gives it."""
    own = module.rpartition("::")[2]
    given = re.findall(rb"\b" + re.escape(own.encode()) + rb"\s+as\s+(\w+)", data)
    return {own, *(one.decode() for one in given)}


def takes(raw: RawImport, name: str) -> bool:
    """Whether an import takes `name` from a module."""
    return raw.kind == "use" and last_of(raw) == name


def takes_all(raw: RawImport) -> bool:
    """Whether an import takes all names of a module."""
    return _GLOB.search(raw.module) is not None


def bound(source: Source) -> set[str]:
    """The last part of each import; `*` for one that may bring anything of the repository."""
    modules = (one.module for one in source.imports)
    return {_SEGMENT.split(one)[-1] for one in modules if not one.endswith("*") or _is_wide(one)}


def _is_wide(module: str) -> bool:
    return module != "super::*" and _OF_STD.match(module) is None


def is_qualified(place: Occurrence, data: bytes) -> bool:
    """Whether a name is taken from something, and not by itself."""
    return data[place.start - 1 : place.start] in _QUALIFIES


def leads_on(place: Occurrence, data: bytes) -> bool:
    """Whether a name is that of a module or type from which something is taken."""
    return data[place.end :].lstrip().startswith(b"::")


def passes_all_on(source: Source) -> bool:
    """Whether a module gives others all that another one has."""
    return any(map(takes_all, source.imports)) and _passes_on(source, b"*")


def _passes_on(source: Source, name: bytes) -> bool:
    return re.search(rb"^\s*pub(?:\([^)]*\))?\s+use\b[^;]*" + re.escape(name), source.data, re.M) is not None


def may_hold_more(source: Source) -> bool:
    """Whether a file may have names that it does not write: by imports of all, or by macros."""
    return any(map(takes_all, source.imports)) or _MACRO.search(source.data) is not None


def has(source: Source, name: str) -> bool:
    """Whether a file defines a name at any depth, or brings it from elsewhere."""
    return any(place.kind in ("definition", "import") for place in source.occurrences(name))


def is_given_to_macro(source: Source, name: str) -> bool:
    """Whether a macro that stands among the items of a file is given a name, which it may define."""
    items = source.root.children if source.root is not None else ()
    calls = (one.named_children[0] if one.type == "expression_statement" else one for one in items)
    given = (one.text or b"" for one in calls if one.type == "macro_invocation")
    return any(re.search(rb"\b%s\b" % re.escape(name.encode()), text) for text in given)


def is_used_inside(source: Source, name: str) -> bool:
    """Whether a name is imported anywhere, also among the tokens of a macro, where no statement shows it."""
    return re.search(rb"\buse\s[^;]*\b%s\b" % re.escape(name.encode()), source.data) is not None


def qualifier_of(place: Occurrence, data: bytes) -> str | None:
    """The module before `::name`; '' for a name that stands alone, None for a member or a definition."""
    front = data[max(0, place.start - 80) : place.start]
    if place.kind not in ("call", "use") or front.endswith((b".", b"fn ")):
        return None
    qualifier = _QUALIFIER.search(front)
    return qualifier[1].decode() if qualifier else ""


def is_item_of(target: str, raw: RawImport) -> bool:
    """Whether an import names an item of the module at `target` itself, and not one further down."""
    parts, module = raw.module.split("::"), module_of(target)
    if parts[-1] == module:
        return False
    return len(parts) == 2 or parts[-2] in (module, *_AROUND)
