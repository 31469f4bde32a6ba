"""The first request of any query fits in 6,000 tokens, tools and answer budget included."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.agent import prompts
from optimizer.context.budget import count_tokens
from optimizer.edits.formats.arguments import LOOKS
from optimizer.engine import prepare
from optimizer.engine.prepare import first_budget
from optimizer.engine.services import Services
from optimizer.errors import InputError
from optimizer.images import Image, tokens
from optimizer.models.catalogue import load_catalogue
from optimizer.routing.classify import classify
from optimizer.types import Model, Query
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.context.requests import REQUESTS

ROOT = Path(__file__).parents[2]
LOG = "\n".join(
    f"FAILED tests/test_{n}.py::test_it - assert {n} == {n + 1}, where {n} = len(items)" for n in range(2000)
)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The services of a run in this very repository."""
    env = {"HOME": str(tmp_path_factory.mktemp("home")), "PATH": os.environ["PATH"]}
    with open_services(Start(ROOT, env, {}), lambda _: None, lambda _: None) as opened:
        prepare.refresh(opened.workspace)
        yield opened


def models() -> list[Model]:
    """A model for each way of asking for edits."""
    catalogue = load_catalogue(None)
    return [*catalogue.examples(), catalogue.describe("never-heard-of:1b", "ollama")]


def requests(query: Query, services: Services) -> Iterator[int]:
    """Tokens of the first request for `query`, answer budget included, for each model and both styles."""
    fitted, budget = first_budget(query, services.workspace)
    context = prepare.choose(query, services.workspace, budget.code)
    task = classify(fitted, context, 0)
    notes = prepare.notes_near(context, services.workspace, budget.notes_limit)
    for model in models():
        for concise in (True, False):
            ask = prompts.Ask(
                fitted,
                task,
                context,
                services.workspace.settings.max_tokens,
                concise,
                notes=notes,
                look=True,
                tests=True,
            )
            prompt = prompts.build(ask, model)
            assert task.wants_edits or bool(prompt.tools) == model.tools
            assert fitted.text in prompt.messages[0].text
            yield prompt.tokens + prompt.max_output


@pytest.mark.parametrize(
    ("texts", "extra"),
    [
        (REQUESTS[::8], ""),
        pytest.param(REQUESTS, "", marks=pytest.mark.slow),
        pytest.param(REQUESTS, LOG, marks=pytest.mark.slow),
    ],
    ids=["some typed", "typed", "piped"],
)
def test_real_requests(services: Services, texts: Sequence[str], extra: str) -> None:
    assert {prompts.edit_format(model, True) for model in models()} >= {"tool", "text"}
    for text in texts:
        assert max(requests(Query(text, extra), services)) <= services.workspace.settings.first_request == 6000


def test_looks_add_few_tokens_to_a_question(services: Services) -> None:
    query = Query("explain how a request is classified")
    context = prepare.choose(query, services.workspace, 1000)
    ask = prompts.Ask(query, classify(query, context, 0), context, 500)
    for model in models():
        plain, looking = prompts.build(ask, model), prompts.build(replace(ask, look=True), model)
        assert 50 < looking.tokens - plain.tokens < 250
        assert {tool.name for tool in looking.tools} == ({*LOOKS} - {"run_tests"} if model.tools else set())
        assert model.tools or all(name in looking.system for name in {*LOOKS} - {"run_tests"})


@pytest.mark.slow
@pytest.mark.parametrize("text", ["x" * 400_000, "why " * 100_000, "é\n" * 50_000, "a_b.c(d) " * 30_000])
def test_huge_requests_are_cut_in_the_middle(services: Services, text: str) -> None:
    assert max(requests(Query(text), services)) <= 6000
    fitted, _ = first_budget(Query(text), services.workspace)
    assert len(fitted.text) < len(text)
    assert fitted.text.startswith(text[:100])
    assert fitted.text.endswith(text[-100:])


@pytest.mark.parametrize("sides", [[(8, 6)], [(1920, 1080)], [(800, 600), (640, 480)]], ids=str)
def test_images_are_counted_and_leave_less_room_for_code(services: Services, sides: list[tuple[int, int]]) -> None:
    shots = tuple(Image("image/png", b"", *side, f"shot-{n}.png") for n, side in enumerate(sides))
    query, bare = Query("why does the table of models look wrong", "", shots), "why does the table of models look wrong"
    fitted, budget = first_budget(query, services.workspace)
    assert fitted.images == shots
    taken = prompts.pictured(query)
    assert taken >= sum(map(tokens, shots))
    assert budget.code <= first_budget(Query(bare), services.workspace)[1].code - taken
    context = prepare.choose(fitted, services.workspace, budget.code)
    assert budget.prompt(0, context.tokens) >= taken + context.tokens + prompts.overhead()
    assert taken < max(requests(query, services)) <= 6000
    ask = prompts.Ask(fitted, classify(fitted, context, 0), context, 500)
    (message,) = prompts.build(ask, models()[0]).messages
    assert message.images == shots
    assert f": {', '.join(shot.name for shot in shots)}" in message.text


def test_images_that_leave_no_room_are_told_with_the_setting_that_makes_some(services: Services) -> None:
    shot = Image("image/png", b"", 3840, 2160, "desktop.png")
    with pytest.raises(InputError, match=r"\b4,7\d\d\b.*\brequest_tokens\b.*\b6,000\b") as caught:
        first_budget(Query("why", "", (shot,)), services.workspace)
    (enough,) = map(int, re.findall(r"\brequest_tokens = (\d+)", caught.value.hint))
    roomy = services._replace(
        workspace=replace(services.workspace, settings=replace(services.workspace.settings, request_tokens=enough)),
    )
    assert first_budget(Query("why", "", (shot,)), roomy.workspace)[1].code >= 500
    assert max(requests(Query("why does the table look wrong", "", (shot,)), roomy)) <= enough


@pytest.mark.parametrize("limit", [0, 1, 20, 50, 1000])
def test_shorten_keeps_to_its_limit(limit: int) -> None:
    assert count_tokens(prompts.shorten(LOG, limit)) <= limit


def test_notes_of_the_project_count_too(make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path) -> None:
    code = "".join(f"def parse_{n}(text):\n    return text.split({n})\n\n\n" for n in range(600))
    root = make_repo({"calc.py": code, "AGENTS.md": "Write short functions, and a test for each of them.\n" * 400})
    env = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    with open_services(Start(root, env, {}), lambda _: None, lambda _: None) as opened:
        prepare.refresh(opened.workspace)
        query = Query("refactor all parse functions in calc.py")
        fitted, budget = first_budget(query, opened.workspace)
        context = prepare.choose(fitted, opened.workspace, budget.code)
        notes = prepare.notes_near(context, opened.workspace, budget.notes_limit)
        assert notes is not None
        assert 500 < notes.tokens <= opened.workspace.settings.notes_tokens
        assert 5000 < max(requests(query, opened)) <= 6000


def test_a_request_takes_half_of_what_notes_and_images_leave(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path
) -> None:
    root = make_repo({"a.py": "x = 1\n", "AGENTS.md": "Write short functions, and a test for each of them.\n" * 400})
    env = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    query = Query("why", LOG, (Image("image/png", b"", 800, 600, "shot.png"),))
    with open_services(Start(root, env, {}), lambda _: None, lambda _: None) as opened:
        prepare.refresh(opened.workspace)
        _, budget = first_budget(query, opened.workspace)
    assert min(budget.notes, budget.images) > 100
    half = (budget.total - budget.answer - budget.fixed - budget.notes - budget.images) // 2
    assert half * 0.9 < budget.asked <= half
