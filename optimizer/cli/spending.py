"""The call of a model that is under way, and what all calls of a request took."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from optimizer.events import Calling, Event, Stepped, TextDelta, Unseen
from optimizer.report import status

if TYPE_CHECKING:
    from optimizer.types import UsageRecord

LETTERS = 4  # of a token, about


@dataclass
class Call:
    """The call of a model that is under way, and what came of it."""

    model: str = ""
    loads: bool = False
    step: int = 0
    letters: int = 0
    first: float = 0.0
    last: float = 0.0

    def follows(self, event: Event) -> bool:
        """Take in what an event says of calls; whether another one begins."""
        match event:
            case Calling(model, loads):
                self.model, self.loads, self.letters, self.first = model, loads, 0, 0.0
                return True
            case TextDelta(text):
                self._came(len(text))
            case Unseen(characters):
                self._came(characters)
            case Stepped(step):
                self.step = step
        return False

    def words(self, seconds: float) -> str:
        """It in a line, so many seconds after it began."""
        if not self.letters:
            return status.calling(self.model, seconds, self.loads, self.step)
        writing = monotonic() - self.first
        return status.receiving(self.model, seconds, self.letters // LETTERS, writing, self.step)

    def _came(self, letters: int) -> None:
        self.last = monotonic()
        self.first = self.first or self.last
        self.letters += letters


class Bill:
    """What the calls of a request took, and what is left of the day's cap."""

    def __init__(self) -> None:
        self.begun, self.tokens = monotonic(), (0, 0)
        self.model = ""
        self.cost: int | None = 0
        self.left: int | None = None

    def add(self, record: UsageRecord, left: int | None) -> None:
        """Add a call; one that consumed nothing is none."""
        usage = record.usage
        if not (usage.prompt or usage.output or record.cost):
            return
        self.model, self.left = record.model_asked, left
        self.tokens = (self.tokens[0] + usage.prompt, self.tokens[1] + usage.output)
        self.cost = None if self.cost is None or record.cost is None else self.cost + record.cost

    def take(self) -> str:
        """It in a line, once; '' where nothing was called since."""
        model, self.model = self.model, ""
        return status.spent(model, monotonic() - self.begun, self.tokens, self.cost, self.left) if model else ""
