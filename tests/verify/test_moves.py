"""Definitions that move, with everything that uses them, pass; a use that is left behind does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from optimizer.index.reader import Index
from optimizer.types import FileChange, Patch
from optimizer.verify.checks import at_once
from tests.conftest import IndexRepo

Texts = Mapping[str, str | None]


class Move(NamedTuple):
    """A right change of `files` (None: the file goes), and what each part of it left out leaves behind at `place`."""

    files: Mapping[str, str]
    change: Texts
    left: Mapping[str, str]


MOVES = {
    "typescript: importer updated": Move(
        {
            "a.ts": "export function helper(x: number) { return x }\nexport const k = 1\n",
            "b.ts": "export const Y = 1\n",
            "c.ts": 'import { helper } from "./a"\nexport const main = () => helper(1)\n',
        },
        {
            "a.ts": "export const k = 1\n",
            "b.ts": "export const Y = 1\nexport function helper(x: number) { return x }\n",
            "c.ts": 'import { helper } from "./b"\nexport const main = () => helper(1)\n',
        },
        {"c.ts": "c.ts:1", "b.ts": "c.ts:1"},
    ),
    "typescript: the old module passes it on": Move(
        {
            "a.ts": "export function helper() {}\nexport const k = 1\n",
            "c.ts": 'import { helper, k } from "./a"\nhelper()\n',
        },
        {"a.ts": "export * from './b'\nexport const k = 1\n", "b.ts": "export function helper() {}\n"},
        {},
    ),
    "typescript: through an index file": Move(
        {
            "lib/index.ts": "export * from './a'\nexport * from './b'\n",
            "lib/a.ts": "export function helper() {}\n",
            "lib/b.ts": "export const Y = 1\n",
            "c.ts": 'import { helper } from "./lib"\nhelper()\n',
        },
        {"lib/a.ts": "export {}\n", "lib/b.ts": "export const Y = 1\nexport function helper() {}\n"},
        {"lib/b.ts": "c.ts:1"},
    ),
    "vue: the script of a component": Move(
        {
            "a.ts": "export function helper() {}\nexport const k = 1\n",
            "b.ts": "export const Y = 1\n",
            "C.vue": '<template>\n<D/></template>\n<script>\nimport { helper } from "./a"\nhelper()\n</script>\n',
            "d.svelte": '<script context="module">\nexport const one = 1\n</script>\n',
            "e.ts": 'import C from "./C.vue"\nimport D, { one } from "./d.svelte"\n',
        },
        {
            "a.ts": "export const k = 1\n",
            "b.ts": "export const Y = 1\nexport function helper() {}\n",
            "C.vue": '<template>\n<D/></template>\n<script>\nimport { helper } from "./b"\nhelper()\n</script>\n',
        },
        {"C.vue": "C.vue:4", "b.ts": "C.vue:4"},
    ),
    "javascript: require": Move(
        {
            "a.js": "function helper() {}\nfunction other() {}\nmodule.exports = { helper, other };\n",
            "b.js": "exports.y = 1;\n",
            "c.js": "const { helper } = require('./a');\nhelper();\n",
        },
        {
            "a.js": "function other() {}\nmodule.exports = { other };\n",
            "b.js": "exports.y = 1;\nexports.helper = function () {};\n",
            "c.js": "const { helper } = require('./b');\nhelper();\n",
        },
        {"c.js": "c.js:1", "b.js": "c.js:1"},
    ),
    "go: to another file of the package": Move(
        {
            "go.mod": "module example.org/m\n",
            "a.go": "package m\n\nfunc helper() {}\n",
            "b.go": "package m\n\nvar Y = 1\n",
            "c.go": "package m\n\nfunc Use() { helper() }\n",
        },
        {"a.go": "package m\n", "b.go": "package m\n\nvar Y = 1\n\nfunc helper() {}\n"},
        {"b.go": "c.go:3"},
    ),
    "go: to another package": Move(
        {
            "go.mod": "module example.org/m\n",
            "a/a.go": "package a\n\nfunc Helper() {}\n\nfunc K() {}\n",
            "b/b.go": "package b\n\nvar Y = 1\n",
            "c.go": 'package m\n\nimport "example.org/m/a"\n\nfunc Use() { a.K(); a.Helper() }\n',
        },
        {
            "a/a.go": "package a\n\nfunc K() {}\n",
            "b/b.go": "package b\n\nvar Y = 1\n\nfunc Helper() {}\n",
            "c.go": 'package m\n\nimport (\n\t"example.org/m/a"\n\t"example.org/m/b"\n)\n\n'
            "func Use() { a.K(); b.Helper() }\n",
        },
        {"c.go": "c.go:5"},
    ),
    "rust: use updated": Move(
        {
            "Cargo.toml": '[package]\nname = "m"\n',
            "src/main.rs": "mod a;\nmod b;\nmod c;\nfn main() { c::run(); }\n",
            "src/a.rs": "pub fn helper() {}\npub fn other() {}\n",
            "src/b.rs": "pub fn y() {}\n",
            "src/c.rs": "use crate::a::helper;\npub fn run() { helper(); }\n",
        },
        {
            "src/a.rs": "pub fn other() {}\n",
            "src/b.rs": "pub fn y() {}\npub fn helper() {}\n",
            "src/c.rs": "use crate::b::helper;\npub fn run() { helper(); }\n",
        },
        {"src/c.rs": "src/c.rs:1", "src/b.rs": "src/c.rs:1"},
    ),
    "rust: the old module passes it on": Move(
        {
            "Cargo.toml": '[package]\nname = "m"\n',
            "src/main.rs": "mod a;\nmod b;\nfn main() { a::helper(); }\n",
            "src/a.rs": "pub fn helper() {}\npub fn other() {}\n",
            "src/b.rs": "pub fn y() {}\n",
        },
        {
            "src/a.rs": "pub use crate::b::helper;\npub fn other() {}\n",
            "src/b.rs": "pub fn y() {}\npub fn helper() {}\n",
        },
        {"src/b.rs": "src/a.rs:1"},
    ),
    "rust: called by its path": Move(
        {
            "Cargo.toml": '[package]\nname = "m"\n',
            "src/main.rs": "mod a;\nmod b;\nfn main() { a::helper(); }\n",
            "src/a.rs": "pub fn helper() {}\npub fn other() {}\n",
            "src/b.rs": "pub fn y() {}\n",
        },
        {
            "src/main.rs": "mod a;\nmod b;\nfn main() { b::helper(); }\n",
            "src/a.rs": "pub fn other() {}\n",
            "src/b.rs": "pub fn y() {}\npub fn helper() {}\n",
        },
        {"src/main.rs": "src/main.rs:3"},
    ),
    "python: the package passes it on": Move(
        {
            "p/__init__.py": "from .a import helper\n",
            "p/a.py": "def helper():\n    pass\n\n\nK = 1\n",
            "c.py": "from p import helper\n\nhelper()\n",
        },
        {
            "p/__init__.py": "from .b import helper\n",
            "p/a.py": "K = 1\n",
            "p/b.py": "def helper():\n    pass\n",
        },
        {"p/__init__.py": "p/__init__.py:1"},
    ),
    "python: a module becomes a package": Move(
        {"p/a.py": "def helper():\n    pass\n", "c.py": "from p.a import helper\n"},
        {"p/a.py": None, "p/a/__init__.py": "from .b import *\n", "p/a/b.py": "def helper():\n    pass\n"},
        {},
    ),
    "java: to another package": Move(
        {
            "x/a/C.java": "package x.a;\n\npublic class C {}\n",
            "x/U.java": "package x;\n\nimport x.a.C;\n\nclass U { C c; }\n",
        },
        {
            "x/a/C.java": None,
            "x/b/C.java": "package x.b;\n\npublic class C {}\n",
            "x/U.java": "package x;\n\nimport x.b.C;\n\nclass U { C c; }\n",
        },
        {"x/U.java": "x/U.java:3"},
    ),
    "php: to another namespace": Move(
        {
            "composer.json": '{"autoload": {"psr-4": {"X\\\\": "src/"}}}',
            "src/A/C.php": "<?php\nnamespace X\\A;\n\nclass C {}\n",
            "src/U.php": "<?php\nnamespace X;\n\nuse X\\A\\C;\n\nnew C();\n",
        },
        {
            "src/A/C.php": None,
            "src/B/C.php": "<?php\nnamespace X\\B;\n\nclass C {}\n",
            "src/U.php": "<?php\nnamespace X;\n\nuse X\\B\\C;\n\nnew C();\n",
        },
        {"src/U.php": "src/U.php:4"},
    ),
    "php: what is installed": Move(
        {"t/a.php": "<?php\n$x = 1;\n"},
        {"t/a.php": "<?php\nrequire __DIR__ . '/../vendor/autoload.php';\n$x = 1;\n"},
        {},
    ),
    "c: to another file": Move(
        {
            "a.h": "static int helper(int a) { return a; }\n",
            "c.c": '#include "a.h"\nint main(void) { return helper(1); }\n',
        },
        {"a.h": "int helper(int a);\n", "b.c": '#include "a.h"\nint helper(int a) { return a; }\n'},
        {},
    ),
    "c: a header of the system in quotes": Move(
        {"a.c": "int x;\n"},
        {"a.c": '#include "limits.h"\n#include <float.h>\nlong x = LONG_MAX, y = LLONG_MAX;\n'},
        {},
    ),
    "php: what an editor is shown": Move(
        {"a.php": "<?php\nfunction f() {}\n"},
        {".phpstorm.meta.php": "<?php\nnamespace PHPSTORM_META {\nexpectedArguments(f(), 0, argumentsSet('a'));\n}\n"},
        {},
    ),
    "python: a file of an older Python": Move(
        {"t.py": "from a import async\n", "a.py": "x = 1\n"},
        {"t.py": None, "tests/t.py": "import sys\nfrom a import async\n"},
        {},
    ),
    "python: names of an older Python": Move(
        {"a.py": "import urllib2\n", "b.py": "x = 1\n"},
        {"b.py": "for x in xrange(1):\n    raise StandardError(x)\n"},
        {},
    ),
    "python: a name that may be missing": Move(
        {"a.py": "x = 1\n"},
        {"a.py": "try:\n    text = (str, unicode)\nexcept NameError:\n    text = str\n"},
        {},
    ),
    "python: syntax of an older Python": Move(
        {"a.py": "print 1\n", "b.py": "x = 1\n"},
        {"b.py": "try:\n    x = 1\nexcept ValueError, error:\n    raise\n"},
        {},
    ),
    "javascript: a picture and the file that shows it": Move(
        {"src/bg.png": "\x89PNG\0", "src/app.js": "import bg from './bg.png'\nshow(bg)\n"},
        {"src/app.js": "import './page/scene'\n", "src/page/scene.js": "import bg from '../bg.png'\nshow(bg)\n"},
        {},
    ),
    "javascript: scripts that share their top level": Move(
        {"text.js": "var x = 1;\n", "sugar.js": "show(['size']);\nfunction show(a) {}\n"},
        {
            "text.js": "var x = 1;\nvar _styleAttr = ['size'];\n",
            "sugar.js": "show(_styleAttr);\nfunction show(a) {}\n",
        },
        {"text.js": "sugar.js:1"},
    ),
    "javascript: the package itself, which is built": Move(
        {"package.json": '{"main": "dist/index.js"}\n', "src/index.js": "1\n"},
        {"test/a.js": "const own = require('../')\nown()\n"},
        {},
    ),
    "javascript: minified": Move(
        {"a.min.js": "1;\n"}, {"a.min.js": f"{'f(1);' * 500}(function(){{return d}})()\n"}, {}
    ),
    "rust: to a module of which all is imported": Move(
        {
            "src/lib.rs": "mod all;\nmod a;\nmod b;\n",
            "src/all.rs": "pub struct First;\n",
            "src/a.rs": "pub struct Noop;\n",
            "src/b.rs": "use super::all::*;\nuse super::a::Noop;\npub fn make() -> (First, Noop) { (First, Noop) }\n",
        },
        {
            "src/all.rs": "pub struct First;\npub struct Noop;\n",
            "src/a.rs": "\n",
            "src/b.rs": "use super::all::*;\npub fn make() -> (First, Noop) { (First, Noop) }\n",
        },
        {"src/all.rs": "src/b.rs:2"},
    ),
    "rust: a macro defines it": Move(
        {
            "src/lib.rs": "#[macro_use]\nmod macros;\nmod a;\npub use a::{Held, Other};\n",
            "src/macros.rs": "macro_rules! header { ($n:ident, $s:expr) => { pub struct $n; }; }\n",
            "src/a.rs": "pub struct Held;\npub struct Other;\n",
        },
        {"src/a.rs": 'header! {\n    (Held, "Held")\n}\npub struct Other;\n'},
        {},
    ),
    "rust: imported within a macro": Move(
        {
            "src/lib.rs": "use std::str::Searcher;\nmacro_rules! made { ($e:expr) => { Searcher::new($e) }; }\n",
        },
        {
            "src/lib.rs": "macro_rules! made {\n"
            "    ($e:expr) => { outer! {{ use std::str::Searcher; Searcher::new($e) }} };\n}\n",
        },
        {},
    ),
    "ruby: to another file": Move(
        {"lib/a.rb": "def helper\nend\n\ndef k\nend\n", "c.rb": "require_relative 'lib/a'\n\nhelper()\n"},
        {"lib/a.rb": "require_relative 'b'\n\ndef k\nend\n", "lib/b.rb": "def helper\nend\n"},
        {},
    ),
}


def failed(index: Index, files: Mapping[str, str], change: Texts) -> str:
    def data(text: str | None) -> bytes | None:
        return None if text is None else text.encode()

    changes = tuple(FileChange(path, data(files.get(path)), data(text)) for path, text in change.items())
    checks = at_once(Patch(changes), index).checks
    return "\n".join(check.evidence or check.detail for check in checks if check.passed is False)


@pytest.mark.parametrize("name", MOVES)
def test_a_definition_moves_with_all_that_uses_it(index_repo: IndexRepo, name: str) -> None:
    move = MOVES[name]
    assert failed(index_repo(dict(move.files)), move.files, move.change) == ""


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, move in MOVES.items() for part in move.left])
def test_a_use_that_is_left_behind_is_found(index_repo: IndexRepo, name: str, part: str) -> None:
    move = MOVES[name]
    rest = {path: text for path, text in move.change.items() if path != part}
    assert move.left[part] in failed(index_repo(dict(move.files)), move.files, rest)


def test_an_import_of_what_a_script_never_offered_is_found(index_repo: IndexRepo) -> None:
    files = MOVES["typescript: importer updated"].files
    index = index_repo(dict(files))
    user = 'import { helper, helpers } from "./a"\n'
    assert "c.ts:1" in failed(index, files, {"c.ts": user})
    assert failed(index, files, {"c.ts": user, "a.ts": f"{files['a.ts']}export class helpers {{}}\n"}) == ""


@pytest.mark.parametrize("text", ["def first[T](p: T) -> T:\n    return p\n", "type X = int\n", "x = f'{d['a']}'\n"])
def test_a_check_of_names_that_this_python_cannot_make_has_not_passed(index_repo: IndexRepo, text: str) -> None:
    index = index_repo({"a.py": "x = 1\n"})
    checks = at_once(Patch((FileChange("a.py", b"x = 1\n", text.encode()),)), index).checks
    passed = {check.name: check.passed for check in checks}
    assert passed["parses"] is True
    reads = not _error(text)
    assert [passed[name] for name in ("imports", "names", "uses")] == [True if reads else None] * 3


def _error(text: str) -> bool:
    try:
        compile(text, "a.py", "exec")
    except SyntaxError:
        return True
    return False
