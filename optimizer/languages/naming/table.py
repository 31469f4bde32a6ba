"""How each language shares, hides and qualifies names: one row for each, of what checks and renames ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from optimizer.languages.naming import globals as known
from optimizer.languages.table import LANGUAGES, Language, language_of

# How a file gets the names of another: `exports`: by a statement that names them, which the other must export;
# `packages`: the files of a folder share them, and another package writes `package.Name`; `modules`: by the path of a
# module, `module::name`; `namespaces`: the files of a package or namespace share them; `files`: with the whole file.
Reach = Literal["exports", "packages", "modules", "namespaces", "files"]
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
    autoloads: bool = False  # a class is loaded from a file of its name where nothing names the file
    stubs: str = ""  # ends the names of files that declare again what the file of the same name defines
    by_case: bool = False  # names with a capital are visible to other packages, and no others
    is_inferred: bool = False  # what a name means is inferred, by an engine that knows the language
    # Members
    members: frozenset[str] = _MEMBERS  # kinds of definitions that are members of what is around them
    inner: frozenset[str] = frozenset({"function", "constant"})  # the same, where anything is around them
    bare_members: bool = True  # code of a type may call its members on nothing
    bare_fields: bool = False  # a field is written without its object or class
    bare_reads: bool = False  # a member that stands alone may be a call
    fields_apart: bool = False  # a type may have a field and a method of one name
    self_parameter: str = ""  # the parameter of functions that are called on a value; '': not written
    # Types
    bases: re.Pattern[str] | None = EXTENDS  # what a type is derived from, in its head
    capital_types: bool = False  # a name with a capital that stands alone is a type
    by_interface: bool = False  # methods of one name belong together where an interface or trait ties them
    says_override: bool = False  # a method that overrides another says so
    embeds: bool = False  # a type takes over the members of fields without a name
    mixes: bool = False  # the body of a type names the modules that it takes over
    uses_traits: bool = False  # the same of traits
    in_parts: bool = False  # a type may be defined in several files, a part in each
    given: bool = False  # what a function returns is to be seen in its statements
    in_traits: bool = False  # a method of a trait is written in a block that names the trait
    # Qualified names
    inner_modules: bool = False  # a file may hold modules whose names its other code does not see
    standard: frozenset[str] = frozenset()  # first parts of paths that lead outside the repository
    qualified: bool = False  # `a::name`, `a\name` or `a.name` may name anything of the top level
    capital_values: bool = False  # what a qualifier with a capital has is a member
    # What knows names from outside
    runtime: re.Pattern[str] = _NEVER  # names by which the language, its runtime or its test runner calls something
    interfaces: Mapping[str, str] = field(default_factory=dict)  # methods by which it knows a type, with `counts`


_PAGES = frozenset(row.name for row in LANGUAGES if row.blocks)
_SCRIPTS = frozenset({"javascript", "typescript", "tsx"}) | _PAGES
_JVM = frozenset({"java", "kotlin", "scala"})
_C = frozenset({"c", "cpp"})
_NOTEBOOKS = frozenset({"python", "notebook"})
_SPACE = re.compile(rb"^\s*(?:package|namespace)\s+([\w.\\]+)", re.M)
# Methods by which interfaces of the standard library of Go know a type, with their counts of parameters and results.
_METHODS_OF_GO = """
Accept:02 Addr:01 Begin:02 Close:01 CloseNotify:01 Columns:01 Commit:01 Deadline:02 Done:01 Enabled:21 Err:01
Error:01 Exec:12,22 Flush:00,01 Format:20 Get:01,12 GoString:01 GobDecode:11 GobEncode:02 Handle:21 Header:01
Hijack:03 Info:02 Int63:01 Is:11 IsDir:01 LastInsertId:02 Len:01 Less:21 LocalAddr:01 Lock:00 MarshalBinary:02
MarshalJSON:02 MarshalText:02 MarshalXML:21 ModTime:01 Mode:01 Name:01 Network:01 Next:11,22 Open:12,42 Pop:01,02
Prepare:12 Push:10,21 Query:12,22 Read:12 ReadAt:22 ReadByte:02 ReadDir:12 ReadFrom:12,13 ReadRune:03 RemoteAddr:01
Rollback:01 RoundTrip:12 RowsAffected:02 Scan:11,21 Seed:10 Seek:22 ServeHTTP:20 Set:11,30 SetDeadline:11
SetReadDeadline:11 SetWriteDeadline:11 Size:01 Stat:02,12 String:01 Swap:20 Sys:01 Temporary:01 Timeout:01 Type:01
Uint64:01,11 Unlock:00 UnmarshalBinary:11 UnmarshalJSON:11 UnmarshalText:11 UnmarshalXML:21 UnreadByte:01
UnreadRune:01 Unwrap:01 Value:02,11 WithAttrs:11 WithGroup:11 Write:12 WriteAt:22 WriteByte:11 WriteHeader:10
WriteString:12,22 WriteTo:12,22
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
    given=True,
    runtime=re.compile(r"constructor|toString|toJSON|valueOf|then"),
)
_CLASSES = Naming(reach="namespaces", one_by_one=True, package=_SPACE)
ROWS: Mapping[str, Naming] = {
    "python": _PYTHON,
    "notebook": replace(_PYTHON, runtime=_NEVER),
    "javascript": _SCRIPT,
    "typescript": replace(_SCRIPT, by_interface=True),
    "tsx": replace(_SCRIPT, by_interface=True),
    **{name: Naming(_SCRIPTS) for name in _PAGES},
    "go": Naming(
        reach="packages",
        globals=known.GO,
        package=re.compile(rb"^package\s+(\w+)", re.M),
        outside_tests="_test",
        by_case=True,
        bases=None,
        by_interface=True,
        embeds=True,
        runtime=re.compile(r"main|init|(?:Test|Benchmark|Example|Fuzz)(?:[A-Z_].*|)"),
        interfaces=dict(one.split(":") for one in _METHODS_OF_GO.split()),
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
        inner_modules=True,
        standard=frozenset({"std", "core", "alloc"}),
        runtime=re.compile(r"main"),
    ),
    "java": replace(
        _CLASSES,
        shares_with=_JVM,
        one_class_each=True,
        file_of_class=True,
        fields_apart=True,
        bare_fields=True,
        capital_types=True,
        says_override=True,
        qualified=True,
        runtime=re.compile(r"main|toString|equals|hashCode|compareTo|close|iterator|readResolve|writeReplace"),
    ),
    "kotlin": replace(
        _CLASSES,
        shares_with=_JVM,
        bare_fields=True,
        bases=_COLON,
        capital_types=True,
        says_override=True,
        qualified=True,
    ),
    "scala": replace(_CLASSES, shares_with=_JVM, bare_fields=True, capital_types=True),
    "php": replace(
        _CLASSES,
        autoloads=True,
        uses_traits=True,
        one_class_each=True,
        capital_types=True,
        given=True,
        qualified=True,
        runtime=re.compile(r"__\w+"),
    ),
    "csharp": Naming(
        reach="namespaces",
        package=_SPACE,
        bare_fields=True,
        in_parts=True,
        bases=_COLON,
        capital_types=True,
        says_override=True,
        qualified=True,
    ),
    "c": Naming(
        _C,
        is_repeated=True,
        inner=frozenset(),
        bases=_COLON,
        runtime=re.compile(r"main|LLVMFuzzer\w+"),
    ),
    "cpp": Naming(
        _C,
        is_repeated=True,
        bare_fields=True,
        bases=_COLON,
        inner_modules=True,
        qualified=True,
        runtime=re.compile(r"main"),
    ),
    "ruby": Naming(
        bases=_LESS,
        bare_reads=True,
        mixes=True,
        in_parts=True,
        given=True,
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
