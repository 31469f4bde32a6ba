"""What goes from one attempt to the next, and to the critic: which checks failed, which passed, and how much code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from optimizer.context.budget import count_tokens
from optimizer.engine.roles import REVIEW
from optimizer.engine.run import run
from optimizer.engine.services import Services
from optimizer.events import Event, Finished, Judged, Notice, Question, Reviewed, Routed
from optimizer.git.identity import identify
from optimizer.privacy import consent
from optimizer.report import progress
from optimizer.retrieval import Query
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.loopback.replies import Call, Reply, Tokens
from tests.loopback.server import Loopback, Received

CODE = "def first(text):\n    return 1\n\n\n" + "".join(
    f"def parse_{n}(text):\n    return text.split({n})\n\n\n" for n in range(300)
)
CHANGE = "refactor first to return 2, as the parse functions of calc.py do"
LOG = "\n".join(f"FAILED parse_{n}: {n} is not {n + 1}" for n in range(2000))


def edit(line: str) -> Reply:
    call = Call("edit_file", {"path": "calc.py", "start": 2, "end": 2, "content": line})
    return Reply("Done.", calls=(call,), stop="tool", tokens=Tokens(900, 40))


@pytest.fixture
def services(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], loopback: Loopback, tmp_path: Path
) -> Iterator[Services]:
    """A repository with one large file, whose user lets one vendor see it."""
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config/config.toml").write_text(
        loopback.config("groq") + "[features]\nlocal-models = false\n[agent]\nrepair = false\n"
    )
    (home / "config/models.toml").write_text('[[model]]\nid = "made-up"\nprovider = "groq"\ntier = "budget"\n')
    root = make_repo({"calc.py": CODE})
    consent.grant(
        home / "state", str(root), "groq", loopback.url.removeprefix("http://"), partial(identify, root, home / "state")
    )
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "OPTIMIZER_HOME": str(home), "GROQ_API_KEY": "g-1"}
    with open_services(Start(root, env, {}), lambda _: None, lambda _: None) as opened:
        yield opened


def served(services: Services, query: Query) -> list[Event | Question]:
    events = list(run(query, services))
    assert isinstance(events[-1], Finished)
    return events


def test_an_answer_that_fails_is_refused_for_its_failed_checks_alone(services: Services, loopback: Loopback) -> None:
    loopback.answer("groq", lambda _: edit("    return undefined_name\n"))
    events = served(services, Query(CHANGE))
    judged = next(event.verdict for event in events if isinstance(event, Judged))
    failed = [check for check in judged.checks if check.passed is False]
    assert failed and any(check.passed for check in judged.checks)
    route = next(event.route for event in events if isinstance(event, Routed))
    first, second = (attempt.model.id for attempt in route.attempts if not attempt.standby)
    expected = progress.going_on(first, "", [check.name for check in failed], second)
    assert expected in [event.text for event in events if isinstance(event, Notice)]


def test_a_critic_is_given_the_checks_that_passed_and_no_more_than_a_request_holds(
    services: Services, loopback: Loopback
) -> None:
    def answer(asked: Received) -> Reply:
        notes = "".join(f"    # as parse_{n} has it, of which nothing is taken here\n" for n in range(100))
        return Reply("NOTHING") if "Review the change below" in asked.text else edit(f"{notes}    return 2\n")

    loopback.answer("groq", answer)
    reviewing = services.for_next({"agent.review": True})
    events = served(reviewing, Query(CHANGE, LOG))
    assert any(isinstance(event, Reviewed) for event in events)
    verdict = next(event.verdict for event in events if isinstance(event, Judged))
    (sent,) = [one for one in loopback.asked("groq") if "Review the change below" in one.text]
    passed = ", ".join(check.name for check in verdict.checks if check.passed)
    assert passed and f": {passed}. " in sent.text
    total = services.workspace.settings.first_request
    assert total // 2 < count_tokens(sent.text) + REVIEW <= total
