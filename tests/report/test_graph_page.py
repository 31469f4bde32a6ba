"""The page of a dependency graph: well formed, inert, complete, and cut where it would be too long."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from optimizer.report.dependencies import Shown
from optimizer.report.graph_page import MANY, MOST, Drawn, Link, page

BLOCKS = [
    Shown(1, "file-read", "src/parse.py", 1_240),
    Shown(2, "user", '</title><script>alert("x")</script>\x1b[31m', 9),
    Shown(3, "assistant", "The cause is read_row", 80),
]
LINKS = [Link(1, 3, "information", ("read_row", "")), Link(2, 3, "flow", ()), Link(1, 3, "file", ("src/parse.py",))]
EMPTY = {"meta", "path", "circle"}


class Tags(HTMLParser):
    """The elements of a page, and whether they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in EMPTY or tag == "path":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def classes(self, tag: str) -> list[str | None]:
        return [found.get("class") for name, found in self.seen if name == tag]


def test_a_page_is_well_formed_and_loads_and_runs_nothing() -> None:
    text = page(Drawn("session <1>", BLOCKS, LINKS, {1}, {3}))
    tags = Tags(text)
    assert tags.open == []
    assert "script" not in {name for name, _ in tags.seen} and "\x1b" not in text
    assert not re.search(r"https?:|url\(|@import|\ssrc=|\son\w+=", text)
    assert "session &lt;1&gt;" in text


def test_rows_arcs_and_states() -> None:
    tags = Tags(page(Drawn("a", BLOCKS, LINKS, {1}, {3})))
    assert tags.classes("path") == ["flow", "information hot", "file hot"]
    assert tags.classes("circle") == ["gone", "", "orphan"]
    assert [one for one in tags.classes("li") if one is not None] == ["gone", " turn", "orphan"]


def test_of_a_long_conversation_the_rows_that_a_removal_touches_stay() -> None:
    many = [Shown(number, "note", "", 1) for number in range(1, MOST + 201)]
    links = [Link(1, 5, "information", ("a_b",)), Link(4, 5, "information", ("c_d",)), Link(8, 9, "flow", ())]
    tags = Tags(page(Drawn("a", many, links, {1}, {5})))
    rows = [found["id"] for name, found in tags.seen if name == "li" and "id" in found]
    assert len(rows) == MOST and {"b1", "b4", "b5", f"b{MOST + 200}"} <= set(rows) and "b8" not in rows
    assert len(tags.classes("path")) == 2


def test_many_arcs_are_drawn_thin() -> None:
    many = [Link(1, 3, "tool", ())] * (MANY + 1)
    assert Tags(page(Drawn("a", BLOCKS, many))).classes("svg") == ["many"]
    assert Tags(page(Drawn("a", BLOCKS, LINKS))).classes("svg") == [""]
