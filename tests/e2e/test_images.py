"""`--image`: a picture goes to a model that sees it, byte for byte, and every file that cannot go has its cure."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optimizer.models.catalogue import load_catalogue
from tests.e2e.conftest import Optimize
from tests.images import pictures
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

QUESTION = "why does the dialog of parse_response look wrong"


@pytest.fixture
def shot(calc: Path) -> Path:
    """A screenshot beside the repository."""
    path = calc.parent / "shot.png"
    path.write_bytes(pictures.png(640, 480))
    return path


def seen(body: Any) -> list[bytes]:
    """The pictures that Gemini's server got."""
    parts = [part for content in body["contents"] for part in content["parts"] if "inlineData" in part]
    return [base64.urlsafe_b64decode(part["inlineData"]["data"]) for part in parts]


def test_a_picture_goes_to_a_model_that_sees_it(user: Optimize, loopback: Loopback, shot: Path) -> None:
    loopback.queue("gemini", Reply("See calc/parse.py:4.", tokens=Tokens(2500, 9)))
    ran = user(QUESTION, "--image", str(shot), "--image", str(shot), "--json")
    assert ran.code == 0, ran.err
    assert ran.event("result")["text"] == "See calc/parse.py:4."
    assert len(ran.notices("images")) == 1
    assert ["qwen2.5-coder:7b" in text for text in ran.notices("to-the-cloud")] == [True]
    (asked,) = loopback.asked("gemini")
    assert seen(asked.body) == [shot.read_bytes()] * 2
    assert "shot.png, shot.png" in asked.text
    assert not loopback.asked("ollama") and not loopback.asked("groq")
    entry = user("consent", "log", "--json").events[-1]
    assert entry["images"] == [hashlib.sha256(shot.read_bytes()).hexdigest()] * 2
    assert entry["image_bytes"] == 2 * shot.stat().st_size
    assert f"with 2 images of {entry['image_bytes']:,} bytes" in user("consent", "log").out


def test_a_local_model_that_sees_is_asked_and_nothing_leaves(user: Optimize, loopback: Loopback, shot: Path) -> None:
    loopback.served["ollama"] = ("qwen2.5-coder:7b", "gemma3:4b")
    loopback.queue("ollama", Reply("See calc/parse.py:4.", tokens=Tokens(900, 9)))
    ran = user(QUESTION, "--image", str(shot), "--tier", "local", "--json")
    assert ran.code == 0, ran.err
    (asked,) = loopback.asked("ollama")
    assert asked.model == "gemma3:4b"
    assert [base64.b64decode(one) for one in asked.body["messages"][-1]["images"]] == [shot.read_bytes()]
    assert not ran.notices("images")


def test_a_row_of_the_user_says_that_a_model_sees(user: Optimize, loopback: Loopback, shot: Path) -> None:
    loopback.served["ollama"] = ("mine:7b",)
    refused = user(QUESTION, "--image", str(shot), "--model", "mine:7b")
    assert refused.code == 6 and "optimize models list" in refused.err and not loopback.asked("ollama")
    user.config.with_name("models.toml").write_text('[[model]]\nid = "mine:*"\nvision = true\n')
    loopback.queue("ollama", Reply("See calc/parse.py:4.", tokens=Tokens(900, 9)))
    assert user(QUESTION, "--image", str(shot), "--model", "mine:7b").code == 0
    assert loopback.asked("ollama")[0].body["messages"][-1]["images"]


def test_neither_the_index_nor_the_local_router_is_asked(user: Optimize, loopback: Loopback, shot: Path) -> None:
    user.configure('[local]\nrouter = "qwen2.5-coder:7b"\n' + loopback.config())
    loopback.queue("gemini", Reply("In calc/parse.py:4.", tokens=Tokens(2500, 9)))
    ran = user("where is parse_response", "--image", str(shot))
    assert ran.code == 0, ran.err
    assert len(loopback.asked("gemini")) == 1 and not loopback.asked("ollama")
    assert "local.router" not in ran.err


def test_the_picture_is_no_part_of_a_kept_context_and_still_goes_out_each_time(
    user: Optimize, loopback: Loopback, shot: Path
) -> None:
    other = shot.with_name("other.webp")
    other.write_bytes(pictures.webp(640, 480))
    for path in (shot, other, shot):
        loopback.queue("gemini", Reply("See calc/parse.py:4.", tokens=Tokens(2500, 9)))
        assert user(QUESTION, "--image", str(path)).code == 0
    assert [seen(one.body) for one in loopback.asked("gemini")] == [
        [shot.read_bytes()],
        [other.read_bytes()],
        [shot.read_bytes()],
    ]


