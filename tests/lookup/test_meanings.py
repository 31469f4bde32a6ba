"""What a rename changes in each language: `«name»` marks every place that means it, and nothing else may change."""

# ruff: noqa: E501 - a case is one file a line

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest

from optimizer.errors import OptimizerError, SafetyRefused
from optimizer.lookup.questions import Lookup, LookupResult
from optimizer.lookup.rename import rename
from tests.conftest import IndexRepo

MARK = re.compile(r"«([\w$]+?)(: )?»")


@dataclass(frozen=True)
class Case:
    """A rename in marked files; `«name: »` becomes `name: new`. `open`: what is left to the user, as path:line."""

    name: str
    files: Mapping[str, str]
    within: str = ""
    open: frozenset[str] = frozenset()
    breaks: bool = field(default=False)


CASES = {
    "a function, not attributes, keywords, keys or parameters": Case("headers", {
        "views.py": "def «headers»(kind):\n    return [kind]\n\n\ndef other(headers):\n    return headers\n",
        "use.py": "from views import «headers»\nimport views as v\n\nprint(«headers»(1), v.«headers»(2))\n",
        "alias.py": "from views import «headers» as names\n\nprint(names(1))\n",
        "net.py": "import urllib.request\n\n\ndef fetch(url):\n    r = urllib.request.urlopen(url)\n"
        "    return r.headers, dict(headers=1), {'headers': 2}\n",
        "app.js": 'fetch("/a", { headers: {} }).then((r) => r.headers)\n',
    }),
    "a re-export, its list of names, patched names and entry points": Case("go_on", {
        "pkg/__init__.py": "from .a import «go_on»\n\n__all__ = ['«go_on»']\n",
        "pkg/a.py": "def «go_on»():\n    return 1\n",
        "test_a.py": "from unittest.mock import patch\nimport pkg.a\n\nwith patch('pkg.a.«go_on»'):\n"
        "    getattr(pkg.a, '«go_on»')\n    getattr(object, 'go_on_', 'go_on')\n",
        "pyproject.toml": "[project.scripts]\nx = 'pkg.a:«go_on»'\n",
    }),
    "a global of a module": Case("count_of", {
        "a.py": "«count_of» = 0\n\n\ndef up():\n    global «count_of»\n    «count_of» += 1\n\n\n"
        "def local(count_of):\n    return count_of\n",
        "b.py": "import a\n\na.«count_of» = 3\n",
    }),
    "a method with its base, its siblings and its callers": Case("Impl.run_job", {
        "base.py": "class Base:\n    def «run_job»(self):\n        raise NotImplementedError\n",
        "impl.py": "from base import Base\n\n\nclass Impl(Base):\n    def «run_job»(self):\n        return super().«run_job»()\n",
        "more.py": "from base import Base\n\n\nclass More(Base):\n    def «run_job»(self):\n        return 2\n",
        "other.py": "class Other:\n    def run_job(self):\n        return 3\n\n\nOther().run_job()\n",
        "use.py": "from base import Base\nfrom impl import Impl\n\n\ndef f(one: Base):\n    one.«run_job»()\n\n\nImpl().«run_job»()\n",
    }),
    "a receiver that is not known": Case("Box.lift", {
        "a.py": "class Box:\n    def «lift»(self):\n        pass\n",
        "b.py": "def f(x):\n    x.lift()\n",
    }, open=frozenset({"b.py:2"}), breaks=True),
    "what a fixture of a test class gives, also by the factory of a derived class": Case("Seal.load", {
        "a.py": "class Seal:\n    def «load»(self):\n        return 1\n\n\nclass More(Seal):\n    def «load»(self):\n        return 2\n",
        "test_a.py": "from functools import partial\n\nimport pytest\n\nfrom a import More, Seal\n\n\nclass TestSeal:\n"
        "    @pytest.fixture()\n    def make(self):\n        return partial(Seal)\n\n"
        "    @pytest.fixture()\n    def seal(self, make):\n        return make()\n\n"
        "    @pytest.fixture\n    def file(self):\n        yield open('a')\n\n"
        "    def test_it(self, seal, file):\n        seal.«load»()\n        file.load()\n\n\n"
        "class TestMore(TestSeal):\n    @pytest.fixture()\n    def make(self):\n        return partial(More)\n",
        "c.py": "import json\n\njson.load('1')\n",
    }, breaks=True, open=frozenset({"test_a.py:23"})),
    "a notebook in lines": Case("load", {
        "a.py": "def «load»(x):\n    return x\n",
        "n.ipynb": '{\n "cells": [\n  {\n   "cell_type": "code",\n   "source": [\n    "from a import «load»\\n",\n'
        '    "«load»(1)"\n   ]\n  }\n ],\n "metadata": {}\n}',
    }),
    "a notebook in one line": Case("load", {
        "a.py": "def «load»(x):\n    return x\n",
        "n.ipynb": '{"cells": [{"cell_type": "code", "source": ["from a import load\\n", "load(1)"]}], "metadata": {}}',
    }, open=frozenset({"n.ipynb:1"}), breaks=True),
    "modules of JavaScript": Case("headers", {
        "a.js": "export function «headers»(x) { return x }\n",
        "b.js": "import { «headers» } from './a.js'\nconst o = { «headers: », x: «headers»(1), headers: 2 }\n"
        "function f({ headers }) { return headers }\nfetch('/', { headers: {} }).then(r => r.headers)\n",
        "c.js": "import { «headers» as h } from './a.js'\nh()\n",
        "i.js": "export { «headers» } from './a.js'\nexport { «headers» as other } from './a.js'\n",
        "d.js": "import * as m from './i.js'\nm.«headers»(2)\n",
        "e.ts": "import { «headers» } from './i'\nexport default «headers»\n",
        "f.js": "import { other } from './i.js'\nfunction g(headers) { return headers + other() }\n",
    }),
    "CommonJS": Case("headers", {
        "a.js": "function «headers»(x) { return x }\nmodule.exports = { «headers» }\n",
        "b.js": "const { «headers» } = require('./a')\n«headers»(1)\n",
        "c.js": "const a = require('./a')\na.«headers»(1)\nreq.headers\n",
    }),
    "an interface of TypeScript": Case("Job.run", {
        "j.ts": "export interface Job { «run»(): void }\nexport class A implements Job { «run»() { this.«run»() } }\n",
        "k.ts": "import { Job, A } from './j'\n"
        "export function go(job: Job, b: Other) { job.«run»(); new A().«run»(); b.run() }\n",
    }),
    "a function of Go and a local of its name": Case("Total", {
        "go.mod": "module x\n",
        "a/a.go": "package a\n\nfunc «Total»() int { return 1 }\n\ntype T struct{ Total int }\n",
        "main.go": 'package main\n\nimport q "x/a"\n\nfunc main() {\n\tTotal := q.«Total»()\n\t_ = q.T{Total: Total}\n}\n',
    }),
    "a constant of Go as the key of a map, and a field of its name": Case("total", {
        "go.mod": "module x\n",
        "a.go": "package a\n\nconst «total» = 1\n\ntype T struct{ total int }\n\n"
        'var m = map[int]string{«total»: "a"}\n\nvar l = []string{«total»: "b"}\n\nvar t = T{total: «total»}\n',
    }),
    "an interface of Go": Case("T.RunJob", {
        "go.mod": "module x\n",
        "a.go": "package a\n\ntype Runner interface {\n\t«RunJob»() int\n}\n\ntype T struct{}\n\n"
        "func (t *T) «RunJob»() int { return 1 }\n\nfunc Do(r Runner) int { return r.«RunJob»() }\n",
    }),
    "a function of Rust and a local of its name": Case("total", {
        "Cargo.toml": "[package]\nname='x'\n",
        "src/lib.rs": "mod a;\nuse a::«total»;\nfn g() { let total = «total»(); let s = S { total }; a::«total»(); }\n",
        "src/a.rs": "/// ```\n/// x::a::«total»();\n/// ```\npub fn «total»() -> i32 { 1 }\n",
    }),
    "a crate of Rust by another name, and a homonym of its tests": Case("Ending", {
        "Cargo.toml": "[package]\nname='x'\n",
        "src/lib.rs": "pub enum «Ending» { A }\npub enum T { Ending { end: «Ending» } }\nfn f() -> T { T::Ending { end: «Ending»::A } }\n",
        "tests/all/main.rs": "extern crate x as y;\nmod token;\nmod one;\nmod two;\n",
        "tests/all/token.rs": "pub enum Ending { A }\npub fn g(e: y::«Ending») -> Ending { match e { y::«Ending»::A => Ending::A } }\n",
        "tests/all/one.rs": "use crate::token::*;\nfn f() -> Ending { Ending::A }\n",
        "tests/all/two.rs": "use x::*;\nfn f() -> «Ending» { «Ending»::A }\n",
    }, within="src/lib.rs"),
    "a trait of Rust": Case("Shape.area_of", {
        "Cargo.toml": "[package]\nname='x'\n",
        "src/lib.rs": "pub trait Shape { fn «area_of»(&self) -> f64; }\npub struct Sq(f64);\n"
        "impl Shape for Sq { fn «area_of»(&self) -> f64 { self.0 } }\n"
        "pub fn total(v: &[Box<dyn Shape>]) -> f64 { v.iter().map(|s| s.«area_of»()).sum() }\n",
    }),
    "overloads and overrides of Java": Case("Impl.runJob", {
        "p/Base.java": "package p;\nclass Base { int «runJob»(int x) { return 1; } int «runJob»() { return «runJob»(1); } }\n",
        "p/Impl.java": "package p;\nclass Impl extends Base { @Override int «runJob»() { return super.«runJob»(); } }\n",
        "p/Use.java": "package p;\nclass Use { void g(Impl i, Other o) { i.«runJob»(); new Base().«runJob»(2); o.runJob(); } }\n",
    }),
    "a field of Java alone, and by its class": Case("Box.SIZE", {
        "p/Box.java": "package p;\nclass Box { static final int «SIZE» = 1; int f(int x) { return «SIZE» + x; } }\n",
        "p/Use.java": "package p;\nclass Use { int SIZE2; int g(Other o) { return Box.«SIZE» + o.SIZE; } }\n",
    }),
    "a chain of calls in Go, and another variable of the name": Case("Route.use", {
        "go.mod": "module x\n",
        "a.go": "package a\n\ntype Router struct{ list []*Route }\n\ntype Route struct{}\n\n"
        "func (r *Router) Path() *Route { return r.list[0] }\n\nfunc (r *Route) «use»() *Route { return r }\n\n"
        "func (r *Router) use() {}\n\nfunc New() *Router { return &Router{} }\n",
        "b.go": "package a\n\nfunc f() {\n\tr := New()\n\tr.Path().«use»().«use»()\n\tr.use()\n"
        "\tfor _, r := range r.list {\n\t\tr.«use»()\n\t}\n\tnew(Route).«use»()\n}\n\nfunc g(r *Route) { r.«use»() }\n",
    }),
    "a type of another package in Go": Case("Router.handler", {
        "go.mod": "module x\n",
        "a.go": 'package a\n\nimport "net/http"\n\ntype Router struct{}\n\n'
        "func (r *Router) «handler»(h http.handler) http.handler { return h }\n",
    }),
    "methods that return their object in JavaScript": Case("Command.option", {
        "c.js": "class Command {\n  «option»() { return this; }\n  name() { return this; }\n}\nmodule.exports = { Command };\n",
        "u.js": "const c = require('./c');\nconst p = new c.Command();\np.name().«option»().name().«option»();\n"
        "function g(o) { let p = new Map(); p.option(); }\n",
    }),
    "a list of a whole module that has no word of the name": Case("join_it", {
        "src/u.ts": "export function «join_it»(): number { return 1 }\n", "src/index.ts": "export * from './u'\n",
        "t.ts": "import { «join_it» } from './src'\n«join_it»()\n",
    }),
    "a function within a function, and a parameter of its name": Case("outer.step", {
        "a.js": "function outer() {\n  function «step»(x) { return x }\n  return «step»(1)\n}\n"
        "function other(step) { return step(2) }\n",
    }),
    "a name that starts with a sign": Case("$Url", {
        "a.ts": "export class «$Url» {}\nexport class Url {}\nnew «$Url»()\n",
    }),
    "a module within a file of Rust": Case("tests.parse", {
        "Cargo.toml": "[package]\nname='x'\n",
        "src/lib.rs": "/// ```\n/// x::parse();\n/// ```\npub fn parse() -> i32 { 1 }\n"
        "mod tests {\n    fn «parse»() -> i32 { super::parse() }\n    fn t() { «parse»(); }\n}\n",
    }),
    "an error of the standard library in Rust": Case("Error", {
        "Cargo.toml": "[package]\nname='x'\n",
        "src/lib.rs": "pub enum «Error» { A }\nimpl std::error::Error for «Error» {}\nfn f() -> «Error» { «Error»::A }\n",
    }),
    "a nested class of Java and one of its name in another file": Case("Box.Lid.runJob", {
        "p/Box.java": "package p;\nclass Box { static class Lid { int «runJob»() { return 1; } int g() { return «runJob»(); } } }\n",
        "p/Tin.java": "package p;\nclass Tin { static class Lid { int runJob() { return 1; } int g() { return runJob(); } } }\n",
    }),
    "an override of Kotlin and a homonym": Case("Impl.runJob", {
        "B.kt": "package p\nopen class Base {\n  open fun «runJob»(): Int { return 1 }\n}\n"
        "class Other {\n  fun runJob(): Int { return 2 }\n}\n",
        "I.kt": "package p\nclass Impl : Base() {\n  override fun «runJob»(): Int { return super.«runJob»() }\n}\n",
        "U.kt": "package p\nfun go(one: Base, o: Other): Int {\n  val i = Impl()\n  o.runJob()\n"
        "  return one.«runJob»() + i.«runJob»()\n}\n",
    }),
    "an override of C# and a homonym": Case("Impl.RunJob", {
        "B.cs": "namespace P {\nclass Base { public virtual int «RunJob»() { return 1; } }\n"
        "class Other { public int RunJob() { return 2; } }\n}\n",
        "I.cs": "namespace P {\nclass Impl : Base { public override int «RunJob»() { return base.«RunJob»(); } }\n}\n",
        "U.cs": "namespace P {\nclass Use { int G(Base one, Other o) { var i = new Impl(); o.RunJob(); "
        "return one.«RunJob»() + i.«RunJob»(); } }\n}\n",
    }),
    "an override of PHP and a homonym": Case("Impl.runJob", {
        "Base.php": "<?php\nclass Base { public function «runJob»() { return 1; } }\n",
        "Other.php": "<?php\nclass Other { public function runJob() { return 2; } }\n",
        "Impl.php": "<?php\nclass Impl extends Base { public function «runJob»() { return parent::«runJob»(); } }\n",
        "use.php": "<?php\nfunction go(Base $one, Other $o) { $i = new Impl(); $o->runJob(); "
        "return $one->«runJob»() + $i->«runJob»(); }\n",
    }),
    "an override of C++ and a homonym": Case("Impl.runJob", {
        "b.hpp": "struct Base { virtual int «runJob»() { return 1; } };\nstruct Other { int runJob() { return 2; } };\n",
        "i.hpp": '#include "b.hpp"\nstruct Impl : Base { int «runJob»() override { return 3; } };\n',
        "u.cpp": '#include "i.hpp"\nint go(Base& one, Other* o) { Impl i; o->runJob(); return one.«runJob»() + i.«runJob»(); }\n',
    }),
    "a class of Python that is used as a protocol": Case("Mine.dump_it", {
        "a.py": "from typing import Protocol\n\n\nclass Form(Protocol):\n    def dump_it(self): ...\n\n\n"
        "class Mine:\n    def «dump_it»(self):\n        return 1\n\n\ndef go(one: Form = Mine()):\n    one.dump_it()\n",
    }, open=frozenset({"a.py:14"}), breaks=True),
    "a method whose name is put together": Case("P.inlineLink", {
        "p.php": "<?php\nclass P {\n  function go($m) { return $this->{\"inline$m\"}(1); }\n"
        "  function «inlineLink»($x) { return $x; }\n}\n",
    }, open=frozenset({"p.php:3"}), breaks=True),
    "a method that a template takes": Case("View.price", {
        "v.rb": "class View\n  def «price»\n  end\nend\n", "v.mustache": "<p>{{ price }}</p>\n",
    }, open=frozenset({"v.mustache:1"}), breaks=True),
    "a class of Ruby in parts, its writer, and a class made of it": Case("Box.size_of", {
        "a.rb": "class Box\n  def «size_of»\n  end\n\n  def «size_of»=(size_of)\n    @s = size_of\n  end\nend\n",
        "b.rb": "class Box\n  def go\n    self.«size_of» = 1\n  end\nend\n",
        "c.rb": "k = Class.new(Box)\nk.new.«size_of» = 2\n",
    }),
    "a class of Ruby within the one that it is derived from": Case("Box.Lid.size_of", {
        "a.rb": "class Box\n  def self.go\n    «size_of»(1)\n  end\n\n  def self.«size_of»(x)\n  end\n\n"
        "  class Lid < self\n    def self.«size_of»(*)\n    end\n  end\nend\n",
    }),
    "a function of C, its prototype, a macro and a field": Case("total", {
        "a.h": "int «total»(int x);\n",
        "a.c": '#include "a.h"\nint «total»(int x) { return x; }\n#define T(x) «total»(x)\n',
        "b.c": '#include "a.h"\nint main(void) { int y = s.total; return «total»(T(1)); }\n'
        "int h(int total) { return total; }\n",
    }),
    "a component: its script is renamed, its template is asked for": Case("total", {
        "cart.ts": "export function «total»(n: number[]) { return n.length }\n",
        "App.vue": '<script setup lang="ts">\nimport { «total» } from "./cart"\nconst n = «total»([1])\n</script>\n'
        "<template>\n<!-- total -->\n{{ total([3]) }}</template>\n<style>.total {}</style>\n",
        "Old.vue": '<script lang="coffee">\nimport { total } from "./cart"\n</script>\n',
    }, open=frozenset({"App.vue:7", "Old.vue:2"}), breaks=True),
    "what a component uses in its script alone": Case("total", {
        "src/lib/cart.ts": "export function «total»(n: number[]) { return n.length }\n",
        "src/A.svelte": "<script>\nimport { «total» as all } from '$lib/cart'\n$: n = all([1])\n</script>\n{n}\n",
        "src/b.astro": '---\nimport { «total» } from "./lib/cart"\nconst n = «total»([1])\n---\n<p>{n}</p>\n',
        "page.html": '<script type="module">\nimport { «total» } from "./src/lib/cart.js"\n«total»([])\n</script>\n<p>total</p>\n',
    }),
    "a function of a page and its handler": Case("start_all", {
        "page.html": '<script>\nfunction «start_all»() {}\n«start_all»()\n</script>\n<a onclick="start_all()" title="start_all">start_all</a>\n',
    }, open=frozenset({"page.html:5"}), breaks=True),
    "an import of its name inside it": Case("getchar", {
        "impl.py": "def getchar():\n    return 1\n", "a.py": "def «getchar»():\n    from impl import getchar as f\n\n    return f()\n",
        "use.py": "from a import «getchar»\n",
    }, within="a.py"),
    "a function within a function, which no object has": Case("group.match", {
        "a.py": "def group(items):\n    def «match»(one):\n        return one.match(1)\n\n    return each(items, «match»)\n\n\n"
        "def other(items):\n    def match(one):\n        return one\n\n    return match\n\n\ndef each(items, by):\n    return [by(one) for one in items]\n",
        "b.py": "import re\nfrom a import group\n\n\ndef go(token):\n    return token.match(1), group.match, re.match\n",
    }),
    "classes of one name in several namespaces of PHP": Case("Maker.create", {
        "src/Maker.php": "<?php\nnamespace N;\nclass Maker {\n    public static function «create»() {\n        return new En\\Maker();\n    }\n}\n",
        "src/En/Maker.php": "<?php\nnamespace N\\En;\nclass Maker {\n    public static function create() { return 1; }\n}\n",
        "src/En/Use.php": "<?php\nnamespace N\\En;\nfunction a() { return Maker::create(); }\n",
        "src/Fr/Maker.php": "<?php\nnamespace N\\Fr;\nclass Maker {\n    public static function create() { return 1; }\n}\n",
        "t.php": "<?php\nnamespace T;\nuse N\\Maker;\nuse N\\En\\Maker as EnMaker;\nuse N\\Fr;\nMaker::«create»();\nEnMaker::create();\nFr\\Maker::create();\n",
        "u.php": "<?php\nuse N\\En\\Maker;\nuse N\\Maker as Top;\nMaker::create();\nTop::«create»();\n(new Top())->«create»();\n",
    }, within="src/Maker.php"),
    "types of one name in packages of Go": Case("T.RunJob", {
        "go.mod": "module x\n", "a/a.go": "package a\n\ntype T struct{}\n\nfunc (t *T) «RunJob»() {}\n",
        "b/b.go": "package b\n\ntype T struct{}\n\nfunc (t *T) RunJob() {}\n",
        "b/c.go": 'package b\n\nimport "x/a"\n\nfunc g(one *T, two a.T) {\n\tone.RunJob()\n\ttwo.«RunJob»()\n}\n',
    }, within="a/a.go"),
    "a value that has what no class with the method has": Case("Stack.run", {
        "a.py": "class Stack:\n    def «run»(self):\n        return self.seen\n",
        "b.py": "from a import Stack\n\n\ndef go(vectors, odd):\n    Stack().«run»()\n    return [use(one.size, one.run) for one in vectors]\n",
    }),
    "a value whose other members are taken only elsewhere": Case("Stack.run", {
        "a.py": "class Stack:\n    def «run»(self):\n        return self.seen\n",
        "b.py": "from a import Stack\n\n\ndef go(one, odd):\n    if odd:\n        return one.size\n    Stack().«run»()\n    if go:\n        return one.run(odd)\n    return one.size\n",
    }, open=frozenset({"b.py:9"}), breaks=True),
    "a method of Ruby that is sent by its name": Case("A.run_job", {
        "a.rb": "class A\n  def «run_job»\n  end\n\n  def go\n    «run_job»\n    send(:«run_job»)\n  end\nend\nA.new.«run_job»\n",
        "b.rb": "class B\n  def go(a)\n    send(:run_job)\n    a.send(:«run_job»)\n  end\nend\n",
    }),
}  # fmt: skip

