"""What is sent of an image: its pixels and how it is turned; nothing that says who made it, where or with what."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.images import NotAnImage, read, without_metadata
from tests.images import pictures

CANARY = b"canary 48.8584,2.2945 SN-0815"
ANY = st.sampled_from(sorted(pictures.MAKERS))


def sent(data: bytes) -> bytes:
    return without_metadata(read(data)).data


def exif(turned: int, order: str = "<") -> bytes:
    """EXIF data with an orientation, a maker and a thumbnail."""
    entries = struct.pack(f"{order}HHII", 0x010F, 2, len(CANARY), 50) + struct.pack(
        f"{order}HHIHH", 0x112, 3, 1, turned, 0
    )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + struct.pack(f"{order}H", 2) + entries + struct.pack(f"{order}I", 38) + b"\0" * 12 + CANARY * 9


def png(*extra: bytes) -> bytes:
    whole = pictures.png()
    return whole[:33] + b"".join(extra) + whole[33:]


def jpeg(*extra: bytes) -> bytes:
    return pictures.jpeg(before=b"".join(extra))


def gif(*extra: bytes) -> bytes:
    frame = b"\x21\xf9\4\0\0\0\0\0" + b"\x2c\0\0\0\0\x08\0\x06\0\0\2\2\x44\x01\0"
    return pictures.gif()[:-1] + b"".join(extra) + frame + b";"


def webp(*extra: bytes, flags: int = 0) -> bytes:
    head = b"VP8X" + struct.pack("<I", 10) + bytes((flags, 0, 0, 0)) + b"\7\0\0\5\0\0"
    inner = head + pictures.webp()[12:] + b"".join(extra)
    return b"RIFF" + struct.pack("<I", len(inner) + 4) + b"WEBP" + inner


def riff(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


PROFILE = b"icc\0\0" + zlib.compress(b"\0" * 128)
XMP = b"<x:xmpmeta>" + CANARY + b"</x:xmpmeta>"
GIF_XMP = b"\x21\xff\x0bXMP DataXMP" + XMP + b"\1" + bytes(range(255, -1, -1)) + b"\0"
BLOCK = bytes((len(CANARY),)) + CANARY + b"\0"
HIDING = {
    "png text": png(pictures.chunk(b"tEXt", b"Author\0" + CANARY)),
    "png international text": png(pictures.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
    "png compressed text": png(pictures.chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x") + CANARY)),
    "png exif": png(pictures.chunk(b"eXIf", exif(1))),
    "png turned exif": png(pictures.chunk(b"eXIf", exif(6))),
    "png profile": png(pictures.chunk(b"iCCP", CANARY + b"\0" + PROFILE)),
    "png private": png(pictures.chunk(b"prVt", CANARY)),
    "png in a chunk for pixels": png(pictures.chunk(b"gAMA", CANARY)),
    "png after the end": png() + CANARY,
    "jpeg exif": jpeg(pictures.segment(0xE1, b"Exif\0\0" + exif(1))),
    "jpeg turned exif": jpeg(pictures.segment(0xE1, b"Exif\0\0" + exif(8, ">"))),
    "jpeg xmp": jpeg(pictures.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)),
    "jpeg iptc": jpeg(pictures.segment(0xED, b"Photoshop 3.0\x008BIM\4\4" + CANARY)),
    "jpeg profile": jpeg(pictures.segment(0xE2, b"ICC_PROFILE\0\1\1" + CANARY)),
    "jpeg comment": jpeg(pictures.segment(0xFE, CANARY)),
    "jpeg thumbnail": jpeg(pictures.segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\x08\x08" + CANARY)),
    "jpeg adobe": jpeg(pictures.segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + CANARY)),
    "jpeg between scans": jpeg()[:-2] + pictures.segment(0xFE, CANARY) + pictures.SCAN,
    "jpeg after the end": jpeg() + CANARY,
    "gif comment": gif(b"\x21\xfe" + BLOCK),
    "gif text": gif(b"\x21\x01\x0c" + b"\0" * 12 + BLOCK),
    "gif xmp": gif(GIF_XMP),
    "gif application": gif(b"\x21\xff\x0bMGKCOPYRGHT" + BLOCK),
    "gif loop with more": gif(b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0" + BLOCK),
    "gif after the end": gif() + CANARY,
    "webp exif": webp(riff(b"EXIF", exif(1)), flags=0x08),
    "webp turned exif": webp(riff(b"EXIF", exif(3)), flags=0x08),
    "webp xmp": webp(riff(b"XMP ", XMP), flags=0x04),
    "webp profile": webp(riff(b"ICCP", CANARY), flags=0x20),
    "webp private": webp(riff(b"abcd", CANARY)),
    "webp in a frame": webp(riff(b"ANMF", b"\0" * 16 + pictures.webp()[12:] + riff(b"abcd", CANARY)), flags=0x02),
    "webp after the end": webp() + CANARY,
}
TURNED = {"png turned exif": 6, "jpeg turned exif": 8, "webp turned exif": 3}


@pytest.mark.parametrize("where", sorted(HIDING))
def test_no_metadata_is_sent(where: str) -> None:
    data = HIDING[where]
    assert CANARY in data
    assert CANARY not in sent(data)
    assert read(sent(data))[2:4] == read(data)[2:4]
    assert sent(sent(data)) == sent(data)


@pytest.mark.parametrize("where", sorted(HIDING))
def test_how_it_is_turned_is_kept_and_nothing_else_of_exif(where: str) -> None:
    entry = struct.pack("<HHIHH", 0x112, 3, 1, TURNED.get(where, 1), 0)
    assert (entry in sent(HIDING[where])) == (where in TURNED)


@pytest.mark.parametrize(("clean", "same"), [(png, png()), (gif, gif()), (webp, webp())])
def test_what_has_no_metadata_stays_as_it_is(clean: Callable[..., bytes], same: bytes) -> None:
    assert sent(clean()) == same


def test_a_loop_and_the_pixels_of_all_frames_stay() -> None:
    loop = b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    assert sent(gif(loop)) == gif(loop)
    frame = riff(b"ANMF", b"\0" * 16 + pictures.webp()[12:])
    assert sent(webp(riff(b"ANIM", b"\0" * 6), frame, frame, flags=2)) == webp(
        riff(b"ANIM", b"\0" * 6), frame, frame, flags=2
    )
    scans = jpeg()[:-2] + pictures.SCAN
    assert sent(scans).count(pictures.SCAN[:-2]) == 2


@given(kind=ANY, at=st.integers(0, 400), put=st.binary(max_size=40), cut=st.integers(0, 400))
def test_a_damaged_image_is_refused_or_sent_without_what_was_not_known(
    kind: str, at: int, put: bytes, cut: int
) -> None:
    whole = pictures.MAKERS[kind](80, 60)
    for data in (whole[:at] + put + whole[at:], whole[:at] + put + whole[at + len(put) :], whole[:cut]):
        try:
            once = sent(data)
        except NotAnImage:
            continue
        assert sent(once) == once
