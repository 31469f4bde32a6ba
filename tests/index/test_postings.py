"""Lists of words survive packing, and terms of the index are those of queries."""

from __future__ import annotations

from array import array
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.index.postings import STOP, expand, runs, shift, tally, unpack, words_of
from optimizer.languages.words import split, split_all, terms

NUMBERS = st.lists(st.integers(0, 2**32 - 1), max_size=5)
WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{1,12}", fullmatch=True)


def blob(numbers):
    return array("I", numbers).tobytes()


@pytest.mark.slow
@given(lists=st.dictionaries(WORDS, NUMBERS.map(blob), max_size=300))
def test_what_is_packed_comes_out_again(lists):
    packed = list(runs(lists))
    assert dict(item for _, names, ends, data in packed for item in unpack(names, ends, data)) == lists
    assert [first for first, *_ in packed] == sorted(first for first, *_ in packed)


@given(words=st.lists(st.text(st.characters(exclude_characters="\n"), max_size=12), max_size=20))
def test_splitting_all_at_once_is_splitting_each(words):
    assert split_all(words) == ([list(split(word)) for word in words] if words else [[]])


@given(text=st.text("aBc_D1 é.(\n"))
def test_the_terms_kept_for_a_text_are_those_a_query_would_ask_for(text):
    raw = {word: [blob([7])] * times for word, times in Counter(words_of(text.encode())).items()}
    kept = {term: len(entries) // 4 for term, entries in expand(raw, {})}
    asked = {term: times for term, times in Counter(terms(text)).items() if len(term) > 1 and term not in STOP}
    assert {term: kept.get(term, 0) >= times for term, times in asked.items()} == dict.fromkeys(asked, True)


def test_parts_and_whole_words_lead_to_the_same_units():
    lists = dict(expand({b"parseHTTPResponse": [blob([3])], b"parse_it": [blob([5, 5])], b"the": [blob([1])]}, {}))
    assert sorted(lists) == ["http", "parse", "parse_it", "parsehttpresponse", "response"]
    assert tally(lists["parse"]) == (array("I", [3, 5]), array("I", [1, 2]))


def test_shift_moves_every_number():
    assert list(shift([("a", blob([1, 2]))], 10)) == [("a", blob([11, 12]))]
    assert list(shift([("a", blob([11, 12]))], -10)) == [("a", blob([1, 2]))]
