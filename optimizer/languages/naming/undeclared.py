"""The names of one file that only places of use have, so that the file itself does not declare them; pure."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from optimizer.languages import syntax
from optimizer.languages.naming.parents import is_in, row_of
from optimizer.languages.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

LANGUAGES = frozenset({"c", "cpp", "csharp", "java", "kotlin", "php", "ruby", "rust"})
_SELF = (b"self", b"this", b"$this", b"static")
Receiver = Literal["", "self", "other"]


class NewName(NamedTuple):
    """Where a name is first used, and how often; for a call also of what: nothing, the object itself, or other."""

    line: int
    node: Node
    called_on: Receiver | None = None
    times: int = 1


def names(source: Source) -> tuple[dict[str, NewName], frozenset[str]]:
    """The names that only places of use have, and all names of a file; nothing where it does not parse."""
    language, root = source.language, source.root
    if language is None or language.name not in LANGUAGES or root is None:
        return {}, frozenset()
    if root.has_error and not language.macros:
        return {}, frozenset()
    used: dict[str, NewName] = {}
    declared: set[str] = set()
    for capture, node in syntax.names_at(language, root, 0, root.end_byte):
        if capture != "reference":
            continue
        name = source.text[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if _is_use(node):
            first = used.setdefault(name, NewName(node.start_point[0] + 1, node, _called_on(node), 0))
            used[name] = first._replace(times=first.times + 1)
        else:
            declared.add(name)
    return {name: use for name, use in used.items() if name not in declared}, frozenset(declared | used.keys())


def _is_use(node: Node) -> bool:
    parent = node.parent
    if parent is not None and parent.type == "variable_name":
        node, parent = parent, parent.parent
        if parent is not None and parent.type == "assignment_expression":
            return parent.child_by_field_name("right") == node
    if parent is None:
        return False
    if parent.type == "argument" and parent.child_by_field_name("name") == node:
        return False
    return is_in(node, parent, row_of(parent).used)


def _called_on(node: Node) -> Receiver | None:
    """What a name is called on; None where it is not the name of a call."""
    call = node.parent
    field = row_of(call).called if call is not None else ""
    if call is None or not field or call.child_by_field_name(field) != node:
        return None
    for name in ("receiver", "object", "scope"):
        if (on := call.child_by_field_name(name)) is not None:
            return "self" if on.text in _SELF else "other"
    return ""


@cache
def known(language: str) -> frozenset[str]:
    """What the standard library of a language brings without being imported by its name.

    `ruby-gems`: the methods that some 80 libraries of Ruby define, not their private ones; read from the packages of
    Debian 12 (Rails 6.1, RSpec 3.12, Minitest 5.17, test-unit 3.5, Mocha, Capybara, Sinatra, Thor, Rake, Sequel, …).
    """
    file = Path(__file__).parents[1] / "known" / f"{language}.txt"
    return frozenset(file.read_text("utf-8").split()) if file.exists() else frozenset()


def is_misspelt(name: str, others: frozenset[str]) -> bool:
    """Whether a name differs from one of `others` by one letter, or by two that changed places."""
    return any(_is_near(name, other) for other in others if abs(len(other) - len(name)) <= 1 and other[0] == name[0])


def _is_near(one: str, other: str) -> bool:
    if len(one) == len(other):
        places = [number for number, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(places) == 1:
            return one[places[0]].islower() and other[places[0]].islower()
        swapped = len(places) == 2 and places[1] == places[0] + 1
        return swapped and one[places[0]] == other[places[1]] and one[places[1]] == other[places[0]]
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return any(longer[:number] + longer[number + 1 :] == shorter for number in range(1, len(longer) - 1))


def has_arguments(node: Node) -> bool:
    """Whether a name is called with arguments, or with empty brackets."""
    return node.parent is not None and node.parent.child_by_field_name("arguments") is not None


def is_made(node: Node) -> bool:
    """Whether a name is that of a class of which an object is made."""
    return node.parent is not None and node.parent.type == "object_creation_expression"


def given_to(node: Node) -> bytes:
    """The function that is called with a name by its own name; b'' where the name is no such argument."""
    call = node.parent.parent if node.parent is not None and node.parent.type == "argument_list" else None
    called = call.child_by_field_name("function") if call is not None else None
    return called.text or b"" if called is not None and node.type == "identifier" else b""
