"""The log of a session: written before it is used, read back as it was, safe against kills and second writers."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import Conflict, InputError, StorageError
from optimizer.session.conversation import Conversation, Ended, add, told, turn_body
from optimizer.session.messages import Said, blocks_of, messages_of, said
from optimizer.session.store import FILE, Sessions
from optimizer.types import Message, Part, ToolCall, ToolResult

WRITER = """
import sys
from pathlib import Path
from optimizer.session.store import Sessions
store = Sessions(Path(sys.argv[1]))
session = store.create("r")
print(session, flush=True)
last = 0
while True:
    last = store.append(session, last, "asked", {"text": "x" * 500}).number
    print(last, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path)


def talked(store: Sessions, session: str, *texts: str) -> Conversation:
    now = told(store.load(session))
    for text in texts:
        place = now.place
        asked = add(store, now, "asked", {"text": text})
        blocks = said(place, Said("user", f"Request: {text}"), Said("assistant", f"about {text}"))
        now = add(store, asked, "turn", turn_body(blocks, Ended("r", "local", "m", 5, 0, f"about {text}")))
    return now


def test_what_was_written_is_told_again(store: Sessions, tmp_path: Path) -> None:
    session = store.create("/repo")
    now = talked(store, session, "one", "two")
    store.close()
    again = told(Sessions(tmp_path).load(session))
    assert again == now
    assert [turn.text for turn in again.turns] == ["one", "two"] and again.cost == 10
    assert [one.role for one in messages_of(again.blocks)] == ["user", "assistant"] * 2


def test_a_turn_that_was_never_ended_keeps_its_words(store: Sessions) -> None:
    session = store.create("/repo")
    now = talked(store, session, "one")
    add(store, now, "asked", {"text": "lost"})
    again = talked(store, session, "three")
    assert [turn.ended is None for turn in again.turns] == [False, True, False]
    sent = messages_of(again.blocks)
    assert [one.role for one in sent] == ["user", "assistant", "user", "assistant"]
    assert "lost" in sent[2].text and sent[2].text.endswith("three")


def test_going_back_and_on_gives_new_blocks_new_ids(store: Sessions) -> None:
    session = store.create("/repo")
    now = talked(store, session, "one", "two", "three")
    ids = {block.id for block in now.blocks}
    back = add(store, now, "rewound", {"to": 1})
    assert back.cost == now.cost == 15
    assert [turn.text for turn in back.turns] == ["one"]
    on = talked(store, session, "four")
    assert [turn.text for turn in on.turns] == ["one", "four"]
    assert not ids & {block.id for block in on.blocks if block.turn == 2}


def test_two_writers_do_not_add_to_one_session(store: Sessions, tmp_path: Path) -> None:
    session = store.create("/repo")
    here = talked(store, session, "one")
    there = Sessions(tmp_path)
    talked(there, session, "two")
    with pytest.raises(Conflict):
        add(store, here, "asked", {"text": "three"})
    forked = store.fork(session)
    assert [turn.text for turn in talked(store, forked, "three").turns] == ["one", "two", "three"]
    assert [turn.text for turn in told(store.load(session)).turns] == ["one", "two"]


def test_a_damaged_entry_costs_itself_only(store: Sessions, tmp_path: Path) -> None:
    session = store.create("/repo")
    talked(store, session, "one", "two")
    store.close()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE entries SET body = substr(body, 1, 40) WHERE number = 2")
    again = told(Sessions(tmp_path).load(session))
    assert again.damaged == 1 and [turn.text for turn in again.turns] == ["one", "two"]
    assert [turn.ended is None for turn in again.turns] == [True, False]


@pytest.mark.parametrize("body", ["{}", '{"text": 1, "blocks": [{}], "ended": []}', "[]", "gone"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_after_a_damaged_entry_the_session_goes_on(store: Sessions, tmp_path: Path, number: int, body: str) -> None:
    session = store.create("/repo")
    talked(store, session, "one", "two")
    store.close()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE entries SET body = ? WHERE number = ?", (body, number))
    store = Sessions(tmp_path)
    on = talked(store, session, "three")
    assert on.turns[-1].text == "three" and on == told(store.load(session))
    assert [turn.number for turn in on.turns] == list(range(1, len(on.turns) + 1))
    said_by_models = [block.text for block in on.blocks if block.kind == "assistant"]
    kept = [text for entry, text in ((2, "about one"), (4, "about two")) if entry != number]
    assert said_by_models == [*kept, "about three"]
    assert talked(store, store.fork(session), "four").turns[-1].text == "four"


def test_a_file_of_a_newer_version_is_not_touched(store: Sessions, tmp_path: Path) -> None:
    store.create("/repo")
    store.close()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError):
        Sessions(tmp_path).listing()


def test_a_file_that_is_no_store_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 500)
    notices: list[str] = []
    assert Sessions(tmp_path, notices.append).create("/repo")
    assert notices and list(tmp_path.glob(f"{FILE}.damaged-*"))


