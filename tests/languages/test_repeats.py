"""A text that goes in circles is recognised soon, a list of different things is not."""

from __future__ import annotations

import pytest

from optimizer.languages.repeats import Watch, circles

TEST = "def test_{0:b}() -> None:\n    assert parse('{0:b}') == [Part('{0:b}', {0})]\n\n\n"
ROUND = {
    "a sentence": "The function takes the text and returns it. " * 20,
    "two words": "You're right. " * 40,
    "a line that counts on": "".join(f"{n}. The function returns the sum of its parts.\n" for n in range(120)),
    "marks": "    #\n" * 200,
    "digits": "1;2;0;" * 200,
    "a paragraph": ("It reads each line of the file, splits it at commas, keeps what is a number, adds all of these, "
                    "writes the sum into a column of the table, and then looks for the next file of the folder. ") * 14,
    "no words between blanks": "同じことを何度も言う。" * 200,
}  # fmt: skip
ONWARD = {
    "a table": "".join(f"| `name_{n}` | handles case {n} | src/part_{n}.py |\n" for n in range(80)),
    "tests": "".join(map(TEST.format, range(20))),
    "a ruler": "x\n" + "=" * 300 + "\ny\n",
    "short": "No. No. No.",
    "numbers": ", ".join(map(str, range(900))),
}  # fmt: skip


@pytest.mark.parametrize("what", ROUND)
def test_circles_are_seen(what: str) -> None:
    assert circles(ROUND[what])
    assert circles("It begins well, with words of its own. " + ROUND[what])


@pytest.mark.parametrize("what", ONWARD)
def test_what_goes_on_is_left_alone(what: str) -> None:
    assert not circles(ONWARD[what])


def test_a_stream_is_stopped_before_its_end() -> None:
    watch, text, heard = Watch(), ROUND["a sentence"] * 5, 0
    for at in range(0, len(text), 7):
        heard = at
        if watch.circles(text[at : at + 7]):
            break
    assert heard < 1500
