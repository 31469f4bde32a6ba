"""What programs read: the keys of every object that `--json` prints, held in `wire.txt`.

Keys may be added (`pytest tests/e2e/test_wire.py --slow --update-screens` writes the file again); none may go.
"""

from __future__ import annotations

import json
import shlex
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import GOOD, REQUEST, Optimize
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow
HELD = Path(__file__).with_name("wire.txt")
OPEN = {"facts", "settings", "signals", "timing_ms", "features", "endpoints", "health"}  # keys of these are data
LINES = (
    "context 'refactor parse_response'",
    "context 'refactor parse_response' --explain",
    "route 'refactor parse_response'",
    "route 'where is total'",
    "find total",
    "find totl",
    "refs total",
    "deps calc/cli.py",
    "map",
    "index --stats",
    "trust list",
    "trust grant tests",
    "verify",
    f"'{REQUEST}' --yes",
    "verify --explain",
    "verify",
    "bench retrieval --commits 1",
    "log",
    "show",
    "undo",
    "redo",
    "metrics",
    "budget",
    "budget set day 3",
    "consent list",
    "consent log",
    "models list",
    "models pin claude-haiku-5-5",
    "models unpin",
    "models pull tiny:1b",
    "models status",
    "models show qwen2.5-coder:7b",
    "models limits qwen2.5-coder:7b",
    "models recommend --all",
    "models test qwen2.5-coder:7b",
    "models rm qwen2.5-coder:7b --yes",
    "config show max_tokens",
    "config show max_tokens --origin",
    "config path",
    "config schema",
    "config validate",
    "profile list",
    "profile create mine --extends code",
    "profile show mine",
    "profile use mine",
    "profile use none",
    "profile copy mine yours",
    "profile validate",
    "profile delete yours",
    "fnd",
)
WITHOUT_FLAG = ("trust grant", "config schema")


def test_no_key_of_any_object_is_lost(tested: Optimize, loopback: Loopback, request: pytest.FixtureRequest) -> None:
    (tested.cwd / "calc/cli.py").write_text(
        "from calc.parse import total\n\n\ndef main(line):\n    print(total(line), 1)\n"
    )
    loopback.pulls["tiny:1b"] = [{"status": "pulling x", "total": 2, "completed": 1}, {"status": "success"}]
    loopback.queue("ollama", Reply(calls=(GOOD,), stop="tool"))
    loopback.queue("groq", Reply(calls=(GOOD,), stop="tool"))
    found = defaultdict[str, set[str]](set)
    for line in LINES:
        ran = tested(*shlex.split(line), *([] if line.startswith(WITHOUT_FLAG) else ["--json"]))
        for record in objects(ran.out):
            name = " ".join(word for word in line.split(" -")[0].split()[:2] if word.isalpha())
            found[f"{name}: {record.pop('event')}" if "event" in record else name].update(keys(record))
    text = "".join(f"{name}\n    {' '.join(sorted(keys))}\n" for name, keys in sorted(found.items()))
    if request.config.getoption("--update-screens"):
        HELD.write_text(text)
    assert text == HELD.read_text()


def objects(out: str) -> Iterator[dict[str, Any]]:
    """The objects that a command printed, a line each or over several."""
    try:
        for line in out.splitlines():
            yield json.loads(line)
    except ValueError:
        if out.startswith("{"):
            yield json.loads(out)


def keys(value: Any, name: str = "") -> Iterator[str]:
    """The keys of nested objects by dotted name; those of lists have no number."""
    if isinstance(value, dict) and name.rpartition(".")[2] not in OPEN and not name.startswith("properties"):
        for key, inner in value.items():
            path = f"{name}.{key}" if name else key
            yield path
            yield from keys(inner, path)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, name)
