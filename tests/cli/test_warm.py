"""What a question loads when nothing changed: what answers it, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

MAIN = """
import contextlib, sys, dataclasses
import optimizer.cli.main as main
with contextlib.suppress(SystemExit):
    main.main(sys.argv[1:])
made = {
    value
    for module in list(sys.modules.values()) if module.__name__.startswith("optimizer")
    for value in vars(module).values()
    if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__.startswith("optimizer")
}
print(len(made), *sys.modules, file=sys.stderr)
"""
# Rooms and modules that only other commands, a change in the tree, or a configuration of one's own need.
OTHERS = {"types", "events", "edits", "ledger", "models", "privacy", "providers", "routing", "verify", "lookup"}
ON_CHANGE = {
    *(f"optimizer.index.{name}" for name in ("extract", "plan", "resolvers", "workers", "writer")),
    *(
        f"optimizer.languages.{name}"
        for name in ("imports", "occurrences", "parse", "scopes", "source", "symbols", "syntax")
    ),
}
LIBRARIES = {"tree_sitter", "pathspec", "rich", "tomllib", "tempfile", "shutil", "random", "importlib.metadata"}
CHOOSING = {"mentions", "rank", "select", "signals", "learned", "bm25", "kinds", "outline", "semantic"}
MOST_DATACLASSES = 12


@pytest.fixture
def ask(make_repo, tmp_path: Path):
    root = make_repo({"shop/price.py": "def total_price(items):\n    return sum(items)\n", "README.md": "# Shop\n"})
    for path in root.rglob("*"):
        if ".git" not in path.parts:
            os.utime(path, (1_700_000_000, 1_700_000_000))
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep.join(sys.path)}

    def loaded(question: str) -> tuple[int, set[str]]:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "context", question, "--json"],
            cwd=root,
            env=env,
            check=True,
            capture_output=True,
            text=True,
        )
        assert "shop/price.py" in done.stdout
        number, *modules = done.stderr.splitlines()[-1].split()
        return int(number), set(modules)

    return loaded


def wait_until_settled(ask) -> None:
    """A file changed within the clock's grain is read once more: until then the tree does not count as unchanged."""
    for _ in range(3):
        ask("where is the total price")
        time.sleep(1.1)
    ask("where is the total price")


@pytest.mark.slow
def test_a_warm_question_loads_only_what_answers_it(ask) -> None:
    wait_until_settled(ask)
    made, modules = ask("how is the total price made")
    assert "optimizer.context.rank" in modules
    assert not modules & LIBRARIES
    assert not {name for name in modules if name.startswith("optimizer.") and name.split(".")[1] in OTHERS}
    assert not modules & ON_CHANGE
    assert made <= MOST_DATACLASSES
    made, modules = ask("how is the total price made")
    assert not modules & {f"optimizer.context.{name}" for name in CHOOSING}
    assert not modules & ON_CHANGE
