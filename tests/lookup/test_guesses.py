"""Places where a type was once guessed: what cannot be known surely is asked for, and is not written."""

# ruff: noqa: E501 - a case is one file a line

from __future__ import annotations

import pytest

from optimizer.lookup.questions import Lookup
from optimizer.lookup.rename import rename
from tests.conftest import IndexRepo
from tests.lookup.test_meanings import Case, check

SENT = "class Srv {\n  «setHeader»(k) { return k }\n}\nmodule.exports = Srv\n"

CASES = {
    "a bare call means the method of the innermost type that has one": Case(
        "A.foo",
        {
            "A.java": "class A {\n  void «foo»() {}\n  void go() { «foo»(); }\n  static class B {\n    void foo() {}\n"
            "    void bar() { foo(); }\n  }\n  class C extends D {\n    void bar() { foo(); }\n  }\n"
            "  class E {\n    void bar() { «foo»(); }\n  }\n}\n",
            "D.java": "class D {\n  void foo() {}\n}\n",
        },
        within="A.java",
    ),
    "a base of Ruby that leaves a method to what is derived from it": Case(
        "X.step",
        {
            "a.rb": "class Base\n  def go\n    step\n  end\nend\n\nclass X < Base\n  def «step»\n  end\nend\n\n"
            "class Y < Base\n  def step\n  end\nend\n",
        },
        open=frozenset({"a.rb:3"}),
        breaks=True,
    ),
    "a base of JavaScript that leaves a method to what is derived from it": Case(
        "X.stepOne",
        {
            "a.js": "class Base {\n  go() { return this.stepOne() }\n}\nclass X extends Base {\n  «stepOne»() {}\n}\n"
            "class Y extends Base {\n  stepOne() {}\n}\n",
        },
        open=frozenset({"a.js:2"}),
        breaks=True,
    ),
    "a trait of PHP belongs to the classes that use it": Case(
        "X.stepOne",
        {
            "a.php": "<?php\ntrait Steps {\n  function go() { return $this->«stepOne»(); }\n}\n"
            "class X {\n  use Steps;\n  function «stepOne»() { return 1; }\n}\n",
        },
    ),
    "a block of Ruby that is run as code of an object": Case(
        "Box.add_thing",
        {
            "a.rb": "class Box\n  def self.make(&b)\n    new.instance_eval(&b)\n  end\n\n  def «add_thing»(x)\n  end\nend\n",
            "b.rb": "Box.make do\n  add_thing 1\nend\n",
        },
        open=frozenset({"b.rb:2"}),
        breaks=True,
    ),
    "a parameter that another file gives too": Case(
        "A.run",
        {
            "a.py": "class A:\n    def «run»(self):\n        pass\n\n\nclass B:\n    def run(self):\n        pass\n",
            "c.py": "import a\n\n\ndef f(x):\n    return x.run()\n\n\nf(a.B())\n",
            "d.py": "from a import A\nfrom c import f\n\nfor one in [A()]:\n    f(one)\n",
        },
        within="a.py",
        open=frozenset({"c.py:5"}),
        breaks=True,
    ),
    "a parameter that may be of the standard library too": Case(
        "A.get",
        {
            "a.py": "class A:\n    def «get»(self, k):\n        pass\n\n\ndef f(x=None):\n    x = x or A()\n    return x.get(1)\n",
            "b.py": "from a import f\n\nf({1: 2})\n",
        },
        open=frozenset({"a.py:8"}),
        breaks=True,
    ),
    "a name that Python puts together": Case(
        "A.do_x",
        {"a.py": "class A:\n    def «do_x»(self):\n        pass\n\n    def run(self, w):\n        getattr(self, f'do_{w}')()\n"},
        open=frozenset({"a.py:6"}),
        breaks=True,
    ),
    "a name that a base takes as a value": Case(
        "Html.image",
        {
            "base.py": "class Base:\n    def call(self, name):\n        return getattr(self, name)()\n",
            "html.py": "from base import Base\n\n\nclass Html(Base):\n    def «image»(self):\n        pass\n",
            "u.py": "from html import Html\n\nHtml().call('image')\n",
        },
        open=frozenset({"u.py:3"}),
        breaks=True,
    ),
    "an attribute that a format takes": Case(
        "A.size",
        {"a.py": "class A:\n    @property\n    def «size»(self):\n        pass\n\n    def show(self):\n        return '{0.size}'.format(self)\n"},
        open=frozenset({"a.py:7"}),
        breaks=True,
    ),
    "a function of a module that is loaded by its name": Case(
        "helper_one",
        {
            "m.py": "def «helper_one»():\n    pass\n",
            "b.py": "import importlib\n\nmod = importlib.import_module('m')\nmod.helper_one()\n",
        },
        open=frozenset({"b.py:4"}),
        breaks=True,
    ),
    "a method that objects of the runtime have too": Case(
        "Srv.setHeader",
        {
            "a.js": SENT,
            "b.js": "const Srv = require('./a')\nnew Srv().«setHeader»(1)\nfunction h(req, res) {\n  res.setHeader('a')\n}\n",
        },
        open=frozenset({"b.js:4"}),
        breaks=True,
    ),
    "a member that a pattern takes": Case(
        "Box.makeOne",
        {"a.js": "class Box {\n  static «makeOne»() {}\n}\nfunction f({ makeOne }) { makeOne() }\n"},
        open=frozenset({"a.js:4"}),
        breaks=True,
    ),
    "a function with members, and what patterns take from its module": Case(
        "pm.makeRe",
        {
            "index.js": "const pm = (x) => pm.«makeRe»(x)\npm.«makeRe» = (x) => x\nmodule.exports = pm\n",
            "t/b.js": "const { «makeRe»: m } = require('..')\nm(1)\nconst { makeRe = 2 } = require('q')\n",
        },
    ),
    "a method of Ruby that is called by a name in a string": Case(
        "Fns.count_all",
        {
            "a.rb": "class Fns\n  def «count_all»(x)\n  end\nend\n",
            "b.rb": "class P\n  def initialize\n    @fns = Fns.new\n  end\n\n  def go(n)\n    @fns.send(n, 1)\n  end\nend\n",
            "t.rb": "P.new.go('1 + count_all()')\nFns.new.«count_all»(1)\n",
        },
        open=frozenset({"b.rb:7"}),
        breaks=True,
    ),
    "a member that a template in a string takes": Case(
        "X.Title",
        {
            "go.mod": "module m\n",
            "a.go": "package m\n\ntype X struct{}\n\nfunc (x X) «Title»() string { return \"\" }\n\nvar page = \"{{.Title}}\"\n",
        },
        open=frozenset({"a.go:7"}),
        breaks=True,
    ),
    "an interface of TypeScript and what has its shape": Case(
        "Sq.areaOf",
        {"a.ts": "interface Shape { «areaOf»(): number }\nclass Sq { «areaOf»() { return 1 } }\nfunction f(s: Shape) { return s.«areaOf»() }\nf(new Sq())\n"},
    ),
    "a constant of a trait": Case(
        "V.CAPA",
        {
            "src/lib.rs": "pub struct V;\nimpl V { const «CAPA»: usize = 1; fn a() -> usize { Self::«CAPA» } }\n"
            "trait T { const «CAPA»: usize; }\nimpl T for V { const «CAPA»: usize = 2; }\n",
        },
    ),
    "a function that a macro defines for types": Case(
        "Foo.foo_it",
        {
            "src/lib.rs": "macro_rules! m { ($t:ty) => { impl Foo for $t { fn foo_it(&self) {} } }; }\n"
            "trait Foo { fn «foo_it»(&self); }\nm!(u8);\n",
        },
        open=frozenset({"src/lib.rs:1"}),
        breaks=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_not_known_is_asked_for(index_repo: IndexRepo, case: Case) -> None:
    check(index_repo, case)


def test_a_pattern_keeps_its_variable(index_repo: IndexRepo) -> None:
    files = {
        "index.js": "const pm = (x) => x\npm.makeRe = (x) => x\nmodule.exports = pm\n",
        "t/a.js": "const { makeRe, other } = require('..')\nmakeRe(1)\n",
    }
    found = rename(Lookup("rename", "pm.makeRe", "made"), index_repo(files))
    assert found.patch is not None
    after = {change.path: change.after for change in found.patch.changes}
    assert after["t/a.js"] == b"const { made: makeRe, other } = require('..')\nmakeRe(1)\n"
