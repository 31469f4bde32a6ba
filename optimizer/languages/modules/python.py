"""Python imports → files: packages under detected roots, relative imports, and scripts next to each other."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules.statements import Read

_FROM = re.compile(r"from\s*(.*?)\s*\bimport\b(.*)", re.S)
_NOISE = re.compile(r"#[^\n]*|\\\r?\n|[()]")

_PACKAGE = ("/__init__.py", "/__init__.pyi")
ROOT_NAMES = ("", "src", "lib", "python")


@dataclass(frozen=True, slots=True)
class Python:
    """The files, and for each top-level module the directories (import roots) that hold it."""

    paths: frozenset[str]
    tops: Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Python:
    """Find the import roots: the parents of outermost packages, and the usual source directories."""
    sources = [path for path in paths if path.endswith((".py", ".pyi"))]
    packages = {
        posixpath.dirname(path) for path in sources if posixpath.basename(path) in ("__init__.py", "__init__.pyi")
    }
    roots = {""} | {name for name in ROOT_NAMES[1:] if any(path.startswith(f"{name}/") for path in sources)}
    roots |= {
        posixpath.dirname(package) for package in packages if posixpath.dirname(package) not in packages and package
    }
    tops: dict[str, set[str]] = {}
    for path in sources:
        folder = path
        while folder:
            folder, name = posixpath.split(folder)
            if folder in roots:
                top = posixpath.splitext(name)[0] if name.endswith((".py", ".pyi")) else name
                tops.setdefault(top, set()).add(folder)
    return Python(
        paths, {top: tuple(sorted(found, key=lambda root: (root.count("/"), root))) for top, found in tops.items()}
    )


def resolve(path: str, raw: RawImport, table: Python) -> Iterator[tuple[str, str | None]]:
    """The modules an import names, each with its file; None for a module outside the repository."""
    level = len(raw.module) - len(raw.module.lstrip("."))
    parts = tuple(part for part in raw.module[level:].split(".") if part)
    here = posixpath.dirname(path)
    if level:
        above = here.split("/") if here else []
        if level - 1 > len(above):
            yield raw.module, None
            return
        base = "/".join(above[: len(above) - (level - 1)])
        candidates = [base]
    else:
        candidates = _roots(path, here, parts, table)
    yield from _below(raw, parts, candidates, table)


def _roots(path: str, here: str, parts: tuple[str, ...], table: Python) -> list[str]:
    found = list(table.tops.get(parts[0], ())) if parts else []
    if len(found) > 1:
        found.sort(key=lambda root: (not path.startswith(f"{root}/" if root else ""), -len(root)))
    if f"{here}/__init__.py" not in table.paths and here not in found:
        found.insert(0, here)
    return found


def _below(
    raw: RawImport, parts: tuple[str, ...], candidates: list[str], table: Python
) -> Iterator[tuple[str, str | None]]:
    inner = "/".join(parts)
    for root in candidates:
        place = f"{root}/{inner}" if root and inner else root or inner
        own = _file(place, table) if parts or raw.module.startswith(".") else None
        submodules: dict[str, str] = {}
        if own is None or f"/{own}".endswith(_PACKAGE):
            front = f"{place}/" if place else ""
            submodules = {name: found for name in raw.names if (found := _file(front + name, table))}
        if own is None and not submodules:
            continue
        separator = "" if raw.module.endswith(".") else "."
        for name, found in submodules.items():
            yield f"{raw.module}{separator}{name}", found
        if own is not None and len(submodules) < max(len(raw.names), 1):
            yield raw.module, own
        return
    yield raw.module, _nearest(parts, candidates, table)


def _nearest(parts: tuple[str, ...], candidates: list[str], table: Python) -> str | None:
    """The deepest package that does exist on the way to a module that does not (made at run time or compiled)."""
    for end in range(len(parts) - 1, 0, -1):
        for root in candidates:
            if found := _file(posixpath.join(root, *parts[:end]), table):
                return found
    return None


def _file(place: str, table: Python) -> str | None:
    """The file of a module; a package goes before a module of the same name, as in Python."""
    front = f"{place}/" if place else ""
    for candidate in (f"{front}__init__.py", f"{place}.py", f"{front}__init__.pyi", f"{place}.pyi"):
        if candidate in table.paths:
            return candidate
    return None


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    if "#" in text or "\\" in text or "(" in text:
        text = _NOISE.sub(" ", text)
    if match := _FROM.match(text):
        names = [words[0] for part in match[2].split(",") if (words := part.split())]
        return [("".join(match[1].split()), tuple(names), "from")]
    parts = text.removeprefix("import").split(",")
    return [(words[0], (), "import") for part in parts if (words := part.split())]
