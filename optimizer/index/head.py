"""Which commit HEAD means, told without git."""

from __future__ import annotations

from pathlib import Path

from optimizer.index.regular import read_file


def head_mark(root: Path) -> str:
    """A text that differs whenever HEAD may mean another commit, told without git; '' when it cannot be told."""
    own = _git_folder(root)
    head = _text(own / "HEAD") if own else ""
    if own is None or not head:
        return ""
    common = own / (_text(own / "commondir") or ".")
    parts = [_stat(common / "shallow"), head, _text(common / "reftable" / "tables.list")]
    if head.startswith("ref: refs/") and ".." not in head:
        name = head.removeprefix("ref: ")
        value = _text(common / name) or _text(own / name)
        parts += [value or _stat(common / "packed-refs")]
    return "\n".join(parts)


def same_end(mark: str, other: str) -> bool:
    """Whether history ends where it did: a shallow clone that was deepened since has more of it."""
    return mark.partition("\n")[0] == other.partition("\n")[0]


def _git_folder(root: Path) -> Path | None:
    place = root / ".git"
    if place.is_dir():
        return place
    told = _text(place)
    return root / told.removeprefix("gitdir: ") if told.startswith("gitdir: ") else None


def _text(path: Path) -> str:
    try:
        return (read_file(str(path)) or b"").decode().strip()
    except ValueError:
        return ""


def _stat(path: Path) -> str:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
