"""Elixir modules → files by name: `Acme.HTTPClient` is in `acme/http_client.ex`, or in the file of `Acme`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import suffixes
from optimizer.languages.modules.statements import Read

_STATEMENT = re.compile(r"(\w+)[\s(]+([A-Z][\w.]*?)(?:\.\{([^{}]*)\})?(?![\w.])")

Names = Mapping[str, tuple[str, ...]]
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Names:
    """Elixir files by name."""
    return suffixes.by_name(path for path in paths if path.endswith((".ex", ".exs")))


def resolve(path: str, raw: RawImport, table: Names) -> Iterator[tuple[str, str | None]]:
    """The file named after the module or the module around it; None outside the repository."""
    parts = _HUMP.sub("_", raw.module).lower().split(".")
    for end in range(len(parts), min(len(parts), 2) - 1, -1):
        place = "/".join(parts[:end])
        candidates = [file for ending in (".ex", ".exs") for file in suffixes.ending_in(place + ending, table)]
        if found := suffixes.nearest(path, candidates):
            yield raw.module, found
            return
    yield raw.module, None


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    match = _STATEMENT.match(text)
    if match is None:
        return []
    if match[3] is None:
        return [(match[2], (), match[1])]
    return [(f"{match[2]}.{name}", (), match[1]) for part in match[3].split(",") if (name := part.strip())]
