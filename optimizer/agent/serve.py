"""Serve the calls of one answer: edits into the overlay, all or none, then what the model wanted to see or run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from optimizer.agent import look
from optimizer.agent.look import Overlay, Shown, View
from optimizer.agent.tools import ALL_TOOLS, EDIT_TOOLS
from optimizer.errors import InputError, OptimizerError
from optimizer.privacy.secrets import scan
from optimizer.types import Edit, Patch, Reply, ToolCall, ToolResult

EDITS = frozenset(tool.name for tool in EDIT_TOOLS)
SAME = "this is the same call as before: its result stands above and has not changed; do something else"
MOST_SAME = 2


@dataclass(slots=True)
class Toolbox:
    """What a model works on in one attempt; `run_tests` gives what tests print, and is None where none may run."""

    view: View
    overlay: Overlay
    run_tests: Callable[[Patch, tuple[str, ...]], str] | None = None
    seen: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Served:
    """One call with its result, and that result in a few words for a person."""

    result: ToolResult
    summary: str


def over(toolbox: Toolbox, overlay: Overlay) -> Toolbox:
    """The toolbox with the files as an earlier conversation left them."""
    return replace(toolbox, view=replace(toolbox.view, overlay=overlay), overlay=overlay)


def repeated(toolbox: Toolbox, call: ToolCall) -> bool:
    """Whether a call was made so often, with nothing changed since, that the conversation goes in circles."""
    return toolbox.seen[_key(toolbox, call)] > MOST_SAME


def apply(toolbox: Toolbox, edits: tuple[Edit, ...]) -> Patch:
    """Lay edits over the files as they stand now; all or none; raises EditRefused, Conflict, SafetyRefused."""
    from optimizer.edits.apply import apply_edits

    patch = apply_edits(edits, toolbox.overlay.read)
    toolbox.overlay.take(patch)
    return patch


def serve(toolbox: Toolbox, calls: tuple[ToolCall, ...], reply: Reply) -> Iterator[Served]:
    """The results of `calls`, in their order; the edits of their reply are applied before anything is read."""
    edited = _edited(toolbox, reply)
    for call in calls:
        toolbox.seen[_key(toolbox, call)] += 1
        if call.name in EDITS:
            yield Served(ToolResult(call, edited.text, failed=edited.failed), edited.summary)
        elif toolbox.seen[_key(toolbox, call)] > 1:
            yield Served(ToolResult(call, SAME, failed=True), "the same call again: not made")
        else:
            yield _looked(toolbox, call)


def _edited(toolbox: Toolbox, reply: Reply) -> Shown:
    if reply.problems:
        return Shown(f"not applied: {'; '.join(reply.problems)}", "refused", failed=True)
    if not reply.edits:
        return Shown("", "")
    try:
        patch = apply(toolbox, reply.edits)
    except OptimizerError as error:
        why = error.message + (f" ({error.hint})" if error.hint else "")
        return Shown(f"not applied, and none of the other edits of this reply: {why}", "refused", failed=True)
    shown = "\n".join(look.region(change.path, change.before, change.after) for change in patch.changes)
    return Shown(f"applied\n{shown}", f"applied to {', '.join(change.path for change in patch.changes)}")


def _looked(toolbox: Toolbox, call: ToolCall) -> Served:
    try:
        shown = _shown(toolbox, call.name, call.arguments)
    except OptimizerError as error:
        return Served(ToolResult(call, error.message, failed=True), error.message.partition("\n")[0])
    if found := scan(shown.text):
        text = f"not shown: line {found[0].line} of the result holds what looks like a secret ({found[0].rule})"
        return Served(ToolResult(call, text, failed=True), text)
    return Served(ToolResult(call, shown.text), shown.summary)


def _shown(toolbox: Toolbox, name: str, arguments: Mapping[str, Any]) -> Shown:
    view = toolbox.view
    if name == "read_file":
        start, end = (_number(arguments, key) for key in ("start", "end"))
        return look.read_file(view, _text(arguments, "path"), start or 1, end)
    if name == "search_code":
        return look.search_code(view, _text(arguments, "text"))
    if name == "find_symbol":
        return look.find_symbol(view, _text(arguments, "name"))
    if name == "run_tests" and toolbox.run_tests is not None:
        paths = arguments.get("paths") or []
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise InputError("paths is a list of files")
        text = toolbox.run_tests(toolbox.overlay.patch(), tuple(paths))
        return Shown(text, text.partition("\n")[0])
    known = [tool.name for tool in ALL_TOOLS if tool.name != "run_tests" or toolbox.run_tests is not None]
    raise InputError(f"there is no tool {name[:40]!r}; there are: {', '.join(known)}")


def _text(arguments: Mapping[str, Any], key: str) -> str:
    value = arguments.get(key)
    if not isinstance(value, str) or not value:
        raise InputError(f"{key} is missing")
    return value


def _number(arguments: Mapping[str, Any], key: str) -> int:
    value = arguments.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{key} is a whole number")
    return value


def _key(toolbox: Toolbox, call: ToolCall) -> str:
    arguments = json.dumps(dict(call.arguments), sort_keys=True, ensure_ascii=False)
    return f"{toolbox.overlay.version} {call.name} {arguments}"