REFUSED = {
    "a base of the standard library": (4, "T.run", "walk", {
        "a.py": "import threading\n\n\nclass T(threading.Thread):\n    def run(self):\n        pass\n",
    }),
    "a trait of the standard library": (4, "Sq.fmt", "show", {
        "src/lib.rs": "pub struct Sq(f64);\nimpl std::fmt::Display for Sq { fn fmt(&self, f: &mut F) -> R { todo!() } }\n",
    }),
    "an export that other packages need": (4, "Do", "perform", {
        "go.mod": "module x\n", "a/a.go": "package a\n\nfunc Do() int { return 1 }\n",
        "main.go": 'package main\n\nimport "x/a"\n\nfunc main() {\n\ta.Do()\n}\n',
    }),
    "a class whose file would take the place of another": (8, "Box", "Crate", {
        "p/Box.java": "package p;\npublic class Box { }\n", "p/Crate.java": "package p;\nclass Other { }\n",
    }),
    "a local that would capture it": (8, "load", "fetch", {
        "a.py": "def load(x):\n    return x\n\n\ndef g():\n    fetch = 1\n    return load(fetch)\n",
    }),
    "a method that is there": (8, "A.load", "fetch", {
        "a.py": "class B:\n    def fetch(self):\n        pass\n\n\nclass A(B):\n    def load(self):\n        pass\n",
    }),
}  # fmt: skip


