"""Pictures on each wire, through the vendors' own SDKs: the server gets the very bytes, before the text."""

from __future__ import annotations

import base64
import hashlib
import random
from pathlib import Path
from typing import Any

import pytest

from optimizer import images
from optimizer.errors import PromptTooLong, TimedOut
from optimizer.privacy import egress
from optimizer.providers import chat
from optimizer.types import Message, Prompt
from optimizer.vendors import VENDORS, ChatSdk
from tests.images import pictures
from tests.loopback.clients import a_model, a_prompt, connect, hear
from tests.loopback.replies import WIRES, Reply, Tokens, Wire
from tests.loopback.server import Loopback

NOISE = random.Random(7).randbytes(3000)  # every letter of base64, the two that differ between its alphabets too
SHOTS = (
    images.read(pictures.png(40, 30) + NOISE, "shot.png"),
    images.read(pictures.jpeg(64, 48) + NOISE[::-1], "photo.jpg"),
)


def looking(text: str = "What is wrong?", tokens: int = 4000) -> Prompt:
    """A prompt with two pictures."""
    return a_prompt(tokens=tokens)._replace(messages=(Message("user", text, images=SHOTS),))


@pytest.mark.parametrize("wire", WIRES)
def test_the_log_tells_what_pictures_went_out(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    sent(loopback, wire, tmp_path)
    (entry,) = egress.entries(tmp_path)
    assert entry.images == tuple(hashlib.sha256(shot.data).hexdigest() for shot in SHOTS)
    assert entry.image_bytes == sum(len(shot.data) for shot in SHOTS) < entry.bytes
    assert entry.sha256 == hashlib.sha256(loopback.asked(wire)[0].raw).hexdigest()


def sent(loopback: Loopback, wire: Wire, state: Path) -> Any:
    """The body that the server got; the answer must have come."""
    heard = hear(
        loopback, wire, connect(loopback, wire, state), Reply("The border.", tokens=Tokens(2000, 4)), looking()
    )
    assert heard.completion is not None and heard.completion.text == "The border.", heard.error
    return loopback.asked(wire)[0].body


def test_anthropic(loopback: Loopback, tmp_path: Path) -> None:
    (message,) = sent(loopback, "anthropic", tmp_path)["messages"]
    first, second, text = message["content"]
    assert (first["type"], first["source"]["type"], first["source"]["media_type"]) == ("image", "base64", "image/png")
    assert second["source"]["media_type"] == "image/jpeg"
    assert [base64.b64decode(one["source"]["data"], validate=True) for one in (first, second)] == [
        shot.data for shot in SHOTS
    ]
    assert text == {"type": "text", "text": "What is wrong?"}


def test_gemini(loopback: Loopback, tmp_path: Path) -> None:
    (content,) = sent(loopback, "gemini", tmp_path)["contents"]
    first, second, text = content["parts"]
    for part, shot in zip((first, second), SHOTS, strict=True):
        inline = part["inlineData"]
        assert shot.media_type in (inline.get("mimeType"), inline.get("mime_type"))  # the API reads either spelling
        assert base64.urlsafe_b64decode(inline["data"]) == shot.data
    assert text == {"text": "What is wrong?"}


@pytest.mark.parametrize("wire", ["groq", "openai"])
def test_chat(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    system, message = sent(loopback, wire, tmp_path)["messages"]
    assert system["content"] == "Be brief."
    first, second, text = message["content"]
    for part, shot in zip((first, second), SHOTS, strict=True):
        assert part["type"] == "image_url" and part["image_url"].keys() == {"url"}
        head, _, data = part["image_url"]["url"].partition(",")
        assert head == f"data:{shot.media_type};base64"
        assert base64.b64decode(data, validate=True) == shot.data
    assert text == {"type": "text", "text": "What is wrong?"}


def test_openai_itself_is_told_how_closely_to_look() -> None:
    _, message = chat.request(a_model("openai"), looking(), VENDORS["openai"].sdk or ChatSdk("", "", "", "httpx"))[
        "messages"
    ]
    assert [part.get("image_url", {}).get("detail") for part in message["content"]] == ["high", "high", None]


def test_ollama(loopback: Loopback, tmp_path: Path) -> None:
    _, message = sent(loopback, "ollama", tmp_path)["messages"]
    assert [base64.b64decode(one, validate=True) for one in message["images"]] == [shot.data for shot in SHOTS]
    assert message["content"] == "What is wrong?"


@pytest.mark.parametrize("wire", WIRES)
def test_later_turns_hold_the_pictures_still(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    first = looking()
    later = (*first.messages, Message("assistant", "The border."), Message("user", "And the rest?"))
    provider = connect(loopback, wire, tmp_path)
    reply = Reply("Fine.", tokens=Tokens(2000, 4))
    assert hear(loopback, wire, provider, reply, first._replace(messages=later)).completion is not None
    marks = (base64.b64encode(shot.data[:300]).decode() for shot in SHOTS)
    text = loopback.asked(wire)[0].text.replace("-", "+").replace("_", "/")
    assert all(text.count(mark) == 1 for mark in marks)


def test_a_picture_that_ollama_counts_as_one_token_is_no_cut_prompt(loopback: Loopback, tmp_path: Path) -> None:
    most = sum(map(images.tokens, SHOTS))
    provider = connect(loopback, "ollama", tmp_path)
    fine = hear(loopback, "ollama", provider, Reply("ok", tokens=Tokens(1002, 4)), looking(tokens=1000 + most))
    assert fine.completion is not None
    cut = hear(loopback, "ollama", provider, Reply("ok", tokens=Tokens(400, 4)), looking(tokens=1000 + most))
    assert isinstance(cut.error, PromptTooLong)


@pytest.mark.slow
def test_a_large_picture_is_given_time_to_be_sent(loopback: Loopback, tmp_path: Path) -> None:
    large = SHOTS[0]._replace(data=SHOTS[0].data + b"\0" * 200_000)  # as base64 1.2 s more on a slow line
    prompt = looking()._replace(messages=(Message("user", "What is wrong?", images=(large,)),))
    provider = connect(loopback, "groq", tmp_path)
    late = Reply("The border.", stall_at=-1, stall=1.3)
    assert hear(loopback, "groq", provider, late, prompt).completion is not None
    assert isinstance(hear(loopback, "groq", provider, late).error, TimedOut)
