"""What a parser process does: bytes of files → symbols, imports and words, ready to be stored."""

from __future__ import annotations

import gc
import json
import signal
import sys
from array import array
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import repeat
from typing import Any

from optimizer.index.parse import parse, text_of
from optimizer.index.pipes import receive, send
from optimizer.index.postings import BLANKS, words_of
from optimizer.index.skip import has_words
from optimizer.index.units import Extent, extents
from optimizer.types import Symbol

MEMORY = 4 << 30


class Lists:
    """Words of a batch as they stand → the numbers of their units, one entry for each time."""

    def __init__(self) -> None:
        self.body: defaultdict[bytes, list[int]] = defaultdict(list)
        self.doc: defaultdict[bytes, list[int]] = defaultdict(list)
        self.name: defaultdict[bytes, list[int]] = defaultdict(list)

    def packed(self) -> tuple[dict[bytes, bytes], ...]:
        return tuple(
            {word: array("I", numbers).tobytes() for word, numbers in lists.items()}
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
        _alarm(2 * seconds + 5)
        lists = Lists()
        contents = []
        for path, data in files:
            content = extract(path, data, first, stride, lists)
            first += stride * (len(content[3]) // 4)
            contents.append(content)
        _alarm(0)
        send(target, (contents, *lists.packed()))


def extract(path: str, data: bytes, first: int, stride: int, lists: Lists) -> tuple[int, int, int, bytes, str, str]:
    """The fields of one `workers.Content`; the words go to `lists`, in units numbered `first`, `first + stride`, …"""
    parsed = parse(path, data)
    lines = text_of(path, data).translate(BLANKS).split(b"\n")
    if not lines[-1]:
        lines.pop()
    units = extents(parsed.symbols, len(lines))
    lengths = []
    body = lists.body.__getitem__
    number = first
    for unit in units if has_words(path) else ():
        found = b"\n".join([b"\n".join(lines[start - 1 : end]) for start, end in unit.spans]).split()
        deque(map(list.append, map(body, found), repeat(number)), maxlen=0)
        lengths.append(len(found))
        number += stride
    lengths = lengths or [0] * len(units)
    _name(parsed.symbols, units, first, stride, lists)
    return (
        first,
        stride,
        len(lines),
        array("I", lengths).tobytes(),
        _json(
            [
                (s.name, s.qualified, s.kind, s.start, s.end, s.line, s.signature, s.parent, s.doc)
                for s in parsed.symbols
            ]
        ),
        _json([(i.module, i.names, i.line, i.kind) for i in parsed.imports]),
    )


def _name(symbols: Sequence[Symbol], units: Sequence[Extent], first: int, stride: int, lists: Lists) -> None:
    """Enter names and documentation of definitions under their units; sections are found by their words."""
    number_of = {unit.symbol: number for unit, number in zip(units, range(first, sys.maxsize, stride), strict=False)}
    for symbol in symbols:
        if symbol.kind == "section":
            continue
        number = number_of.get(symbol.qualified)
        if number is None:
            number = number_of[symbol.qualified] = number_of.get(symbol.parent, first)
        for word in words_of(symbol.name.encode("utf-8", "replace")):
            lists.name[word].append(number)
        if symbol.doc:
            for word in words_of(symbol.doc.encode("utf-8", "replace")):
                lists.doc[word].append(number)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _alarm(seconds: float) -> None:
    """Let the system end this process after a time, also when its parent is gone and the parser hangs."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _cap_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
