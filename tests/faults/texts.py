"""Files in every encoding and with every kind of line ending, and edits of one line of them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optimizer.edits.apply import apply_edits
from optimizer.edits.edit import Edit, LineEdit, Replace, Whole

WORDS = {
    "utf-8": "añ表\u2028\u200d\u202e\x0c“”e\u0301 \t",
    "utf-8-sig": "añ表 \t",
    "latin-1": "aéÿ\x85 \t",
    "gbk": "a汉字丂 \t",
    "shift_jis": "a表ソ能 \t",
}
HOW = ("line", "replace", "insert", "delete", "whole", "tolerant")


@dataclass(frozen=True, slots=True)
class File:
    """The (text, ending) of each line in an encoding; line `at` (from 0) is `target = 1` and unique."""

    encoding: str
    lines: tuple[tuple[str, str], ...]
    at: int

    def joined(self, lines: tuple[tuple[str, str], ...] | None = None) -> bytes:
        return "".join(text + end for text, end in lines or self.lines).encode(self.encoding)


@st.composite
def files(draw: st.DrawFn) -> File:
    encoding = draw(st.sampled_from(sorted(WORDS)))
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\n", "\r\n"], ["\r"]]))
    extra = "\r" if ends != ["\r"] and encoding != "latin-1" else ""
    text = st.text(alphabet=WORDS[encoding] + "bc" + extra, max_size=6).map(lambda line: line.rstrip("\r"))
    lines = [(line, draw(st.sampled_from(ends))) for line in draw(st.lists(text, min_size=1, max_size=8))]
    at = draw(st.integers(0, len(lines)))
    lines.insert(at, ("target = 1", draw(st.sampled_from(ends))))
    if draw(st.booleans()):
        lines[-1] = (lines[-1][0] or "z", "")
    return File(encoding, tuple(lines), at)


def edited(file: File, how: str) -> tuple[bytes, bytes, bytes]:
    """Bytes before, after the edit made in that way, and as they have to be."""
    before = file.joined()
    lines, at = file.lines, file.at
    assume(b"\n" in before or b"\r" not in before or all(end == "\r" for _, end in lines[:-1]))
    assume(b"\n" in before or not any("\r" in text for text, _ in lines))
    number, end = at + 1, lines[at][1]
    new = (*lines[:at], ("fresh = 2", end), *lines[at + 1 :])
    edit: Edit = Replace("f", "target = 1\n", "fresh = 2\n")
    if how == "line":
        edit = LineEdit("f", number, number, "fresh = 2")
    elif how == "insert":
        edit = LineEdit("f", number, number - 1, "fresh = 2\n")
        mark = (lines[at - 1][1] if at else "") or end or None
        assume(mark is not None)
        new = (*lines[:at], ("fresh = 2", mark or "\n"), *lines[at:])
    elif how == "delete":
        edit = LineEdit("f", number, number, "")
        new = (*lines[:at], *lines[at + 1 :])
    elif how == "whole":
        assume(file.encoding.startswith("utf"))
        edit = Whole("f", "".join(text + "\n" for text, _ in new))
    elif how == "tolerant":
        edit = Replace("f", "  target = 1 \n", "  fresh = 2\n")
    (change,) = apply_edits((edit,), {"f": before}.get).changes
    assert change.before == before
    return before, change.after or b"", file.joined(new)


def changed_outside(examples: int) -> tuple[int, int]:
    """How many files were edited, in every way, and in how many of them a byte beside the edit was changed."""
    tried = wrong = 0

    @settings(
        deadline=None, max_examples=examples, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(files(), st.sampled_from(HOW))
    def run(file: File, how: str) -> None:
        nonlocal tried, wrong
        _, after, right = edited(file, how)
        tried += 1
        wrong += after != right

    run()
    return tried, wrong
