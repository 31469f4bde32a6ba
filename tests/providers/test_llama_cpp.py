"""A real llama.cpp server answers through the OpenAI adapter.

It needs the packages llama-cpp-python[server] and gguf in this Python, or in the one that OPTIMIZER_LLAMA_PYTHON names.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.config.features import Features
from optimizer.models.available import available, listens
from optimizer.models.catalogue import load_catalogue
from optimizer.providers import base, endpoints
from optimizer.providers.door import Gate
from optimizer.providers.endpoints import Endpoint
from optimizer.settings import Settings
from optimizer.types import Completion, Message, Prompt
from tests import tiny_gguf

PYTHON = os.environ.get("OPTIMIZER_LLAMA_PYTHON", sys.executable)
START_SECONDS = 60.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The server with a model of random weights, on loopback."""
    wanted = "import llama_cpp.server.app, gguf, numpy"
    if subprocess.run([PYTHON, "-c", wanted], capture_output=True, check=False).returncode:
        pytest.skip(f"{PYTHON} has no llama-cpp-python[server] or no gguf (OPTIMIZER_LLAMA_PYTHON names another)")
    model = tmp_path_factory.mktemp("llama") / "tiny-random.gguf"
    subprocess.run([PYTHON, tiny_gguf.__file__, model], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "llama_cpp.server", "--model", str(model), "--model_alias", "tiny-random"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "2048", "--n_threads", "1"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = endpoints.endpoint("openai", f"http://127.0.0.1:{port}/v1")
    try:
        deadline = time.monotonic() + START_SECONDS
        while not listens(endpoint):
            assert running.poll() is None, "the server ended by itself"
            assert time.monotonic() < deadline, "the server did not begin to listen"
            time.sleep(0.1)
        yield endpoint
    finally:
        running.terminate()
        running.wait(20)


def test_it_is_found_as_a_local_model_and_answers(server: Endpoint, tmp_path: Path) -> None:
    gate = Gate("/repo", tmp_path)
    found = available(
        load_catalogue(None), {"openai": server}, Settings(), Features(True, True, True, True, False), gate
    )
    assert [(model.id, model.tier, model.local) for model in found.models] == [("tiny-random", "local", True)]
    prompt = Prompt("Be brief.", (Message("user", "Say something."),), (), 24, 60, 0.0)
    provider = base.open_provider(server, gate)
    try:
        *pieces, done = provider.stream(found.models[0], prompt)
    finally:
        provider.close()
    assert isinstance(done, Completion)
    assert len(pieces) > 1 and "".join(map(str, pieces)) == done.text
    assert done.text.strip() and done.text.isprintable()
    assert done.stop == "length", "random weights do not come to an end"
    assert done.usage.prompt > 0 and 0 < done.usage.output <= 24 + 2
