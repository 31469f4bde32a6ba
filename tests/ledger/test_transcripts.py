"""Transcripts: kept whole and private, masked, and within their bounds."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from optimizer.errors import Overloaded
from optimizer.images import Image
from optimizer.ledger import transcripts
from optimizer.ledger.transcripts import Call, TranscriptBounds, Turn
from optimizer.types import Completion, Message, Prompt, ToolCall, ToolResult, Usage, UsageRecord

WIDE = TranscriptBounds(1_000_000, 30)
SECRET = "AKIA" + "Q7PLNZ2VXW4RTGHB"


def call(request: str = "abc123", text: str = "hello", answer: str = "hi") -> Call:
    return Call(
        request=request,
        at="2026-11-29T10:00:00.000+00:00",
        provider="groq",
        model="m",
        task="edit",
        outcome="answered",
        seconds=0.5,
        sent=(Turn("system", "Be brief."), Turn("user", text)),
        received=(Turn("assistant", answer),),
    )


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    transcripts.add(tmp_path, call(), WIDE)
    transcripts.add(tmp_path, call(text="näher\n…"), WIDE)
    assert transcripts.read(tmp_path, "abc123") == (call(), call(text="näher\n…"))
    assert transcripts.read(tmp_path, "other") == ()


def test_a_half_written_line_costs_no_later_call(tmp_path: Path) -> None:
    transcripts.add(tmp_path, call(), WIDE)
    path = tmp_path / "transcripts/abc123.jsonl"
    path.write_bytes(path.read_bytes() + b'{"request": "abc')
    transcripts.add(tmp_path, call(text="later"), WIDE)
    assert transcripts.read(tmp_path, "abc123") == (call(), call(text="later"))


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    transcripts.add(state, call(), WIDE)
    folder = state / "transcripts"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_no_secret_is_kept(tmp_path: Path) -> None:
    line = f'aws_access_key_id = "{SECRET}"'
    transcripts.add(tmp_path, call(text=line, answer=line), WIDE)
    assert SECRET not in (tmp_path / "transcripts/abc123.jsonl").read_text()
    assert "aws_access_key_id" in transcripts.read(tmp_path, "abc123")[0].sent[1].text


def test_the_oldest_make_room(tmp_path: Path) -> None:
    for number, request in enumerate(("a", "b", "c")):
        transcripts.add(tmp_path, call(request, "x" * 1000), WIDE)
        os.utime(tmp_path / f"transcripts/{request}.jsonl", (2_000_000_000 + number,) * 2)
    transcripts.add(tmp_path, call("d", "x" * 1000), TranscriptBounds(3000, 30))
    assert [request for request in "abcd" if transcripts.read(tmp_path, request)] == ["c", "d"]


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    transcripts.add(tmp_path, call("a"), WIDE)
    os.utime(tmp_path / "transcripts/a.jsonl", (1, 1))
    transcripts.add(tmp_path, call("b"), WIDE)
    assert not transcripts.read(tmp_path, "a")
    assert transcripts.read(tmp_path, "b")


def test_one_request_does_not_outgrow_the_bound(tmp_path: Path) -> None:
    for _ in range(5):
        transcripts.add(tmp_path, call(text="x" * 1000), TranscriptBounds(3000, 30))
    assert len(transcripts.read(tmp_path, "abc123")) == 2


def test_a_half_written_line_is_passed_over(tmp_path: Path) -> None:
    transcripts.add(tmp_path, call(), WIDE)
    with (tmp_path / "transcripts/abc123.jsonl").open("ab") as file:
        file.write(b'{"request": "abc123", "sent": [')
    assert transcripts.read(tmp_path, "abc123") == (call(),)


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "x.jsonl").write_text("{}")
    assert transcripts.read(tmp_path, "../x") == ()


READ = ToolCall("read_file", {"path": "a.py"})
PROMPT = Prompt(
    "Be brief.",
    (
        Message("user", "why", images=(Image("image/png", b"12345", 1, 1, "shot.png"),)),
        Message("assistant", "", calls=(READ,)),
        Message("user", "", results=(ToolResult(READ, "line 1"),)),
    ),
    (),
    max_output=10,
    tokens=10,
)
RECORD = UsageRecord(
    request="abc123",
    at="2026-11-29T10:00:00.000+00:00",
    tier="free",
    label="M",
    provider="groq",
    model_asked="m",
    model_served="m-1",
    usage=Usage(),
    seconds=0.5,
    outcome="answered",
    cost=0,
    task="edit",
    repository="/r",
)


def test_calls_results_and_images_become_turns() -> None:
    kept = transcripts.call_of(RECORD, PROMPT, Completion("done", (READ,), Usage(), "end", "m", 0.1))
    assert (kept.request, kept.model, kept.outcome, kept.error) == ("abc123", "m", "answered", "")
    assert kept.sent == (
        Turn("system", "Be brief."),
        Turn("user", "why"),
        Turn("image", "shot.png, 5 bytes"),
        Turn("call", 'read_file {"path": "a.py"}'),
        Turn("result", "read_file: line 1"),
    )
    assert kept.received == (Turn("assistant", "done"), Turn("call", 'read_file {"path": "a.py"}'))


def test_an_error_and_a_cancelled_call_are_kept_too() -> None:
    failed = transcripts.call_of(RECORD, PROMPT, Overloaded("groq is overloaded"))
    assert (failed.received, failed.error) == ((), "groq is overloaded")
    cancelled = transcripts.call_of(RECORD, PROMPT, "half an ans")
    assert (cancelled.received, cancelled.error) == ((Turn("assistant", "half an ans"),), "")
