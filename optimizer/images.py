"""Images sent with a request: their kind, their size, the tokens that they may cost, and what is sent of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
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


# ── metadata ─────────────────────────────────────────────────────────────────────────────────────

# Chunks that say how pixels are shown, with the most bytes that each may hold: PNG, third edition, section 11.
_PNG_KEPT = {
    b"IHDR": 13, b"PLTE": 768, b"IDAT": 2**31, b"IEND": 0, b"tRNS": 256, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1,
    b"sBIT": 4, b"bKGD": 6, b"pHYs": 9, b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"acTL": 8, b"fcTL": 26, b"fdAT": 2**31,
}  # fmt: skip
_SCAN_BEGINS, _JFIF, _EXIF, _ADOBE = 0xDA, 0xE0, 0xE1, 0xEE
# Frames, tables, restarts and scans of a jpeg: all of them but the segments of applications and comments.
_JPEG_KEPT = frozenset(range(0xC0, 0xD0)) | {0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_WEBP_KEPT = (b"VP8 ", b"VP8L", b"ALPH", b"ANIM")
_WEBP_EXIF, _WEBP_FLAGS = 0x08, 0x10 | 0x02  # of VP8X: the flag of metadata; those of alpha and of animation
_ORIENTATION = 0x0112


def without_metadata(image: Image) -> Image:
    """The image as it is sent: what its pixels need and how it is turned stay, byte for byte, and nothing else.

    Text, EXIF, XMP, IPTC, colour profiles, thumbnails and what follows the end go. No light library does this for the
    four kinds without encoding them again. Raises NotAnImage where the parts cannot be told apart.
    """
    parts = {"image/png": _png_parts, "image/jpeg": _jpeg_parts, "image/gif": _gif_parts, "image/webp": _webp_parts}
    return image._replace(data=b"".join(parts[image.media_type](image.data)))


def _piece(data: bytes, at: int, size: int) -> bytes:
    piece = data[at : at + size]
    if len(piece) < size:
        raise NotAnImage("it is cut")
    return piece


def _turned(exif: bytes) -> int:
    """How an image is turned, as its EXIF data says: 2 to 8, 1 for not at all."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": False, b"MM\0*": True}.get(exif[:4])
    if order is None:
        return 1
    try:
        first = _number(exif, 4, 4, order)
        for at in range(first + 2, first + 2 + 12 * _number(exif, first, 2, order), 12):
            if _number(exif, at, 2, order) == _ORIENTATION:
                found = _number(exif, at + 8, 2, order)
                return found if found in range(2, 9) else 1
    except NotAnImage:
        pass
    return 1


def _exif(turned: int) -> bytes:
    """EXIF data that says how an image is turned, and nothing else."""
    entry = b"".join(number.to_bytes(size, "little") for number, size in ((_ORIENTATION, 2), (3, 2), (1, 4)))
    return b"II*\0" + b"\x08\0\0\0" + b"\x01\0" + entry + turned.to_bytes(4, "little") + b"\0\0\0\0"


def _png_parts(data: bytes) -> Iterator[bytes]:
    yield _PNG
    at, name = len(_PNG), b""
    while name != b"IEND":
        size = _number(data, at, 4, big=True)
        name = _piece(data, at + 4, 4)
        whole = _piece(data, at, size + 12)
        at += size + 12
        if size <= _PNG_KEPT.get(name, -1):
            yield whole
        elif name == b"eXIf" and (turned := _turned(whole[8:-4])) > 1:
            kept = b"eXIf" + _exif(turned)
            yield (len(kept) - 4).to_bytes(4, "big") + kept + zlib.crc32(kept).to_bytes(4, "big")


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    yield data[:2]
    at, is_turned = 2, False
    while at < len(data):
        if data[at] != 0xFF:
            raise NotAnImage("its parts cannot be told apart")
        marker = _number(data, at + 1, 1)
        if marker == 0xFF:  # filling
            at += 1
        elif marker == _END:
            yield b"\xff\xd9"
            return
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            size = max(2, _number(data, at + 2, 2, big=True))
            segment = _piece(data, at, size + 2)
            at += size + 2
            if marker in _JPEG_KEPT:
                yield segment
            elif marker == _JFIF and segment[4:9] == b"JFIF\0" and size >= 16:
                yield b"\xff\xe0\0\x10" + segment[4:16] + b"\0\0"  # its thumbnail goes
            elif marker == _ADOBE and segment[4:9] == b"Adobe" and size >= 14:
                yield b"\xff\xee\0\x0e" + segment[4:16]  # without it, colours of some are shown wrongly
            elif marker == _EXIF and not is_turned and (turned := _turned(segment[4:])) > 1:
                is_turned, kept = True, b"Exif\0\0" + _exif(turned)
                yield b"\xff\xe1" + (len(kept) + 2).to_bytes(2, "big") + kept
            if marker == _SCAN_BEGINS:
                end = _end_of_scan(data, at)
                yield data[at:end]
                at = end


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the compressed data that begins at `at` ends: at a marker that is neither a restart nor a stuffed byte."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] != 0 and data[at + 1] not in range(0xD0, 0xD8):
            return at
        at += 2
    return len(data)


def _gif_parts(data: bytes) -> Iterator[bytes]:
    at = 13 + _colours(_number(data, 10, 1))
    yield _piece(data, 0, at)
    while (kind := _number(data, at, 1)) != 0x3B:
        if kind == 0x2C:
            head = 10 + _colours(_number(data, at + 9, 1)) + 1
            end = _after_blocks(data, at + head)
            yield data[at:end]
        elif kind == 0x21:
            end = _after_blocks(data, at + 2)
            label, loops = _number(data, at + 1, 1), data[at + 3 : at + 14] in _LOOPS
            if label == 0xF9 or (label == 0xFF and loops and end - at == 19):
                yield data[at:end]
        else:
            raise NotAnImage("its parts cannot be told apart")
        at = end
    yield b"\x3b"


def _colours(packed: int) -> int:
    """The bytes of a table of colours, as a packed field says."""
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    while size := _number(data, at, 1):
        at += size + 1
    return at + 1


def _webp_parts(data: bytes) -> Iterator[bytes]:
    kept = b"".join(_chunks(data[12 : 8 + _number(data, 4, 4)]))
    yield _RIFF + (len(kept) + 4).to_bytes(4, "little") + b"WEBP" + kept


def _chunks(data: bytes, in_frame: bool = False) -> Iterator[bytes]:
    """The chunks to keep; those of a frame are within its own chunk."""
    turned = 1
    listed = list(_listed(data))
    for name, body in listed:
        turned = _turned(body) if name == b"EXIF" and not in_frame else turned
    for name, body in listed:
        if name == b"VP8X" and not in_frame:
            flags = body[0] & _WEBP_FLAGS if body else 0
            yield _chunk(name, bytes((flags | (_WEBP_EXIF if turned > 1 else 0), 0, 0, 0)) + body[4:10])
        elif name == b"ANMF" and not in_frame:
            yield _chunk(name, body[:16] + b"".join(_chunks(body[16:], in_frame=True)))
        elif name in _WEBP_KEPT:
            yield _chunk(name, body)
    if turned > 1 and listed[0][0] == b"VP8X":
        yield _chunk(b"EXIF", _exif(turned))


def _listed(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size = _number(data, at + 4, 4)
        yield data[at : at + 4], _piece(data, at + 8, size)
        at += 8 + size + size % 2


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
