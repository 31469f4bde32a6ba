"""Names that nothing in the repository brings: calls of functions that are nowhere, and names that are misspelt.

A name counts only when the change brings it, its file does not declare it, and no other file has the word at all. Then
it is unknown where it is one letter off a name of its file; or where it is called on nothing or on the object itself,
and no base class, include or standard library from outside can bring it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from optimizer.languages import undeclared
from optimizer.languages.source import Source
from optimizer.report.checks import BrokenName
from optimizer.verify.patched import Patched, Side

if TYPE_CHECKING:
    from tree_sitter import Node

LEAST_LETTERS = 4
MOST_NEW = 60
MOST_INCLUDED = 300
MOST_BASES = 12
_CLASSES = ("class", "class_declaration", "enum_declaration", "record_declaration", "object_creation_expression")
_MODULES = ("module", "trait_declaration", "interface_declaration")
_FUNCTIONS = ("method", "singleton_method")
_BASES = ("superclass", "base_clause", "use_declaration")
_NAMES = ("type_identifier", "constant", "name", "scope_resolution", "qualified_name", "scoped_type_identifier")
_MIXED_IN = (b"include", b"extend", b"prepend")
_HARMLESS = frozenset({"Object", "BasicObject", "Comparable", "Enumerable", "Kernel", "StandardError"})
_CATCHES_ALL = re.compile(rb"\bmethod_missing\b|\b__call(?:Static)?\b|\bforwardMissingTo\b|\bdefine_method\b")
_STATIC_STAR = re.compile(rb"^\s*import\s+static\s+([\w.]+)\.\*", re.M)
_STAR = re.compile(rb"^\s*import\s+(?!static)[\w.]+\.\*", re.M)
_NAMESPACE = re.compile(rb"^namespace\s+\w", re.M)
# Classes of test libraries, and the names that they bring.
_ASSERTIONS = re.compile(rb"\.(?:Assert|Assertions|Assume|Assumptions|Truth)$")
_TEST_CASES = ("Test::Unit::TestCase", "Minitest::Test", "MiniTest::Test", "TestCase", "\\PHPUnit\\Framework\\TestCase")
_OF_TESTS = re.compile(
    r"assert|refute|fail|flunk|omit|pend|notify|skip|stub|mock|data|build_message|capture|expect|mark|get|create|set|assume"
    r"|any|at|exactly|never|on|once|return|throw|prophesize|will|iterable|sub_test_case|test|setup|teardown|startup|shutdown"
)
_WINDOWS = re.compile(r"(?:win\w*|io|direct|process|crtdbg|shlobj|shellapi|tchar|corecrt\w*)\.h")
_STANDARD = frozenset(
    """
    alloca arpa/inet assert complex ctype dirent dlfcn endian err errno fcntl features fenv float fnmatch getopt glob
    grp iconv inttypes iso646 langinfo libgen limits locale malloc math memory net/if netdb netinet/in netinet/tcp poll
    pthread pwd regex sched search semaphore setjmp signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio
    stdlib stdnoreturn string strings sys/ioctl sys/mman sys/param sys/resource sys/select sys/socket sys/stat
    sys/statvfs sys/time sys/types sys/uio sys/un sys/utsname sys/wait syslog termios tgmath threads time uchar unistd
    utime wchar wctype
    """.split()  # noqa: SIM905
)


def unknown(path: str, patched: Patched) -> Iterator[BrokenName]:
    """The names that a changed file newly uses and nothing can bring."""
    source = patched.after.source(path)
    language = source.language.name if source.language else ""
    if language not in undeclared.LANGUAGES:
        return
    used, there = undeclared.names(source)
    before = [change.before for change in patched.changes if change.before is not None]
    after = [change.after for change in patched.changes if change.after is not None and change.path != path]
    new = [name for name in used if len(name) >= LEAST_LETTERS and not _is_in(name, [*before, *after])]
    for name in new[:MOST_NEW]:
        use = used[name]
        if name in undeclared.known(language) or name.lower() in undeclared.known(language):
            continue
        if not undeclared.is_misspelt(name, there - {name}) and not _is_sure(name, use, language, patched.after, path):
            continue
        if not patched.mentions(name):
            yield BrokenName("undefined", path, use.line, name)


def _is_in(name: str, texts: list[bytes]) -> bool:
    word = re.compile(rb"\b%s\b" % re.escape(name.encode()))
    return any(word.search(text) for text in texts)


def _is_sure(name: str, use: undeclared.Use, language: str, side: Side, path: str) -> bool:
    """Whether nothing from outside the repository can bring what is called or made."""
    source = side.source(path)
    if use.node.parent is not None and use.node.parent.type == "object_creation_expression":
        return _is_class_of_repository(use.node, language, source)
    if use.called_on not in ("", "self"):
        return False
    if language == "c":
        return _includes_are_known(path, side)
    if language == "php" and use.called_on == "":
        return True
    if language not in ("java", "php", "ruby") or _stars_bring(name, source):
        return False
    return _classes_are_known(name, use.node, language, side)


def _is_class_of_repository(node: Node, language: str, source: Source) -> bool:
    """Whether a class that is made by its bare name can only be of the repository, since no import names it."""
    if language == "php":
        return node.type == "name" and _NAMESPACE.search(source.data) is not None
    return language == "java" and node.type == "type_identifier" and not _STAR.search(source.data)


def _stars_bring(name: str, source: Source) -> bool:
    """Whether an import of all static members of a class may bring a name."""
    stars = [one[1] for one in _STATIC_STAR.finditer(source.data)]
    return any(_ASSERTIONS.search(one) is None or _OF_TESTS.match(name) is not None for one in stars)


def _includes_are_known(path: str, side: Side) -> bool:
    """Whether all that a file of C includes, directly or not, is of the repository or of the standard library."""
    pending, seen = [path], {path}
    while pending:
        if len(seen) > MOST_INCLUDED:
            return False
        file = pending.pop()
        for raw in side.source(file).imports:
            found = side.leads(file, raw)
            if not found and raw.kind != "include-local" and not _is_of_system(raw.module):
                return False
            pending += [target for target in found if target not in seen]
            seen.update(found)
    return True


def _is_of_system(module: str) -> bool:
    return module.removesuffix(".h") in _STANDARD or _WINDOWS.fullmatch(module) is not None


def _classes_are_known(name: str, node: Node, language: str, side: Side) -> bool:
    """Whether the classes around a node, and all that they derive from or mix in, are of the repository."""
    found = list(islice(undeclared.around(node, (*_CLASSES, *_MODULES)), MOST_BASES))
    if not found or found[0].type in _MODULES:
        return False
    is_of_tests = _OF_TESTS.match(name) is not None
    in_function = language != "ruby" or any(undeclared.around(node, _FUNCTIONS))
    for one in found[:1] if language == "ruby" else found:
        if one.type == "object_creation_expression":
            if any(child.type == "class_body" for child in one.named_children):
                return False
        elif one.type in _CLASSES:
            seen = set() if is_of_tests else {""}
            if not _bases_are_known(one, side, seen):
                return False
            in_function = in_function or any(base in _TEST_CASES for base in _bases(one))
    return in_function


def _bases_are_known(declared: Node, side: Side, seen: set[str]) -> bool:
    if _CATCHES_ALL.search(declared.text or b""):
        return False
    for base in _bases(declared):
        name = "" if base in _TEST_CASES and "" in seen else re.split(r"::|\\|\.", base)[-1]
        if name in seen or name in _HARMLESS:
            continue
        seen.add(name)
        found = [one for one in side.symbols_named(name) if one.kind in ("class", "module", "trait", "interface")]
        if not found or len(seen) > MOST_BASES:
            return False
        for one in found:
            node = _class_at(one.path, one.line, side)
            if node is None or not _bases_are_known(node, side, seen):
                return False
    return True


def _bases(declared: Node) -> Iterator[str]:
    """The names of what a class derives from and mixes in."""
    body = declared.child_by_field_name("body")
    for part in (*declared.named_children, *(body.named_children if body is not None else ())):
        if part.type in _BASES:
            for one in part.named_children:
                name = one.named_children[0] if one.type == "generic_type" else one
                yield (name.text or b"").decode() if name.type in _NAMES else "?"
        elif part.type == "call" and (method := part.child_by_field_name("method")) and method.text in _MIXED_IN:
            arguments = part.child_by_field_name("arguments")
            yield from ((one.text or b"").decode() for one in (arguments.named_children if arguments else ()))


def _class_at(path: str, line: int, side: Side) -> Node | None:
    root = side.source(path).root
    pending = [] if root is None else [root]
    while pending:
        one = pending.pop()
        name = one.child_by_field_name("name") if one.type in (*_CLASSES, *_MODULES) else None
        if name is not None and name.start_point[0] == line - 1:
            return one
        if one.start_point[0] <= line - 1 <= one.end_point[0]:
            pending += one.named_children
    return None
