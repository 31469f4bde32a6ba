"""Identifiers → search terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.languages.words import split, split_all, terms


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("parseHTTPResponse", ("parse", "http", "response")),
        ("parse_http_response", ("parse", "http", "response")),
        ("HTTPServer", ("http", "server")),
        ("MAX_VALUE", ("max", "value")),
        ("__init__", ("init",)),
        ("utf8", ("utf", "8")),
        ("sha256sum", ("sha", "256", "sum")),
        ("XMLHttpRequest2", ("xml", "http", "request", "2")),
        ("iOS", ("i", "os")),
        ("größeÄnderung", ("größeänderung",)),
        ("数据Frame", ("数据", "frame")),
        ("A", ("a",)),
        ("___", ()),
        ("", ()),
    ],
)
def test_split(identifier: str, parts: tuple[str, ...]) -> None:
    assert split(identifier) == parts


def test_terms_are_the_whole_and_its_parts() -> None:
    assert terms("parseHTTPResponse") == ["parsehttpresponse", "parse", "http", "response"]
    assert terms("x = get_url(self, 'the end')") == ["x", "get_url", "get", "url", "self", "the", "end"]
    assert terms("_private 42 3.14 a1") == ["_private", "private", "a1", "a", "1"]


def test_spellings_of_one_name_share_their_parts() -> None:
    assert split("readFile") == split("read_file") == split("ReadFile") == split("READ_FILE")


@given(st.lists(st.text(st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cs"]))))
def test_splitting_many_is_splitting_each(identifiers: list[str]) -> None:
    assert split_all(identifiers) == ([list(split(identifier)) for identifier in identifiers] or [[]])


@pytest.mark.slow
@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,30}", fullmatch=True))
def test_no_letter_is_lost(identifier: str) -> None:
    assert "".join(split(identifier)) == identifier.replace("_", "").lower()
    assert terms(identifier)[0] == identifier.lower()


def test_a_very_long_word_is_not_kept_in_memory() -> None:
    before = split.cache_info().currsize
    assert terms("a" * 100_000) == ["a" * 100_000]
    assert split.cache_info().currsize == before
