"""A real HTTP proxy: it passes every host on to one server of this machine, and can read TLS as some networks do."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from pathlib import Path


class Proxy:
    """A running proxy; `asked` holds the first line and the headers of each connection."""

    def __init__(self, target: str, reads: ssl.SSLContext | None = None, wants: str = "") -> None:
        """Pass on to `target` (host:port); with `reads` TLS ends here, `wants` are credentials in Base64."""
        self.asked: list[str] = []
        self._target, self._reads, self._wants = target, reads, wants
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._take, args=(client,), daemon=True).start()

    def _take(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (piece := client.recv(4096)):
                head += piece
            head, _, rest = head.partition(b"\r\n\r\n")
            self.asked.append(head.decode())
            if self._wants and f"proxy-authorization: basic {self._wants}".lower() not in head.decode().lower():
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
                return
            host, _, port = self._target.partition(":")
            with socket.create_connection((host, int(port))) as server:
                if not head.startswith(b"CONNECT "):
                    method, url, tail = head.split(b" ", 2)
                    path = b"/" + url.split(b"/", 3)[3]
                    tail = tail.replace(b"\r\n", b"\r\nconnection: close\r\n", 1)  # one request for each connection
                    server.sendall(b" ".join((method, path, tail)) + b"\r\n\r\n" + rest)
                    _pump(client, server)
                    return
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                if self._reads is None:
                    _pump(client, server)
                    return
                with self._reads.wrap_socket(client, server_side=True) as inner:
                    _pump(inner, server)


def _pump(client: socket.socket, server: socket.socket) -> None:
    """Pass bytes on both ways until one side ends."""
    there = threading.Thread(target=_copy, args=(client, server), daemon=True)
    there.start()
    _copy(server, client)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def certificate(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate of a host's own, made with openssl, and the context of a server that shows it."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    more = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *more], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context
