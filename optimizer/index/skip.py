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

# Data rather than text to read: such files are listed, and found by their paths alone.
WORDLESS = (".po", ".pot", ".svg", ".csv", ".tsv", ".lock", ".map", ".min.js", ".min.css", ".geojson", ".pem", ".crt")


def has_words(path: str) -> bool:
    """Whether the words of a file are worth keeping, by its name alone."""
    return not path.endswith(WORDLESS)
