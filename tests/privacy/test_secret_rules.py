"""Each rule finds its secrets, also escaped, and leaves placeholders and code alone.

The secrets are put together at run time, so that this file holds none.
"""

from __future__ import annotations

import json
import random
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import SecretFound
from optimizer.privacy.secrets.scan import mask, rule_names, scan
from tests.pace import assert_linear, seconds

ALNUM = string.ascii_letters + string.digits


def drawn(count: int, letters: str = ALNUM, seed: int = 7) -> str:
    """The same random-looking letters each time, with a digit and both cases where the letters have them."""
    return "".join(random.Random(f"{seed}{count}{letters}").choices(letters, k=count))


HEX = "0123456789abcdef"
URL64 = ALNUM + "_"
BODY = "\n".join(drawn(64, ALNUM + "+/", seed) for seed in range(3))
PASSWORD = "Tr0" + "ub4dor&" + "9xQ"

FOUND: dict[str, list[str]] = {
    "an Anthropic key": ["sk-ant-" + "api03-" + drawn(93, URL64) + "AA", "sk-ant-" + "admin01-" + drawn(80, URL64)],
    "an OpenAI key": [
        "sk-" + "proj-" + drawn(120, URL64),
        "sk-" + drawn(20) + "T3Blbk" + "FJ" + drawn(20, seed=8),
        "sk-" + drawn(48),
        "sk-" + "svcacct-" + drawn(60, URL64),
    ],
    "an OpenRouter key": ["sk-or-" + "v1-" + drawn(64, HEX), "sk-or-" + "v1-" + drawn(64, HEX, 9)],
    "a Groq key": ["gs" + "k_" + drawn(52), "gs" + "k_" + drawn(52, seed=9)],
    "a Google API key": ["AI" + "za" + drawn(35, URL64), "AI" + "zaSy" + drawn(33)],
    "a Google OAuth secret": ["GOC" + "SPX-" + drawn(28), "GOC" + "SPX-" + drawn(28, seed=9)],
    "a Google access token": ["ya" + "29." + drawn(60, URL64), "ya" + "29." + drawn(120, URL64)],
    "an AWS access key id": ["AK" + "IA" + "QYLPMN5HZ3VRT2WX", "AS" + "IA" + "Y34FZKBOKMUTVV7A"],
    "a GitHub token": [
        "gh" + "p_" + drawn(36),
        "gh" + "s_" + drawn(36),
        "github" + "_pat_" + drawn(22) + "_" + drawn(59),
    ],
    "a GitLab token": ["gl" + "pat-" + drawn(20), "gl" + "rt-" + drawn(20, seed=9)],
    "a Slack token": ["xo" + "xb-" + "123412341234-" + drawn(24), "xa" + "pp-1-A0" + drawn(40)],
    "a webhook": [
        "https://hooks.slack" + ".com/services/T0" + drawn(8) + "/B0" + drawn(8) + "/" + drawn(24),
        "https://hooks.slack" + ".com/workflows/T0" + drawn(8) + "/A0" + drawn(8) + "/" + drawn(24, seed=9),
    ],
    "a Stripe key": ["sk_" + "live_" + drawn(24), "rk_" + "live_" + drawn(99)],
    "a Stripe signing secret": ["wh" + "sec_" + drawn(32), "wh" + "sec_" + drawn(40)],
    "an npm token": ["np" + "m_" + drawn(36), "np" + "m_" + drawn(36, seed=9)],
    "a PyPI token": ["pypi-" + "AgEIcHlwaS5vcmc" + drawn(120, URL64), "pypi-" + "AgENdGVzdC5weXBp" + drawn(90, URL64)],
    "a Hugging Face token": ["h" + "f_" + drawn(34), "h" + "f_" + drawn(37)],
    "a SendGrid key": [
        "S" + "G." + drawn(22) + "." + drawn(43),
        "S" + "G." + drawn(22, seed=9) + "." + drawn(43, URL64),
    ],
    "a DigitalOcean token": ["dop" + "_v1_" + drawn(64, HEX), "doo" + "_v1_" + drawn(64, HEX)],
    "a Databricks token": ["da" + "pi" + drawn(32, HEX), "da" + "pi" + drawn(32, HEX, 9) + "-3"],
    "an age secret key": [
        "AGE-SECRET-" + "KEY-1" + drawn(58, string.ascii_uppercase + string.digits),
        "AGE-SECRET-" + "KEY-1" + drawn(58, string.ascii_uppercase + string.digits, 9),
    ],
    "a private key": [
        "-----BEGIN " + "RSA PRIVATE KEY-----\n" + BODY + "\n-----END",
        "-----BEGIN " + "PRIVATE KEY-----\r\n" + BODY.replace("\n", "\r\n"),
        "-----BEGIN " + "OPENSSH PRIVATE KEY-----\\n" + BODY.replace("\n", "\\n"),
        "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n" + BODY,
    ],
    "a JSON web token": [
        "ey" + "JhbGciOiJIUzI1NiJ9." + "ey" + "J" + drawn(60, URL64) + "." + drawn(43, URL64),
        "ey" + "JhbGciOiJSUzI1NiIsImtpZCI6IjEifQ." + "ey" + "J" + drawn(90, URL64) + "." + drawn(86, URL64),
    ],
    "a password in a connection string": [
        "postgres://app:" + drawn(14) + "@db.internal:5432/app",
        "amqp://svc:" + PASSWORD + "@10.0.0.4/vhost",
        "redis://:" + drawn(20) + "@cache.internal:6379/0",
        "https://ci-bot:" + drawn(16) + "@git.company.io/repo.git",
    ],
    "an Azure storage key": [
        "DefaultEndpointsProtocol=https;AccountName=a;Account" + "Key=" + drawn(86, ALNUM + "+/") + "==",
        "Account" + "Key=" + drawn(86, ALNUM + "+/", 9) + "==;EndpointSuffix=core.windows.net",
    ],
    "an authorization header": [
        "Authorization: " + "Bearer " + drawn(40),
        "-H 'authorization: " + "basic " + drawn(32) + "=='",
    ],
    "a secret assigned to a name": [
        'password = "' + PASSWORD + '"',
        "DB_PASSWORD=" + drawn(24),
        '"client_secret": "' + drawn(32) + '",',
        "aws_secret_access_" + "key = " + drawn(40, ALNUM + "/+"),
        "apiKey: '" + drawn(24) + "'",
        "const token: string = `" + drawn(30) + "`;",
        'passwd => "' + drawn(20) + '"',
        'os.environ["SECRET_KEY"] = "' + drawn(50) + '"',
        "export NPM_TOKEN=" + drawn(36, HEX),
    ],
}

