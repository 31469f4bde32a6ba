"""The dependency graph: four kinds of edge, what a removal does, what is carried along, the order of removal."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.report.dependencies import Lost
from optimizer.session.blocks import Block
from optimizer.session.graph import MOST, edges, graph_of, orphans, unmet
from optimizer.session.removal import cascade, drawn, impact, order
from optimizer.session.shingles import shingles, spoken
from tests.session.talks import block, output, read, talks

QUOTE = "if the first field is empty then the whole row counts as a comment and is skipped without a word"


def small() -> list[Block]:
    """A read, a request, a call with its result, an answer, an edit, and a second request."""
    return [
        block(
            id=1, kind="file-read", path="src/parse.py", start=1, end=9, text="## src/parse.py (9)\n1\tdef read_row(x):"
        ),
        block(id=2, kind="user", text="Request: why are rows lost?"),
        block(id=3, message=2, kind="assistant", text="I look at read_row and who calls it."),
        block(id=4, message=2, kind="tool-use", tool="search_code", call="a", arguments='{"query": "read_row"}'),
        block(id=5, message=3, kind="tool-result", tool="search_code", call="a", text=f"walk.py: next_cell\n{QUOTE}"),
        block(id=6, message=4, kind="assistant", text=f"next_cell is the cause: {QUOTE}."),
        block(id=7, message=5, kind="edit", path="src/parse.py", start=3, end=4, text="- a\n+ b"),
        block(id=8, turn=2, message=5, kind="user", text="Request: and what does next_cell do then?"),
    ]


def between(blocks: list[Block]) -> set[tuple[int, int, str]]:
    return {(one.source, one.target, one.kind) for one in edges(graph_of(blocks))}


def test_the_four_kinds_of_edge() -> None:
    assert between(small()) == {
        (1, 3, "information"),
        (1, 4, "information"),
        (1, 7, "file"),
        (2, 3, "flow"),
        (2, 4, "flow"),
        (2, 6, "flow"),
        (4, 5, "tool"),
        (5, 6, "tool"),
        (5, 6, "information"),
        (5, 8, "information"),
    }
    assert {one.names for one in edges(graph_of(small())) if (one.source, one.target) == (5, 6)} == {
        (),
        ("next_cell", ""),
    }


def test_a_change_needs_a_read_of_its_lines() -> None:
    first = block(id=1, kind="file-read", path="a/b.py", start=1, end=20, text="x")
    second = block(id=2, kind="file-read", path="a/b.py", start=50, end=70, text="y")
    change = block(id=3, message=3, kind="edit", path="a/b.py", start=55, end=56, text="z")
    assert between([first, second, change]) == {(2, 3, "file")}
    cite = block(id=4, turn=2, message=4, kind="user", text="Request: look at b.py again")
    graph = graph_of([first, second, change, cite])
    assert orphans(graph, {2}) == (3,) and orphans(graph, {1, 2}) == (3, 4)


def test_what_is_shown_twice_can_lose_one() -> None:
    again = [block(id=1, text=output(30, 3)), block(id=2, text=output(30, 3))]
    quoting = block(id=3, message=2, kind="assistant", text=output(30, 3))
    graph = graph_of([*again, quoting])
    assert orphans(graph, {1}) == orphans(graph, {2}) == ()
    assert orphans(graph, {1, 2}) == (3,)


def test_a_mention_brings_nothing_in() -> None:
    shown = block(id=1, text="def read_row")
    mention = block(id=2, message=2, kind="assistant", text="I see read_row.")
    later = block(id=3, message=3, kind="user", text="So what is read_row?")
    assert orphans(graph_of([shown, mention, later]), {1}) == (2, 3)


def test_names_in_the_arguments_of_calls_are_read_without_json() -> None:
    arguments = json.dumps({"content": "a\nnext_cell = 1", "more": ["read_row", {"x": "in_side"}], "n": 3})
    assert spoken(arguments).split("\n") == ["a", "next_cell = 1", "read_row", "in_side"]
    shown, call = block(id=1, text="next_cell"), block(id=2, message=2, kind="tool-use", call="a", arguments=arguments)
    assert between([shown, call]) == {(1, 2, "information")}
    assert spoken("not JSON") == "not JSON" and spoken("[" * 100_000)


def test_quotations_are_found_at_any_place_and_with_numbers_of_lines() -> None:
    lines = [f"value {n} of part {n * 7} goes to row {n}" for n in range(40)]
    numbered = "\n".join(f"{n}\t{line}" for n, line in enumerate(lines, 1))
    assert shingles("\n".join(lines)) == shingles(numbered)
    assert len(shingles("\n".join(lines[7:12])) & shingles(numbered)) >= 2
    assert not shingles("something else that nobody has ever written down here") & shingles(numbered)


def test_what_only_the_removed_block_holds_is_carried_along() -> None:
    blocks = small()
    found = cascade(graph_of(blocks), {5})
    assert [(one.source, one.needed_by) for one in found] == [(5, (6, 8))]
    assert found[0].lines == tuple(blocks[4].text.split("\n"))
    assert cascade(graph_of(blocks), {5, 6, 8}) == ()


def inside(lost: Sequence[Lost]) -> list[int]:
    return [id for one in lost for id in (one.block.id, *inside(one.inner))]


def test_the_impact_is_a_tree() -> None:
    (result,) = impact(graph_of(small()), {4})
    assert (result.block.id, result.kinds, result.names) == (5, ("tool",), ())
    answer, request = result.inner
    assert (answer.block.id, answer.kinds, answer.names) == (6, ("tool", "information"), ("next_cell", ""))
    assert (request.block.id, request.kinds, request.names) == (8, ("information",), ("next_cell",))
    assert inside([result]) == [5, 6, 8]
    assert request.block.title == "and what does next_cell do then?" and result.block.title.startswith(
        "search_code walk.py: next_cell"
    )


def test_a_page_is_drawn_of_all_edges() -> None:
    graph = graph_of(small())
    page = drawn(graph, "session 1", {5})
    assert [one.id for one in page.blocks] == list(range(1, 9)) and page.orphaned == {6, 8}
    assert {(one.source, one.target, one.kind) for one in page.links} == between(small())
    assert page.blocks[3].title == "search_code read_row"


def test_words_of_the_user_are_removed_last_and_corrections_after_them() -> None:
    said = ("Request: make rows", "Request: no, not like this", "Request: thanks, go on")
    users = [block(id=n, turn=n, message=2 * n, kind="user", text=text) for n, text in enumerate(said, 1)]
    pinned = block(id=4, turn=3, message=7, text="keep this", pinned=True)
    rules = block(id=5, turn=3, message=7, text="the rules", path="AGENTS.md")
    other = block(id=6, turn=3, message=7, text="some output")
    assert order(graph_of([*users, pinned, rules, other])) == (6, 5, 4, 1, 3, 2)


def test_a_block_that_alone_serves_others_goes_after_one_that_does_not() -> None:
    blocks = [
        block(id=1, message=1, text="first_name"),
        block(id=2, message=1, text="second_name"),
        block(id=3, message=2, kind="user", text="Request: explain first_name"),
        block(id=4, message=3, kind="assistant", text="It is a name."),
    ]
    found = order(graph_of(blocks))
    assert found.index(2) < found.index(1) < found.index(3)


@settings(deadline=None, max_examples=60)
@given(talks(), st.data())
def test_removals(blocks: tuple[Block, ...], data: st.DataObject) -> None:
    graph = graph_of(blocks)
    ids = [one.id for one in blocks]
    assert orphans(graph, ()) == orphans(graph, ids) == () and impact(graph, ()) == ()
    some, more = data.draw(st.sets(st.sampled_from(ids))), data.draw(st.sets(st.sampled_from(ids)))
    found = orphans(graph, some)
    assert not set(found) & some
    assert set(found) <= {*orphans(graph, some | more), *more}
    assert list(found) == [one for one in ids if one not in some and unmet(graph, one, some)]
    carried = "\n".join(line for one in cascade(graph, some) for line in one.lines)
    lost = {
        name for one in found for need in unmet(graph, one, some) if need.kind == "information" for name in need.names
    }
    assert all(name in carried for name in lost)


@settings(deadline=None, max_examples=60)
@given(talks())
def test_the_impact_holds_each_block_that_would_follow_once(blocks: tuple[Block, ...]) -> None:
    graph = graph_of(blocks)
    gone = {blocks[0].id}

    found = inside(impact(graph, gone))
    assert len(found) == len(set(found))
    assert orphans(graph, gone | set(found)) == ()


@settings(deadline=None, max_examples=60)
@given(talks())
def test_an_order_holds_each_block_once_and_protects_what_must_stay(blocks: tuple[Block, ...]) -> None:
    found = order(graph_of(blocks))
    assert sorted(found) == [one.id for one in blocks]
    kept = {one.id for one in blocks if one.kind == "user" or one.pinned}
    assert set(found[len(found) - len(kept) :]) == kept


@settings(deadline=None, max_examples=60)
@given(talks(), st.data())
def test_later_blocks_change_nothing_of_earlier_ones(blocks: tuple[Block, ...], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(blocks)))
    graph = graph_of(blocks[:at])
    before = dict(graph.needs)
    for one in blocks[at:]:
        graph.add(one)
    whole = graph_of(blocks)
    assert graph.needs == whole.needs and list(edges(graph)) == list(edges(whole))
    assert {id: whole.needs[id] for id in before} == before
    assert all(edge.source < edge.target for edge in edges(whole))
    assert all(len(need.met_by) <= MOST for needs in whole.needs.values() for need in needs if need.kind != "flow")


def test_reads_of_a_call_are_reads() -> None:
    result = block(id=2, message=2, kind="tool-result", tool="read_file", call="a", text=read("src/walk.py", 5, 1))
    call = block(id=1, message=1, kind="tool-use", tool="read_file", call="a", arguments='{"path": "src/walk.py"}')
    cite = block(id=3, message=3, kind="assistant", text="See src/walk.py:3.")
    assert between([call, result, cite]) == {(1, 2, "tool"), (2, 3, "tool"), (2, 3, "file")}
