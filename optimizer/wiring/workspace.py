"""Where a run takes place, and how it is configured."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from optimizer.errors import InputError
from optimizer.git.owner import is_ours, may_configure
from optimizer.index.files import Root, find_root

if TYPE_CHECKING:
    from optimizer.config.load import Config
    from optimizer.retrieval import Query


class Start(NamedTuple):
    """Where a run starts: a directory of the project, the environment, and settings from flags by dotted key.

    `looks` starts git's listing of the files at once, for an index that is refreshed first of all; it works while the
    rest is loaded. With `profile = "auto"` the words of `query` choose the profile. `may_walk` decides whether a
    folder outside git with more than so many files is indexed. `passphrase` asks for that of the stored keys, None
    where nobody can be asked.
    """

    project: Path
    env: Mapping[str, str]
    flags: Mapping[str, object]
    project_config: bool = True
    looks: bool = False
    query: Query | None = None
    may_walk: Callable[[Path, int], bool] = lambda *_: False
    passphrase: Callable[[bool], str] | None = None

    def profile(self, keywords: Mapping[str, str]) -> str:
        """The profile that the kind of work chooses, by these words of the user's too; '' where there is none."""
        if self.query is None:
            return ""
        from optimizer.routing.classify import kind_of
        from optimizer.routing.policy import profile_for

        return profile_for(kind_of(self.query, keywords)[0])


class Project(NamedTuple):
    """A repository with its configuration."""

    root: Root
    config: Config

    @property
    def journal(self) -> Path:
        """Where edits are journalled."""
        return self.config.places.journal


def project(start: Start, notice: Callable[[str], None]) -> Project:
    """The repository that holds `start.project`, recovered; no store is opened. Errors as in `services`."""
    return configured(root_of(start.project, start.env), start, notice)


def configured(root: Root, start: Start, notice: Callable[[str], None]) -> Project:
    """A repository with its configuration, recovered; raises ConfigError, StorageError."""
    found = Project(root, settings_at(root, start, notice))
    _recover(root.path, found.journal, notice)
    return found


def settings_at(root: Root, start: Start, notice: Callable[[str], None], known: Container[str] = ()) -> Config:
    """The configuration that holds at `root`; `notice` gets its messages for people, except those `known` already.

    Raises ConfigError, StorageError.
    """
    from optimizer.config.load import PROJECT_FILE, load

    file = root.path / PROJECT_FILE
    obeyed = start.project_config and (not os.path.lexists(file) or may_configure(root.path, file))
    config = load(root.path if obeyed else None, start.env, start.flags, start.profile, root.path)
    if warning := _foreign(root, obeyed or not start.project_config):
        config = config._replace(notices=(*config.notices, warning))
    for line in config.notices:
        if line not in known:
            notice(line)
    return config


def _foreign(root: Root, obeyed: bool) -> str:
    """What a person should know of a project that is another user's, or whose settings are; '' for one's own."""
    ours = is_ours(root.path)
    if ours and obeyed and root.outer is None:
        return ""
    from optimizer.agent.notes import NAMES
    from optimizer.config.load import PROJECT_FILE
    from optimizer.report import progress

    if root.outer is not None:
        return progress.others(str(root.outer), above=True)
    if ours:
        return progress.another_users(str(root.path / PROJECT_FILE))
    counts = root.git or any(os.path.lexists(root.path / name) for name in (PROJECT_FILE, *NAMES))
    return progress.others(str(root.path)) if counts else ""


def root_of(project: Path, env: Mapping[str, str]) -> Root:
    """The repository that holds `project`; raises InputError for a place that is no project."""
    if not project.is_dir():
        raise InputError(f"{project} is not a directory", "give --project a repository, or leave it out")
    root = find_root(project)
    home = env.get("HOME") or env.get("USERPROFILE") or "/"
    if not root.git and root.path in (Path(home), Path(root.path.anchor)):
        raise InputError(
            f"{root.path} is not a project: indexing it would read everything you have",
            "go into a repository, or name one with --project",
        )
    return root


def _recover(root: Path, journal: Path, notice: Callable[[str], None]) -> None:
    if journal.exists():
        from optimizer.edits.journalled import recover

        if line := recover(root, journal):
            notice(line)
