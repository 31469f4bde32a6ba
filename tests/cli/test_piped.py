"""What is kept of a long standard input."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from optimizer.cli.run import ends


@given(st.binary(max_size=200), st.integers(1, 60))
def test_both_ends_of_a_stream_are_kept_and_what_is_between_is_counted(data: bytes, size: int) -> None:
    first, last, left_out = ends(io.BytesIO(data), size)
    assert max(len(first), len(last)) <= size
    assert len(first) + left_out + len(last) == len(data)
    assert data.startswith(first)
    assert data.endswith(last)
    assert not left_out or len(first) == len(last) == size
