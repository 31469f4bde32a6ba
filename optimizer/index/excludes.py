"""The rules that git takes from outside a working tree, found without git: `info/exclude` and `core.excludesFile`.

They are needed where git is missing or refuses a repository. Every place that may name a file of rules counts, where
git would let the last one win: that hides more, never less.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from optimizer.git.run import environment
from optimizer.git_folders import named_folders
from optimizer.index.ignore_rules import Rules, rules_of
from optimizer.index.regular import read_file

MOST_INCLUDES = 20
_SYSTEM = ("/etc/gitconfig", "/usr/local/etc/gitconfig", "/opt/homebrew/etc/gitconfig")
_SECTION = re.compile(r"\s*\[\s*([\w.-]+)(?:\s+\"(?:[^\"\\]|\\.)*\")?\s*\]")
_ENTRY = re.compile(r"\s*([\w-]+)\s*=\s*(.*)$", re.DOTALL)
_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"?|([#;])|((?:[^"#;\\]|\\.)+)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NAMING = {("core", "excludesfile"), ("include", "path"), ("includeif", "path")}


def rules_outside(folder: bytes, prefix: bytes) -> list[Rules]:
    """The rules for the repository (or plain folder) at `folder`; those that count least come first.

    `prefix` is where its files lie among the paths that are asked about, with `/` at the end or b''.
    """
    root = Path(os.fsdecode(folder))
    home = environment(root)
    git_folders = _git_folders(root)
    configs = [*_user_configs(home), *(one / name for one in git_folders for name in ("config", "config.worktree"))]
    named = dict.fromkeys((*_usual(home), *_named(configs, root, home)))
    files = [*named, *(str(one / "info" / "exclude") for one in git_folders)]
    return [rules_of(data, prefix) for file in files if (data := read_file(file, through_links=True))]


def _git_folders(root: Path) -> tuple[Path, ...]:
    own = named_folders(root)
    return own[::-1] or (root / ".git",)


def _usual(home: dict[str, str]) -> Iterator[str]:
    """Where the user's own rules are if no configuration names a file."""
    for folder in _settings_folders(home):
        yield f"{folder}/git/ignore"


def _settings_folders(home: dict[str, str]) -> Iterator[str]:
    if given := home.get("XDG_CONFIG_HOME"):
        yield given
    if "HOME" in home:
        yield f"{home['HOME']}/.config"


def _user_configs(home: dict[str, str]) -> Iterator[Path]:
    system = home.get("GIT_CONFIG_SYSTEM")
    yield from map(Path, (system,) if system else _SYSTEM)
    for folder in _settings_folders(home):
        yield Path(folder, "git", "config")
    if "HOME" in home:
        yield Path(home["HOME"], ".gitconfig")
    if given := home.get("GIT_CONFIG_GLOBAL"):
        yield Path(given)


def _named(configs: list[Path], root: Path, home: dict[str, str]) -> Iterator[str]:
    """The files that `core.excludesFile` names in some files of configuration and in those that they include."""
    pending = list(reversed(configs))
    left = len(pending) + MOST_INCLUDES
    while pending and left:
        left -= 1
        config = pending.pop()
        text = (read_file(str(config), through_links=True) or b"").decode("utf-8", "surrogateescape")
        for section, value in _entries(text):
            path = value if not value.startswith("~/") else f"{home.get('HOME', '')}/{value[2:]}"
            if section == "core":
                yield os.path.join(root, os.path.expanduser(path))  # noqa: PTH118, PTH111
            else:
                pending.append(config.parent / path)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """The sections and values of the entries that matter; all else of git's configuration is passed over."""
    section = ""
    for line in re.sub(r"\\\r?\n", "", text).splitlines():
        while header := _SECTION.match(line):
            section, line = header[1].lower(), line[header.end() :]
        entry = _ENTRY.match(line)
        if entry and (section, entry[1].lower()) in _NAMING:
            yield section, _value(entry[2])


def _value(written: str) -> str:
    value = ""
    for quoted, comment, plain in _PIECE.findall(written.strip()):
        if comment:
            break
        value += _ESCAPE.sub(r"\1", quoted or plain)
    return value.strip()
