"""Small true pictures of every kind, and heads of pictures of any size."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping


def png(width: int = 8, height: int = 6) -> bytes:
    """A whole picture, all of one grey."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height)) if width * height < 10_000_000 else b""
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in chunks)


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a png."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def jpeg(width: int = 8, height: int = 6, before: bytes = b"", progressive: bool = False) -> bytes:
    """A picture: JFIF, an Exif segment, tables, the frame, a scan; `before` stands in front of the frame."""
    segments = segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0") + segment(0xE1, b"Exif\0\0" + b"\xff\xc0" * 20)
    tables = segment(0xDB, b"\0" + b"\x10" * 64) + segment(0xC4, b"\0" + b"\1" * 20)
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8" + segments + tables + before + segment(0xC2 if progressive else 0xC0, frame) + SCAN


SCAN = b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\x12\xff\0\x34\xff\xd0\x56" + b"\xff\xd9"


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a jpeg."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def gif(width: int = 8, height: int = 6) -> bytes:
    """A whole picture without a frame."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b";"


def webp(width: int = 8, height: int = 6, form: bytes = b"VP8 ") -> bytes:
    """The head of a picture: lossy, lossless (`VP8L`) or extended (`VP8X`)."""
    if form == b"VP8L":
        body = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)
    elif form == b"VP8X":
        body = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    else:
        body = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    inner = form + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(inner) + 4) + b"WEBP" + inner


MAKERS: Mapping[str, Callable[[int, int], bytes]] = {
    "png": png,
    "jpeg": jpeg,
    "gif": gif,
    "webp": webp,
    "webp lossless": lambda width, height: webp(width, height, b"VP8L"),
    "webp extended": lambda width, height: webp(width, height, b"VP8X"),
}
