"""Renames of parameters, local variables and attributes in Python, asked for in words; marks as for definitions."""

# ruff: noqa: E501 - a case is one file a line

from __future__ import annotations

import pytest

from optimizer.errors import OptimizerError
from optimizer.lookup.answer import answer
from optimizer.lookup.ask import parse_lookup
from optimizer.lookup.questions import LookupResult
from tests.conftest import IndexRepo
from tests.lookup.test_meanings import MARK, Case

CASES = {
    "a parameter, the keywords of its calls, and homonyms": Case("rename parameter headers of fetch to renamed_1", {
        "a.py": "def fetch(url, «headers»=None):\n    «headers» = «headers» or {}\n    def inner(headers=«headers»):\n        return headers\n"
        "    return [inner(«headers»), url.headers, dict(headers=1), {'headers': «headers»}, f'{«headers»}']\n\n\n"
        "def other(headers):\n    return headers\n",
        "b.py": "import a\nfrom a import fetch as get\n\nget(1, «headers»=2)\na.fetch(1, «headers»=headers)\na.other(headers=1)\n",
    }),
    "a parameter of a method, its base and its sibling": Case("rename argument headers of Impl.send to renamed_1", {
        "base.py": "class Base:\n    def send(self, «headers»):\n        raise NotImplementedError\n",
        "impl.py": "from base import Base\n\n\nclass Impl(Base):\n    def send(self, «headers»):\n        return super().send(«headers»=«headers»)\n",
        "more.py": "from base import Base\n\n\nclass More(Base):\n    def send(self, names):\n        return self.post(headers=names)\n",
        "use.py": "from base import Base\nfrom impl import Impl\n\n\ndef f(one: Base, other):\n    one.send(«headers»=1)\n    Impl().send(«headers»=2)\n    other.post(headers=3)\n",
    }),
    "a parameter of a constructor that a class inherits": Case("rename parameter size of Box to renamed_1", {
        "a.py": "class Box:\n    def __init__(self, «size»):\n        self.size = «size»\n\n\nclass Big(Box):\n    pass\n\n\n"
        "class Own(Box):\n    def __init__(self, size):\n        super().__init__(«size»=size)\n\n\n"
        "Box(«size»=1)\nBig(«size»=2).size\nOwn(size=3)\n",
    }),
    "keywords that a call may give": Case("rename parameter size of make to renamed_1", {
        "a.py": "def make(at, «size»=1):\n    return «size»\n\n\ndef go(**options):\n    options['size'] = 1\n    make(1, **options)\n    make(1, 2, **options)\n",
    }, open=frozenset({"a.py:7"}), breaks=True),
    "a receiver that is not known, and a method that is not it": Case("rename parameter size of Box.lift to renamed_1", {
        "a.py": "class Box:\n    def lift(self, «size»):\n        return «size»\n",
        "b.py": "def f(x):\n    x.lift(size=1)\n    x.lift(1)\n",
    }, open=frozenset({"b.py:2"}), breaks=True),
    "a function that is handed on": Case("rename parameter size of make to renamed_1", {
        "a.py": "from functools import partial\n\n\ndef make(«size»):\n    return «size»\n\n\npartial(make, «size»=1)\n\n\ndef go(run=make):\n    run(size=2)\n    print(size=3)\n",
    }, open=frozenset({"a.py:12"}), breaks=True),
    "a parameter that a decorator knows": Case("rename parameter size of make to renamed_1", {
        "a.py": "import click\n\n\n@click.option('--size')\ndef make(«size»):\n    return «size»\n",
    }, open=frozenset({"a.py:4"}), breaks=True),
    "a local variable with closures, comprehensions and homonyms": Case("rename local total in add to renamed_1", {
        "a.py": "total = 0\n\n\ndef add(x):\n    «total» = x.total\n    for «total», y in x:\n        pass\n    def up():\n        nonlocal «total»\n        «total» += 1\n"
        "    def glob():\n        global total\n        total = 2\n    class C:\n        total = 1\n        def m(self):\n            return «total»\n"
        "    z = [total for total in «total»]\n    g = lambda total=«total»: total\n    return f(total=«total», z=[(«total» := a) for a in y])\n\n\n"
        "def other():\n    total = 1\n    return total\n",
    }),
    "a variable that is taken by its name": Case("rename variable size in make to renamed_1", {
        "a.py": "def make():\n    «size» = 1\n    return '{size}'.format(**locals())\n",
    }, open=frozenset({"a.py:3"})),
    "a variable of a method, by its function alone": Case("rename A.go.size to renamed_1", {
        "a.py": "class A:\n    def go(self):\n        with self as «size»:\n            return «size», self.size\n",
    }),
    "an attribute that methods set": Case("rename Config.debug to renamed_1", {
        "a.py": "class Config:\n    def __init__(self, debug):\n        self.«debug» = debug\n        self.other = Other()\n\n    def show(self):\n        return [self.«debug» for x in y], self.other.debug\n\n\n"
        "class Other:\n    def __init__(self):\n        self.debug = 1\n\n\nclass Sub(Config):\n    def off(self):\n        self.«debug» = debug = 0\n",
        "b.py": "from a import Config, Other, Sub\n\nc = Config(debug=1)\nprint(c.«debug», Sub(2).«debug», Other().debug, debug)\n\n\ndef f(one: Config, two):\n    one.«debug» = two.debug\n",
    }, open=frozenset({"b.py:8"}), breaks=True),
    "a field of a data class, its constructor and its copies": Case("rename field Config.debug to renamed_1", {
        "a.py": "from dataclasses import dataclass, replace\n\n\n@dataclass\nclass Config:\n    «debug»: bool = False\n    size: int = 0\n\n\n"
        "class Other:\n    debug = 1\n\n\none = Config(«debug»=True)\ntwo = replace(one, «debug»=False)\nthree = replace(Other(), debug=1)\nprint(dict(debug=one.«debug»), {'debug': Other.debug})\n"
        "match one:\n    case Config(«debug»=debug):\n        pass\n",
    }),
    "a field of a named tuple": Case("rename attribute x of Point to renamed_1", {
        "a.py": "from typing import NamedTuple\n\n\nclass Point(NamedTuple):\n    «x»: int\n    y: int\n\n\ndef f(p: Point):\n    return p._replace(«x»=p.«x» + 1), [x for x in p]\n",
    }),
    "fields that are given unseen": Case("rename Config.debug to renamed_1", {
        "a.py": "from dataclasses import dataclass\n\n\n@dataclass\nclass Config:\n    «debug»: bool = False\n",
        "b.py": "import json\nfrom a import Config\n\nConfig(**json.loads('{\"debug\": 1}'))\n",
    }, open=frozenset({"b.py:4"}), breaks=True),
    "a list of a class that may be of its attributes": Case("rename Box.size to renamed_1", {
        "a.py": "class Box:\n    __attrs__ = ['size']\n\n    def __init__(self):\n        self.«size» = 'size'\n",
    }, open=frozenset({"a.py:2"}), breaks=True),
    "a property that takes the place of an attribute": Case("rename Sub.spec to renamed_1", {
        "a.py": "class Base:\n    __slots__ = ('«spec»',)\n\n    def __init__(self):\n        self.«spec» = 1\n\n"
        "    def go(self):\n        return self.«spec»\n\n\nclass Sub(Base):\n    @property\n    def «spec»(self):\n        return 2\n\n\n"
        "class Other:\n    spec = 3\n",
    }),
    "slots, reflection and a base of the class": Case("rename Sub.size to renamed_1", {
        "a.py": "class Base:\n    __slots__ = ('«size»', 'sizes')\n    «size»: int\n\n\nclass Sub(Base):\n    «size» = 1\n    twice = «size» * 2\n\n\none = Sub()\ngetattr(one, '«size»')\nBase().«size»\n",
    }),
}  # fmt: skip
REFUSED = {
    "a name that is taken": (8, "rename parameter x of f to y", "def f(x):\n    y = 1\n    return x + y\n"),
    "a global that would be hidden": (8, "rename local x in f to g", "g = 1\n\n\ndef f():\n    x = 1\n    return x + g\n"),
    "an import": (8, "rename local os in f to y", "def f():\n    import os\n    return os.sep\n"),
    "a keyword": (2, "rename local x in f to class", "def f():\n    x = 1\n    return x\n"),
    "an attribute that is there": (8, "rename A.x to y", "class A:\n    x = 1\n    y = 2\n"),
    "an attribute of a base outside": (4, "rename T.name to y", "import threading\n\n\nclass T(threading.Thread):\n    name = 'x'\n"),
    "two functions": (8, "rename local x in f to y", "class A:\n    def f():\n        x = 1\n\n\nclass B:\n    def f():\n        x = 1\n"),
    "a base outside": (4, "rename parameter t of T.join to y", "import threading\n\n\nclass T(threading.Thread):\n    def join(self, t=None):\n        return t\n"),
}  # fmt: skip


