"""The reader of picture heads: right on true pictures, and never worse than its own error on anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.images import Image, NotAnImage, media_type, read, tokens
from tests.images import pictures
from tests.pace import assert_linear

ANY = st.sampled_from(sorted(pictures.MAKERS))
SIDE = st.integers(1, 16_383)


def outcome(data: bytes) -> Image | str:
    """What comes of reading; any exception but the reader's own fails the test."""
    try:
        return read(data)
    except NotAnImage as error:
        return str(error)


@given(kind=ANY, width=SIDE, height=SIDE)
def test_the_size_of_every_kind_is_read(kind: str, width: int, height: int) -> None:
    data = pictures.png(1, 1) if kind == "png" else pictures.MAKERS[kind](width, height)
    if kind == "png":
        data = data[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + data[24:]
    image = read(data, "shot")
    assert (image.width, image.height, image.name) == (width, height, "shot")
    assert image.media_type == f"image/{kind.partition(' ')[0]}"
    assert image.data is data


@pytest.mark.parametrize(
    "before",
    [b"\xff\xff\xff", b"\xff\x01", b"\xff\xd0", b"\xff\xe2\0\x02", b"\xff\xfe\0\x07note!"],
    ids=["filling", "a marker alone", "restart", "empty segment", "comment"],
)
def test_what_may_stand_before_the_frame_of_a_jpeg_is_passed_over(before: bytes) -> None:
    image = read(pictures.jpeg(640, 480, before, progressive=True))
    assert (image.width, image.height) == (640, 480)


@given(
    data=st.binary(max_size=200),
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF"]),
)
def test_any_bytes_are_a_picture_or_the_readers_own_error(data: bytes, start: bytes) -> None:
    image = outcome(start + data)
    if isinstance(image, Image):
        assert image.width > 0 and image.height > 0 and image.media_type == media_type(start + data)


@given(kind=ANY, at=st.integers(0, 400), put=st.binary(max_size=4), cut=st.integers(0, 400))
def test_a_damaged_or_cut_head_is_never_worse_than_that(kind: str, at: int, put: bytes, cut: int) -> None:
    whole = pictures.MAKERS[kind](80, 60)
    for data in (whole[:at] + put + whole[at + len(put) :], whole[:cut]):
        image = outcome(data)
        assert isinstance(image, str) or (image.width > 0 and image.height > 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"RIFF\0\0\0\0WAVEfmt ",
        pictures.png()[:20],
        pictures.gif(0, 5),
        pictures.jpeg(8, 0),
        b"\xff\xd8\xff\xda\0\x08",
        b"\xff\xd8\xff\xe0\0\x04ab no marker here",
        pictures.webp()[:12] + b"ICCP" + b"\0" * 20,
    ],
)
def test_what_is_no_picture_is_told(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        read(data)


def test_a_head_of_endless_segments_takes_no_time() -> None:
    for filling in (b"\xff" * 10_000_000, b"\xff\xe2\0\x02" * 2_500_000):
        assert isinstance(outcome(b"\xff\xd8\xff" + filling[1:]), str)
        assert_linear(lambda size, filling=filling: outcome(b"\xff\xd8\xff" + filling[1:size]), len(filling) // 4)


@pytest.mark.parametrize(
    ("width", "height", "most"),
    [
        (1, 1, 1120),
        (200, 200, 1120),
        (1000, 1000, 1659),
        (1920, 1080, 2691),
        (2000, 1500, 3888),
        (3840, 2160, 4784),
        (8000, 8000, 4784),
        (8000, 100, 2306),
    ],
)
def test_tokens_are_those_of_the_dearest_rule(width: int, height: int, most: int) -> None:
    assert tokens(Image("image/png", b"", width, height)) == most


@given(width=st.integers(1, 20_000), height=st.integers(1, 20_000))
def test_no_rule_asks_for_more(width: int, height: int) -> None:
    image = Image("image/png", b"", width, height)
    claude = -(-width // 28) * -(-height // 28)
    patches = -(-width // 32) * -(-height // 32)
    assert tokens(image) >= max(min(claude, 4784), 1120, min(patches, 2500) * 1.2, min(patches, 1536) * 1.62)
    assert tokens(image) <= 4784
    assert tokens(image) == tokens(Image("image/gif", b"x", height, width))
