"""PHP names and includes → files: PSR-4 prefixes of every composer.json, and literal paths."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import suffixes
from optimizer.languages.modules.javascript import read_json
from optimizer.languages.modules.statements import COMMENT, STRING, Read

_GROUP = re.compile(r"^(.*?)\{(.*)\}\s*$", re.S)


@dataclass(frozen=True, slots=True)
class Php:
    """The files, all by name; (namespace prefix, folder) with the longest prefix first; what namespaces hold."""

    paths: frozenset[str]
    names: Mapping[str, tuple[str, ...]]
    prefixes: tuple[tuple[str, str], ...]
    defined: Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes], packages: Mapping[str, Sequence[RawImport]]) -> Php:
    """Read `autoload` and `autoload-dev` of every composer.json."""
    prefixes: list[tuple[str, str]] = []
    for path, data in sorted(manifests.items()):
        if posixpath.basename(path) != "composer.json":
            continue
        composer = read_json(data)
        for section in ("autoload", "autoload-dev"):
            autoload = composer.get(section)
            for standard in ("psr-4", "psr-0"):
                table = autoload.get(standard) if isinstance(autoload, dict) else None
                for prefix, places in table.items() if isinstance(table, dict) else ():
                    for place in places if isinstance(places, list) else [places]:
                        if isinstance(place, str):
                            place = posixpath.join(posixpath.dirname(path), place)
                            if standard == "psr-0":
                                place = posixpath.join(place, prefix.replace("\\", "/"))
                            prefixes.append(
                                (prefix.strip("\\"), "" if place in ("", ".") else posixpath.normpath(place))
                            )
    prefixes.sort(key=lambda item: (-len(item[0]), item))
    names = suffixes.by_name(path for path in paths if path.endswith(".php"))
    return Php(paths, names, tuple(prefixes), suffixes.by_package(packages, "\\"))


def resolve(path: str, raw: RawImport, table: Php) -> Iterator[tuple[str, str | None]]:
    """The file of the class that a `use` names, or the included file; None outside the repository."""
    if raw.kind == "include":
        yield raw.module, _included(path, raw.module, table)
        return
    found = _autoloaded(raw.module, table)
    files = (found,) if found else table.defined.get(raw.module, ())
    yield from ((raw.module, file) for file in files or (None,))


def _autoloaded(name: str, table: Php) -> str | None:
    for prefix, folder in table.prefixes:
        if prefix and not f"{name}\\".startswith(f"{prefix}\\"):
            continue
        place = posixpath.join(folder, name[len(prefix) :].strip("\\").replace("\\", "/") + ".php")
        if place in table.paths:
            return place
    return None


def _included(path: str, name: str, table: Php) -> str | None:
    for place in (posixpath.join(posixpath.dirname(path), name), name):
        place = posixpath.normpath(place)
        if place in table.paths:
            return place
    candidates = suffixes.ending_in(name.lstrip("./"), table.names)
    return candidates[0] if len(candidates) == 1 else None


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    return _read_use(text) if kind == "use" else _read_include(text, kind)


def _read_use(text: str) -> list[Read]:
    body = COMMENT.sub(" ", text).strip().removeprefix("use").strip().rstrip(";")
    prefix = ""
    if group := _GROUP.match(body):
        prefix, body = group[1].strip(), group[2]
    found: list[Read] = []
    for part in body.split(","):
        words = f"{prefix} {part.strip()}".split() if prefix.endswith(("function", "const")) else part.split()
        kind = "use"
        for word in (prefix.split()[:1] or [""])[0], (words or [""])[0]:
            if word in ("function", "const"):
                kind = f"use-{word}"
        base = prefix.split()[-1] if prefix else ""
        words = [word for word in words if word not in ("function", "const")]
        if words:
            found.append(((base + words[0]).lstrip("\\"), (), kind))
    return found


def _read_include(text: str, kind: str) -> list[Read]:
    literals = [first or second for first, second in STRING.findall(text)]
    if len(literals) != 1 or not literals[0] or "$" in text:
        return []
    ups = text.count("dirname(") - ("__FILE__" in text)
    here = "__DIR__" in text or "__FILE__" in text
    return [("../" * ups + literals[0].lstrip("/") if here else literals[0], (), kind)]
