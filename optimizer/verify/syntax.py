"""Check that a file which parsed still does, and that a new one does."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from optimizer.languages.naming.python import is_module, is_newer
from optimizer.languages.source import Source
from optimizer.verify.patched import Finding, Patched

MOST_NEIGHBOURS = 30
_MACRO = re.compile(rb"\)\s*(?:const\s*)?[A-Z][A-Z0-9_]{2,}\s*\([^()]*\)\s*;")


def check_syntax(patched: Patched) -> Iterator[Finding]:
    """Judge each text file by its grammar; where that finds nothing, Python by Python too."""
    moved = {text for change in patched.changes for text in patched.before.source(change.path).error_texts}
    for change in patched.changes:
        if change.after is None or b"\0" in change.after:
            continue
        found = _judged(patched.before.source(change.path), patched.after.source(change.path), moved)
        if found.passed and is_module(change.path, stubs=True):
            found = _python(change.path, patched)
        if found.passed is False and change.before is None and (other := _unread_neighbour(change.path, patched)):
            found = Finding(None, f"{change.path}: the grammar does not read {other} either")
        yield found


def _judged(before: Source, after: Source, moved: set[bytes]) -> Finding:
    path, errors, earlier = after.path, after.error_count, before.error_count or 0
    if errors is None and after.too_slow:
        return Finding(None, f"{path}: parsing it takes too long")
    if errors is None:
        return Finding(None, f"{path}: no grammar judges it")
    if earlier and errors and not is_module(path, stubs=True):
        return _balances(before, after)
    if errors > earlier and _is_of_macros(after):
        return _balances(before, after)
    if errors > earlier and _is_new(after, moved):
        lines = after.error_lines or ()
        return Finding(False, f"{path} does not parse, see line {', '.join(map(str, lines[:3]))}")
    return Finding(True)


def _is_new(after: Source, moved: set[bytes]) -> bool:
    """Whether errors are neither moved code that did not parse before, nor a form of an old edition."""
    if set(after.error_texts) <= moved:
        return False
    old, new = after.language.old_form if after.language else (b"", b"")
    is_old = old and old in after.data
    return not is_old or bool(Source(after.path, after.data.replace(old, new)).error_count)


def _is_of_macros(after: Source) -> bool:
    """Whether all that does not parse stands next to directives, whose text the grammar cannot put in its place.

    Where a language has macros, a call of one after a declaration counts too: `int f(void) WARN_UNUSED(1);`.
    """
    language, errors = after.language, after.error_lines or ()
    if language is None or not (language.macros or language.conditional) or not errors:
        return False
    lines = after.data.split(b"\n")
    near = ({line.lstrip()[:1] for line in lines[max(0, n - 2) : n + 1]} for n in errors)
    macro = (language.macros and _MACRO.search(lines[n - 1]) is not None for n in errors)
    return all(b"#" in starts or is_macro for starts, is_macro in zip(near, macro, strict=True))


def _python(path: str, patched: Patched) -> Finding:
    before, after = patched.before.module(path), patched.after.module(path)
    if not after.error or before.error or is_newer(patched.after.source(path)):
        return Finding(True)
    if other := next(
        (one for one in patched.neighbours(path)[:MOST_NEIGHBOURS] if _is_of_old_python(one, patched)), ""
    ):
        return Finding(None, f"{path}: this Python does not read {other} either")
    return Finding(False, f"{path} does not parse: {after.error}")


def _is_of_old_python(path: str, patched: Patched) -> bool:
    """Whether the grammar reads a file and Python does not, as with `print` and `except` of Python 2."""
    if not is_module(path) or not patched.before.module(path).error:
        return False
    return not patched.before.source(path).error_count


def _balances(before: Source, after: Source) -> Finding:
    """Compare brackets in a file that its grammar cannot read, such as a header full of macros."""
    lost = [pair for pair in after.unbalanced if _surplus(before, pair) != _surplus(after, pair)]
    if lost and not before.unbalanced:
        brackets = " and ".join(lost)
        return Finding(False, f"{after.path}: the brackets {brackets} are no longer balanced")
    worse = (after.error_count or 0) > (before.error_count or 0)
    return Finding(None, f"{after.path} did not parse before") if worse else Finding(True)


def _surplus(source: Source, pair: str) -> int:
    """How many more brackets open than close anywhere in a file, in macros, comments and strings too."""
    return source.data.count(pair[:1].encode()) - source.data.count(pair[1:].encode())


def _unread_neighbour(path: str, patched: Patched) -> str | None:
    """A file of the same folder, or one that is gone, that did not parse before the patch: they may share a dialect."""
    gone = [change.path for change in patched.changes if change.after is None]
    ending = posixpath.splitext(path)[1]
    there = [one for one in (*gone, *patched.neighbours(path)) if one.endswith(ending)]
    return next((one for one in there[:MOST_NEIGHBOURS] if _is_unread(one, patched)), None)


def _is_unread(path: str, patched: Patched) -> bool:
    if is_module(path, stubs=True) and patched.before.module(path).error:
        return True
    return bool(patched.before.source(path).error_count)