def asked(index_repo: IndexRepo, request: str, files: dict[str, str]) -> LookupResult:
    lookup = parse_lookup(request)
    assert lookup is not None
    return answer(lookup, index_repo(files))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_means_it_is_renamed_and_nothing_else(index_repo: IndexRepo, case: Case) -> None:
    plain = {path: MARK.sub(r"\1", text) for path, text in case.files.items()}
    found = asked(index_repo, case.name, plain)
    assert found.patch is not None, found
    after = plain | {change.path: (change.after or b"").decode() for change in found.patch.changes}
    assert after == {path: MARK.sub("renamed_1", text) for path, text in case.files.items()}
    assert {f"{one.path}:{one.line}" for one in found.open} == case.open
    assert found.breaks == case.breaks


@pytest.mark.parametrize(("code", "request_text", "text"), REFUSED.values(), ids=REFUSED)
def test_what_would_break_is_refused(index_repo: IndexRepo, code: int, request_text: str, text: str) -> None:
    with pytest.raises(OptimizerError) as refused:
        asked(index_repo, request_text, {"a.py": text})
    assert refused.value.exit_code == code


def test_a_docstring_is_renamed_when_asked(index_repo: IndexRepo) -> None:
    from dataclasses import replace

    lookup = parse_lookup("rename parameter size of f to width")
    assert lookup is not None
    files = {"a.py": 'def f(size):\n    """:param size: it"""\n    return size  # size\n\n\n# size\n'}
    found = answer(replace(lookup, docs=True), index_repo(files))
    assert found.patch is not None
    assert (
        found.patch.changes[0].after
        == b'def f(width):\n    """:param width: it"""\n    return width  # width\n\n\n# size\n'
    )


@pytest.mark.parametrize(("request_text", "says"), [
    ("rename parameter z of f to y", "z is no parameter of f (a.py:1); its parameters are x"),
    ("rename parameter x of g to y", "g is no function"),
    ("rename parameter x of h to y", "renamed in Python only"),
    ("rename C.z to y", "z is no function, method, type or constant of C (c.js:1)"),
])  # fmt: skip
def test_what_is_not_there_is_said(index_repo: IndexRepo, request_text: str, says: str) -> None:
    found = asked(
        index_repo,
        request_text,
        {
            "a.py": "def f(x):\n    return x\n",
            "h.js": "function h(x) { return x }\n",
            "c.js": "class C { constructor() { this.z = 1 } }\n",
        },
    )
    assert not found.found
    assert says in found.citations[0].text
