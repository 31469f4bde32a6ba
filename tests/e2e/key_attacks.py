"""Attacks on the keys of providers: each is runs of the command, with a control that the attack took place."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.conftest import COMMAND, GOOD, REQUEST, Optimize
from tests.keyrings import stand_in
from tests.loopback.replies import Call, Reply, Tokens, refuse
from tests.loopback.server import Loopback

STORED = "canary-9f8e7d6c5b-stored-Zq7Xw2Lm4K-WXYZ"
GIVEN = "canary-1a2b3c4d5e-variable-Pt6Rs8Nv3J-STUV"
PASSPHRASE = "correct horse canary staple"
STATE = ".local/state/optimizer"
ANSWER = Reply(text="It splits the text (calc/parse.py:4).", tokens=Tokens(2000, 100))
ASK = ("explain parse_response", "--provider", "groq", "--json")
DUMP = '#!/bin/sh\nenv >> "{file}"\nexec "{program}" "$@"\n'


class Tried(NamedTuple):
    """What came of an attack: whether the key got out or was misused, and whether the attack took place at all."""

    breached: bool
    took_place: bool


Attack = Callable[[Optimize, Loopback, Path], Tried]


def shows(text: str | bytes, *keys: str) -> bool:
    """Whether a text holds more of a key than its last letters: as it is, reversed, in base64 or in hex."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    for key in keys or (STORED, GIVEN, PASSPHRASE):
        core = key[:-4].encode()
        forms = [core, core[::-1], core.hex().encode()]
        forms += [base64.b64encode(b"\0" * shift + core)[8:-4] for shift in range(3)]
        if any(form in data for form in forms):
            return True
    return False


def prepare(user: Optimize) -> None:
    """A user with a key of groq in the encrypted file, and one of anthropic in the environment."""
    del user.env["GROQ_API_KEY"]
    path = user.home.parent / "passphrase"
    path.write_text(f"{PASSPHRASE}\n")
    path.chmod(0o600)
    user.env.update(OPTIMIZER_PASSPHRASE_FILE=str(path), ANTHROPIC_API_KEY=GIVEN)
    assert user("keys", "set", "groq", stdin=STORED).code == 0


def files(user: Optimize) -> Iterator[bytes]:
    """All that is kept of a user's runs, and in the repository."""
    for root in (user.home, user.cwd):
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path.read_bytes()


def asked_with(loopback: Loopback, key: str) -> bool:
    """Whether a request came with this key."""
    return any(key in value for one in loopback.requests for value in one.headers.values())


def _changed(user: Optimize, change: Callable[[dict[str, Any]], object]) -> None:
    path = user.home / STATE / "keys.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


# ── what is shown ────────────────────────────────────────────────────────────────────────────────


