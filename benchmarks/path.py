"""The way of one request through the code: distinct files entered, and how often a call changes file.

    python benchmarks/path.py [--program CHECKOUT] [--edges] [--json]

One edit is run with the installed index warm and `--yes`, over servers on loopback: a local model answers with an edit
that does not parse, a free one with a good edit, which is checked, written and recorded. Every call of a function of
`optimizer` is seen by a profile hook, in all threads. `files` are the distinct files of the package in which a function
ran; `changes` counts the calls, and resumed generators, whose caller in the package stands in another file;
`hand-overs` counts these once for each pair of functions, so that a loop counts as one. Imports are left out. `--edges`
lists the pairs of files with their changes. CHECKOUT is the tree whose program is run (default: this one).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.loopback.replies import Call, Reply
from tests.loopback.server import Loopback

SETTLED = 2.2  # seconds after which a file that was written counts as unchanged
HERE = Path(__file__).parents[1]
FILES = {
    "calc/__init__.py": "",
    "calc/parse.py": (
        'def parse_response(text):\n    """Split `text` into numbers."""\n    parts = text.split(",")\n'
        "    return [int(part) for part in parts]\n\n\ndef total(text):\n    return sum(parse_response(text))\n"
    ),
    "calc/cli.py": "from calc.parse import total\n\n\ndef main(line):\n    print(total(line))\n",
}
REQUEST = "refactor parse_response to skip empty parts"
BROKEN = (
    "calc/parse.py\n<<<<<<< SEARCH\n    return [int(part) for part in parts]\n=======\n"
    "    return [int(part for part in parts]\n>>>>>>> REPLACE\n"
)
GOOD = "    return [int(part) for part in parts if part.strip()]\n"
TRACE = """
import collections, json, sys, threading
from pathlib import Path
import optimizer
root = str(Path(optimizer.__file__).parent) + "/"
files, changes, hand_overs = set(), collections.Counter(), set()

def seen(frame, event, _):
    code = frame.f_code
    if event != "call" or not code.co_filename.startswith(root) or not code.co_flags & 1:
        return
    files.add(code.co_filename)
    caller = frame.f_back
    while caller is not None and not caller.f_code.co_filename.startswith(root):
        caller = caller.f_back
    if caller is not None and caller.f_code.co_filename != code.co_filename and caller.f_code.co_flags & 1:
        changes[caller.f_code.co_filename.removeprefix(root), code.co_filename.removeprefix(root)] += 1
        hand_overs.add((caller.f_code, code))

threading.setprofile(seen)
sys.setprofile(seen)
from optimizer.cli.main import main
try:
    main(sys.argv[2:])
finally:
    sys.setprofile(None)
    Path(sys.argv[1]).write_text(json.dumps({
        "files": sorted(name.removeprefix(root) for name in files), "changes": sum(changes.values()),
        "hand_overs": len(hand_overs), "edges": sorted([[*pair, count] for pair, count in changes.items()]),
    }))
"""


def main() -> None:
    """Run one request and print what it went through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=HERE)
    parser.add_argument("--edges", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = trace(given.program.resolve(), Path(place))
    if given.json:
        print(json.dumps(found))
        return
    if given.edges:
        for caller, called, count in sorted(found["edges"], key=lambda edge: -edge[2]):
            print(f"{count:5}  {caller} -> {called}")
    print(f"files {len(found['files'])} · changes {found['changes']} · hand-overs {found['hand_overs']}")


def trace(program: Path, place: Path) -> dict:
    """What one request of the program at `program` goes through: files, changes, hand_overs, edges."""
    repository, home, result = place / "calc", place / "home", place / "result.json"
    home.mkdir()
    for name, text in FILES.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text)
    server = Loopback()
    server.served["ollama"] = ("qwen2.5-coder:7b",)
    server.queue("ollama", *(Reply(text=BROKEN) for _ in range(2)))
    call = Call("edit_file", {"path": "calc/parse.py", "start": 4, "end": 4, "content": GOOD})
    server.queue("groq", Reply(text="Empty parts are skipped.", calls=(call,), stop="tool"))
    config = home / ".config/optimizer/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(server.config("ollama", "groq"))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(program),
        "GROQ_API_KEY": "gsk_" + "x" * 20,
    }

    def run(*command: str) -> None:
        subprocess.run([sys.executable, *command], cwd=repository, env=environment, check=True, capture_output=True)

    try:
        subprocess.run(["git", "init", "-q"], cwd=repository, check=True)
        run("-m", "optimizer", "consent", "grant", "groq")
        time.sleep(SETTLED)
        run("-m", "optimizer", "context", REQUEST)
        run("-c", TRACE, str(result), REQUEST, "--yes")
    finally:
        server.close()
    if GOOD not in (repository / "calc/parse.py").read_text():
        raise SystemExit("the edit was not written: the figures are of another request")
    return json.loads(result.read_text())


if __name__ == "__main__":
    main()
