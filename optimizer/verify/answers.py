"""Check an answer without edits: it answers what was asked, it is whole, and what it names of the repository exists.

Only statements about the repository as it is count. Ignored are: files that the answer proposes or calls missing, code
in fences, commands, web addresses, files of the system and of installed packages, patterns and placeholders, the usual
configuration files, and names of products such as Node.js.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from optimizer.errors import NotFound
from optimizer.index.reader import Index
from optimizer.languages.naming.globals import ALL, USUAL
from optimizer.languages.repeats import circles
from optimizer.types import Verdict
from optimizer.verify.checks import check_of, verdict_of
from optimizer.verify.patched import Finding
from optimizer.verify.relevant import Asked, asks_of_here, echoes, is_about, refuses

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])[ \t]+(?=[A-Z`*])|\n")
_CITED = re.compile(r"(?<![\w/.:@+\-\\~$*<{])([\w@.+/-]{1,400})(?::(\d{1,8})(?:-(\d{1,8}))?)?")
_LINE = re.compile(r"\b(?:at|on|in|see|line|of)?\s*\blines?\s+(\d{1,8})\b", re.IGNORECASE)
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_CODE = re.compile(r"`([^`\n]{1,200})`")
_NAME = re.compile(r"(?:[\w]+(?:\.|::|#|->))*([A-Za-z_]\w{2,})(?:\(\))?")
_PROPOSES = re.compile(
    r"\b(?:creat|add(?:s|ed|ing)?\b|new (?:file|module|test|script|class|function|method|package)|sav(?:e|ing)\b|"
    r"writ(?:e|ing)\b|generat|renam|propos|introduc|not exist|n['’]t exist|no longer|there (?:is|are|was) no|"
    r"there['’]s no|no such|missing|absent|remov|delet|without|e\.g\.|for example|for instance|such as|hypothetical|"
    r"placeholder|called like|named like|could be|would be|might be)",
    re.IGNORECASE,
)
_CLAIMS = re.compile(  # that a name is one of the code in question: "the `x` function", "this is called `x`"
    r"\b(?:the|this|a|an|your|our|class|function|method)\s+`[^`\n]+`|"
    r"\b(?:is|are) (?:called|named)\s+`[^`\n]+`|"
    r"`[^`\n]+`\s+(?:function|method|class|module|variable|constant|field|attribute|parameter|is (?:defined|declared|"
    r"called|used|a\b|an\b|the\b)|calls|returns|takes|handles|defines|uses)",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"(?:\$ |> )|(?:sudo |\./)?(?:python\d?|pip\d?|pytest|uv|poetry|tox|npm|npx|yarn|pnpm|node|deno|bun|go|cargo|rustc|"
    r"git|cd|cat|ls|cp|mv|rm|touch|mkdir|make|cmake|docker|bash|sh|zsh|source|curl|wget|ruby|bundle|rake|gem|php|composer|"
    r"java|javac|mvn|gradle|dotnet|gcc|g\+\+|clang|vim?|code|nano|tail|head|grep|sed|awk|find|export|optimize) "
)
_ELSEWHERE = ("site-packages/", "dist-packages/", "node_modules/", "lib/python", "path/to")
_PLACEHOLDERS = ("your", "my_", "my-", "some_", "some-", "example")
_USUAL_FILES = """
setup.py setup.cfg pyproject.toml conftest.py requirements.txt tox.ini pytest.ini manage.py __init__.py
__main__.py package.json package-lock.json tsconfig.json jsconfig.json index.js index.ts index.html main.py
main.go main.rs main.c lib.rs mod.rs build.rs cargo.toml go.mod pom.xml build.gradle settings.gradle
composer.json gemfile makefile app.py dockerfile docker-compose.yml docker-compose.yaml readme.md changelog.md
config.json config.yaml config.yml settings.json launch.json .eslintrc.json eslint.config.js vite.config.js
vite.config.ts webpack.config.js jest.config.js foo.py bar.py a.py b.py test.py script.py foo.js bar.js
settings.py urls.py models.py views.py utils.py types.h stdio.h stdlib.h
"""
_USUAL = frozenset(_USUAL_FILES.split())
_BUILTIN = frozenset(dir(builtins)) | ALL | USUAL


@dataclass(frozen=True, slots=True)
class _Tree:
    """The paths of a repository, by their last part as well, and the endings they have."""

    paths: frozenset[str]
    names: Mapping[str, list[str]]
    endings: frozenset[str]

    def places(self, cited: str) -> list[str]:
        """The files that a path as written may mean."""
        if cited in self.paths:
            return [cited]
        for front in ("a/", "b/"):  # of a diff
            if cited.startswith(front) and cited[2:] in self.paths:
                return [cited[2:]]
        twins = self.names.get(PurePosixPath(cited).name, ())
        return [path for path in twins if f"/{path}".endswith(f"/{cited}")]


@dataclass(frozen=True)
class _Answer:
    """An answer in its repository; each sentence outside a fence comes with what it cites."""

    text: str
    index: Index
    asked: Asked | None = None

    @cached_property
    def tree(self) -> _Tree:
        paths = self.index.paths()
        names: dict[str, list[str]] = {}
        for path in paths:
            names.setdefault(PurePosixPath(path).name, []).append(path)
        return _Tree(frozenset(paths), names, frozenset(PurePosixPath(path).suffix for path in paths) - {""})

    @cached_property
    def prose(self) -> str:
        return "\n".join(_prose(self.text))

    @cached_property
    def sentences(self) -> list[tuple[str, dict[str, Finding]]]:
        prose = _BOLD.sub(r"\1", self.prose)
        return [(one, dict(_cited_in(one, self.tree, self.index))) for one in _SENTENCE.split(prose)]


@dataclass(frozen=True, slots=True)
class AnswerCheck:
    """A check of an answer: its name, how much doubt it removes, and its function."""

    name: str
    weight: float
    find: Callable[[_Answer], Iterable[Finding]]


def check_answer(text: str, index: Index, asked: Asked | None = None) -> Verdict:
    """Check that an answer is not empty, not cut off, no loop, no refusal and no echo, that it is about what was
    `asked`, and that the files, lines and symbols it names exist."""
    answer = _Answer(text, index, asked)
    checks = tuple(check_of(row.name, found) for row in CHECKS for found in row.find(answer))
    return verdict_of(checks, {row.name: row.weight for row in CHECKS})


def _says_something(answer: _Answer) -> Iterator[Finding]:
    stripped = answer.text.strip()
    if not re.search(r"\w", stripped):
        yield Finding(False, "the answer is empty")
        return
    if refuses(stripped):
        yield Finding(False, "the answer is a refusal")
    elif answer.asked and echoes(stripped, answer.prose, answer.asked):
        yield Finding(False, "the answer repeats what was asked, or the code as it was shown")
    else:
        yield Finding(True)


def _moves_on(answer: _Answer) -> Iterator[Finding]:
    if circles(answer.text):
        yield Finding(False, "the answer repeats itself")


def _is_about(answer: _Answer) -> Iterator[Finding]:
    if not answer.asked or not answer.text.strip():
        return
    about = is_about(answer.text, answer.asked)
    if about is None and asks_of_here(answer.asked):
        about = any(one.passed for _, cited in answer.sentences for one in cited.values())
    if about is not None:
        yield Finding(about, "" if about else "the answer does not speak of what was asked")


def _is_whole(answer: _Answer) -> Iterator[Finding]:
    text, opened = answer.text, ""
    for found in _FENCE.finditer(text):
        if not opened:
            opened = found[1]
        elif found[1].startswith(opened):
            opened = ""
    cut = bool(opened) or text.rstrip().endswith((",", "(", "[", "{", "<", " and", " or", " the"))
    yield Finding(not cut, "the answer seems to be cut off" if cut else "")


def _cites(answer: _Answer) -> Iterable[Finding]:
    """Each file and line that is named exists."""
    cited: dict[str, Finding] = {}
    for _, found in answer.sentences:
        cited = {**found, **cited}
    return cited.values() or (Finding(None, "no file is named"),)


def _names(answer: _Answer) -> Iterable[Finding]:
    """Each symbol that is named as one of the repository, or that was asked for, exists."""
    symbols: dict[str, Finding] = {}
    for sentence, cited in answer.sentences:
        if _PROPOSES.search(sentence):
            continue
        if any(one.passed for one in cited.values()) or _CLAIMS.search(sentence):
            symbols.update(_symbols(sentence, answer))
    return symbols.values()


CHECKS = (
    AnswerCheck("answers", 0.2, _says_something),
    AnswerCheck("moves on", 0.0, _moves_on),
    AnswerCheck("about", 0.1, _is_about),
    AnswerCheck("whole", 0.2, _is_whole),
    AnswerCheck("cites", 0.5, _cites),
    AnswerCheck("symbols", 0.2, _names),
)


def _prose(text: str) -> Iterator[str]:
    """The lines of an answer that are not in a fence."""
    opened = ""
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if found and not opened:
            opened = found[1]
        elif found and found[1].startswith(opened):
            opened = ""
        elif not opened:
            yield line


# ── files and lines ──────────────────────────────────────────────────────────────────────────────


def _cited_in(sentence: str, tree: _Tree, index: Index) -> Iterator[tuple[str, Finding]]:
    proposes = _PROPOSES.search(sentence) is not None
    commands = [found.span() for found in _CODE.finditer(sentence) if _COMMAND.match(found[1])]
    if _COMMAND.match(sentence.lstrip()):
        commands = [(0, len(sentence))]
    for found in _CITED.finditer(sentence):
        cited = found[1].removeprefix("./").rstrip(".")
        if PurePosixPath(cited).suffix not in tree.endings or _is_web(sentence, found.start()):
            continue
        places = tree.places(cited)
        line = int(found[3] or found[2] or 0) or _line_said(sentence)
        if places:
            yield found[0], _cited(found[0], places, line, index)
            continue
        called = sentence[found.end() : found.end() + 1] in ("(", "*", "[", "<", "{")
        in_command = any(start <= found.start() < end for start, end in commands)
        if not (called or in_command or proposes or _is_elsewhere(cited, line)):
            yield cited, Finding(False, f"there is no file {cited}")


def _line_said(sentence: str) -> int:
    """The line of a sentence that names one line in words, 0 where there is none, or more than one."""
    said = _LINE.findall(sentence)
    return int(said[0]) if len(said) == 1 else 0


def _is_web(sentence: str, at: int) -> bool:
    word = re.split(r"[\s(<\[]", sentence[max(0, at - 200) : at])[-1]
    return "://" in word or word.startswith(("www.", "mailto:")) or bool(re.match(r"[\w-]+(?:\.[\w-]+)+/", word))


def _is_elsewhere(cited: str, line: int) -> bool:
    """Whether a path may be missing from the repository: of the system, a package, a product, a placeholder."""
    name = PurePosixPath(cited).name.lower()
    if cited.startswith("/") or any(part in cited.lower() for part in _ELSEWHERE):
        return True
    if name.startswith(_PLACEHOLDERS) or re.match(r"(?:[\w-]+\.)+(?:com|org|net|io|dev|rs|app|ai)/", cited):
        return True
    if line:
        return False
    return "/" not in cited and (
        name in _USUAL or cited[0].isupper() or cited[0] == "." or cited.count(".") > 1 or cited.endswith(".js")
    )


def _cited(shown: str, places: list[str], line: int, index: Index) -> Finding:
    if line and not any(line <= _lines(path, index) for path in places):
        return Finding(False, f"{shown}: the file has no such line")
    return Finding(True, shown)


def _lines(path: str, index: Index) -> int:
    data = _read(path, index)
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def _read(path: str, index: Index) -> bytes:
    try:
        return index.read(path)
    except NotFound:
        return b""


# ── symbols ──────────────────────────────────────────────────────────────────────────────────────


def _symbols(sentence: str, answer: _Answer) -> Iterator[tuple[str, Finding]]:
    """The names in code marks of a sentence that names a file: each must occur somewhere in the repository."""
    for found in _CODE.finditer(sentence):
        named = _NAME.fullmatch(found[1])
        if named is None or named[1] in _BUILTIN or PurePosixPath(found[1]).suffix in answer.tree.endings:
            continue
        root = re.split(r"\W", found[1])[0]
        if not _is_code(named[1], found[1]) or (root != named[1] and not answer.index.symbols_named((root,))):
            continue  # of a module or object that is not the repository's
        known_word = _occurs(named[1], answer)
        yield named[1], Finding(known_word, "" if known_word else f"there is no {named[1]} in the repository")


def _is_code(name: str, written: str) -> bool:
    """Whether a word can only be a name of code: it is called, or made of parts."""
    return written.endswith("()") or "_" in name.strip("_") or re.search(r"[a-z][A-Z]", name) is not None


def _occurs(name: str, answer: _Answer) -> bool:
    """Whether the index knows a name, or the model has seen it in what it looked at."""
    words = answer.index.words()
    return (
        bool(answer.index.symbols_named((name,)))
        or any(len(words.postings(field, name.lower())[0]) for field in ("body", "name", "doc"))
        or bool(answer.asked and re.search(rf"\b{re.escape(name)}\b", answer.asked.seen))
    )
