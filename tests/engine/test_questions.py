"""Questions of a run: asked once, answered by any front, and the run goes on from where it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import pytest

from optimizer.engine import prepare
from optimizer.engine.landing import LandingOptions
from optimizer.engine.options import Options
from optimizer.engine.run import answered, run
from optimizer.engine.services import Services
from optimizer.errors import InputError, SafetyRefused
from optimizer.events import (
    CallCostQuestion,
    Chosen,
    ConsentQuestion,
    Event,
    Finished,
    Flow,
    LandingQuestion,
    Notice,
    ProjectCommand,
    Question,
    Recorded,
    Routed,
    TrustQuestion,
    UserAnswer,
)
from optimizer.privacy import consent, trust
from optimizer.report import progress
from optimizer.retrieval import Query
from optimizer.types import Outcome
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.loopback.replies import Call, Reply, Tokens
from tests.loopback.server import Loopback

CODE = "def total(prices):\n    return sum(prices)\n"
CHANGE = "refactor total to add to zero"
EDIT = Call("edit_file", {"path": "shop.py", "start": 2, "end": 2, "content": "    return sum(prices, 0)\n"})
LANDING = Options(landing=LandingOptions())


@dataclass
class Front:
    """A front that gives the answers it was made with, by kind of question, and keeps what it was asked."""

    answers: Mapping[type[Question], UserAnswer] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def __call__(self, question: Question) -> UserAnswer:
        self.asked.append(question)
        return self.answers.get(type(question))


def served(services: Services, front: Front, text: str, options: Options = LANDING) -> tuple[list[Event], Outcome]:
    """The events of one request and its outcome."""
    events = list(answered(run(Query(text), services, options), front))
    assert isinstance(events[-1], Finished)
    return events, events[-1].outcome


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def shop(make_repo: Callable[[Mapping[str, str | bytes]], Path], loopback: Loopback, home: Path) -> Path:
    """A repository of one file, whose user has one cloud provider that answers and no consent yet."""
    (home / "config").mkdir(parents=True)
    (home / "config/config.toml").write_text(loopback.config("groq") + "[features]\nlocal-models = false\n")
    loopback.answer("groq", lambda _: Reply("It adds, see shop.py:2.", tokens=Tokens(900, 40)))
    return make_repo({"shop.py": CODE})


@pytest.fixture
def services(shop: Path, home: Path) -> Iterator[Services]:
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "OPTIMIZER_HOME": str(home), "GROQ_API_KEY": "g-1"}
    with open_services(Start(shop, env, {}), lambda _: None, lambda _: None) as opened:
        yield opened


@pytest.fixture
def consented(services: Services, loopback: Loopback) -> Services:
    """The same with consent, and a provider that answers with an edit."""
    host = loopback.url.removeprefix("http://")
    consent.grant(services.workspace.places.state, services.workspace.repository, "groq", host, services.workspace.look)
    loopback.answer("groq", lambda _: Reply("Done.", calls=(EDIT,), stop="tool", tokens=Tokens(900, 40)))
    return services


def outcomes(services: Services) -> list[str]:
    return [one.outcome for one in services.calls.ledger().last(9)]


def test_consent_is_asked_once_and_the_run_goes_on(services: Services, loopback: Loopback) -> None:
    front = Front({ConsentQuestion: True})
    events, outcome = served(services, front, "explain total")
    host = loopback.url.removeprefix("http://")
    assert front.asked == [ConsentQuestion("groq", host, services.workspace.repository)]
    assert outcome.exit_code == 0 and outcome.text.startswith("It adds")
    assert [type(event) for event in events if isinstance(event, Chosen | Routed)] == [Chosen, Routed]
    assert consent.granted(
        services.workspace.places.state, services.workspace.repository, "groq", host, services.workspace.look
    )
    assert served(services, front, "explain total again")[1].exit_code == 0
    assert len(front.asked) == 1


@pytest.mark.parametrize("answer", [False, None])
def test_without_consent_nothing_is_sent(services: Services, loopback: Loopback, answer: UserAnswer) -> None:
    front = Front({ConsentQuestion: answer})
    events, outcome = served(services, front, "explain total")
    assert (outcome.exit_code, len(front.asked)) == (5, 1)
    assert len([event for event in events if isinstance(event, Routed)]) == 1
    assert not loopback.asked("groq")
    assert not consent.grants(services.workspace.places.state)


def test_a_consumer_that_answers_nothing_gets_every_event(services: Services) -> None:
    last = list(run(Query("explain total"), services))[-1]
    assert isinstance(last, Finished) and last.outcome.exit_code == 5


def test_a_change_lands_through_the_run_alone(consented: Services, shop: Path) -> None:
    front = Front({LandingQuestion: True})
    _, outcome = served(consented, front, CHANGE)
    (question,) = front.asked
    assert isinstance(question, LandingQuestion) and not question.careful and not question.commit
    assert outcome.landed is not None and (outcome.landed.state, outcome.exit_code) == ("written", 0)
    assert outcome.landed.entry.endswith("1")
    assert outcome.verdict is not None
    assert [check.passed for check in outcome.verdict.checks if check.name == "tests"] == [None], "there are no tests"
    assert (shop / "shop.py").read_text() == CODE.replace("(prices)\n", "(prices, 0)\n", 2).replace(
        "total(prices, 0)", "total(prices)"
    )
    assert outcomes(consented) == ["accepted"]


@pytest.mark.parametrize(
    ("answer", "state", "recorded"), [(False, "declined", "declined"), (None, "unanswered", "proven")]
)
def test_a_change_that_is_not_wanted_is_not_written(
    consented: Services, shop: Path, answer: UserAnswer, state: str, recorded: str
) -> None:
    _, outcome = served(consented, Front({LandingQuestion: answer}), CHANGE)
    assert outcome.landed is not None and outcome.landed.state == state
    assert (shop / "shop.py").read_text() == CODE
    assert outcomes(consented) == [recorded]


def test_a_user_who_leaves_at_the_question_has_declined(consented: Services, shop: Path) -> None:
    def leaves(_: Question) -> UserAnswer:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(answered(run(Query(CHANGE), consented, LANDING), leaves))
    assert (shop / "shop.py").read_text() == CODE
    assert outcomes(consented) == ["declined"]


def test_yes_said_before_leaves_no_question(consented: Services, shop: Path) -> None:
    front = Front()
    _, outcome = served(consented, front, CHANGE, Options(landing=LandingOptions(yes=True)))
    assert not front.asked and outcome.landed is not None and outcome.landed.state == "written"


def test_a_file_that_a_program_acts_on_needs_an_answer_of_its_own(consented: Services, loopback: Loopback) -> None:
    create = Call("create_file", {"path": ".github/workflows/ci.yml", "content": "on: push\n"})
    loopback.answer("groq", lambda _: Reply("Done.", calls=(create,), stop="tool", tokens=Tokens(900, 40)))
    front = Front()
    with pytest.raises(SafetyRefused):
        served(consented, front, "add a workflow file", Options(landing=LandingOptions(yes=True)))
    (question,) = front.asked
    assert isinstance(question, LandingQuestion)
    assert question.careful == ((".github/workflows/ci.yml", "acts", "CI"),)


def test_what_a_new_line_hides_needs_an_answer_of_its_own(consented: Services, shop: Path, loopback: Loopback) -> None:
    create = Call("create_file", {"path": "a.js", "content": "// sum\u2028require('x')\n"})
    loopback.answer("groq", lambda _: Reply("Done.", calls=(create,), stop="tool", tokens=Tokens(900, 40)))
    front = Front()
    with pytest.raises(SafetyRefused, match=r"\\u2028 LINE SEPARATOR"):
        served(consented, front, "create a.js", Options(landing=LandingOptions(yes=True)))
    (question,) = front.asked
    assert isinstance(question, LandingQuestion)
    assert question.careful == (("a.js", "hidden", "\\u2028 LINE SEPARATOR"),)
    assert not (shop / "a.js").exists()
    options = Options(landing=LandingOptions(yes=True, allowed=("a.js",)))
    _, outcome = served(consented, Front(), "create a.js", options)
    assert outcome.landed is not None and outcome.landed.state == "written" and (shop / "a.js").exists()


@pytest.mark.parametrize("answer", [(False,), (True, True), (), "no"])
def test_an_answer_of_the_wrong_kind_is_no_yes(
    services: Services, shop: Path, loopback: Loopback, answer: UserAnswer
) -> None:
    (shop / "test_shop.py").write_text("from shop import total\n\n\ndef test_total():\n    assert total([1]) == 1\n")
    state = services.workspace.places.state
    front = Front({ConsentQuestion: answer})
    assert served(services, front, "explain total")[1].exit_code == 5
    assert not loopback.asked("groq") and not consent.grants(state)
    consent.grant(
        state, services.workspace.repository, "groq", loopback.url.removeprefix("http://"), services.workspace.look
    )
    loopback.answer("groq", lambda _: Reply("Done.", calls=(EDIT,), stop="tool", tokens=Tokens(900, 40)))
    _, outcome = served(services, Front({TrustQuestion: answer, LandingQuestion: answer}), CHANGE)
    assert outcome.landed is not None and outcome.landed.state == "unanswered"
    assert (shop / "shop.py").read_text() == CODE
    assert [one.allowed for one in trust.decisions(state)] == ([False] if answer == (False,) else [])


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "state"), [((True,), "written"), (True, "written"), (False, "written")])
def test_commands_are_asked_about_once_and_remembered(
    consented: Services, shop: Path, answer: UserAnswer, state: str
) -> None:
    (shop / "test_shop.py").write_text("from shop import total\n\n\ndef test_total():\n    assert total([1]) == 1\n")
    front = Front({TrustQuestion: answer, LandingQuestion: True})
    _, outcome = served(consented, front, CHANGE)
    (asked,) = [one for one in front.asked if isinstance(one, TrustQuestion)]
    assert [one.kind for one in asked.commands] == ["tests"] and isinstance(asked.commands[0], ProjectCommand)
    assert outcome.landed is not None and outcome.landed.state == state
    (kept,) = trust.decisions(consented.workspace.places.state)
    assert (kept.command, kept.allowed) == (asked.commands[0].text, bool(answer))
    checks = {check.name: check.passed for check in outcome.verdict.checks} if outcome.verdict else {}
    assert checks["tests"] is (True if answer else None)


@pytest.mark.slow
def test_a_change_that_fails_a_check_allowed_late_is_dropped_and_recorded_so(consented: Services, shop: Path) -> None:
    test = "from shop import total\n\n\ndef test_total():\n    assert 0 not in total.__code__.co_consts\n"
    (shop / "test_shop.py").write_text(test)
    front = Front({TrustQuestion: True, LandingQuestion: True})
    _, outcome = served(consented, front, CHANGE)
    assert [type(one) for one in front.asked] == [TrustQuestion]
    assert outcome.landed is not None and (outcome.landed.state, outcome.exit_code) == ("checks-failed", 3)
    assert (shop / "shop.py").read_text() == CODE
    assert outcomes(consented) == ["checks-failed"]


def test_an_expensive_call_is_asked_about(services: Services, loopback: Loopback, home: Path) -> None:
    host = loopback.url.removeprefix("http://")
    consent.grant(services.workspace.places.state, services.workspace.repository, "groq", host, services.workspace.look)
    config = home / "config/config.toml"
    config.write_text(config.read_text() + "[budget]\nask = 0.0\n")
    (home / "config/models.toml").write_text('[[model]]\nid = "made-up"\nprovider = "groq"\ntier = "budget"\n')
    asked_of = services.for_next({"model": "made-up"})
    front = Front({CallCostQuestion: False})
    _, outcome = served(asked_of, front, "explain total")
    (question,) = front.asked
    assert isinstance(question, CallCostQuestion) and question.model == "made-up" and question.cost > 0
    assert outcome.exit_code == 10 and not loopback.asked("groq")
    front = Front({CallCostQuestion: True})
    assert served(asked_of, front, "explain total")[1].exit_code == 0


def test_an_answer_of_the_index_is_recorded_as_a_call_that_cost_nothing(services: Services) -> None:
    events, outcome = served(services, Front(), "where is total")
    (booked,) = [event.record for event in events if isinstance(event, Recorded)]
    assert (booked.request, booked.tier, booked.outcome, booked.cost) == (outcome.request, "index", "proven", 0)
    assert outcomes(services) == ["proven"]


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_request_is_refused_before_anything_is_chosen(services: Services, text: str) -> None:
    with pytest.raises(InputError):
        prepare.choose(Query(text), services.workspace, 1_000)


def test_a_request_that_leaves_this_machine_for_want_of_a_local_model_says_so(
    services: Services, loopback: Loopback, home: Path
) -> None:
    host = loopback.url.removeprefix("http://")
    consent.grant(services.workspace.places.state, services.workspace.repository, "groq", host, services.workspace.look)

    events, outcome = served(services, Front(), "explain total")
    (route,) = [event.route for event in events if isinstance(event, Routed)]
    missing = next(left for left in route.left_out if left.tier == "local")
    notice = Notice(progress.to_the_cloud(missing, "groq"), "to-the-cloud")
    assert outcome.exit_code == 0 and notice in events
    asked_for = services.for_next({"provider": "groq"})
    assert notice not in served(asked_for, Front(), "explain total")[0]


def test_a_run_is_closed_when_a_question_cannot_be_answered() -> None:
    closed: list[bool] = []

    def flow() -> Flow[None]:
        try:
            yield ConsentQuestion("groq", "api.groq.com", "shop")
        finally:
            closed.append(True)

    running = flow()
    with pytest.raises(KeyboardInterrupt):
        list(answered(running, _interrupted))
    assert closed and running.gi_frame is None


def _interrupted(_: Question) -> UserAnswer:
    raise KeyboardInterrupt


def test_an_answer_from_the_index_takes_no_longer_than_the_run(consented: Services) -> None:
    begun = perf_counter()
    events, _ = served(consented, Front(), "where is total")
    (record,) = [event.record for event in events if isinstance(event, Recorded)]
    assert 0 <= record.seconds <= perf_counter() - begun


def test_a_file_that_is_not_there_is_looked_for_in_the_index_alone(consented: Services, loopback: Loopback) -> None:
    _, outcome = served(consented, Front(), "list functions in gone.py")
    assert (outcome.exit_code, outcome.tier) == (3, "index")
    assert not loopback.asked("groq")
