"""The server: one port for all wires, distinguished by path and headers."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import re
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.loopback.replies import WIRES, Reply, Tokens, Wire, error_body
from tests.loopback.wires import events

Answer = Callable[["Received"], Reply]
_GEMINI = re.compile(r"/v1beta/models/([^/:]+):streamGenerateContent")
Json = dict[str, Any]
_LISTS = ("/v1/models", "/openai/v1/models", "/v1beta/models", "/api/tags")


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names in lower case."""

    wire: Wire
    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    body: Any
    port: int = 0

    @property
    def model(self) -> str:
        """The model asked."""
        found = _GEMINI.search(self.path)
        return found[1] if found else str((self.body or {}).get("model", ""))

    @property
    def text(self) -> str:
        """All text of the prompt: system, messages and tools, one string a line."""
        return "\n".join(_strings(self.body))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


class Loopback:
    """A running server. Queue replies per wire, or set a function of the request; then look at `requests`."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self.reset()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.loopback = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Forget all that was queued and received; replies that stall end at once."""
        self._closing.set()
        self._closing = threading.Event()
        self.requests: list[Received] = []
        self.reported: list[tuple[Wire, Tokens]] = []
        self.hung_up = threading.Event()
        self.served: dict[Wire, tuple[str, ...]] = dict.fromkeys(WIRES, ())
        self.windows: dict[str, int] = {}
        self.listed: dict[str, Json] = {}
        self.props: Json | bytes | None = None
        self.sizes: dict[str, int] = {}
        self.loaded: dict[str, dict[str, int]] = {}
        self.pulls: dict[str, list[dict[str, Any]]] = {}
        self.pull_pause = 0.0
        self._queues: dict[Wire, deque[Reply]] = defaultdict(deque)
        self._answers: dict[Wire, Answer] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Root of the server; good as a base URL for every provider."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def queue(self, wire: Wire, *replies: Reply) -> None:
        """Answer the next requests of a wire with these, in order."""
        self._queues[wire].extend(replies)

    def answer(self, wire: Wire, function: Answer) -> None:
        """Answer every request of a wire that finds its queue empty with what `function` makes of it."""
        self._answers[wire] = function

    def config(self, *providers: Wire) -> str:
        """A user's configuration that points these providers (or all) here, and asks them what they hold each time."""
        urls = "".join(f'{one} = "{self.url}"\n' for one in providers or WIRES)
        return f"[models]\ncache_seconds = 0\n[endpoints]\n{urls}"

    def asked(self, wire: Wire) -> list[Received]:
        """The requests for an answer (not for lists) that came over a wire."""
        asides = ("/api/show", "/api/pull", "/api/generate")
        return [one for one in self.requests if one.wire == wire and one.method == "POST" and one.path not in asides]

    def close(self) -> None:
        """Stop; replies that stall end at once."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def take(self, received: Received) -> Reply:
        """The reply to a request."""
        with self._lock:
            self.requests.append(received)
            queue = self._queues[received.wire]
            reply = queue.popleft() if queue else None
        if reply is None and received.wire in self._answers:
            reply = self._answers[received.wire](received)
        if reply is None:
            body = error_body(received.wire, 500, "no reply is queued for this request", "api_error")
            return Reply(status=500, headers={"content-type": "application/json"}, body=json.dumps(body).encode())
        if reply.tokens and reply.status == 200 and reply.body is None:
            self.reported.append((received.wire, reply.tokens))
        return reply

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    loopback: Loopback

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    @property
    def loopback(self) -> Loopback:
        return cast(_Server, self.server).loopback

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        received = self._received(b"")
        self.loopback.requests.append(received)
        if path in _LISTS:
            listing = _listing(received.wire, self.loopback.served[received.wire], self.loopback.sizes)
            for row in (*listing.get("data", ()), *listing.get("models", ())):
                row |= self.loopback.listed.get(row.get("id") or row["name"], {})
            self._json(listing)
        elif path == "/props" and self.loopback.props is not None:
            page = self.loopback.props
            body = page if isinstance(page, bytes) else json.dumps(page).encode()
            self._whole(200, {"content-type": "application/json"}, body)
        elif path == "/api/ps":
            self._json({"models": [{"name": one, "model": one, **more} for one, more in self.loopback.loaded.items()]})
        elif path == "/api/version":
            self._json({"version": "0.13.0"})
        else:
            self._json({"error": "not found"}, 404)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        received = self._received(raw)
        if self.path == "/api/show":
            self._show(received)
            return
        if self.path == "/api/generate":
            self.loopback.requests.append(received)
            self.loopback.loaded.pop(received.model, None)
            self._json({"model": received.model, "done": True, "done_reason": "unload"})
            return
        try:
            if self.path == "/api/pull":
                self._pull(received)
                return
            self._send(self.loopback.take(received), received)
        except (BrokenPipeError, ConnectionResetError):
            self.loopback.hung_up.set()
            self.close_connection = True

    def do_DELETE(self) -> None:
        received = self._received(self.rfile.read(int(self.headers.get("content-length") or 0)))
        self.loopback.requests.append(received)
        held = self.loopback.served["ollama"]
        if received.model not in held:
            self._json({"error": f"model '{received.model}' not found"}, 404)
            return
        self.loopback.served["ollama"] = tuple(one for one in held if one != received.model)
        self._whole(200, {}, b"")

    def _show(self, received: Received) -> None:
        self.loopback.requests.append(received)
        if received.model not in self.loopback.served["ollama"]:
            self._json({"error": f"model '{received.model}' not found"}, 404)
            return
        window = self.loopback.windows.get(received.model, 32768)
        details = {"family": "stub", "parameter_size": "7B", "quantization_level": "Q4_K_M"}
        info = {"general.architecture": "stub", "stub.context_length": window}
        self._json({"details": details, "model_info": info, "capabilities": ["completion", "tools"]})

    def _pull(self, received: Received) -> None:
        """Lines of progress as scripted in `pulls`, a lone error with status 500; another name is unknown."""
        self.loopback.requests.append(received)
        missing = [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]
        lines = self.loopback.pulls.get(received.model, missing)
        if set(lines[0]) == {"error"} and len(lines) == 1:
            self._json(lines[0], 500)
            return
        self.send_response(200)
        for name, value in {"content-type": "application/x-ndjson", "transfer-encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        parts = [json.dumps(line).encode() + b"\n" for line in lines]
        self._stream(parts, Reply(pause=self.loopback.pull_pause))
        if lines[-1].get("status") == "success":
            self.loopback.served["ollama"] += (received.model,)

    def _received(self, raw: bytes) -> Received:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = None
        if raw:
            with contextlib.suppress(ValueError):
                body = json.loads(raw)
        return Received(_wire(self.path, headers), self.command, self.path, headers, raw, body, self.client_address[1])

    def _json(self, value: Any, status: int = 200) -> None:
        self._whole(status, {"content-type": "application/json"}, json.dumps(value).encode())

    def _whole(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send(self, reply: Reply, received: Received) -> None:
        if reply.bomb:
            self._whole(
                200,
                {"content-type": "text/event-stream", "Content-Encoding": "gzip"},
                gzip.compress(b"data: " + b"0" * reply.bomb),
            )
            return
        if reply.body is not None:
            self.loopback.sleep(reply.stall)
            self._whole(reply.status, dict(reply.headers), reply.body)
            return
        if reply.stall_at == -1:  # before the headers
            self.loopback.sleep(reply.stall)
        kind = "application/x-ndjson" if received.wire == "ollama" else "text/event-stream; charset=utf-8"
        self.send_response(reply.status)
        for name, value in {"content-type": kind, "transfer-encoding": "chunked", **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self._stream(events(received.wire, reply, received.model), reply)

    def _stall(self, reply: Reply) -> None:
        end = time.monotonic() + reply.stall
        for ping in itertools.cycle(reply.pings):
            if time.monotonic() > end:
                return
            self.wfile.write(f"{len(ping):x}\r\n".encode() + ping + b"\r\n")
            self.wfile.flush()
            self.loopback.sleep(0.02)
        self.loopback.sleep(reply.stall)

    def _stream(self, parts: list[bytes], reply: Reply) -> None:
        for number, part in enumerate(parts):
            if reply.stall_at == number:
                self._stall(reply)
            if reply.cut_at == number:
                break
            size = reply.chunk or len(part)
            for at in range(0, len(part), size):
                piece = part[at : at + size]
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.flush()
                if reply.pause:
                    time.sleep(reply.pause)
        cut = reply.cut_at is not None
        if cut and reply.cut == "rst":
            time.sleep(0.02)  # let the client read what was sent: a reset throws away what waits
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if cut and reply.cut != "end":
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(b"0\r\n\r\n")


def _wire(path: str, headers: dict[str, str]) -> Wire:
    if path.startswith("/api/"):
        return "ollama"
    if path.startswith("/openai/"):
        return "groq"
    if path.startswith("/v1beta/"):
        return "gemini"
    return "anthropic" if "anthropic-version" in headers else "openai"


def _listing(wire: Wire, ids: tuple[str, ...], sizes: dict[str, int]) -> dict[str, Any]:
    if wire == "ollama":
        details = {"details": {"family": "stub"}}
        return {"models": [{"name": one, "model": one, "size": sizes.get(one, 1), **details} for one in ids]}
    if wire == "gemini":
        return {"models": [{"name": f"models/{one}", "inputTokenLimit": 1000000} for one in ids]}
    if wire == "anthropic":
        rows = [{"id": one, "type": "model", "display_name": one, "created_at": "2026-01-01T00:00:00Z"} for one in ids]
        return {"data": rows, "has_more": False, "first_id": None, "last_id": None}
    return {"object": "list", "data": [{"id": one, "object": "model", "created": 1, "owned_by": wire} for one in ids]}
