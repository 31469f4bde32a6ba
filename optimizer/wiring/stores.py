"""The stores and connections of a process: each is opened once, when first wanted, whatever is asked of which model."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.ledger.store import Ledger
    from optimizer.models.register import Register
    from optimizer.models.seats import Seats
    from optimizer.providers.pools import Pools


class Stores:
    """The stores in one state directory, and the connections, closed with `closing`."""

    def __init__(self, state: Path, closing: ExitStack) -> None:
        self.state = state
        self._closing = closing

    @cache  # noqa: B019 - one object a process
    def ledger(self) -> Ledger:
        from optimizer.ledger.store import open_ledger

        ledger = open_ledger(self.state)
        self._closing.callback(ledger.close)
        return ledger

    @cache  # noqa: B019
    def pools(self) -> Pools:
        """The connections to providers."""
        from optimizer.providers.pools import Pools

        pools = Pools()
        self._closing.callback(pools.close)
        return pools

    @cache  # noqa: B019
    def register(self, accounts: tuple[tuple[str, str], ...]) -> Register:
        """The standing of models at these accounts, by provider."""
        from optimizer.models.register import Register

        register = Register(self.state, dict(accounts).__getitem__)
        self._closing.callback(register.close)
        return register

    @cache  # noqa: B019
    def seats(self, memory_gib: float) -> Seats:
        """The room in memory, as given or (0) as this machine has it."""
        seats = open_seats(self.state, memory_gib)
        self._closing.callback(seats.close)
        return seats


def open_seats(state: Path, memory_gib: float) -> Seats:
    """A place of its own in the room in memory; close it after use."""
    from optimizer.models import machine
    from optimizer.models.memory import GIB
    from optimizer.models.seats import Seats

    def look() -> int:
        """Where there are cards, a server keeps several models on these only."""
        here = machine.look()
        return here.on_cards or here.room

    return Seats(state, look, given=round(memory_gib * GIB))
