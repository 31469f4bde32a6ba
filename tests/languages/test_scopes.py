"""Names that a file uses come in the order of the file, so that findings about them do too."""

from __future__ import annotations

from optimizer.languages.naming.scopes import free_names, selections
from optimizer.languages.source import Source

NUMBERS = range(40)


def test_names_come_in_the_order_of_the_file() -> None:
    lines = [f"\tx{number}.Field()" for number in NUMBERS]
    source = Source("a.go", "\n".join(["package a", "func f() {", *lines, "}", ""]).encode())
    assert list(selections(source)) == [(f"x{number}", "Field", number + 3) for number in NUMBERS]
    assert list(free_names(source) or ()) == [f"x{number}" for number in NUMBERS]
