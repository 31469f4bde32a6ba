"""A request to a model whose tokens are cheap holds more code; one to a free model never, whatever comes before it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from optimizer.engine.run import run
from optimizer.engine.services import Services
from optimizer.events import Chosen, Notice, Routed
from optimizer.git.identity import identify
from optimizer.privacy import consent
from optimizer.retrieval import Query
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

KEYS = {"groq": "GROQ_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
CODE = {
    f"parts/part_{n}.py": "".join(
        f"def parse_part_{n}_{m}(text, limit):\n    parts = text.split({m})[:limit]\n    return parts\n\n\n"
        for m in range(40)
    )
    for n in range(12)
}
WANTED = "explain how parse_part_3_7 and the other parts parse text up to a limit"
Open = Callable[..., Services]


@pytest.fixture
def serve(make_repo: Callable[[Mapping[str, str | bytes]], Path], loopback: Loopback, tmp_path: Path) -> Iterator[Open]:
    """Opens the services of a user who lets some vendors see a repository with more code than a request holds."""
    home, root = tmp_path / "home", make_repo(CODE)
    (home / "config").mkdir(parents=True)
    with ExitStack() as closing:

        def opened(*providers: str, more: str = "") -> Services:
            text = more + loopback.config(*providers) + "[features]\nlocal-models = false\n[agent]\nsteps = 0\n"
            (home / "config/config.toml").write_text(text)
            for one in providers:
                host = loopback.url.removeprefix("http://")
                consent.grant(home / "state", str(root), one, host, partial(identify, root, home / "state"))
            env = {"PATH": os.environ["PATH"], "HOME": str(home), "OPTIMIZER_HOME": str(home)}
            env |= {KEYS[one]: "key-1" for one in providers}
            return closing.enter_context(open_services(Start(root, env, {}), lambda _: None, lambda _: None))

        yield opened


def test_code_beyond_the_usual_goes_to_a_model_whose_price_is_worth_it(serve: Open, loopback: Loopback) -> None:
    loopback.answer("anthropic", lambda _: Reply("parse_part_3_7 (parts/part_3.py:36) splits the text."))
    events = list(run(Query(WANTED), serve("anthropic", more='model = "claude-haiku-4-5"\n')))
    (route,) = [event.route for event in events if isinstance(event, Routed)]
    size = route.attempts[0].size
    assert size and (size.tokens, size.why) == (12_000, "worth")
    (context,) = [event.context for event in events if isinstance(event, Chosen)]
    assert 8000 < context.tokens < 10_000
    (asked,) = loopback.asked("anthropic")
    assert all(item.text.split("\n")[0] in asked.text for item in context.items)


def test_a_number_holds_for_every_model(serve: Open, loopback: Loopback) -> None:
    loopback.answer("anthropic", lambda _: Reply("parse_part_3_7 (parts/part_3.py:36) splits the text."))
    events = list(run(Query(WANTED), serve("anthropic", more='model = "claude-haiku-4-5"\nrequest_tokens = 6000\n')))
    (context,) = [event.context for event in events if isinstance(event, Chosen)]
    assert context.tokens < 4000
    (route,) = [event.route for event in events if isinstance(event, Routed)]
    assert route.attempts[0].size and route.attempts[0].size.why == "set"


def test_after_a_failed_answer_a_paid_model_gets_more_and_a_free_one_had_the_usual(
    serve: Open, loopback: Loopback
) -> None:
    loopback.answer("groq", lambda _: Reply("I cannot help with that."))
    loopback.answer("anthropic", lambda _: Reply("parse_part_3_7 (parts/part_3.py:36) splits the text."))
    events = list(run(Query(WANTED), serve("groq", "anthropic")))
    starts = [event.text for event in events if isinstance(event, Notice) and event.kind == "starting"]
    assert "as for every free model" in starts[0] and "since an answer failed" in starts[-1]
    free, paid = loopback.asked("groq")[0].text, loopback.asked("anthropic")[0].text
    assert len(paid) > 1.8 * len(free)
