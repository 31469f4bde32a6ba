"""A small local model that tells kinds of work apart, and one for code, with the installed command."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from optimizer.engine.opinion import read
from optimizer.models.memory import GIB
from optimizer.models.memory_leases import MemoryClaim, MemoryLeases
from tests.e2e.conftest import Optimize
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback, Received

pytestmark = pytest.mark.slow

TEXT = "It adds the numbers, see calc/parse.py:10."
PAIR = "[local]\nrouter = 'tiny:1b'\nrouter_seconds = {seconds}\ncoder = 'llama3.1:8b'\n"


Made = Callable[..., Optimize]


@pytest.fixture
def pair(user: Optimize, loopback: Loopback) -> Made:
    """Configure both models; the small one gives the reply, any other an answer."""

    def made(seconds: float, reply: Reply, room: str = "memory_gib = 64") -> Optimize:
        user.configure(PAIR.format(seconds=seconds) + loopback.config().replace("[models]", f"[models]\n{room}"))
        loopback.served["ollama"] = ("qwen2.5-coder:7b", "llama3.1:8b", "tiny:1b")

        def answer(received: Received) -> Reply:
            return reply if received.model == "tiny:1b" else Reply(text=TEXT)

        loopback.answer("ollama", answer)
        return user

    return made


def test_the_small_model_is_asked_first_and_its_word_counts(pair: Made, loopback: Loopback) -> None:
    user = pair(20, Reply(text="design 0.9"))
    ran = user("explain total", "--json")
    assert ran.code == 0, ran.err
    task = ran.event("route")["task"]
    assert (task["kind"], task["difficulty"]) == ("design", 0.9)
    small = next(one for one in loopback.asked("ollama") if one.model == "tiny:1b")
    assert "explain total" in small.text
    assert "parse_response" not in small.text
    booked = [event for event in ran.events if event["event"] == "usage"]
    assert (booked[0]["model_asked"], booked[0]["cost"]) == ("tiny:1b", 0)


def test_a_slow_small_model_is_not_waited_for(pair: Made) -> None:
    user = pair(0.3, Reply(text="design 0.9", stall_at=0, stall=20.0))
    ran = user("explain total", "--json")
    assert ran.code == 0, ran.err
    assert ran.event("route")["task"]["kind"] == "explain"
    assert len(ran.notices("no-opinion")) == 1


def test_nonsense_and_a_missing_model_leave_it_to_words(pair: Made) -> None:
    for reply in (Reply(text="I would say this is hard to tell"), Reply(status=404, body=b'{"error":"not found"}')):
        ran = pair(20, reply)("explain total", "--json")
        assert ran.code == 0, ran.err
        assert ran.event("route")["task"]["kind"] == "explain"
        assert len(ran.notices("no-opinion")) == 1


def test_nobody_is_asked_for_a_route_or_when_off(pair: Made, loopback: Loopback) -> None:
    user = pair(20, Reply(text="design 0.9"))
    shown = json.loads(user("route", "explain total", "--json").out)
    assert shown["task"]["kind"] == "explain"
    assert not [one for one in loopback.asked("ollama") if one.path == "/api/chat"]


def test_the_coder_comes_first_where_code_changes(pair: Made) -> None:
    user = pair(20, Reply(text="edit 0.3"))
    changed = json.loads(user("route", "add a flag to main", "--json").out)["route"]["attempts"][0]
    assert changed["model"]["id"] == "llama3.1:8b"
    assert changed["facts"]["preferred"]["by"]["name"] == "local.coder"
    asked = json.loads(user("route", "explain total", "--json").out)["route"]["attempts"][0]
    assert not asked["facts"]["preferred"]


ANSWER = Reply(text="design 0.9")


def asked_small(loopback: Loopback) -> int:
    """How often the small model was asked what kind of work it is."""
    return sum("You sort requests" in one.text for one in loopback.asked("ollama"))


def explained(user: Optimize, *crowded_by: str) -> str:
    """The kind of work that a request was taken for; no room next to `crowded_by` is announced."""
    ran = user("explain total", "--json")
    assert ran.code in (0, 3), ran.err  # "design 0.9" is no answer where the small model is asked for one too
    notices = ran.notices("no-opinion")
    assert len(notices) == bool(crowded_by)
    assert all(name in text for text in notices for name in crowded_by)
    return str(ran.event("route")["task"]["kind"])


def memory(user: Optimize) -> MemoryLeases:
    """What another run of the same user sees."""
    return MemoryLeases(user.home / ".local/state/optimizer", lambda: 10 * GIB)


def test_the_small_model_never_pushes_out_one_that_a_run_uses(pair: Made, loopback: Loopback) -> None:
    user = pair(20, ANSWER, "memory_gib = 10")
    user.configure(user.config.read_text().replace("coder = 'llama3.1:8b'", ""))
    other = memory(user)
    server = loopback.url.removeprefix("http://")
    assert other.acquire(MemoryClaim(server, "qwen2.5-coder:7b", round(9.5 * GIB)), 600).granted
    assert explained(user, "qwen2.5-coder:7b") == "explain"
    assert asked_small(loopback) == 0
    other.release()
    assert explained(user) == "design"
    assert other.in_use(server) == frozenset(), "the grant is given back"
    other.close()


def test_the_coder_comes_before_the_small_model(pair: Made, loopback: Loopback) -> None:
    user = pair(20, ANSWER, "memory_gib = 6")
    assert explained(user, "llama3.1:8b") == "explain"
    loopback.served["ollama"] = ("qwen2.5-coder:7b", "tiny:1b")
    assert explained(user) == "design", "a coder that the server does not hold needs no room"
    assert asked_small(loopback) == 1


def test_what_is_loaded_stays_and_a_small_model_that_is_loaded_is_asked(pair: Made, loopback: Loopback) -> None:
    user = pair(20, ANSWER, "memory_gib = 10")
    loopback.loaded["mixtral:8x7b"] = {"size": 9 * GIB}
    assert explained(user, "llama3.1:8b", "mixtral:8x7b") == "explain"
    loopback.loaded["tiny:1b"] = {"size": GIB}
    assert explained(user) == "design"


def test_while_it_answers_the_small_model_has_a_seat(pair: Made, loopback: Loopback) -> None:
    user = pair(20, ANSWER)
    other, seen = memory(user), list[frozenset[str]]()

    def answer(received: Received) -> Reply:
        seen.append(other.in_use(loopback.url.removeprefix("http://")))
        return ANSWER if received.model == "tiny:1b" else Reply(text=TEXT)

    loopback.answer("ollama", answer)
    ran = user("explain total", "--model", "qwen2.5-coder:7b")
    assert ran.code == 0, ran.err
    assert seen == [{"tiny:1b"}, {"qwen2.5-coder:7b"}]
    other.close()


@pytest.fixture
def rated(user: Optimize, loopback: Loopback) -> Optimize:
    """A user with three local models, the largest of which is rated best."""
    loopback.served["ollama"] = ("qwen2.5-coder:14b", "qwen2.5-coder:7b", "llama3.1:8b")
    strengths = {"qwen2.5-coder:14b": 0.7, "qwen2.5-coder:7b": 0.6, "llama3.1:8b": 0.4}
    rows = (f'[[model]]\nid = "{name}"\nreasoning = {one}\ncoding = {one}\n' for name, one in strengths.items())
    user.config.with_name("models.toml").write_text("".join(rows))
    return user


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(status=404, body=b'{"error":"model not found"}'),
        Reply(status=500, body=b'{"error":"model requires more system memory (5.5 GiB) than is available (2.1 GiB)"}'),
    ],
    ids=["not there", "no room"],
)
def test_a_loaded_model_stands_in_for_one_that_is_refused(rated: Optimize, loopback: Loopback, refusal: Reply) -> None:
    loopback.loaded["llama3.1:8b"] = {"size": 5 * GIB}
    loopback.answer("ollama", lambda got: refusal if got.model == "qwen2.5-coder:14b" else Reply(text=TEXT))
    ran = rated("explain total", "--tier", "local", "--json")
    assert ran.code == 0, ran.err
    asked = [one.model for one in loopback.asked("ollama")]
    assert asked == ["qwen2.5-coder:14b", "llama3.1:8b"]
    standby = next(one for one in ran.event("route")["route"]["attempts"] if one["standby"])
    assert (standby["model"]["id"], standby["facts"]["loaded"]) == ("llama3.1:8b", True)


def test_a_model_in_use_stands_in_for_one_that_finds_no_room(rated: Optimize, loopback: Loopback) -> None:
    loopback.answer("ollama", lambda _: Reply(text=TEXT))
    room = "[network]\nload_seconds = 0.6\n" + loopback.config().replace("[models]", "[models]\nmemory_gib = 6.5")
    rated.configure(room)
    other = memory(rated)
    assert other.acquire(MemoryClaim(loopback.url.removeprefix("http://"), "llama3.1:8b", 6 * GIB), 600).granted
    ran = rated("explain total", "--tier", "local", "--json")
    other.close()
    assert ran.code == 0, ran.err
    assert ["llama3.1:8b" in text for text in ran.notices("waiting-for-memory")] == [True]
    assert [one.model for one in loopback.asked("ollama")] == ["llama3.1:8b"]


@pytest.mark.parametrize(
    ("text", "kind", "difficulty"),
    [
        ("edit 0.3", "edit", 0.3),
        ("**Debug**: 1", "debug", 1.0),
        ("kind: find, difficulty: 0.25", "find", None),
        ("refactor", "refactor", None),
        ("editing 0.3", None, None),
        ("", None, None),
    ],
)
def test_what_it_says_is_read(text: str, kind: str | None, difficulty: float | None) -> None:
    found = read(text, "tiny")
    assert (found and found.kind) == kind
    assert (found and found.difficulty) == difficulty


def test_a_server_elsewhere_is_not_asked(pair: Made, loopback: Loopback) -> None:
    user = pair(20, Reply(text="design 0.9"))
    user.env["OLLAMA_HOST"] = "192.0.2.1:9"
    ran = user("explain total", "--provider", "groq", "--dry-run", "--json")
    assert not ran.notices("no-router")
    loopback.queue("groq", Reply(text=TEXT))
    user.env["OPTIMIZER_PROVIDER"] = "groq"
    ran = user("explain total", "--feature", "local-models=off", "--json")
    assert len(ran.notices("no-router")) == 1
    assert ran.code == 0, ran.err
