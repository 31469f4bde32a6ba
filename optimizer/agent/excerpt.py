"""A long text cut up: its beginning, its end and lines that report a failure unchanged, the rest in parts.

The parts are for a model that summarises each. Where the text is longer than all of them hold, lines that differ only
in numbers are read once; where that is not enough, a middle is left out, and the text says so.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from optimizer.context.budget import count_tokens
from optimizer.routing.words import FAILURE

MOST_PARTS, FIRST_PARTS = 8, 3  # of all parts, and of them those before the middle that is left out
HEAD, TAIL, FAILURES = 0.12, 0.25, 0.2  # shares of the tokens there are
REPORTED = 0.4  # share of failures where no model summarises the rest
MARKERS = 40  # tokens of the lines around them
LONGEST_PIECE = 500  # characters; a longer line is several pieces
TOKENS_PER_WORD = 1.6  # of a summary full of names and numbers
LONGEST_LINE, FOLLOWING = 240, 3  # characters shown of a line that reports a failure, and indented lines after it
MOST_TRIED = 2_000  # kinds of failures of which the tokens are counted
_SET_IN = re.compile(r"[ \t]+\S")
FAILURE_LINE = re.compile(
    rf"{FAILURE}|\berror\[\w+\]|\b(?:fatal|panic|killed|timed out|refused|permission denied|no such file)\b"
    r"|\bexit(?:ed)?(?: with)?(?: code| status) [1-9]|(?-i:\b(?:ERROR|CRITICAL|SEVERE|FAILED|FAIL|FAILURE)\b)",
    re.IGNORECASE,
)
_MAY_FAIL = re.compile(  # a part in lower case of all that the pattern above finds; it is found twenty times as fast
    r"err|exception|fail|traceback|panic|segmentation|core dumped|^[ \t]+at |^e  |✗|fatal|killed|timed out|refused"
    r"|denied|no such file|exit|critical|severe"
)
_NUMBERS = re.compile(
    r"(?P<kept>(?<=\" )[1-5]\d\d\b|\b(?:status|code)\W{1,3}\d{3}\b)|0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Part:
    """Text of the lines `start` to `end`, counted from 1; a very long line may be in several parts."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class SplitInput:
    """A text of `lines` lines cut up; `failures` are lines of its middle, `left_out` those that no part holds.

    `folded`: lines that differ only in numbers are in the parts once.
    """

    lines: int
    head: Part
    parts: tuple[Part, ...]
    tail: Part
    failures: tuple[Part, ...] = ()
    left_out: tuple[int, int] | None = None
    folded: bool = False

    def around(self, middle: str) -> str:
        """The text with `middle` in place of its parts."""
        return self.head.text + middle + self.tail.text


def cut_up(text: str, space: int, size: int) -> SplitInput:
    """Cut a text for a result of `space` tokens, in parts of at most `size` tokens (100 or more)."""
    pieces = list(_pieces(text))
    lines = pieces[-1].end if pieces else 0
    first = _fitting(pieces, int(space * HEAD))
    last = _fitting(pieces[first:], int(space * TAIL), from_end=True)
    rest = len(pieces) - last
    head, middle, tail = _one(pieces[:first], 0), pieces[first:rest], _one(pieces[rest:], lines)
    failures = _failures(middle, int(space * FAILURES))
    parts, left = _parts(middle, size, MOST_PARTS)
    if not left:
        return SplitInput(lines, head, parts, tail, failures)
    middle = list(_folded(middle))
    parts, left = _parts(middle, size, MOST_PARTS)
    if not left:
        return SplitInput(lines, head, parts, tail, failures, folded=True)
    parts, left = _parts(middle, size, FIRST_PARTS)
    ending, left = _parts(left, size, MOST_PARTS - FIRST_PARTS, from_end=True)
    skipped = (left[0].start, left[-1].end) if left else None
    return SplitInput(lines, head, (*parts, *ending), tail, failures, skipped, folded=True)


