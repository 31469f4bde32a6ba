"""Recognize questions that the index alone can answer."""

from __future__ import annotations

import re
from typing import Literal

from optimizer.languages.spelling import is_name
from optimizer.languages.table import language_of
from optimizer.lookup.questions import Lookup, LookupKind

LONGEST = 300

_KIND = (
    r"(?:(?:the|a|an)\s+)?(?:(?:source(?:\s+code)?|code|body|definition|declaration|implementation)\s+(?:of|for)\s+)?"
    r"(?:(?:the|a|an)\s+)?"
    r"(?:(?:function|method|class|module|file|symbol|struct|enum|trait|interface|type|constant|macro|variable|package"
    r"|attribute|field|property)\s+)?"
)
_SUBJECT = r"(?P<subject>[^\s,;]+)"
_WITHIN = r"(?:\s+in\s+(?:the\s+)?(?:file\s+|module\s+|folder\s+|directory\s+)?(?P<within>[^\s,;]+))?"
_LISTED = (
    r"(?:all\s+)?(?:of\s+)?(?:the\s+)?(?P<what>functions|methods|classes|symbols|definitions|types|structs|enums|traits"
    r"|interfaces|constants|macros|modules)"
)
_OF = r"\s+(?:of|in|from)\s+(?:the\s+)?(?:(?:function|method|class)\s+)?(?P<holder>[^\s,;]+)"
_INNER = (
    r"(?:the\s+)?(?:(?P<parameter>(?:keyword\s+)?(?:parameter|param|argument|arg)|keyword)"
    r"|(?P<variable>local(?:\s+variable)?|variable)|attribute|field|property)"
)
_TO = r"\s+(?:to|into|as)\s+(?P<new>[^\s,;]+)"
_FORMS: tuple[tuple[LookupKind, str], ...] = (
    ("rename", rf"rename\s+{_INNER}\s+{_SUBJECT}{_OF}{_TO}{_WITHIN}"),
    ("rename", rf"rename\s+{_INNER}\s+{_SUBJECT}{_TO}{_OF}{_WITHIN}"),
    ("rename", rf"rename\s+{_KIND}{_SUBJECT}\s+(?:to|into|as)\s+(?P<new>[^\s,;]+){_WITHIN}"),
    ("list", rf"(?:list|show|find)\s+(?:me\s+)?{_LISTED}\s+(?:in|of)\s+{_KIND}{_SUBJECT}"),
    ("list", rf"(?:what|which)\s+{_LISTED}\s+(?:are|exist)\s+(?:there\s+)?(?:defined\s+)?in\s+{_KIND}{_SUBJECT}"),
    ("callers", rf"(?:who|what|which\s+\w+)\s+(?:calls?|uses?|references?|invokes?)\s+{_KIND}{_SUBJECT}{_WITHIN}"),
    (
        "callers",
        rf"(?:(?:find|show|list)\s+(?:me\s+)?)?(?:all\s+)?(?:the\s+)?"
        rf"(?:callers|usages?|uses|references)\s+(?:of|to)\s+{_KIND}{_SUBJECT}{_WITHIN}",
    ),
    ("callers", rf"where(?:\s+is|'s)\s+{_KIND}{_SUBJECT}\s+(?:used|called|referenced|invoked){_WITHIN}"),
    ("importers", rf"(?:who|what|which\s+(?:files?|modules?))\s+(?:imports?|includes?|requires?)\s+{_KIND}{_SUBJECT}"),
    ("importers", rf"(?:(?:find|show|list)\s+)?(?:all\s+)?(?:the\s+)?importers\s+of\s+{_KIND}{_SUBJECT}"),
    ("importers", rf"where(?:\s+is|'s)\s+{_KIND}{_SUBJECT}\s+imported"),
    ("imports", rf"what\s+does\s+{_KIND}{_SUBJECT}\s+(?:import|include|require)"),
    (
        "imports",
        rf"(?:(?:find|show|list)\s+)?(?:all\s+)?(?:the\s+)?(?:imports|dependencies)\s+(?:of|in)\s+{_KIND}{_SUBJECT}",
    ),
    (
        "where",
        rf"where(?:\s+is|'s|\s+are)\s+{_KIND}{_SUBJECT}(?:\s+(?:defined|declared|implemented|located))?{_WITHIN}",
    ),
    ("where", rf"(?:find|locate|go\s+to)\s+(?:me\s+)?{_KIND}{_SUBJECT}{_WITHIN}"),
    ("show", rf"show\s+(?:me\s+)?{_KIND}{_SUBJECT}{_WITHIN}"),
)
_OPENING_WORDS = """
all callers dependencies find go importers imports list locate references rename show the usages uses what where where's
which who
"""
_OPENING = frozenset(_OPENING_WORDS.split())

