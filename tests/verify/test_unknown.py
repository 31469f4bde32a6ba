"""Names that no file, base class, include or standard library brings are found, and only those."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from optimizer.index.reader import Index
from optimizer.types import FileChange, Patch
from optimizer.verify.checks import at_once
from tests.conftest import IndexRepo, shared_index

FILES = {
    "c/util.h": "int util_sum(int a);\n",
    "c/main.c": '#include "util.h"\n#include <stdio.h>\nint main(void) { int total = util_sum(1); return total; }\n',
    "c/far.c": "#include <far/far.h>\nint far(void) { return 1; }\n",
    "c/win.c": "#include <windows.h>\n#include <processenv.h>\nint win(void) { return 1; }\n",
    "c/onig.c": "#include <oniguruma.h>\nint onig(void) { onig_new(1); onig_free(2); return onig_search(3); }\n",
    "c/back.c": "static int back(int a) { return a; }\nint run(int (*f)(int)) { return f(1); }\n"
    "int start(void) { return run(back); }\n",
    "c/made.c": '#include "made.h"\nint made(void) { return 1; }\n',
    "c/own.c": '#include "vendor/own.h"\nint own(void) { return 1; }\n',
    "c/Makefile": "made.h: made.py\n\tpython made.py > made.h\n",
    "j/A.java": "package j;\n\nclass A extends B {\n  int size;\n  int f() { return g(size); }\n}\n",
    "j/B.java": "package j;\n\nclass B {\n  int g(int n) { return n; }\n}\n",
    "j/X.java": "package j;\n\nimport org.far.Far;\n\nclass X extends Far {\n  int f() { return 1; }\n}\n",
    "a.rb": "module M\n  class A < B\n    def f(data)\n      g(data)\n    end\n  end\nend\n",
    "b.rb": "class B\n  include Comparable\n  def g(data)\n    data\n  end\nend\n",
    "x.rb": "class X < Far::Base\n  def f(data)\n    data\n  end\nend\n",
    "test_a.rb": "class TestA < Test::Unit::TestCase\n  test 'f' do\n    assert A.new.f(1)\n  end\nend\n",
    "test_b.rb": "class TestB < ::Test::Unit::TestCase\n  include FlexMock::TestCase\n"
    "  def f\n    assert 1\n  end\nend\n",
    "makes.rb": 'class Makes\n  define_method(:made) { 1 }\n  TYPES.each { |t| define_method("scan_#{t}") { 1 } }\n'
    "  attr_reader :size\n  def f(data)\n    g(data)\n  end\n  def g(data)\n    data\n  end\nend\n",
    "own.rb": "module Own\n  def self.f(data)\n    data\n  end\n  def g(data)\n    data\n  end\nend\n",
    "spec/a_spec.rb": "describe M::A do\n  it 'is f' do\n    expect(subject.f(1)).to eq(1)\n  end\nend\n",
    "bin/run.rb": "require 'a'\n\nputs(M::A.new.f(1))\n",
    "row.rb": "class Row < Struct.new(:data)\n  def f(other)\n    other\n  end\nend\n",
    "composer.json": '{"autoload": {"psr-4": {"P\\\\": "src/"}}}',
    "src/A.php": "<?php\nnamespace P;\n\nclass A extends B\n{\n    public function f($data)\n    {\n"
    "        return $this->g($data);\n    }\n}\n",
    "src/B.php": "<?php\nnamespace P;\n\nclass B\n{\n    public function g($data)\n    {\n"
    "        return $data;\n    }\n}\n",
    "src/X.php": "<?php\nnamespace P;\n\nclass X extends \\Far\\Base\n{\n    public function f($data)\n    {\n"
    "        return $data;\n    }\n}\n",
    "src/b.rs": 'struct Builder;\nfn first(b: &Builder) -> u8 { let total = b.n(); println!("{}", total); total }\n'
    "fn second(v: Option<u8>) -> u8 { match v { Some(seen) => seen + 1, None => 0 } }\n",
    "src/a.rs": "pub fn count(total: usize) -> usize {\n    let first = total + 1;\n    first\n}\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with shared_index(tmp_path_factory.mktemp("shared"), FILES) as index:
        yield index


def names(index: Index, path: str, old: str, new: str) -> str | None:
    assert old in FILES[path]
    before = FILES[path].encode()
    patch = Patch((FileChange(path, before, before.replace(old.encode(), new.encode(), 1)),))
    check = next(one for one in at_once(patch, index).checks if one.name == "names")
    return check.evidence if check.passed is False else None


@pytest.mark.parametrize(
    ("path", "old", "new", "name"),
    [
        ("c/main.c", "util_sum(1)", "prepared_sum(1)", "prepared_sum"),
        ("c/main.c", "return total", "return totel", "totel"),
        ("c/far.c", "return 1", "int total = 1; return totla", "totla"),
        ("c/main.c", "int total = util_sum(1)", "int total = start()", "start"),
        ("c/win.c", "return 1", "return prepared()", "prepared"),
        ("c/onig.c", "return onig", "return prepared(1) + onig", "prepared"),
        ("c/back.c", "run(back)", "run(prepared)", "prepared"),
        ("c/back.c", "static int back(int a) { return a; }\n", "", "back"),
        ("c/made.c", "return 1", "return prepared()", "prepared"),
        ("j/A.java", "g(size)", "prepared(size)", "prepared"),
        ("j/A.java", "g(size)", "this.prepared(size)", "prepared"),
        ("j/A.java", "g(size)", "g(siza)", "siza"),
        ("j/A.java", "g(size)", "new Prepared().g(size)", "Prepared"),
        ("a.rb", "g(data)", "prepared(data)", "prepared"),
        ("a.rb", "g(data)", "self.prepared(data)", "prepared"),
        ("a.rb", "g(data)", "g(date)", "date"),
        ("test_a.rb", "assert A", "prepared A", "prepared"),
        ("test_b.rb", "assert 1", "prepared 1", "prepared"),
        ("makes.rb", "g(data)\n", "prepared(data)\n", "prepared"),
        ("own.rb", "self.f(data)\n    data", "self.f(data)\n    prepared(data)", "prepared"),
        ("row.rb", "    other\n", "    prepared(other)\n", "prepared"),
        ("own.rb", "g(data)\n    data", "g(data)\n    prepared(data)", "prepared"),
        ("spec/a_spec.rb", "    expect(", "    prepared(1)\n    expect(", "prepared"),
        ("bin/run.rb", "puts(M", "prepared(M", "prepared"),
        ("src/A.php", "$this->g(", "$this->prepared(", "prepared"),
        ("src/A.php", "$this->g(", "prepared(", "prepared"),
        ("src/A.php", "$this->g($data)", "new Prepared()", "Prepared"),
        ("src/A.php", "g($data)", "g($dats)", "dats"),
        ("src/a.rs", "total + 1", "totel + 1", "totel"),
        ("src/b.rs", "&Builder", "&Buildee", "Buildee"),
        ("src/b.rs", '", total', '", totel', "totel"),
        ("src/b.rs", "seen + 1", "total + 1", "total"),
        ("src/b.rs", "Some(seen)", "Prepared(seen)", "Prepared"),
    ],
)
def test_a_name_that_nothing_brings_is_found(index: Index, path: str, old: str, new: str, name: str) -> None:
    assert f"uses {name}," in (names(index, path, old, new) or "")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("c/main.c", "util_sum(1)", "printf(1)"),
        ("c/main.c", "int total", "int (*prepared)(int) = 0; prepared(1); int total"),
        ("c/far.c", "return 1", "return far_open()"),
        ("c/win.c", "return 1", "return GetPrepared()"),
        ("c/onig.c", "return onig", "return onig_more(1) + onig"),
        ("c/back.c", "run(back)", "run(PREPARED)"),
        ("c/own.c", "return 1", "return prepared()"),
        ("c/main.c", "util_sum(1)", "epoll_create1(1)"),
        (
            "makes.rb",
            "  attr_reader :size\n  def f(data)\n",
            "  attr_reader :prepared\n  def f(data)\n    self.prepared\n",
        ),
        ("makes.rb", "g(data)\n", "scan_more(data)\n"),
        ("own.rb", "g(data)\n    data", "g(data)\n    travel_to(data)"),
        ("own.rb", "g(data)\n    data", "g(data)\n    brought"),
        ("own.rb", "module Own\n", "module Own\n  def method_missing(*)\n    brought(1)\n  end\n"),
        ("spec/a_spec.rb", "    expect(", "    instance_double(1)\n    expect("),
        ("spec/a_spec.rb", "    expect(", "    be_brought(1)\n    expect("),
        ("bin/run.rb", "puts(M", "rails_brought_path(M"),
        ("row.rb", "    other\n", "    values_at(other)\n"),
        ("test_b.rb", "assert 1", "flexmock 1"),
        ("src/b.rs", '", total', '", all = total'),
        ("j/A.java", "g(size)", "hashCode()"),
        ("j/A.java", "g(size)", "new StringBuilder().length()"),
        ("j/A.java", "g(size)", "new Auto_A(size).g(size)"),
        ("j/A.java", "package j;\n", "package j;\n\nimport org.far.Made;\nimport static org.far.Far.made;\n\n"),
        ("j/A.java", "g(size)", "new Object() { int f() { return 1; } }.f()"),
        ("j/X.java", "return 1", "return brought()"),
        ("a.rb", "g(data)", "puts(data)"),
        ("a.rb", "g(data)", "data.brought(1)"),
        ("x.rb", "    data\n", "    brought(data)\n"),
        ("test_a.rb", "assert A", "assert_equal 1, A"),
        ("src/A.php", "$this->g(", "strlen("),
        ("src/A.php", "$this->g($data)", "new \\Exception()"),
        ("src/X.php", "return $data", "return $this->brought($data)"),
    ],
)
def test_a_name_that_something_may_bring_is_left_alone(index: Index, path: str, old: str, new: str) -> None:
    assert names(index, path, old, new) is None


@pytest.mark.parametrize(("method", "ok"), [("method_missing", True), ("other", False)])
def test_blocks_may_run_where_any_name_is_answered(index_repo: IndexRepo, method: str, ok: bool) -> None:
    runs = f"class Asks\n  def with(&block)\n    instance_eval(&block)\n  end\n  def {method}(name)\n  end\nend\n"
    before, after = b"Asks.new.with do\nend\n", b"Asks.new.with do\n  brought(1)\nend\n"
    index = index_repo({"asks.rb": runs, "use.rb": before})
    assert at_once(Patch((FileChange("use.rb", before, after),)), index).ok == ok
