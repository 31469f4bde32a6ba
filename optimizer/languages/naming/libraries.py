"""What libraries outside a repository may bring into a file without naming it, by language; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

# Classes of test libraries, and the names that they bring.
TEST_CASES = (
    "Test::Unit::TestCase", "Minitest::Test", "MiniTest::Test", "TestCase", "\\PHPUnit\\Framework\\TestCase",
    "FlexMock::TestCase", "Rack::Test::Methods",
)  # fmt: skip
_OF_TESTS = re.compile(
    r"assert|refute|fail|flunk|omit|pend|notify|skip|stub|mock|data|build_message|capture|expect|mark|get|create|set|assume"
    r"|any|at|exactly|never|on|once|return|throw|prophesize|will|iterable|sub_test_case|test|setup|teardown|startup|shutdown"
    r"|flex|last_|follow|patch|post|put|delete|head|options|env|authorize|rack|clear|app"
)
_COMPOSED = re.compile(
    r"(?:be|have|find_by|find_or|assert|refute|before|after|around|skip|prepend|append|let_it_be)_\w+[?!]?"
    r"|\w+_(?:url|path|tag|list|pair)"
)
HARMLESS = frozenset({
    "Object", "BasicObject", "Comparable", "Enumerable", "Kernel", "StandardError",
    "Data", "FileUtils", "Forwardable", "MonitorMixin", "Observable", "Shellwords", "Singleton", "Struct",
    "Timeout",
})  # fmt: skip
"""Bases and mixins whose methods are known."""
_ASSERTIONS = re.compile(rb"\.(?:Assert|Assertions|Assume|Assumptions|Truth)$")
_STATIC_STAR = re.compile(rb"^\s*import\s+static\s+([\w.]+)\.\*", re.M)
_STAR = re.compile(rb"^\s*import\s+(?!static)[\w.]+\.\*", re.M)
_NAMESPACE = re.compile(rb"^namespace\s+\w", re.M)
_WINDOWS = re.compile(
    r"(?:win\w*|ws2\w*|io|direct|process\w*|psapi|dbghelp|crtdbg|corecrt\w*|shl\w*|shell\w*|tchar|tlhelp32|wtypes"
    r"|wincrypt|ntdef|ntstatus|mswsock|iphlpapi|mmsystem|lmcons|aclapi|sddl|accctrl|userenv|objbase|basetsd)\.h",
    re.I,
)
_HEADERS = """
alloca arpa/inet assert complex ctype dirent dlfcn endian err errno fcntl features fenv float fnmatch getopt glob
grp iconv inttypes iso646 langinfo libgen limits locale malloc math memory net/if netdb netinet/in netinet/tcp poll
pthread pwd regex sched search semaphore setjmp signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio
stdlib stdnoreturn string strings sys/ioctl sys/mman sys/param sys/resource sys/select sys/socket sys/stat
sys/statvfs sys/time sys/types sys/uio sys/un sys/utsname sys/wait syslog termios tgmath threads time uchar unistd
utime wchar wctype
aio argp argz byteswap crypt elf envz execinfo fts ftw ifaddrs link linux/fs linux/futex linux/limits linux/types
linux/version mntent mqueue netinet/ip netinet/udp net/ethernet net/if_arp obstack paths printf pty resolv shadow
sys/auxv sys/cdefs sys/epoll sys/eventfd sys/file sys/inotify sys/ipc sys/mount sys/msg sys/prctl sys/ptrace
sys/random sys/sem sys/sendfile sys/shm sys/signalfd sys/statfs sys/syscall sys/sysinfo sys/sysmacros sys/timeb
sys/timerfd sys/times sys/vfs sys/xattr sysexits ucontext utmp utmpx values wordexp
"""
_STANDARD = frozenset(_HEADERS.split())


@dataclass(frozen=True, slots=True)
class Libraries:
    """By what a language gets the functions that a file calls without an object.

    `made`: whether a class that is made by its bare name can only be of the repository, since no import names it.
    """

    made: Callable[[Node, bytes], bool] | None = None
    by_includes: bool = False
    by_classes: bool = False
    functions_are_global: bool = False  # all of them are of the repository or of the standard library
    calls_at_top: bool = False  # code outside methods may call what a library adds to classes
    innermost_only: bool = False  # classes around the innermost one bring nothing
    by_gems: bool = False  # blocks and modules get methods from anywhere, but mostly from well-known libraries


def _made_in_namespace(node: Node, data: bytes) -> bool:
    return node.type == "name" and _NAMESPACE.search(data) is not None


def _made_without_star(node: Node, data: bytes) -> bool:
    """Annotations make classes with a line in their names, such as `AutoValue_Row`, which no file declares."""
    return node.type == "type_identifier" and b"_" not in (node.text or b"") and not _STAR.search(data)


NONE = Libraries()
ROWS: Mapping[str, Libraries] = {
    "c": Libraries(by_includes=True),
    "java": Libraries(_made_without_star, by_classes=True),
    "php": Libraries(_made_in_namespace, by_classes=True, functions_are_global=True),
    "ruby": Libraries(by_classes=True, calls_at_top=True, innermost_only=True, by_gems=True),
}


def is_of_tests(name: str) -> bool:
    """Whether classes of test libraries may bring a name."""
    return _OF_TESTS.match(name) is not None


def is_composed(name: str) -> bool:
    """Whether a name of Ruby may be made of parts by a library: matchers, helpers of routes, filters, factories."""
    return _COMPOSED.fullmatch(name) is not None


def stars_bring(name: str, data: bytes) -> bool:
    """Whether an import of all static members of a class may bring a name."""
    stars = [one[1] for one in _STATIC_STAR.finditer(data)]
    return any(_ASSERTIONS.search(one) is None or is_of_tests(name) for one in stars)


def is_standard_header(name: str) -> bool:
    """Whether an included file is of the standard library of C, of POSIX or of Linux, whose names are known."""
    return name.removesuffix(".h") in _STANDARD


def is_windows_header(name: str) -> bool:
    """Whether an included file is of Windows, whose names mostly start with a capital letter or a line."""
    return _WINDOWS.fullmatch(name) is not None
