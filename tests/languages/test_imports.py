"""Imports → files: one case file a language, then the corners of each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.languages.edges import RawImport
from optimizer.languages.imports import has_package, is_manifest, resolve, tree
from optimizer.languages.source import Source
from optimizer.languages.table import LANGUAGES, is_installed, language_of

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"), key=lambda path: path.name)


def needs_grammar(path: str) -> None:
    language = language_of(path)
    if language is not None and not is_installed(language):
        pytest.skip(f"the grammar of {language.name} is not installed: pip install '.[languages]'")


def edges(path: str, source: str, files: list[str], manifests: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """Targets by module, of the imports of one file in a tree; '' for outside."""
    needs_grammar(path)
    known = {name: text.encode() for name, text in (manifests or {}).items()}
    found: dict[str, list[str]] = {}
    for edge in resolve(path, Source(path, source.encode()).imports, tree([path, *files, *known], known)):
        assert edge.source == path
        found.setdefault(edge.module, []).append(edge.target or "")
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = tomllib.loads(path.read_text("utf-8"))
    needs_grammar(case["path"])
    manifests = {name: text.encode() for name, text in case.get("manifests", {}).items()}
    assert all(map(is_manifest, manifests))
    forest = tree([case["path"], *case["tree"]["files"], *manifests], manifests)
    found = resolve(case["path"], Source(case["path"], case["source"].encode()).imports, forest)
    assert [[edge.module, edge.target or ""] for edge in found] == case["edges"]
    assert all(edge.target is None or edge.target in forest.paths for edge in found)


def test_manifests() -> None:
    wanted = ["package.json", "a/tsconfig.json", "tsconfig.base.json", "go.mod", "x/Cargo.toml", "composer.json"]
    assert all(map(is_manifest, wanted))
    assert not any(map(is_manifest, ["package-lock.json", "a.json", "go.sum", "tsconfig.md", "Cargo.lock"]))


def test_a_script_without_an_ending_imports_by_its_first_line() -> None:
    assert edges("bin/run", "#!/usr/bin/env python3\nimport helper\n", ["bin/helper.py"]) == {
        "helper": ["bin/helper.py"]
    }
    assert edges("bin/run", "#!/bin/sh\n. ./lib\n", ["bin/lib"]) == {"./lib": ["bin/lib"]}


PACKAGES = {
    "kotlin: a top-level function, a class in a file of another name, and both halves of one": (
        "main.kt",
        "import a.b.total\nimport a.b.Cart\nimport a.b.Cart.Item\nimport a.b.both\nimport a.b.none\nimport a.b.*\n",
        {
            "src/-Shop.kt": "package a.b\n\nfun total() = 1\nclass Cart { class Item }\n",
            "jvm/Both.kt": "package a.b\n\nactual fun both() = 1\n",
            "js/Both.kt": "package a.b\n\nactual fun both() = 2\n",
        },
        {
            "a.b.total": ["src/-Shop.kt"], "a.b.Cart": ["src/-Shop.kt"], "a.b.Cart.Item": ["src/-Shop.kt"],
            "a.b.both": ["js/Both.kt", "jvm/Both.kt"], "a.b.none": [""],
            "a.b.*": ["js/Both.kt", "jvm/Both.kt", "src/-Shop.kt"],
        },
    ),
    "java: a class of Kotlin": (
        "A.java", "import a.b.Cart;", {"x.kt": "package a.b\nclass Cart\n"}, {"a.b.Cart": ["x.kt"]},
    ),
    "csharp: one namespace in two projects, types, relative names and aliases": (
        "app/Main.cs",
        "using Acme.Shop;\nusing static Acme.Shop.Text;\nusing C = Acme.Shop.Cart<int>;\n"
        "using D = System.Func<A, (int, B)>;\nnamespace Acme.App;\nusing Shop.Inner;\n",
        {
            "one/Cart.cs": "namespace Acme.Shop;\nclass Cart<T> {}\n",
            "two/Text.cs": "namespace Acme { namespace Shop { class Text {} } }\n",
            "two/Deep.cs": "namespace Acme.Shop.Inner { class Deep {} }\n",
        },
        {
            "Acme.Shop": ["one/Cart.cs", "two/Text.cs"], "Acme.Shop.Text": ["two/Text.cs"],
            "Acme.Shop.Cart": ["one/Cart.cs"], "System.Func": [""], "Shop.Inner": ["two/Deep.cs"],
        },
    ),
    "php: namespaces that no composer.json maps": (
        "index.php", "<?php\nuse Acme\\Shop\\Cart;\nuse function Acme\\Shop\\total;\nuse Other\\Cart as C;\n",
        {"lib/shop.php": "<?php\nnamespace Acme\\Shop;\n\nfunction total() {}\n\nclass Cart {}\n"},
        {"Acme\\Shop\\Cart": ["lib/shop.php"], "Acme\\Shop\\total": ["lib/shop.php"], "Other\\Cart": [""]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("path", "source", "files", "found"), PACKAGES.values(), ids=PACKAGES)
def test_what_files_declare_leads_to_them(
    path: str, source: str, files: dict[str, str], found: dict[str, list[str]]
) -> None:
    for one in (path, *files):
        needs_grammar(one)
    sources = {one: Source(one, text.encode()) for one, text in {path: source, **files}.items()}
    forest = tree(sources, {}, {one: read.packages for one, read in sources.items() if has_package(one)})
    edges: dict[str, list[str]] = {}
    for edge in resolve(path, sources[path].imports, forest):
        edges.setdefault(edge.module, []).append(edge.target or "")
    assert edges == found


class TestPython:
    def test_the_root_nearest_to_the_importer_wins(self) -> None:
        files = ["one/src/app/__init__.py", "one/src/app/core.py", "two/src/app/__init__.py", "two/src/app/core.py"]
        assert edges("two/src/app/main.py", "import app.core", files) == {"app.core": ["two/src/app/core.py"]}
        assert edges("one/src/app/main.py", "import app.core", files) == {"app.core": ["one/src/app/core.py"]}

    def test_scripts_see_their_neighbours_and_packages_do_not(self) -> None:
        assert edges("tools/run.py", "import helper", ["tools/helper.py"]) == {"helper": ["tools/helper.py"]}
        files = ["pkg/__init__.py", "pkg/logging.py"]
        assert edges("pkg/run.py", "import logging", files) == {"logging": [""]}

    def test_namespace_packages(self) -> None:
        found = edges("main.py", "from space.inner import a, b", ["space/inner/a.py"])
        assert found == {"space.inner.a": ["space/inner/a.py"]}

    def test_names_are_submodules_or_come_from_the_package(self) -> None:
        files = ["pkg/__init__.py", "pkg/a.py", "pkg/sub/__init__.py"]
        assert edges("main.py", "from pkg import a, sub, other", files) == {
            "pkg.a": ["pkg/a.py"],
            "pkg.sub": ["pkg/sub/__init__.py"],
            "pkg": ["pkg/__init__.py"],
        }

    def test_relative_beyond_the_top_leads_nowhere(self) -> None:
        assert edges("a/b.py", "from ....x import y", ["x.py"]) == {"....x": [""]}
        assert edges("a/b.py", "from . import y", ["x.py"]) == {".": [""]}

    def test_modules_that_are_made_lead_to_their_package(self) -> None:
        assert edges("m.py", "import pkg.compiled.x", ["pkg/__init__.py"]) == {"pkg.compiled.x": ["pkg/__init__.py"]}

    def test_stubs(self) -> None:
        assert edges("m.py", "import fast", ["fast.pyi"]) == {"fast": ["fast.pyi"]}


class TestJavaScript:
    @pytest.mark.parametrize(
        ("module", "target"),
        [
            ("./a", "src/a.ts"),
            ("./a.js", "src/a.ts"),
            ("./dir", "src/dir/index.jsx"),
            ("./dir/", "src/dir/index.jsx"),
            ("..", "index.js"),
            ("./data.json", "src/data.json"),
            ("./view?raw", "src/view.tsx"),
            ("./missing", ""),
            ("react", ""),
            ("../../../outside", ""),
        ],
    )
    def test_relative(self, module: str, target: str) -> None:
        files = ["src/a.ts", "src/dir/index.jsx", "index.js", "src/data.json", "src/view.tsx"]
        assert edges("src/main.ts", f"import x from '{module}'", files) == {module: [target]}

    def test_packages_of_the_workspace(self) -> None:
        manifests = {
            "libs/ui/package.json": '{"name": "@acme/ui", "exports": {".": "./build/ui.js", "./x": {"x": "./y.js"}}}',
            "libs/plain/package.json": '{"name": "plain"}',
        }
        files = ["libs/ui/src/ui.ts", "libs/ui/y.js", "libs/ui/theme/dark.ts", "libs/plain/index.js"]
        source = "import '@acme/ui'; import '@acme/ui/x'; import '@acme/ui/theme/dark'; import 'plain'; import '@acme'"
        assert edges("app/main.js", source, files, manifests) == {
            "@acme/ui": ["libs/ui/src/ui.ts"],
            "@acme/ui/x": ["libs/ui/y.js"],
            "@acme/ui/theme/dark": ["libs/ui/theme/dark.ts"],
            "plain": ["libs/plain/index.js"],
            "@acme": [""],
        }

    def test_paths_of_an_extended_tsconfig(self) -> None:
        manifests = {
            "web/tsconfig.json": '{"extends": "../tsconfig.base"}',
            "tsconfig.base.json": '{"compilerOptions": {"paths": {"~": ["./root.ts"], "#/*": ["./lib/*", "./web/*"]}}}',
        }
        found = edges(
            "web/a/b.ts", "import '~'; import '#/x'; import '#/y'", ["root.ts", "lib/y.ts", "web/x.ts"], manifests
        )
        assert found == {"~": ["root.ts"], "#/x": ["web/x.ts"], "#/y": ["lib/y.ts"]}

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "null", "[" * 100_000, '{"compilerOptions": 3}', '{"extends": "./"}']
    )
    def test_unreadable_manifests_count_as_empty(self, text: str) -> None:
        manifests = {"tsconfig.json": text, "package.json": text}
        assert edges("a.ts", "import './b'", ["b.ts"], manifests) == {"./b": ["b.ts"]}

    def test_a_tsconfig_that_extends_itself(self) -> None:
        manifests = {"tsconfig.json": '{"extends": "./tsconfig.json"}'}
        assert edges("a.ts", "import 'b'", ["b.ts"], manifests) == {"b": [""]}

    def test_comment_signs_within_strings_are_kept(self) -> None:
        manifests = {"tsconfig.json": '{"compilerOptions": {/**/ "paths": {"//x/*": ["src/*"],},}} // end'}
        assert edges("a.ts", "import '//x/b'; import 'b'", ["src/b.ts"], manifests)["b"] == [""]


class TestGo:
    def test_several_modules_and_replacements(self) -> None:
        manifests = {
            "go.mod": "module acme.dev/main\n\nreplace acme.dev/fork v1.0.0 => ./third/fork\n",
            "api/go.mod": "module acme.dev/main/api\n",
        }
        files = ["api/v1/a.go", "api/v1/b.go", "api/v1/a_test.go", "third/fork/f.go", "x/x.go"]
        source = (
            'package main\nimport (\n"acme.dev/main/api/v1"\n"acme.dev/fork"\n"acme.dev/main/x"\n"acme.dev/mainly/x"\n)'
        )
        assert edges("main.go", source, files, manifests) == {
            "acme.dev/main/api/v1": ["api/v1/a.go", "api/v1/b.go"],
            "acme.dev/fork": ["third/fork/f.go"],
            "acme.dev/main/x": ["x/x.go"],
            "acme.dev/mainly/x": [""],
        }


class TestRust:
    def test_modules_of_files_folders_and_targets(self) -> None:
        manifests = {"Cargo.toml": '[package]\nname = "my-crate"\n'}
        files = ["src/lib.rs", "src/a.rs", "src/a/b.rs", "src/c/mod.rs", "tests/common/mod.rs"]
        assert edges("src/a.rs", "mod b; use self::b::X; use super::c::Y;", files, manifests) == {
            "b": ["src/a/b.rs"],
            "self::b::X": ["src/a/b.rs"],
            "super::c::Y": ["src/c/mod.rs"],
        }
        assert edges("tests/it.rs", "mod common; use my_crate::a::b; use crate::common::z;", files, manifests) == {
            "common": ["tests/common/mod.rs"],
            "my_crate::a::b": ["src/a/b.rs"],
            "crate::common::z": ["tests/common/mod.rs"],
        }

    def test_a_library_at_another_place(self) -> None:
        manifests = {"Cargo.toml": '[package]\nname = "p"\n[lib]\nname = "q"\npath = "code/start.rs"\n'}
        found = edges("x/main.rs", "use q::part::X; use p::Y;", ["code/start.rs", "code/part.rs"], manifests)
        assert found == {"q::part::X": ["code/part.rs"], "p::Y": ["code/start.rs"]}


def test_java_prefers_the_same_module() -> None:
    files = ["one/src/com/a/B.java", "two/src/com/a/B.java", "two/src/com/a/B2.java"]
    assert edges("two/src/com/x/C.java", "import com.a.B; import com.a.Z;", files) == {
        "com.a.B": ["two/src/com/a/B.java"],
        "com.a.Z": [""],
    }


def test_c_takes_no_guess_between_two_headers() -> None:
    files = ["one/deep/x.h", "two/deep/x.h", "one/only.h", "inc/sys.h"]
    source = '#include "deep/x.h"\n#include "only.h"\n#include <only.h>\n#include <sys.h>\n'
    assert edges("main.c", source, files) == {"deep/x.h": [""], "only.h": ["one/only.h", ""], "sys.h": ["inc/sys.h"]}


def test_ruby_takes_the_nearest_load_path() -> None:
    files = ["gems/a/lib/tool.rb", "gems/b/lib/tool.rb"]
    assert edges("gems/b/lib/b.rb", "require 'tool'", files) == {"tool": ["gems/b/lib/tool.rb"]}


def test_php_takes_the_longest_prefix() -> None:
    manifests = {"composer.json": '{"autoload": {"psr-4": {"A\\\\": "a/", "A\\\\B\\\\": ["b1", "b2"], "": "rest"}}}'}
    files = ["a/X.php", "a/B/Y.php", "b2/Z.php", "rest/Q/R.php"]
    source = "<?php use A\\X; use A\\B\\Y; use A\\B\\Z; use Q\\R; use AB\\C;"
    assert edges("m.php", source, files, manifests) == {
        "A\\X": ["a/X.php"],
        "A\\B\\Y": ["a/B/Y.php"],
        "A\\B\\Z": ["b2/Z.php"],
        "Q\\R": ["rest/Q/R.php"],
        "AB\\C": [""],
    }


def test_shell_scripts_source_files_next_to_them() -> None:
    files = ["lib/log.sh", "bin/log.sh", "bin/deep/only.sh", "top.sh", "far/away/lib/util.sh"]
    source = """
