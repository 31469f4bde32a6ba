"""Why a file or a piece of code was chosen, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.retrieval import Signal

PLAIN: Mapping[str, str] = {
    "named": "named in the request",
    "frame": "in the stack trace",
    "body": "its code matches the request",
    "names": "defines names like the request's",
    "doc": "its documentation matches",
    "path": "its path matches the request",
    "unit": "holds a closely matching function",
    "unit_names": "defines a name much like the request's",
    "uses": "uses what the request names",
    "quoted": "holds a text quoted in the request",
    "title": "matches {title}",
    "title_unit": "holds a function that matches {title}",
    "title_path": "its path matches {title}",
    "title_names": "named like {title}",
    "messages": "changed by commits that say the same",
    "churn": "changes often",
    "together": "changes together with other matching files",
    "folder": "next to other matching files",
    "loosely": "perhaps named in the request",
    "title_messages": "changed by commits that say the same{as_title}",
    "tested": "its tests match the request",
    "stem_said": "its name is in the request",
    "tests_together": "changes together with tests that match the request",
    "file": "in a matching file",
    "line": "on a line named in the request",
    "outline": "outline of a matching file",
    "read": "named by the reader",
    "meaning": "resembles the request in meaning",
}
OF_SUBJECT: Mapping[str, str] = {
    "defines": "defines {}",
    "defines_code": "defines {}",
    "uses": "uses {}",
    "module": "is the module of {}",
    "tested": "{} tests it and matches the request",
    "imports": "imports {}",
    "imported": "imported by {}",
    "called": "used by {}",
}


def phrases(why: Iterable[Signal], query: str = "") -> tuple[str, ...]:
    """The signals as phrases; the first line of a `query` of one line is called the request."""
    one_line = bool(query) and "\n" not in query.strip()
    title = {"title": "the first line", "as_title": " as the first line"}
    if one_line:
        title = {"title": "the request", "as_title": ""}
    return tuple(dict.fromkeys(_phrase(one, title) for one in why))


def phrase(why: Iterable[Signal], query: str = "") -> str:
    """The signals as one phrase."""
    return ", ".join(phrases(why, query))


def _phrase(one: Signal, title: Mapping[str, str]) -> str:
    return OF_SUBJECT[one.name].format(one.subject) if one.subject else PLAIN[one.name].format(**title)
