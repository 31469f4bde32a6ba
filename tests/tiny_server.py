"""A llama.cpp server for a model file: `python tiny_server.py MODEL PORT`, in a Python that has xllamacpp."""

from __future__ import annotations

import sys
import time

WINDOW, THREADS = 8192, 1


def main(model: str, port: int) -> None:
    """Serve `model` on loopback until the process ends."""
    import xllamacpp  # type: ignore[import-not-found]

    wanted = xllamacpp.CommonParams()
    wanted.model.path = model
    wanted.model_alias = {"tiny"}
    wanted.hostnames, wanted.port = ["127.0.0.1"], port
    wanted.n_ctx, wanted.n_parallel, wanted.cpuparams.n_threads = WINDOW, 1, THREADS
    wanted.sse_ping_interval = 1
    server = xllamacpp.Server(wanted)
    while server:
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
