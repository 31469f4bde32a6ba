"""The languages: one row each, with its grammar and what sets it apart."""

from __future__ import annotations

import posixpath
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple


class Modules(NamedTuple):
    """How a family of languages imports."""

    name: str  # of a module in `modules/`, loaded when needed
    manifests: tuple[str, ...] = ()  # patterns for the names of files that say where modules are
    by_folder: bool = False  # where an import leads depends only on the folder of its file
    lead_to_files: bool = True  # False: no module is ever a file of the repository
    packages: tuple[str, ...] = ()  # endings of files whose package counts, with the names that they define in it


class Language(NamedTuple):
    """One language: how its files are recognised, parsed and read. Its query is `queries/NAME.scm`."""

    name: str
    extensions: tuple[str, ...]
    module: str  # the package of the grammar
    function: str = "language"  # the function there that returns the grammar
    extra: str = ""  # the optional dependency group that installs the grammar; '' for required ones
    filenames: tuple[str, ...] = ()  # `Name.*` stands for any ending
    programs: tuple[str, ...] = ()  # that run its scripts, as their first line names them, without a version
    # Kinds of files
    outline: bool = False  # text or data: it has sections only, and syntax errors do not count (many are templates)
    # It says what another program is to make. Its definitions are read; any word may be a use, and none surely means a
    # definition; syntax errors do not count, since each program has its own dialect.
    described: bool = False
    prose: bool = False  # long lines are usual
    cells: bool = False  # a notebook, whose cells are read in the language that it names
    blocks: bool = False  # a page of the web, whose script blocks are read in the languages that they name
    front: str = ""  # the language of what is between dashes at the top of a page, and of scripts that name none
    tests: tuple[str, ...] = ()  # patterns for test files as the usual runners find them; with a `/` for whole paths
    test_setup: tuple[str, ...] = ()  # names of files that set up the tests in their folder and below
    # Parsing
    depth: int = -1  # how far below the root the query looks; -1: everywhere
    keywords: tuple[bytes, ...] = ()  # each definition or import below `depth` is written with one of these
    wrapper: str = ""  # the node around a definition and its decorators
    most_nested: int = 0  # more open blocks make the grammar write out of bounds; 0: no limit
    macros: bool = False  # valid files may not parse, since macros are not expanded
    conditional: bool = False  # `#if` may stand where the grammar has no place for it
    old_form: tuple[bytes, bytes] = (b"", b"")  # what only old editions have, and the like of it that always parses
    inner: tuple[bytes, ...] = ()  # a body without these words defines and imports nothing; (): parse all bodies
    inner_form: bytes = b""  # the same, as a regular expression
    # Documentation and signatures
    comments: tuple[bytes, ...] = (b"///", b"//!", b"//", b"/**", b"/*", b"*/", b"*")  # how such lines start
    docstrings: bool = False  # bodies may start with a docstring, and `#` starts a comment
    tagged: bool = False  # documentation is XML
    marks: frozenset[str] = frozenset()  # nodes before a definition that belong to it, such as attributes
    attribute_marks: tuple[bytes, ...] = ()  # only marks that start so belong to it; `@doc` is the documentation
    bracketed: bool = False  # attributes are written `[Name]`
    clauses: bool = False  # a function may be written as several clauses, one after the other
    # Names
    dotted: bool = False  # a definition may be written with the names around it, `A.b`
    own_scopes: tuple[str, ...] = ()  # qualifiers that mean the file itself or the object around
    raw_prefix: str = ""  # makes a keyword a name
    mixins: bool = False  # functions in a module are methods
    required: bool = False  # constants may be names of imported modules
    # Imports
    modules: Modules | None = None
    reader: str = "read"  # the function in `modules` that reads an import statement
    inline_modules: bool = False  # a file may hold whole modules; imports in them are relative to them


_HASH = (b"#",)
_PYTHON = Modules("python", by_folder=True)
_SCRIPT = Modules("javascript", ("package.json", "jsconfig.json", "tsconfig*.json"))
_JAVA = Modules("java", packages=(".kt", ".kts"))
_C = Modules("c", by_folder=True)
_SCRIPT_TESTS = tuple(
    f"?*[._]{word}.{ending}" for word in ("test", "spec") for ending in ("[jt]s", "[jt]sx", "[cm][jt]s")
)
_SCRIPT_SCOPES = ("module.exports", "exports", "this")
_DECORATORS = frozenset({"decorator"})

