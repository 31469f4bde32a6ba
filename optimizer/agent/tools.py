"""The tools offered to a model that can call them."""

from __future__ import annotations

from optimizer.types import ToolSpec

_PATH = {"type": "string", "description": "path as shown in the code headers"}

EDIT_FILE = ToolSpec(
    "edit_file",
    "Replace lines start..end (numbers as shown, both included) by content. end = start - 1 inserts before start.",
    {
        "type": "object",
        "properties": {
            "path": _PATH,
            "start": {"type": "integer"},
            "end": {"type": "integer"},
            "content": {"type": "string", "description": "the new lines, whole, without line numbers"},
        },
        "required": ["path", "start", "end", "content"],
    },
)

CREATE_FILE = ToolSpec(
    "create_file",
    "Create a new file.",
    {
        "type": "object",
        "properties": {"path": _PATH, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
)

EDIT_TOOLS = (EDIT_FILE, CREATE_FILE)
