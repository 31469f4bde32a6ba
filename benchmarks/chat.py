"""What a conversation costs beside the command: the first prompt, and a turn, in turns with the command itself.

usage: python benchmarks/chat.py [ROUNDS]

A loopback server answers at once. Times are wall clock in one run, in turns: `--help`, the first prompt of
`optimize chat`, `optimize REQUEST`, and a turn of a conversation that is open. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import platform
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.conftest import CALC
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

COMMAND = str(Path(sys.executable).with_name("optimize"))
ANSWER = "It splits the text at commas, see calc/parse.py:6."
REQUEST = "explain how parse_response treats commas"


class Terminal:
    """The command at a terminal."""

    def __init__(self, words: list[str], folder: Path, env: Mapping[str, str]) -> None:
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(COMMAND, [COMMAND, *words], dict(env))

    def until(self, *texts: str) -> None:
        """Read until all of these are there."""
        seen = ""
        while not all(text in seen for text in texts):
            if not select.select([self._end], [], [], 30)[0]:
                raise TimeoutError(seen)
            seen += os.read(self._end, 65536).decode("utf-8", "replace")
            if "\x1b[6n" in seen:
                os.write(self._end, b"\x1b[1;1R")
                seen = seen.replace("\x1b[6n", "")

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def close(self) -> None:
        time.sleep(0.2)
        self.type("\x04")
        os.waitpid(self.pid, 0)
        os.close(self._end)


def seconds(words: list[str], folder: Path, env: Mapping[str, str]) -> float:
    """How long a run of the command takes."""
    began = time.perf_counter()
    subprocess.run([COMMAND, *words], cwd=folder, env=dict(env), capture_output=True, check=True)
    return time.perf_counter() - began


def main(rounds: int) -> None:
    """Measure and print."""
    server = Loopback()
    server.served["ollama"] = ("qwen2.5-coder:7b",)
    server.answer("ollama", lambda _: Reply(ANSWER, tokens=Tokens(2000, 30)))
    times: dict[str, list[float]] = {"help": [], "first prompt": [], "command": [], "turn": []}
    with tempfile.TemporaryDirectory() as made:
        folder, home = Path(made, "calc"), Path(made, "home")
        for path, text in CALC.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        for words in (["init", "-q", "."], ["add", "-A"]):
            subprocess.run(["git", *words], cwd=folder, check=True)
        config = home / ".config/optimizer/config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(server.config())
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm", "COLUMNS": "120"}
        asking = [REQUEST, "--tier", "local"]
        seconds(asking, folder, env)
        for _ in range(rounds):
            times["help"].append(seconds(["--help"], folder, env))
            began = time.perf_counter()
            talk = Terminal(["chat", "--tier", "local"], folder, env)
            talk.until("today")
            times["first prompt"].append(time.perf_counter() - began)
            talk.type(f"{REQUEST}\r")
            talk.until("left today", "local)")
            time.sleep(0.2)
            times["command"].append(seconds(asking, folder, env))
            began = time.perf_counter()
            talk.type(f"{REQUEST}\r")
            talk.until("left today", "local)")
            times["turn"].append(time.perf_counter() - began)
            talk.close()
    server.close()
    middle = {name: round(statistics.median(found) * 1000) for name, found in times.items()}
    least = {name: round(min(found) * 1000) for name, found in times.items()}
    print(
        json.dumps(
            {
                "date": time.strftime("%Y-%m-%d"),
                "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                "rounds": rounds,
                "median_ms": middle,
                "least_ms": least,
                "first_prompt_of_help": round(middle["first prompt"] / middle["help"], 2),
                "turn_beyond_command_ms": middle["turn"] - middle["command"],
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
