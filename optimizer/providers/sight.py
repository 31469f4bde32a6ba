"""What vendors take of pictures, as their documentation said in autumn 2026: kinds, bytes and pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


def objection(provider: str, images: Sequence[Image]) -> str:
    """Why a provider does not take these pictures, '' when it does; compatible servers take all."""
    sight = SIGHTS.get(provider, _UNBOUNDED)
    for image in images:
        if why := _objection(sight, image):
            return f"{provider} takes {why}; {image.name or 'an image'} is {_said(image)}"
    whole = sum(map(_as_sent, images))
    if sight.together and whole > sight.together:
        return f"{provider} takes {_mb(sight.together)} of images a request; these are {_mb(whole)} as they are sent"
    return ""


def _objection(sight: Sight, image: Image) -> str:
    if image.media_type.removeprefix("image/") not in sight.kinds:
        return f"only {', '.join(sorted(sight.kinds))}"
    if sight.side and max(image.width, image.height) > sight.side:
        return f"images of up to {sight.side:,} pixels a side"
    if sight.pixels and image.width * image.height > sight.pixels:
        return f"images of up to {sight.pixels / 1e6:.0f} megapixels"
    return f"images of up to {_mb(sight.each)}" if sight.each and _as_sent(image) > sight.each else ""


def _said(image: Image) -> str:
    kind = image.media_type.removeprefix("image/")
    return f"a {kind} of {image.width:,} × {image.height:,} pixels, {_mb(_as_sent(image))} as it is sent"


def _as_sent(image: Image) -> int:
    """Bytes of the base64 in which a picture travels."""
    return -(-len(image.data) // 3) * 4


def _mb(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB"
