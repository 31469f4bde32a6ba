"""Names are found as their language and its documentation write them."""

from __future__ import annotations

import pytest

from optimizer.context.mentions import find_mentions
from optimizer.index.reader import Index
from optimizer.languages.table import is_installed, language_of
from optimizer.lookup.answer import answer
from optimizer.lookup.ask import parse_lookup
from optimizer.lookup.names import definitions
from optimizer.lookup.questions import Lookup
from tests.conftest import IndexRepo

FILES = {
    "lib/string.ex": "defmodule Acme.String do\n  def slug(text), do: text\nend\n",
    "Slim/App.php": "<?php\nnamespace Slim;\n\nclass App { public function run() {} }\n",
    "lib/shop.php": "<?php\nnamespace Acme\\Shop;\n\nclass Basket {}\n",
    "Bus.cs": "namespace Acme.Bus;\npublic interface IHandler<T> { void Handle(T message); }\n",
    "src/foo.rs": "pub struct Foo<T>(T);\nimpl<T> Foo<T> {\n    pub fn bar(&self) {}\n}\n",
    "src/deep.rs": "pub fn find() {}\n#[macro_export]\nmacro_rules! shout { () => {}; }\n",
    "render/json.go": "package render\n\nfunc JSON() {}\n",
    "context.go": "package gin\n\ntype Context struct{}\n\nfunc (c *Context) Next() {}\n\n"
    "type Stack[T any] struct{}\n\n"
    "func (s *Stack[T]) Push(x T) {}\n",
    "shop.rb": "module Shop\n  class Cart\n    def total\n    end\n\n    def empty?\n    end\n  end\nend\n",
    "Box.java": "public class Box {\n    void open(int a, String b) { }\n}\n",
    "crate.ts": "export class Crate { lift() { return this.lift() } }\n",
    "shape.cpp": "namespace ns { class Shape { int area(); }; }\nint ns::Shape::area() { return 1; }\n",
    "main.tf": 'variable "cidr" {}\nresource "aws_vpc" "one" {}\ndata "aws_ami" "two" {}\nmodule "net" {}\n',
    "page.vue": "<script>\nfunction sum() {}\n</script>\n",
}  # fmt: skip
SPELLINGS = {
    "String.slug": "Acme.String.slug", "slug/1": "Acme.String.slug", "&String.slug/1": "Acme.String.slug",
    "Slim\\App": "App", "\\Slim\\App::run()": "App.run", "App->run": "App.run", "Acme\\Shop\\Basket": "Basket",
    "IHandler<T>": "IHandler", "IHandler<List<V>>.Handle": "IHandler.Handle", "Acme.Bus.IHandler": "IHandler",
    "Foo::bar": "Foo.bar", "Foo<T>::bar": "Foo.bar", "Foo::<u8>::bar": "Foo.bar", "shout!": "shout",
    "crate::deep::find": "find", "self::find": "find", "deep:find/0": "find",
    "render.JSON": "JSON", "(*Context).Next": "Context.Next", "Stack[T].Push": "Stack.Push",
    "#total": "Shop.Cart.total", "Cart#total": "Shop.Cart.total", "Shop::Cart#total": "Shop.Cart.total",
    "cart&.total": "", "Cart.empty": "Shop.Cart.empty?", "Cart#empty?": "Shop.Cart.empty?", "@total": "Shop.Cart.total",
    "Box#open": "Box.open", "Box#open(int)": "Box.open", "this.lift": "Crate.lift", "Crate?.lift": "Crate.lift",
    "box!!.lift": "", "ns::Shape::area": "ns.Shape.area", "other::find": "", "Nowhere.slug": "",
    "var.cidr": "cidr", "aws_vpc.one": "aws_vpc.one", "data.aws_ami.two": "aws_ami.two", "module.net": "net",
    "page.sum": "sum",
}  # fmt: skip


def has_grammar(path: str) -> bool:
    language = language_of(path)
    return language is not None and is_installed(language)


def meant(index: Index, spelling: str) -> str:
    return " ".join(sorted({one.qualified for one in definitions(index, spelling)}))


def test_every_spelling_finds_its_definition(index_repo: IndexRepo) -> None:
    index = index_repo({path: text for path, text in FILES.items() if has_grammar(path)})
    there = set(index.all_names()) | {""}
    known = {spelling: name for spelling, name in SPELLINGS.items() if name.split(".")[-1] in there}
    assert {spelling: meant(index, spelling) for spelling in known} == known


def test_callers_and_importers_are_asked_for_in_any_spelling(index_repo: IndexRepo) -> None:
    index = index_repo({**FILES, "use.rb": "Shop::Cart.new.empty?\n", "use.php": "<?php\nuse Slim\\App;\n"})
    uses = answer(Lookup("callers", "Cart#empty"), index).citations
    assert [(row.path, row.line) for row in uses if row.path] == [("use.rb", 1)]
    importers = answer(Lookup("importers", "\\Slim\\App"), index).citations
    assert [(row.path, row.line) for row in importers] == [("use.php", 2)]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_can_be_asked_for(spelling: str) -> None:
    for question in ("where is {}", "who calls {}?", "rename {} to other"):
        lookup = parse_lookup(question.format(spelling))
        assert lookup is not None
        assert lookup.subject.rstrip("?!") == spelling.removesuffix("()").rstrip("?!")


@pytest.mark.parametrize("text", ["find C#", "find https://example.org/a", "where is a->", "find <div>"])
def test_other_words_are_no_names(text: str) -> None:
    assert parse_lookup(text) is None


@pytest.mark.parametrize(
    ("text", "name", "dotted"),
    [
        ("why does String.slug/1 fail", "slug", "String.slug"),
        ("Slim\\App\\runAll drops headers", "runAll", "Slim.App.runAll"),
        ("box?.liftAll is null", "liftAll", "box.liftAll"),
        ("cart&.sum_all fails", "sum_all", "cart.sum_all"),
    ],
)
def test_a_request_names_it_in_any_spelling(text: str, name: str, dotted: str) -> None:
    found = find_mentions(text)
    assert name in found.identifiers
    assert dotted in found.dotted
