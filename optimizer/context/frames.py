"""Stack frames, as the programs of each language print them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from optimizer.languages.spelling import words_of

MOST_FRAMES = 50
FALLOFF = 0.3
# Whether the innermost frame is last, a text that every such line contains, and the pattern of the line, in which the
# words PATH (up to its ending), LINE and NAME stand for the parts.
_FORMS = (
    (True, 'File "', r"\s*File \"(?P<path>[^\"\n]+)\", line LINE(?:, in (?P<function>\S+))?"),
    (True, "File ", r"\s*File (?P<path>[^\s:,\"]+):LINE,? in (?P<function>[^\s(]+)"),
    (True, ".py", r"\s*(?P<path>[~/][^\s:()]*\.py) in (?P<function>[^\s(]+)\("),
    (True, ".py:", r"\s*PATH\.py):LINE: (?:in (?P<function>\S+)|[A-Z]\w+\s*\Z)"),
    (False, ":line ", r"\s*at NAME[^\n]{0,300}? in (?P<path>(?:[A-Za-z]:)?[^\n:]{1,300}):line LINE"),
    (False, "at ", r"\s*at (?:async )?(?P<function>[\w$.<>\[\] ]{1,200}?) ?\((?P<path>URL[^()\s]+?):LINE(?::\d+)?\)"),
    (False, "at ", r"\s*at (?:async )?(?P<path>URL[^()\s]+?):LINE(?::\d+)?\s*\Z"),
    (False, ".rb:", r"\s*(?:from )?PATH\.rb):LINE:in [`'](?:[a-z ]{1,20} in )?(?P<function>[^'\n]+)'"),
    (False, ".php(", r"\s*#\d+ PATH\.php)\(LINE\)(?:: NAME)?"),
    (False, ".php", r".{0,400}? in PATH\.php)(?::| on line )LINE\s*\Z"),
    (False, ".go:", r"\s*PATH\.go):LINE(?: \+0x[0-9a-f]+)?\s*\Z"),
    (False, "panicked at ", r".{0,200}?panicked at (?:'.{0,500}?', )?PATH\.rs):LINE"),
    (False, "--> ", r"\s*--> PATH):LINE(?::\d+)?"),
    (False, "#", r"\s*#\d{1,4}\s+(?:0x[0-9a-fA-F]+ in )?NAME[^\n]{0,300}?[ (]PATH\.\w{1,6}):LINE"),
    (False, "== ", r"==\d+==\s+(?:at|by) 0x[0-9A-Fa-f]+: NAME[^\n]{0,300}? \(PATH):LINE\)"),
    (False, ".ex", r"\s*(?:\([^()\n]{1,80}\) )?PATH\.exs?):LINE: NAME"),
    (False, ".lua:", r"\s*PATH\.lua):LINE: in (?:function|method|upvalue|local) ['<]NAME"),
    (False, " line ", r".{0,300}? at PATH\.p[lm]) line LINE\b"),
    (False, "called at ", r"\s*NAME, called at PATH\.hs):LINE"),
    (
        False,
        'in file "',
        r"\s*(?:Raised|Called)[^\n]{0,20}? (?:at|from) (?:NAME )?in file \"PATH)\"[^\n]{0,20}?, lines? LINE",
    ),
    (False, ".zig:", r"\s*PATH\.zig):LINE:\d+: 0x[0-9a-f]+ in NAME"),
    (False, "@ ", r"\s*(?:\[\d+\] [^\n]{0,200}?)?@ (?:[\w.]+ )?PATH\.jl):LINE"),
    (False, "@", r"\s*(?P<function>[\w$.<>/*]{0,200})@(?P<path>[^\s()]{1,300}?\.[cm]?[jt]sx?):LINE(?::\d+)?\s*\Z"),
    (False, ".tf line ", r".{0,20}?on PATH\.tf) line LINE"),
)
_PARTS = (
    ("PATH", r"(?P<path>[^\s:()\"',]+"),
    ("LINE", r"(?P<line>\d{1,7})"),
    ("NAME", r"(?P<function>(?:->|::|[^\s(,:'>]){1,300})"),
    ("URL", r"(?:[a-z]+://)?"),
)


class Frame(NamedTuple):
    """One frame of a stack trace; `line` is 0 for none, `weight` is 1 for the innermost and falls outwards."""

    path: str
    line: int
    function: str
    weight: float


class _Read(NamedTuple):
    innermost_last: bool
    path: str
    line: int
    function: str


def is_frame(line: str) -> bool:
    """Whether a line is a frame of a stack trace."""
    return _read(line) is not None


def frames(lines: Iterable[str]) -> Iterator[Frame]:
    """The frames of all traces among the lines, of each trace the innermost first."""
    trace: list[_Read] = []
    for line in lines:
        read = _read(line)
        if trace and (not _continues(line) if read is None else read.innermost_last != trace[0].innermost_last):
            yield from _weighed(trace)
            trace = []
        if read is not None:
            trace.append(read)
    yield from _weighed(trace)


def _continues(line: str) -> bool:
    return line.startswith((" ", "\t")) or line.lstrip().startswith(("#", "goroutine", "-", ">", "E "))


def _weighed(trace: list[_Read]) -> Iterator[Frame]:
    ordered = trace[::-1] if trace and trace[0].innermost_last else trace
    for depth, read in enumerate(ordered[:MOST_FRAMES]):
        yield Frame(read.path, read.line, read.function, 1.0 / (1.0 + FALLOFF * depth))


def _read(line: str) -> _Read | None:
    for number, (innermost_last, mark, _) in enumerate(_FORMS):
        if mark in line and (match := _form(number).match(line)):
            found = match.groupdict()
            path, function = found["path"], (found.get("function") or "").strip()
            if mark == "at " and "/" not in path and "." in function:  # Java names a file without its folder
                path = "/".join([*function.split(".")[:-2], path])
            return _Read(innermost_last, path, int(found.get("line") or 0), _last_word(function))
    return None


@cache
def _form(number: int) -> re.Pattern[str]:
    pattern = _FORMS[number][2]
    for part, meaning in _PARTS:
        pattern = pattern.replace(part, meaning)
    return re.compile(pattern)


def _last_word(function: str) -> str:
    return function if function.startswith("<") else (words_of(function) or ("",))[-1]
