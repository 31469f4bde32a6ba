"""Check that a change stands where the request wants it, and that a new file looks like one of its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from pathlib import PurePosixPath

from optimizer.index.reader import Index
from optimizer.languages.repeats import circles
from optimizer.types import FileChange, Patch, Verdict
from optimizer.verify.checks import checks_of, verdict_of
from optimizer.verify.patched import Finding
from optimizer.verify.relevant import Asked

WEIGHTS = {"place": 0.3, "plausible": 0.0}
LEAST_LETTERS = 0.25  # of all that is not blank
LEAST_RULE = 15  # characters of a line that can be recognised as one of the rules
TEMPLATE = "path/to/file.py"
_ODD = re.compile(r"[\x00-\x1f<>|?*\"`;:\\{}]|^\s|\s$|\s{2,}|(?:\s\S+){3}")
_EXTENSION = re.compile(r"\.[A-Za-z][\w+-]{0,11}|\.\d[a-z]?")
_BARE_NAME = re.compile(r"[A-Z][A-Za-z_-]{2,30}|\.[\w.-]+")
_EMPTY = frozenset({"__init__.py", "__init__.pyi", "py.typed", ".gitkeep", ".keep", ".nojekyll"})
_DATA = frozenset(
    {".csv", ".tsv", ".json", ".jsonl", ".svg", ".dat", ".lock", ".xml", ".hex", ".pgm", ".ppm", ".obj", ".ipynb"}
)
_CREATES = re.compile(
    r"\b(?:creat|add|new\b|writ|generat|mak(?:e|ing)|scaffold|set ?up|initiali|introduc|implement|build|document|"
    r"tests?\b|extract|split|mov(?:e|ing)|port\b|convert|translat|draft|configur|script|provide|support|erstell|schreib|"
    r"anleg|hinzuf|neue?|crea|ajout|añad|écri|escrib|aggiung|adicion|criar)",
    re.IGNORECASE,
)


def check_place(patch: Patch, asked: Asked, index: Index) -> Verdict:
    """The verdict on the places and the new files of a patch."""
    found = {"place": _places(patch, asked, index), "plausible": _plausible(patch, asked, index)}
    checks = tuple(check for name, findings in found.items() for check in checks_of(name, findings))
    return verdict_of(checks, WEIGHTS)


def joined(placed: Verdict, proven: Verdict) -> Verdict:
    """One verdict of two; doubts that are left multiply."""
    ok = placed.ok and proven.ok
    confidence = 1 - prod(1 - one.confidence for one in (placed, proven)) if ok else 0.0
    return Verdict(ok, (*placed.checks, *proven.checks), round(confidence, 4), proven.weakened, proven.judging)


def _places(patch: Patch, asked: Asked, index: Index) -> Iterator[Finding]:
    """At least one file is named by the request, or was shown, or uses what the request names, before or after.

    Where its model looked around, any file that exists will do.
    """
    shown = {item.path for item in asked.context.items} | {file.path for file in asked.context.files}
    names = [word for word in re.findall(r"[^\W\d]\w*", asked.request) if index.symbols_named((word,))]
    changes = patch.changes
    if not changes:
        return
    if any(
        change.path in shown
        or _is_named(change.path, asked.request)
        or (
            change.before is not None
            and (asked.seen or _mentions(change.before, names) or _brings(change, asked.request))
        )
        for change in changes
    ):
        yield Finding(True)
    elif all(change.before is None for change in changes) and _creates(asked):
        yield Finding(None, "nothing says where the new file belongs")
    elif not shown and not names and all(change.before is not None for change in changes):
        yield Finding(None, "nothing says where the change belongs")
    else:
        paths = ", ".join(change.path for change in changes[:3])
        yield Finding(False, f"nothing that the request names, or that was shown, is changed, but {paths}")


def _creates(asked: Asked) -> bool:
    return asked.kind in ("test", "creative", "design") or _CREATES.search(asked.request) is not None


def _is_named(path: str, request: str) -> bool:
    """Whether a request names a path, its last part, or that without its ending."""
    low, name = request.lower(), PurePosixPath(path.lower())
    if path.lower() in low or name.name in low:
        return True
    return len(name.stem) > 2 and re.search(rf"(?<!\w){re.escape(name.stem)}(?!\w)", low) is not None


def _mentions(data: bytes, names: list[str]) -> bool:
    return any(re.search(rb"\b" + re.escape(name.encode()) + rb"\b", data) for name in names)


def _brings(change: FileChange, request: str) -> bool:
    """Whether a change puts a name into a file that the request has, written as a name in code and not as a word."""
    words = re.findall(r"[^\W\d]\w*", request)[1:]
    names = [word for word in words if word != word.lower() or "_" in word]
    return any(_mentions(change.after or b"", [name]) and not _mentions(change.before or b"", [name]) for name in names)


def _plausible(patch: Patch, asked: Asked, index: Index) -> Iterator[Finding]:
    """New files have a name and a content as files have, and nothing of the rules was written into any."""
    rules = {line.strip() for line in asked.rules.split("\n") if len(line.strip()) >= LEAST_RULE}
    for change in patch.changes:
        if change.after is None or b"\0" in change.after:
            continue
        before, after = ((data or b"").decode("utf-8", "replace") for data in (change.before, change.after))
        had = set(before.split("\n"))
        added = [line for line in after.split("\n") if line not in had]
        if any(line.strip() in rules for line in added):
            yield Finding(False, f"{change.path} repeats the rules of the request")
        if PurePosixPath(change.path).suffix not in _DATA and circles("\n".join(added)):
            yield Finding(False, f"what {change.path} gets repeats itself")
        if change.before is None:
            why = _odd_path(change, asked.request, index) or _odd_content(change.path, after, asked.request)
            yield Finding(not why, why)


def _odd_path(change: FileChange, request: str, index: Index) -> str:
    """What is wrong with the path of a new file, '' for nothing; one that the request names is right."""
    path = change.path
    if path == TEMPLATE:
        return f"{path} is the example of the rules"
    if path in request:
        return ""
    name, known = PurePosixPath(path), index.paths()
    if any(_ODD.search(part) for part in name.parts):
        return f"{path} is no usual path"
    if not any(letter.isalpha() for letter in name.stem) and not any(letter.isdigit() for letter in name.stem):
        return f"{path} is no usual path"
    if name.suffix:
        alike = any(one.endswith(name.suffix) for one in known)
        return "" if alike or _EXTENSION.fullmatch(name.suffix) else f"{path} has no usual ending"
    folder = str(name.parent)
    siblings = any("." not in PurePosixPath(one).name for one in known if str(PurePosixPath(one).parent) == folder)
    usual = siblings or _BARE_NAME.fullmatch(name.name) or (change.after or b"").startswith(b"#!")
    return "" if usual else f"{path} has no ending, and is no script"


def _odd_content(path: str, text: str, request: str) -> str:
    """What is wrong with the content of a new file, '' for nothing."""
    name = PurePosixPath(path)
    if not text.strip():
        return "" if name.name in _EMPTY or path in request else f"{path} is empty"
    solid = [letter for letter in text if not letter.isspace()]
    if name.suffix not in _DATA and sum(map(str.isalpha, solid)) < LEAST_LETTERS * len(solid):
        return f"{path} holds hardly any words"
    return ""
