"""All attacks on what is promised about reading, running, sending and writing, one benchmark after another.

usage: attacks.py [NAME …]: confinement, evasion, forging, unprivileged, runners, keys, reading, edits, identity, saves,
secrets; all without a name. As root on Linux, with bubblewrap and strace, nothing is skipped. Exits with 1 when an
attack succeeds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PYTEST = (sys.executable, "-m", "pytest", "-q", "--slow", "-p", "no:cacheprovider", "-rs")
TESTS = {
    "confinement": "tests/confine/test_layers.py",
    "evasion": "tests/verify/test_evasion.py",
    "forging": "tests/verify/test_forging.py",
}
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def main(*chosen: str) -> None:
    """Run the parts and print a line for each."""
    parts = {name: (*PYTEST, path) for name, path in TESTS.items()}
    parts["unprivileged"] = (*PYTEST, TESTS["confinement"])
    for name in ("runners", "keys", "reading", "edits", "identity", "saves", "secrets"):
        parts[name] = (sys.executable, str(HERE / f"attack_{name}.py"))
    if unknown := [name for name in chosen if name not in parts]:
        sys.exit(f"no part is called {unknown[0]}; there are: {', '.join(parts)}")
    failed = [name for name in chosen or parts if not held(name, parts[name])]
    print("all attacks are held" if not failed else f"attacks succeed in: {', '.join(failed)}")
    sys.exit(bool(failed))


def held(name: str, words: tuple[str, ...]) -> bool:
    """Run one part; its last line is printed, and all of it where an attack succeeds."""
    if name == "unprivileged":
        return unprivileged(words)
    env = os.environ | {"ALL_ATTACKS": "1"}
    return told(name, subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False))


def unprivileged(words: tuple[str, ...]) -> bool:
    """The probes of confinement as a user without rights, in a copy of the project that such a user may read."""
    name = f"python3.{sys.version_info.minor}"
    python = shutil.which(name, path="/usr/bin:/usr/local/bin")
    if os.getuid() != 0 or shutil.which("setpriv") is None or python is None:
        print(f"unprivileged  not run: this wants root, setpriv and a {name} of the system")
        return True
    with tempfile.TemporaryDirectory() as made:
        tree = Path(made, "tree")
        for part in ("optimizer", "tests"):
            shutil.copytree(ROOT / part, tree / part)
        shutil.copyfile(ROOT / "pyproject.toml", tree / "pyproject.toml")
        packages = shutil.copytree(sysconfig.get_path("purelib"), Path(made, "packages"))
        subprocess.run(["chown", "-R", "65534:65534", made], check=True)
        env = {"HOME": made, "TMPDIR": made, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(packages)}
        called = [*NOBODY, python, *words[1:]]
        ran = subprocess.run(called, cwd=tree, env=env, capture_output=True, text=True, check=False)
    return told("unprivileged", ran)


def told(name: str, ran: subprocess.CompletedProcess[str]) -> bool:
    """Print how a part ended; whether every attack was held."""
    lines = [line for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
    print(f"{name:<14}{lines[-1] if lines else ''}", flush=True)
    if ran.returncode:
        print("\n".join(f"    {line}" for line in lines if line.startswith(("FAILED", "E  ", "SUCCEEDED")))[:4000])
    return ran.returncode == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