def test_a_route_with_a_picture_names_who_sees_it(user: Optimize, loopback: Loopback, shot: Path) -> None:
    found = user("route", QUESTION, "--image", str(shot), "--json").events[0]
    assert found["route"]["attempts"][0]["model"]["id"].startswith("gemini")
    blind = {left["model"]: left for left in found["route"]["left_out"] if left["code"] == "blind"}
    assert "openai/gpt-oss-120b" in blind and {left["cure"] for left in blind.values()} == {"optimize models list"}
    assert '"data"' not in json.dumps(found)
    assert len(found["task"]["needs"]["images"]) == 1
    assert "--image FILE" in user("route", "make the dialog look like in this screenshot").out
    assert "--image FILE" not in user("route", "make the dialog look better").out
    assert not loopback.asked("gemini")


@pytest.mark.parametrize(
    ("name", "content", "error", "cure"),
    [
        ("gone.png", None, "no file", "check the path after --image"),
        ("notes.txt", b"no picture", "it is no png, jpeg, gif or webp", "save it as png"),
        ("cut.png", pictures.png()[:18], "its head is cut", "save it as png"),
        ("huge.png", pictures.png() + b"\0" * 10_000_000, "is larger than 10 MB", "send a smaller image"),
        (
            "wide.png",
            pictures.png(8, 6)[:16] + b"\0\0\x0f\0\0\0\x08\x70" + pictures.png(8, 6)[24:],
            "the images take up to 4,",
            "request_tokens =",
        ),
    ],
)
def test_what_cannot_be_sent_is_told_with_a_cure(
    user: Optimize, loopback: Loopback, calc: Path, name: str, content: bytes | None, error: str, cure: str
) -> None:
    path = calc.parent / name
    if content is not None:
        path.write_bytes(content)
    for command in ((), ("route",)):
        ran = user(*command, QUESTION, "--image", str(path))
        assert ran.code == 2, ran.err
        assert error in ran.err and cure in ran.err
    assert not any(loopback.asked(wire) for wire in ("ollama", "groq", "gemini", "anthropic"))


def test_a_folder_and_more_than_five_are_refused(user: Optimize, loopback: Loopback, calc: Path, shot: Path) -> None:
    assert user(QUESTION, "--image", str(calc)).code == 2
    user.configure("request_tokens = 20000\n" + loopback.config())
    assert user(QUESTION, *["--image", str(shot)] * 6, "--json").events[-1]["kind"] == "InputError"
    loopback.queue("gemini", Reply("See calc/parse.py:4.", tokens=Tokens(2500, 9)))
    assert user(QUESTION, *["--image", str(shot)] * 5, "--tier", "free").code == 0


def test_json_tells_the_picture_without_its_bytes(user: Optimize, loopback: Loopback, shot: Path) -> None:
    loopback.queue("gemini", Reply("See calc/parse.py:4.", tokens=Tokens(2500, 9)))
    ran = user(QUESTION, "--image", str(shot), "--json")
    assert ran.code == 0, ran.err
    assert ran.event("route")["task"]["needs"]["images"] == [
        {"media_type": "image/png", "width": 640, "height": 480, "name": "shot.png"}
    ]
    assert ran.event("usage")["usage"]["input"] == 2500


def test_a_planned_change_is_planned_and_made_with_the_picture(user: Optimize, loopback: Loopback, shot: Path) -> None:
    loopback.answer("gemini", lambda _: Reply("1. In calc/parse.py, skip empty parts.", tokens=Tokens(2500, 9)))
    user("make parse_response look like this screenshot", "--image", str(shot), "--plan", "--max-tier", "free")
    asked = loopback.asked("gemini")
    assert len(asked) >= 2
    assert all(seen(one.body) == [shot.read_bytes()] for one in asked)


def test_without_a_model_that_sees_it_is_told_which_do(
    calc: Path, shot: Path, stand_in: Callable[..., Optimize]
) -> None:
    ran = stand_in(calc, GROQ_API_KEY="g-1")(QUESTION, "--image", str(shot))
    assert ran.code == 6
    assert "gemma3:4b" in ran.err and "gemini-3.5-flash-lite" in ran.err
    assert "gpt-oss" not in ran.err.partition("would cost:")[2].partition("To get a model")[0]


def test_the_first_cure_without_a_model_that_sees_is_to_get_one(user: Optimize, loopback: Loopback, shot: Path) -> None:
    bare = Optimize(user.home, user.cwd, {})
    first = bare("explain total", "--image", str(shot), "--json").event("route")["route"]["left_out"][0]
    pulled = first["cure"].rpartition(" ")[2]
    assert first["provider"] == "ollama" and load_catalogue(None).describe(pulled, "ollama").vision


def test_a_picture_among_gits_own_files_is_not_sent(user: Optimize, loopback: Loopback, shot: Path) -> None:
    kept = user.cwd / ".git/shot.png"
    shot.rename(kept)
    assert user(QUESTION, "--image", str(kept)).code == 4
    assert loopback.requests == []
