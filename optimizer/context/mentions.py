"""What a request names: files, lines, identifiers, stack frames, quoted messages, and the plain words around them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from optimizer.context.frames import Frame, frames, is_frame
from optimizer.context.lines import LineKind, useful
from optimizer.languages import words
from optimizer.languages.spelling import dotted

LONGEST_LINE = 20_000
LONGEST_TOKEN = 300
PROSE, CODE, TRACE = 1.0, 0.5, 0.25
WEIGHTS: Mapping[LineKind, float] = {"prose": PROSE, "code": CODE, "output": CODE}
SPOKEN = 0.6
MOST_WORDS_ASKED = 15  # of a request that is a question in one line, where every word counts
MOST_NAMES = 400
MOST_QUOTED = 40
MOST_MESSAGES = 6
SHORTEST_QUOTE = 10

# Patterns are compiled where a text may match them: compiling all of them takes longer than reading most requests.
_KEBAB = r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+){1,8}\Z"
_DIFFERENCE = r"(?:[a-z]\w?|\w*[A-Za-z]\d+|\d+)(?:-(?:[a-z]\w?|\w*[A-Za-z]\d+|\d+))+\Z"
_PLAIN = r"[^\W\d]\w+"
_TOKEN = r"[^\s`'\"<>()\[\]{},;|=*!]+(?:\(\))?"
_SPAN = r"`([^`\n]{1,200})`"
# An apostrophe within a word opens and closes nothing.
_QUOTED = r"\"([^\"\n]{8,200})\"|(?<!\w)'((?:[^'\n]|(?<=\w)'(?=\w)){8,200})'(?!\w)"
_EMPHASIS = r"(?<![\w/`])(_{1,2})(?=[^\s_])([^_`\n]{1,200}\s[^_`\n]{0,200})(?<=[^\s_])\1(?![\w/`(])"
_COMMAND = r"(?:^|[\s`])(?:python[\d.]*|node|ruby|php|perl|bash|sh|deno run|bun|tsx|lua|Rscript|go run)(?: -\S+)* (\S+)"
_ERROR = (
    r"\s*(?:[\w.:]{0,100}(?:Error|Exception|Warning|Failure|[Ee]rror\[\w{1,10}\])|error|fatal|panic)[:)] (.{8,400})"
)
_TROUBLE = (
    r"(?i)\b(?:\w*error|\w*exception|can ?not|can't|could not|failed to|invalid|unable|not found|unexpected|missing"
    r"|must|no such|unknown|unsupported|not supported|expected|undefined|does not)\b"
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


class PathMention(NamedTuple):
    """A file named in the text, in a line of that kind; lines of the file count from 1, 0 where none was named."""

    path: str
    start: int = 0
    end: int = 0
    kind: LineKind = "prose"


class Mentions(NamedTuple):
    """All that a request names; `identifiers` and `words` map to how strongly (0 to 1, and a count).

    `is_question`: it is one line of few words. `quoted` are texts to be found word for word, `messages` what a program
    may have printed, with parts filled in.
    `prose` are the words that stand outside of code, output and stack traces.
    """

    title: str
    is_question: bool
    identifiers: Mapping[str, float]
    dotted: tuple[str, ...]
    paths: tuple[PathMention, ...]
    frames: tuple[Frame, ...]
    quoted: tuple[str, ...]
    messages: tuple[str, ...]
    words: Mapping[str, float]
    title_words: tuple[str, ...]
    prose: frozenset[str]


def find_mentions(text: str) -> Mentions:
    """Read a request; any text gives a value, in time linear in its length."""
    lines = [line[:LONGEST_LINE] for line in text.split("\n")]
    title = next((line.strip() for line in lines if line.strip()), "")
    found = _Found({}, {}, {}, {}, {})
    if re.search(_TROUBLE, title):
        found.messages[title] = None
    counts: dict[str, float] = {}
    prose: set[str] = set()
    for line, kind in useful(lines):
        bare = re.sub(_URL, _host, re.sub(_BLOB, found.blob, line)) if "://" in line else line
        weight = WEIGHTS[kind]
        if is_frame(line):
            weight = TRACE
        else:
            found.line(bare, kind)
        for term in words.terms(bare):
            counts[term] = counts.get(term, 0.0) + weight
            if weight == PROSE:
                prose.add(term)
    is_question = title == text.strip() and len(title.split()) <= MOST_WORDS_ASKED
    if is_question:
        found.asked(title)
    telling = partial(_telling, empty=words.ENGLISH if is_question else STOPWORDS)
    return Mentions(
        title=title,
        is_question=is_question,
        identifiers=found.names,
        dotted=tuple(found.dotted),
        paths=tuple(found.paths),
        frames=tuple(frames(lines)),
        quoted=tuple(found.quoted),
        messages=tuple(found.messages)[:MOST_MESSAGES],
        words={term: count for term, count in counts.items() if telling(term)},
        title_words=tuple(dict.fromkeys(filter(telling, words.terms(title)))),
        prose=frozenset(filter(telling, prose)),
    )


class _Found(NamedTuple):
    names: dict[str, float]
    dotted: dict[str, None]
    paths: dict[PathMention, None]
    quoted: dict[str, None]
    messages: dict[str, None]

    def blob(self, match: re.Match[str]) -> str:
        start = int(match[2] or 0)
        self.paths[PathMention(match[1], start, int(match[3] or start))] = None
        return " "

    def line(self, line: str, kind: LineKind) -> None:
        if len(self.names) < MOST_NAMES:
            if kind == "prose" and "_" in line:
                line = re.sub(_EMPHASIS, r"\2", line)
            commands = {word.strip("`") for word in re.findall(_COMMAND, line)} if "." in line else ()
            for span in re.findall(_SPAN, line) if "`" in line else ():
                self.span(span)
            for double, single in re.findall(_QUOTED, line) if '"' in line or "'" in line else ():
                self.quote(double or single)
            if (": " in line or ") " in line) and (error := re.match(_ERROR, line)):
                self.quote(error[1])
                self.messages[error[1]] = None
            for token in re.findall(_TOKEN, line):
                self.token(token[:LONGEST_TOKEN], "output" if token in commands else kind)

    def asked(self, question: str) -> None:
        """Each word of a question may be a name, as it is written, with a capital, or joined to the next one."""
        spoken = [word for word in re.findall(_PLAIN, question) if word.lower() not in words.ENGLISH]
        alone = PROSE if len(question.split()) == 1 else SPOKEN
        for word in spoken:
            for name in (word, word[:1].upper() + word[1:]):
                self.names[name] = max(self.names.get(name, 0.0), alone)
        for first, second in pairwise(re.findall(_PLAIN, question)):
            joined = first + second[:1].upper() + second[1:]
            for name in (f"{first}_{second}", joined, joined[:1].upper() + joined[1:]):
                self.names.setdefault(name, SPOKEN)

    def quote(self, text: str) -> None:
        for piece in re.split(_VARYING, text) if len(self.quoted) < MOST_QUOTED else ():
            fixed = piece.strip(" \t.,:;()[]")
            if len(fixed) >= SHORTEST_QUOTE and " " in fixed:
                self.quoted[fixed] = None

    def span(self, span: str) -> None:
        name = span.strip().removesuffix("()").lstrip("@.:$->#&*\\").removesuffix("()")
        if re.match(_NAME, name):
            self.names[name] = PROSE

    def token(self, token: str, kind: LineKind) -> None:
        weight = WEIGHTS[kind]
        called = token.endswith("()")
        token = token.removesuffix("()").rstrip(".:#-~?").lstrip(":#-~?")
        if self.path(token, kind):
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
            if re.match(_DIFFERENCE, name):
                for part in parts:
                    self.name(part, weight, known=len(part) > 1 and not part.isdigit())
                return
            for spoken in ("_".join(parts), "".join(part[:1].upper() + part[1:] for part in parts)):
                self.name(spoken, SPOKEN * weight, known=True)

    def name(self, name: str, weight: float, *, known: bool) -> None:
        if known and len(name) > 1 and (_shaped(name) or name.lower() not in STOPWORDS):
            self.names[name] = max(self.names.get(name, 0.0), weight)

    def path(self, token: str, kind: LineKind) -> bool:
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
        self.paths[PathMention(path, start, max(start, end), kind)] = None
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


def _telling(term: str, empty: Collection[str]) -> bool:
    return len(term) > 1 and term not in empty and not term.isdigit() and len(term) <= LONGEST_TOKEN
