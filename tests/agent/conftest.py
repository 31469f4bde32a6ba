"""A conversation with a model on loopback about a small repository, through a real provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from optimizer.agent import loop
from optimizer.agent.prompts import ANSWER_NOW, looked_at, offered
from optimizer.agent.serve import Overlay, Toolbox, View
from optimizer.context.budget import count_tokens
from optimizer.edits.paths import reader
from optimizer.errors import ProviderError, Stopped
from optimizer.events import Event, Flow, Notice, Question, Stepped, TextDelta, Unseen
from optimizer.index.reader import Index
from optimizer.providers.base import Called, Provider
from optimizer.types import Completion, Message, Patch, Prompt
from tests.conftest import IndexRepo
from tests.loopback.clients import a_model, connect
from tests.loopback.replies import Call, Reply, Wire
from tests.loopback.server import Loopback, Received

FILES = {
    "shop/__init__.py": "",
    "shop/cart.py": "def total(prices):\n    return sum(prices)\n\n\ndef count(prices):\n    return len(prices)\n",
    "shop/till.py": "from shop.cart import total\n\n\ndef charge(prices):\n    return total(prices)\n",
    "shop/.env": "TOKEN=1\n",
    "deploy/id_rsa": "not for you\n",
    "README.md": "# shop\n",
    ".gitignore": "build/\n",
    "build/made.py": "MADE = 1\n",
}
LIMITS = loop.Bounds(steps=4, tokens=60_000, cost=0, seconds=60.0)
EDIT = Call("edit_file", {"path": "shop/cart.py", "start": 2, "end": 2, "content": "    return sum(prices, 0)\n"})
DONE = Reply("Done.", calls=(EDIT,), stop="tool")


def look(tool: str, /, **arguments: object) -> Reply:
    """A reply that asks for one tool."""
    return Reply("", calls=(Call(tool, arguments),), stop="tool")


def closing(looked: str) -> Prompt:
    """The prompt for the last answer to a question."""
    text = f"What does total do?\n{looked_at(looked)}\n{ANSWER_NOW}"
    return Prompt("Be brief.", (Message("user", text),), (), 500, 800 + count_tokens(looked))


@dataclass
class Talked:
    """How a conversation went."""

    ended: loop.AgentResult
    events: list[Event]
    requests: list[Received]
    refused: int

    @property
    def steps(self) -> list[Stepped]:
        return [event for event in self.events if isinstance(event, Stepped)]

    @property
    def failure(self) -> str:
        """Why there is no answer, '' where there is one."""
        return self.ended.failure.message if self.ended.failure else ""

    @property
    def stopped(self) -> str:
        """The bound that ended it, '' for none."""
        return self.ended.failure.bound if isinstance(self.ended.failure, Stopped) else ""

    @property
    def streamed(self) -> str:
        """All text that streamed."""
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def notices(self) -> list[str]:
        """The kinds of its notices."""
        return [event.kind for event in self.events if isinstance(event, Notice)]

    def after(self, path: str) -> str:
        """The text of a file after the patch."""
        assert self.ended.patch is not None
        (change,) = (change for change in self.ended.patch.changes if change.path == path)
        return (change.after or b"").decode()


@dataclass
class Workshop:
    """A repository, its index and a server to talk to."""

    index: Index
    loopback: Loopback
    state: Path
    wire: Wire = "groq"
    limits: loop.Bounds = LIMITS
    run_tests: Callable[[Patch, tuple[str, ...]], str] | None = None
    tools: bool = True
    looks: bool = True
    window: int = 128_000
    costs: list[int | None] = field(default_factory=list)

    def talk(self, *replies: Reply, wants_edits: bool = True) -> Talked:
        """Queue the replies and converse until the end."""
        self.loopback.queue(self.wire, *replies)
        overlay = Overlay(reader(self.index.root.path, self.index.sees))
        tools = offered(wants_edits, look=self.looks, tests=self.run_tests is not None)
        toolbox = Toolbox(View(self.index, overlay, 800), overlay, tools, self.run_tests)
        provider = connect(self.loopback, self.wire, self.state)
        model = a_model(self.wire)._replace(tools=self.tools, window=self.window)
        prompt = Prompt("Be brief.", (Message("user", "Change total."),), tools if self.tools else (), 500, 800)
        refused: list[int] = []
        asking = loop.Asking(model, lambda prompt: self._ask(provider, prompt), lambda: refused.append(1))
        if not wants_edits:
            asking = replace(asking, closing=closing)
        conversation = loop.converse(prompt, toolbox, asking, self.limits)
        events: list[Event] = []
        try:
            while True:
                step = next(conversation)
                assert not isinstance(step, Question)
                events.append(step)
        except StopIteration as stop:
            return Talked(stop.value, events, self.loopback.asked(self.wire), len(refused))
        finally:
            provider.close()

    def _ask(self, provider: Provider, prompt: Prompt) -> Flow[Called]:
        cost = self.costs.pop(0) if self.costs else 0
        try:
            for piece in provider.stream(a_model(self.wire)._replace(tools=self.tools), prompt):
                if isinstance(piece, Completion):
                    return Called(piece, cost)
                yield piece if isinstance(piece, Unseen) else TextDelta(piece)
        except ProviderError as error:
            return Called(error, cost)
        raise AssertionError("a stream without an end")


@pytest.fixture
def workshop(index_repo: IndexRepo, loopback: Loopback, tmp_path: Path) -> Workshop:
    """The small shop, and a model on Groq's wire."""
    return Workshop(index_repo(FILES), loopback, tmp_path / "state")
