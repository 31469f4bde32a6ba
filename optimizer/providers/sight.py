"""What vendors take of pictures, as their documentation said in autumn 2026: kinds, bytes and pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.reasons import ImageRefused

if TYPE_CHECKING:
    from optimizer.images import Image

ALL_KINDS = frozenset({"png", "jpeg", "gif", "webp"})
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Sight:
    """Kinds of pictures; most bytes of one and of all in a request, both as base64; most pixels of a side and in all.

    0 stands for a bound that the vendor does not set, or that the bounds of this program stay under.
    """

    kinds: frozenset[str] = ALL_KINDS
    each: int = 0
    together: int = 0
    side: int = 0
    pixels: int = 0


SIGHTS: Mapping[str, Sight] = {
    # 10 MB an image, 32 MB a request, 8,000 pixels a side: platform.claude.com/docs, "Vision"
    "anthropic": Sight(each=10 * MEGABYTE, together=31 * MEGABYTE, side=8000),
    # 20 MB a request, no gif: ai.google.dev/gemini-api/docs, "Image understanding"
    "gemini": Sight(ALL_KINDS - {"gif"}, together=19_500_000),
    # 4 MB a request with base64, 33 megapixels: console.groq.com/docs, "Images and Vision"
    "groq": Sight(together=3_900_000, pixels=33_177_600),
    # png, jpeg and, since 2025, webp: what its maintainers say of it
    "ollama": Sight(ALL_KINDS - {"gif"}),
}
_UNBOUNDED = Sight()


def objection(provider: str, images: Sequence[Image]) -> ImageRefused | None:
    """Why a provider does not take these pictures, None when it does; compatible servers take all."""
    sight = SIGHTS.get(provider, _UNBOUNDED)
    for image in images:
        if refused := _objection(sight, image):
            return refused
    whole = sum(map(_as_sent, images))
    if sight.together and whole > sight.together:
        return ImageRefused("total", sight.together, whole)
    return None


def _objection(sight: Sight, image: Image) -> ImageRefused | None:
    size = _as_sent(image)
    if image.media_type.removeprefix("image/") not in sight.kinds:
        return ImageRefused("kinds", 0, size, image, sight.kinds)
    if sight.side and max(image.width, image.height) > sight.side:
        return ImageRefused("side", sight.side, size, image)
    if sight.pixels and image.width * image.height > sight.pixels:
        return ImageRefused("pixels", sight.pixels, size, image)
    return ImageRefused("bytes", sight.each, size, image) if sight.each and size > sight.each else None


def _as_sent(image: Image) -> int:
    """Bytes of the base64 in which a picture travels."""
    return -(-len(image.data) // 3) * 4
