"""What this machine has for local models, and which of them fit it, the best first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from optimizer import programs
from optimizer.models.catalogue import Catalogue
from optimizer.models.memory import USUAL_WINDOW, Estimate, estimate
from optimizer.report.memory import HowRun
from optimizer.vendors import OLLAMA

MIB = 1 << 20
ASK_SECONDS = 5.0
LEFT_TO_OTHERS = 0.25  # of the memory of the machine: the system, the editor, the tests
LEFT_TO_SCREEN = 0.1  # of the memory of the cards
MEMINFO = Path("/proc/meminfo")
PROFILE_STRENGTH: Mapping[str, str] = {"code": "coding", "creative": "creativity", "general": "reasoning"}
SLOW_FROM_BILLIONS = 14.0  # beyond this, a model is slow without a graphics processor
BILLIONS_A_CORE = 1.75  # beyond this, a model is slow on few cores


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes of memory, of memory that is free now, and of the graphics cards' own (0: none found, or unknown).

    `shared`: the graphics processor uses the machine's memory. `cores` are those this process may use, 0: unknown.
    """

    ram: int
    free: int = 0
    vram: int = 0
    shared: bool = False
    cards: tuple[str, ...] = ()
    cores: int = 0

    @property
    def usable(self) -> int:
        """Bytes that models may take together: the cards' where they hold more, else the machine's, less a share."""
        return max(int(self.vram * (1 - LEFT_TO_SCREEN)), int(self.ram * (1 - LEFT_TO_OTHERS)))

    @property
    def on_cards(self) -> int:
        """Bytes of models that run at the speed of the graphics processor."""
        return self.usable if self.shared else int(self.vram * (1 - LEFT_TO_SCREEN))


def look(root: Path) -> Machine:
    """Look at this machine; what is unknown is 0. No program of the repository at `root` is asked."""
    cards = _nvidia(root)
    ram, free = _memory(root)
    apple = sys.platform == "darwin" and os.uname().machine == "arm64"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0
    return Machine(ram, free, sum(size for _, size in cards), apple, tuple(name for name, _ in cards), cores)


def _memory(root: Path) -> tuple[int, int]:
    if sys.platform == "darwin":
        size = _output(root, "sysctl", "-n", "hw.memsize").strip()
        return (int(size) if size.isdigit() else _from_sysconf()), 0
    return meminfo(MEMINFO) or (_from_sysconf(), 0)


def meminfo(path: Path) -> tuple[int, int] | None:
    """Total and available bytes, from a file of Linux; None where there is none."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        return None
    found = {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    return (found["MemTotal"], found.get("MemAvailable", 0)) if "MemTotal" in found else None


def _from_sysconf() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _nvidia(root: Path) -> list[tuple[str, int]]:
    """Name and bytes of each card of Nvidia's, from its own tool."""
    output = _output(root, "nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
    rows = (line.rpartition(",") for line in output.splitlines())
    return [(name.strip(), int(size) * MIB) for name, _, size in rows if name and size.strip().isdigit()]


def _output(root: Path, *command: str) -> str:
    env = programs.environment(os.environ)
    program = programs.find(command[0], root, env)
    if program is None:
        return ""
    words = [program, *command[1:]]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=ASK_SECONDS, check=False, env=env)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout if done.returncode == 0 else ""


@dataclass(frozen=True, slots=True)
class Advice:
    """A local model to consider: the memory it takes, whether it fits into the `usable` bytes, and how it would run."""

    id: str
    estimate: Estimate
    fits: bool
    held: bool
    strength: float
    how: HowRun
    usable: int


def recommend(
    catalogue: Catalogue, machine: Machine, held: Collection[str] = (), profile: str = "code"
) -> tuple[Advice, ...]:
    """Names of Ollama's library, those that fit first, the strongest of them first.

    Of models of the same strength the larger one comes first where it is quick enough here.
    """
    found = [_advice(catalogue, machine, name, name in held, profile) for name in catalogue.pullable]
    return tuple(sorted(found, key=lambda one: _order(one, machine)))


def suggested(catalogue: Catalogue, machine: Machine, seeing: bool = False) -> str:
    """The suggested model where it fits this machine (and sees), else the strongest one that does, or the smallest."""

    def serves(name: str) -> bool:
        return not seeing or catalogue.describe(name, OLLAMA).vision

    first = _advice(catalogue, machine, catalogue.suggested_local, False, "code")
    known = bool(first.estimate.billions)
    some = [one for one in (first, *recommend(catalogue, machine)) if serves(one.id)]
    if serves(first.id) and not known:
        return first.id
    good = next((one for one in some if one.fits and _quick(one.estimate, machine)), None)
    least = min(some, key=lambda one: one.estimate.billions or 1e9, default=first)
    return (good or least).id


def _order(one: Advice, machine: Machine) -> tuple[bool, bool, float, float]:
    slow = not _quick(one.estimate, machine) or one.how == "crowded"
    return not one.fits, slow, -one.strength, one.estimate.billions if slow else -one.estimate.billions


def _advice(catalogue: Catalogue, machine: Machine, name: str, held: bool, profile: str) -> Advice:
    needed = estimate(name, USUAL_WINDOW, catalogue.billions(name, OLLAMA))
    traits = catalogue.traits(catalogue.describe(name, OLLAMA))
    strength = traits.strengths.get(PROFILE_STRENGTH.get(profile, "reasoning"), 0.0)
    fits = 0 < needed.bytes <= machine.usable
    return Advice(name, needed, fits, held, strength, _how(needed, machine, fits), machine.usable)


def _quick(needed: Estimate, machine: Machine) -> bool:
    most = min(SLOW_FROM_BILLIONS, machine.cores * BILLIONS_A_CORE or SLOW_FROM_BILLIONS)
    return needed.bytes <= machine.on_cards or needed.billions <= most


def _how(needed: Estimate, machine: Machine, fits: bool) -> HowRun:
    if not fits:
        return "too-large"
    if machine.on_cards and needed.bytes <= machine.on_cards:
        return "gpu"
    if machine.free and needed.bytes > machine.free:
        return "crowded"
    return "cpu" if _quick(needed, machine) else "slow-cpu"
