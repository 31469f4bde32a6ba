"""The kind of a file, mostly by its path, and the files that a path or a name in a request refers to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Literal

from optimizer.languages import files_of_tests
from optimizer.languages.table import language_of

MOST_CANDIDATES = 8
PACKAGE_STEMS = ("__init__", "index", "mod")

FileKind = Literal["source", "init", "declarations", "data", "test", "docs", "generated", "vendored", "minified"]

_VENDORED = frozenset(
    {"vendor", "vendors", "vendored", "_vendor", "third_party", "third-party", "thirdparty", "3rdparty", "deps"}
    | {"node_modules", "bower_components", "site-packages", "extern", "external", "externals"}
)
_FOLDERS: tuple[tuple[FileKind, frozenset[str]], ...] = (
    ("test", files_of_tests.FOLDERS),
    ("vendored", _VENDORED),
    ("generated", frozenset({"dist", "build", "out", "generated", "__generated__", "gen"})),
    (
        "docs",
        frozenset(
            {"doc", "docs", "documentation", "example", "examples", "sample", "samples", "demo", "demos", "website"}
            | {"changelog", "changelogs", "news", "newsfragments", "releases"}
        ),
    ),
)
_MINIFIED = re.compile(r"[.-]min\.(?:js|css|mjs)$|\.(?:map|bundle\.js)$", re.IGNORECASE)
_NAMES: tuple[tuple[FileKind, re.Pattern[str]], ...] = (
    (
        "generated",
        re.compile(
            r"_pb2(?:_grpc)?\.pyi?$|\.pb\.(?:go|cc|h)$|[._](?:generated|gen)\.|^(?:package-lock\.json|pnpm-lock\.yaml|go\.sum)$"
            r"|^(?:yarn|composer|Cargo|Gemfile|poetry|uv)\.lock$"
        ),
    ),
    (
        "docs",
        re.compile(
            r"\.(?:md|markdown|rst|adoc|txt|html?|ipynb|po|pot|svg)$"
            r"|^(?:CHANGES?|CHANGELOG|HISTORY|NEWS|README|LICENSE|COPYING|AUTHORS)\b",
            re.IGNORECASE,
        ),
    ),
    ("declarations", re.compile(r"\.d\.[cm]?ts$|\.pyi$")),
    ("init", re.compile(r"^__init__\.py$")),
)
_CODE_TEXT = """
y yy l ll cu kt kts cs swift scala lua ex exs erl sh bash sql vue svelte proto pl pm r jl hs ml clj dart zig m mm pyx
pxd cmake f90 tf hcl
"""
_CODE = frozenset(_CODE_TEXT.split())
_TEST_WORDS = frozenset(
    {
        "test",
        "tests",
        "testing",
        "spec",
        "specs",
        "pytest",
        "unittest",
        "fixture",
        "fixtures",
        "benchmark",
        "benchmarks",
    }
)


@lru_cache(maxsize=1 << 14)
def kind_of(path: str, origin: Literal["", "generated", "minified"] = "") -> FileKind:
    """The kind of a file by its path and by the origin found in its bytes; `source` by default."""
    folder, _, name = path.rpartition("/")
    by_name = _by_name(name)
    if by_name in ("minified", "test"):
        return by_name
    return _by_folder(folder) or by_name or origin or ("source" if _holds_code(path) else "data")


def _holds_code(path: str) -> bool:
    language = language_of(path)
    if language is None or language.described:
        return path.rpartition(".")[2] in _CODE
    return not language.outline


@lru_cache(maxsize=1 << 14)
def _by_folder(folder: str) -> FileKind | None:
    parts = set(folder.lower().split("/"))
    return next((kind for kind, names in _FOLDERS if not parts.isdisjoint(names)), None)


def vendored_folder(path: str) -> str:
    """The outermost folder around a file whose name says that others wrote what it holds; '' where there is none."""
    parts = path.split("/")[:-1]
    at = next((at for at, part in enumerate(parts) if part.lower() in _VENDORED), -1)
    return "/".join(parts[: at + 1])


def _by_name(name: str) -> FileKind | None:
    if _MINIFIED.search(name):
        return "minified"
    if files_of_tests.serves_tests(name):
        return "test"
    return next((kind for kind, pattern in _NAMES if pattern.search(name)), None)


def asks_for_tests(words: Iterable[str]) -> bool:
    """Whether a request is about tests themselves."""
    return any(word in _TEST_WORDS for word in words)


# ── paths in requests ────────────────────────────────────────────────────────────────────────────


def files_named(named: str, paths: Collection[str]) -> Sequence[str]:
    """The files whose path ends with the longest tail of `named` that matches any file; none when too many match.

    Leading parts of another machine are skipped: `/home/me/project/src/a.py` finds `src/a.py`.
    """
    parts = [part for part in re.split(r"[/\\]", named) if part not in ("", ".", "..")]
    same = [path for path in paths if path.endswith(parts[-1])] if parts else []
    for start in range(len(parts) if same else 0):
        tail = "/".join(parts[start:])
        ends = [path for path in same if path == tail or path.endswith("/" + tail)]
        if ends:
            exact = [path for path in ends if path == tail]
            return exact or (ends if len(ends) <= MOST_CANDIDATES else ())
    return ()


def whole(named: str, path: str) -> bool:
    """Whether a path ends with `named`, which has several parts."""
    named = named.lstrip("./")
    return "/" in named and (path == named or path.endswith("/" + named))


def modules_named(dotted: str, paths: Collection[str]) -> Sequence[str]:
    """The files that the longest prefix of a dotted name refers to, of two or more parts; none when too many match."""
    parts = dotted.split(".")
    for end in range(len(parts), 1, -1):
        run = "/".join(parts[:end])
        starts = (f"/{run}.", *(f"/{run}/{stem}." for stem in PACKAGE_STEMS))
        found = [path for path in paths if run in path and any(start in f"/{path}" for start in starts)]
        if found:
            return found if len(found) <= MOST_CANDIDATES else ()
    return ()


def name_of(path: str) -> str:
    """The name of a file without extension; for `__init__` and similar files, the name of the folder."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return folder.rpartition("/")[2] if stem in PACKAGE_STEMS else stem
