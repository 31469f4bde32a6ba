"""What a removal does, in words."""

from __future__ import annotations

from optimizer.report.dependencies import Link, Lost, Removal, Shown, effect, listed, orphaned, tree

READ = Shown(3, "file-read", "src/parse.py", 1_240)
ANSWER = Shown(5, "assistant", "The cause is\nread_row \x1b[31m", 1)


def test_a_removal_that_orphans_blocks() -> None:
    assert orphaned([3], []) == "removing #3 orphans nothing"
    assert orphaned([3, 4], [ANSWER]) == "removing #3, #4 orphans 1 block: #5 answer"
    many = [Shown(n, "note", "", 0) for n in range(7)]
    assert orphaned([9], many).endswith("7 blocks: #0 note, #1 note, #2 note, #3 note, #4 note, 2 more")


def test_an_effect_ends_with_what_is_carried_along() -> None:
    found = effect(Removal([READ], (), [(READ, ["1\tdef read_row(x):", "\x1b[31m"])]))
    assert found.splitlines() == [
        orphaned([3], []),
        tree([READ], []),
        "carried along of #3 read:",
        "    1\tdef read_row(x):",
        "    \\u001b[31m",
    ]


def test_a_listing_shows_what_each_block_takes() -> None:
    found = listed([READ, ANSWER], [Link(3, 5, "file", ("a",)), Link(2, 5, "file", ("b",))], [5, 3])
    assert found.splitlines()[2:] == ["    uses the file: #3, #2", "hurts least when removed: #5, #3"]
    assert listed([], [], []) == "no blocks"


def test_the_tree_is_inert_and_shows_why() -> None:
    inner = Lost(Shown(8, "edit", "src/parse.py", 40), ("file",), ("src/parse.py",), ())
    found = tree([READ], [Lost(ANSWER, ("information", "tool"), ("read_row", ""), (inner,)), inner])
    assert found == (
        "- #3 read src/parse.py (1,240 tokens)\n"
        "├─ #5 answer The cause is read_row \\u001b[31m (1 token): names read_row, quotes it, follows from it\n"
        "│  └─ #8 edit src/parse.py (40 tokens): uses the file\n"
        "└─ #8 edit src/parse.py (40 tokens): uses the file"
    )
