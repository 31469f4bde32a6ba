"""Every line of a file belongs to exactly one unit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optimizer.languages.source import Source
from optimizer.languages.units import extents
from optimizer.types import Symbol

CODE = """import os

LIMIT = 3

class Outer:
    '''Doc.'''
    level = 1

    def run(self):
        def inner():
            return 1
        return inner

    class Nested:
        def deep(self):
            return 2

    def last(self): return 3

def free():
    return 4
print(free())
"""


def test_functions_classes_outside_their_methods_and_the_rest():
    found = {unit.symbol: (unit.kind, unit.spans) for unit in extents(Source("a.py", CODE.encode()).symbols, 22)}
    assert found == {
        "": ("", ((1, 4), (19, 19), (22, 22))),
        "Outer": ("class", ((5, 8), (13, 13), (17, 17))),
        "Outer.run": ("method", ((9, 12),)),
        "Outer.Nested": ("class", ((14, 14),)),
        "Outer.Nested.deep": ("method", ((15, 16),)),
        "Outer.last": ("method", ((18, 18),)),
        "free": ("function", ((20, 21),)),
    }


def symbol(start: int, length: int, kind: str) -> Symbol:
    return Symbol("x", f"x{start}.{length}", kind, "a.py", start, start + length, start, "")  # type: ignore[arg-type]


SYMBOLS = st.lists(
    st.builds(
        symbol, st.integers(-2, 40), st.integers(-1, 25), st.sampled_from(["function", "class", "method", "constant"])
    )
)


@given(symbols=SYMBOLS, lines=st.integers(0, 40), ordered=st.booleans())
def test_each_line_is_in_exactly_one_unit_whatever_the_symbols(symbols, lines, ordered):
    if ordered:
        symbols = sorted(symbols, key=lambda item: (item.start, -item.end))
    units = extents(symbols, lines)
    covered = [line for unit in units for start, end in unit.spans for line in range(start, end + 1)]
    assert sorted(covered) == list(range(1, lines + 1))
    assert units[0].symbol == ""
