"""Attacks on where a request goes, and what leaves this machine without consent."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from benchmarks.attack_user import ASK, KEY, OPTIMIZE, Attack, Attacks, Bench, Tried
from optimizer.cli.commands import COMMANDS

ATTACKS = Attacks()


def _local(bench: Bench, host: str, model: str, row: Mapping[str, str]) -> bool:
    bench.vendors.served["ollama"] = (model,)
    bench.vendors.listed = {model: dict(row)}
    url = bench.vendors.url.replace("127.0.0.1", host)
    bench.configure()
    return bench.sent(bench.repo(), "ollama", "--model", model, OLLAMA_HOST=url)


CODER = "qwen2.5-coder:7b"


@ATTACKS.add
def a_name_that_dns_answers_is_this_machine(bench: Bench) -> Tried:
    names = ("ollama.localhost", "a.b.localhost", "localhost.", "127.1", "0x7f.1", "[::ffff:127.0.0.1]")
    sent = [_local(bench, name, CODER, {}) for name in names]
    return Tried(any(sent), _local(bench, "localhost", CODER, {}) and _local(bench, "127.0.0.1", CODER, {}))


@ATTACKS.add
def a_model_that_ollama_runs_elsewhere_is_local(bench: Bench) -> Tried:
    row = {"remote_host": "https://ollama.com:443", "remote_model": "big"}
    return Tried(_local(bench, "127.0.0.1", "mine:7b", row), _local(bench, "127.0.0.1", "mine:7b", {}))


@ATTACKS.add
def a_model_with_only_a_remote_name_is_local(bench: Bench) -> Tried:
    return Tried(_local(bench, "127.0.0.1", "mine:7b", {"remote_model": "big"}), _local(bench, "127.0.0.1", CODER, {}))


@ATTACKS.add
def a_cloud_tag_is_local(bench: Bench) -> Tried:
    sent = [_local(bench, "127.0.0.1", one, {}) for one in ("gpt-oss:120b-cloud", "glm-4.6:cloud")]
    return Tried(any(sent), _local(bench, "127.0.0.1", CODER, {}))


@ATTACKS.add
def a_key_goes_in_the_clear_with_an_older_consent(bench: Bench) -> Tried:
    root = bench.repo()
    bench.config.write_text('[endpoints]\ngroq = "http://groq.invalid"\n')
    said = bench.run(root, "consent", "grant", "groq")
    state = bench.home / ".local/state/optimizer/consent.json"
    state.write_text(state.read_text().replace(", unencrypted", ""))
    refused = "no consent" in bench.run(root, ASK, "--provider", "groq")
    return Tried(not refused, "unencrypted" in said)


def _headers(wire: str, **env: str) -> Attack:
    def run(bench: Bench) -> Tried:
        root = bench.repo()
        bench.run(root, "consent", "grant", wire)
        before = len(bench.vendors.requests)
        control = bench.sent(root, wire, "--provider", wire, OPENAI_API_KEY=KEY, **env)
        return Tried(any("CANARY" in str(one.headers) for one in bench.vendors.requests[before:]), control)

    return run


ATTACKS["headers of the environment go out (anthropic)"] = _headers(
    "anthropic", ANTHROPIC_CUSTOM_HEADERS="x-a: CANARY\nuser-agent: CANARY", ANTHROPIC_AUTH_TOKEN="CANARY"
)
ATTACKS["headers of the environment go out (openai)"] = _headers(
    "openai", OPENAI_ORG_ID="CANARY", OPENAI_PROJECT_ID="CANARY", OPENAI_CUSTOM_HEADERS="x-a: CANARY"
)
ATTACKS["headers of the environment go out (groq)"] = _headers(
    "groq", GROQ_CUSTOM_HEADERS="x-a: CANARY\naccept: CANARY"
)


# ── without consent, nothing leaves ─────────────────────────────────────────────────────────────────

ARGUMENTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "run": ((ASK,), (ASK, "--provider", "groq"), (ASK, "--dry-run")),
    "context": ((ASK,),),
    "route": ((ASK,),),
    "models": ((), ("recommend",), ("status",), ("test", "--all")),
    "trust": ((), ("grant",)),
    "consent": ((), ("grant", "gemini")),
}
_CONNECT = re.compile(r'(?:connect|sendto|sendmsg)\(.*?sin6?_port=htons\((\d+)\).*?"([0-9a-f.:]+)"')


def watched(bench: Bench) -> list[str]:
    """The connections and look-ups of commands without consent that leave this machine, after the command."""
    root = bench.repo()
    bench.config.write_text('[endpoints]\ngroq = "http://192.0.2.1:9"\n[network]\nconnect_seconds = 0.5\n')
    bench.run(root, "consent", "grant", "groq")
    seen = bool(_left(bench, root, (ASK, "--provider", "groq")))
    bench.run(root, "consent", "revoke", "groq")
    bench.config.write_text("")
    lines = [(name, *more) for name in COMMANDS for more in ARGUMENTS.get(name, ((),)) if name != "run" or more]
    found = [line for words in lines for line in _left(bench, root, words)]
    print(f"{len(lines)} commands watched, {len(found)} connections or look-ups left this machine", end="; ")
    print("control is seen" if seen else "CONTROL IS NOT SEEN")
    return found if seen else [*found, "what leaves is not seen"]


def _left(bench: Bench, root: Path, words: tuple[str, ...]) -> list[str]:
    """What leaves this machine while a command runs."""
    log = bench.base / "strace"
    trace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(log), str(OPTIMIZE), *words]
    env = bench.env(OLLAMA_HOST="ollama.localhost", GEMINI_API_KEY=KEY, OPENAI_API_KEY=KEY)
    try:
        subprocess.run(
            trace, cwd=root, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return [f"{' '.join(words)}: did not end"]
    reached = _CONNECT.findall(log.read_text(errors="replace"))
    away = [(port, to) for port, to in reached if port == "53" or not (to.startswith("127.") or to == "::1")]
    return [f"{' '.join(words)}: {to} port {port}" for port, to in away]
