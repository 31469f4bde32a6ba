"""A vendor with a cache on loopback, asked through the real SDK: it counts what requests share, to the byte."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from optimizer.context.budget import count_tokens
from optimizer.session.blocks import Block
from optimizer.session.messages import messages_of
from optimizer.types import Completion, Prompt, ToolSpec
from tests.loopback.clients import a_model, connect
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback, Received

RULES = "Answer with an edit. " * 1_000
TOOLS = tuple(
    ToolSpec(name, "A tool.", {"type": "object", "properties": {"path": {"type": "string"}}})
    for name in ("read_file", "search_code", "run_tests", "edit_file")
)


class OnLoopback:
    """The vendor: `cached` gives the tokens read from the cache and written to it for the parts of a request."""

    def __init__(self, state: Path, cached: Callable[[list[tuple[str, int]], float], tuple[int, int]]) -> None:
        self.cached, self.now = cached, 0.0
        self.server = Loopback()
        self.provider = connect(self.server, "anthropic", state)
        self.server.answer("anthropic", self._answer)

    def __enter__(self) -> OnLoopback:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.provider.close()
        self.server.close()

    def call(self, blocks: Sequence[Block], now: float) -> tuple[int, int]:
        """Tokens read from the cache, and written to it, as the adapter reports them."""
        self.now = now
        prompt = Prompt(RULES, messages_of(blocks), TOOLS, 1_000, sum(one.tokens for one in blocks), lasting=True)
        for item in self.provider.stream(a_model("anthropic", window=1_000_000), prompt):
            if isinstance(item, Completion):
                return item.usage.cache_read, item.usage.cache_write_5m + item.usage.input
        raise SystemExit("the vendor on loopback gave no answer")

    def _answer(self, received: Received) -> Reply:
        parts = [(text, count_tokens(text)) for text in payload(received.body)]
        read, written = self.cached(parts, self.now)
        self.server.requests.clear()
        return Reply(text="Done.", tokens=Tokens(read + written, 30, read, written))


def payload(body: dict[str, Any]) -> list[str]:
    """What a vendor reads of a request, in its order: tools, rules, then the blocks of each message."""
    parts = [json.dumps(body.get("tools", [])), json.dumps([_bare(one) for one in body.get("system", [])])]
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        parts += [f"{message['role']} {json.dumps(_bare(one))}" for one in blocks]
    return parts


def _bare(block: dict[str, Any]) -> dict[str, Any]:
    """A block without the mark that asks to cache it."""
    return {key: value for key, value in block.items() if key != "cache_control"}