CLEAN: dict[str, list[str]] = {
    "an Anthropic key": [
        "sk-ant-" + "api03-" + "x" * 95,
        "sk-ant-" + "api03-...",
        "sk-ant-" + "api03-your-key-here-please",
    ],
    "an OpenAI key": [
        "sk-" + "x" * 48,
        "sk-" + "proj-your-key-goes-right-here",
        "task-" + drawn(48),
        "sk-learn-estimators",
    ],
    "an OpenRouter key": ["sk-or-" + "v1-...", "sk-or-" + "v1-" + "0" * 64],
    "a Groq key": ["gs" + "k_" + "x" * 52, "gs" + "k_short", "gs" + "k_your_key"],
    "a Google API key": ["AI" + "za" + "X" * 35, "AI" + "zaSyShort"],
    "a Google OAuth secret": ["GOC" + "SPX-" + "x" * 28, "GOC" + "SPX-short"],
    "a Google access token": ["ya" + "29.short", "ya" + "29." + "x" * 40],
    "an AWS access key id": ["AK" + "IAIOSFODNN7EXAMPLE", "AK" + "IA" + "X" * 16, "BRAK" + "IAQYLPMN5HZ3VRT2WXAB"],
    "a GitHub token": ["gh" + "p_" + "x" * 36, "gh" + "p_short", "high" + "p_" + drawn(10)],
    "a GitLab token": ["gl" + "pat-" + "x" * 20, "gl" + "pat-short"],
    "a Slack token": ["xo" + "xb-your-token-here-please", "xo" + "xb-xxxx-xxxx-xxxxxxxxxxxxxx"],
    "a webhook": ["https://hooks.slack" + ".com/services/", "https://hooks.slack" + ".com/services/" + "X" * 40],
    "a Stripe key": ["sk_" + "test_" + "x" * 24, "sk_" + "live_...", "disk_" + "live_status_of_the_array"],
    "a Stripe signing secret": ["wh" + "sec_...", "wh" + "sec_" + "x" * 32],
    "an npm token": ["np" + "m_config_registry", "np" + "m_" + "x" * 36],
    "a PyPI token": ["pypi-" + "publish", "pypi-" + "AgE...", "pypi-" + "AgEIcHlwaS5vcmc" + "x" * 60],
    "a Hugging Face token": [
        "h" + "f_hub_download",
        "h" + "f_" + "x" * 34,
        "shelf_" + drawn(34, string.ascii_lowercase),
    ],
    "a SendGrid key": ["S" + "G.short.key", "MSG." + drawn(22) + "." + drawn(43)],
    "a DigitalOcean token": ["dop" + "_v1_" + "0" * 64, "dop" + "_v1_token"],
    "a Databricks token": ["da" + "pi" + "0" * 32, "dapifunction", "panda" + "pi" + drawn(10)],
    "an age secret key": ["AGE-SECRET-" + "KEY-1...", "AGE-SECRET-" + "KEY-1" + "X" * 58],
    "a private key": [
        "-----BEGIN " + "PUBLIC KEY-----\n" + BODY,
        'if line.startswith("-----BEGIN ' + 'PRIVATE KEY-----"):\n    return True\n',
        "-----BEGIN " + "CERTIFICATE-----\n" + BODY,
    ],
    "a JSON web token": ["eyJhbGciOiJIUzI1NiJ9", "eyes.eyebrow.eyelid", "ey" + "JhbGci.payload.sig"],
    "a password in a connection string": [
        "postgres://user:${DB_PASSWORD}@host/db",
        "mysql://root:root@localhost/db",
        "https://user:pass@example.com",
        "postgres://app:<password>@db/app",
        "http://localhost:8080/@scope/name",
        "mongodb://u:xxxx@h",
    ],
    "an Azure storage key": ["Account" + "Key=<key>", "Account" + "Key=short"],
    "an authorization header": [
        "Authorization: Bearer <token>",
        "Bearer ${TOKEN}",
        "basic authentication_is_used_here",
        "Bearer token-goes-here",
    ],
    "a secret assigned to a name": [
        'password = "changeme"',
        'password = os.environ["PASSWORD"]',
        "token = get_token(request, scope=2)",
        'token: "refresh_token_v2"',
        'SECRET_KEY = "your-secret-key-1234"',
        "password=xxxxxxxxxxxx",
        'password = "<your password 1>"',
        "API_KEY=${API_KEY_FROM_VAULT_1}",
        "API_KEY={{ secrets.API_KEY_1 }}",
        'tokens = "abcdefgh"',
        "secret = settings.SECRET_KEY_V2_NAME",
        'password = "hunter2hunter2"',
        'token = "test-token-A1b2C3"',
        "def check_password(self, raw_password1, encoded2): pass",
        "max_tokens = 1234567890123456",
        "token_path=/var/run/secrets/kubernetes.io/token1",
    ],
}


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
    for name, text in wrappings.items():
        found = scan(text)
        assert rule in {one.rule for one in found}, name
        assert secret not in mask(text), name
        assert all(one.masked not in ("", secret) and len(one.masked) <= 5 for one in found), name


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in CLEAN.items() for text in texts])
def test_placeholders_and_code_are_left_alone(rule: str, text: str) -> None:
    assert scan(text) == ()
    assert scan(f"x = 1\n{text}\n") == ()


@pytest.mark.parametrize("secret", FOUND["a private key"])
def test_no_part_of_a_private_key_is_left(secret: str) -> None:
    masked = mask(f"{secret}\n-----END PRIVATE KEY-----\nand then - this") if "END" not in secret else mask(secret)
    assert not any(line[at : at + 8] in masked for line in BODY.split("\n") for at in range(len(line) - 8))
    assert masked.startswith("-----BEGIN ") and "-----END" in masked


def test_every_rule_has_two_secrets_and_two_that_are_none() -> None:
    names = rule_names()
    assert names == FOUND.keys() == CLEAN.keys()
    assert min(len(texts) for texts in [*FOUND.values(), *CLEAN.values()]) >= 2


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
