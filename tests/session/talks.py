"""Conversations of any shape, as hypothesis draws them: requests with reads, calls with results, edits, answers."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import strategies as st

from optimizer.context.budget import count_tokens
from optimizer.session.blocks import Block, Level
from optimizer.session.messages import messages_of

PATHS = ("src/parse.py", "src/walk.py", "tests/test_parse.py")
LEVELS: tuple[Level, ...] = ("whole", "trimmed", "summarised", "removed")


def block(**fields: object) -> Block:
    """A block with its tokens counted."""
    made = Block(**{"id": 1, "turn": 1, "message": 1, "kind": "note", "text": "", "tokens": 0, **fields})  # type: ignore[arg-type]
    return replace(made, tokens=count_tokens(made.text) + count_tokens(made.arguments))


def read(path: str, lines: int, seed: int, start: int = 1) -> str:
    """The text of a read; the same seed gives the same lines, near ones nearly the same."""
    body = [
        f"def part_{number}(value_{number}):"
        if number % 7 == 1
        else f"    return value_{number} + {seed // 3 + number % 5}"
        for number in range(lines)
    ]
    return "\n".join([f"## {path} ({lines} lines in all)", *(f"{start + n}\t{line}" for n, line in enumerate(body))])


def output(lines: int, seed: int) -> str:
    """What a run of tests prints."""
    return "\n".join(f"tests/test_{n}.py::test_{n}_{seed} {'FAILED' if n == seed else 'passed'}" for n in range(lines))


@st.composite
def talks(draw: st.DrawFn) -> tuple[Block, ...]:
    """The blocks of a conversation of one to twelve turns, some pinned, some with summaries."""
    found: list[Block] = []
    message = 0

    def add(**fields: object) -> None:
        found.append(block(id=len(found) + 1, turn=turn, message=message, **fields))

    for turn in range(1, draw(st.integers(1, 12)) + 1):
        message += 1
        for _ in range(draw(st.integers(0, 2))):
            path, seed = draw(st.sampled_from(PATHS)), draw(st.integers(0, 9))
            add(kind="file-read", path=path, text=read(path, draw(st.integers(1, 60)), seed), start=1, end=60)
        if draw(st.booleans()):
            add(kind="note", text=output(draw(st.integers(1, 50)), draw(st.integers(0, 9))), pinned=draw(st.booleans()))
        add(kind="user", text=f"Request: look at part_{turn} in {draw(st.sampled_from(PATHS))} " + "so " * turn)
        for number in range(draw(st.integers(0, 3))):
            message += 1
            if draw(st.booleans()):
                add(kind="assistant", text=f"I look at part_{number}.")
            path, call = draw(st.sampled_from(PATHS)), f"call_{turn}_{number}"
            long = json.dumps({"path": path, "content": "x = 1\n" * draw(st.integers(1, 60))})
            add(kind="tool-use", tool="edit_file", call=call, arguments=long, path=path)
            message += 1
            text = draw(st.sampled_from((output(40, 3), read(path, 40, 2), "done")))
            add(kind="tool-result", tool="edit_file", call=call, text=text)
        message += 1
        add(kind="assistant", text="The change:\n```\n" + "x = 1\n" * draw(st.integers(1, 30)) + "```\nThat is all.")
    if draw(st.booleans()) and len(found) > 6:
        stands_for = tuple(one.id for one in found[:6])
        found.append(
            block(id=len(found) + 1, turn=turn, message=message, kind="summary", text="s", stands_for=stands_for)
        )
    return tuple(found)


@st.composite
def levels_of(draw: st.DrawFn, blocks: tuple[Block, ...]) -> dict[int, Level]:
    """Any levels for blocks."""
    chosen = draw(st.lists(st.sampled_from(LEVELS), min_size=len(blocks), max_size=len(blocks)))
    return {one.id: level for one, level in zip(blocks, chosen, strict=True)}


def assert_can_be_sent(blocks: tuple[Block, ...]) -> None:
    """Roles alternate, no message is empty, and each call has its result in the next message."""
    messages = messages_of(blocks)
    for number, message in enumerate(messages):
        assert message.role == ("user" if number % 2 == (messages[0].role != "user") else "assistant")
        assert message.text or message.calls or message.results
        if message.calls:
            results = messages[number + 1].results
            assert {one.id for one in message.calls} == {one.call.id for one in results}
        if message.results:
            assert {one.call.id for one in message.results} == {one.id for one in messages[number - 1].calls}
