"""How a command ended on the tree without any patch, cached as long as the tree stays the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from optimizer.confine.run import Ended
from optimizer.index.files import listing
from optimizer.verify.commands import Means, bounds
from optimizer.verify.results import Results

TREE = Path("/without-the-change")
"""Replaces the folder of the copy in the output of a cached run."""
KEPT = 20


def recall(means: Means, argv: tuple[str, ...], contents: Mapping[str, bytes | None]) -> tuple[Ended, Results] | None:
    """How the command and its tests ended before on this tree with `contents` in place of its files; None: unknown."""
    try:
        ended, results = json.loads(_file(means, argv, contents).read_text("utf-8"))
        return Ended(**ended), Results(**results)
    except (OSError, ValueError, TypeError):
        return None


def remember(
    means: Means, argv: tuple[str, ...], contents: Mapping[str, bytes | None], ended: Ended, results: Results
) -> None:
    """Cache how the command and its tests ended, unless it was stopped or could not start; the oldest are deleted."""
    if ended.missing or ended.code is None:
        return
    file = _file(means, argv, contents)
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps([ended._asdict(), results._asdict()]), "utf-8")
        temporary.replace(file)
        for old in sorted(file.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)


def _file(means: Means, argv: tuple[str, ...], contents: Mapping[str, bytes | None]) -> Path:
    """Named by all that the run depends on: the files with their sizes and times, the command and the limits."""
    found = listing(means.root)
    limits = bounds(means, means.settings.verify_seconds), means.env.get("PATH", "")
    key = repr((str(means.root.path), found.paths, found.stats, sorted(contents.items()), argv, limits))
    return means.cache / "earlier" / f"{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}.json"
