"""Which lines of files a conversation has shown: what requests and results hold, and nothing that a model wrote."""

from __future__ import annotations

from optimizer.agent.talk import seen, shown_in
from optimizer.errors import SafetyRefused
from optimizer.types import Message

LINES = "## a.py (2 lines in all)\n1\timport os\n2\tprint(os.name)"


def test_lines_that_a_model_wrote_itself_were_not_shown_to_it() -> None:
    assert shown_in((Message("user", LINES),)) == {"a.py": {1: "import os", 2: "print(os.name)"}}
    assert not shown_in((Message("user", "explain a.py"), Message("assistant", LINES)))


def test_a_heading_without_lines_shows_no_file() -> None:
    assert not shown_in((Message("user", "## Setup\nrun it\n\n## secret.py\n\n3 lines"),))


def test_a_heading_that_names_nothing_that_may_be_read_opens_no_lines() -> None:
    def read(path: str) -> bytes | None:
        raise SafetyRefused(path)

    known = seen((), shown_in((Message("user", "## ../other.py\n1\timport os"),)), read)
    assert known.lines == {"../other.py": set()} and "../other.py" in known.strict
