"""The prompts and answers of a request, kept privately and shown by `optimize log --transcript`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import FAILS, GOOD, REQUEST, Optimize
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

SECRET = "AKIA" + "Q7PLNZ2VXW4RTGHB"
FOLDER = ".local/state/optimizer/transcripts"


@pytest.mark.slow
def test_the_transcript_of_a_change_shows_each_call(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text="Use strip.\n" + FAILS.replace("not part.strip()", "strip(part)")))
    loopback.queue("groq", Reply(text=f'Done. aws_access_key_id = "{SECRET}"', calls=(GOOD,)))
    assert user(REQUEST, "--yes").code == 0
    shown = user("log", "--transcript", "1")
    assert (shown.code, shown.err) == (0, "")
    assert "1. qwen2.5-coder:7b (ollama), refactor: " in shown.out
    assert "def parse_response(text):" in shown.out
    assert "Use strip." in shown.out
    assert 'edit_file {"path": "calc/parse.py"' in shown.out
    assert SECRET not in shown.out
    calls = user("log", "--transcript", "1", "--json").events
    assert [call["provider"] for call in calls] == ["ollama", "groq"]
    assert {turn["role"] for turn in calls[1]["sent"]} == {"system", "user"}
    assert "uses strip" in calls[1]["sent"][-1]["text"], "the next model is shown what failed"
    (kept,) = (user.home / FOLDER).iterdir()
    assert SECRET not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_an_answer_is_found_by_the_id_of_its_request(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text="It adds (calc/parse.py:10)."))
    request = user("explain total", "--json").event("usage")["request"]
    assert "It adds (calc/parse.py:10)." in user("log", "--transcript", request).out


@pytest.mark.slow
def test_a_provider_that_fails_is_part_of_it(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", *[Reply(status=500, body=b'{"error": "broken"}')] * 3)
    loopback.queue("groq", Reply(calls=(GOOD,)))
    assert user(REQUEST, "--yes").code == 0
    first = user("log", "--transcript", "1", "--json").events[0]
    assert (first["provider"], first["outcome"], first["received"]) == ("ollama", "provider-error", [])
    assert first["error"]


@pytest.mark.slow
def test_it_can_be_switched_off(user: Optimize, loopback: Loopback, calc: Path) -> None:
    user.configure(f"{user.config.read_text()}[transcripts]\nkeep = false\n")
    loopback.queue("ollama", Reply(calls=(GOOD,)))
    assert user(REQUEST, "--yes").code == 0
    assert not (user.home / FOLDER).exists()
    ran = user("log", "--transcript", "1")
    assert ran.code == 2
    assert "transcripts.keep" in ran.err
    (calc / ".optimizer.toml").write_text("[transcripts]\nkeep = true\n")
    assert "transcripts.keep" in user("log").err, "a project does not decide that prompts are kept"
