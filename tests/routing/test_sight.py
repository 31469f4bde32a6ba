"""Images in a task: models that cannot see them are left out with a reason."""

from __future__ import annotations

from pathlib import Path

from optimizer.images import Image
from optimizer.models.catalogue import Catalogue, load_catalogue
from optimizer.reasons import ImageRefused, Why
from optimizer.routing.policy import Allowed
from optimizer.types import Needs
from tests.routing.test_policy import ALL, CHEAP, DEARER, FREE, LOCAL, SONNET, TASK, ids, left, route

SHOT = Image("image/png", b"\0" * 900, 1920, 1080, "shot.png")
LOOKING = TASK._replace(needs=Needs(4600, vision=True, images=(SHOT,)))
SEEING = tuple(one._replace(vision=one in (CHEAP, DEARER, SONNET)) for one in ALL)


def test_models_that_see_are_asked_and_the_others_left_out() -> None:
    assert ids(route(None, *SEEING)) == ["qwen", "oss", "haiku", "sonnet"]
    found = route(None, *SEEING, task=LOOKING)
    assert ids(found) == ["haiku", "sonnet"]
    for blind in (LOCAL, FREE):
        assert left(found, blind.id).reason is Why.BLIND


def test_a_named_model_that_does_not_see_is_not_asked_either() -> None:
    found = route(Allowed(model="oss"), *SEEING, task=LOOKING)
    assert not found.attempts
    assert left(found, "oss").reason is Why.BLIND


def test_a_provider_that_does_not_take_the_picture_is_left_out() -> None:
    moving = LOOKING._replace(needs=LOOKING.needs._replace(images=(SHOT._replace(media_type="image/gif"),)))
    found = route(None, *SEEING, task=moving)
    assert ids(found) == ["haiku", "sonnet"]
    refused = left(found, "flash").reason
    assert isinstance(refused, ImageRefused) and refused.limit == "kinds" and refused.image == moving.needs.images[0]
    assert refused.kinds == {"jpeg", "png", "webp"}


def sees(catalogue: Catalogue, name: str, provider: str) -> bool:
    return catalogue.describe(name, provider).vision


def test_the_catalogue_knows_who_sees_and_a_row_of_the_user_says_so_too(tmp_path: Path) -> None:
    shipped = load_catalogue(None)
    for name, provider in (
        ("claude-haiku-5-5", "anthropic"),
        ("gemini-3.5-flash-lite", "gemini"),
        ("gpt-6.1-sol", "openai"),
        ("gemma3:4b", "ollama"),
        ("gemma4:e4b", "ollama"),
        ("qwen3-vl:8b", "ollama"),
        ("qwen2.5vl:7b", "ollama"),
        ("qwen3.5:9b", "ollama"),
        ("llama3.2-vision:11b", "ollama"),
        ("llama4:scout", "ollama"),
        ("minicpm-v:8b", "ollama"),
    ):
        assert sees(shipped, name, provider), name
    blind = (
        ("openai/gpt-oss-20b", "groq"),
        ("qwen2.5-coder:7b", "ollama"),
        ("gemma3:1b", "ollama"),
        ("new:7b", "ollama"),
    )
    assert not any(sees(shipped, *one) for one in blind)
    assert all(one.vision for one in shipped.examples(seeing=True))
    assert [one.tier for one in shipped.examples(seeing=True)] == [one.tier for one in shipped.examples()]
    assert shipped.examples(seeing=True)[0].id == "gemma3:4b"
    (tmp_path / "models.toml").write_text('[[model]]\nid = "new:*"\nvision = true\n')
    assert sees(load_catalogue(tmp_path / "models.toml"), "new:7b", "ollama")
