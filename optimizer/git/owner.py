"""Whose a folder is, judged as git judges it: a repository of another user configures nothing."""

from __future__ import annotations

import os
from pathlib import Path

from optimizer.git.run import find_git, run
from optimizer.git_folders import named_folders

SECONDS = 10.0
_ROOT = 0


def owner(place: Path) -> int | None:
    """The number of the user that owns a file or folder, without following a link; None when unknown."""
    try:
        return place.lstat().st_uid
    except OSError:
        return None


def is_ours(folder: Path) -> bool:
    """Whether git would obey a repository (or plain folder): its owner is the user, or `safe.directory` names it.

    As in `ensure_valid_ownership` of git, the folder, its `.git` and the directory that this names are looked at; root
    may be whoever called sudo.
    """
    if not hasattr(os, "geteuid"):
        return True
    places = (folder, folder / ".git", *named_folders(folder)[:1])
    return all(_is_own(owner(place)) for place in places) or _is_declared_safe(folder)


def may_configure(folder: Path, file: Path) -> bool:
    """Whether a file of a project may say what the program does: neither it nor its project is another user's."""
    if not hasattr(os, "geteuid"):
        return True
    owners = {owner(file), owner(Path(os.path.realpath(file)))}
    return is_ours(folder) and all(_is_own(one) or one in (_ROOT, owner(folder)) for one in owners)


def _is_own(found: int | None) -> bool:
    """Whether a user is the one that runs this; what is not there belongs to nobody."""
    user = os.geteuid()
    caller = os.environ.get("SUDO_UID", "") if user == _ROOT else ""
    return found in (None, user) or caller == str(found)


def _is_declared_safe(folder: Path) -> bool:
    """Whether the user's or the system's configuration lists a folder; an empty entry empties the list."""
    git = find_git(folder)
    asked = ["config", "-z", "--type=path", "--get-all", "safe.directory"]
    # outside of any repository, for none may declare itself safe
    listed = run(git, folder, asked, SECONDS, {"GIT_DIR": os.devnull}) if git else None
    names = {str(folder), os.path.realpath(folder)}
    safe = False
    for entry in (listed or b"").split(b"\0")[:-1]:
        named = os.fsdecode(entry)
        below = named.removesuffix("*") if named.endswith("/*") else None
        safe = bool(named) and (
            safe or named == "*" or named in names or any(below and name.startswith(below) for name in names)
        )
    return safe
