"""Rust modules → files: `mod x;`, paths from `crate`, `self` and `super`, and crates of the same workspace."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules.statements import COMMENT, Read, branches

_USE = re.compile(r"^.*?\buse\s+(.*?);?\s*$", re.S)
_MOD = re.compile(r"\bmod\s+(?:r#)?(\w+)")
_CRATE = re.compile(r"\bcrate\s+(\w+)")

_SECTION = re.compile(r"^\s*\[+\s*([^\]]+?)\s*\]+", re.M)
_NAME = re.compile(r"^\s*name\s*=\s*[\"']([^\"']+)", re.M)
_PATH = re.compile(r"^\s*path\s*=\s*[\"']([^\"']+)", re.M)
_EDITION = re.compile(r"^\s*edition\s*=\s*[\"'](\d+)", re.M)
_SHARED = re.compile(r"^\s*edition(?:\.workspace|\s*=\s*\{)", re.M)
_KEY = re.compile(r"^\s*[\"']?([\w+.-]+)[\"']?\s*=", re.M)
_ROOT_FILES = ("src/lib.rs", "src/main.rs", "lib.rs", "main.rs")


@dataclass(frozen=True, slots=True)
class Rust:
    """The files, the root file of each crate by its name, and the folders that hold a Cargo.toml with their roots."""

    paths: frozenset[str]
    crates: Mapping[str, str]
    folders: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Crate:
    """What a compiler needs to read a file's crate: the files it may start at, its edition and its features."""

    roots: tuple[str, ...]
    edition: str
    features: tuple[str, ...]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Rust:
    """Read every Cargo.toml for the names of crates and where their roots are."""
    crates: dict[str, str] = {}
    folders: dict[str, str] = {}
    for manifest, data in sorted(manifests.items()):
        if posixpath.basename(manifest) != "Cargo.toml":
            continue
        folder = posixpath.dirname(manifest)
        sections = _sections(data.decode("utf-8", "replace"))
        library = sections.get("lib", "")
        own = [posixpath.normpath(posixpath.join(folder, match[1])) for match in _PATH.finditer(library)]
        own += [posixpath.join(folder, place) for place in _ROOT_FILES]
        root = next((place for place in own if place in paths), None)
        if root is None:
            continue
        folders[folder] = root
        for name in _NAME.findall(library) + _NAME.findall(sections.get("package", "")):
            crates.setdefault(name.replace("-", "_"), root)
    return Rust(paths, crates, folders)


def _sections(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    heads = list(_SECTION.finditer(text))
    for number, head in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(text)
        found.setdefault(head[1], text[head.end() : end])
    return found


def resolve(path: str, raw: RawImport, table: Rust) -> Iterator[tuple[str, str | None]]:
    """The file of the module that a `mod` or `use` names, or of the module that holds the item it names."""
    parts = [part.removeprefix("r#") for part in raw.module.split("::") if part]
    if raw.kind.startswith("mod"):
        yield raw.module, _child(path, parts[0], table) if parts else None
        return
    if raw.kind.endswith("-inner") and parts[:1] == ["super"]:
        parts[0] = "self"
    yield raw.module, _used(path, parts, table)


def _used(path: str, parts: list[str], table: Rust) -> str | None:
    if not parts:
        return None
    first, rest = parts[0], parts[1:]
    if first == "crate":
        return _descend(_crate_root(path, table), rest, table)
    if first in ("self", "super"):
        start: str | None = path
        while parts and parts[0] in ("self", "super"):
            if parts.pop(0) == "super" and start is not None:
                start = _parent(start, table)
        return _descend(start, parts, table)
    if child := _child(path, first, table):
        return _descend(child, rest, table)
    if first in table.crates:
        return _descend(table.crates[first], rest, table)
    return None


def _descend(file: str | None, parts: list[str], table: Rust) -> str | None:
    """Follow modules down from a file, as far as they are files."""
    for part in parts:
        if file is None:
            return None
        below = _child(file, part, table)
        if below is None:
            return file
        file = below
    return file


def _child(file: str, name: str, table: Rust) -> str | None:
    """The file of the module `name` declared in `file`."""
    folder, base = posixpath.split(file)
    stem = base.removesuffix(".rs")
    is_root = stem in ("mod", "lib", "main", "build") or file in table.folders.values()
    places = [folder] if is_root else [posixpath.join(folder, stem), folder]
    for place in places:
        if place == folder and not is_root and not _is_target(file):
            continue
        for candidate in (posixpath.join(place, f"{name}.rs"), posixpath.join(place, name, "mod.rs")):
            if candidate in table.paths and candidate != file:
                return candidate
    return None


def _is_target(file: str) -> bool:
    """Whether a file is a crate root of its own by its folder: a test, example, benchmark or program."""
    folder = posixpath.basename(posixpath.dirname(file))
    return folder in ("tests", "examples", "benches", "bin")


def _parent(file: str, table: Rust) -> str | None:
    folder, base = posixpath.split(file)
    if base == "mod.rs":
        folder, name = posixpath.split(folder)
    else:
        name = base.removesuffix(".rs")
    for candidate in ("mod.rs", "lib.rs", "main.rs"):
        if (place := posixpath.join(folder, candidate)) in table.paths and place != file:
            return place
    return f"{folder}.rs" if f"{folder}.rs" in table.paths else (file if name in ("lib", "main") else None)


def _crate_root(path: str, table: Rust) -> str | None:
    folder = posixpath.dirname(path)
    if _is_target(path):
        return path
    inner = ""
    while True:
        for name in ("main.rs", "lib.rs"):
            place = posixpath.join(folder, name)
            if place in table.paths and place not in table.folders.values():
                inner = inner or place
        if folder in table.folders:
            root = table.folders[folder]
            return inner if inner and not path.startswith(posixpath.dirname(root) + "/") else root
        if not folder:
            return inner or None
        folder = posixpath.dirname(folder)


def crate(path: str, paths: frozenset[str], manifests: Mapping[str, bytes]) -> Crate | None:
    """The crate that a file belongs to; None where no Cargo.toml is above it."""
    folders = list(_above(path))
    home = next((one for one in folders if posixpath.join(one, "Cargo.toml") in manifests), None)
    if home is None:
        return None
    own = _sections_of(posixpath.join(home, "Cargo.toml"), manifests)
    package, shared = own.get("package", ""), _sections_of("Cargo.toml", manifests).get("workspace.package", "")
    edition = _EDITION.search(shared if _SHARED.search(package) else package)
    named = tuple(posixpath.normpath(posixpath.join(home, one)) for one in _PATH.findall(own.get("lib", "")))
    starts = [(path,)] if _is_target(path) else [_starts(one) for one in folders[: folders.index(home) + 1]]
    roots = (tuple(one for one in group if one in paths) for group in (*starts, named))
    features = tuple(_KEY.findall(own.get("features", "")))
    return Crate(next(filter(None, roots), ()), edition[1] if edition else "2015", features)


def _above(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path


def _starts(folder: str) -> tuple[str, ...]:
    return posixpath.join(folder, "lib.rs"), posixpath.join(folder, "main.rs")


def _sections_of(manifest: str, manifests: Mapping[str, bytes]) -> dict[str, str]:
    return _sections(manifests.get(manifest, b"").decode("utf-8", "replace"))


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    if kind == "use":
        match = _USE.match(COMMENT.sub(" ", text))
        return [(path, (), kind) for path in branches(match[1])] if match else []
    found = (_MOD if kind == "mod" else _CRATE).search(text)
    return [(found[1], (), kind)] if found else []
