"""The languages: one row each, with its grammar and what sets it apart from the others."""

from __future__ import annotations

import posixpath
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple


class Modules(NamedTuple):
    """How a family of languages imports: `name` is that of a module in `modules/`, loaded when needed.

    `manifests` are patterns for the names of the files that say where modules lie. `by_folder`: where an import leads
    depends on the folder of its file alone. `lead_to_files`: False where a module is never a file of the repository.
    """

    name: str
    manifests: tuple[str, ...] = ()
    by_folder: bool = False
    lead_to_files: bool = True


class Language(NamedTuple):
    """One row: how files of a language are known, and how they are read.

    `module` and `function` name the grammar; its query is `queries/NAME.scm`. The query looks at nodes down to `depth`
    levels below the root (-1: all of them); what lies deeper is found through `keywords`, the words that every deeper
    definition or import is written with. `comments` start a line of documentation; `docstrings`: bodies may begin with
    one, and `#` starts a comment. `marks` are nodes that belong to the definition after them (attributes, decorators).
    `required`: constants may be the names of imported modules. `wrapper` is the node that holds a definition and its
    decorators. `attribute_marks`: only marks that begin with one of these count, and `@doc` among them holds the
    documentation. `bracketed`: attributes are written `[Name]`. `tagged`: documentation is XML. `dotted`: the name of a
    definition may be written with what it stands in. `outline`: text or data rather than code: only its sections are
    kept, and a syntax error in it says nothing, since many such files are templates. `most_nested`: the grammar writes
    beyond its memory where more blocks than this are open; 0 for the sound ones. `extra` is the optional part of
    the installation that brings the grammar, '' for those that are always there.
    `inner`: what each definition or import within a body is written with; a body without any of these, and without a
    match of `inner_form`, holds none and need not be parsed (no words: all bodies are parsed). `macros`: sound files
    may not parse, since macros are not expanded. `mixins`: functions in a module are methods. `inline_modules`: a file
    may hold whole modules, and what is imported in one is relative to it. `modules`: how it imports;
    `reader` is the function there that reads a statement. `tests` are patterns for the names of files of tests, as the
    usual runners find them, or for paths where a pattern holds a `/`. `own_scopes`: what names are written with that
    belong to the file or to the object around them. `raw_prefix` lets a keyword be a name. `prose`: long lines are
    usual. `cells`: a notebook, whose cells are read in the language that it names.
    """

    name: str
    extensions: tuple[str, ...]
    module: str
    function: str = "language"
    filenames: tuple[str, ...] = ()
    depth: int = -1
    keywords: tuple[bytes, ...] = ()
    comments: tuple[bytes, ...] = (b"///", b"//!", b"//", b"/**", b"/*", b"*/", b"*")
    docstrings: bool = False
    marks: frozenset[str] = frozenset()
    required: bool = False
    wrapper: str = ""
    attribute_marks: tuple[bytes, ...] = ()
    bracketed: bool = False
    tagged: bool = False
    dotted: bool = False
    outline: bool = False
    most_nested: int = 0
    inner: tuple[bytes, ...] = ()
    inner_form: bytes = b""
    macros: bool = False
    mixins: bool = False
    inline_modules: bool = False
    modules: Modules | None = None
    reader: str = "read"
    tests: tuple[str, ...] = ()
    own_scopes: tuple[str, ...] = ()
    raw_prefix: str = ""
    prose: bool = False
    cells: bool = False
    extra: str = ""


_HASH = (b"#",)
_PYTHON = Modules("python", by_folder=True)
_SCRIPT = Modules("javascript", ("package.json", "jsconfig.json", "tsconfig*.json"))
_JAVA = Modules("java")
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
        depth=4,
        keywords=(b"def ", b"class ", b"import "),
        inner=(b"class ", b"import", b"type ", b'"""', b"'''", b"\\\n"),
        comments=_HASH,
        docstrings=True,
        wrapper="decorated_definition",
        modules=_PYTHON,
        tests=("test_?*.py", "test_?*.pyi", "?*_test.py"),
    ),
    Language(
        "javascript",
        (".js", ".jsx", ".mjs", ".cjs"),
        "tree_sitter_javascript",
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
        depth=4,
        keywords=(b"function ", b"class ", b"include ", b"include_once ", b"require ", b"require_once "),
        modules=Modules("php", ("composer.json",)),
        tests=("?*Test.php", "?*Tests.php"),
    ),
    Language(
        "csharp",
        (".cs", ".csx"),
        "tree_sitter_c_sharp",
        bracketed=True,
        tagged=True,
        extra="languages",
        modules=Modules("csharp"),
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
        marks=frozenset({"unary_operator"}),
        attribute_marks=(b"@doc", b"@spec", b"@impl", b"@deprecated", b"@since"),
        dotted=True,
        extra="languages",
        modules=Modules("elixir"),
        tests=("?*_test.exs",),
    ),
    Language(
        "bash",
        (".sh", ".bash", ".bats", ".zsh"),
        "tree_sitter_bash",
        filenames=(".bashrc", ".bash_profile", ".bash_aliases", ".profile", "PKGBUILD"),
        comments=_HASH,
        extra="languages",
        modules=Modules("bash"),
    ),
    # Cells are read in the language of the notebook (notebook.py); the grammar finds them.
    Language("notebook", (".ipynb",), "tree_sitter_json", modules=_PYTHON, prose=True, cells=True),
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
    ),
    Language("css", (".css",), "tree_sitter_css", outline=True, extra="languages"),
)

_BY_EXTENSION = {extension: language for language in LANGUAGES for extension in language.extensions}
_BY_FILENAME = {filename: language for language in LANGUAGES for filename in language.filenames}


def language_of(path: str) -> Language | None:
    """The language of a file by its name alone; None for a language that the table does not hold."""
    name = posixpath.basename(path)
    found = _BY_FILENAME.get(name)
    if found is None:
        extension = posixpath.splitext(name)[1]
        found = _BY_EXTENSION.get(extension) or _BY_EXTENSION.get(extension.lower())
    return found


@cache
def is_installed(language: Language) -> bool:
    """Whether the grammar of a language is installed; without it files are indexed by their words alone."""
    return find_spec(language.module) is not None


def installed_names() -> tuple[str, ...]:
    """The names of the languages whose grammars are installed."""
    return tuple([language.name for language in LANGUAGES if is_installed(language)])
