"""A reply that would cut most of a file away is refused; one that keeps half, or cuts a short file, is not."""

from __future__ import annotations

import pytest

from optimizer.edits.apply import apply_edits
from optimizer.edits.edit import Whole
from optimizer.errors import EditRefused


def lines(count: int) -> str:
    return "".join(f"line_{number} = {number}\n" for number in range(count))


@pytest.mark.parametrize(("had", "has"), [(50, 24), (60, 29), (200, 99), (22, 1)])
def test_the_loss_of_most_of_a_file_is_refused(had: int, has: int) -> None:
    with pytest.raises(EditRefused, match=rf"\b{had}\b.*\b{has}\b"):
        apply_edits((Whole("a.py", lines(has)),), {"a.py": lines(had).encode()}.get)


@pytest.mark.parametrize(("had", "has"), [(50, 25), (60, 30), (200, 100), (20, 1), (21, 1)])
def test_a_file_that_keeps_half_or_was_short_may_be_cut(had: int, has: int) -> None:
    (change,) = apply_edits((Whole("a.py", lines(has)),), {"a.py": lines(had).encode()}.get).changes
    assert change.after == lines(has).encode()
