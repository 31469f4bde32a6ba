"""What compilers print as findings, and those of them that a patch brings."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from optimizer.languages.naming import undeclared
from optimizer.languages.naming.parents import around
from optimizer.verify.patched import Patched, Side

_ERROR = re.compile(
    r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+)(?::(?P<column>\d+))?:?"
    r" (?P<text>(?:(?:fatal )?error(?:\[E\d+\])?: |syntax error).*)$",
    re.M,
)
_NODE = re.compile(r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+)\n(?:.*\n){0,4}?(?P<text>SyntaxError: .*)$", re.M)
_PHP = re.compile(r"^(?P<text>PHP Parse error: .*) in (?P<path>\S+) on line (?P<line>\d+)$", re.M)
_SYMBOL = re.compile(r"symbol: +(\w+) (\w+)")
_OF_NAMES = re.compile(
    r"implicit declaration of function .(\w+).|.(\w+). undeclared|cannot find symbol"
    r"|cannot find [^`]*`(\w+)` in this scope|use of undeclared type `(\w+)`"
)
_MISSING = re.compile(r"fatal error|does not exist|unknown type name|incompatible|not compatible|cannot be converted")
_WHOLE = re.compile(r"(?!(?:std|core|alloc)::).*::\*")
# Lines whose names, where they are missing, could have brought any others: base classes, static imports, generators.
_BRINGS = re.compile(rb"\b(?:extends|implements)\b|^import static|\blombok\b")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What a program finds at a place in a file, and the name it is about: '' for none, '?' for one not known."""

    path: str
    line: int
    column: int
    text: str
    name: str


def parsed(output: str, tree: Path) -> list[Diagnostic]:
    """The findings in what a program printed."""
    text = output.replace(f"{tree}/", "").replace(f"{os.path.realpath(tree)}/", "")
    found = []
    for pattern in (_ERROR, _NODE, _PHP):
        for one in pattern.finditer(text):
            named = _OF_NAMES.search(one["text"])
            name = next((part for part in named.groups() if part), "") if named else ""
            if named and not name and (symbol := _SYMBOL.search(text, one.end(), one.end() + 400)):
                name = symbol[2] if symbol[1] in ("method", "variable") else "?"
            column = int(one.groupdict().get("column") or 0)
            found.append(Diagnostic(one["path"], int(one["line"]), column, one["text"], name or ("?" if named else "")))
    return found


def new(
    after: Sequence[Diagnostic], before: Sequence[Diagnostic], patched: Patched, *, everywhere: bool
) -> Iterator[Diagnostic]:
    """The findings that only the patched tree has, without those that something not installed may explain.

    `everywhere`: the program reports every place of a name.
    """
    known = Counter((one.path, one.text, one.name) for one in before)
    changed = {change.path for change in patched.changes}
    is_open = any(_may_bring(one, patched.after) for one in after)
    is_whole = not any(_MISSING.search(one.text) or one.name == "?" for one in after)
    was_hidden = any("fatal error" in one.text for one in before)
    places = Counter((one.path, one.name) for one in after)

    def counts(one: Diagnostic) -> bool:
        if not one.name:
            return not _is_conditional(one, patched.after)
        if everywhere:
            return _count(one, patched) == places[one.path, one.name] and _is_nowhere(one, patched)
        if is_open or (was_hidden and patched.had(one.name)):
            return False
        return (is_whole and _is_certain(one, patched.after)) or _is_nowhere(one, patched)

    for one in after:
        key = (one.path, one.text, one.name)
        if known[key] > 0:
            known[key] -= 1
        elif one.path in changed and not _MISSING.search(one.text) and one.name != "?" and counts(one):
            yield one


def _is_certain(one: Diagnostic, side: Side) -> bool:
    """Whether a name is missing wherever others have it, once all that the file includes is there.

    A function of C may be declared nowhere, and a constant by the command that builds.
    """
    return "implicit" not in one.text and not one.name.isupper() and not _is_conditional(one, side)


def _is_conditional(one: Diagnostic, side: Side) -> bool:
    """Whether a finding stands in code that only some builds of C have."""
    root = side.source(one.path).root
    if root is None:
        return False
    node = root.descendant_for_point_range((one.line - 1, max(0, one.column - 1)), (one.line - 1, one.column))
    return node is not None and any(around(node, ("preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif")))


def _may_bring(one: Diagnostic, side: Side) -> bool:
    """Whether what is missing there could have brought names that are found missing elsewhere."""
    if one.name != "?" and "does not exist" not in one.text:
        return False
    lines = side.source(one.path).data.split(b"\n")
    return one.line <= len(lines) and _BRINGS.search(lines[one.line - 1]) is not None


def _count(one: Diagnostic, patched: Patched) -> int:
    return len(_word(one.name).findall(patched.after.source(one.path).data))


def _word(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"\b%s\b" % re.escape(name.encode()))


def _is_nowhere(one: Diagnostic, patched: Patched) -> bool:
    """Whether no other file has the name, nor the standard library, nor an import of the file that leads nowhere."""
    source = patched.after.source(one.path)
    language = source.language.name if source.language else ""
    if one.name in undeclared.known(language) or patched.mentions(one.name):
        return False
    others = (change for change in patched.changes if change.path != one.path and change.after is not None)
    if any(_word(one.name).search(change.after or b"") for change in others):
        return False
    return all(patched.after.leads(one.path, raw) for raw in source.imports if _WHOLE.fullmatch(raw.module))
