"""The collected cases: a reply, the files it meets, and what comes of it. Each bug found adds one to cases/*.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.edits.apply import apply_edits
from optimizer.edits.parse import parse_reply
from optimizer.errors import OptimizerError

CASES = Path(__file__).parent / "cases"


def read_cases() -> list[tuple[str, list[tuple[str, str]]]]:
    """(name, parts) of every case; a part is a header such as `file a.py` and the text under it."""
    cases: list[tuple[str, list[tuple[str, str]]]] = []
    for file in sorted(CASES.glob("*.txt")):
        for chunk in file.read_text().split("@@@@ ")[1:]:
            header, _, body = chunk.partition("\n")
            if header.startswith("case "):
                cases.append((f"{file.stem}: {header[5:]}", []))
            else:
                cases[-1][1].append((header, body))
    return cases


@pytest.mark.parametrize(("name", "parts"), read_cases(), ids=lambda value: value if isinstance(value, str) else "")
def test_case(name: str, parts: list[tuple[str, str]]) -> None:
    files = {header[5:]: body.encode() for header, body in parts if header.startswith("file ")}
    after = {header[6:]: body.encode() for header, body in parts if header.startswith("after ")}
    reply = parse_reply(next(body for header, body in parts if header == "reply"))
    kind, _, detail = next(header for header, _ in parts if not header.startswith(("file ", "reply"))).partition(" ")
    if kind == "nothing":
        assert (reply.edits, reply.problems) == ((), ())
    elif kind == "problem":
        assert any(detail in problem for problem in reply.problems), reply
        assert reply.edits == ()
    elif kind == "error":
        error_name, _, words = detail.partition(" ")
        assert reply.problems == ()
        with pytest.raises(OptimizerError) as raised:
            apply_edits(reply.edits, files.get)
        assert type(raised.value).__name__ == error_name
        assert words in raised.value.message
    else:
        assert reply.problems == ()
        patch = apply_edits(reply.edits, files.get)
        assert {change.path: change.after for change in patch.changes} == after
