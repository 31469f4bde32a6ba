"""How often the kind of a labelled request is told, on what the words were chosen with and on what was held back."""

import pytest

from optimizer.routing.classify import KINDS, classify
from optimizer.types import Context, Query
from tests.routing.requests import labelled

FLOORS = {"tune": 0.9, "held": 0.9, "fresh": 0.75}


def wrong(half: str) -> tuple[list[str], list[str], int]:
    """The requests whose kind was missed, those whose wish for edits was, and how many there are."""
    requests = labelled(half)
    kinds, edits = list[str](), list[str]()
    for text, piped, kind, wants in requests:
        got = classify(Query(text, piped), Context(text, 0, (), ()), 1000)
        if got.kind != kind:
            kinds.append(f"{text!r} is {kind}, taken for {got.kind}: {got.signs[0]}")
        if got.wants_edits != wants:
            edits.append(f"{text!r}: edits {wants}")
    return kinds, edits, len(requests)


@pytest.mark.parametrize("half", list(FLOORS))
def test_kinds_are_told(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    kinds, edits, count = wrong(half)
    with capsys.disabled():
        print(f"\n{half}: kind {1 - len(kinds) / count:.1%}, edits {1 - len(edits) / count:.1%} of {count} requests")
    assert 1 - len(kinds) / count >= FLOORS[half], kinds
    assert 1 - len(edits) / count >= FLOORS[half], edits


@pytest.mark.parametrize("half", ["tune", "held"])
def test_there_are_enough_of_every_kind(half: str) -> None:
    found = labelled(half)
    assert len(found) >= 120
    assert {one.kind for one in found} == set(KINDS)
    assert sum(not one.text.isascii() for one in found) >= 10


def test_no_request_stands_in_two_of_them() -> None:
    texts = [one.text for half in FLOORS for one in labelled(half) if not one.piped]
    assert len(set(texts)) == len(texts)