source log.sh
. top.sh
source "$ROOT/lib/util.sh"
. "${BASH_SOURCE%/*}/../lib/log.sh"
source "$(cd "$(dirname "$0")" && pwd)/deep/only.sh" now
source lib/util.sh
. ~/.profile
. ./$name.sh
"""
    assert edges("bin/run.sh", source, files) == {
        "log.sh": ["bin/log.sh"],
        "top.sh": ["top.sh"],
        "lib/util.sh": ["far/away/lib/util.sh", ""],
        "../lib/log.sh": ["lib/log.sh"],
        "deep/only.sh": ["bin/deep/only.sh"],
        "~/.profile": [""],
    }


def test_lua_modules_are_files_or_folders() -> None:
    files = ["a/lua/x/one.lua", "b/lua/x/one.lua", "b/lua/x/two/init.lua", "b/lua/x/two.txt"]
    source = "require 'x.one' require('x.two') local x = require(name) require 'x.three'"
    assert edges("b/lua/main.lua", source, files) == {
        "x.one": ["b/lua/x/one.lua"],
        "x.two": ["b/lua/x/two/init.lua"],
        "x.three": [""],
    }


def test_elixir_modules_are_found_by_name_or_around_them() -> None:
    files = ["lib/app/http_client.ex", "lib/app/user.ex", "lib/app.ex", "lib/ecto.ex"]
    source = "alias App.HTTPClient\nalias App.User.Token\nalias Ecto.Query\nuse App\nalias __MODULE__.X\n"
    assert edges("lib/app/web.ex", source, files) == {
        "App.HTTPClient": ["lib/app/http_client.ex"],
        "App.User.Token": ["lib/app/user.ex"],
        "Ecto.Query": [""],
        "App": ["lib/app.ex"],
    }


def test_java_kotlin_and_scala_see_each_other() -> None:
    files = ["src/java/a/One.java", "src/kotlin/a/Two.kt", "src/scala/a/Three.scala"]
    wanted = {"a.One": [files[0]], "a.Two": [files[1]], "a.Three": [files[2]]}
    assert edges("src/java/M.java", "import a.One; import a.Two; import a.Three;", files) == wanted
    assert edges("src/kotlin/M.kt", "import a.One\nimport a.Two\nimport a.Three\n", files) == wanted
    assert edges("src/scala/M.scala", "import a.{One, Two => T, Three}", files) == wanted


def test_csharp_namespaces_follow_folders() -> None:
    files = ["src/Acme.Shop/Tax/Vat.cs", "src/Acme.Shop/Cart.cs", "tests/Acme.Shop/Cart.cs"]
    source = "using Acme.Shop; using Acme.Shop.Tax; using static Acme.Shop.Cart; using System.Linq; using Shop2;"
    assert edges("src/Acme.Web/Main.cs", source, files) == {
        "Acme.Shop": ["src/Acme.Shop/Cart.cs"],
        "Acme.Shop.Tax": ["src/Acme.Shop/Tax/Vat.cs"],
        "Acme.Shop.Cart": ["src/Acme.Shop/Cart.cs"],
        "System.Linq": [""],
        "Shop2": [""],
    }


def test_files_without_a_language_have_no_edges() -> None:
    assert resolve("README.md", (RawImport("x", (), 1, "import"),), tree(["README.md"], {})) == ()


@given(
    extension=st.sampled_from([language.extensions[0] for language in LANGUAGES]),
    module=st.text(alphabet="ab./\\:*@{}\"' ~#?-", max_size=12),
    kind=st.sampled_from(
        ["import", "from", "use", "use-inner", "mod", "static", "include", "include-local", "require"]
    ),
    manifest=st.binary(max_size=30),
)
@settings(max_examples=300)
def test_anything_can_be_resolved(extension: str, module: str, kind: str, manifest: bytes) -> None:
    path = f"a/b{extension}"
    names = ("package.json", "tsconfig.json", "go.mod", "Cargo.toml", "composer.json", "a/package.json")
    forest = tree([path, "a/a.rs", f"a/a{extension}", *names], dict.fromkeys(names, manifest))
    for edge in resolve(path, (RawImport(module, ("a", "*"), 1, kind),), forest):
        assert edge.target is None or edge.target in forest.paths
