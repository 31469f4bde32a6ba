"""Whether what else is taken from a value shows that it is of no type that has the renamed member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming.uses import binds, find_uses, function_around
from optimizer.lookup.names import holders

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.languages.naming.uses import Use
    from optimizer.lookup.subject import Subject
    from optimizer.retrieval import Symbol

_NAME = re.compile(r"[A-Za-z_]\w*")
# What is within one of these may not be run whenever the rest of its function is.
_MAY_NOT_RUN = re.compile(
    r"if|elif|else|for|while|try|except|catch|rescue|case|switch|match|when|lambda|function|method|arrow|closure"
    r"|conditional|ternary|boolean|binary|comprehension|generator|block$"
)
_LOOKS_AT_TYPE = re.compile(rb"\b(?:isinstance|issubclass|hasattr|getattr|AttributeError|type|callable)\b")
_ANSWERS_TO_ANY = re.compile(rb"\b(?:__getattr\w*__|__dict__|setattr|vars)\b")


def is_of_no_owner(subject: Subject, path: str, use: Use) -> bool:
    """Whether the value that a member is taken from must have another member, which no type with the subject has."""
    if subject.classes is None or not subject.owners or not _NAME.fullmatch(use.receiver):
        return False
    return any(_is_foreign(subject, name) for name in _also_taken(subject, path, use))


def _also_taken(subject: Subject, path: str, use: Use) -> Iterator[str]:
    """The other members that surely are taken from the same value."""
    source = subject.sources[path]
    around = function_around(use)
    if around.parent is None or _LOOKS_AT_TYPE.search(around.text or b""):
        return
    same = find_uses(source, use.receiver)
    own = next((one for one in same if one.node.parent == use.node.parent), None)
    if own is None or own.scope is None:
        return
    same = tuple(one for one in same if one.scope == own.scope)
    if sum(binds(one.node) for one in same) != 1:
        return
    for one in same:
        taken = one.node.parent
        name = taken.child_by_field_name("attribute") if taken is not None else None
        first = taken is not None and taken.named_children[0] == one.node
        if name is not None and first and taken != use.node.parent and _is_run_with(one.node, use.node):
            yield (name.text or b"").decode("utf-8", "replace")


def _is_run_with(one: Node, other: Node) -> bool:
    """Whether the first is evaluated wherever the other is: nothing that may be skipped holds it apart."""
    above = set()
    at: Node | None = other
    while at is not None:
        above.add(at.id)
        at = at.parent
    at = one
    while at is not None and at.id not in above:
        if _may_not_run(at):
            return False
        at = at.parent
    if at is not None and at.type == "block":
        return one.start_byte < other.start_byte
    return at is not None and not _may_not_run(at)


def _may_not_run(node: Node) -> bool:
    return _MAY_NOT_RUN.match(node.type) is not None and node.type != "formatted_string"


def _is_foreign(subject: Subject, name: str) -> bool:
    """Whether no type that has the subject has a member of a name, by any way that their code shows."""
    key = f"foreign {name}"
    if key not in subject.known:
        subject.known[key] = frozenset({"yes"} if _is_nowhere(subject, name) else ())
    return bool(subject.known[key])


def _is_nowhere(subject: Subject, name: str) -> bool:
    classes, word = subject.classes, re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
    if classes is None or name.startswith("__"):
        return False
    for one in classes.above(classes.below(subject.owners)):
        text = text_of_type(subject, one)
        if classes.outside(one) or word.search(text) or _ANSWERS_TO_ANY.search(text):
            return False
    given = re.compile(rb"\." + re.escape(name.encode()) + rb"\b\s*(?::[^=\n]+)?=(?!=)")
    return not any(given.search(subject.index.read(path)) for path in holders(subject.index, name))


def text_of_type(subject: Subject, one: Symbol) -> bytes:
    """The text of the definition of a type."""
    return b"\n".join(subject.index.read(one.path).split(b"\n")[one.start - 1 : one.end])
