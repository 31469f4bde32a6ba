"""What starting costs: importing the command line loads nothing heavy, and every command is documented."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from optimizer.cli.commands import COMMANDS
from optimizer.cli.page import commands_page
from optimizer.git.identity import identify
from optimizer.privacy.consent import grant

ROOT = Path(__file__).parents[2]
HEAVY = ("anthropic", "google", "groq", "openai", "ollama", "httpx", "httpx2", "numpy", "onnxruntime", "genai_prices")


SDKS = ("anthropic", "google", "groq", "openai", "ollama", "httpx")


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
        "import optimizer.cli.main, optimizer.wiring.services, optimizer.engine.run, optimizer.engine.escalate"
    )
    assert "optimizer" in loaded
    assert not loaded & {*HEAVY, "rich", "tree_sitter", "pathspec"}


def test_help_loads_no_command() -> None:
    loaded = loaded_by(
        "import contextlib, optimizer.cli.main as m\nwith contextlib.suppress(SystemExit): m.main(['--help'])\n"
        "import sys\nassert 'optimizer.cli.run' not in sys.modules"
    )
    assert not loaded & {*HEAVY, "rich", "tree_sitter", "sqlite3"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["context", "why is the total wrong"], "shop/price.py"),
        (["route", "why is the total wrong"], "gpt-oss-120b"),
        (["run", "--dry-run", "why is the total wrong"], "gpt-oss-120b"),
        (["run", "where is total_price"], "shop/price.py"),
    ],
)
def test_what_asks_no_model_loads_no_sdk(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path, words: list[str], said: str
) -> None:
    root = make_repo({"shop/price.py": "def total_price(items):\n    return sum(items)\n"})
    state = tmp_path / ".local/state/optimizer"
    grant(state, str(root), "groq", "api.groq.com", partial(identify, root, state))
    keys = {"GROQ_API_KEY": "g-1", "GEMINI_API_KEY": "m-1", "ANTHROPIC_API_KEY": "a-1", "OLLAMA_HOST": "127.0.0.1:9"}
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path), **keys}
    code = f"import contextlib, sys, optimizer.cli.main as m\nwith contextlib.suppress(SystemExit): m.main({words})\n"
    code += f"print(*[name for name in {SDKS} if name in sys.modules], 'end')"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=env, check=True, capture_output=True, text=True)
    assert said in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "end"


def test_the_end_of_a_process_looks_for_no_garbage() -> None:
    code = "import atexit, gc, optimizer.cli.main as m\n"
    code += "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 10 * len(gc.get_objects())))\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}m.main(['--help'])"], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "True True"


def test_the_page_of_commands_is_made_from_the_commands() -> None:
    page = (ROOT / "docs/reference/commands.md").read_text()
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
