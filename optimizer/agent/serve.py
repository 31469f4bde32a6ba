"""Serve the calls of one answer: edits into the overlay, all or none, then what the model wanted to see or run.

It sees the files of the index as its own edits left them, never one that holds secrets.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from optimizer.agent.seen import Seen
from optimizer.context.budget import count_tokens
from optimizer.edits.edit import Edit, Reply
from optimizer.edits.formats.arguments import kind_of
from optimizer.edits.paths import check_path
from optimizer.encodings import text_of
from optimizer.errors import InputError, NotFound, OptimizerError, SafetyRefused
from optimizer.privacy.secret_files import is_secret_file
from optimizer.privacy.secrets.redact import BLOCK, Handling
from optimizer.privacy.secrets.scan import scan
from optimizer.toolspec import ToolSpec
from optimizer.types import FileChange, Patch, ToolCall, ToolResult

if TYPE_CHECKING:
    from optimizer.index.reader import Index

NOT_APPLIED = "not applied, and none of the other edits of this reply: {why}"
HIDDEN = "not shown: line {line} of the result holds what looks like a secret ({rule})"
SAME = "this is the same call as before: its result stands above and has not changed; do something else"
MOST_SAME = 2
MOST_CALLS = 16
TOO_MANY = f"not made: one reply may make {MOST_CALLS} calls"
SPAN = 200
MOST_HITS = 60
MOST_USES = 20
MOST_COLUMNS = 400
SEARCH_SECONDS = 3.0


@dataclass(slots=True)
class Overlay:
    """Changes over what `disk` reads (a path's bytes, None where there is no file); `version` counts the changes."""

    disk: Callable[[str], bytes | None]
    changes: dict[str, FileChange] = field(default_factory=dict)
    version: int = 0

    def read(self, path: str) -> bytes | None:
        """A file with the changes so far; raises what `disk` raises."""
        return self.changes[path].after if path in self.changes else self.disk(path)

    def take(self, patch: Patch) -> None:
        """Lay a patch, worked out over what `read` gives, over the changes so far."""
        for change in patch.changes:
            known = self.changes.get(change.path, change)
            self.changes[change.path] = FileChange(change.path, known.before, change.after)
        self.version += 1

    def patch(self) -> Patch:
        """All changes that are left, against the files as they are on disk."""
        return Patch(tuple(change for change in self.changes.values() if change.before != change.after))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a model is shown, and one short line about it for a person; `failed`: its call did nothing."""

    text: str
    summary: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What a model looks through; a result is cut to `max_tokens`."""

    index: Index
    overlay: Overlay
    max_tokens: int


def read_file(view: View, path: str, start: int = 1, end: int = 0) -> Shown:
    """Lines `start`..`end` (0: SPAN lines) with their numbers, or the files of a folder.

    Raises SafetyRefused for paths that are never touched and files that hold secrets, NotFound with near names.
    """
    path = check_path(path.rstrip("/"))
    if inside := sorted(p for p in view.index.paths() if p.startswith(path + "/")):
        return _fitted(inside, view.max_tokens, f"{len(inside)} files")
    lines = _lines(view, path)
    first = max(1, start)
    last = min(len(lines), end or first + SPAN - 1)
    if first > len(lines):
        raise InputError(f"{path} has {len(lines)} lines")
    numbered = [f"{n}\t{line}" for n, line in enumerate(lines[first - 1 : last], first)]
    rest = f"({len(lines)} lines in all)"
    return _fitted([f"## {path} {rest}", *numbered], view.max_tokens, f"lines {first}-{last} of {len(lines)}")


def search_code(view: View, text: str) -> Shown:
    """The lines that hold `text`, as path:line; where there are many, the first of them."""
    if not text.strip() or "\n" in text:
        raise InputError("give one line of text to search for")
    hits: list[str] = []
    cut = ""
    deadline = time.monotonic() + SEARCH_SECONDS
    for path in _likely(view, text):
        if time.monotonic() > deadline or len(hits) > MOST_HITS:
            cut = "(more was not searched: ask for a rarer text)"
            break
        try:
            lines = _lines(view, path)
        except NotFound:  # it is gone since it was indexed
            continue
        hits += [f"{path}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if text in line]
    if not hits:
        return Shown(f"no line holds {text!r}", "nothing")
    return _fitted([*hits[:MOST_HITS], *([cut] if cut else ())], view.max_tokens, f"{len(hits)} lines")


def find_symbol(view: View, name: str) -> Shown:
    """Where `name` is defined, and its first uses; raises NotFound with the nearest names."""
    from optimizer.lookup.names import definitions, nearest, parts_of

    found = definitions(view.index, name)
    words = parts_of(name)
    if not found or not words:
        near = ", ".join(nearest(words[-1] if words else name, view.index.all_names()))
        raise NotFound(f"nothing is named {name!r}" + (f"; near to it: {near}" if near else ""))
    rows = [f"{one.path}:{one.start}-{one.end} {one.kind} {one.signature or one.qualified}" for one in found]
    uses = view.index.references(found[0].name, MOST_USES * 2)
    used = [f"{use.path}:{use.line}: {use.text}" for use in uses if use.kind != "definition"][:MOST_USES]
    summary = f"{len(rows)} definition{'s' if len(rows) != 1 else ''}, {len(used)} uses"
    return _fitted([*rows, *(["used in:"] if used else ()), *used], view.max_tokens, summary)


def region(path: str, before: bytes | None, after: bytes | None) -> str:
    """The lines that an edit has changed, as they stand now, with two lines around them."""
    old, new = _split(before or b""), _split(after or b"")
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    first, last = max(0, head - 2), min(len(new), len(new) - tail + 2)
    shown = [f"{n + 1}\t{new[n][:MOST_COLUMNS]}" for n in range(first, min(last, first + 30))]
    return f"## {path} now ({len(new)} lines in all)\n" + "\n".join(shown)


def _lines(view: View, path: str) -> list[str]:
    if is_secret_file(path):
        raise SafetyRefused(f"{path} may hold secrets: it is never shown")
    if path in view.overlay.changes:
        data = view.overlay.changes[path].after or b""
    else:
        try:
            data = view.index.read(path)
        except NotFound as error:
            raise NotFound(f"there is no file {path} that may be shown{_near(view, path)}") from error
    return _split(data)


def _near(view: View, path: str) -> str:
    from optimizer.lookup.names import nearest

    name = path.rpartition("/")[2]
    paths = view.index.paths()
    twins = [p for p in paths if p.rpartition("/")[2] == name] or list(nearest(path, paths))
    return f"; near to it: {', '.join(twins[:5])}" if twins else ""


def _split(data: bytes) -> list[str]:
    lines = text_of(data).replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def _likely(view: View, text: str) -> Iterator[str]:
    """The files changed, then those that hold the words of `text`, then all others: `text` may be part of a word."""
    from optimizer.index.postings import STOP
    from optimizer.languages.words import terms

    words = view.index.words()
    usable = [term for term in terms(text) if len(term) > 1 and term not in STOP]
    sets = [words.files_of("body", term) | words.files_of("doc", term) for term in usable]
    likely = sorted(set.intersection(*sets)) if sets else []
    seen: set[str] = set()
    for path in (*view.overlay.changes, *(words.paths[number] for number in likely), *words.paths):
        if path not in seen and not is_secret_file(path):
            seen.add(path)
            yield path


def _fitted(lines: Iterable[str], max_tokens: int, summary: str) -> Shown:
    """The lines that fit, and a line that says where they were cut."""
    kept: list[str] = []
    used = 0
    for line in lines:
        line = line if len(line) <= MOST_COLUMNS else line[:MOST_COLUMNS] + " …"
        used += count_tokens(line + "\n")
        if used > max_tokens:
            kept.append("(cut here: ask for less, or for later lines)")
            summary += ", cut"
            break
        kept.append(line)
    return Shown("\n".join(kept), summary)


def about(arguments: object) -> str:
    """The arguments of a call in one short line for a person."""
    text = json.dumps(arguments, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 100 else text[:99] + "…"


@dataclass(slots=True)
class Toolbox:
    """What a model works on in one attempt, and the tools that it may call.

    `run_tests` gives what tests print, and is None where none may run. `request` is what the user asked for, and
    `shown` are the files that the prompt shows. `secrets` says what becomes of results with secrets in them,
    `lines` which lines were seen.
    """

    view: View
    overlay: Overlay
    tools: tuple[ToolSpec, ...]
    run_tests: Callable[[Patch, tuple[str, ...]], str] | None = None
    request: str = ""
    shown: tuple[str, ...] = ()
    secrets: Handling = BLOCK
    seen: Counter[str] = field(default_factory=Counter)
    lines: Seen = field(default_factory=Seen)

    @property
    def looks(self) -> bool:
        """Whether there is a tool that edits nothing."""
        return any(not kind_of(tool.name) for tool in self.tools)

    @property
    def edits(self) -> bool:
        """Whether there is a tool that edits."""
        return any(kind_of(tool.name) for tool in self.tools)


@dataclass(frozen=True, slots=True)
class Served:
    """One call with its result, and that result in a few words for a person."""

    result: ToolResult
    summary: str


def over(toolbox: Toolbox, overlay: Overlay) -> Toolbox:
    """The toolbox with the files as an earlier conversation left them; which lines that one saw is not known."""
    view = replace(toolbox.view, overlay=overlay)
    return replace(toolbox, view=view, overlay=overlay, lines=Seen())


def repeated(toolbox: Toolbox, call: ToolCall) -> bool:
    """Whether a call was made so often, with nothing changed since, that the conversation goes in circles."""
    return toolbox.seen[_key(toolbox, call)] > MOST_SAME


def apply(toolbox: Toolbox, edits: tuple[Edit, ...]) -> Patch:
    """Lay edits over the files as they stand now; all or none; raises EditRefused, Conflict, SafetyRefused."""
    from optimizer.edits.apply import apply_edits

    toolbox.lines.check(edits, toolbox.overlay.read)
    patch = apply_edits(edits, toolbox.overlay.read, toolbox.request, toolbox.shown)
    toolbox.overlay.take(patch)
    toolbox.lines.moved(change.path for change in patch.changes)
    return patch


def serve(toolbox: Toolbox, calls: tuple[ToolCall, ...], reply: Reply) -> Iterator[Served]:
    """The results of `calls`, in their order; the edits of their reply are applied before anything is read.

    Where no call is one of these edits, the first result begins with what became of them.
    """
    edited = _edited(toolbox, reply) if toolbox.edits else Shown("", "")
    untold = "" if any(kind_of(call.name) for call in calls) else edited.text
    for number, call in enumerate(calls, 1):
        toolbox.seen[_key(toolbox, call)] += 1
        if toolbox.edits and kind_of(call.name):
            yield Served(ToolResult(call, edited.text, failed=edited.failed), edited.summary)
            continue
        if toolbox.seen[_key(toolbox, call)] > 1:
            served = Served(ToolResult(call, SAME, failed=True), "the same call again: not made")
        elif number > MOST_CALLS:
            served = Served(ToolResult(call, TOO_MANY, failed=True), TOO_MANY)
        else:
            served = _looked(toolbox, call)
        text, untold = "\n\n".join(filter(None, (untold, served.result.text))), ""
        yield replace(served, result=served.result._replace(text=text))


def _edited(toolbox: Toolbox, reply: Reply) -> Shown:
    if reply.problems:
        return Shown(f"not applied: {'; '.join(reply.problems)}", "refused", failed=True)
    if not reply.edits:
        return Shown("", "")
    try:
        patch = apply(toolbox, reply.edits)
    except OptimizerError as error:
        why = error.message + (f" ({error.hint})" if error.hint else "")
        return Shown(NOT_APPLIED.format(why=why), "refused", failed=True)
    shown = "\n".join(region(change.path, change.before, change.after) for change in patch.changes)
    return Shown(f"applied\n{shown}", f"applied to {', '.join(change.path for change in patch.changes)}")


def _looked(toolbox: Toolbox, call: ToolCall) -> Served:
    try:
        shown = _shown(toolbox, call.name, call.arguments)
    except OptimizerError as error:
        return Served(ToolResult(call, error.message, failed=True), error.message.partition("\n")[0])
    secrets = toolbox.secrets
    if not secrets.redacts and (found := scan(shown.text, allowed=secrets.allowed)):
        text = HIDDEN.format(line=found[0].line, rule=found[0].rule)
        return Served(ToolResult(call, text, failed=True), text)
    return Served(ToolResult(call, shown.text), shown.summary)


def _shown(toolbox: Toolbox, name: str, arguments: Mapping[str, Any]) -> Shown:
    view = toolbox.view
    if name == "read_file":
        start, end = (_number(arguments, key) for key in ("start", "end"))
        path = _text(arguments, "path")
        shown = read_file(view, path, start or 1, end)
        toolbox.lines.read(path, shown.text)
        return shown
    if name == "search_code":
        return search_code(view, _text(arguments, "text"))
    if name == "find_symbol":
        return find_symbol(view, _text(arguments, "name"))
    if name == "run_tests" and toolbox.run_tests is not None:
        paths = arguments.get("paths") or []
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise InputError("paths is a list of files")
        text = toolbox.run_tests(toolbox.overlay.patch(), tuple(paths))
        return Shown(text, text.partition("\n")[0])
    raise InputError(f"there is no tool {name[:40]!r}; there are: {', '.join(tool.name for tool in toolbox.tools)}")


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
