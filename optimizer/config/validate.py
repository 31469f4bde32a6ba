"""All faults in the user's and the project's files of settings and profiles, not only the first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from optimizer.config import profiles
from optimizer.config.document import Document, read_document
from optimizer.config.load import PROJECT_FILE, for_projects
from optimizer.config.paths import Places
from optimizer.config.servers import check_provider
from optimizer.config.values import given, leaves
from optimizer.errors import ConfigError


def files(places: Places, root: Path) -> tuple[Path, ...]:
    """The files that exist: settings of the user and of the project, and the user's profiles."""
    own = sorted(places.profiles.glob("*.toml")) if places.profiles.is_dir() else []
    return tuple(path for path in (places.config_file, root / PROJECT_FILE, *own) if path.exists())


def faults(path: Path, places: Places) -> Iterator[ConfigError]:
    """The faults of one of `files`, in the order of its lines. Raises StorageError when it cannot be read."""
    try:
        document = read_document(path)
        if document is None:
            return
        if path.parent == places.profiles:
            yield from _in_profile(document, places)
        else:
            yield from _in_settings(document, path == places.config_file, places)
            name = document.data.get("profile")
            if isinstance(name, str) and name not in ("", profiles.AUTO):
                profiles.resolve(name, places.profiles, document.place("profile"))
    except ConfigError as error:
        yield error


def _in_profile(document: Document, places: Places) -> Iterator[ConfigError]:
    name = document.path.stem
    if not profiles.NAME.fullmatch(name) or profiles.is_shipped(name):
        why = "is a shipped profile" if profiles.is_shipped(name) else "is not a valid profile name"
        yield ConfigError(f"{document.path}: {name!r} {why}; this file is not read", "rename the file")
        return
    profiles.resolve(name, places.profiles)


def _in_settings(document: Document, own: bool, places: Places) -> Iterator[ConfigError]:
    for key, value in leaves(document.data):
        if not own and not for_projects(key):
            yield ConfigError(
                f"{document.place(key)}: {key!r} is ignored: only your own configuration may set it", "remove it"
            )
            continue
        try:
            check_provider(given(document, key, value, "user"), places.models_file)
        except ConfigError as error:
            yield error
