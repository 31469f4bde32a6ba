"""What is left out of an index by its name alone."""

from __future__ import annotations

SKIPPED_FOLDERS = (
    ".git",
    ".hg",
    ".svn",
    ".jj",
    "node_modules",
    "bower_components",
    "__pycache__",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".eggs",
    ".gradle",
    ".terraform",
    ".idea",
    ".cache",
)
