"""Each rule finds its secrets, also escaped, and leaves placeholders and code alone: the cases of secret_cases.toml."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import SecretFound
from optimizer.privacy.secrets.scan import mask, rule_names, scan
from tests.pace import assert_linear, seconds
from tests.privacy.secret_cases import filled, kinds

FOUND = {kind.rule: [filled(template) for template in kind.found] for kind in kinds()}
CLEAN = {kind.rule: [filled(template) for template in kind.clean] for kind in kinds()}
OF_LINES = {"a private key", "a password of an account file"}  # rules for whole lines


@pytest.mark.parametrize(("rule", "secret"), [(rule, secret) for rule, secrets in FOUND.items() for secret in secrets])
def test_each_rule_finds_its_secrets_in_every_wrapping(rule: str, secret: str) -> None:
    wrappings = {
        "alone": secret,
        "in code": f"x = 1\n{secret}\ny = 2\n",
        "windows line ends": f"x = 1\r\n{secret}\r\n",
        "as JSON": json.dumps({"content": f"line one\n{secret}\nline three"}),
        "as JSON in JSON": json.dumps({"a": json.dumps({"b": f"one\n{secret}\nthree"})}),
        "in a diff": f"@@ -1 +1 @@\n+{secret}\n",
        "after other alphabets": f"ключ İ 鍵 {secret}\n",
    }
    kept = ("alone",) if rule in OF_LINES or "\n" in secret else wrappings
    if rule == "a secret assigned to a name":
        kept = [name for name in wrappings if name != "after other alphabets"]  # there it is not at the start of a line
    for name in kept:
        found, masked = scan(wrappings[name]), mask(wrappings[name])
        assert found, name
        assert secret not in masked, name
        assert all(one.masked not in ("", secret) and len(one.masked) <= 5 for one in found), name


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in CLEAN.items() for text in texts])
def test_placeholders_and_code_are_left_alone(rule: str, text: str) -> None:
    assert scan(text) == ()
    assert scan(f"x = 1\n{text}\n") == ()


@pytest.mark.parametrize("secret", FOUND["a private key"])
def test_no_part_of_a_private_key_is_left(secret: str) -> None:
    masked = mask(f"{secret}\n-----END PRIVATE KEY-----\nand then - this" if "END" not in secret else secret)
    lines = re.findall(r"[A-Za-z0-9+/]{16,}", secret)
    assert lines
    assert not any(line[at : at + 8] in masked for line in lines for at in range(4, len(line) - 8))


def test_every_rule_has_three_secrets_and_three_that_are_none() -> None:
    assert rule_names() == FOUND.keys() == CLEAN.keys()
    assert min(len(texts) for texts in [*FOUND.values(), *CLEAN.values()]) >= 3


@pytest.mark.parametrize("rule", FOUND)
def test_each_rule_names_most_of_its_secrets(rule: str) -> None:
    assert [rule in {one.rule for one in scan(secret)} for secret in FOUND[rule]].count(True) >= 2


def test_the_place_is_line_and_column_in_characters() -> None:
    key = FOUND["a Groq key"][0]
    (found,) = scan(f"ä = 1\nübung = '{key}'\n")
    assert (found.line, found.column) == (2, 10)


def test_a_secret_is_reported_once() -> None:
    assert len(scan('ANTHROPIC_API_KEY = "' + FOUND["an Anthropic key"][0] + '"')) == 1


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    assert isinstance(scan(text + "\ud800 token="), tuple)
    assert mask("plain") == "plain"


def test_a_scan_out_of_time_stops_the_request() -> None:
    with pytest.raises(SecretFound) as caught:
        scan("anything", seconds=-1.0)
    assert caught.value.exit_code == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["token=" * 20_000, "-----BEGIN " * 20_000, "eyJ" * 80_000, "://a:" * 50_000, "secret " * 40_000]
)
def test_repeated_anchors_take_no_longer_than_other_text(text: str) -> None:
    assert_linear(lambda size: scan(text[:size]), len(text) // 4)


@pytest.mark.slow
def test_code_is_scanned_at_ten_megabytes_a_second() -> None:
    line = "    def validate_token(self, request, password=None):  # see https://docs.example.org/auth?x=1#token\n"
    other = "        return self.client.get(url, headers=self.headers, timeout=self.timeout) or fallback(value)\n"
    text = (line + other * 12) * 8000
    assert seconds(lambda: scan(text)) < seconds(lambda: re.findall(r"\w+|\W", text))
