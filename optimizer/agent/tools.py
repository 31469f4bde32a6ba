"""The tools offered to a model that can call them."""

from __future__ import annotations

from optimizer.toolspec import ToolSpec

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

SEARCH_CODE = ToolSpec(
    "search_code",
    "Lines of the repository that hold this exact text.",
    {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
)

FIND_SYMBOL = ToolSpec(
    "find_symbol",
    "Where a name is defined and used.",
    {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
)

READ_FILE = ToolSpec(
    "read_file",
    "Lines start..end of a file, or the files of a folder.",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "start": {"type": "integer"}, "end": {"type": "integer"}},
        "required": ["path"],
    },
)

RUN_TESTS = ToolSpec(
    "run_tests",
    "Run these test files, or the tests your edits reach, on your edits so far.",
    {"type": "object", "properties": {"paths": {"type": "array", "items": {"type": "string"}}}},
)

EDIT_TOOLS = (EDIT_FILE, CREATE_FILE)
LOOK_TOOLS = (SEARCH_CODE, FIND_SYMBOL, READ_FILE)
ALL_TOOLS = (*EDIT_TOOLS, *LOOK_TOOLS, RUN_TESTS)


def offered(look: bool, tests: bool) -> tuple[ToolSpec, ...]:
    """The edit tools, with `look` those that read the repository, and with `tests` the one that runs its tests."""
    return (*EDIT_TOOLS, *(LOOK_TOOLS if look else ()), *((RUN_TESTS,) if look and tests else ()))
