"""What the scan for secrets stops: kinds and encodings of secrets over all channels, false alarms, and speed.

    python benchmarks/attack_secrets.py [--files DIRECTORY ...] [--few] [--json OUT]

Each kind of tests/privacy/secret_cases.toml is drawn with another seed than the tests use, and two secrets are written
in each of the encodings below. Every one of them is sent through each channel: six parts of a request to a cloud model
(real SDKs, a server on loopback), a request of two messages that share it, exports, the transcript, the debug log,
what a failed test shows, and the error of a provider. A secret is stopped when no part of it comes out. Before that,
each channel lets a text without a secret through. Directories of installed packages are scanned for false alarms; by
default those of this machine.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import logging
import os
import re
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from optimizer.cli.debug import _Masked  # noqa: E402
from optimizer.context import render  # noqa: E402
from optimizer.errors import SecretFound  # noqa: E402
from optimizer.ledger import transcripts  # noqa: E402
from optimizer.privacy.secrets.redact import Handling, exported  # noqa: E402
from optimizer.privacy.secrets.scan import scan  # noqa: E402
from optimizer.providers import failures  # noqa: E402
from optimizer.types import Context, ContextItem, Message, Prompt, ToolCall, ToolResult  # noqa: E402
from optimizer.verify import excerpt  # noqa: E402
from tests.loopback.clients import a_model, a_prompt, connect  # noqa: E402
from tests.loopback.replies import Reply, Wire  # noqa: E402
from tests.loopback.server import Loopback  # noqa: E402
from tests.privacy.secret_cases import filled, kinds  # noqa: E402

SEED = 20261130
PART = 12  # letters in a row of a secret that may not come out
MOST_BYTES = 2_000_000
INSTALLED = (
    sysconfig.get_paths()["purelib"],
    "/usr/lib/python3",
    f"/usr/lib/python3.{sys.version_info.minor}",
    "/usr/lib/ruby",
    "/usr/lib/node_modules",
    "/usr/share/nodejs",
    *map(str, Path("/usr/share").glob("go-*/src")),
)
PLAIN = "def add(a, b):\n    return a + b\n"


class Probe(NamedTuple):
    """A secret: its kind, the text that it stands in, and what of that text is the secret."""

    kind: str
    text: str
    secret: str


# ── probes ───────────────────────────────────────────────────────────────────────────────────────


def _hexed(text: str) -> str:
    return text.encode().hex()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _between(text: str, mark: str) -> str:
    """The text with something between its halves."""
    half = len(text) // 2
    return text[:half] + mark + text[half:]


# how a secret is written, and what stands around that
ENCODINGS: Mapping[str, tuple[Callable[[str], str], str]] = {
    "coloured": (str, "\x1b[31m{}\x1b[0m"),
    "coloured in its middle": (lambda text: _between(text, "\x1b[0m\x1b[1;32m"), "\x1b[31m{}\x1b[0m"),
    "coloured as a program writes it": (str, "\\x1b[31m{}\\x1b[0m"),
    "a link of a terminal": (str, "\x1b]8;;http://h/\x1b\\{}\x1b]8;;\x1b\\"),
    "overstruck": (lambda text: "".join(f"{letter}\b{letter}" for letter in text), "{}"),
    "with zero-width spaces": ("\u200b".join, "{}"),
    "with soft hyphens": (lambda text: _between(text, "\u00ad"), "{}"),
    "with marks of direction": (lambda text: _between(text, "\u2069"), "\u202a{}\u202c"),
    "base64": (_base64, "{}"),
    "base64 in an assignment": (_base64, 'value: "{}"'),
    "base64 of a line": (lambda text: _base64(f"it is\n{text}\n"), "{}"),
    "base64 for addresses": (lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="), "{}"),
    "base64 in lines": (lambda text: base64.encodebytes(f"{PLAIN}{text}\n{PLAIN}".encode()).decode(), "{}"),
    "base64 of UTF-16": (lambda text: base64.b64encode(text.encode("utf-16-le")).decode(), "{}"),
    "hex": (_hexed, "{}"),
    "hex in capitals": (lambda text: _hexed(text).upper(), "{}"),
    "hex with blanks": (lambda text: " ".join(re.findall("..", _hexed(text))), "{}"),
    "hex with colons": (lambda text: ":".join(re.findall("..", _hexed(text))), "{}"),
    "hex as a dump": (lambda text: " ".join(re.findall(".{1,4}", _hexed(text))), "00000000: {}"),
    "hex as an array": (lambda text: ", ".join(f"0x{pair}" for pair in re.findall("..", _hexed(text))), "{{{}}}"),
    "UTF-16": (lambda text: text.encode("utf-16-le").decode("latin-1"), "{}"),
    "UTF-16 of the other order": (lambda text: text.encode("utf-16-be").decode("latin-1"), "{}"),
    "URL escapes": (lambda text: "".join(f"%{ord(letter):02X}" for letter in text), "{}"),
    "in an address": (lambda text: quote(text, safe=""), "https://h/?q={}&x=1"),
    "JSON escapes": (lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text), '"{}"'),
    "JSON in JSON": (str, '{{"a": "{{\\"b\\": \\"one\\\\n{}\\\\nthree\\"}}"}}'),
    "escapes of C": (lambda text: "".join(f"\\x{ord(letter):02x}" for letter in text), '"{}"'),
    "octal escapes": (lambda text: "".join(f"\\{ord(letter):03o}" for letter in text), '"{}"'),
    "entities": (lambda text: "".join(f"&#{ord(letter)};" for letter in text), "<b>{}</b>"),
    "entities in hex": (lambda text: "".join(f"&#x{ord(letter):x};" for letter in text), "<b>{}</b>"),
}
OF_TOKENS: Mapping[str, tuple[Callable[[str], str], str]] = {
    "reversed": (lambda text: text[::-1], "{}"),
    "reversed in an assignment": (lambda text: text[::-1], 'x = "{}"[::-1]'),
    "two literals": (lambda text: _between(text, '" "'), 'x = "{}"'),
    "two literals with +": (lambda text: _between(text, "' + '"), "x = '{}'"),
    "two lines of literals": (lambda text: _between(text, '"\n     "'), 'x = ("{}")'),
    "a continued line": (lambda text: _between(text, "\\\n"), "{}"),
    "a wrapped line": (lambda text: _between(text, "\n"), "{}"),
    "a wrapped comment": (lambda text: _between(text, "\n# "), "# {}"),
    "a wrapped diff": (lambda text: _between(text, "\n+"), "+{}"),
}


def probes() -> Iterator[Probe]:
    """Every kind with its forms, and two secrets in every encoding."""
    for kind in kinds():
        shown = kind.found if len(kind.found) > 4 else kind.found[:1]
        for number, template in enumerate(shown, 1):
            text = filled(template, SEED)
            name = kind.rule if len(shown) == 1 else f"{kind.rule} ({number})"
            yield Probe(name, text, _secret_of(text))
    token = filled("gh¦p_{A36}", SEED)
    line = "DB_PASS=" + filled("{A18}", SEED)
    for name, (encode, around) in {**ENCODINGS, **OF_TOKENS}.items():
        yield Probe(f"a token: {name}", "key " + around.format(encode(token)), encode(token))
    for name, (encode, around) in ENCODINGS.items():
        value = encode(line).removeprefix(encode("DB_PASS="))  # the name may come out
        yield Probe(f"a password: {name}", around.format(encode(line)), value)


def _secret_of(text: str) -> str:
    """The part of a probe that is the secret, as the rule that it was written for finds it."""
    if found := scan(text):
        return text.encode()[found[0].start : found[0].end].decode()
    return text.rpartition("=")[2]


# ── channels: each gives what comes out, or raises SecretFound ──────────────────────────────────


class Bench(NamedTuple):
    """Where requests go, and where state is kept."""

    loopback: Loopback
    state: Path


def _ask(bench: Bench, wire: Wire, prompt: Prompt) -> str:
    """Send a prompt; what the server received."""
    before = len(bench.loopback.requests)
    bench.loopback.answer(wire, lambda _: Reply("It is."))
    with contextlib.closing(connect(bench.loopback, wire, bench.state)) as provider:
        list(provider.stream(a_model(wire), prompt))
    return "\n".join(json.dumps(one.body, ensure_ascii=False) for one in bench.loopback.requests[before:])


def _context(text: str) -> Context:
    item = ContextItem("a.py", 7, 6 + len(text.split("\n")), "", "body", 10, 1.0, (), text)
    return Context("q", 10, (), (item,))


def _looked(text: str, arguments: Mapping[str, str], wire: Wire, bench: Bench) -> str:
    call = ToolCall("edit_file", dict(arguments), id="toolu_1")
    messages = (
        Message("user", "Go on."),
        Message("assistant", "", (call,)),
        Message("user", "", results=(ToolResult(call, text),)),
    )
    return _ask(bench, wire, a_prompt()._replace(messages=messages))


def _numbered(text: str) -> str:
    return "## a.py (99 lines in all)\n" + "\n".join(f"{n}\t{line}" for n, line in enumerate(text.split("\n"), 2))


def _two_messages(probe: Probe, bench: Bench) -> str:
    """The secret is cut in two; each message ends and begins within it."""
    at = probe.text.find(probe.secret) + max(1, len(probe.secret) // 2)
    messages = (
        Message("user", "The log says: " + probe.text[:at]),
        Message("assistant", "And then?"),
        Message("user", probe.text[at:] + "\nThat is all."),
    )
    return _ask(bench, "anthropic", a_prompt()._replace(messages=messages))


def _transcript(probe: Probe, bench: Bench) -> str:
    turn = transcripts.Turn("user", f"It says\n{probe.text}\nand fails.")
    call = transcripts.Call("r1", "2026-11-30", "groq", "m", "explain", "answered", 1.0, (turn,), (turn,), probe.text)
    (bench.state / "transcripts/r1.jsonl").unlink(missing_ok=True)
    transcripts.add(bench.state, call, transcripts.TranscriptBounds(10_000_000, 30))
    (kept,) = transcripts.read(bench.state, "r1")
    return "\n".join((kept.sent[0].text, kept.received[0].text, kept.error))


def _logged(probe: Probe, _: Bench) -> str:
    record = logging.LogRecord("optimizer.x", logging.DEBUG, "", 0, "sent %s", (f"\n{probe.text}\n",), None)
    return _Masked({}).format(record)


CHANNELS: Mapping[str, Callable[[Probe, Bench], str]] = {
    "message": lambda probe, bench: _ask(bench, "anthropic", a_prompt(f"Why does it fail?\n{probe.text}\n")),
    "system": lambda probe, bench: _ask(bench, "gemini", a_prompt(system=f"Notes of the project:\n{probe.text}\n")),
    "code": lambda probe, bench: _ask(
        bench, "groq", a_prompt(render.for_prompt(_context(probe.text)) + "\nExplain a.")
    ),
    "tool result": lambda probe, bench: _looked(_numbered(probe.text), {"path": "a.py"}, "openai", bench),
    "tool call": lambda probe, bench: _looked("done", {"path": "a.py", "content": probe.text}, "groq", bench),
    "diff": lambda probe, bench: _ask(
        bench,
        "openai",
        a_prompt("--- a/a\n+++ b/a\n@@ -1 +1 @@\n" + "".join(f"+{x}\n" for x in probe.text.split("\n"))),
    ),
    "two messages": _two_messages,
    "Markdown": lambda probe, _: exported(render.as_markdown(_context(probe.text)), Handling()),
    "XML, clipboard": lambda probe, _: exported(render.as_xml(_context(probe.text)), Handling(redacts=True)),
    "transcript": _transcript,
    "debug log": _logged,
    "test output": lambda probe, _: excerpt.tidy([f"E   {x}" for x in probe.text.split("\n")], Path("/none")),
    "provider's error": lambda probe, _: failures.redact(f"bad request: {probe.text}", ""),
}


def stopped(probe: Probe, channel: str, bench: Bench) -> bool:
    """Whether no part of the secret comes out of the channel."""
    try:
        out = CHANNELS[channel](probe, bench)
    except SecretFound:
        return True
    lines = [line for line in probe.secret.split("\n") if line.strip()]
    parts = [line[at : at + PART] for line in lines for at in range(4, max(5, len(line) - PART + 1))]
    return not any(part in out for part in parts if len(part) >= min(PART, len(probe.secret) - 4))


def measured(every: int = 1) -> dict[str, dict[str, bool]]:
    """For each kind, or every so-many-th, whether each channel stopped it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Loopback()) as loopback:
        bench = Bench(loopback, Path(folder))
        for channel in CHANNELS:
            if "add(" not in CHANNELS[channel](Probe("", PLAIN, PLAIN), bench):
                raise SystemExit(f"{channel} lets nothing through")
        return {
            probe.kind: {channel: stopped(probe, channel, bench) for channel in CHANNELS}
            for number, probe in enumerate(probes())
            if number % every == 0
        }