LANGUAGES: tuple[Language, ...] = (
    Language(
        "python",
        (".py", ".pyi", ".pyw"),
        "tree_sitter_python",
        filenames=("SConstruct", "SConscript", "wscript"),
        programs=("python", "pypy", "uv"),
        depth=4,
        keywords=(b"def ", b"class ", b"import "),
        inner=(b"class ", b"import", b"type ", b'"""', b"'''", b"\\\n"),
        comments=_HASH,
        docstrings=True,
        wrapper="decorated_definition",
        modules=_PYTHON,
        tests=("test_?*.py", "test_?*.pyi", "?*_test.py"),
        test_setup=("conftest.py",),
    ),
    Language(
        "javascript",
        (".js", ".jsx", ".mjs", ".cjs"),
        "tree_sitter_javascript",
        programs=("node", "nodejs", "bun"),
        required=True,
        modules=_SCRIPT,
        tests=_SCRIPT_TESTS,
        own_scopes=_SCRIPT_SCOPES,
    ),
    Language(
        "typescript",
        (".ts", ".mts", ".cts"),
        "tree_sitter_typescript",
        function="language_typescript",
        programs=("ts-node", "tsx", "deno"),
        marks=_DECORATORS,
        required=True,
        modules=_SCRIPT,
        tests=_SCRIPT_TESTS,
        own_scopes=_SCRIPT_SCOPES,
    ),
    Language(
        "tsx",
        (".tsx",),
        "tree_sitter_typescript",
        function="language_tsx",
        marks=_DECORATORS,
        required=True,
        modules=_SCRIPT,
        tests=_SCRIPT_TESTS,
        own_scopes=_SCRIPT_SCOPES,
    ),
    Language(
        "go",
        (".go",),
        "tree_sitter_go",
        depth=4,
        inner=(b"type ", b"interface {", b"`"),
        modules=Modules("golang", ("go.mod",)),
        tests=("?*_test.go",),
    ),
    Language(
        "rust",
        (".rs",),
        "tree_sitter_rust",
        marks=frozenset({"attribute_item"}),
        old_form=(b"try!(", b"trY!("),
        inline_modules=True,
        modules=Modules("rust", ("Cargo.toml",)),
        tests=("tests/*.rs",),
        raw_prefix="r#",
    ),
    Language("java", (".java",), "tree_sitter_java", modules=_JAVA, tests=("?*Test.java", "?*Tests.java")),
    Language(
        "c",
        (".c", ".h"),
        "tree_sitter_c",
        inner=(b"typedef", b"define ", b"define\t", b"include"),
        inner_form=rb"(?:struct|union|enum)\s[^;(){}=]*\{",
        macros=True,
        modules=_C,
        tests=("?*_test.c",),
    ),
    Language(
        "cpp",
        (".cc", ".cpp", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".inl", ".tpp"),
        "tree_sitter_cpp",
        macros=True,
        modules=_C,
        tests=("?*_test.cc", "?*_test.cpp"),
    ),
    Language(
        "ruby",
        (".rb", ".rake", ".gemspec", ".ru"),
        "tree_sitter_ruby",
        depth=9,
        keywords=(b"def ", b"class ", b"module ", b"require ", b"require(", b"require_relative ", b"autoload "),
        programs=("ruby",),
        filenames=("Rakefile", "Gemfile", "Vagrantfile", "Guardfile", "Capfile"),
        comments=_HASH,
        mixins=True,
        modules=Modules("ruby"),
        tests=("?*_test.rb", "?*_spec.rb"),
    ),
    Language(
        "php",
        (".php", ".phtml"),
        "tree_sitter_php",
        function="language_php",
        programs=("php",),
        depth=4,
        keywords=(b"function ", b"class ", b"include ", b"include_once ", b"require ", b"require_once "),
        modules=Modules("php", ("composer.json",), packages=(".php",)),
        tests=("?*Test.php", "?*Tests.php"),
    ),
    Language(
        "csharp",
        (".cs", ".csx"),
        "tree_sitter_c_sharp",
        bracketed=True,
        tagged=True,
        extra="languages",
        modules=Modules("csharp", packages=(".cs", ".csx")),
        tests=("?*Test.cs", "?*Tests.cs"),
    ),
    Language(
        "kotlin",
        (".kt", ".kts"),
        "tree_sitter_kotlin",
        extra="languages",
        modules=_JAVA,
        reader="read_kotlin",
        tests=("?*Test.kt", "?*Tests.kt", "?*Spec.kt", "?*Suite.kt"),
    ),
    Language(
        "swift",
        (".swift",),
        "tree_sitter_swift",
        extra="languages",
        conditional=True,
        modules=Modules("swift", lead_to_files=False),
        tests=("?*Test.swift", "?*Tests.swift"),
    ),
    Language(
        "scala",
        (".scala", ".sc", ".sbt"),
        "tree_sitter_scala",
        extra="languages",
        modules=_JAVA,
        reader="read_scala",
        tests=("?*Test.scala", "?*Tests.scala", "?*Spec.scala", "?*Suite.scala"),
    ),
    Language(
        "lua",
        (".lua",),
        "tree_sitter_lua",
        programs=("lua", "luajit"),
        comments=(b"--",),
        required=True,
        extra="languages",
        modules=Modules("lua"),
        tests=("?*_spec.lua",),
    ),
    Language(
        "elixir",
        (".ex", ".exs"),
        "tree_sitter_elixir",
        comments=_HASH,
        programs=("elixir",),
        marks=frozenset({"unary_operator"}),
        attribute_marks=(b"@doc", b"@spec", b"@impl", b"@deprecated", b"@since"),
        dotted=True,
        extra="languages",
        modules=Modules("elixir"),
        tests=("?*_test.exs",),
    ),
    Language(
        "haskell",
        (".hs",),
        "tree_sitter_haskell",
        programs=("runghc", "runhaskell", "stack"),
        comments=(b"--", b"{-"),
        marks=frozenset({"signature"}),
        clauses=True,
        macros=True,
        extra="languages",
        modules=Modules("haskell"),
        tests=("?*Spec.hs", "?*Test.hs", "?*Tests.hs"),
    ),
    Language(
        "zig",
        (".zig", ".zon"),
        "tree_sitter_zig",
        comments=(b"///", b"//!", b"//"),
        required=True,
        extra="languages",
        modules=Modules("zig"),
    ),
    Language(
        "bash",
        (".sh", ".bash", ".bats", ".zsh"),
        "tree_sitter_bash",
        programs=("bash", "sh", "dash", "zsh", "ksh", "bats"),
        filenames=(".bashrc", ".bash_profile", ".bash_aliases", ".profile", "PKGBUILD"),
        comments=_HASH,
        extra="languages",
        modules=Modules("bash"),
    ),
    Language(
        "hcl",
        (".tf", ".tfvars", ".hcl"),
        "tree_sitter_hcl",
        described=True,
        comments=(b"#", b"//", b"/*", b"*/", b"*"),
        extra="languages",
        modules=Modules("folders"),
    ),
    Language(
        "sql",
        (".sql",),
        "tree_sitter_sql",
        described=True,
        comments=(b"--", b"/*", b"*/", b"*"),
        extra="languages",
    ),
    Language(
        "dockerfile",
        (".dockerfile",),
        "tree_sitter_containerfile",
        filenames=("Dockerfile", "Dockerfile.*", "Containerfile", "Containerfile.*"),
        described=True,
        comments=_HASH,
        extra="languages",
    ),
    Language(
        "make",
        (".mk", ".mak"),
        "tree_sitter_make",
        filenames=("Makefile", "makefile", "GNUmakefile"),
        described=True,
        comments=_HASH,
        extra="languages",
        modules=Modules("folders"),
        reader="read_make",
    ),
    # Cells are read in the language of the notebook (notebook.py); the grammar finds them.
    Language("notebook", (".ipynb",), "tree_sitter_json", modules=_PYTHON, prose=True, cells=True),
    # Script blocks of pages are read in their own language (blocks.py).
    Language("vue", (".vue",), "tree_sitter_typescript", function="language_typescript", modules=_SCRIPT, blocks=True),
    Language(
        "svelte", (".svelte",), "tree_sitter_typescript", function="language_typescript", modules=_SCRIPT, blocks=True
    ),
    Language(
        "astro",
        (".astro",),
        "tree_sitter_typescript",
        function="language_typescript",
        modules=_SCRIPT,
        blocks=True,
        front="typescript",
    ),
    Language("json", (".json", ".jsonc", ".webmanifest"), "tree_sitter_json", outline=True),
    Language(
        "markdown",
        (".md", ".markdown"),
        "tree_sitter_markdown",
        outline=True,
        comments=(),
        extra="languages",
        prose=True,
    ),
    Language(
        "yaml",
        (".yaml", ".yml"),
        "tree_sitter_yaml",
        outline=True,
        comments=_HASH,
        most_nested=180,
        extra="languages",
    ),
    Language("toml", (".toml",), "tree_sitter_toml", outline=True, comments=_HASH, extra="languages"),
    Language(
        "html",
        (".html", ".htm", ".xhtml"),
        "tree_sitter_html",
        outline=True,
        comments=(),
        extra="languages",
        prose=True,
        modules=_SCRIPT,
        blocks=True,
    ),
    Language("css", (".css",), "tree_sitter_css", outline=True, extra="languages"),
)

