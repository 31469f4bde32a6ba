"""Where in a request a secret stands: the file and line that the prompt shows, else the part of the request."""

from __future__ import annotations

import json

import pytest

from optimizer.privacy.payload import scan_payload

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
    assert scan_payload(body(text)) == (("a Groq key", where),)


def test_every_string_of_the_body_is_scanned() -> None:
    for value in ({"system": KEY}, {"tools": [{"description": KEY}]}, {KEY: 1}, {"a": [{"b": {"c": [KEY]}}]}, KEY):
        assert len(scan_payload(json.dumps(value).encode())) == 1


def test_a_body_that_is_no_json_is_scanned_as_it_is() -> None:
    for content in (f"key {KEY} end".encode(), b"\xff\xfe " + KEY.encode(), b"[" * 5000 + KEY.encode()):
        assert [rule for rule, _ in scan_payload(content)] == ["a Groq key"]
    assert scan_payload(b"") == ()


def test_escapes_do_not_hide_a_secret() -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    assert len(scan_payload(f'{{"content": "{escaped}"}}'.encode())) == 1
