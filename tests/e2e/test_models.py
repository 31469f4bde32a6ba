"""`optimize models` as installed, against an Ollama that is a loopback server, and without any server or key."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.cli.local_models import bar
from optimizer.models.memory_leases import MemoryClaim, MemoryLeases
from optimizer.providers.ollama import PullStep
from optimizer.report.layout import cells
from tests.e2e.conftest import COMMAND, Optimize, Ran
from tests.loopback.replies import Call, Reply, Tokens, refuse
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

GB = 1_000_000_000


def pulled(name: str, layers: int = 2, steps: int = 4) -> list[dict[str, object]]:
    """The lines that Ollama sends for a whole pull."""
    lines: list[dict[str, object]] = [{"status": "pulling manifest"}]
    for layer in range(layers):
        digest = f"sha256:{layer:064d}"
        for step in range(steps + 1):
            done = GB * step // steps
            lines.append({"status": f"pulling {layer:012d}", "digest": digest, "total": GB, "completed": done})
    return [*lines, {"status": "verifying sha256 digest"}, {"status": "writing manifest"}, {"status": "success"}]


@pytest.fixture
def nobody(calc: Path, stand_in: Callable[..., Optimize]) -> Optimize:
    """A user without keys and without a server."""
    return stand_in(calc)


def test_without_network_and_keys_all_is_listed_with_its_cure(nobody: Optimize) -> None:
    ran = nobody("models", "list", "--json")
    assert ran.code == 0, ran.err
    models = [event for event in ran.events if event["event"] == "model"]
    assert {one["provider"] for one in models} == {"anthropic", "gemini", "groq", "openai"}
    assert not any(one["can_be_asked"] for one in models)
    assert all(one["why"] and one["cure"] for one in models)
    haiku = next(one for one in models if one["id"] == "claude-haiku-5-5")
    assert haiku["price"] == {"input": 0.1, "output": 0.5} and len(haiku["priced_at"]) == 10
    missing = {event["provider"]: event for event in ran.events if event["event"] == "missing"}
    assert "ollama serve" in missing["ollama"]["cure"]


def test_what_is_installed_is_told_with_size_health_and_consent(user: Optimize, loopback: Loopback) -> None:
    loopback.loaded["qwen2.5-coder:7b"] = {"size": 6 * GB, "size_vram": 3 * GB, "context_length": 8192}
    loopback.queue("groq", Reply(text="It splits the text (calc/parse.py:4).", tokens=Tokens(2000, 100)))
    assert user("explain parse_response", "--tier", "free").code == 0
    models = {event["id"]: event for event in user("models", "list", "--json").events if event["event"] == "model"}
    assert models["qwen2.5-coder:7b"]["local"] and models["qwen2.5-coder:7b"]["loaded"]
    assert models["openai/gpt-oss-120b"]["health"].startswith("well, ")
    assert models["claude-haiku-5-5"]["can_be_asked"]
    user("consent", "revoke", "anthropic")
    again = {event["id"]: event for event in user("models", "list", "--json").events if event["event"] == "model"}
    assert again["claude-haiku-5-5"]["cure"] == "optimize consent grant anthropic"
    loaded = user("models", "status", "--json").events
    assert loaded == user("models", "ps", "--json").events
    assert [(one["model"], one["bytes"], one["vram"], one["window"]) for one in loaded] == [
        ("qwen2.5-coder:7b", 6 * GB, 3 * GB, 8192)
    ]


def test_a_server_that_has_gone_is_remembered(user: Optimize, loopback: Loopback) -> None:
    user("models", "list")
    user.configure('[endpoints]\nollama = "http://127.0.0.1:9"\n')
    assert not [one for one in user("models", "list", "--json").events if one.get("local")]
    user.configure(loopback.config())
    loopback.served["ollama"] = ("qwen2.5-coder:7b",)
    assert [one["id"] for one in user("models", "list", "--json").events if one.get("local")] == ["qwen2.5-coder:7b"]


def test_a_pull_tells_bytes_and_rate_and_is_ready_at_once(user: Optimize, loopback: Loopback) -> None:
    loopback.pulls["qwen2.5-coder:3b"] = pulled("qwen2.5-coder:3b")
    user.configure(loopback.config().replace("cache_seconds = 0", "cache_seconds = 3600"))
    before = user("models", "list", "--json")
    assert "qwen2.5-coder:3b" not in before.out
    ran = user("models", "pull", "qwen2.5-coder:3b")
    assert ran.code == 0, ran.err
    assert "1.00 GB of 2.00 GB" in ran.err and "/s" in ran.err
    assert "qwen2.5-coder:3b is ready" in ran.out
    assert "qwen2.5-coder:3b" in user("models", "list", "--json").out, "a pull makes the list be asked anew"
    steps = [one for one in user("models", "pull", "qwen2.5-coder:3b", "--json").events if one["event"] == "pull"]
    assert steps[-1]["status"] == "success" and max(one["done"] for one in steps) == 2 * GB


@pytest.mark.parametrize("space", [10, 40, 60, 200])
def test_a_bar_of_a_pull_fits_its_line(space: int) -> None:
    said = bar(PullStep("pulling", 500_000_000, 1_000_000_000), 165_800_000.0, space)
    assert cells(said) <= space
    assert "50%" in said
    assert ("█" in said) == (space >= 60) and ("3 s left" in said) == (space >= 60)


def test_a_name_that_is_not_in_the_library_meets_the_nearest(user: Optimize, loopback: Loopback) -> None:
    ran = user("models", "pull", "qwen2.5-codr:7b")
    assert ran.code == 2
    assert "qwen2.5-codr:7b" in ran.err and "qwen2.5-coder:7b" in ran.err
    loopback.pulls["qwen2.5-codr:7b"] = [{"error": "pull model manifest: file does not exist"}]
    again = user("models", "pull", "qwen2.5-codr:7b")
    assert again.code == 2 and again.err.splitlines() == ran.err.splitlines()[-2:]


def test_a_pull_that_breaks_off_says_that_it_resumes(user: Optimize, loopback: Loopback) -> None:
    loopback.pulls["big:7b"] = pulled("big:7b")[:5]
    ran = user("models", "pull", "big:7b", "--json")
    assert (ran.code, ran.event("result")["kind"]) == (6, "BadAnswer") and ran.event("result")["hint"]
    loopback.pulls["big:7b"] = [*pulled("big:7b")[:3], {"error": "write /models/blob: no space left on device"}]
    full = user("models", "pull", "big:7b")
    assert full.code == 6 and "optimize models rm" in full.err


def test_ctrl_c_hangs_up_and_says_that_it_resumes(user: Optimize, loopback: Loopback) -> None:
    loopback.pulls["big:7b"] = pulled("big:7b", layers=4, steps=400)
    loopback.pull_pause = 0.05
    running = subprocess.Popen(
        [COMMAND, "models", "pull", "big:7b", "--json"],
        cwd=user.cwd,
        env=user.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    while not any(one.path == "/api/pull" for one in loopback.requests) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert Ran(130, out, err).event("result")["kind"] == "Interrupted" and "Traceback" not in err
    assert loopback.hung_up.wait(5)


def test_a_model_that_was_removed_by_hand_is_noticed(user: Optimize, loopback: Loopback) -> None:
    user.configure(loopback.config().replace("cache_seconds = 0", "cache_seconds = 3600"))
    assert "qwen2.5-coder:7b" in user("models", "list").out
    loopback.served["ollama"] = ("other:7b",)
    loopback.queue("ollama", refuse("ollama", 404, "model 'qwen2.5-coder:7b' not found"))
    assert user("explain parse_response", "--tier", "local").code == 6
    local = [one["id"] for one in user("models", "list", "--json").events if one.get("local")]
    assert local == ["other:7b"]


def test_a_model_is_deleted_only_after_a_yes(user: Optimize, loopback: Loopback) -> None:
    refused = user("models", "rm", "qwen2.5-coder:7b")
    assert refused.code == 2 and "--yes" in refused.err
    assert loopback.served["ollama"] == ("qwen2.5-coder:7b",)
    near = user("models", "rm", "qwen2.5-coder:8b", "--yes")
    assert near.code == 2 and "qwen2.5-coder:7b" in near.err
    assert user("models", "rm", "qwen2.5-coder:7b", "--yes").code == 0
    assert loopback.served["ollama"] == ()


def test_the_list_names_the_local_model_that_fits_this_machine(user: Optimize, loopback: Loopback) -> None:
    user.config.with_name("models.toml").write_text('suggested_local = "huge:4000b"\n')
    loopback.served["ollama"] = ()
    shown = [user("models", "list").out, user("route", "explain total", "--tier", "local").out]
    named = {found for one in shown for found in re.findall(r"optimize models pull (\S+)", one)}
    assert len(named) == 1 and named != {"huge:4000b"}


def test_limits_tell_where_they_come_from(user: Optimize, loopback: Loopback) -> None:
    loopback.windows["qwen2.5-coder:7b"] = 65536
    rows = user.config.with_name("models.toml")
    rows.write_text('[[model]]\nid = "qwen2.5-coder:7b"\nmax_output = 2048\n')
    shown = user("models", "show", "qwen2.5-coder:7b", "--json").events[0]["facts"]
    assert shown["window"] == {"value": 32768, "origin": "shipped row '*qwen2.5-coder*'"}
    assert shown["max_output"] == {"value": 2048, "origin": "your row 'qwen2.5-coder:7b'"}
    assert shown["window made for"] == {"value": 65536, "origin": "server"}
    assert shown["memory"]["origin"].startswith("estimate")
    assert {"family", "licence", "vision", "json", "thinking", "coding", "latency", "profiles"} <= set(shown)
    limits = user("models", "limits", "qwen2.5-coder:7b", "--json").events[0]["facts"]
    assert set(limits) == {"window", "max_output", "parameters"}
    strange = user("models", "limits", "my-own:7b")
    assert "careful defaults" in strange.out and "optimize models pull my-own:7b" in strange.out


def test_a_chosen_model_is_the_only_one_asked_until_it_is_unlocked(user: Optimize, loopback: Loopback) -> None:
    assert user("models", "use", "qwen2.5-codr:7b").code == 2
    assert user("models", "use", "claude-haiku-5-5").code == 0
    assert [one["chosen"] for one in user("models", "list", "--json").events if one.get("id") == "claude-haiku-5-5"]
    loopback.queue("anthropic", Reply(text="It splits (calc/parse.py:4).", tokens=Tokens(2000, 100)))
    assert user("explain parse_response").code == 0
    assert len(loopback.asked("anthropic")) == 1 and not loopback.asked("ollama")
    assert not list(user.cwd.glob("**/chosen-models*")), "the choice is not kept in the repository"
    assert json.loads(user("models", "unlock", "--json").out)["had"] is True
    loopback.queue("ollama", Reply(text="It splits (calc/parse.py:4).", tokens=Tokens(2000, 100)))
    assert user("explain parse_response").code == 0
    assert len(loopback.asked("ollama")) == 1
    loopback.served["ollama"] += ("nomic-embed-text:latest",)
    embedding = user("models", "use", "nomic-embed-text")
    assert embedding.code == 2 and "embeddings" in embedding.err
    named = user("explain parse_response", "--model", "nomic-embed-text")
    assert named.code == 6 and "optimize models list" in named.err


def test_a_machine_is_told_what_fits_it(nobody: Optimize) -> None:
    ran = nobody("models", "recommend", "--all", "--json")
    assert ran.code == 0, ran.err
    machine = ran.event("machine")
    assert machine["ram"] > 0 and machine["room"] > 0
    advice = [one for one in ran.events if one["event"] == "advice"]
    assert all(one["fits"] == (one["bytes"] <= machine["room"]) for one in advice)
    assert [one["fits"] for one in advice] == sorted((one["fits"] for one in advice), reverse=True)
    assert all((one["how"] == "too-large") != one["fits"] for one in advice)


def test_a_trial_tells_speed_window_and_tools_and_books_its_cost(user: Optimize, loopback: Loopback) -> None:
    loopback.queue(
        "ollama",
        Reply(text=" ".join(map(str, range(1, 61))), tokens=Tokens(60, 120), pause=0.01),
        Reply(text="heliotrope", tokens=Tokens(5600, 3)),
        Reply(calls=(Call("report", {"sum": 5}),), stop="tool", tokens=Tokens(150, 20)),
    )
    ran = user("models", "test", "qwen2.5-coder:7b", "--json")
    assert ran.code == 0, ran.err
    found = ran.event("test")
    assert found["first"] > 0 and found["rate"] > 0
    assert (found["window"], found["tools"], found["cost"], found["failure"]) == (True, True, 0, "")
    assert "parse_response" not in "".join(one.text for one in loopback.asked("ollama"))
    loopback.queue(
        "anthropic",
        Reply(text="1 2 3", tokens=Tokens(60, 120)),
        Reply(text="The sum is 5.", tokens=Tokens(150, 20)),
    )
    paid = user("models", "test", "claude-haiku-5-5")
    assert paid.code == 3, paid.out + paid.err
    assert "window      not tested" in paid.out and "tools = false" in paid.out
    spent = json.loads(user("budget", "--json").out)["spent"]
    assert spent == round(0.1 * 210 + 0.5 * 140)


def test_a_trial_notices_a_window_that_is_cut(user: Optimize, loopback: Loopback) -> None:
    loopback.queue(
        "ollama",
        Reply(text="1 2 3", tokens=Tokens(60, 120)),
        Reply(text="evening", tokens=Tokens(2048, 3)),
        Reply(calls=(Call("report", {"sum": 5}),), stop="tool", tokens=Tokens(150, 20)),
    )
    ran = user("models", "test", "qwen2.5-coder:7b")
    assert ran.code == 3 and "window      failed" in ran.out


@pytest.mark.parametrize(("short", "window", "follows"), [("heliotrope", False, True), ("evening", None, False)])
def test_a_trial_tells_a_short_window_from_a_weak_model(
    user: Optimize, loopback: Loopback, short: str, window: bool | None, follows: bool
) -> None:
    loopback.queue(
        "ollama",
        Reply(text="1 2 3", tokens=Tokens(60, 120)),
        Reply(text="evening", tokens=Tokens(5600, 3)),
        Reply(text=short, tokens=Tokens(60, 3)),
        Reply(calls=(Call("report", {"sum": 5}),), stop="tool", tokens=Tokens(150, 20)),
    )
    ran = user("models", "test", "qwen2.5-coder:7b", "--json")
    found = ran.event("test")
    assert ran.code == 3 and found["failure"]
    assert (found["window"], found["follows"]) == (window, follows)


def test_a_trial_needs_the_same_consent_and_key_as_a_request(user: Optimize, loopback: Loopback) -> None:
    user("consent", "revoke", "anthropic")
    ran = user("models", "test", "claude-haiku-5-5")
    assert ran.code == 5 and "optimize consent grant anthropic" in ran.err
    del user.env["ANTHROPIC_API_KEY"]
    assert user("models", "test", "claude-haiku-5-5").code == 6
    assert not loopback.asked("anthropic")
    loopback.queue("ollama", refuse("ollama", 500, "boom"), refuse("ollama", 500, "boom"))
    failed = user("models", "test", "qwen2.5-coder:7b")
    assert failed.code == 6 and "boom" in failed.out


def test_two_runs_do_not_push_each_others_models_out(user: Optimize, loopback: Loopback) -> None:
    loopback.sizes = {"qwen2.5-coder:7b": 5 * GB, "qwen3-coder:30b": 19 * GB}
    loopback.served["ollama"] = tuple(loopback.sizes)
    user.configure(
        "[models]\nmemory_gib = 24\ncache_seconds = 0\n" + loopback.config().partition("cache_seconds = 0\n")[2]
    )
    good = Reply(text="It splits (calc/parse.py:4).", tokens=Tokens(2000, 100))
    loopback.answer("ollama", lambda _: good)
    another = MemoryLeases(user.home / ".local/state/optimizer", lambda: 24 * GB)
    server = loopback.url.removeprefix("http://")
    assert another.acquire(MemoryClaim(server, "qwen3-coder:30b", 20 * GB), 600).granted
    free = user("explain parse_response", "--tier", "local", "--json")
    assert free.code == 0, free.err
    assert free.event("result")["model"] == "qwen3-coder:30b", "the model in use is taken rather than another"
    arguments = [COMMAND, "explain parse_response", "--model", "qwen2.5-coder:7b", "--json"]
    with subprocess.Popen(
        arguments, cwd=user.cwd, env=user.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stdout is not None
        lines = iter(waiting.stdout.readline, "")
        waits = (json.loads(line) for line in lines)
        assert any(event.get("kind") == "waiting-for-memory" and "qwen3-coder:30b" in event["text"] for event in waits)
        assert len(loopback.asked("ollama")) == 1
        another.close()
        waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    models = [one.model for one in loopback.asked("ollama")]
    assert models == ["qwen3-coder:30b", "qwen2.5-coder:7b"]
    alone = user("explain parse_response", "--model", "qwen2.5-coder:7b")
    assert alone.code == 0 and "waiting" not in alone.err


def test_names_from_a_server_cannot_act_on_the_terminal(user: Optimize, loopback: Loopback) -> None:
    loopback.served["ollama"] = ("evil\x1b]52;c;aGk=\x07:7b",)
    loopback.loaded["evil\x1b[2J:7b"] = {"size": GB}
    for name in ("list", "status"):
        said = user("models", name)
        assert "evil" in said.out and "\x1b" not in said.out + said.err
