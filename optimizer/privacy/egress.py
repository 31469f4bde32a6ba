"""The egress log: one JSON line for every request that left this machine or was stopped at the door."""

from __future__ import annotations

import json
import os
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path

from optimizer.errors import StorageError

FILE = "egress.jsonl"


@dataclass(frozen=True, slots=True)
class Egress:
    """One request: UTC time, where to, for which repository, payload size and digest, and whether it went out; of the
    pictures in it, bytes together and the SHA-256 of each."""

    at: str
    destination: str
    host: str
    repository: str
    model: str
    bytes: int
    sha256: str
    allowed: bool
    reason: str = ""
    image_bytes: int = 0
    images: tuple[str, ...] = ()


def log(state: Path, entry: Egress) -> None:
    """Append an entry; raises StorageError, and then nothing may be sent."""
    line = json.dumps(asdict(entry), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(state / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(handle, line) != len(line):
                raise StorageError("the egress log was not written whole: nothing is sent", "free some disk space")
        finally:
            os.close(handle)
    except OSError as error:
        raise StorageError(
            f"the egress log cannot be written ({error.strerror}); nothing was sent", f"check {state / FILE}"
        ) from None


def entries(state: Path) -> tuple[Egress, ...]:
    """All entries, oldest first; a line that a crash left half-written is passed over."""
    try:
        lines = (state / FILE).read_bytes().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise StorageError(f"the egress log cannot be read ({error.strerror})", f"check {state / FILE}") from None
    names = {one.name for one in fields(Egress)}
    needed = {one.name for one in fields(Egress) if one.default is MISSING}
    found: list[Egress] = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and needed <= row.keys():
            entry = Egress(**{name: row[name] for name in names & row.keys()})
            found.append(replace(entry, images=tuple(entry.images)))
    return tuple(found)
