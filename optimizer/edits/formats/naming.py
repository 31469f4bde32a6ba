"""Which file a line above an edit, or the info of a fence, names."""

from __future__ import annotations

import re

_EXTENSIONS = """
asm astro bash bat bib bzl c cc cfg cjs clj cljs cmake cmd coffee conf cpp cs css csv cts cu cxx d dart diff ejs el elm
erb erl ex exs f90 feature fish fs fsx gemspec go gql gradle graphql groovy h haml hbs hcl hh hpp hrl hs htm html hxx
ini ino ipynb java jinja j2 jl js json json5 jsonc jsonl jsx kt kts less lhs lisp lock lua m md mdx mjs mk ml mli mm mts
nim nix php pl pm po pot prisma properties proto ps1 pug pxd py pyi pyx qml r rake rb rkt rs rst s sass scala scm scss
sh sol sql sv svelte svg swift tcl tex tf tfvars tmpl toml ts tsv tsx txt v vb vhd vim vue wat xml xsd xsl yaml yml zig
"""
_NAMES = """
makefile dockerfile jenkinsfile vagrantfile rakefile gemfile procfile license copying notice authors readme changelog
build workspace justfile brewfile pipfile codeowners go.mod go.sum
"""
_PROSE_WORDS = """
a add added adding additionally all also an and apply as at below change changed changing create created creating delete
edit edited finally first fix fixed for from here here's how i i'll in inside into is it its let let's make modified
modify move need needs new next now of on only or put remove replace replaced run running see should show so start that
the then there these this to updated update updating use used uses using want we we'll what where which with within
write you your
"""
_PROSE = frozenset(_PROSE_WORDS.split())
_NOUNS = frozenset({"code", "content", "contents", "example", "file", "module", "output", "script", "test", "version"})
EXTENSIONS = frozenset(_EXTENSIONS.split())
NAMES = frozenset(_NAMES.split())
MAX_PATH = 4096

_LABEL = re.compile(r"(?:file(?:name)?|path)[ \t]*[:=][ \t]*", re.IGNORECASE)
_KEY = re.compile(r"(?:title|file|filename|path|name)=(?:\"([^\"]+)\"|'([^']+)'|(\S+))")
_LIST = re.compile(r"(?:[-*+]|\d{1,3}[.)])[ \t]+")


def named_by(line: str) -> str:
    """The path that a line above an edit block consists of, without its decoration; '' when it is no path."""
    path, _ = _undecorated(line)
    return path if _plausible(path) else ""


def file_named_by(line: str) -> str:
    """Like `named_by`, but only when it looks like a file: a label before it, a known ending or a known name."""
    path, labelled = _undecorated(line)
    if not labelled and is_sentence(path):
        return ""
    return path if _plausible(path) and (labelled or _looks_like_file(path)) else ""


def is_sentence(path: str) -> bool:
    """Whether a path with blanks rather is a sentence that ends with a path, such as `Then change src/a.py`."""
    words = [word.strip(",.:").lower() for word in re.split(r"[\s/]+", path)[:-1]]
    before = path.split()[-2:-1]
    return " " in path and (any(word in _PROSE for word in words) or (bool(before) and before[0].lower() in _NOUNS))


def named_by_info(info: str) -> str:
    """The path in the info string of a fence, as in ```py src/a.py, ```py:src/a.py, ```py title="src/a.py"; or ''."""
    if key := _KEY.search(info):
        return next(filter(None, key.groups()), "")
    if re.match(r"\d+:", info):
        return ""
    language, colon, rest = info.partition(":")
    if colon and " " not in language and file_named_by(rest):
        return file_named_by(rest)
    for number, token in enumerate(info.split()[:4]):
        path = token.partition(":")[2] if number == 0 and ":" in token else token
        if _plausible(path) and ("." in path or "/" in path) and _looks_like_file(path):
            return path
    return ""


def _undecorated(line: str) -> tuple[str, bool]:
    text = line.strip()
    if len(text) > MAX_PATH + 100:
        return "", False
    text = text.lstrip("#").strip()
    if listed := _LIST.match(text):
        text = text[listed.end() :]
    text = text.rstrip(":").strip("*").strip().rstrip(":")
    labelled = False
    if label := _LABEL.match(text):
        labelled = True
        text = text[label.end() :].strip().strip("*").strip()
    if len(text) > 2 and text[0] == text[-1] and text[0] in "`'\"":
        return text.strip(text[0]), labelled or text[0] == "`"
    text = text.rstrip(":")
    if " " in text and not (labelled or _looks_like_file(text)):
        return "", False
    return text, labelled


def _plausible(path: str) -> bool:
    if not path or len(path) > MAX_PATH or "://" in path or path[-1] in "/.,;:!?" or path.isspace():
        return False
    if re.search(r":\d+(?:-\d+)?$", path) or any(mark in path for mark in "`\"'<>|{}*\t"):
        return False
    return any(character.isalnum() for character in path)


def _looks_like_file(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    stem, dot, extension = name.rpartition(".")
    return name in NAMES or bool(dot and extension in EXTENSIONS) or bool(dot and not stem and extension.isalpha())
