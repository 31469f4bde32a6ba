"""What loading an SDK brings into the process, and that threads may load several at once."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from optimizer.privacy import consent
from tests.loopback.clients import KEY
from tests.loopback.replies import WIRES, Reply, Wire
from tests.loopback.server import Loopback

ROOT = Path(__file__).parents[2]
PARTS = """
import gc, json, sys, threading
from pathlib import Path
from optimizer.providers import base, endpoints
from optimizer.providers.door import Gate
from tests.loopback.clients import a_model, a_prompt
url, state, *wires = sys.argv[1:]

def open_(wire):
    return base.open_provider(endpoints.endpoint(wire, url, "k"), Gate("/repo", Path(state)))

def heard(wire):
    *pieces, completion = open_(wire).stream(a_model(wire), a_prompt())
    return completion.text

"""


def told(script: str, *arguments: object, **env: str) -> Any:
    """What a script tells last, run in a fresh interpreter after PARTS."""
    done = subprocess.run(
        [sys.executable, "-c", PARTS + script, *map(str, arguments)],
        cwd=ROOT,
        env=env or None,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def allow(state: Path, url: str) -> None:
    for wire in WIRES:
        consent.grant(state, "/repo", wire, url.partition("://")[2])


@pytest.mark.slow
@pytest.mark.parametrize("wire", WIRES)
def test_an_sdk_comes_alone_and_is_no_garbage(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    allow(tmp_path, loopback.url)
    loopback.queue(wire, Reply("fine"))
    script = """
before = gc.get_threshold()
text, frozen = heard(wires[0]), gc.get_freeze_count()
open_(wires[0]).close()
names = [name for name in ("rich", "httpx._main") if name in sys.modules]
print(json.dumps([text, names, gc.isenabled(), gc.get_threshold() == before, frozen, gc.get_freeze_count()]))
"""
    text, names, enabled, as_before, frozen, frozen_after = told(script, loopback.url, tmp_path, wire)
    assert text == "fine"
    assert names == []
    assert enabled
    assert as_before
    assert frozen > 10_000
    assert frozen_after == pytest.approx(frozen, rel=0.01)  # what is opened again adds nothing


@pytest.mark.slow
def test_all_sdks_may_be_loaded_at_once_by_threads(loopback: Loopback, tmp_path: Path) -> None:
    allow(tmp_path, loopback.url)
    for wire in WIRES:
        loopback.queue(wire, Reply("fine"), Reply("fine"))
    script = """
sys.setswitchinterval(1e-5)
opened, start = [], threading.Barrier(2 * len(wires))
threshold = gc.get_threshold()

def ask(wire):
    start.wait()
    opened.append((wire, open_(wire)))

threads = [threading.Thread(target=ask, args=(wire,)) for wire in wires * 2]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
texts = [list(provider.stream(a_model(wire), a_prompt()))[-1].text for wire, provider in opened]
print(json.dumps([texts, gc.get_threshold() == threshold]))
"""
    texts, as_before = told(script, loopback.url, tmp_path, *WIRES)
    assert texts == ["fine"] * 2 * len(WIRES)
    assert as_before


@pytest.mark.slow
@pytest.mark.parametrize("wire", ["groq", "openai"])  # one of each HTTP library
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_of_the_environment_is_trusted_at_every_call(tmp_path: Path, wire: Wire) -> None:
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    names = ("-addext", "subjectAltName=DNS:localhost")
    subprocess.run([*make.split(), *names, "-keyout", "key", "-out", "cert"], cwd=tmp_path, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    keys: list[bool] = []

    def serve() -> None:
        for _ in range(2):
            raw, _address = listener.accept()
            with raw, context.wrap_socket(raw, server_side=True) as safe:
                keys.append(KEY.encode() in safe.recv(10_000))
                row = b'{"id": "one", "object": "model", "created": 1, "owned_by": "x", "max_model_len": 4096}'
                body = b'{"object": "list", "data": [' + row + b"]}"
                head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
                safe.sendall(head.encode() + body)

    with create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://localhost:{listener.getsockname()[1]}"
        allow(tmp_path, url)
        script = f"""
from tests.loopback.clients import KEY
endpoint = endpoints.endpoint({wire!r}, url, KEY)
twice = [base.open_provider(endpoint, Gate("/repo", Path(state))).models() for _ in range(2)]
print(json.dumps([[one.id for one in listed] for listed in twice]))
"""
        listed = told(script, url, tmp_path, PATH="", SSL_CERT_FILE=str(tmp_path / "cert"), HOME=str(tmp_path))
        thread.join(10)
    assert listed == [["one"], ["one"]]
    assert keys == [True, True]
