"""The stores of a user in one state directory, opened on first use."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.wiring.workspace import Start

if TYPE_CHECKING:
    from optimizer.ledger.store import Ledger
    from optimizer.models.memory_leases import MemoryLeases
    from optimizer.models.state_store import StateStore
    from optimizer.privacy.identity import Identity
    from optimizer.privacy.keys.store import KeyStore, Passphrase
    from optimizer.providers.network import Pools

PASSPHRASE_FILE = "OPTIMIZER_PASSPHRASE_FILE"


class Stores:
    """The stores in one state directory, and the connections, closed with `closing`.

    `notice` gets a line when a damaged store is put aside; no program in the repository at `root` is run.
    """

    def __init__(
        self, root: Path, state: Path, closing: ExitStack, start: Start, notice: Callable[[str], None]
    ) -> None:
        self.root, self.state = root, state
        self._closing = closing
        self._start, self._notice = start, notice

    @cache  # noqa: B019 - one object a process
    def keys(self) -> KeyStore:
        """The stored keys; what is decrypted stays in memory as long as this run."""
        from optimizer.privacy.keys.store import KeyStore

        return KeyStore(self.state, _passphrase(self._start))

    @cache  # noqa: B019 - one object a process
    def ledger(self) -> Ledger:
        from optimizer.ledger.store import open_ledger

        ledger = open_ledger(self.state, self._notice)
        self._closing.callback(ledger.close)
        return ledger

    @cache  # noqa: B019
    def identity(self) -> Identity:
        """What the repository is known by; git is asked at most once."""
        from optimizer.git.identity import identify

        return identify(self.root, self.state)

    @cache  # noqa: B019
    def pools(self) -> Pools:
        """The connections to providers."""
        from optimizer.providers.network import Pools

        pools = Pools()
        self._closing.callback(pools.close)
        return pools

    @cache  # noqa: B019
    def states(self, accounts: tuple[tuple[str, str], ...]) -> StateStore:
        """The states of models at these accounts, by provider."""
        from optimizer.models.state_store import StateStore

        states = StateStore(self.state, dict(accounts).__getitem__, tell=self._notice)
        self._closing.callback(states.close)
        return states

    @cache  # noqa: B019
    def memory(self, memory_gib: float) -> MemoryLeases:
        """Leases of memory: as much as is configured, or (0) as this machine has."""
        memory = open_memory(self.root, self.state, memory_gib, self._notice)
        self._closing.callback(memory.close)
        return memory


def _passphrase(start: Start) -> Passphrase | None:
    """How the passphrase of stored keys is had: from the file that the environment names, else by asking."""
    from optimizer.privacy.keys.store import TRIES, Passphrase, passphrase_in

    if path := start.env.get(PASSPHRASE_FILE, "").strip():
        return Passphrase(passphrase_in(path))
    return Passphrase(start.passphrase, TRIES) if start.passphrase else None


def open_memory(
    root: Path, state: Path, memory_gib: float, notice: Callable[[str], None] = lambda _: None
) -> MemoryLeases:
    """Leases of memory for one run; close them after use. `notice` gets a line when their store was damaged."""
    from optimizer.models import machine
    from optimizer.models.memory import GIB
    from optimizer.models.memory_leases import MemoryLeases

    def look() -> int:
        """With graphics cards, a server keeps several models there only."""
        here = machine.look(root)
        return here.on_cards or here.usable

    return MemoryLeases(state, look, given=round(memory_gib * GIB), tell=notice)
