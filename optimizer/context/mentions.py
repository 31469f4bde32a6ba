"""What a request names: files, lines, identifiers, stack frames, quoted messages, and the plain words around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from optimizer.languages import words
from optimizer.languages.spelling import dotted

LONGEST_LINE = 20_000
LONGEST_TOKEN = 300
PROSE, CODE, TRACE = 1.0, 0.5, 0.25
SPOKEN = 0.6
MOST_NAMES = 400
MOST_QUOTED = 40
SHORTEST_QUOTE = 10
LONGEST_FORM = 70

# Patterns are compiled where a text may match them: compiling all of them takes longer than reading most requests.
_FENCE = r"\s*(?:```|~~~)"
_CHECKBOX = r"\s*[-*]\s*\[[xX ]\]"
_HEADING = r"\s*(?:#{1,6} +(.{1,200}?)|\*\*([^*]{1,200})\*\*:?)\s*#*\s*\Z"
_FORM = (
    r"(?i)\b(?:environment|versions?|platform|operating system|system info\w*|checklist|(?:initial|first) checks?"
    r"|before asking|code of conduct|willing|who can help|contact details)\b"
)
_LOGGED = r"\s*(?:\[\w{1,20}\] |\[?\d{4}-\d\d-\d\d|\[?\d\d:\d\d:\d\d|(?:DEBUG|INFO|WARN|WARNING|ERROR)\b)"
_KEBAB = r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+){1,8}\Z"
_TOKEN = r"[^\s`'\"<>()\[\]{},;|=*!]+(?:\(\))?"
_SPAN = r"`([^`\n]{1,200})`"
_QUOTED = r"\"([^\"\n]{8,200})\"|'([^'\n]{8,200})'"
_ERROR = (
    r"\s*(?:[\w.:]{0,100}(?:Error|Exception|Warning|Failure|[Ee]rror\[\w{1,10}\])|error|fatal|panic)[:)] (.{8,400})"
)
_VARYING = r"[\"'`{}<>%\d\\]+"
_NAME = r"[^\W\d]\w*[!?]?\Z"
_DOTTED = r"[^\W\d]\w*(?:(?:\.|::|#|->)[^\W\d]\w*[!?]?)+\Z"
_SEPARATOR = r"\.|::|#|->"
_SIGNS = (".", "::", "#", "->")
_RARE_SIGNS = ("\\", "/", "?", "&")
_FILE = r"(?:[\w@~+-][\w@~+. -]*/|\.{1,2}/|/|[A-Za-z]:/)*[\w@+.-]*\.[A-Za-z]\w{0,9}\Z"
_FOLDER = r"(?:[\w.@-]+/)+[\w.@-]*\Z"
_LINE = r"(?s)(.+?)(?::(\d{1,7})(?:[:-](\d{1,7}))?|#L(\d{1,7})(?:-L?(\d{1,7}))?)?:?\Z"
_BLOB = (
    r"https?://(?:www\.)?(?:github\.com|gitlab\.com)/[^/\s]+/[^/\s]+/(?:-/)?(?:blob|blame|tree|raw)/[^/\s]+/([^\s#?]+)"
    r"(?:\?[^\s#]*)?(?:#L(\d{1,7})(?:C\d+)?(?:-L?(\d{1,7}))?)?"
)
_URL = r"[a-zA-Z][a-zA-Z+]{1,9}://([^/\s:?#]*)([^\s<>()\[\]'\"|,]*)"
_LAST_WORDS = r"(?:/([A-Za-z_-]{3,80})(?:\.html?)?)?/?(?:\?[^#]*)?(?:#([\w.-]{1,80}))?\Z"
_CAMEL = r"[a-z0-9][A-Z]|[A-Z][A-Z][a-z]|[A-Z][a-z]+[A-Z0-9]|\A[A-Z]{1,6}\d{1,5}\Z"
_EXTENSIONS_TEXT = """
py pyi pyx js jsx mjs cjs ts tsx mts cts go rs java kt c h cc cpp cxx hpp hh hxx rb rake php lua swift scala ex exs sh
bash html css scss json yaml yml toml md rst txt xml cfg ini sql cs vue svelte proto gradle cmake inc y l erb phpt lock
mod sum in am ac m mm tpl tmpl
"""
_EXTENSIONS = frozenset(_EXTENSIONS_TEXT.split())
# Words of issue reports that say nothing about code.
_REPORTS = """
actual additional behavior behaviour bug bugs code comment context correct correctly currently describe described
description details environment error example examples expect expected expecting expects fail failed failing fails
feature file fix fixed following github http https incorrect info information issue issues line lines look looks
minimal occur occurs org output problem problems project properly question related report reproduce reproducible
reproduction repro request result results return returns run running screenshot screenshots search searched similar
simple snippet solution steps suggest suggestion support system version versions wrong www com
"""
STOPWORDS = words.ENGLISH | frozenset(_REPORTS.split())
# Whether the innermost frame is last, a text that every such line contains, and the pattern of the line.
_FRAMES = (
    (True, 'File "', r"\s*File \"([^\"\n]+)\", line (\d{1,7})(?:, in (\S+))?"),
    (False, "at ", r"\s*at (?:async )?([\w$.<>\[\] ]{1,200}?) ?\(((?:[a-z]+://)?[^()\s]+?):(\d{1,7})(?::\d+)?\)"),
    (False, "at ", r"\s*at (?:async )?((?:[a-z]+://)?[^()\s]+?):(\d{1,7})(?::\d+)?\s*\Z"),
    (False, ".rb:", r"\s*(?:from )?([^\s:()]+\.rb):(\d{1,7}):in [`']([^'\n]+)'"),
    (False, ".php(", r"#\d+ ([^\s()]+\.php)\((\d{1,7})\)(?:: (\S{1,200}))?"),
    (False, ".go:", r"\s*([^\s:()]+\.go):(\d{1,7})(?: \+0x[0-9a-f]+)?\s*\Z"),
    (False, "panicked at ", r".{0,200}?panicked at (?:'.{0,500}?', )?([^\s:']+\.rs):(\d{1,7})"),
    (False, "--> ", r"\s*--> ([^\s:]+):(\d{1,7})(?::\d+)?"),
)


class PathMention(NamedTuple):
    """A file named in the text; lines count from 1, 0 where none was named; `in_code`: in code or output."""

    path: str
    start: int = 0
    end: int = 0
    in_code: bool = False


class Frame(NamedTuple):
    """One frame of a stack trace; `weight` is 1 for the innermost and falls outwards."""

    path: str
    line: int
    function: str
    weight: float


class Mentions(NamedTuple):
    """All that a request names; `identifiers` and `words` map to how strongly (0 to 1, and a count).

    `prose` are the words that stand outside of code, output and stack traces.
    """

    title: str
    identifiers: Mapping[str, float]
    dotted: tuple[str, ...]
    paths: tuple[PathMention, ...]
    frames: tuple[Frame, ...]
    quoted: tuple[str, ...]
    words: Mapping[str, float]
    title_words: tuple[str, ...]
    prose: frozenset[str]


def find_mentions(text: str) -> Mentions:
    """Read a request; any text gives a value, in time linear in its length."""
    lines = [line[:LONGEST_LINE] for line in text.split("\n")]
    title = next((line.strip() for line in lines if line.strip()), "")
    found = _Found({}, {}, {}, {})
    counts: dict[str, float] = {}
    prose: set[str] = set()
    for line, in_code in _useful(lines):
        bare = re.sub(_URL, _host, re.sub(_BLOB, found.blob, line)) if "://" in line else line
        weight = CODE if in_code else PROSE
        if _frame(line) is None:
            found.line(bare, weight)
        else:
            weight = TRACE
        for term in words.terms(bare):
            counts[term] = counts.get(term, 0.0) + weight
            if weight == PROSE:
                prose.add(term)
    return Mentions(
        title=title,
        identifiers=found.names,
        dotted=tuple(found.dotted),
        paths=tuple(found.paths),
        frames=tuple(_frames(lines)),
        quoted=tuple(found.quoted),
        words={term: count for term, count in counts.items() if _telling(term)},
        title_words=tuple(dict.fromkeys(filter(_telling, words.terms(title)))),
        prose=frozenset(filter(_telling, prose)),
    )


class _Found(NamedTuple):
    names: dict[str, float]
    dotted: dict[str, None]
    paths: dict[PathMention, None]
    quoted: dict[str, None]

    def blob(self, match: re.Match[str]) -> str:
        start = int(match[2] or 0)
        self.paths[PathMention(match[1], start, int(match[3] or start))] = None
        return " "

    def line(self, line: str, weight: float) -> None:
        if len(self.names) < MOST_NAMES:
            for span in re.findall(_SPAN, line) if "`" in line else ():
                self.span(span)
            for double, single in re.findall(_QUOTED, line) if '"' in line or "'" in line else ():
                self.quote(double or single)
            if (": " in line or ") " in line) and (error := re.match(_ERROR, line)):
                self.quote(error[1])
            for token in re.findall(_TOKEN, line):
                self.token(token[:LONGEST_TOKEN], weight)

    def quote(self, text: str) -> None:
        for piece in re.split(_VARYING, text) if len(self.quoted) < MOST_QUOTED else ():
            fixed = piece.strip(" \t.,:;()[]")
            if len(fixed) >= SHORTEST_QUOTE and " " in fixed:
                self.quoted[fixed] = None

    def span(self, span: str) -> None:
        name = span.strip().removesuffix("()").lstrip("@.:$-")
        if re.match(_NAME, name) and len(name) > 1:
            self.names[name] = PROSE

    def token(self, token: str, weight: float) -> None:
        called = token.endswith("()")
        token = token.removesuffix("()").rstrip(".:#-~?").lstrip(":#-~?")
        if self.path(token, weight):
            return
        name = (dotted(token) if any(sign in token for sign in _RARE_SIGNS) else token).lstrip("@$&:").strip(".")
        if any(sign in name for sign in _SIGNS) and re.match(_DOTTED, name):
            self.dotted[re.sub(_SEPARATOR, ".", name)] = None
            for part in re.split(_SEPARATOR, name):
                self.name(part, weight * (1.0 if _shaped(part) else 0.6), known=True)
        elif re.match(_NAME, name):
            if called and weight == PROSE:  # `run()` is a function, whatever word it is
                self.span(name)
            self.name(name, weight, known=called or _shaped(name))
        elif "-" in name and re.match(_KEBAB, name):
            parts = name.split("-")
            for spoken in ("_".join(parts), "".join(part[:1].upper() + part[1:] for part in parts)):
                self.name(spoken, SPOKEN * weight, known=True)

    def name(self, name: str, weight: float, *, known: bool) -> None:
        if known and len(name) > 1 and (_shaped(name) or name.lower() not in STOPWORDS):
            self.names[name] = max(self.names.get(name, 0.0), weight)

    def path(self, token: str, weight: float) -> bool:
        written, token = token, token.replace("\\", "/")
        match = re.match(_LINE, token) if "." in token or "/" in token else None
        if match is None or ("." not in match[1] and "/" not in match[1]):
            return False
        path = match[1].removeprefix("a/").removeprefix("b/") if match[1][:2] in ("a/", "b/") else match[1]
        is_file = re.match(_FILE, path) is not None and path.rpartition(".")[2].lower() in _EXTENSIONS
        is_namespace = "\\" in written and "/" not in written
        if not is_file and (is_namespace or path.count("/") < 2 or not re.match(_FOLDER, path)):
            return False
        path = path.removeprefix("./")
        start = int(match[2] or match[4] or 0)
        end = int(match[5] or (match[3] if "-" in token else 0) or start)
        self.paths[PathMention(path, start, max(start, end), weight < PROSE)] = None
        return True


def _host(match: re.Match[str]) -> str:
    """The words of a link: its host and, except for code hosts, its last path segment and anchor."""
    host = match[1].removeprefix("www.").rpartition(".")[0]
    tail = re.search(_LAST_WORDS, match[2][-LONGEST_TOKEN:]) if host not in ("github", "gitlab") else None
    return " ".join([host, *filter(None, tail.groups() if tail else ()), ""])


def _shaped(name: str) -> bool:
    if "_" in name.strip("_") or name.startswith("_"):
        return True
    return not name.islower() and re.search(_CAMEL, name) is not None


def _telling(term: str) -> bool:
    return len(term) > 1 and term not in STOPWORDS and not term.isdigit() and len(term) <= LONGEST_TOKEN


def _useful(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """The lines of the report, and whether each is code or output; sections of issue forms are left out."""
    in_code = in_comment = in_form = False
    for line in lines:
        if ("```" in line or "~~~" in line) and re.match(_FENCE, line):
            in_code = not in_code
            continue
        if not in_code:
            if in_comment or line.lstrip().startswith("<!--"):
                in_comment = "-->" not in line
                continue
            if ("#" in line or "**" in line) and (heading := re.match(_HEADING, line)):
                text = heading[1] or heading[2]
                in_form = len(text) <= LONGEST_FORM and re.search(_FORM, text) is not None
            if "[" in line and re.match(_CHECKBOX, line):
                continue
        if not in_form:
            yield line, in_code or line.startswith(("    ", "\t", ">>> ")) or re.match(_LOGGED, line) is not None


def _frames(lines: Iterable[str]) -> Iterator[Frame]:
    trace: list[tuple[str, int, str]] = []
    innermost_last = True
    for line in lines:
        read = _frame(line)
        if trace and (not _continues(line) if read is None else read[0] != innermost_last):
            yield from _frames_of(trace, innermost_last)
            trace = []
        if read is not None:
            innermost_last = read[0]
            trace.append(read[1])
    yield from _frames_of(trace, innermost_last)


def _continues(line: str) -> bool:
    return line.startswith((" ", "\t")) or line.lstrip().startswith(("#", "goroutine"))


def _frames_of(trace: list[tuple[str, int, str]], innermost_last: bool) -> Iterator[Frame]:
    ordered = trace[::-1] if innermost_last else trace
    for depth, (path, line, function) in enumerate(ordered[:50]):
        yield Frame(path, line, function, 1.0 / (1.0 + 0.3 * depth))


def _frame(line: str) -> tuple[bool, tuple[str, int, str]] | None:
    for number, (innermost_last, mark, pattern) in enumerate(_FRAMES):
        if mark in line and (match := re.match(pattern, line)):
            groups = match.groups()
            if number == 1:
                function, path = groups[0].strip(), groups[1]
                if "/" not in path and "." in function:
                    path = "/".join([*function.split(".")[:-2], path])
                return innermost_last, (path, int(groups[2]), function.rpartition(".")[2])
            function = (groups[2] or "") if len(groups) > 2 else ""
            return innermost_last, (groups[0], int(groups[1]), function.rpartition(".")[2])
    return None
