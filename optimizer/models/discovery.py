"""What servers say they hold, asked anew only after a while: the last word of each is kept in the state directory."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from optimizer.errors import ProviderError
from optimizer.privacy import private_file
from optimizer.providers import base
from optimizer.providers.door import Gate
from optimizer.providers.endpoints import Endpoint

FILE = "discovered.json"
KNOCK_SECONDS = 0.3
LIST_SECONDS = 3.0
LONGEST_KEPT = 90 * 86_400.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a server held at a time (seconds since the epoch): ids, bytes on its disk by id, and ids that are loaded."""

    ids: tuple[str, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)
    resident: tuple[str, ...] = ()
    at: float = 0.0


def discover(endpoint: Endpoint, gate: Gate, seconds: float) -> Found:
    """What the server holds, as it said no more than `seconds` ago.

    Raises the tree of ProviderError, ConsentMissing.
    """
    known = last_known(endpoint, gate.state)
    if known and 0 <= time.time() - known.at < seconds:
        return known
    limits = replace(
        gate.limits,
        connect=KNOCK_SECONDS,
        first=LIST_SECONDS,
        load=LIST_SECONDS,
        stall=LIST_SECONDS,
        answer=LIST_SECONDS,
    )
    asking = replace(gate, limits=limits)
    found = _ollama(endpoint, asking) if endpoint.vendor.manages_models else _compatible(endpoint, asking)
    _keep(endpoint, gate.state, found)
    return found


def last_known(endpoint: Endpoint, state: Path) -> Found | None:
    """What the server said last, however long ago; None when it never did, or the record cannot be read."""
    try:
        row = json.loads((state / FILE).read_bytes())[_name(endpoint)]
        sizes = {str(name): int(size) for name, size in row["sizes"].items()}
        return Found(tuple(map(str, row["ids"])), sizes, tuple(map(str, row["resident"])), float(row["at"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def forget(endpoint: Endpoint, state: Path) -> None:
    """Ask the server itself the next time; for when its models have changed."""
    _keep(endpoint, state, None)


def _ollama(endpoint: Endpoint, gate: Gate) -> Found:
    from optimizer.providers.ollama import open_shelf

    with open_shelf(endpoint, gate) as shelf:
        held = shelf.held()
        resident: tuple[str, ...] = ()
        with contextlib.suppress(ProviderError):  # what is loaded is good to know, no more
            resident = tuple(one.id for one in shelf.running())
    ids = tuple(one.id for one in held if one.id)
    return Found(ids, {one.id: one.size for one in held}, resident, time.time())


def _compatible(endpoint: Endpoint, gate: Gate) -> Found:
    provider = base.open_provider(endpoint, gate)
    try:
        return Found(tuple(filter(None, provider.models())), at=time.time())
    finally:
        provider.close()


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.provider} {endpoint.account}"


def _keep(endpoint: Endpoint, state: Path, found: Found | None) -> None:
    """A record that cannot be written costs a question more the next time, and nothing else."""
    path = state / FILE
    with contextlib.suppress(OSError), private_file.alone(path):
        rows = _rows(path)
        rows.pop(_name(endpoint), None)
        if found:
            rows[_name(endpoint)] = asdict(found)
        private_file.replace(path, json.dumps(rows))


def _rows(path: Path) -> dict[str, Any]:
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    oldest = time.time() - LONGEST_KEPT
    whole = rows if isinstance(rows, dict) else {}
    return {name: row for name, row in whole.items() if isinstance(row, dict) and row.get("at", 0) > oldest}
