"""Whether a vendor takes images: their kinds, bytes and pixels against the limits of its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from optimizer import vendors
from optimizer.reasons import ImageRefused
from optimizer.vendors import ImageLimits

if TYPE_CHECKING:
    from optimizer.images import Image


def objection(provider: str, images: Sequence[Image]) -> ImageRefused | None:
    """Why a provider does not take these images, None when it does; compatible servers take all."""
    limits = vendors.of(provider).images
    for image in images:
        if refused := _objection(limits, image):
            return refused
    whole = sum(map(_as_sent, images))
    if limits.together and whole > limits.together:
        return ImageRefused("total", limits.together, whole)
    return None


def _objection(limits: ImageLimits, image: Image) -> ImageRefused | None:
    size = _as_sent(image)
    if image.media_type.removeprefix("image/") not in limits.kinds:
        return ImageRefused("kinds", 0, size, image, limits.kinds)
    if limits.side and max(image.width, image.height) > limits.side:
        return ImageRefused("side", limits.side, size, image)
    if limits.pixels and image.width * image.height > limits.pixels:
        return ImageRefused("pixels", limits.pixels, size, image)
    return ImageRefused("bytes", limits.each, size, image) if limits.each and size > limits.each else None


def _as_sent(image: Image) -> int:
    """Bytes of the base64 in which an image is sent."""
    return -(-len(image.data) // 3) * 4
