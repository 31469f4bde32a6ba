"""The checks of names that files of Rust take from each other's modules."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from optimizer.languages.edges import RawImport
from optimizer.languages.occurrences import Occurrence
from optimizer.languages.source import Source
from optimizer.report.checks import BrokenName
from optimizer.verify.patched import Patched

_GLOB = re.compile(r"(?:^|::)\*$")
_QUALIFIER = re.compile(rb"(?:r#)?(\w+)\s*::\s*(?:r#)?$")
_MACRO = re.compile(rb"^[a-z_:]+!\s*[({\[]", re.M)


def orphans(path: str, removed: set[str], patched: Patched, importers: Iterable[str]) -> Iterator[BrokenName]:
    """Uses of what a module no longer has, in the files that import it."""
    source = patched.after.source(path)
    if any(_GLOB.search(raw.module) for raw in source.imports) and _passes_on(source, b"*"):
        return
    gone = {name for name in removed if not _has(source, name)}
    for file in importers:
        user = patched.after.source(file)
        for name in sorted(gone):
            lines = [raw.line for raw in user.imports if _names(raw, name) and path in patched.after.leads(file, raw)]
            if not lines and not any(_names(raw, name) for raw in user.imports):
                lines = [place.line for place in user.occurrences(name) if _is_of(place, user, path, patched)]
            yield from (BrokenName("removed", file, line, name, path) for line in lines[:1])


def _has(source: Source, name: str) -> bool:
    """Whether a file still defines a name at any depth, or brings it from elsewhere."""
    return any(place.kind in ("definition", "import") for place in source.occurrences(name))


def _passes_on(source: Source, name: bytes) -> bool:
    return re.search(rb"^\s*pub(?:\([^)]*\))?\s+use\b[^;]*" + re.escape(name), source.data, re.M) is not None


def _names(raw: RawImport, name: str) -> bool:
    return raw.kind == "use" and raw.module.rpartition("::")[2] == name


def _is_of(place: Occurrence, user: Source, path: str, patched: Patched) -> bool:
    """Whether a use by a path, as `module::name`, or a call can only mean what the file at `path` had."""
    front = user.data[max(0, place.start - 80) : place.start]
    if place.kind not in ("call", "use") or front.endswith((b".", b"fn ")):
        return False
    if qualifier := _QUALIFIER.search(front):
        return qualifier[1].decode() == _module(path)
    name = user.data[place.start : place.end].decode()
    declares = any(one.kind == "definition" for one in user.occurrences(name))
    brings_all = any(_GLOB.search(raw.module) and path in patched.after.leads(user.path, raw) for raw in user.imports)
    return place.kind == "call" and brings_all and not declares and not patched.after.symbols_named(name)


def _module(path: str) -> str:
    folder, base = posixpath.split(path)
    stem = base.removesuffix(".rs")
    if stem in ("lib", "main"):
        return "crate"
    return posixpath.basename(folder) if stem == "mod" else stem


def _holds(target: str, parts: list[str]) -> bool:
    """Whether a path names an item of the module at `target` itself, and not one further down."""
    module = _module(target)
    if parts[-1] == module:
        return False
    return len(parts) == 2 or parts[-2] in (module, "crate", "self", "super")


def missing(path: str, patched: Patched) -> Iterator[BrokenName]:
    """What a changed file newly imports from a module whose file does not even contain the name."""
    if not path.endswith(".rs"):
        return
    old = {raw.module for raw in patched.before.source(path).imports}
    for raw in patched.after.source(path).imports:
        name = raw.module.rpartition("::")[2].removeprefix("r#")
        if raw.kind != "use" or raw.module in old or "::" not in raw.module or name in ("*", "self"):
            continue
        for target in patched.after.leads(path, raw)[:1]:
            source = patched.after.source(target)
            if (
                target == path
                or not _holds(target, raw.module.split("::"))
                or re.search(rb"\b%s\b" % name.encode(), source.data)
            ):
                continue
            if not any(_GLOB.search(one.module) for one in source.imports) and not _MACRO.search(source.data):
                yield BrokenName("attribute", path, raw.line, name, target)
