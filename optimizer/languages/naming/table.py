"""How each language shares, hides and qualifies names: one row for each, of what checks and renames ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from optimizer.languages.naming import globals as known
from optimizer.languages.table import LANGUAGES, Language, language_of

# How a file gets the names of another: `exports`: by a statement that names them, which the other must export;
# `packages`: the files of a folder share them, and another package writes `package.Name`; `modules`: by the path of a
# module, `module::name`; `namespaces`: the files of a package or namespace share them; `files`: with the whole file.
Reach = Literal["exports", "packages", "modules", "namespaces", "files"]
# Where the type of a variable stands: `int x`, `x int`, `x: int`.
Typed = Literal["before", "bare", "colon"]
EXTENDS = re.compile(r"\b(?:extends|implements|with)\s+(?P<bases>.+?)(?=\b(?:extends|implements|with)\b|\{|\Z)", re.S)
_ROUND = re.compile(r"\b(?:class|struct)\s+\w+\s*\((?P<bases>.*)\)", re.S)
_COLON = re.compile(r"\b(?:class|struct|interface|object|protocol)\s+\w+[^:{]*:\s*(?P<bases>[^{]+)", re.S)
_LESS = re.compile(r"\bclass\s+[\w:]+\s*<\s*(?P<bases>[\w:]+)")
_NEVER = re.compile(r"(?!)")
_NEITHER = re.compile(rb"(?!)")
_MEMBERS = frozenset({"method"})


@dataclass(frozen=True, slots=True)
class Naming:
    """How one language treats names; a language without a row has the defaults."""

    shares_with: frozenset[str] = frozenset()  # languages whose files use each other's names; (): only its own
    reach: Reach = "files"
    # Declarations
    globals: frozenset[str] = frozenset()  # what is there undeclared; (): names that nothing declares are not found
    prelude: frozenset[str] = frozenset()  # the part of it that a definition or an import may replace
    one_by_one: bool = False  # a file imports each name of others by itself
    wide: re.Pattern[bytes] | None = None  # the form of an import that may bring any name of the repository
    package: re.Pattern[bytes] = _NEITHER  # names the package or namespace of a file
    outside_tests: str = ""  # ends the name of a package of tests that sees the package as others do
    declarations: str = ""  # ends the names of files that declare what others define, and export all of it
    is_repeated: bool = False  # a name is declared in several files, and is one
    one_class_each: bool = False  # others import a file by the name of its one class
    file_of_class: bool = False  # a public type must be in a file of its name
    stubs: str = ""  # ends the names of files that declare again what the file of the same name defines
    by_case: bool = False  # names with a capital are visible to other packages, and no others
    is_inferred: bool = False  # what a name means is inferred, by an engine that knows the language
    # Members
    members: frozenset[str] = _MEMBERS  # kinds of definitions that are members of what is around them
    inner: frozenset[str] = frozenset({"function", "constant"})  # the same, where anything is around them
    bare_members: bool = True  # code of a type may call its members on nothing
    bare_reads: bool = False  # a member that stands alone may be a call
    fields_apart: bool = False  # a type may have a field and a method of one name
    self_parameter: str = ""  # the parameter of functions that are called on a value; '': not written
    # Types
    bases: re.Pattern[str] | None = EXTENDS  # what a type is derived from, in its head
    typed: Typed = "colon"
    capital_types: bool = False  # a name with a capital that stands alone is a type
    by_interface: bool = False  # methods of one name belong together where an interface or trait ties them
    says_override: bool = False  # a method that overrides another says so
    in_traits: bool = False  # a method of a trait is written in a block that names the trait
    # Qualified names
    qualified: bool = False  # `a::name`, `a\name` or `a.name` may name anything of the top level
    capital_values: bool = False  # what a qualifier with a capital has is a member
    # What knows names from outside
    runtime: re.Pattern[str] = _NEVER  # names by which the language, its runtime or its test runner calls something
    interfaces: frozenset[str] = frozenset()  # methods by which the standard library knows a type


_PAGES = frozenset(row.name for row in LANGUAGES if row.blocks)
_SCRIPTS = frozenset({"javascript", "typescript", "tsx"}) | _PAGES
_JVM = frozenset({"java", "kotlin", "scala"})
_C = frozenset({"c", "cpp"})
_NOTEBOOKS = frozenset({"python", "notebook"})
_SPACE = re.compile(rb"^\s*(?:package|namespace)\s+([\w.\\]+)", re.M)
# Methods by which the standard library of Go knows a type.
_METHODS_OF_GO = """
Accept Addr Begin Close CloseNotify Columns Commit Deadline Done Enabled Err Error Exec Flush Format Get
GoString GobDecode GobEncode Handle Header Hijack Info Int63 Is IsDir LastInsertId Len Less LocalAddr Lock
MarshalBinary MarshalJSON MarshalText MarshalXML ModTime Mode Name Network Next Open Pop Prepare Push Query Read
ReadAt ReadByte ReadDir ReadFrom ReadRune RemoteAddr Rollback RoundTrip RowsAffected Scan Seed Seek ServeHTTP
Set SetDeadline SetReadDeadline SetWriteDeadline Size Stat String Swap Sys Temporary Timeout Type Uint64 Unlock
UnmarshalBinary UnmarshalJSON UnmarshalText UnmarshalXML UnreadByte UnreadRune Unwrap Value WithAttrs WithGroup
Write WriteAt WriteByte WriteHeader WriteString WriteTo
"""
_PYTHON = Naming(
    _NOTEBOOKS,
    is_inferred=True,
    stubs=".pyi",
    bases=_ROUND,
    runtime=re.compile(r"__\w+__|(?:setUp|tearDown|setup_|teardown_)\w*"),
)
_SCRIPT = Naming(
    _SCRIPTS,
    "exports",
    globals=known.SCRIPT,
    declarations=".d.ts",
    bare_members=False,
    runtime=re.compile(r"constructor|toString|toJSON|valueOf|then"),
)
_CLASSES = Naming(reach="namespaces", one_by_one=True, package=_SPACE)
ROWS: Mapping[str, Naming] = {
    "python": _PYTHON,
    "notebook": replace(_PYTHON, runtime=_NEVER),
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    **{name: Naming(_SCRIPTS) for name in _PAGES},
    "go": Naming(
        reach="packages",
        globals=known.GO,
        package=re.compile(rb"^package\s+(\w+)", re.M),
        outside_tests="_test",
        by_case=True,
        bases=None,
        typed="bare",
        by_interface=True,
        runtime=re.compile(r"main|init|(?:Test|Benchmark|Example|Fuzz)(?:[A-Z_].*|)"),
        interfaces=frozenset(_METHODS_OF_GO.split()),
    ),
    "rust": Naming(
        reach="modules",
        globals=known.RUST,
        prelude=known.PRELUDE,
        one_by_one=True,
        wide=re.compile(rb"^\s*(?:pub )?use [^;]*\*", re.M),
        inner=frozenset({"function", "constant", "type"}),
        fields_apart=True,
        self_parameter="self",
        capital_types=True,
        bases=_COLON,
        by_interface=True,
        in_traits=True,
        qualified=True,
        capital_values=True,
        runtime=re.compile(r"main"),
    ),
    "java": replace(
        _CLASSES,
        shares_with=_JVM,
        one_class_each=True,
        file_of_class=True,
        fields_apart=True,
        typed="before",
        capital_types=True,
        says_override=True,
        qualified=True,
        runtime=re.compile(r"main|toString|equals|hashCode|compareTo|close|iterator|readResolve|writeReplace"),
    ),
    "kotlin": replace(_CLASSES, shares_with=_JVM, bases=_COLON, capital_types=True, says_override=True, qualified=True),
    "scala": replace(_CLASSES, shares_with=_JVM, capital_types=True),
    "php": replace(
        _CLASSES,
        one_class_each=True,
        typed="before",
        capital_types=True,
        qualified=True,
        runtime=re.compile(r"__\w+"),
    ),
    "csharp": Naming(
        reach="namespaces",
        package=_SPACE,
        bases=_COLON,
        typed="before",
        capital_types=True,
        says_override=True,
        qualified=True,
    ),
    "c": Naming(
        _C,
        is_repeated=True,
        inner=frozenset(),
        bases=_COLON,
        typed="before",
        runtime=re.compile(r"main|LLVMFuzzer\w+"),
    ),
    "cpp": Naming(_C, is_repeated=True, bases=_COLON, typed="before", qualified=True, runtime=re.compile(r"main")),
    "ruby": Naming(
        bases=_LESS,
        bare_reads=True,
        capital_types=True,
        qualified=True,
        runtime=re.compile(r"initialize|inspect|each|method_missing|respond_to_missing\?|call|to_\w+|hash|eql\?"),
    ),
    "swift": Naming(bases=_COLON, capital_types=True),
}
_OTHER = Naming()


def naming(language: Language | None) -> Naming:
    """How a language treats names."""
    return naming_in(language.name if language else "")


def naming_in(name: str) -> Naming:
    """How the language of that name treats names."""
    return ROWS.get(name, _OTHER)


def naming_of(path: str) -> Naming:
    """How the language of a file treats names."""
    return naming(language_of(path))


def group_of(path: str) -> frozenset[str]:
    """The languages that share their names with that of a file."""
    language = language_of(path)
    return naming(language).shares_with or frozenset({language.name if language else ""})


def package_of(text: bytes, row: Naming) -> str:
    """The package or namespace that a file names; '' for none."""
    found = row.package.search(text)
    return found[1].decode() if found else ""
