"""What protects the keys of providers: attacks on all that shows, keeps or sends them, each with a control.

    python benchmarks/attack_keys.py [--only NAME]... [--json OUT]

Each attack of tests/e2e/key_attacks.py is tried on a new user with a key in the encrypted file and one in the
environment, against servers on loopback. It succeeds when more of a key than its last four letters comes out, as it is,
reversed, in base64 or in hex, or when a key goes where it should not. The control says that the attack took place.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from optimizer.privacy.consent import grant
from tests.conftest import committed
from tests.e2e.conftest import CALC, Optimize
from tests.e2e.key_attacks import ATTACKS, STATE, Tried, prepare
from tests.loopback.server import Loopback


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(ATTACKS), action="append", help="try these alone")
    parser.add_argument("--json", type=Path, help="write the results here too")
    arguments = parser.parse_args()
    results = {name: _tried(name) for name in arguments.only or ATTACKS}
    for name, (breached, took_place) in results.items():
        what = "SUCCEEDED" if breached else "stopped" if took_place else "NOT TRIED"
        print(f"{name:<20} {what:<10} {(ATTACKS[name].__doc__ or '').splitlines()[0]}")
    stopped = sum(took_place and not breached for breached, took_place in results.values())
    print(f"{stopped} of {len(results)} attacks stopped")
    if arguments.json:
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        rows = {name: one._asdict() for name, one in results.items()}
        arguments.json.write_text(json.dumps({"date": day, "attacks": rows}, indent=1) + "\n")
    sys.exit(stopped < len(results))


def _tried(name: str) -> Tried:
    with tempfile.TemporaryDirectory(prefix="keys-") as made, closing(Loopback()) as loopback:
        folder = Path(made).resolve()
        root = committed(folder, CALC)
        user = Optimize(folder / "home", root, {"GROQ_API_KEY": "g-1", "GEMINI_API_KEY": "m-1"})
        user.configure(loopback.config())
        for destination in ("groq", "gemini", "anthropic"):
            grant(user.home / STATE, str(root), destination, loopback.url.removeprefix("http://"))
        prepare(user)
        loopback.served["ollama"] = ("qwen2.5-coder:7b",)
        return ATTACKS[name](user, loopback, folder)


if __name__ == "__main__":
    main()
