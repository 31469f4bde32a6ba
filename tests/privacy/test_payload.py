"""Where in a request a secret stands: the file and line that the prompt shows, else the part of the request."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.privacy.secrets.payload import pictures, scan_payload
from tests.images import pictures as made

GROQ = "a Groq key"
KEY = "gs" + "k_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6"


def body(text: str) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f"## src/a.py\n39\tx = 1\n40\tK = '{KEY}'\n\n## b.py\n1\t\n", "src/a.py:40"),
        (f"## a dir/a.py\n7\t## b.py\n9\tK = '{KEY}'\n", "a dir/a.py:9"),
        (f"+++ b/src/a.py\n@@ -1 +1 @@\n+K = '{KEY}'\n", "b/src/a.py, line 3 of messages[0].content"),
        (f"### `config.py`\nself.x\nK = '{KEY}'\n", "config.py, line 3 of messages[0].content"),
        (f"Please use\n{KEY}\nfor it.", "line 2 of messages[0].content"),
    ],
)
def test_the_place_is_named(text: str, where: str) -> None:
    assert [(one.rule, one.where) for one in scan_payload(body(text))] == [(GROQ, where)]


def test_every_string_of_the_body_is_scanned() -> None:
    for value in ({"system": KEY}, {"tools": [{"description": KEY}]}, {KEY: 1}, {"a": [{"b": {"c": [KEY]}}]}, KEY):
        assert len(scan_payload(json.dumps(value).encode())) == 1


def test_a_body_that_is_no_json_is_scanned_as_it_is() -> None:
    for content in (f"key {KEY} end".encode(), b"\xff\xfe " + KEY.encode(), b"[" * 5000 + KEY.encode()):
        assert [one.rule for one in scan_payload(content)] == [GROQ]
    assert scan_payload(b"") == ()


def test_escapes_do_not_hide_a_secret() -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    assert len(scan_payload(f'{{"content": "{escaped}"}}'.encode())) == 1


def in_body(text: str) -> bytes:
    return json.dumps({"messages": [{"content": [{"data": text}, {"text": "What is wrong?"}]}]}).encode()


@pytest.mark.parametrize("kind", sorted(made.MAKERS))
def test_pictures_are_found_in_either_alphabet_and_in_data_urls(kind: str) -> None:
    shot = made.MAKERS[kind](40, 30) + bytes(range(256)) * 8
    plain, url_safe = base64.b64encode(shot).decode(), base64.urlsafe_b64encode(shot).decode()
    assert plain != url_safe
    for text in (plain, url_safe, f"data:image/png;base64,{plain}"):
        assert pictures(in_body(text)) == (shot,)
        assert scan_payload(in_body(text)) == ()
    two = json.dumps([plain, {"images": [plain]}, "text", 3]).encode()
    assert pictures(two) == (shot, shot)


@pytest.mark.parametrize("around", ["{} " + KEY, KEY + " {}", "{}\n" + KEY, "1\t{}\n2\t" + KEY])
def test_a_secret_beside_a_picture_in_one_string_is_found(around: str) -> None:
    text = around.format(base64.b64encode(made.png()).decode())
    assert pictures(in_body(text)) == ()
    assert [one.rule for one in scan_payload(in_body(text))] == [GROQ]


def test_base64_that_is_no_picture_is_scanned() -> None:
    assert pictures(in_body(base64.b64encode(b"\x89PNG but no more").decode())) == ()
    assert pictures(in_body("iVBORw0KGgo=" + KEY)) == ()
    assert pictures(b"iVBORw0KGgo") == pictures(b"") == pictures(b"[" * 5000 + b"R0lGOD") == ()


@given(st.text(max_size=60))
def test_any_text_is_a_picture_or_none(text: str) -> None:
    assert all(found.startswith(b"GIF8") for found in pictures(in_body("R0lGOD" + text)))