# ── false alarms ─────────────────────────────────────────────────────────────────────────────────


class Files(NamedTuple):
    """Scanned files: how many, their bytes, the processor time, and the alarms: rule, path, line."""

    count: int
    bytes: int
    seconds: float
    alarms: tuple[str, ...]


def scanned(folders: list[str]) -> Files:
    """Scan the text files below the folders."""
    count = size = 0
    seconds, alarms = 0.0, []
    for path in (Path(base, name) for folder in folders for base, _, names in os.walk(folder) for name in names):
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b"\0"
        if b"\0" in data[:8000] or len(data) > MOST_BYTES:
            continue
        text = data.decode("utf-8", "replace")
        begun = time.process_time()
        found = scan(text, 60)
        seconds += time.process_time() - begun
        count, size = count + 1, size + len(data)
        alarms += [f"{one.rule}: {path}:{one.line}" for one in found[:1]]
    return Files(count, size, seconds, tuple(alarms))


# ── report ───────────────────────────────────────────────────────────────────────────────────────


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="*", default=[folder for folder in INSTALLED if Path(folder).is_dir()])
    parser.add_argument("--few", action="store_true", help="every ninth kind only")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    table = measured(9 if arguments.few else 1)
    _print_table(table)
    tried, held = sum(map(len, table.values())), sum(sum(row.values()) for row in table.values())
    print(f"\n{len(table)} kinds over {len(CHANNELS)} channels: {held} of {tried} stopped ({held / tried:.2%})")
    report: dict[str, object] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "kinds": len(table)}
    report |= {"channels": list(CHANNELS), "tried": tried, "stopped": held}
    report["let through"] = {
        kind: [name for name, ok in row.items() if not ok] for kind, row in table.items() if not all(row.values())
    }
    if arguments.files:
        files = scanned(arguments.files)
        rate, speed = len(files.alarms) / files.count * 1000, files.bytes / 1e6 / files.seconds
        alarms = f"{len(files.alarms)} alarms ({rate:.2f} in 1,000)"
        print(f"{files.count} files of installed packages: {alarms}; {speed:.1f} MB/s")
        for rule, number in Counter(alarm.partition(":")[0] for alarm in files.alarms).most_common():
            print(f"  {number:>4}  {rule}")
        report |= {"files": files.count, "alarms": len(files.alarms), "MB/s": round(speed, 1)}
        report["alarms by rule"] = Counter(alarm.partition(":")[0] for alarm in files.alarms)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def _print_table(table: Mapping[str, Mapping[str, bool]]) -> None:
    """A row for each kind that came through somewhere, a column for each channel, and the totals."""
    print(f"{'':44}" + " ".join(f"{name[:9]:>9}" for name in CHANNELS))
    for kind, row in table.items():
        if not all(row.values()):
            print(f"{kind[:44]:44}" + " ".join(f"{'' if ok else 'OUT':>9}" for ok in row.values()))
    totals = [sum(row[name] for row in table.values()) for name in CHANNELS]
    print(f"{'stopped, of ' + str(len(table)):44}" + " ".join(f"{total:>9}" for total in totals))


if __name__ == "__main__":
    sys.exit(main())
