"""What a rename takes for a member by the type of its receiver, or by all that is done with it: Ruby and JavaScript."""

# ruff: noqa: E501 - a case is one file a line

from __future__ import annotations

import pytest

from optimizer.errors import SafetyRefused
from optimizer.lookup.questions import Lookup
from optimizer.lookup.rename import rename
from tests.conftest import IndexRepo
from tests.lookup.test_meanings import Case, check

CASES = {
    "what a bare call of Ruby gives, and the branches of a statement": Case(
        "Parser.skip",
        {
            "a.rb": "class Parser\n  def «skip»\n  end\nend\n\nclass Csv\n  def skip\n    parser.«skip»\n  end\n\n"
            "  def parser\n    @parser ||= if @lax then Parser.new(1) else Parser.new(2) end\n  end\nend\nCsv.new.skip\n",
        },
    ),
    "what a block of Ruby is given": Case(
        "Row.size_of",
        {
            "a.rb": "class Row\n  def «size_of»\n  end\nend\n\nclass Other\n  def size_of\n  end\nend\n\n"
            "class Table\n  def each\n    yield Row.new\n  end\n\n  def go(**options)\n    options.size_of\n  end\nend\n",
            "b.rb": "require_relative 'a'\nTable.new.each { |row| row.«size_of» }\nOther.new.tap { |one| one.size_of }\n",
        },
    ),
    "a method of a module of Ruby with those that override it": Case(
        "Sized.size_of",
        {
            "a.rb": "module Sized\n  def «size_of»\n  end\nend\n\nclass Box\n  include Sized\n\n  def «size_of»\n    super\n  end\nend\n\n"
            "class Lid\n  def size_of\n  end\nend\nBox.new.«size_of»\nLid.new.size_of\n",
        },
    ),
    "a variable of Ruby by all that is called on it": Case(
        "Row.titled",
        {
            "a.rb": "class Row\n  def «titled»\n  end\n\n  def cells\n  end\nend\n\nclass Page\n  attr_reader :lines\n\n"
            "  def titled\n  end\nend\n",
            "b.rb": "def go(a, b, c)\n  a.cells if a.«titled»\n  b.lines if b.titled\n  c.titled\nend\n",
        },
        open=frozenset({"b.rb:4"}),
        breaks=True,
    ),
    "a word of Ruby that no library in reach has": Case(
        "Seal.unsign",
        {
            "a.rb": "class Seal\n  def «unsign»\n  end\nend\n",
            "b.rb": "def go(seal)\n  seal.«unsign»\nend\n",
        },
    ),
    "a word of Ruby that a library in reach has": Case(
        "Seal.transaction",
        {
            "a.rb": "class Seal\n  def «transaction»\n  end\nend\n",
            "b.rb": "require 'pstore'\n\ndef go(x)\n  x.transaction\nend\n",
        },
        open=frozenset({"b.rb:4"}),
        breaks=True,
    ),
    "variables of objects of Ruby: in blocks of tests, by their reader, given to a constructor": Case(
        "Parser.parse",
        {
            "a.rb": "class Parser\n  def «parse»\n    Result.new(1, self)\n  end\nend\n\nclass Result\n  attr_reader :parser\n\n"
            "  def initialize(size, parser)\n    @parser = parser\n  end\n\n  def parse\n    parser.«parse»\n  end\nend\n",
            "test_a.rb": "describe Parser do\n  before do\n    @parser = Parser.new\n    @result = @parser.«parse»\n  end\n\n"
            "  it 'goes' do\n    @parser.«parse»\n    @result.parse\n    @result.parser.«parse»\n  end\nend\n",
        },
    ),
    "members of what the runtime brings, and of what may be of the type": Case(
        "Option.env",
        {
            "a.js": "class Option {\n  «env»() {}\n}\nprocess.env\nconst one = go() ? new Option() : made()\none.«env»()\nmodule.exports = Option\n",
        },
    ),
    "what a function is called with for each element": Case(
        "Command.size",
        {
            "a.ts": "export class Command {\n  commands: Command[] = []\n  «size»() {}\n  all(other: Other[], set: any) {\n"
            "    this.commands.forEach((one) => one.«size»())\n    this.commands.map(function (one) { one.«size»() })\n"
            "    other.forEach((one) => one.size())\n    set.forEach((one) => one.size())\n  }\n}\n\nclass Other {\n  size() {}\n}\n",
        },
        open=frozenset({"a.ts:8"}),
        breaks=True,
    ),
    "what a method of Java gives that is imported by its name": Case(
        "Row.go",
        {
            "a/Row.java": "package a;\npublic class Row {\n  public void «go»() {}\n  public static Row made() { return new Row(); }\n}\n",
            "a/Page.java": "package a;\npublic class Page {\n  public void go() {}\n}\n",
            "b/Use.java": "package b;\nimport static a.Row.made;\nclass Use {\n  void all() { made().«go»(); }\n}\n",
        },
    ),
    "what a block of Ruby is given by a method of its own object": Case(
        "Row.size_of",
        {
            "a.rb": "class Row\n  def «size_of»\n  end\nend\n\nclass Page\n  def size_of\n    each_row { |row| row.«size_of» }\n  end\n\n"
            "  def each_row\n    yield Row.new\n  end\nend\n",
        },
    ),
    "a module of Ruby that is loaded by its symbol": Case(
        "Utils.Entities",
        {
            "a.rb": "module Utils\n  autoload :«Entities», 'b'\nend\nUtils::«Entities».go\n",
            "b.rb": "module Utils\n  module «Entities»\n    def self.go\n    end\n  end\nend\n",
        },
    ),
    "symbols of Ruby that are keys": Case(
        "Row.size_of",
        {
            "a.rb": "class Row\n  def «size_of»\n  end\nend\nRow.new.«size_of»\n",
            "b.rb": "h = { :size_of => 1, size_of: 2 }\nassert_equal(1, h[:size_of])\nh.key?(:size_of)\nputs 1 if k == :size_of\n",
        },
    ),
    "a constant of Ruby that is kept private": Case(
        "Row.SIZES",
        {
            "a.rb": "class Row\n  «SIZES» = [1]\n  private_constant :«SIZES»\n\n  def go\n    «SIZES»\n  end\nend\n",
        },
    ),
    "a method of Ruby that others delegate to": Case(
        "Row.size_of",
        {
            "a.rb": "class Row\n  def «size_of»\n  end\nend\n\nclass Page\n  def_delegators :@row, :to_s, :size_of\n\n"
            "  def initialize\n    @row = Row.new\n  end\nend\n",
        },
        open=frozenset({"a.rb:7"}),
        breaks=True,
    ),
    "the variable of a loop in Java": Case(
        "Row.go",
        {
            "Row.java": "class Row {\n  void «go»() {}\n  void all(List<Row> rows) { for (Row one : rows) { one.«go»(); } }\n}\n",
            "Page.java": "class Page {\n  void go() {}\n  void all(List<Page> pages) { for (Page one : pages) { one.go(); } }\n}\n",
        },
    ),
    "symbols of Ruby that are called on a value": Case(
        "Row.titled",
        {
            "a.rb": "class Row\n  def «titled»\n  end\nend\n\nclass Page\n  def titled\n  end\nend\n",
            "test_a.rb": "row = Row.new\nassert_predicate(row, :«titled»)\nassert_predicate(Page.new, :titled)\nrows.map(&:titled)\n",
        },
        open=frozenset({"test_a.rb:4"}),
        breaks=True,
    ),
    "a function within a method that is declared in several forms": Case(
        "Parser.parse.check",
        {
            "a.ts": "export class Parser {\n  parse() {\n    «check»(1)\n    function «check»(a: number): number\n"
            "    function «check»(a: string): number\n    function «check»(a: any) { return 1 }\n  }\n}\n",
        },
    ),
    "a method of an interface that is given by assignment, and used by its built file": Case(
        "Parser.detailed",
        {
            "lib/types.ts": "export interface Parser { «detailed»(a: string): number }\n",
            "lib/index.ts": "import { Parser } from './types.js'\nconst made: Parser = function () {}\nmade.«detailed» = function () { return 1 }\n"
            "export default made\n",
            "browser.js": "const own = function () {}\nown.detailed = function () { return 1 }\n",
            "test/a.mjs": "import parse from '../build/lib/index.js'\nparse.«detailed»('')\n",
        },
    ),
    "members of what is imported from outside, and of an object that is written out": Case(
        "mixin.resolve",
        {
            "a.js": "const mixin = { «resolve»: (x) => x }\nconst other = { resolve: 1 }\nother.resolve\nmixin.«resolve»(1)\n"
            "export default mixin\n",
            "b.js": "import mixin from './a.js'\nimport path from 'path'\nmixin.«resolve»(1)\npath.resolve(1)\npath.posix.resolve(1)\n",
            "c.d.ts": "export interface Kind { resolve(x: string): string }\n",
        },
        open=frozenset({"a.js:2", "c.d.ts:1"}),
        breaks=True,
    ),
    "members that are given to an object or a function": Case(
        "lib.go",
        {
            "a.js": "const lib = {}\nlib.«go» = function () {}\nlib.«go»()\nmodule.exports = lib\n",
            "b.js": "const own = require('./a')\nown.«go»()\nconst more = {}\nmore.go()\n",
        },
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_member_is_that_of_its_receiver(index_repo: IndexRepo, case: Case) -> None:
    check(index_repo, case)


def test_a_method_of_a_class_without_a_name_may_be_needed_by_its_base_outside(index_repo: IndexRepo) -> None:
    body = "class Use {\n  Filter go() { return new Filter() {\n    @Override public boolean apply() { return true; }\n  }; }\n}\n"
    index = index_repo({"Use.java": "import other.Filter;\n" + body})
    with pytest.raises(SafetyRefused, match="Filter"):
        rename(Lookup("rename", "apply", "applied"), index)
