"""What starting costs: importing the command line loads nothing heavy, and every command is documented."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from optimizer.cli.main import COMMANDS
from optimizer.cli.page import commands_page

ROOT = Path(__file__).parents[2]
HEAVY = ("anthropic", "google", "groq", "openai", "ollama", "httpx", "httpx2", "numpy", "onnxruntime", "genai_prices")


def loaded_by(code: str) -> set[str]:
    """The top-level modules that are loaded after running `code` in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_command_line_loads_no_sdk() -> None:
    loaded = loaded_by(
        "import optimizer.cli.main, optimizer.wiring.parts, optimizer.engine.run, optimizer.engine.climb"
    )
    assert "optimizer" in loaded
    assert not loaded & {*HEAVY, "rich", "tree_sitter", "pathspec"}


def test_help_loads_no_command() -> None:
    loaded = loaded_by(
        "import contextlib, optimizer.cli.main as m\nwith contextlib.suppress(SystemExit): m.main(['--help'])\n"
        "import sys\nassert 'optimizer.cli.run' not in sys.modules"
    )
    assert not loaded & {*HEAVY, "rich", "tree_sitter", "sqlite3"}


def test_the_page_of_commands_is_made_from_the_commands() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    assert page == commands_page()
    assert all(f"## `optimize {name}`" in page for name in COMMANDS)


def test_the_readme_names_only_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    used = {
        line.split()[1] for line in readme.splitlines() if line.startswith("optimize ") and '"' not in line.split()[1]
    }
    assert used
    assert used <= set(COMMANDS)


def test_the_second_command_of_the_readme_is_what_ci_runs() -> None:
    commands = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci/run").read_text().splitlines()
