"""What kind of file a path is, by its name alone: source, test, documentation, data, or code written by nobody here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from optimizer.index.languages import language_of

FileKind = Literal["source", "init", "declarations", "data", "test", "docs", "generated", "vendored", "minified"]

_MINIFIED = re.compile(r"[.-]min\.(?:js|css|mjs)$|\.(?:map|bundle\.js)$", re.IGNORECASE)
_VENDORED = re.compile(
    r"(?:^|/)(?:vendor|vendors|vendored|_vendor|third[_-]?party|3rdparty|node_modules|bower_components|site-packages|extern"
    r"|externals?|deps)/",
    re.IGNORECASE,
)
_GENERATED = re.compile(
    r"(?:^|/)(?:dist|build|out|generated|__generated__|gen)/|_pb2(?:_grpc)?\.pyi?$|\.pb\.(?:go|cc|h)$|[._](?:generated|gen)\."
    r"|(?:^|/)(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|composer\.lock|Cargo\.lock|Gemfile\.lock|poetry\.lock|uv\.lock|go\.sum)$",
    re.IGNORECASE,
)
_TEST = re.compile(
    r"(?:^|/)(?:tests?|testing|specs?|__tests__|testdata|test[_-]data|fixtures?|mocks?|e2e|benchmarks?|bench|benches)/"
    r"|(?:^|/)(?:tests?|specs?|conftest)\.\w+$|(?:^|/)test[_-][^/]*$|[._-](?:test|tests|spec|bench|cy)\.\w+$"
    r"|(?:^|/)[^/]*[a-z](?:Test|Tests|TestCase|Spec)\.\w+$|_(?:test|spec)s?\.\w+$",
)
_DOCS = re.compile(
    r"(?:^|/)(?:docs?|documentation|examples?|samples?|demos?|website|changelogs?|news|newsfragments|releases?)/"
    r"|\.(?:md|markdown|rst|adoc|txt|html?|ipynb|po|pot|svg)$|(?:^|/)(?:CHANGE|CHANGES|CHANGELOG|HISTORY|NEWS|README|LICENSE|COPYING|AUTHORS)\b",
    re.IGNORECASE,
)
_DECLARATIONS = re.compile(r"\.d\.[cm]?ts$|\.pyi$")
_INIT = re.compile(r"(?:^|/)__init__\.pyi?$")
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


def kind_of(path: str) -> FileKind:
    """The kind of a file by its path, `source` when nothing tells otherwise."""
    if _MINIFIED.search(path):
        return "minified"
    if _TEST.search(path):
        return "test"
    if _VENDORED.search(path):
        return "vendored"
    if _GENERATED.search(path):
        return "generated"
    if _DOCS.search(path):
        return "docs"
    if _DECLARATIONS.search(path):
        return "declarations"
    if _INIT.search(path):
        return "init"
    return "source" if language_of(path) is not None else "data"


def asks_for_tests(words: Iterable[str]) -> bool:
    """Whether a request is about tests themselves."""
    return any(word in _TEST_WORDS for word in words)
