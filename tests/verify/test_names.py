"""Names that stop resolving are found; names that never did, or still do, are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.index.reader import Index
from optimizer.types import FileChange, Patch
from optimizer.verify.checks import at_once
from tests.conftest import shared_index

FILES = {
    "calc/__init__.py": "",
    "calc/parse.py": "import os\n\nLIMIT = 3\n\n\n"
    "def total(text):\n    return sum(int(p) for p in text.split(','))\n\n\n"
    "def unused():\n    return LIMIT\n",
    "calc/cli.py": "from calc.parse import total\n\n\ndef main(line):\n    print(total(line))\n",
    "calc/module_use.py": "from calc import parse\nimport calc.parse\n\nprint(parse.LIMIT, calc.parse.total('1'))\n",
    "calc/old.py": "from calc import gone\nprint(basestring)\n",
    "calc/star.py": "from calc.parse import *\n",
    "tests/test_parse.py": "from calc.parse import total\n\n\ndef test_total():\n    assert total('1') == 1\n",
    "web/lib.js": "export function area(a) { return a; }\nexport function side() { return 1; }\n",
    "web/style.css": "a {}\n",
    "web/main.js": "import { area } from './lib';\nimport './style.css';\narea(2);\n",
    "c/util.h": "int util_sum(int a);\n",
    "c/main.c": '#include "util.h"\n#include "far/a.h"\n#include <stdio.h>\nint main(void) { return util_sum(1); }\n',
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with shared_index(tmp_path_factory.mktemp("shared"), FILES) as index:
        yield index


def change(path: str, old: str, new: str) -> FileChange:
    before = FILES[path]
    assert old in before
    return FileChange(path, before.encode(), before.replace(old, new).encode())


def new(path: str, text: str) -> FileChange:
    return FileChange(path, None, text.encode())


def removed(path: str) -> FileChange:
    return FileChange(path, FILES[path].encode(), None)


def failed(index: Index, *changes: FileChange) -> dict[str, str]:
    return {c.name: c.evidence for c in at_once(Patch(changes), index).checks if c.passed is False}


@pytest.mark.parametrize(
    ("path", "old", "new_text", "kind", "said"),
    [
        ("calc/cli.py", "import total", "import total, totals", "imports", "totals from calc.parse"),
        ("calc/cli.py", "import total", "import total, parse", "imports", "parse from calc.parse"),
        ("calc/cli.py", "calc.parse import", "calc.parser import", "imports", "calc.parser"),
        ("calc/cli.py", "from calc.parse", "from .parser", "imports", ".parser"),
        ("calc/cli.py", "from calc.parse", "import calc.nothing\nfrom calc.parse", "imports", "calc.nothing"),
        ("calc/cli.py", "print(total(line))", "print(totl(line))", "names", "totl"),
        ("calc/parse.py", "LIMIT = 3\n", "", "names", "calc/parse.py:10 uses LIMIT"),
        ("calc/star.py", "*", "*\n\ntotals(1)", "names", "calc/star.py:3 uses totals"),
        ("calc/parse.py", "def total", "def summed", "uses", "calc/cli.py:1 uses total"),
        ("calc/parse.py", "def total", "def summed", "uses", "calc/module_use.py:4 uses total"),
        ("web/main.js", "'./lib'", "'./library'", "imports", "./library"),
        ("web/lib.js", "area", "surface", "uses", "web/main.js:1 uses area"),
        ("c/main.c", '"util.h"', '"utils.h"', "imports", "utils.h"),
        ("c/main.c", '"util.h"', '"c/utils.h"', "imports", "c/utils.h"),
    ],
)
def test_what_newly_fails_to_resolve_is_told(
    index: Index, path: str, old: str, new_text: str, kind: str, said: str
) -> None:
    found = failed(index, change(path, old, new_text))
    assert said in found[kind], found


@pytest.mark.parametrize(
    ("path", "old", "new_text"),
    [
        ("calc/cli.py", "import total", "import total, unused, LIMIT"),
        ("calc/cli.py", "from calc.parse", "import numpy\nimport os.path\nfrom calc.parse"),
        ("calc/cli.py", "from calc.parse", "from . import parse, cli\nfrom .parse"),
        ("calc/cli.py", "    print", "    global seen\n    seen = [x for x in line]\n    print"),
        ("calc/old.py", "print(", "print(1, "),
        ("calc/star.py", "*", "*\nprint(total)"),
        ("calc/parse.py", "def unused():\n    return LIMIT\n", ""),
        ("calc/parse.py", "import os\n", ""),
        ("web/main.js", "area(2)", "area(3)"),
        ("web/lib.js", "export function side() { return 1; }\n", ""),
        ("c/main.c", "<stdio.h>", "<stdlib.h>"),
        ("c/main.c", '"far/a.h"', '"far/b.h"'),
    ],
)
def test_what_still_resolves_or_never_did_is_left_alone(index: Index, path: str, old: str, new_text: str) -> None:
    assert failed(index, change(path, old, new_text)) == {}


def test_each_check_of_names_is_made_though_another_failed(index: Index) -> None:
    """Whoever tries again has to see all that is wrong."""
    worse = FILES["calc/parse.py"].replace("import os", "import calc.nothing").replace("def total", "def summed")
    found = failed(index, FileChange("calc/parse.py", FILES["calc/parse.py"].encode(), f"{worse}missing()\n".encode()))
    assert set(found) == {"imports", "names", "uses"}


def test_a_definition_may_go_when_its_users_are_changed_with_it(index: Index) -> None:
    renamed = change("calc/parse.py", "def total", "def summed")
    users = [
        FileChange(path, FILES[path].encode(), FILES[path].replace("total", "summed").encode())
        for path in ("calc/cli.py", "calc/module_use.py", "tests/test_parse.py")
    ]
    assert failed(index, renamed, *users) == {}
    assert "tests/test_parse.py" in failed(index, renamed, *users[:2])["uses"]


def test_a_new_module_can_be_imported_and_a_removed_one_cannot(index: Index) -> None:
    user = change("calc/cli.py", "calc.parse import total", "calc.text import total")
    assert failed(index, user, new("calc/text.py", "def total(text): ...\n")) == {}
    assert "calc.text" in failed(index, user)["imports"]
    found = failed(index, removed("calc/parse.py"))["imports"]
    assert "calc/cli.py:1" in found
    assert "tests/test_parse.py:1" in found


def test_what_cannot_be_read_so_is_not_run(index: Index) -> None:
    passed = {check.name: check.passed for check in at_once(Patch((new("notes.txt", "hello"),)), index).checks}
    assert [passed[name] for name in ("imports", "names", "uses")] == [None, None, None]


@pytest.mark.slow
def test_its_own_sources_have_no_undefined_names() -> None:
    import optimizer
    from optimizer.languages.naming.python import Module

    sources = list(Path(optimizer.__file__).parent.glob("*/*.py"))
    assert len(sources) > 50
    assert {path.name: found for path in sources if (found := Module(path.read_bytes()).undefined)} == {}


# ── names in other languages ─────────────────────────────────────────────────────────────────────

OTHERS = {
    "web/app.js": "import { area } from './lib';\nconst assert = require('assert');\n\n"
    "export function show(a, { b, c: d = 1 }, ...rest) {\n  assert(a);\n"
    "  return area(a) + b + d + rest.length + SHOP;\n}\n",
    "web/lib.js": "export function area(a) { return a * SHOP; }\n",
    "web/view.tsx": "import React from 'react';\nimport { Box } from './box';\n\n"
    "export const View = (props: { n: number }) => <Box n={props.n}>{window.innerWidth}</Box>;\n",
    "web/box.tsx": "export const Box = (p: any) => null;\n",
    "web/types.d.ts": "declare const BUILD: string;\n",
    "go.mod": "module example.org/m\n",
    "main.go": 'package main\n\nimport (\n\t"os"\n\n\t"example.org/m/calc"\n)\n\ntype point struct{ x int }\n\n'
    "func main() {\n\tv := point{x: calc.Total(1)}\n\tif len(os.Args) > limit {\n\t\thelp(v.x)\n\t}\n}\n",
    "help.go": "package main\n\nconst limit = 2\n\nfunc help(n int) { println(n) }\n",
    "calc/calc.go": "package calc\n\nfunc Total(n int) int { return n }\n",
    "src/a.rs": "use std::env;\nuse crate::b::Kind;\n\nfn run(k: Kind) -> Option<usize> {\n"
    "    let n = count(&env::args());\n    match k {\n        Kind::One(m) => Some(m + n),\n    }\n}\n\n"
    "fn count<T>(_all: &T) -> usize { 1 }\n",
    "j/A.java": "package j;\n\nimport java.util.List;\n\nclass A {\n  List<String> all;\n}\n",
}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with shared_index(tmp_path_factory.mktemp("shared"), OTHERS) as index:
        yield index


def changed(path: str, old: str, new_text: str) -> FileChange:
    assert old in OTHERS[path]
    return FileChange(path, OTHERS[path].encode(), OTHERS[path].replace(old, new_text).encode())


@pytest.mark.parametrize(
    ("path", "old", "new_text", "said"),
    [
        ("web/app.js", "area(a) +", "aera(a) +", "uses aera, which is not defined"),
        ("web/app.js", "const assert = require('assert');\n", "", "uses assert"),
        ("web/app.js", "import { area } from './lib';\n", "", "uses area"),
        ("web/app.js", "rest.length", "rests.length", "uses rests"),
        ("web/view.tsx", "<Box n={props.n}>", "<Box n={prop.n}>", "uses prop,"),
        ("web/view.tsx", "import { Box } from './box';\n", "", "uses Box"),
        ("main.go", '\t"os"\n', "", "uses os, which is not defined"),
        ("main.go", "help(v.x)", "halp(v.x)", "uses halp"),
        ("main.go", "> limit", "> limits", "uses limits"),
        ("main.go", "{ x int }", "{ x inte }", "uses inte"),
        ("main.go", "calc.Total", "calc.Sum", "uses calc.Sum, which that package does not define"),
        ("src/a.rs", "use std::env;\n", "", "uses env, which is no longer imported"),
        ("src/a.rs", "count(&", "counted(&", "uses counted"),
        ("src/a.rs", "m + n", "m + o", "uses o,"),
        ("j/A.java", "import java.util.List;\n", "", "uses List, which is no longer imported"),
    ],
)
def test_names_of_other_languages_are_resolved(others: Index, path: str, old: str, new_text: str, said: str) -> None:
    assert said in failed(others, changed(path, old, new_text))["names"]


@pytest.mark.parametrize(
    ("path", "old", "new_text"),
    [
        ("web/app.js", "assert(a);", "const { x, y: [z] } = a; for (const k of x) assert(z, k);"),
        ("web/app.js", "assert(a);", "describe('x', () => { fetch(BUILD); });"),
        ("web/app.js", "assert(a);", "setup(() => { expectTypeOf(BUILD); expectAsync(BUILD); });"),
        ("web/lib.js", "a * SHOP", "a * SHOP / 2"),
        ("web/box.tsx", "=> null", "=> { try { return SHOP } catch (e) { return e } }"),
        ("web/view.tsx", "props.n}>", "props.n} key='a'><dialog open/>"),
        ("main.go", "type point", "type pair[K comparable, V any] struct { k K; v []V }\n\ntype point"),
        ("main.go", "x int }", "x int; w os.File; y map[string]*point }"),
        ("main.go", "help(v.x)", "for i, n := range os.Args {\n\t\t\thelp(i + len(n) + limit)\n\t\t}"),
        ("main.go", "calc.Total(1)", "func(a, b int) (c int) { c = a + b; return }(1, calc.Total(2))"),
        ("src/a.rs", "m + n", "if let Some(q) = Some(m) { q } else { drop(n); m }"),
        ("src/a.rs", "use std::env;\n", "use std::env::{self, args};\n"),
        ("src/a.rs", "fn count", "mod t {\n    use super::{count, Kind};\n}\n\nfn count"),
        ("src/a.rs", "fn count", "struct One(u8);\n\nimpl One {\n    fn new() -> Self { Self(1) }\n}\n\nfn count"),
        ("j/A.java", "List<String> all;", "List<String> all;\n  Map<String, A> more;"),
    ],
)
def test_what_resolves_in_other_languages_is_left_alone(others: Index, path: str, old: str, new_text: str) -> None:
    assert failed(others, changed(path, old, new_text)) == {}


def test_a_module_in_a_file_takes_only_what_the_file_has(others: Index) -> None:
    found = failed(others, changed("src/a.rs", "fn count", "mod t {\n    use super::mislaid;\n}\n\nfn count"))
    assert "uses mislaid, which src/a.rs no longer defines" in found["uses"]


def test_a_definition_in_the_same_patch_resolves(others: Index) -> None:
    user = changed("main.go", "help(v.x)", "assist(v.x)")
    assert failed(others, user, new("assist.go", "package main\n\nfunc assist(n int) {}\n")) == {}
    asks = changed("main.go", "calc.Total", "calc.Sum")
    assert failed(others, asks, new("calc/sum.go", "package calc\n\nfunc Sum(n int) int { return n }\n")) == {}


@pytest.mark.parametrize(
    ("path", "old", "new_text", "said"),
    [
        ("calc/module_use.py", "parse.LIMIT", "parse.LIMITS", "uses parse.LIMITS, which calc/parse.py does not define"),
        ("calc/cli.py", "def main", "from calc import old\n\nold.nothing()\n\n\ndef main", "uses old.nothing"),
    ],
)
def test_an_attribute_that_a_module_lacks_is_told(index: Index, path: str, old: str, new_text: str, said: str) -> None:
    assert said in failed(index, change(path, old, new_text))["names"]


@pytest.mark.parametrize(
    ("path", "old", "new_text"),
    [
        ("calc/cli.py", "def main", "import calc\nimport os\n\ncalc.parse.total('1')\nos.nothing\n\n\ndef main"),
        ("calc/cli.py", "def main(line):\n", "from calc import parse\n\n\ndef main(line, parse=parse):\n    parse.x\n"),
        ("calc/cli.py", "def main", "from calc import star\n\nstar.total('1')\n\n\ndef main"),
        ("calc/cli.py", "def main", "from calc import parse\n\nparse.__name__\n\n\ndef main"),
    ],
)
def test_attributes_that_may_be_there_are_left_alone(index: Index, path: str, old: str, new_text: str) -> None:
    assert failed(index, change(path, old, new_text)) == {}


@pytest.mark.parametrize(
    "files",
    [
        {"numbers.py": "import numbers\n\nnumbers.Number\n"},  # the one of the standard library, for all we know
        {"kinds.pyi": "KIND: int\n", "use_kinds.py": "import kinds\n\nkinds.made_by_the_compiler\n"},
    ],
)
def test_attributes_of_what_is_no_other_module_of_source_are_left_alone(index: Index, files: dict[str, str]) -> None:
    assert failed(index, *(new(path, text) for path, text in files.items())) == {}
