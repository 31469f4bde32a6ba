"""The library: what it gives, what it raises, and that it writes nothing to the project."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

import pytest

from optimizer import api
from optimizer.ledger.store import open_ledger
from tests.loopback.replies import Call, Reply
from tests.loopback.server import Loopback

ROOT = Path(__file__).parents[2]
FILES = {
    "shop/price.py": 'def total(items):\n    """Add up."""\n    return sum(items)\n',
    "shop/till.py": "from shop.price import total\n\n\ndef pay(items):\n    return total(items)\n",
}


@pytest.fixture
def shop(make_repo: Callable[[Mapping[str, str | bytes]], Path]) -> Path:
    return make_repo(dict(FILES))


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "OPTIMIZER_HOME": str(tmp_path / "home"), "OLLAMA_HOST": "127.0.0.1:9"}


def test_an_index_is_built_once(shop: Path, env: dict[str, str]) -> None:
    assert api.index(shop, env=env) == api.Indexed(parsed=2, unchanged=0, removed=0, skipped=())
    (shop / "shop/till.py").unlink()
    assert api.index(shop, env=env) == api.Indexed(parsed=0, unchanged=1, removed=1, skipped=())


def test_a_context_fits_its_budget(shop: Path, env: dict[str, str]) -> None:
    found = api.context("how does total add up", shop, env=env)
    assert found.files[0].path == "shop/price.py"
    assert any("return sum(items)" in item.text for item in found.items)
    assert api.context("how does total add up", str(shop), 60, env=env).tokens <= 60


def test_the_reasons_of_a_context_are_words(shop: Path, env: dict[str, str]) -> None:
    found = api.context("how does total add up", shop, env=env)
    assert all(" " in reason for reason in found.files[0].why)
    assert set(found.files[0].why) & set(found.items[0].why.split(", "))


def test_the_index_answers_for_free(shop: Path, env: dict[str, str]) -> None:
    answer = api.ask("where is total", shop, env=env)
    assert (answer.exit_code, answer.tier, answer.cost) == (0, "index", 0)
    assert "shop/price.py" in answer.text


def test_a_change_is_given_and_not_written(shop: Path, env: dict[str, str], loopback: Loopback) -> None:
    (Path(env["OPTIMIZER_HOME"]) / "config").mkdir(parents=True)
    (Path(env["OPTIMIZER_HOME"]) / "config/config.toml").write_text(loopback.config("ollama"))
    del env["OLLAMA_HOST"]
    loopback.served["ollama"] = ("qwen2.5-coder:7b",)
    edit = {"path": "shop/price.py", "start": 3, "end": 3, "content": "    return sum(items or [])\n"}
    loopback.queue("ollama", Reply(text="Done.", calls=(Call("edit_file", edit),), stop="tool"))
    heard: list[str] = []
    answer = api.ask("make total accept None", shop, on_text=heard.append, settings={"max_tier": "local"}, env=env)
    assert (answer.exit_code, answer.model, answer.cost) == (0, "qwen2.5-coder:7b", 0)
    after = FILES["shop/price.py"].replace("sum(items)", "sum(items or [])")
    assert answer.changes == {"shop/price.py": after.encode()}
    assert "+    return sum(items or [])" in answer.diff
    assert {check.name: check.passed for check in answer.checks}["parses"] is True
    assert "".join(heard) == "Done."
    assert (shop / "shop/price.py").read_text() == FILES["shop/price.py"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_call_that_the_caller_breaks_off_is_recorded(
    shop: Path, env: dict[str, str], loopback: Loopback, error: type[BaseException]
) -> None:
    home = Path(env["OPTIMIZER_HOME"])
    (home / "config").mkdir(parents=True)
    (home / "config/config.toml").write_text(loopback.config("ollama"))
    del env["OLLAMA_HOST"]
    loopback.served["ollama"] = ("qwen2.5-coder:7b",)
    loopback.queue("ollama", Reply(text="It adds the items up, one after the other."))

    def breaks_off(_: str) -> None:
        raise error

    begun = perf_counter()
    with pytest.raises(error):
        api.ask("explain how total adds up", shop, on_text=breaks_off, settings={"max_tier": "local"}, env=env)
    ledger = open_ledger(home / "state")
    (record,) = ledger.last(9)
    assert record.outcome == "cancelled" and 0 <= record.seconds <= perf_counter() - begun
    ledger.close()


def test_without_a_model_the_exit_code_says_so(shop: Path, env: dict[str, str]) -> None:
    answer = api.ask("make total accept None", shop, env=env)
    assert (answer.exit_code, answer.changes) == (6, {})
    assert answer.hint


def test_errors_carry_a_hint_and_an_exit_code(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(api.OptimizerError) as caught:
        api.index(tmp_path / "nowhere", env=env)
    assert caught.value.exit_code == 2
    with pytest.raises(api.OptimizerError) as caught:
        api.ask("where is x", tmp_path, settings={"no_such_setting": 1}, env=env)
    assert caught.value.exit_code == 2


def test_the_example_of_the_page_runs(shop: Path, env: dict[str, str]) -> None:
    page = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    example = page.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=shop, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "shop/price.py" in done.stdout


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, optimizer.api; print(sorted({'click', 'httpx', 'anthropic', 'tree_sitter'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
