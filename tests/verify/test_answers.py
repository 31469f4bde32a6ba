"""Answers without edits: what they say of the repository has to be there; what they say of other things is let pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from optimizer.index.reader import Index
from optimizer.retrieval import Context, ContextItem
from optimizer.verify.answers import check_answer
from optimizer.verify.relevant import Asked
from tests.conftest import shared_index

FILES = {
    "src/app.py": "import json\n\n\ndef load_config(path):\n    return json.loads(open(path).read())\n\n\n"
    "class HttpClient:\n    def send_all(self):\n        return load_config('x')\n",
    "src/ReadMe.md": "# T\n",
    "src/data.json": "{}\n",
    "web/main.js": "export function area() { return 1; }\n",
    "c/util.h": "int sum(int a);\n",
    "LICENSE": "MIT\n",
}

GOOD = [
    "`load_config` is in src/app.py:4 and used in src/app.py:9-10.",
    "See app.py, web/main.js:1 and ./src/app.py. Node.js runs it; https://example.org/none.py is not ours.",
    "Nothing is named here, e.g. nothing.",
    "I can't stress enough that src/app.py:2 is blank. " + ", ".join(f"a{n} b{n}" for n in range(60)) + ".",
    "Use it so:\n```python\nf()\n```\n",
    "The licence is in LICENSE.",
    # the standard library and installed packages
    "It calls `json.loads` (see /usr/lib/python3.11/json/decoder.py:337) from `src/app.py`.",
    "The traceback ends in .venv/lib/python3.11/site-packages/click/core.py:1130, not in src/app.py.",
    "`os.path.join` and `asyncio.run()` would do; `src/app.py` uses neither.",
    "`print()` and `len()` are builtins, `src/app.py` does not redefine them.",
    "`#include <stdio.h>` goes first in c/util.h.",
    # commands
    "Run `python scripts/migrate.py --all`, then `pytest tests/test_load.py`.",
    "$ python tools/none.py\nprints it.",
    "    node build/out.js --watch",
    # addresses and versions
    "Since Python 3.11.4 and v2.0.1 of the client, see www.example.org/a/b.py and docs.python.org/3/library/json.md.",
    "Its source is on [the web](https://github.com/a/b/blob/main/src/none.py#L3).",
    # what the answer proposes, or says is missing
    "Create a new file `src/cache.py` with a `load_cached()` function.",
    "I would add `tests/test_app.py:1` for it.",
    "There is no `src/settings.py` here; the settings are in src/app.py.",
    "Save the following as `scripts/run.py`:\n```python\nimport app\n```",
    "You could move it to a module such as `src/http/client.py`.",
    "`src/old.py` was removed.",
    # patterns, placeholders, products, usual files
    "All of `src/*.py` and `**/*.js` match, as does path/to/file.py or your_module.py.",
    "Express.js and vue.js and discord.js do that; pyproject.toml or tsconfig.json configure it.",
    "`response.json()` gives an object, and `self.md(x)` is a call.",
    "`.eslintrc.json` and .prettierrc.json hold the rules; lib.core.py is a name with dots, Notes.md a title.",
    # of a diff
    "The hunk `--- a/src/app.py` is applied to b/src/app.py.",
    "| file | line |\n|---|---|\n| src/app.py | 3 |",
    "`HttpClient.send_all()` in `src/app.py` calls `load_config`.",
]
BAD = [
    "", "  \n", "I'm sorry, but I can't help with that.", "As an AI model I do not see files.",
    "It is in src/app.py:17.", "It is in src/none.py.", "See other.py:3", "Look at app/src/app.py.",
    "So:\n```python\nf(", "The parts are,", "src/app.py:99999999 has it",
    "`parse_settings()` in `src/app.py` reads them.",
    "In src/app.py:4 the `ConfigLoader` does it.",
    "`load_config` is called by `src/server/main.py`.",
    "The handler stands in **web/routes.js**.",
    "1. `src/app.py` loads\n2. `src/worker.py` runs",
    "This function in C++ is called `get_int()`.",
    "The entry point is loop_main.py.", "`print()` and `load_nothing()` are in src/app.py.",
]  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with shared_index(tmp_path_factory.mktemp("shared"), FILES) as index:
        yield index


@pytest.mark.parametrize("text", GOOD)
def test_what_is_there_or_not_of_the_repository_passes(index: Index, text: str) -> None:
    result = check_answer(text, index)
    assert result.ok, [check for check in result.checks if check.passed is False]
    assert 0 < result.confidence < 1


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_there_is_found(index: Index, text: str) -> None:
    result = check_answer(text, index)
    assert not result.ok
    assert result.confidence == 0


def test_an_answer_that_cites_is_trusted_more_and_saying_so_counts_for_nothing(index: Index) -> None:
    cites = check_answer("In src/app.py:1.", index).confidence
    names = check_answer("`load_config` in src/app.py:1.", index).confidence
    assert names > cites > check_answer("Somewhere.", index).confidence
    assert check_answer("I am absolutely certain. Somewhere.", index).confidence < cites


SEEN = "## src/app.py (900 lines in all)\n700\tdef parse_settings(text):\n701\t    return fold_keys(text)"
ASKED = Asked("explain how settings are read", "explain", Context("", 0, (), (), {}))


@pytest.mark.parametrize(
    ("text", "seen", "failed"),
    [
        ("`parse_settings()` in `src/app.py` calls `fold_keys()`.", SEEN, []),
        ("`parse_settings()` in `src/app.py` calls `fold_keys()`.", "", ["symbols", "symbols"]),
        ("`parse_settings()` in `src/app.py` calls `fold_values()`.", SEEN, ["symbols"]),
        ("It is in src/none.py, which parse_settings reads.", SEEN, ["cites"]),
        ("\n".join(f"{n}\tkey_{n} = fold({n})" for n in range(6)), SEEN, []),
        (copied := "\n".join(f"{n}\tkey_{n} = fold({n})" for n in range(6)), copied, ["answers"]),
    ],
)
def test_what_was_looked_at_is_known(index: Index, text: str, seen: str, failed: list[str]) -> None:
    result = check_answer(text, index, replace(ASKED, seen=seen))
    assert [check.name for check in result.checks if check.passed is False] == failed


def test_an_answer_may_speak_of_what_was_looked_at(index: Index) -> None:
    shown = ContextItem("src/app.py", 4, 5, "load_config", "body", 10, 1.0, (), "def load_config(path):")
    asked = replace(ASKED, context=Context("", 10, (), (shown,), {}))
    text = "Lunar calendars fold their keys when parsed."
    assert not check_answer(text, index, asked).ok
    assert check_answer(text, index, replace(asked, seen="class LunarCalendar: folds_keys, parsed")).ok


def test_a_missing_file_is_named_once(index: Index) -> None:
    result = check_answer("It is in src/none.py:3 and ./src/none.py:9, see src/none.py, or src/app.py:99.", index)
    assert len([check for check in result.checks if check.passed is False]) == 2