def test_sessions_are_found_by_the_beginning_of_their_id(store: Sessions) -> None:
    session = store.create("/repo")
    assert store.load(session[:4]).id == session
    for wrong in ("", "*", "%", "zzzz"):
        with pytest.raises(InputError):
            store.load(wrong)
    for _ in range(40):
        store.create("/repo")
    with pytest.raises(InputError):
        store.load(next(letter for letter in "0123456789abcdef" if _begun(store, letter) > 1))


def _begun(store: Sessions, letter: str) -> int:
    return sum(one.id.startswith(letter) for one in store.listing())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_an_entry_that_was_acknowledged_survives_a_kill(tmp_path: Path, seed: int) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        session = writer.stdout.readline().strip()
        time.sleep(0.02 + seed * 0.013)
        os.kill(writer.pid, signal.SIGKILL)
        said_last = [int(line) for line in writer.stdout.read().split("\n") if line.isdigit()]
    log = Sessions(tmp_path).load(session)
    numbers = [entry.number for entry in log.entries]
    assert log.damaged == 0 and numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) - max(said_last, default=0) in (0, 1)
    told(log)


# ── messages ─────────────────────────────────────────────────────────────────────────────────────

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PLACE = Conversation("s", "r").place
CALLS = st.builds(
    ToolCall,
    st.sampled_from(["read_file", "edit_file"]),
    st.dictionaries(st.sampled_from(["path", "start"]), TEXT, max_size=2),
    id=st.sampled_from(["", "call_a", "call_b"]),
)


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[tuple[Part, ...], tuple[Message, ...]]:
    """A request of parts, then answers, each but the last with calls whose results follow."""
    parts = tuple(Part(draw(st.sampled_from(["note", "file-read", "user"])), draw(TEXT.filter(bool))) for _ in range(2))
    messages = [Message("user", "\n\n".join(part.text for part in parts))]
    for _ in range(draw(st.integers(0, 2))):
        calls = tuple(draw(st.lists(CALLS, min_size=1, max_size=3, unique_by=lambda call: call.id)))
        messages.append(Message("assistant", draw(TEXT), calls))
        results = tuple(ToolResult(call, draw(TEXT), draw(st.booleans())) for call in calls)
        messages.append(Message("user", draw(TEXT), results=results))
    messages.append(Message("assistant", draw(TEXT.filter(bool))))
    return parts, tuple(messages)


@given(exchanges())
@settings(max_examples=150, deadline=None)
def test_blocks_give_the_messages_again(exchange: tuple[tuple[Part, ...], tuple[Message, ...]]) -> None:
    parts, messages = exchange
    again = messages_of(blocks_of(parts, messages, PLACE))
    assert [one.role for one in again] == [one.role for one in messages]
    for before, after in zip(messages, again, strict=True):
        assert before.text == after.text
        assert [call.arguments for call in before.calls] == [dict(call.arguments) for call in after.calls]
        assert [(one.text, one.failed) for one in before.results] == [(one.text, one.failed) for one in after.results]
    ids = [call.id for one in again for call in one.calls]
    assert all(ids) and ids == [result.call.id for one in again for result in one.results]


def test_calls_of_a_last_answer_get_their_results() -> None:
    call = ToolCall("edit_file", {"path": "a.py"})
    blocks = blocks_of((Part("user", "x"),), (Message("user", "x"), Message("assistant", "done", (call,))), PLACE)
    sent = messages_of(blocks)
    assert [one.role for one in sent] == ["user", "assistant", "user"]
    assert sent[2].results[0].call.id == sent[1].calls[0].id != ""


def test_a_call_that_could_not_be_read_is_not_sent_back() -> None:
    bad = ToolCall("edit_file", {}, malformed="{")
    blocks = blocks_of((Part("user", "x"),), (Message("user", "x"), Message("assistant", "", (bad,))), PLACE)
    assert [block.kind for block in blocks] == ["user", "assistant"]
