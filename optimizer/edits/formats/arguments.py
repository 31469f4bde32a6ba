"""What a named call and its arguments are: an edit by our own tools or those of other programs, or a look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from optimizer.edits.edit import Create, Delete, Edit, LineEdit, Move, Replace, Whole
from optimizer.edits.formats import blocks, diff, patch
from optimizer.edits.formats.found import Excerpt, Found, joined
from optimizer.types import ToolCall

Kind = Literal["edit", "create", "write", "delete", "move", "insert", "patch", ""]

_KINDS: Mapping[Kind, str] = {
    "edit": "edit_file edit replace str_replace str_replace_editor str_replace_based_edit_tool search_replace update"
    " search_and_replace replace_in_file apply_diff multi_edit multiedit update_file modify_file replace_text modify",
    "create": "create_file create new_file",
    "write": "write_file write write_to_file overwrite_file save_file",
    "delete": "delete_file delete remove_file remove",
    "move": "move_file rename_file move rename",
    "insert": "insert insert_text",
    "patch": "apply_patch",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_NAMES = {
    "path": ("path", "file", "file_path", "filename", "filepath", "target_file", "relative_path", "absolute_path"),
    "search": ("search", "old", "old_string", "old_str", "old_text", "find", "original", "oldText", "oldString"),
    "replace": (
        "replace",
        "new",
        "new_string",
        "new_str",
        "new_text",
        "replacement",
        "updated",
        "newText",
        "newString",
    ),
    "start": ("start", "start_line", "line_start"),
    "end": ("end", "end_line", "line_end"),
    "content": ("content", "new_content", "text", "contents", "file_text", "insert_text"),
    "to": ("to", "new_path", "destination", "target", "move_to", "rename_to"),
    "diff": ("diff", "patch", "input", "blocks", "patch_text"),
    "line": ("insert_line", "line"),
}
NUMBERS = frozenset({*_NAMES["start"], *_NAMES["end"], *_NAMES["line"]})
CONTENTS = frozenset(_NAMES["content"])
LOOKS = frozenset({"search_code", "find_symbol", "read_file", "run_tests"})
"""The tools that change nothing, of those that models are offered here."""
LISTS = ("edits", "changes", "files", "tool_calls", "calls", "operations")
_MARKS = frozenset({*_NAMES["search"], *_NAMES["content"], *_NAMES["to"]})
MAX_EDITS = 1000


def kind_of(name: str) -> Kind:
    """What a tool of that name does to a file; '' for a tool that is none of edits."""
    bare = name.lower().replace("-", "_")
    return _KIND_OF.get(bare) or _KIND_OF.get(bare.rpartition(".")[2], "")


def is_known(name: str) -> bool:
    """Whether a tool of that name edits a file, or is one of those to look around."""
    return name in LOOKS or bool(kind_of(name))


def read_call(name: str, arguments: Mapping[str, Any]) -> Found:
    """What a call of a known tool is; nothing for any other."""
    if name in LOOKS:
        bare = {key: value.strip("\n") if isinstance(value, str) else value for key, value in arguments.items()}
        return Found(
            0, looks=(ToolCall(name, bare),) if "properties" not in bare else ()
        )  # else it is the tool's schema
    return edit_of(name, arguments) if kind_of(name) else Found(0)


def is_own(name: str) -> bool:
    """Whether it is one of the two tools that models are offered here."""
    return name in ("edit_file", "create_file")


def is_edit(value: Mapping[str, Any]) -> bool:
    """Whether an object without a name of a tool is an edit, by its keys."""
    return bool(value.keys() & _MARKS) or value.get("delete") is True


def path_of(value: Mapping[str, Any]) -> Any:
    """The path in an object; None without one."""
    return _pick(value, "path")


def edit_of(tool: str, arguments: Mapping[str, Any]) -> Found:
    """The edits of a call, or of an object whose `type` or `action` is `tool`."""
    kind = _by_command(kind_of(tool), arguments)
    given = _pick(arguments, "diff")
    path = path_of(arguments)
    if isinstance(given, str) and (kind == "patch" or (isinstance(path, str) and _pick(arguments, "search") is None)):
        return _from_text(tool, given, path if isinstance(path, str) else "")
    if not isinstance(path, str) or not path:
        return _wrong(tool, "it names no file")
    for key in LISTS:
        if kind == "edit" and isinstance(arguments.get(key), list):
            return _several(tool, path, arguments[key])
    if wrong := _mistyped(arguments):
        return _wrong(tool, wrong)
    edit = _edit(kind, path, arguments)
    return _wrong(tool, edit) if isinstance(edit, str) else Found(0, (edit,))


def _by_command(kind: Kind, arguments: Mapping[str, Any]) -> Kind:
    command = arguments.get("command")
    if kind == "edit" and isinstance(command, str) and kind_of(command):
        return kind_of(command)
    return "delete" if arguments.get("delete") is True and kind != "create" else kind


def _mistyped(arguments: Mapping[str, Any]) -> str:
    texts = [_pick(arguments, name) for name in ("search", "replace", "content", "to")]
    if any(value is not None and not isinstance(value, str) for value in texts):
        return "a text is not a string"
    numbers = [_pick(arguments, name) for name in ("start", "end", "line")]
    if any(value is not None and (isinstance(value, bool) or not isinstance(value, int)) for value in numbers):
        return "a line number is not an integer"
    return ""


def _edit(kind: Kind, path: str, arguments: Mapping[str, Any]) -> Edit | str:
    """The edit, or what is wrong with it."""
    search, replace, content, to = (_text(arguments, name) for name in ("search", "replace", "content", "to"))
    if kind == "delete":
        return Delete(path)
    if kind == "move" or (not kind and to is not None and content is None and search is None):
        return Move(path, to) if to else "it has no new path"
    if kind in ("create", "write"):
        if content is None:
            return "it has no content"
        return Create(path, content) if kind == "create" else Whole(path, content)
    if kind == "insert":
        return _insertion(path, _pick(arguments, "line"), replace if content is None else content)
    if search is not None:
        return "it has no replacement" if replace is None else Replace(path, search, replace)
    return _by_lines(kind, path, arguments, content)


def _by_lines(kind: Kind, path: str, arguments: Mapping[str, Any], content: str | None) -> Edit | str:
    start, end = _pick(arguments, "start"), _pick(arguments, "end")
    if content is None:
        return "it has no content"
    if start is not None and end is not None:
        return (
            f"lines {start} to {end} are no range"
            if start < 1 or end < start - 1
            else LineEdit(path, start, end, content)
        )
    if kind == "edit" or start is not None or end is not None:
        return "it needs both start and end"
    return Whole(path, content)


def _insertion(path: str, line: int | None, content: str | None) -> Edit | str:
    if line is None or content is None or line < 0:
        return "it needs a line and a text"
    return LineEdit(path, line + 1, line, content)


def _several(tool: str, path: str, items: list[Any]) -> Found:
    found = [
        edit_of("edit_file", {"path": path, **item}) if isinstance(item, dict) else _wrong(tool, "an edit is no object")
        for item in items[:MAX_EDITS]
    ]
    several = joined(found)
    return _wrong(tool, "its list of edits is empty") if several.empty else several


def _from_text(tool: str, text: str, path: str) -> Found:
    """The edits of a patch, a diff, or search/replace blocks that a call has as its argument."""
    lines = tuple(text.replace("\r\n", "\n").strip("\n").split("\n"))
    excerpt = Excerpt(lines, len(lines), closed=True)
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if patch.starts_patch(excerpt, first):
        found = patch.read_patch(excerpt, first)
    elif diff.starts_diff(excerpt, first) or (path and lines[first].startswith("@@")):
        found = diff.read_diff(excerpt, first, path)
    else:
        found = blocks.read_blocks(excerpt, first, path)
    if found.edits or found.problems:
        return Found(0, found.edits, found.problems)
    return _wrong(tool, "it holds no patch that can be read")


def _pick(arguments: Mapping[str, Any], name: str) -> Any:
    return next((arguments[key] for key in _NAMES[name] if key in arguments), None)


def _text(arguments: Mapping[str, Any], name: str) -> str | None:
    value = _pick(arguments, name)
    return value.replace("\r\n", "\n") if isinstance(value, str) else None


def _wrong(tool: str, why: str) -> Found:
    return Found(0, problems=(f"a call of {tool} cannot be used: {why}" if tool else f"an edit cannot be used: {why}",))
