"""JavaScript and TypeScript imports → files: relative paths, tsconfig paths, and packages of the same workspace."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optimizer.languages.edges import RawImport
from optimizer.languages.modules.statements import COMMENT, Read

_MODULE = re.compile(r"(?:\bfrom|^import|\(|^export\b.*?\bfrom)\s*(?:/\*.*?\*/\s*)?(['\"`])(.*?)\1", re.S)
_CLAUSE = re.compile(r"^(?:import|export)\s+(?:type\s+)?(.*?)\s*\bfrom\s*['\"]", re.S)

ENDINGS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".json", ".vue", ".svelte")
# Sources are imported by the name they will have when compiled.
COMPILED = {".js": (".ts", ".tsx", ".d.ts"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_JSON_NOISE = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.S)
MOST_PARENTS = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """What one tsconfig says: where bare names start, and patterns with the places they mean."""

    base: str | None
    paths: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class JavaScript:
    """The files, tsconfig scopes and entry points of packages by folder, and the folder of each package by its name."""

    paths: frozenset[str]
    scopes: Mapping[str, Scope]
    entries: Mapping[str, Mapping[str, tuple[str, ...]]]
    packages: Mapping[str, str]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> JavaScript:
    """Read tsconfig and package.json files; one that cannot be read counts as empty."""
    configs = {path: read_json(data) for path, data in manifests.items() if path.endswith(".json")}
    scopes: dict[str, Scope] = {}
    entries: dict[str, dict[str, tuple[str, ...]]] = {}
    packages: dict[str, str] = {}
    for path in sorted(configs):
        folder, name = posixpath.split(path)
        if name == "package.json":
            entries[folder] = _entries(configs[path])
            own = configs[path].get("name")
            if isinstance(own, str) and own:
                packages.setdefault(own, folder)
        elif name in ("tsconfig.json", "jsconfig.json") or folder not in scopes:
            scope = _scope(path, configs)
            if scope.base is not None or scope.paths:
                scopes[folder] = scope
    return JavaScript(paths, scopes, entries, packages)


def read_json(data: bytes) -> dict[str, Any]:
    """A JSON object that may hold comments and trailing commas; {} when it is anything else."""
    text = data.decode("utf-8-sig", "replace")
    for attempt in (text, _without_noise(text)):
        try:
            found = json.loads(attempt)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else {}
    return {}


def _without_noise(text: str) -> str:
    once = _JSON_NOISE.sub(lambda match: match[1] or "", text)
    return _JSON_NOISE.sub(lambda match: match[1] or "", once)


def _entries(package: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Where a package is entered, by the subpath that is asked for ('.' for the package itself)."""
    exports = package.get("exports")
    parts = exports if isinstance(exports, dict) and any(key.startswith(".") for key in exports) else {".": exports}
    found = {subpath: tuple(_strings(part)) for subpath, part in parts.items()}
    named = [package.get(key) for key in ("source", "types", "typings", "module", "main")]
    found["."] = (*(entry for entry in named[:1] if isinstance(entry, str)), *found.get(".", ()), *_strings(named[1:]))
    return found


def _strings(value: object) -> Iterator[str]:
    pending = [value]
    while pending:
        entry = pending.pop(0)
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            pending += entry.values()
        elif isinstance(entry, list):
            pending += entry


def _scope(path: str, configs: Mapping[str, Mapping[str, Any]]) -> Scope:
    """The options of a tsconfig, with those of the configs that it extends."""
    base: str | None = None
    patterns: dict[str, tuple[str, ...]] = {}
    for _ in range(MOST_PARENTS):
        config = configs.get(path)
        if config is None:
            break
        folder = posixpath.dirname(path)
        options = config.get("compilerOptions")
        options = options if isinstance(options, dict) else {}
        if base is None and isinstance(options.get("baseUrl"), str):
            base = _join(folder, options["baseUrl"])
        own = options.get("paths")
        if not patterns and isinstance(own, dict):
            start = base if base is not None else folder
            for pattern, places in own.items():
                if isinstance(places, list):
                    patterns[pattern] = tuple(_join(start, place) for place in places if isinstance(place, str))
        parent = config.get("extends")
        if not isinstance(parent, str) or not parent.startswith("."):
            break
        path = _join(folder, parent)
        path = path if path in configs else path + ".json"
    exact_first = sorted(patterns.items(), key=lambda item: ("*" in item[0], -len(item[0])))
    return Scope(base, tuple(exact_first))