def answered(index_repo: IndexRepo, case: Case, *, unresolved: bool) -> LookupResult:
    plain = {path: MARK.sub(r"\1", text) for path, text in case.files.items()}
    return rename(Lookup("rename", case.name, "renamed_1", case.within, unresolved=unresolved), index_repo(plain))


def check(index_repo: IndexRepo, case: Case) -> None:
    new = "Renamed1" if case.name in ("Total", "T.RunJob", "Utils.Entities", "X.Title") else "renamed_1"
    plain = {path: MARK.sub(r"\1", text) for path, text in case.files.items()}
    found = rename(Lookup("rename", case.name, new, case.within), index_repo(plain))
    assert found.patch is not None
    after = plain | {change.path: (change.after or b"").decode() for change in found.patch.changes}
    wanted = {path: MARK.sub(lambda m: f"{m[1]}: {new}" if m[2] else new, text) for path, text in case.files.items()}
    assert after == wanted
    assert {f"{one.path}:{one.line}" for one in found.open} >= case.open
    assert found.breaks == case.breaks


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_means_it_is_renamed_and_nothing_else(index_repo: IndexRepo, case: Case) -> None:
    check(index_repo, case)


@pytest.mark.parametrize(("code", "name", "new", "files"), REFUSED.values(), ids=REFUSED)
def test_what_would_break_is_refused(
    index_repo: IndexRepo, code: int, name: str, new: str, files: dict[str, str]
) -> None:
    with pytest.raises(OptimizerError) as refused:
        rename(Lookup("rename", name, new), index_repo(files))
    assert refused.value.exit_code == code


