"""Ollama's wire in front of a server that speaks OpenAI's: the lists, and chat as lines of JSON."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "tiny:latest"
DETAILS = {"family": "llama", "parameter_size": "135M", "quantization_level": "Q4_1", "format": "gguf"}


class OllamaFront:
    """A running server; `url` is its root. Close it after use."""

    def __init__(self, behind: str, window: int) -> None:
        handler = type("Handler", (_Handler,), {"behind": behind, "window": window})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behind = ""
    window = 0

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        row = {"name": MODEL, "model": MODEL, "size": 91_000_000, "details": DETAILS}
        if self.path == "/api/tags":
            self._json({"models": [row]})
        elif self.path == "/api/ps":
            self._json({"models": [row | {"size_vram": 0, "context_length": self.window}]})
        else:
            self._json({"error": "not found"}, 404)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
        if self.path == "/api/show":
            info = {"general.architecture": "llama", "llama.context_length": self.window}
            self._json({"details": DETAILS, "model_info": info, "capabilities": ["completion"]})
        elif self.path == "/api/chat":
            self.send_response(200)
            self.send_header("content-type", "application/x-ndjson")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                for line in self._chat(asked):
                    self._chunk(json.dumps(line).encode() + b"\n")
                self._chunk(b"")
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
        else:
            self._json({"error": "not found"}, 404)

    def _chat(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        options = asked.get("options", {})
        wanted = {"messages": asked["messages"], "stream": True, "stream_options": {"include_usage": True}}
        wanted |= {"max_tokens": options.get("num_predict", -1)}
        wanted |= {"temperature": options["temperature"]} if "temperature" in options else {}
        frame = {"model": MODEL, "created_at": "2026-11-20T12:00:00.000000Z"}
        reason, usage, begun = "stop", {}, time.monotonic_ns()
        for chunk in self._events(wanted):
            usage = chunk.get("usage") or usage
            for choice in chunk.get("choices", ()):
                reason = choice.get("finish_reason") or reason
                if text := choice["delta"].get("content"):
                    yield frame | {"message": {"role": "assistant", "content": text}, "done": False}
        counts = {"prompt_eval_count": usage.get("prompt_tokens", 0), "eval_count": usage.get("completion_tokens", 0)}
        end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason}
        yield frame | end | counts | {"total_duration": time.monotonic_ns() - begun}

    def _events(self, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
        body, kind = json.dumps(wanted).encode(), {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.behind}/v1/chat/completions", body, kind)
        with urllib.request.urlopen(request, timeout=600) as answer:
            for line in answer:
                if line.startswith(b"data: {"):
                    yield json.loads(line[6:])

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _json(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
