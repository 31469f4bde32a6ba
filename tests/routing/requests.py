"""The labelled requests: what is typed or piped, the kind of work, and whether edits are wanted."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

EDITING = frozenset({"edit", "refactor", "test", "debug"})


class Labelled(NamedTuple):
    """A request with its labels."""

    text: str
    piped: str
    kind: str
    edits: bool


def labelled(half: str) -> list[Labelled]:
    """The requests of `tune`, `held` or `fresh`."""
    table = tomllib.loads(Path(__file__).with_name("requests.toml").read_text(encoding="utf-8"))
    found = [_labelled(text, "", kind) for kind, texts in table[half].items() for text in texts]
    return found + [_labelled(row["text"], row["piped"], row["kind"]) for row in table["piped"] if row["half"] == half]


def _labelled(text: str, piped: str, kind: str) -> Labelled:
    return Labelled(text, piped, "debug" if kind == "diagnose" else kind, kind in EDITING)