_BY_EXTENSION = {extension: language for language in LANGUAGES for extension in language.extensions}
_BY_FILENAME = {filename: language for language in LANGUAGES for filename in language.filenames}
_BY_PROGRAM = {program: language for language in LANGUAGES for program in language.programs}


def language_of(path: str) -> Language | None:
    """The language of a file by its name alone; None for a language that the table does not hold."""
    name = posixpath.basename(path)
    found = _BY_FILENAME.get(name)
    if found is None:
        extension = posixpath.splitext(name)[1]
        found = _BY_EXTENSION.get(extension) or _BY_EXTENSION.get(extension.lower())
        if found is None and extension:
            found = _BY_FILENAME.get(f"{name.partition('.')[0]}.*")
    return found


def started_by(data: bytes) -> Language | None:
    """The language of a script by the program that its first line names."""
    if not data.startswith(b"#!"):
        return None
    words = data.partition(b"\n")[0].decode("utf-8", "replace")[2:].split()
    names = (posixpath.basename(word) for word in words if not word.startswith("-") and "=" not in word)
    program = next((name for name in names if name != "env"), "")
    return _BY_PROGRAM.get(program.rstrip("0123456789."))


@cache
def is_installed(language: Language) -> bool:
    """Whether the grammar of a language is installed; without it files are indexed by their words alone."""
    return find_spec(language.module) is not None


def installed_names() -> tuple[str, ...]:
    """The names of the languages whose grammars are installed."""
    return tuple([language.name for language in LANGUAGES if is_installed(language)])
