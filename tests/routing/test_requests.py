"""How often the kind of a labelled request is told, on what the words were chosen with and on what was held back."""

import pytest

from optimizer.routing.classify import KINDS, classify
from optimizer.types import Context, Query
from tests.routing.requests import Labelled, labelled

FLOOR = 0.9


def wrong(half: str) -> tuple[list[str], list[str], int]:
    """The requests whose kind was missed, those whose wish for edits was, and how many there are."""
    requests = labelled(half)
    kinds, edits = list[str](), list[str]()
    for text, piped, kind, wants in requests:
        got = classify(Query(text, piped), Context(text, 0, (), ()), 1000)
        if got.kind != kind:
            kinds.append(f"{text!r} is {kind}, taken for {got.kind}: {got.reasons[0]}")
        if got.wants_edits != wants:
            edits.append(f"{text!r}: edits {wants}")
    return kinds, edits, len(requests)


@pytest.mark.parametrize("half", ["tune", "held"])
def test_kinds_are_told(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    kinds, edits, count = wrong(half)
    with capsys.disabled():
        print(f"\n{half}: kind {1 - len(kinds) / count:.1%}, edits {1 - len(edits) / count:.1%} of {count} requests")
    assert 1 - len(kinds) / count >= FLOOR, kinds
    assert 1 - len(edits) / count >= FLOOR, edits


@pytest.mark.parametrize("half", ["tune", "held"])
def test_there_are_enough_of_every_kind(half: str) -> None:
    found = labelled(half)
    assert len(found) >= 120
    assert {one.kind for one in found} == set(KINDS)
    assert sum(not one.text.isascii() for one in found) >= 10


def test_no_request_stands_in_both_halves() -> None:
    assert not {one.text for one in labelled("tune") if not one.piped} & {one.text for one in labelled("held")}
    assert isinstance(labelled("held")[0], Labelled)