@pytest.mark.parametrize(("head", "refused"), [("void Run()", False), ("override void Run()", True)])
def test_a_method_that_says_no_override_is_of_no_base_outside(index_repo: IndexRepo, head: str, refused: bool) -> None:
    index = index_repo({"a.cs": f"class A : Outside {{\n    public {head} {{ }}\n}}\n"})
    with pytest.raises(SafetyRefused) if refused else nullcontext():
        assert rename(Lookup("rename", "A.Run", "Start"), index).patch is not None


def test_a_local_elsewhere_does_not_stand_in_the_way(index_repo: IndexRepo) -> None:
    index = index_repo({"a.py": "def load(x):\n    return x\n\n\ndef g():\n    fetch = 1\n    return fetch\n"})
    assert rename(Lookup("rename", "load", "fetch"), index).patch is not None


def test_the_user_may_include_what_is_not_known(index_repo: IndexRepo) -> None:
    found = answered(index_repo, CASES["a receiver that is not known"], unresolved=True)
    assert found.patch is not None
    assert not found.open
    assert {change.path for change in found.patch.changes} == {"a.py", "b.py"}


def test_text_is_renamed_when_asked(index_repo: IndexRepo) -> None:
    index = index_repo({"a.py": 'def load(x):\n    """load it"""\n    return x  # load\n', "n.md": "load, loader\n"})
    found = rename(Lookup("rename", "load", "fetch", docs=True), index)
    assert found.patch is not None
    after = {change.path: (change.after or b"").decode() for change in found.patch.changes}
    assert after == {
        "a.py": 'def fetch(x):\n    """fetch it"""\n    return x  # fetch\n', "n.md": "fetch, loader\n",
    }  # fmt: skip
