"""Attacks by what a project holds: its settings, the programs that it brings; and on records that are damaged."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.attack_user import ASK, KEY, OPTIMIZE, Attack, Attacks, Bench, Tried, program
from tests.loopback.replies import Reply, Tokens

EDIT = "calc.py\n<<<<<<< SEARCH\n    return a + b\n=======\n    return b + a\n>>>>>>> REPLACE\n"

ATTACKS = Attacks()


def _project(key: str, text: str, less: tuple[str, object] | None = None) -> Attack:
    """The file of a project moves a setting; the control is the same file where it asks for less, or the user's."""

    def run(bench: Bench) -> Tried:
        root = bench.repo()
        mine = bench.setting(root, key)
        (root / ".optimizer.toml").write_text(text)
        moved = bench.setting(root, key) != mine
        if less:
            (root / ".optimizer.toml").write_text(less[0])
            return Tried(moved, bench.setting(root, key) == less[1])
        (root / ".optimizer.toml").unlink()
        bench.configure(text)
        return Tried(moved, bench.setting(root, key) != mine)

    return run


MOVED: Mapping[str, Attack] = {
    "the dearest tier": _project("tier", 'tier = "premium"\n'),
    "a dear model": _project("model", 'model = "claude-opus-5-5"\n'),
    "another provider": _project("provider", 'provider = "anthropic"\n'),
    "a profile": _project("profile", 'profile = "code"\n'),
    "no local models": _project("features.local-models", "[features]\nlocal-models = false\n"),
    "the naive context": _project("features.context-optimization", "[features]\ncontext-optimization = false\n"),
    "longer answers": _project("max_tokens", "max_tokens = 90000\n", ("max_tokens = 700\n", 700)),
    "larger requests": _project("request_tokens", "request_tokens = 90000\n", ("request_tokens = 3000\n", 3000)),
    "more files": _project("context.max_files", "[context]\nmax_files = 99\n", ("[context]\nmax_files = 3\n", 3)),
    "larger windows": _project("context_size", "context_size = 99000\n"),
    "no time for tests": _project("verify.seconds", "[verify]\nseconds = 0.1\n", ("[verify]\nseconds = 300\n", 300.0)),
    "less confidence": _project("confidence_threshold", "confidence_threshold = 0.0\n"),
    "local models time out": _project("network.first_token_seconds", "[network]\nfirst_token_seconds = 0.01\n"),
    "more steps": _project("agent.steps", "[agent]\nsteps = 99\n", ("[agent]\nsteps = 2\n", 2)),
}
ATTACKS |= {f"a project's file sets: {name}": one for name, one in MOVED.items()}


# ── what programs see, and which they are ───────────────────────────────────────────────────────────


def _committed(bench: Bench, prepare: Callable[[Path, Path], None]) -> str:
    """What a program of the repository saw of the environment during a commit; '' where it did not run."""
    root, seen = bench.repo(), bench.base / "seen"
    seen.unlink(missing_ok=True)
    prepare(root, seen)
    bench.run(root, "consent", "grant", "groq")
    bench.vendors.queue("groq", Reply(EDIT, tokens=Tokens(900, 30)))
    env = {"GITHUB_TOKEN": KEY, "OPTIMIZER_DEBUG": "", "MY_OWN_API_KEY": KEY}
    bench.run(root, "swap the operands of add", "--provider", "groq", "--yes", "--commit", **env)
    return seen.read_text() if seen.exists() else ""


@ATTACKS.add
def a_filter_sees_keys_during_a_commit(bench: Bench) -> Tried:
    def prepare(root: Path, seen: Path) -> None:
        (root / ".git/info/attributes").write_text("*.py filter=evil\n")
        bench.sh(root, "git", "config", "filter.evil.clean", f"sh -c 'env >> {seen}; cat'")

    env = _committed(bench, prepare)
    return Tried(KEY in env or "OPTIMIZER_" in env, bool(env))


@ATTACKS.add
def a_hook_sees_keys_during_a_commit(bench: Bench) -> Tried:
    env = _committed(bench, lambda root, seen: (program(root / ".git/hooks", "pre-commit", f"env >> {seen}"), None)[1])
    return Tried(KEY in env or "OPTIMIZER_" in env, bool(env))


@ATTACKS.add
def a_watcher_of_the_repository_runs(bench: Bench) -> Tried:
    ran = bench.base / "watched"

    def prepare(root: Path, _: Path) -> None:
        bench.sh(root, "git", "config", "core.fsmonitor", str(program(root, "watch.sh", f"echo x >> {ran}")))

    _committed(bench, prepare)
    got = ran.exists()
    root = bench.repo()
    prepare(root, ran)
    bench.sh(root, "git", "status")
    return Tried(got, ran.exists())


def _on_path(name: str, arguments: tuple[str, ...]) -> Attack:
    def run(bench: Bench) -> Tried:
        root, ran = bench.repo(), bench.base / f"ran-{name}"
        for folder in (root / "tools", bench.base / "tools"):
            program(folder, name, f"echo x >> {ran}; cat > /dev/null")
        rest = f"{OPTIMIZE.parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
        paths = (f"{root}/tools:{rest}", f"tools:.:{rest}", f"{bench.base}/tools:{rest}")
        found = []
        for path in paths:
            ran.unlink(missing_ok=True)
            bench.run(root, *arguments, PATH=path)
            found.append(ran.exists())
        return Tried(found[0] or found[1], found[2])

    return run


ATTACKS["nvidia-smi of the repository runs"] = _on_path("nvidia-smi", ("models", "recommend"))
ATTACKS["xclip of the repository runs"] = _on_path("xclip", ("context", ASK, "--copy"))
ATTACKS["git of the repository runs"] = _on_path("git", ("index",))


# ── records ─────────────────────────────────────────────────────────────────────────────────────────


@ATTACKS.add
def damage_of_the_ledger_is_silent(bench: Bench) -> Tried:
    root = bench.repo()
    bench.run(root, "consent", "grant", "groq")
    control = bench.sent(root, "groq", "--provider", "groq")
    quiet = "damaged" not in bench.run(root, "budget")
    silent = False
    for at in (0, 4096):
        file = bench.home / ".local/state/optimizer/ledger.sqlite3"
        with file.open("r+b") as opened:
            opened.seek(at)
            opened.write(b"garbage" * 2_000)
        silent |= "damaged" not in bench.run(root, "budget")
        bench.sent(root, "groq", "--provider", "groq")
    return Tried(silent, control and quiet)


@ATTACKS.add
def an_absurd_count_loses_the_answer(bench: Bench) -> Tried:
    root, lost = bench.repo(), False
    bench.run(root, "consent", "grant", "groq")
    for count in (2**63, 2**53 + 1, -1, 10**30):
        bench.vendors.queue("groq", Reply("It adds, calc.py:1.", tokens=Tokens(count, count)))
        said = bench.run(root, ASK, "--provider", "groq")
        lost |= "It adds" not in said or "internal" in said
    return Tried(lost, "It adds" in bench.run(root, ASK, "--provider", "groq"))
