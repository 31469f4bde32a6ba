"""Streams that break off, fail, stall or are no answer at all: never a success, always booked, soon over."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from optimizer.errors import BadAnswer, NoRoom, Overloaded, PromptTooLong, RateLimited, TimedOut, Unreachable
from optimizer.providers import base, endpoints
from optimizer.providers.door import ExchangeLimits, Gate
from optimizer.types import Completion, Usage
from tests.loopback.clients import QUICK, a_model, a_prompt, connect, hear
from tests.loopback.replies import WIRES, Call, Reply, Wire, page
from tests.loopback.server import Loopback
from tests.loopback.wires import events

every_wire = pytest.mark.parametrize("wire", WIRES)
WHOLE = Reply("All of the text.", calls=(Call("edit_file", {"path": "a.py"}),), stop="tool")


def _cut(at: int, how: str) -> Reply:
    return Reply(WHOLE.text, calls=WHOLE.calls, stop="tool", cut_at=at, cut=how)  # type: ignore[arg-type]


@every_wire
@pytest.mark.parametrize("how", ["end", "eof", "rst"])
def test_a_stream_cut_at_any_event_is_no_success(loopback: Loopback, tmp_path: Path, wire: Wire, how: str) -> None:
    provider = connect(loopback, wire, tmp_path)
    for at in range(len(events(wire, WHOLE, "stub-1"))):
        heard = hear(loopback, wire, provider, _cut(at, how))
        assert heard.completion is None, f"cut before event {at}"
        assert isinstance(heard.error, BadAnswer if how == "end" else Unreachable), f"cut before event {at}"
        usage = heard.error.usage
        assert usage is not None and usage.prompt in (1000, 1200), f"cut before event {at}"
    assert hear(loopback, wire, provider, WHOLE).completion is not None


@every_wire
def test_an_error_amid_the_stream_is_no_success(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path)
    whole = len(events(wire, WHOLE, "stub-1"))
    for at in range(1, whole if wire == "ollama" else whole - 1):
        heard = hear(loopback, wire, provider, Reply(WHOLE.text, calls=WHOLE.calls, stop="tool", error_at=at))
        assert heard.completion is None, f"error as event {at}"
        assert isinstance(heard.error, Overloaded), f"error as event {at}"
        assert heard.error.usage is not None


@pytest.mark.parametrize(
    ("wire", "error", "kind"),
    [
        ("anthropic", {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}, RateLimited),
        ("anthropic", {"type": "error", "error": {"type": "api_error", "message": "Internal"}}, Overloaded),
        ("groq", {"error": {"message": "Failed to call a function", "code": "tool_use_failed"}}, BadAnswer),
        ("openai", {"error": {"message": "exceeds the context length", "code": 400}}, PromptTooLong),
        ("gemini", {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}, RateLimited),
        ("ollama", {"error": "an error was encountered while running the model: CUDA out of memory"}, NoRoom),
    ],
)
def test_an_error_amid_the_stream_is_told_apart(
    loopback: Loopback, tmp_path: Path, wire: Wire, error: dict[str, object], kind: type[Exception]
) -> None:
    heard = hear(loopback, wire, connect(loopback, wire, tmp_path), Reply("some text", error_at=2, error=error))
    assert type(heard.error) is kind


@pytest.mark.slow
@every_wire
def test_silence_ends_at_its_deadline(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    limits = ExchangeLimits(connect=1, first=0.25, load=0.25, stall=0.1, answer=2)
    provider = connect(loopback, wire, tmp_path, limits=limits)
    first = hear(loopback, wire, provider, Reply("text", stall_at=-1, stall=5))
    stalled = hear(loopback, wire, provider, Reply("text", stall_at=2, stall=5))
    waited = "network.load_seconds" if wire in ("ollama", "openai") else "network.first_token_seconds"
    assert isinstance(first.error, TimedOut) and waited in first.error.hint
    assert isinstance(stalled.error, TimedOut) and "network.stall_seconds" in stalled.error.hint
    for heard in (first, stalled):
        assert heard.error is not None and heard.error.usage is not None and heard.error.usage.estimated


@pytest.mark.slow
@every_wire
def test_a_slow_drip_ends_at_the_deadline_for_the_whole(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path, limits=ExchangeLimits(stall=1, answer=0.2))
    heard = hear(loopback, wire, provider, Reply("text", chunk=1, pause=0.01))
    assert isinstance(heard.error, TimedOut) and "network.answer_seconds" in heard.error.hint


def test_the_first_byte_may_take_longer_than_the_ones_between(loopback: Loopback, tmp_path: Path) -> None:
    provider = connect(loopback, "openai", tmp_path, limits=ExchangeLimits(first=2, stall=0.1, answer=1))
    assert hear(loopback, "openai", provider, Reply("text", stall_at=-1, stall=0.3)).completion is not None
    assert hear(loopback, "openai", provider, Reply("text", stall_at=0, stall=0.3)).completion is not None


def test_loading_a_model_has_a_time_of_its_own(loopback: Loopback, tmp_path: Path) -> None:
    slow = Reply("text", stall_at=-1, stall=0.3)
    patient = connect(loopback, "ollama", tmp_path, limits=ExchangeLimits(first=0.1, stall=0.1, answer=0.2, load=2))
    assert hear(loopback, "ollama", patient, slow).completion is not None
    hasty = connect(loopback, "ollama", tmp_path, limits=ExchangeLimits(first=5, load=0.1))
    error = hear(loopback, "ollama", hasty, slow).error
    assert isinstance(error, TimedOut) and "network.load_seconds" in error.hint


def test_nobody_listening(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = endpoints.endpoint("ollama", f"http://127.0.0.1:{closed.getsockname()[1]}")
        provider = base.open_provider(endpoint, Gate("/repo", tmp_path, QUICK))
        with pytest.raises(Unreachable) as caught:
            list(provider.stream(a_model("ollama"), a_prompt()))
        assert caught.value.hint.endswith("ollama serve")
        assert caught.value.usage is None


def test_a_host_that_takes_no_connections(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        waiting = [socket.socket() for _ in range(3)]  # fills the queue, so that nobody else gets in
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        endpoint = endpoints.endpoint("openai", f"http://127.0.0.1:{address[1]}")
        provider = base.open_provider(endpoint, Gate("/repo", tmp_path, ExchangeLimits(connect=0.2, first=0.2)))
        with pytest.raises(TimedOut):
            list(provider.stream(a_model("openai"), a_prompt()))
        for one in waiting:
            one.close()


@pytest.mark.slow
@every_wire
def test_web_pages_redirects_bombs_and_junk_are_no_answers(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path, limits=ExchangeLimits(answer_bytes=1_000_000, answer=5))
    elsewhere = Reply(status=307, headers={"location": f"{loopback.url}/stolen"}, body=b"")
    junk = Reply(body=b"\x00\xff\xfe not an answer\n\n", headers={"content-type": "application/json"})
    misshapen = Reply(body=b"data: [1, 2]\n\n" if wire != "ollama" else b"[1, 2]\n")
    packed = Reply(body=b"not gzip", headers={"Content-Encoding": "gzip", "content-type": "text/event-stream"})
    other = Reply(body=b"?", headers={"content-encoding": "br"})
    for reply in (page(), elsewhere, Reply(bomb=50_000_000), junk, misshapen, packed, other, Reply("x" * 1_500_000)):
        heard = hear(loopback, wire, provider, reply)
        assert heard.completion is None
        assert isinstance(heard.error, BadAnswer), (reply, heard.error)
    assert not [one for one in loopback.requests if "stolen" in one.path]


@every_wire
def test_closing_the_iterator_hangs_up(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path, limits=ExchangeLimits(stall=5, answer=10))
    loopback.queue(wire, Reply("x" * 2000, pieces=2000, pause=0.002), Reply("next"))
    answer = provider.stream(a_model(wire), a_prompt())
    assert isinstance(next(answer), str)
    answer.close()  # type: ignore[attr-defined]
    assert loopback.hung_up.wait(2)
    assert isinstance(list(provider.stream(a_model(wire), a_prompt()))[-1], Completion)


def test_a_broken_answer_is_booked_with_what_was_known(loopback: Loopback, tmp_path: Path) -> None:
    provider = connect(loopback, "anthropic", tmp_path)
    last = len(events("anthropic", Reply("x" * 40), "stub-1")) - 1
    heard = hear(loopback, "anthropic", provider, Reply("x" * 40, cut_at=last, cut="rst"))
    assert heard.error is not None
    assert heard.error.usage == Usage(input=1200, output=30)
    heard = hear(loopback, "anthropic", provider, Reply("x" * 40, cut_at=last - 1, cut="rst"))
    assert heard.error is not None
    assert heard.error.usage == Usage(input=1200, output=10, estimated=True)
