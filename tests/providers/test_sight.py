"""What vendors take of pictures: kinds, bytes as they are sent, pixels."""

from __future__ import annotations

import pytest

from optimizer.images import LARGEST_BYTES, MOST_IMAGES, Image
from optimizer.providers import sight
from optimizer.report import reasons
from optimizer.types import LeftOut

MB = 1_000_000


def image(size: int = 1000, width: int = 800, height: int = 600, kind: str = "png") -> Image:
    return Image(f"image/{kind}", b"\0" * size, width, height, f"shot.{kind}")


@pytest.mark.parametrize("provider", ["anthropic", "gemini", "groq", "ollama", "openai", "studio"])
def test_a_usual_picture_suits_all(provider: str) -> None:
    assert sight.objection(provider, (image(), image(kind="jpeg"))) is None


@pytest.mark.parametrize(
    ("provider", "images", "why"),
    [
        ("gemini", (image(), image(kind="gif")), "gemini takes only jpeg, png, webp; shot.gif is a gif"),
        ("ollama", (image(kind="gif"),), "ollama takes only jpeg, png, webp"),
        ("anthropic", (image(7_600_000),), "anthropic takes images of up to 10.0 MB; shot.png is a png of 800 × 600"),
        ("anthropic", (image(width=8001),), "anthropic takes images of up to 8,000 pixels a side"),
        ("groq", (image(width=8000, height=5000),), "groq takes images of up to 33 megapixels"),
        (
            "groq",
            (image(2 * MB), image(MB)),
            "groq takes 3.9 MB of images a request; these are 4.0 MB as they are sent",
        ),
        ("gemini", (image(8 * MB), image(7 * MB)), "gemini takes 19.5 MB of images a request"),
    ],
)
def test_each_bound_is_told(provider: str, images: tuple[Image, ...], why: str) -> None:
    refused = sight.objection(provider, images)
    assert refused
    assert why in reasons.why(LeftOut("one", provider, "free", refused))
    assert sight.objection("openai", images) is None


@pytest.mark.parametrize(
    ("provider", "images"),
    [
        ("anthropic", (image(7_500_000, 8000, 8000, "gif"),)),
        ("groq", (image(2_900_000, 7680, 4320),)),
        ("gemini", (image(LARGEST_BYTES),)),
        ("openai", (image(LARGEST_BYTES),) * MOST_IMAGES),
    ],
)
def test_what_is_just_within_the_bounds_is_taken(provider: str, images: tuple[Image, ...]) -> None:
    assert sight.objection(provider, images) is None
