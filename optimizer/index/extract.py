"""What a parser process does: bytes of files → symbols, imports and words, ready to be stored."""

from __future__ import annotations

import gc
import json
import marshal
import signal
import sys
from array import array
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import IO, Any

from optimizer.index.files import has_words
from optimizer.index.postings import BLANKS, LISTLESS, words_of
from optimizer.languages.origin import origin_of
from optimizer.languages.source import read, text_of
from optimizer.languages.symbols import SymbolRow
from optimizer.languages.units import Share, share

MEMORY = 4 << 30

Fields = tuple[int, int, int, bytes, str, str, str]
Packed = dict[bytes, bytes]


class BatchPostings:
    """Words of a batch as written → the numbers of their units, one entry per occurrence."""

    def __init__(self) -> None:
        self.body: defaultdict[bytes, list[int]] = defaultdict(list)
        self.doc: defaultdict[bytes, list[int]] = defaultdict(list)
        self.name: defaultdict[bytes, list[int]] = defaultdict(list)

    def packed(self) -> tuple[Packed, ...]:
        return tuple(
            {word: array("I", numbers).tobytes() for word, numbers in lists.items() if word not in LISTLESS}
            for lists in (self.body, self.doc, self.name)
        )


def serve() -> None:
    """Answer batches from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _cap_memory()
    gc.disable()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    send(target, b"")
    while (message := receive(source)) is not None:
        first, stride, seconds, files = message
        _alarm(seconds)
        message = extract(files, first, stride)
        _alarm(0)
        send(target, message)


def extract(
    files: Iterable[tuple[str, bytes]], first: int, stride: int, until: float = 0.0
) -> tuple[list[Fields], *tuple[Packed, ...]]:
    """The contents of files, whose units are numbered `first`, `first + stride`, …, and their words by field.

    Each step is done for all files before the next, so that its tables stay in the processor's cache.
    Raises syntax.TooSlow when parsing is not done at `until` (time.monotonic); 0 sets no limit.
    """
    parsed = [read(path, data, until, whole=False) for path, data in files]
    lists = BatchPostings()
    contents: list[Fields] = []
    for (path, data), (rows, imports) in zip(files, parsed, strict=True):
        lines = text_of(path, data).translate(BLANKS).split(b"\n")
        if not lines[-1]:
            lines.pop()
        units = share([row[2:5] for row in rows], len(lines))
        lengths = (
            _words(units, lines, range(first, sys.maxsize, stride), lists) if has_words(path) else [0] * len(units)
        )
        _name(rows, units, first, stride, lists)
        packed = array("I", lengths).tobytes()
        contents.append((first, stride, len(lines), packed, _json(rows), _json(imports), origin_of(path, data)))
        first += stride * len(units)
    return contents, *lists.packed()


def _words(units: Sequence[Share], lines: Sequence[bytes], numbers: Iterable[int], lists: BatchPostings) -> list[int]:
    """Record the words of units; return how many each has."""
    lengths = []
    body, joined, append = lists.body.__getitem__, b"\n".join, list.append
    for (_, spans), number in zip(units, numbers, strict=False):
        parts = [joined(lines[start - 1 : end]) for start, end in spans]
        found = (parts[0] if len(parts) == 1 else joined(parts)).split()
        deque(map(append, map(body, found), repeat(number)), maxlen=0)
        lengths.append(len(found))
    return lengths


def _name(rows: Sequence[SymbolRow], units: Sequence[Share], first: int, stride: int, lists: BatchPostings) -> None:
    """Record names and documentation of definitions under their units; sections are found by their words."""
    names, docs = lists.name, lists.doc
    numbers = range(first, first + stride * len(units), stride)
    number_of = {rows[owner][1]: number for (owner, _), number in zip(units, numbers, strict=True) if owner >= 0}
    for name, qualified, kind, _, _, _, _, parent, doc in rows:
        if kind == "section":
            continue
        number = number_of.get(qualified)
        if number is None:
            number = number_of[qualified] = number_of.get(parent, first)
        if name.isidentifier():
            names[name.encode()].append(number)
        else:
            for word in words_of(name.encode("utf-8", "replace")):
                names[word].append(number)
        if doc:
            for word in words_of(doc.encode("utf-8", "replace")):
                docs[word].append(number)


_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def _alarm(seconds: float) -> None:
    """Let the system end this process after so much CPU time, also when its parent is gone and the parser hangs.

    CPU time, not wall time: on a busy machine a file that parses fast enough may have to wait.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _cap_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def send(stream: IO[bytes], message: Any) -> None:
    """Write one message to a pipe."""
    data = marshal.dumps(message)
    stream.write(len(data).to_bytes(8, "little"))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message from a pipe; None at its end."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    size = int.from_bytes(head, "little")
    data = stream.read(size)
    return marshal.loads(data) if len(data) == size else None
