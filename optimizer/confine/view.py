"""What a command sees of the machine, as a list of mounts: everything that is not in it is not there."""

# ruff: noqa: PTH110, PTH112, PTH114  # pathlib's questions raise where a folder may not be read

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from optimizer.confine import toolchains

PACKAGES = ("node_modules", ".venv", "venv", "vendor")
"""Folders of a repository that hold what was installed: mounted into its copy instead of copied."""


class Place(NamedTuple):
    """Where a command runs: the user's repository, and the area that holds `tree`, `home` and `tmp`."""

    root: Path
    area: Path

    @property
    def tree(self) -> Path:
        """The copy of the repository."""
        return self.area / "tree"


class Mount(NamedTuple):
    """A real path of the machine, and where the command sees it."""

    source: str
    target: str
    writable: bool = False


class View(NamedTuple):
    """All that a command sees: mounts, those that contain others first, and symbolic links as (path, text)."""

    mounts: tuple[Mount, ...]
    links: tuple[tuple[str, str], ...]


def view(place: Place, programs: tuple[str, ...], env: Mapping[str, str], more: tuple[str, ...] = ()) -> View:
    """What a command sees: its copy, the tool chains, and `more` paths that the user's settings name.

    `programs` are the program and the folders of PATH; `env` is the user's environment.
    """
    home = Path(env.get("HOME") or env.get("USERPROFILE") or Path("~").expanduser())
    area = Path(os.path.realpath(place.area))
    private = tuple(os.path.realpath(path) for path in (place.root, home, area))
    links: dict[str, str] = {}
    own = tuple(path for path in programs if not Path(path).is_relative_to(area))
    installed = [path for name in PACKAGES if os.path.isdir(path := place.root / name) and not os.path.islink(path)]
    readable = (*_readable(own, home, env, more), *installed)
    found = _outermost({_resolve(str(path), links) for path in readable}, private)
    mounts = [Mount(path, path) for path in found]
    mounts += [Mount(str(area / "empty"), path) for path in private if _is_within(path, found)]
    mounts += [Mount(str(area / "tmp"), "/tmp", writable=True)]
    mounts += [Mount(str(area / name), str(area / name), writable=True) for name in ("tree", "home", "tmp")]
    mounts += [*_packages(installed, area / "tree"), *_caches(area / "home", home, env)]
    needed = tuple((path, text) for path, text in links.items() if not _is_within(path, found))
    return View(tuple(sorted(mounts, key=lambda mount: mount.target.count("/"))), needed)


def without_planted(seen: View) -> None:
    """Remove links that an earlier command left where something is mounted now: a mount would be made where they lead.

    For when no command runs. Raises OSError.
    """
    writable = [mount for mount in seen.mounts if mount.writable]
    for mount in seen.mounts:
        for outer in writable:
            if mount.target.startswith(f"{outer.target}/"):
                _unlink_on_the_way(Path(outer.source), mount.target.removeprefix(f"{outer.target}/"))


def _unlink_on_the_way(folder: Path, rest: str) -> None:
    for name in rest.split("/"):
        folder /= name
        if folder.is_symlink():
            folder.unlink()


def _readable(programs: tuple[str, ...], home: Path, env: Mapping[str, str], more: tuple[str, ...]) -> Iterator[Path]:
    yield from toolchains.installed(home, env)
    yield from map(Path, more)
    for program in programs:
        yield from toolchains.prefix(Path(program) if os.path.isdir(program) else Path(program).parent, home)
        for path in {os.path.realpath(program), *toolchains.started_by(program)}:
            yield from toolchains.led_to(Path(path), home)


def _outermost(paths: set[str], private: tuple[str, ...]) -> tuple[str, ...]:
    """Those that no other one contains; a path that contains a private one only where it is of the system."""
    kept: list[str] = []
    for path in sorted(path for path in paths if os.path.exists(path)):
        contains = any(Path(one).is_relative_to(path) for one in private)
        if not _is_within(path, kept) and (not contains or toolchains.is_of_system(path)):
            kept.append(path)
    return tuple(kept)


def _is_within(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _resolve(path: str, links: dict[str, str]) -> str:
    """The real path; each symbolic link on the way to it is added to `links`."""
    real, pending = os.path.realpath(path), Path(path)
    while str(pending) != real:
        here = next((one for one in (*reversed(pending.parents), pending) if os.path.islink(one)), None)
        if here is None or str(here) in links:
            break
        links[str(here)] = str(here.readlink())
        pending = Path(os.path.normpath(here.parent / here.readlink() / pending.relative_to(here)))
    return real


def _packages(installed: Iterable[Path], tree: Path) -> Iterator[Mount]:
    """What is installed in the repository, in its copy, but where that has files of its own."""
    for source in installed:
        if not any((tree / source.name).glob("*")):
            yield Mount(os.path.realpath(source), str(tree / source.name))


def _caches(made: Path, home: Path, env: Mapping[str, str]) -> Iterator[Mount]:
    """Packages that tools look for below the home, in the home of the command."""
    for name in toolchains.IN_HOME:
        for part, path in toolchains.parts(name, home, env):
            yield Mount(os.path.realpath(path), str(made / toolchains.KINDS[name].folder / part))
