"""`python -m optimizer.worker STATE IDLE`: hold the helper's place in a state directory and do its tasks."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from optimizer.tasks import contact
from optimizer.tasks.loop import Control, serve
from optimizer.wiring.background import kinds


def main(state: Path, idle: float) -> int:
    """Run until there is nothing to do; 0 too where another helper runs already."""
    server = contact.listen(state)
    held = contact.hold(state, contact.address(server), time.time())
    try:
        if held is None:
            return 0
        control = Control()
        signal.signal(signal.SIGINT, control.interrupt)
        signal.signal(signal.SIGTERM, lambda *_: control.stop())
        threading.Thread(target=_answer, args=(server, held, control), daemon=True).start()
        _log("started")
        serve(state, kinds(os.environ), control, idle, _log)
        _log("ended")
        return 0
    finally:
        server.close()
        if held is not None:
            contact.release(state, held)
        with suppress(OSError):
            (contact.folder(state) / f"{os.getpid()}.sock").unlink(missing_ok=True)


def _answer(server: socket.socket, held: contact.Held, control: Control) -> None:
    for word, line in contact.asked(server, held):
        line.sendall(json.dumps({"pid": held.pid, "running": control.running}).encode() + b"\n")
        if word == "stop":
            control.stop()
        control.woken.set()


def _log(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
