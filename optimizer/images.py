"""Images sent with a request: their kind, their size, and the tokens that they may cost."""

from __future__ import annotations

from typing import NamedTuple

MOST_IMAGES = 5
LARGEST_BYTES = 10_000_000

_PNG, _JPEG, _RIFF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"
_GIFS = (b"GIF87a", b"GIF89a")
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_DATA_BEGINS, _END = 0xDA, 0xD9
_MOST_SEGMENTS = 10_000


class NotAnImage(ValueError):
    """The bytes are not an image of a known kind, or their head is cut or damaged; the message says which."""


class Image(NamedTuple):
    """An image as it is sent: its media type (`image/png`), its bytes, its size in pixels, its file's bare name."""

    media_type: str
    data: bytes
    width: int
    height: int
    name: str = ""


def media_type(data: bytes) -> str:
    """The media type of the first bytes; '' for anything but png, jpeg, gif and webp."""
    if data.startswith(_PNG):
        return "image/png"
    if data.startswith(_JPEG):
        return "image/jpeg"
    if data.startswith(_GIFS):
        return "image/gif"
    return "image/webp" if data.startswith(_RIFF) and data[8:12] == b"WEBP" else ""


def read(data: bytes, name: str = "") -> Image:
    """The image in `data`, its size read from its head alone; raises NotAnImage, and nothing else."""
    kind = media_type(data)
    if not kind:
        raise NotAnImage("it is no png, jpeg, gif or webp")
    width, height = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/webp": _webp}[kind](data)
    if not (width and height):
        raise NotAnImage(f"its head gives no size: {width} × {height} pixels")
    return Image(kind, data, width, height, name)


def tokens(image: Image) -> int:
    """The most tokens that an image is charged as, by the most expensive rule that vendors documented in autumn 2026.

    Anthropic (platform.claude.com/docs, "Vision"): one for each 28 × 28 pixels, at most 4,784; larger ones are shrunk.
    OpenAI (developers.openai.com, "Images and vision") at detail `high`: one for each 32 × 32 pixels, at most 2,500,
    times 1.2; for the models called mini at most 1,536, times 1.62. Gemini (ai.google.dev, "Media resolution" and
    "Image understanding"): 1,120; the models 2.5 take 258 for each tile, about 2,300 at most. Groq and Ollama document
    no rule that holds for all of their models.
    """
    claude = min(_patches(image, 28), 4784)
    flagship, mini = min(_patches(image, 32), 2500) * 1.2, min(_patches(image, 32), 1536) * 1.62
    tile = max(1, int(min(image.width, image.height) / 1.5))
    gemini = max(1120, min(258 * _ceil(image.width, tile) * _ceil(image.height, tile), 2306))
    return max(claude, gemini, int(flagship) + 1, int(mini) + 1)


def _patches(image: Image, side: int) -> int:
    return _ceil(image.width, side) * _ceil(image.height, side)


def _ceil(size: int, step: int) -> int:
    return -(-size // step)


def _number(data: bytes, at: int, size: int, big: bool = False) -> int:
    piece = data[at : at + size]
    if len(piece) < size:
        raise NotAnImage("its head is cut")
    return int.from_bytes(piece, "big" if big else "little")


def _png(data: bytes) -> tuple[int, int]:
    if data[12:16] != b"IHDR":
        raise NotAnImage("its head is damaged")
    return _number(data, 16, 4, big=True), _number(data, 20, 4, big=True)


def _gif(data: bytes) -> tuple[int, int]:
    return _number(data, 6, 2), _number(data, 8, 2)


def _jpeg(data: bytes) -> tuple[int, int]:
    """Walk the segments up to the one that gives the size; it comes before the compressed data."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if _number(data, at, 1) != 0xFF:
            raise NotAnImage("its head is damaged")
        marker = _number(data, at + 1, 1)
        if marker in _SIZES:
            return _number(data, at + 7, 2, big=True), _number(data, at + 5, 2, big=True)
        if marker in (_DATA_BEGINS, _END, 0x00):
            raise NotAnImage("its head gives no size")
        if marker == 0xFF:  # filling
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + max(2, _number(data, at + 2, 2, big=True))
    raise NotAnImage("its head is damaged")


def _webp(data: bytes) -> tuple[int, int]:
    form = data[12:16]
    if form == b"VP8X":
        return _number(data, 24, 3) + 1, _number(data, 27, 3) + 1
    if form == b"VP8L" and data[20:21] == b"\x2f":
        packed = _number(data, 21, 4)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if form == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return _number(data, 26, 2) & 0x3FFF, _number(data, 28, 2) & 0x3FFF
    raise NotAnImage("its head is damaged")
