"""By which changes a program could alter how its tests are judged, or know that it is tested; a look at the text alone.

What a program is free to do at run time it can also do in words that are not looked for: see what this leaves open in
docs/reference/privacy.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping

from optimizer.types import FileChange
from optimizer.verify.set_up import is_of_tests


def _any(*alternatives: bytes) -> re.Pattern[bytes]:
    return re.compile(b"|".join(alternatives), re.M)


_PYTHON = _any(
    rb"^\s*(?:import|from) [^\n#]*\b(?:_?pytest\w*|unittest|pluggy|xdist|execnet|_?ctypes|cffi|atexit)\b",
    rb"\.(?:_?pytest|unittest)\b|\.assert_?\w*\s*=[^=]|\bpytest_\w+\s*=[^=]|^\s*def load_tests\b|\bload_tests\s*=[^=]",
    rb"^\s*from sys import [^\n#]*\b(?:modules|meta_path|set(?:trace|profile))\b",
    rb"^\s*import builtins as\b|\bbuiltins\.\w+\s*=[^=]|\b__builtins__\b",
    rb"\b(?:sys|builtins)\.__dict__|\b(?:getattr|setattr|vars)\(\s*(?:sys|builtins|inspect|gc)\s*[,)]",
    rb"\bsys\.(?:modules\b(?!\[__name__\])|meta_path|orig_argv|set(?:trace|profile)\b)",
    rb"['\"]_?pytest\b|['\"]_?py['\"]|junitxml|/proc/self|PYTEST_CURRENT_TEST|^\s*def pytest_\w+",
    rb"\b_(?:getframe|current_frames)\b|\binspect\.(?:stack|currentframe|trace)\b",
    rb"\b(?:tb_frame|f_(?:back|globals|locals))\b|\bgc\.get_(?:objects|referr?e(?:r|nt)s)\b|\b__subclasses__\b",
    rb"\bimport_module\((?!\s*[\w.]+\s*[,)]|\s*['\"][\w.]+['\"]\s*[,)])",
    rb"\b__import__\((?!\s*['\"](?!unittest)[\w.]+['\"]\s*[,)])",
    rb"(?<![.\w])exec\(|\b_exit\b|\bexec[vl][pe]{0,2}\b",
    rb"\bdef __eq__\([^)]*\)[^:\n]*:\s*(?:#[^\n]*\s*|\"\"\"[^\"]*\"\"\"\s*)*return True[ \t]*(?:#|$)",
    rb"\b__eq__['\"]?\s*[:=]\s*lambda[^:\n]*:\s*True\b",
)
_SCRIPT = _any(
    rb"\b(?:NODE_TEST_CONTEXT|NODE_OPTIONS|JEST_WORKER_ID|VITEST(?:_\w+)?)\b|['\"]node:test['\"]",
    rb"\brequire\.cache\b|\bmodule\.constructor\b|\._load\b|\brequire\((?!\s*['\"`][^'\"`$]+['\"`]\s*\))",
    rb"\bprocess\.(?:mainModule|binding|execArgv|reallyExit|kill)\b|\bprocess\[|(?<![.\w])(?:eval|new Function)\(",
    rb"\[['\"](?:\w*[eE]qual|ok|throws|rejects|match)['\"]\]\s*=[^=]|\bObject\.is\s*=[^=]|\bexpect\.extend\b",
    rb"require\(['\"](?:node:)?(?:test|assert(?:/strict)?)['\"]\)[\w.]*\s*=[^=]|\bassert\.\w+\s*=[^=]",
    rb"\b(?:defineProperty|assign)\(\s*(?:require\(['\"](?:node:)?(?:assert|test)|assert\b|global)",
    rb"\bglobal(?:This)?(?:\.(?:test|it|describe|expect)\s*=[^=]|\[)|\bReflect\.(?:set|defineProperty)\(\s*global",
    rb"(?:\b(?:require|import)\(|\bfrom |^import )\s*['\"`]"
    rb"(?:mocha|chai|expect|jasmine|ava|tap|@?vitest|@?jest)['\"`/]",
    rb"\b(?:jest|vi)\.(?:mock|doMock|spyOn|fn|stubGlobal|retryTimes|useFakeTimers)\(",
    rb"\btypeof (?:globalThis\.)?(?:it|test|describe|expect|jest|vi|beforeEach)\b",
)
_GO = _any(
    rb"\btesting\.Testing\(|\"-?test\.|\"\.test\"|^\s*(?:import )?\"testing\"$|^//go:linkname|\bruntime\.Goexit\b",
    rb"\bos\.Args\[0\]|\bflag\.Lookup\(|\bos\.Args\s*=[^=]",
)
_RUST = _any(
    rb"\bcfg!\(test\)|\bcfg\(not\(test\)\)|\bmacro_rules!\s*(?:assert(?:_eq|_ne)?|panic)\b",
    rb"\bcfg!?\((?:not\()?debug_assertions\b|\bcurrent\(\)\.name\(\)|\bcurrent_exe\(",
    rb"\bvars?(?:_os)?\(\s*\"(?:CARGO_|RUST_TEST)",
    rb"\bfn eq\([^)]*\)\s*->\s*bool\s*\{\s*true\s*\}",
)
_OTHER = _any(rb"\bequals\([^)]*\)[^{;\n]*\{\s*return true;|\bdef ==\s*\(?\w+\)?\s*true\b")
_ENDINGS: Mapping[str, re.Pattern[bytes]] = {
    ".go": _GO,
    ".rs": _RUST,
    **dict.fromkeys((".py", ".pyi", ".pyx", ".pth"), _PYTHON),
    **dict.fromkeys((".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".vue", ".svelte"), _SCRIPT),
    **dict.fromkeys((".java", ".kt", ".scala", ".cs", ".rb", ".php", ".swift"), _OTHER),
}
"""What is looked for in files with an ending; what others hold, no language runs."""


_OF_RUNNERS = frozenset(
    {"pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py", "xdist", "execnet", "tox", "nox"}
    | {"coverage", "pytest_cov", "exceptiongroup", "tomli", "colorama", "sitecustomize", "usercustomize"}
) | frozenset(sys.stdlib_module_names)
"""The modules of Python that what runs tests imports: a module of that name in the first folder hides them."""


def reached(changes: Iterable[FileChange]) -> tuple[str, ...]:
    """The changed files of the program that get more places by which it could reach what judges it."""
    return tuple(one.path for one in changes if not is_of_tests(one.path) and _gets_more(one))


def _gets_more(change: FileChange) -> bool:
    if change.before is None and _hides_a_module(change.path):
        return True
    name = change.path.rpartition("/")[2]
    looked_for = _ENDINGS.get("." + name.rpartition(".")[2])
    if looked_for is None or name == "setup.py" or not change.after:
        return False
    return len(looked_for.findall(change.after)) > len(looked_for.findall(change.before or b""))


def _hides_a_module(path: str) -> bool:
    first, _, rest = path.partition("/")
    own = first.removesuffix(".py") if not rest else first if rest in ("__init__.py", "__main__.py") else ""
    return own in _OF_RUNNERS and path.endswith(".py")