_PART = r"[^\W\d][\w$]*"
_PATH = re.compile(r"(?:[\w.@+~-]+/)*[\w.@+~-]+/?")
_LOCATED = re.compile(
    rf"(?P<path>(?:[\w.@+~-]+/)*[\w@+~-][\w.@+~-]*\.\w+):(?P<name>{_PART}(?:(?:\.|::){_PART})*[!?=]?)"
)
_PROSE_WORDS = """
a all an and any anything bugs bug code dead definition definitions duplicates error errors everything help how in it
issue issues me more my now of one our problem problems some something source tests that the them there these they
things this those to todo todos unused us usage usages what where which who why you your
"""
_PROSE = frozenset(_PROSE_WORDS.split())


def parse_lookup(text: str) -> Lookup | None:
    """Parse a question that the index can answer; None when its subject is not one name or path.

    `Lookup.within` is a path the answer is narrowed to. For a listing, `subject` is the kind of symbol ("functions",
    "classes", "symbols"…) and `within` the file or folder.
    """
    if len(text) > LONGEST:
        return None
    line = text.strip().rstrip("?!.").strip()
    if "\n" in line or " ".join(line.split()[:1]).lower() not in _OPENING:
        return None
    for kind, form in _FORMS:
        match = re.fullmatch(form, line, re.IGNORECASE)
        if match and not _is_file(match.groupdict().get("holder") or ""):
            return _lookup(kind, match.groupdict())
    return None


def _lookup(kind: LookupKind, groups: dict[str, str | None]) -> Lookup | None:
    subject, within = _bare(groups["subject"] or ""), _bare(groups.get("within") or "")
    if holder := _bare(groups.get("holder") or ""):
        return _inner(subject, holder, within, groups)
    if located := _LOCATED.fullmatch(subject):
        subject, within = located["name"], located["path"]
    is_named = kind == "rename" and (bool(within) or subject.lower() != subject)
    if not (is_named or _is_subject(subject)) or (within and not _PATH.fullmatch(within)):
        return None
    if kind == "list":
        return Lookup("list", (groups["what"] or "").lower(), within=subject)
    if kind != "rename":
        return Lookup(kind, subject, within=within)
    new = _bare(groups["new"] or "")
    if not is_name(subject) or not re.fullmatch(r"[^\W\d][\w$]*[!?=]?", new):
        return None
    return Lookup("rename", subject, new, within)


def _inner(name: str, holder: str, within: str, groups: dict[str, str | None]) -> Lookup | None:
    """The rename of a parameter, a variable or an attribute of what is named with it."""
    new = _bare(groups["new"] or "")
    target: Literal["", "parameter", "variable"] = (
        "parameter" if groups["parameter"] else "variable" if groups["variable"] else ""
    )
    if located := _LOCATED.fullmatch(holder):
        holder, within = located["name"], located["path"]
    if not all(re.fullmatch(_PART, one) for one in (name, new)) or (within and not _PATH.fullmatch(within)):
        return None
    return Lookup("rename", f"{holder}.{name}", new, within, target=target) if is_name(holder) else None


def _is_file(word: str) -> bool:
    """Whether a word is the path of a file or folder, and no definition in one."""
    path = _bare(word)
    return not _LOCATED.fullmatch(path) and ("/" in path or language_of(path) is not None)


def _bare(word: str) -> str:
    stripped = word.strip("`'\"")
    return stripped.removesuffix("()").removeprefix("./")


def _is_subject(word: str) -> bool:
    if word.lower() in _PROSE:
        return False
    return is_name(word) or bool(_PATH.fullmatch(word))