def as_argument(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """The key is typed as an argument, in places where a name was expected too."""
    lines = (
        ("set", "openai", STORED),
        ("set", STORED * 2),
        ("set", "openai", STORED, "--json"),
        ("set", STORED, "x"),
        (STORED,),
        (STORED, "groq"),
    )
    runs = [user("keys", *words) for words in lines]
    return Tried(any(shows(ran.out + ran.err) for ran in runs), all(ran.code == 2 for ran in runs))


def in_listings(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """All that lists settings, keys, models and requests, as JSON and for people."""
    words = (
        "keys",
        "config show",
        "models list",
        "doctor",
        "consent log",
        "consent list",
        "models show claude-haiku-5-5",
    )
    runs = [user(*line.split(), *more) for line in words for more in ((), ("--json",))]
    rows = [json.loads(line) for line in user("keys", "--json").out.splitlines()]
    lasts = {one["provider"]: one["last"] for one in rows}
    told = (lasts["groq"], lasts["anthropic"]) == ("…WXYZ", "…STUV")
    return Tried(any(shows(ran.out + ran.err) for ran in runs), told and all(ran.code == 0 for ran in runs))


def in_errors(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """A provider repeats the key in the body and in the headers of its refusal."""
    seen, codes = "", list[int]()
    for key, wire, provider in ((STORED, "groq", "groq"), (GIVEN, "anthropic", "anthropic")):
        for more in ((), ("--json",), ("--json", "--debug"), ("-v",)):
            loopback.queue(wire, *[refuse(wire, 401, f"Incorrect key provided: {key}", x_key=key)] * 3)  # type: ignore[arg-type]
            ran = user("explain parse_response", "--provider", provider, *more)
            seen, codes = seen + ran.out + ran.err, [*codes, ran.code]
    seen += "".join(str(data) for data in files(user))
    return Tried(shows(seen), set(codes) == {6} and asked_with(loopback, STORED) and asked_with(loopback, GIVEN))


def in_logs(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """The debug log, with the vendors' own logs switched on by their variables."""
    user.env.update(ANTHROPIC_LOG="debug", OPENAI_LOG="debug", GROQ_LOG="debug", HTTPX_LOG_LEVEL="trace")
    loopback.queue("groq", ANSWER)
    loopback.queue("anthropic", ANSWER)
    runs = [user(*ASK, "--debug"), user("explain total", "--provider", "anthropic", "--debug", "-v")]
    logged = all("providers" in ran.err for ran in runs)
    return Tried(any(shows(ran.out + ran.err) for ran in runs), logged and asked_with(loopback, STORED))


def in_objects(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """What a traceback, a debugger or a print would show of the objects that hold keys."""
    script = (
        "import os, pathlib\n"
        "from optimizer.wiring.models import stock\nfrom optimizer.wiring.workspace import Start\n"
        "with stock(Start(pathlib.Path.cwd(), os.environ, {}), print) as one:\n"
        "    found = one.models.endpoints()\n    opened = found['groq'].unsealed()\n"
        "    print([*found.values()], opened, one.config, one.models.keys(), one, one.models.gate(), opened.sealed)\n"
        "    print('opened', len(opened.key))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=user.cwd,
        env=user.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Tried(shows(ran.stdout + ran.stderr), f"opened {len(STORED)}" in ran.stdout)


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


def at_rest(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """Everything that is on the disk after runs with both keys: stores, logs, transcripts, caches."""
    loopback.queue("groq", ANSWER, ANSWER)
    loopback.queue("anthropic", ANSWER)
    user(*ASK)
    user("explain total", "--provider", "anthropic")
    user("keys", "test")
    used = asked_with(loopback, STORED) and asked_with(loopback, GIVEN)
    return Tried(any(map(shows, files(user))), used)


def by_mode(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """The file is made where new files are open to everybody."""
    shutil.rmtree(user.home / STATE)
    before = os.umask(0)
    try:
        user("keys", "set", "groq", stdin=STORED)
    finally:
        os.umask(before)
    path = user.home / STATE / "keys.json"
    return Tried(bool(path.stat().st_mode & 0o077 or path.parent.stat().st_mode & 0o077), path.exists())


def by_link(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """A link in place of the file leads to another file."""
    path, victim = user.home / STATE / "keys.json", folder / "victim"
    victim.write_bytes(path.read_bytes())
    before = victim.read_bytes()
    path.unlink()
    path.symlink_to(victim)
    ran = user("keys", "set", "openai", stdin=GIVEN)
    return Tried(victim.read_bytes() != before or path.is_symlink(), ran.code == 0)


def by_guess(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """Other passphrases: empty, wrong, nearly right."""
    path = Path(user.env["OPTIMIZER_PASSPHRASE_FILE"])
    codes = []
    for words in ("", "wrong", PASSPHRASE.upper(), PASSPHRASE[:-1], f" {PASSPHRASE}"):
        path.write_text(f"{words}\n")
        codes.append(user(*ASK).code)
    breached = asked_with(loopback, STORED) or bool(loopback.asked("groq"))
    path.write_text(f"{PASSPHRASE}\r\nsecond line\n")
    loopback.queue("groq", ANSWER)
    right = user(*ASK).code == 0 and asked_with(loopback, STORED)
    return Tried(breached or set(codes) != {2}, right)


def by_moving(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """The key of one provider is moved to another one in the file."""
    loopback.queue("groq", ANSWER)
    user(*ASK)
    right = asked_with(loopback, STORED)
    loopback.reset()
    del user.env["GEMINI_API_KEY"]
    _changed(user, lambda data: data["keys"][0].update(provider="gemini"))
    runs = [user("explain total", "--provider", "gemini", "--json"), user("keys", "test", "gemini", "--json")]
    return Tried(asked_with(loopback, STORED) or any(ran.code == 0 for ran in runs), right)


def by_weakening(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """The file asks for a derivation that is cheap to guess, or too dear for any machine."""
    whole = (user.home / STATE / "keys.json").read_text()
    codes = []
    for change in ({"memory": 8}, {"passes": 1}, {"memory": 2**40}, {"lanes": 10**6}, {"salt": ""}):
        (user.home / STATE / "keys.json").write_text(whole)
        _changed(user, lambda data, change=change: data["lock"].update(change))
        codes.append(user(*ASK).code)
    breached = bool(loopback.asked("groq"))
    (user.home / STATE / "keys.json").write_text(whole)
    loopback.queue("groq", ANSWER)
    return Tried(breached or set(codes) != {7}, user(*ASK).code == 0)


def by_damage(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """Single bytes of what is sealed are changed, and the file is cut."""
    path = user.home / STATE / "keys.json"
    whole = path.read_text()
    sealed = json.loads(whole)["keys"][0]["sealed"]
    codes = []
    for at in (0, 20, len(sealed) // 2):
        other = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        path.write_text(whole.replace(sealed, other))
        codes.append(user(*ASK).code)
    path.write_text(whole[: len(whole) // 2])
    codes.append(user(*ASK).code)
    breached = bool(loopback.asked("groq"))
    path.write_text(whole)
    loopback.queue("groq", ANSWER)
    return Tried(breached or set(codes) != {7}, user(*ASK).code == 0)


def by_plain_keyring(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """The system's keyring is one that writes keys plainly."""
    user.env["PYTHONPATH"] = stand_in(folder / "plain", "keyrings.alt.file")
    user("keys", "set", "groq", stdin=STORED)
    plain = (user.home / "stand-in-keyring.json").exists()
    user.env["PYTHONPATH"] = stand_in(folder / "safe")
    user("keys", "set", "groq", stdin=STORED)
    return Tried(plain, (user.home / "stand-in-keyring.json").exists())


# ── where it goes ────────────────────────────────────────────────────────────────────────────────


def to_children(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """Programs that are started write down their environment: git, its hooks, tools of the system, the clipboard."""
    dump, programs = folder / "environments", folder / "bin"
    programs.mkdir()
    for name, real in (("git", shutil.which("git")), ("nvidia-smi", "/bin/true"), ("wl-copy", "/bin/cat")):
        (programs / name).write_text(DUMP.format(file=dump, program=real))
        (programs / name).chmod(0o755)
    hook = user.cwd / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(DUMP.format(file=folder / "hook", program="/bin/true"))
    hook.chmod(0o755)
    user.env.update(
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
        GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@b.c", GIT_COMMITTER_NAME="A", GIT_COMMITTER_EMAIL="a@b.c",
    )  # fmt: skip
    edit = Reply(calls=(GOOD,), stop="tool", tokens=Tokens())
    loopback.queue("groq", edit)
    runs = [user(REQUEST, "--provider", "groq", "--yes", "--commit", "--json"), user("models", "recommend")]
    runs.append(user("context", "why does total fail", "--copy"))
    kept = dump.read_text() + (folder / "hook").read_text()
    named = any(name in kept for name in ("ANTHROPIC_API_KEY", "OPTIMIZER_PASSPHRASE_FILE"))
    return Tried(shows(kept) or named, all(ran.code == 0 for ran in runs) and kept.count("PATH=") > 3)


def to_tests(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """A command of the repository prints its environment, that of all processes it sees, and the user's files."""
    lines = 'env; cat /proc/*/environ /proc/*/cmdline; cat "{home}"/.local/state/optimizer/*; echo took-place; exit 1\n'
    (user.cwd / "check.sh").write_text(lines.format(home=user.home))
    user.configure(user.config.read_text() + '[verify]\ntest = "sh check.sh"\n')
    edit = Reply(calls=(GOOD,), stop="tool", tokens=Tokens())
    loopback.queue("groq", edit, ANSWER, ANSWER, ANSWER)
    ran = user(REQUEST, "--provider", "groq", "--json")
    sent = "\n".join(one.text for one in loopback.requests)
    seen = ran.out + ran.err + sent + "".join(str(data) for data in files(user))
    return Tried(shows(seen), "tests" in ran.out)


def to_process_list(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """Other programs look at the process list while a run with the stored key waits for its provider."""
    loopback.queue("groq", Reply(text=ANSWER.text, stall_at=0, stall=3.0))
    run = subprocess.Popen(
        [COMMAND, *ASK], cwd=user.cwd, env=user.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    seen, deadline = b"", time.monotonic() + 30
    while time.monotonic() < deadline and run.poll() is None:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                seen += (path / "cmdline").read_bytes()
                if path.name == str(run.pid):
                    seen += (path / "environ").read_bytes()
            except OSError:
                continue
        if loopback.asked("groq"):
            break
        time.sleep(0.05)
    run.kill()
    run.communicate()
    return Tried(shows(seen, STORED, PASSPHRASE), asked_with(loopback, STORED) and b"parse_response" in seen)


def to_redirect(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """The provider's address answers with a redirect to another server."""
    with closing(Loopback()) as other:
        for status in (301, 302, 307, 308):
            loopback.queue("groq", Reply(status=status, headers={"location": f"{other.url}/openai/v1/chat"}, body=b""))
            user(*ASK)
        return Tried(bool(other.requests), asked_with(loopback, STORED))


def to_project_file(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """The repository's own settings name another address, and another file for the passphrase."""
    with closing(Loopback()) as other:
        addresses = f'[endpoints]\ngroq = "{other.url}"\nanthropic = "{other.url}"\n'
        (user.cwd / ".optimizer.toml").write_text(addresses + '[network]\nproxy = "environment"\n')
        user.env["HTTP_PROXY"] = other.url
        loopback.queue("groq", ANSWER)
        loopback.queue("anthropic", ANSWER)
        user(*ASK)
        user("explain total", "--provider", "anthropic")
        user("keys", "test")
        return Tried(bool(other.requests), asked_with(loopback, STORED) and asked_with(loopback, GIVEN))


def to_model(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """A model calls tools for files that hold keys."""
    state = user.home / STATE
    (user.cwd / "link").symlink_to(state / "keys.json")
    paths = ("link", str(state / "keys.json"), user.env["OPTIMIZER_PASSPHRASE_FILE"], "/proc/self/environ")
    for path in paths:
        loopback.queue("groq", Reply(calls=(Call("read_file", {"path": path}),), stop="tool", tokens=Tokens()))
    loopback.queue("groq", ANSWER, ANSWER)
    user("explain how parse_response and total work together", "--provider", "groq", "--json")
    sent = "\n".join(one.text for one in loopback.requests)
    sealed = json.loads((state / "keys.json").read_text())["keys"][0]["sealed"]
    return Tried(shows(sent) or sealed in sent, len(loopback.asked("groq")) > 1)


def to_others_first(user: Optimize, loopback: Loopback, folder: Path) -> Tried:
    """Four processes store keys at once: none that was reported as stored is lost."""
    names = ("openai", "gemini", "anthropic", "groq")
    (user.home / STATE / "keys.json").unlink()
    runs = {
        name: subprocess.Popen(
            [COMMAND, "keys", "set", name], cwd=user.cwd, env=user.environment(), stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for name in names
    }  # fmt: skip
    for run in runs.values():
        run.communicate(STORED.encode())
    stored = {name for name, run in runs.items() if run.returncode == 0}
    kept = {one["provider"] for one in json.loads((user.home / STATE / "keys.json").read_text())["keys"]}
    return Tried(not stored <= kept, bool(stored))


ATTACKS: Mapping[str, Attack] = {
    one.__name__: one
    for one in (
        as_argument, in_listings, in_errors, in_logs, in_objects, at_rest, by_mode, by_link, by_guess, by_moving,
        by_weakening, by_damage, by_plain_keyring, to_children, to_tests, to_process_list, to_redirect,
        to_project_file, to_model, to_others_first,
    )
}  # fmt: skip
