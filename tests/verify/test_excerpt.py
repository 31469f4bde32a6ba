"""What is shown of a command's output: the part about what failed, short, and without what must not be shown."""

from __future__ import annotations

from pathlib import Path

from optimizer.verify import excerpt

TREE = Path("/tmp/copy")
PYTEST = """
=================================== FAILURES ===================================
__________________________________ test_other __________________________________
tests/test_a.py:9: in test_other
    assert other
E   AssertionError: other
_________________________________ test_one[a-b] _________________________________
tests/test_a.py:5: in test_one
    assert f() == 2
E   assert 1 == 2
----------------------------- Captured stdout call -----------------------------
noise
=========================== short test summary info ============================
tests/test_b.py:1: not of a section
FAILED tests/test_a.py::test_one[a-b] - assert 1 == 2
"""


def test_the_section_of_the_failed_test_alone_is_shown() -> None:
    assert excerpt.of_pytest(PYTEST, ["tests/test_a.py::test_one[a-b]"], TREE).split("\n") == [
        "tests/test_a.py::test_one[a-b] failed",
        "tests/test_a.py:5: in test_one",
        "    assert f() == 2",
        " assert 1 == 2",
    ]


def test_of_other_commands_what_tells_of_an_error_is_shown_or_else_the_end() -> None:
    lines = [f"line {n}" for n in range(30)]
    assert excerpt.of_any("\n".join([*lines, "src/a.c:3: odd", "an Error here", *lines]), TREE) == (
        "src/a.c:3: odd\nan Error here"
    )
    assert excerpt.of_any("\n\n".join(lines), TREE).split("\n") == lines[-excerpt.MAX_LINES :]


def test_a_finding_that_moved_is_not_new_and_one_more_of_its_kind_is() -> None:
    earlier = "/tmp/old/a.py:3:1: F401 unused\n/tmp/old/a.py:9:1: F401 unused\nFound 2 errors.\n"
    later = "/tmp/copy/a.py:4:1: F401 unused\n/tmp/copy/a.py:10:1: F401 unused\nFound 2 errors.\n"
    assert excerpt.new_findings(later, earlier, TREE, Path("/tmp/old")) == []
    more = later + "/tmp/copy/a.py:20:1: F401 unused\n/tmp/copy/b.py:1:1: E501 long\n"
    found = excerpt.new_findings(more, earlier, TREE, Path("/tmp/old"))
    assert found == ["a.py:20:1: F401 unused", "b.py:1:1: E501 long"]
    assert excerpt.new_findings("odd\n", "", TREE, TREE) == ["odd"]


def test_what_is_shown_is_short_and_holds_no_secret() -> None:
    key = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3gHi"
    lines = [f"E  {TREE}/a.py:{n}: {'x' * 400}" for n in range(9)] + ["same", "same", f"key = '{key}'", "end"]
    shown = excerpt.tidy(lines, TREE)
    assert excerpt.MAX_CHARACTERS - 200 < len(shown) <= excerpt.MAX_CHARACTERS == 1600
    assert max(map(len, shown.split("\n"))) <= excerpt.MAX_COLUMNS
    assert excerpt.tidy(lines[9:], TREE) == "same\nend"
    many = excerpt.tidy([str(n) for n in range(40)], TREE)
    assert many.split("\n") == [str(n) for n in range(excerpt.MAX_LINES)]