def failing(text: str, space: int) -> str:
    """A text cut to `space` tokens: its beginning, lines that report a failure, and its end; '' without such lines."""
    pieces = list(_pieces(text))
    reported = _failures(pieces, int(space * REPORTED))
    left = space - count_tokens("".join(f"{part.start}: {part.text}\n" for part in reported)) - MARKERS
    if left < 0 or not reported:
        return ""
    first = _fitting(pieces, left // 3)
    last = len(pieces) - _fitting(pieces[first:], left - left // 3, from_end=True)
    head, tail = _one(pieces[:first], 0), _one(pieces[last:], pieces[-1].end + 1)
    between = [part for part in reported if head.end < part.start < tail.start]
    if not between:
        return ""
    lines = [
        f"[… lines {head.end + 1:,} to {tail.start - 1:,} are left out, except those that report a failure: …]",
        *(f"{part.start}: {part.text}" for part in between),
        "[… unchanged again …]",
    ]
    return head.text + "\n".join(lines) + "\n" + tail.text


def words_for(excerpt: SplitInput, space: int) -> int:
    """How many words each summary may have for all of them to fit into `space` tokens with the rest."""
    left = space - count_tokens(excerpt.around(_laid_out(excerpt, [""] * len(excerpt.parts), "")))
    return int(left / TOKENS_PER_WORD) // max(1, len(excerpt.parts))


def middle(excerpt: SplitInput, summaries: Sequence[str], by: str, space: int) -> str:
    """The summary of each part by model `by` ('': none), which makes the text take at most `space` tokens.

    '' where no part has one, or they would take more.
    """
    nothing = excerpt.around(_laid_out(excerpt, [""] * len(summaries), by))
    left = space - count_tokens(nothing) if any(summaries) else 0
    while left > 0:
        text = _laid_out(excerpt, _shortened(summaries, left), by)
        if count_tokens(excerpt.around(text)) <= space:
            return text
        left = left * 9 // 10
    return ""


def _pieces(text: str) -> Iterator[Part]:
    """The lines with their line ends; long ones in several pieces."""
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        whole = f"{line}\n"
        for at in range(0, len(whole), LONGEST_PIECE):
            yield Part(number, number, whole[at : at + LONGEST_PIECE])


def _fitting(pieces: Sequence[Part], size: int, from_end: bool = False) -> int:
    """How many pieces, from the beginning or the end, cost at most `size` tokens together."""

    def costs(count: int) -> int:
        taken = pieces[len(pieces) - count :] if from_end else pieces[:count]
        return count_tokens("".join(piece.text for piece in taken))

    fits, beyond = 0, 1
    while beyond <= len(pieces) and costs(beyond) <= size:
        fits, beyond = beyond, beyond * 2
    beyond = min(beyond, len(pieces) + 1)
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        fits, beyond = (middle, beyond) if costs(middle) <= size else (fits, middle)
    return fits


def _parts(
    pieces: Sequence[Part], size: int, most: int, from_end: bool = False
) -> tuple[tuple[Part, ...], Sequence[Part]]:
    """At most `most` parts from the beginning or the end, in the order of the text, and the pieces that are left."""
    parts: list[Part] = []
    while pieces and len(parts) < most:
        count = _fitting(pieces, size, from_end)
        if not count:
            at = len(pieces) - 1 if from_end else 0
            pieces = [*pieces[:at], *_halves(pieces[at]), *pieces[at + 1 :]]
            continue
        at = len(pieces) - count if from_end else count
        taken, pieces = (pieces[at:], pieces[:at]) if from_end else (pieces[:at], pieces[at:])
        parts.append(_one(taken, 0))
    return tuple(reversed(parts) if from_end else parts), pieces


def _halves(piece: Part) -> tuple[Part, Part]:
    at = len(piece.text) // 2
    return replace(piece, text=piece.text[:at]), replace(piece, text=piece.text[at:])


def _one(pieces: Sequence[Part], line: int) -> Part:
    """Consecutive pieces as one part; an empty one at `line` for none."""
    if not pieces:
        return Part(line, line, "")
    return Part(pieces[0].start, pieces[-1].end, "".join(piece.text for piece in pieces))


def _shape(text: str) -> str:
    """What a line has in common with those that differ in numbers only; an HTTP status is kept."""
    return _NUMBERS.sub(lambda found: found["kept"] or "0", text.strip())


def _folded(pieces: Sequence[Part]) -> Iterator[Part]:
    """The first of each set of like lines, with a count of the others; blank lines are dropped."""
    alike: dict[str, list[Part]] = {}
    for piece in pieces:
        if shape := _shape(piece.text):
            alike.setdefault(shape, []).append(piece)
    for first, *others in alike.values():
        if not others:
            yield first
            continue
        lines = "line" if len(others) == 1 else "lines"
        more = f"(and {len(others):,} {lines} like it, the last is line {others[-1].end:,})"
        yield replace(first, text=f"{first.text.rstrip()} {more}\n")


def _failures(pieces: Sequence[Part], space: int) -> tuple[Part, ...]:
    """Lines that report a failure, each kind once, from both ends of the text inwards, in at most `space` tokens."""
    waiting = deque(_folded(list(_telling(pieces))))
    kept, at_end, tried = list[Part](), False, 0
    while waiting and tried < MOST_TRIED:
        line = waiting.pop() if at_end else waiting.popleft()
        at_end = not at_end
        tried += 1
        cost = count_tokens(f"{line.start}: {line.text}\n")
        if cost <= space:
            kept.append(replace(line, text=line.text.strip()))
            space -= cost
    return tuple(sorted(kept, key=lambda one: one.start))


def _telling(pieces: Sequence[Part]) -> Iterator[Part]:
    """The lines that report a failure, each with the indented lines after it."""
    after = 0
    for at, piece in enumerate(pieces):
        if at < after or not reports_failure(piece.text):
            continue
        last = min(at + 1 + FOLLOWING, len(pieces))
        after = next((one for one in range(at + 1, last) if not _SET_IN.match(pieces[one].text)), last)
        lines = [clipped(one.text.rstrip(), LONGEST_LINE) for one in pieces[at:after]]
        yield Part(piece.start, pieces[after - 1].end, "\n".join(lines))


def reports_failure(line: str) -> bool:
    """Whether a line reports a failure."""
    return _MAY_FAIL.search(line.lower()) is not None and FAILURE_LINE.search(line) is not None


def clipped(text: str, characters: int) -> str:
    """`text` in at most so many characters, with an ellipsis where its end was cut."""
    if len(text) <= characters:
        return text
    return f"{text[: characters - 1].rstrip()}…" if characters > 1 else ""


def _shortened(summaries: Sequence[str], space: int) -> list[str]:
    """The summaries, a line each, in at most `space` tokens together; longer ones get what shorter ones leave."""
    texts = [" ".join(text.split()) for text in summaries]
    waiting = sorted((count_tokens(text), number) for number, text in enumerate(texts) if text)
    while waiting:
        share = space // len(waiting)
        tokens, number = waiting.pop(0)
        while tokens > share and texts[number]:
            texts[number] = clipped(texts[number], min(len(texts[number]) - 1, len(texts[number]) * share // tokens))
            tokens = count_tokens(texts[number])
        space -= tokens
    return texts


def _laid_out(excerpt: SplitInput, summaries: Sequence[str], by: str) -> str:
    first, last = excerpt.head.end + 1, excerpt.tail.start - 1
    rows = [(part, text or "left out") for part, text in zip(excerpt.parts, summaries, strict=True)]
    if excerpt.left_out:
        rows.append((Part(*excerpt.left_out, ""), "left out"))
    rows.sort(key=lambda row: row[0].start)
    once = "; lines that differ in numbers only were read once" if excerpt.folded else ""
    lines = [
        f"[… from line {first:,} on summarised by {by}{once} …]",
        *(f"{_lines(part)}: {text}" for part, text in rows),
    ]
    if excerpt.failures:
        lines.append("[lines among these that report a failure, unchanged:]")
        lines += [f"{part.start}: {part.text}" for part in excerpt.failures]
    lines.append(f"[… after line {last:,} unchanged again …]")
    return "\n".join(lines) + "\n"


def _lines(part: Part) -> str:
    return f"line {part.start:,}" if part.start == part.end else f"lines {part.start:,} to {part.end:,}"
