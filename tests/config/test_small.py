import re
import tomllib
from pathlib import Path

import pytest

from optimizer.config.features import FEATURE_NAMES, default_features, shipped_file
from optimizer.config.load import keys_from
from optimizer.config.page import settings_page
from optimizer.config.suggest import did_you_mean
from optimizer.config.values import BadValue, check_url, ollama_url
from optimizer.settings import rows

ROOT = Path(__file__).parents[2]


def test_the_settings_page_is_current_and_whole() -> None:
    page = settings_page()
    assert (ROOT / "docs/reference/settings.md").read_text() == page, "regenerate it with the command on its top"
    for row in rows():
        assert f"| `{row.key}` |" in page
        assert row.doc in page
    for name in FEATURE_NAMES:
        assert re.search(rf"\| `{name}` \| `(true|false)` \| \w", page)
    assert "—" not in page


def test_every_number_has_a_range_that_holds_its_default() -> None:
    for row in rows():
        low, high = row.range
        if row.word:
            assert low < high and row.default == row.word, row.key
        elif type(row.default) in (int, float):
            assert low < high, row.key
            assert low <= row.default <= high or row.default == row.special
        else:
            assert not high, row.key
        assert not row.choices or row.default in row.choices or row.may_be_empty


def test_shipped_features_are_the_known_ones() -> None:
    assert shipped_file().name == "features.toml"
    assert tuple(default_features()) == FEATURE_NAMES
    assert default_features() == tomllib.loads(shipped_file().read_text(encoding="utf-8"))["features"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":56789", "http://127.0.0.1:56789"),
        ("1.2.3.4:56789", "http://1.2.3.4:56789"),
        ("http://1.2.3.4", "http://1.2.3.4:80"),
        ("https://1.2.3.4", "https://1.2.3.4:443"),
        ("https://example.com:56789/path/", "https://example.com:56789/path"),
        ("example.com/", "http://example.com:11434"),
        ("[0001:002:003:0004::1]:56789", "http://[0001:002:003:0004::1]:56789"),
        (' "1.2.3.4" ', "http://1.2.3.4:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
    ],
)
def test_ollama_host_as_ollama_reads_it(host: str, url: str) -> None:
    assert ollama_url(host) == url


def test_ollama_host_agrees_with_the_client() -> None:
    from ollama._client import _parse_host

    for host in ("", "h", "h:1", ":1", "http://h", "https://h/p", "h/p", "[::1]", "https://[::1]:5/p/"):
        assert ollama_url(host) == _parse_host(host)


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x", "http://", "http://a b", "http://u:p@h", "http://h:99999", "http://h?q=1", "http://h\n"]
)
def test_bad_urls(url: str) -> None:
    if url.endswith("\n"):
        assert check_url(url) == "http://h"
        return
    with pytest.raises(BadValue):
        check_url(url)


@pytest.mark.parametrize("host", ["ftp://x", "h:port", "h:99999", "user@h", "a b", "[::1"])
def test_bad_ollama_hosts(host: str) -> None:
    with pytest.raises(BadValue):
        ollama_url(host)


@pytest.mark.parametrize(
    ("provider", "env", "key"),
    [
        ("anthropic", {"ANTHROPIC_API_KEY": "a"}, "a"),
        ("groq", {"GROQ_API_KEY": " g\n"}, "g"),
        ("gemini", {"GEMINI_API_KEY": "1", "GOOGLE_API_KEY": "2"}, "1"),
        ("gemini", {"GEMINI_API_KEY": " ", "GOOGLE_API_KEY": "2"}, "2"),
        ("openai", {"OPENAI_API_KEY": "a\u00e9"}, ""),
        ("openai", {"OPENAI_API_KEY": "a\x1bb"}, ""),
        ("ollama", {"OPENAI_API_KEY": "o"}, ""),
        ("unheard", {}, ""),
    ],
)
def test_keys(provider: str, env: dict[str, str], key: str) -> None:
    assert keys_from(env).of(provider) == key


def test_suggestions() -> None:
    assert re.findall(r"'(\w+)'", did_you_mean("anthropc", ["anthropic", "groq"])) == ["anthropic"]
    assert did_you_mean("zzz", ["b", "a"]).endswith("a, b")
    assert did_you_mean("zzz", []) == ""
    assert did_you_mean("zzz", [f"n{i}" for i in range(50)]) == ""