def _join(folder: str, place: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, place))
    return "" if joined == "." else joined


def resolve(path: str, raw: RawImport, table: JavaScript) -> Iterator[tuple[str, str | None]]:
    """The file an import leads to; None for a package that is installed."""
    module = raw.module.partition("?")[0]
    here = posixpath.dirname(path)
    if raw.kind == "script":
        places = [_join(folder, module.lstrip("/")) for folder in (here, "")]
        yield raw.module, next((place for place in places if place in table.paths), None)
        return
    if module.startswith((".", "/")):
        place = _join(here, module.lstrip("/") if module.startswith("/") else module)
        yield raw.module, _file(place, table) or _source(place, table)
        return
    yield raw.module, _mapped(here, module, table) or _package(module, table) or _of_kit(here, module, table)


def _mapped(here: str, module: str, table: JavaScript) -> str | None:
    """What the nearest tsconfig above makes of a bare name."""
    folder = here
    while True:
        scope = table.scopes.get(folder)
        if scope is not None:
            for place in _places(module, scope):
                if found := _file(place, table):
                    return found
        if not folder:
            return None
        folder = posixpath.dirname(folder)


def _places(module: str, scope: Scope) -> Iterator[str]:
    for pattern, places in scope.paths:
        front, star, back = pattern.partition("*")
        if module == pattern:
            yield from places
        elif star and module.startswith(front) and module.endswith(back) and len(module) >= len(front) + len(back):
            middle = module[len(front) : len(module) - len(back)]
            yield from (_join("", place.replace("*", middle)) for place in places)
    if scope.base is not None:
        yield _join(scope.base, module)


def _of_kit(here: str, module: str, table: JavaScript) -> str | None:
    """What `$lib` of SvelteKit means: `src/lib` of the nearest project above that has it."""
    name, _, rest = module.partition("/")
    while name == "$lib":
        if found := _file(posixpath.join(here, "src/lib", rest), table):
            return found
        if not here:
            break
        here = posixpath.dirname(here)
    return None


def _package(module: str, table: JavaScript) -> str | None:
    parts = module.split("/")
    name = "/".join(parts[: 2 if module.startswith("@") else 1])
    if name not in table.packages:
        return None
    folder = table.packages[name]
    rest = module[len(name) + 1 :]
    if not rest:
        return _entered(folder, table) or _first(folder, ("src/index", "index", "src/main", "lib/index"), table)
    entries = table.entries[folder].get(f"./{rest}", ())
    return _first(folder, (*entries, rest, f"src/{rest}"), table)


def _entered(folder: str, table: JavaScript) -> str | None:
    """The entry point of the package in a folder."""
    return _first(folder, table.entries.get(folder, {}).get(".", ()), table)


def _first(folder: str, places: Iterable[str], table: JavaScript) -> str | None:
    for place in places:
        joined = _join(folder, place)
        if found := _plain(joined, table) or _source(joined, table):
            return found
    return None


def _source(built: str, table: JavaScript) -> str | None:
    """The source of a file that is built: `dist/x.js` is made from `src/x.ts`, or from `x.ts`."""
    for folder in ("dist", "build", "lib", "out"):
        front, found, back = f"/{built}".rpartition(f"/{folder}/")
        for place in (f"{front}/src/{back}", f"{front}/{back}") if found else ():
            if source := _plain(place.lstrip("/"), table):
                return source
    return None


def _file(place: str, table: JavaScript) -> str | None:
    return _plain(place, table) or _entered(place, table)


def _plain(place: str, table: JavaScript) -> str | None:
    if place in table.paths:
        return place
    stem, ending = posixpath.splitext(place)
    for other in COMPILED.get(ending, ()):
        if stem + other in table.paths:
            return stem + other
    for ending in ENDINGS:
        if place + ending in table.paths:
            return place + ending
    for ending in ENDINGS:
        if (candidate := posixpath.join(place, f"index{ending}")) in table.paths:
            return candidate
    return None


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    match = _MODULE.search(text)
    if not match or "${" in match[2]:
        return []
    clause = _CLAUSE.match(text) if kind in ("import", "export") else None
    names: list[str] = []
    if clause:
        for part in COMMENT.sub(" ", clause[1]).replace("{", ",").replace("}", ",").split(","):
            words = part.removeprefix("type ").split()
            if words:
                names.append(words[0])
    return [(match[2], tuple(names), "require" if "require" in text[: match.start() + 1] else kind)]
