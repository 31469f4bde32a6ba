"""What a member means by the type of what it is taken from: inherited, given, in a macro, in an example."""

# ruff: noqa: E501 - a case is one file a line

from __future__ import annotations

import pytest

from tests.conftest import IndexRepo
from tests.lookup.test_meanings import Case, check

CASES = {
    "a base that a function gives": Case("Table.storage", {
        "a.py": "class Table:\n    @property\n    def «storage»(self):\n        return 1\n",
        "b.py": "from typing import Type\nfrom a import Table\n\n\ndef given(one):\n    return one\n\n\nBase: Type[Table] = given(Table)\n\n\n"
        "class Box(Base):\n    @property\n    def «storage»(self):\n        return 2\n\n    def go(self):\n        return self.«storage»\n\n\n"
        "class Other:\n    storage = 3\n",
    }),
    "the type around a parameter of Rust, and a value under its own name": Case("Meta.as_text", {
        "src/lib.rs": "pub struct Meta(Id);\npub struct Id(u8);\nimpl Id {\n    pub fn as_text(&self) -> &str { \"\" }\n}\nimpl Meta {\n"
        "    pub fn «as_text»(&self) -> &str { self.0.as_text() }\n"
        "    fn same(&self, rhs: &Self) -> bool {\n        let rhs = rhs.«as_text»().trim();\n        rhs.is_empty()\n    }\n}\n",
    }),
    "a receiver in a macro and in examples": Case("Req.matches", {
        "src/lib.rs": "//! ```\n//! let req = lib::Req::parse();\n//! let other = lib::Other::parse();\n//! assert!(!req.«matches»(1));\n//! other.matches(1);\n"
        "//! # let hidden: lib::Req = lib::Req::parse();\n//! # hidden.«matches»(2);\n//! ```\n"
        "pub struct Req;\npub struct Other;\nimpl Req {\n    pub fn parse() -> Self { Req }\n    pub fn «matches»(&self, n: u8) -> bool { n > 1 }\n}\n"
        "impl Other {\n    pub fn parse() -> Other { Other }\n    pub fn matches(&self, n: u8) -> bool { n > 2 }\n}\n"
        "fn check(req: &Req, other: Other) {\n    assert!(req.«matches»(1), \"no\");\n    assert!(other.matches(1));\n}\n",
    }),
    "a function within a function, and its examples": Case("Query.any.test", {
        "a.py": "class Query:\n    def test(self, by):\n        \"\"\"\n        >>> Query().test(1)\n        >>> test(2)\n        \"\"\"\n\n"
        "    def any(self, odd):\n        if odd:\n            def «test»(one):\n                return one\n        else:\n            def «test»(one):\n                return 1\n"
        "        return lambda one: «test»(one)\n",
    }),
    "fixtures of functions, and those of pytest": Case("Store.read", {
        "a.py": "class Store:\n    def «read»(self):\n        return 1\n\n\nclass Other:\n    def read(self):\n        return 2\n",
        "tests/conftest.py": "import pytest\nfrom a import Other, Store\n\n\n@pytest.fixture(params=[1])\ndef store(request):\n    yield Store()\n\n\n"
        "@pytest.fixture\ndef other(store):\n    store.«read»()\n    return Other()\n",
        "tests/test_a.py": "def test_one(store, other):\n    assert store.«read»() == other.read()\n\n\n"
        "def test_two(store, tmpdir):\n    file = tmpdir.join('x')\n    assert store.«read»() == file.read()\n    assert tmpdir.join('y').read()\n",
    }),
    "a function in examples, and the methods of its name": Case("to_text", {
        "a.py": "def «to_text»(one):\n    \"\"\"\n    >>> «to_text»(1)\n    >>> a.«to_text»(1)\n    \"\"\"\n",
        "b.py": "class Link:\n    def to_text(self):\n        \"\"\"\n        >>> link.to_text()\n        \"\"\"\n",
    }, within="a.py"),
    "a string of an example": Case("distance", {
        "src/lib.rs": "/// ```\n/// assert_eq!(1, lib::«distance»(\"distance\", \"\"));\n/// ```\npub fn «distance»(a: &str, b: &str) -> u8 { 1 }\n",
    }),
    "the tag of a template": Case("Cache.set", {
        "a.py": "class Cache:\n    def «set»(self, key):\n        return key\n\n\nCache().«set»(1)\n",
        "style.css_t": "{% set width = 1 %}\n{%- set height = 2 %}\n",
    }),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_members_mean_what_their_types_have(index_repo: IndexRepo, case: Case) -> None:
    check(index_repo, case)
