"""The table of forms: each is applied, or a call made, where it means one thing, and refused where it is ambiguous or
malformed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from optimizer import errors
from optimizer.edits.apply import apply_edits
from optimizer.edits.parse import parse_reply

TABLE = Path(__file__).parent / "forms.txt"
PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "edits.md"
KINDS = ["applied", "ambiguous", "malformed"]


class Case(NamedTuple):
    form: str
    kind: str
    parts: tuple[tuple[str, str], ...]

    def named(self, what: str) -> dict[str, str]:
        return {header[len(what) + 1 :]: body for header, body in self.parts if header.startswith(what + " ")}

    def value(self, what: str, default: str = "") -> str:
        return next(iter(self.named(what)), default)


def read_forms() -> list[Case]:
    cases: list[Case] = []
    form = ""
    for chunk in TABLE.read_text("utf-8").split("@@@@ ")[1:]:
        header, _, body = chunk.partition("\n")
        if header.startswith("form "):
            form = header[5:]
        elif header.startswith("case "):
            cases.append(Case(form, header[5:], ()))
        else:
            cases[-1] = cases[-1]._replace(parts=(*cases[-1].parts, (header, body)))
    return cases


@pytest.mark.parametrize("case", read_forms(), ids=lambda case: f"{case.form}: {case.kind}")
def test_form(case: Case) -> None:
    encoding = case.value("encoding", "utf-8")
    files = {path: body.encode(encoding) for path, body in case.named("file").items()}
    reply = parse_reply(dict(case.parts)["reply"])
    if "problem" in dict(case.parts):
        assert reply.problems
        assert reply.edits == reply.looks == ()
        return
    assert reply.problems == ()
    looks = [f"{look.name} {json.dumps(look.arguments)}" for look in reply.looks]
    assert looks == dict(case.parts).get("looks", "").splitlines()
    if "looks" in dict(case.parts):
        assert reply.edits == ()
        return
    request, shown = case.value("request"), tuple(case.value("shown").split())
    if name := case.value("error"):
        with pytest.raises(getattr(errors, name)):
            apply_edits(reply.edits, files.get, request, shown)
        return
    changes = {change.path: change.after for change in apply_edits(reply.edits, files.get, request, shown).changes}
    gone = dict.fromkeys(case.named("gone"))
    assert changes == {**gone, **{path: body.encode(encoding) for path, body in case.named("after").items()}}


def test_every_form_has_all_three_cases() -> None:
    cases = read_forms()
    for form in dict.fromkeys(case.form for case in cases):
        assert [case.kind for case in cases if case.form == form] == KINDS, form
    for case in cases:
        parts = dict(case.parts)
        refused = "problem" in parts or bool(case.value("error")) or parts.get("looks") == ""
        assert refused == (case.kind != "applied"), case


def test_the_page_lists_the_forms() -> None:
    table = PAGE.read_text("utf-8").split("| form | ")[1].split("\n\n")[0]
    listed = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    assert listed == list(dict.fromkeys(case.form for case in read_forms()))
