"""Which types of the repository a variable without a known type may have, by all that is called on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming.bases import TYPES
from optimizer.languages.naming.libraries import HARMLESS
from optimizer.languages.naming.parents import SCOPES
from optimizer.languages.naming.undeclared import known
from optimizer.languages.naming.uses import Use

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.lookup.protocols import Subject, Verdict
    from optimizer.retrieval import Symbol

_LISTED = re.compile(
    rb"\b(?:attr(?:_\w+)?|alias_method|alias|define_method|def_\w*delegators?|Struct\.new|Data\.define)\b"
    rb"([^\n]*(?:,[ \t]*\n[^\n]*)*)"
)
_ANY = re.compile(
    rb"\bmethod_missing\b|\bdefine_method\b *\(?[^:\s(]|\bclass_eval\b|\binstance_eval\b|\bdefine_singleton"
)
_LOOKS_AT_TYPE = frozenset({"is_a?", "kind_of?", "instance_of?", "respond_to?", "class", "case"})
_WORD = re.compile(rb"(?:^[ \t]+|:)(\w+[?!]?)")


def fits(subject: Subject, path: str, use: Use) -> Verdict:
    """Whether what is called on the receiver of a member rules out the subject, or all else; `open` otherwise.

    Only in languages whose members from outside are listed, as any other receiver may come from a library.
    """
    outside = subject.outside_members
    receiver = use.node.parent.named_children[0] if use.node.parent is not None else None
    if not outside or receiver is None or receiver.type not in ("identifier", "instance_variable"):
        return "open"
    called = set(_called(receiver)) - {subject.name}
    if _LOOKS_AT_TYPE & called:
        return "open"
    own = {one for one in called if one not in outside and one[0].isalpha()}
    holders = {one for method in (*subject.family, *subject.others) if (one := _holder(subject, method)) is not None}
    left = {one for one in holders if _has_all(subject, one, called - known(subject.language))}
    may_be_outside = not own and subject.name in outside
    if left and left <= subject.owners and not may_be_outside and not subject.is_listed:
        return "ours" if own or holders - left else "open"
    return "other" if holders & subject.owners and not left & subject.owners else "open"


def _called(receiver: Node) -> Iterator[str]:
    """The members that are taken from the same variable, in the function or, for one of an object, the class around."""
    kinds = ("class", "module") if receiver.type == "instance_variable" else _FUNCTIONS
    around = receiver.parent
    while around is not None and around.parent is not None and around.type not in kinds:
        around = around.parent
    pending = [around] if around is not None else []
    while pending:
        node = pending.pop()
        on, name = node.child_by_field_name("receiver"), node.child_by_field_name("method")
        if node.type == "call" and on is not None and name is not None and on.text == receiver.text:
            yield (name.text or b"").decode("utf-8", "replace")
        if node.type == "case" and (value := node.child_by_field_name("value")) is not None:
            yield from ("case",) if value.text == receiver.text else ()
        if node.type == "element_reference" and node.named_children[0].text == receiver.text:
            yield "[]"
        pending += node.named_children


_FUNCTIONS = ("method", "singleton_method", *(SCOPES & {"block", "do_block", "lambda"}))


def _holder(subject: Subject, method: Symbol) -> Symbol | None:
    return subject.classes.owner(method) if subject.classes is not None else None


def _has_all(subject: Subject, one: Symbol, names: set[str]) -> bool:
    """Whether a type, with all that it is derived from, has some members, or may have any."""
    if subject.classes is None:
        return True
    above = subject.classes.above([one])
    if any(base not in HARMLESS for up in above for base in subject.classes.outside(up)):
        return True
    left = set(names)
    for part in (part for up in (*above, *subject.classes.below([one])) for part in subject.classes.parts(up)):
        inside = [symbol for symbol in subject.index.symbols_in(part.path) if part.start < symbol.start <= part.end]
        left -= {symbol.name.rstrip("=") for symbol in inside if symbol.parent == part.qualified}
        text = _own_text(subject, part, inside)
        if _ANY.search(text):
            return True
        left -= set(listed(text))
    return not left


def _own_text(subject: Subject, part: Symbol, inside: list[Symbol]) -> bytes:
    """The text of a type without that of the types in it."""
    lines = subject.index.read(part.path).split(b"\n")
    for one in inside:
        if one.kind in (*TYPES, "module"):
            lines[one.start - 1 : one.end] = [b""] * (one.end - one.start + 1)
    return b"\n".join(lines[part.start - 1 : part.end])


def listed(text: bytes) -> Iterator[str]:
    """The names that statements such as `attr_reader` give to members."""
    for found in _LISTED.finditer(text):
        for word in _WORD.findall(found[1]):
            yield word.decode("utf-8", "replace")


def is_listed(subject: Subject) -> bool:
    """Whether a statement such as `attr_reader` gives the name to a member of another type."""
    own = {part for one in subject.owners if subject.classes for part in subject.classes.parts(one)}
    for path, source in subject.sources.items() if subject.naming.mixes else ():
        types = [one for one in subject.index.symbols_in(path) if one.kind in (*TYPES, "module")]
        texts = [_own_text(subject, one, _within(one, types)) for one in types if one not in own]
        if types and any(subject.name in listed(text) for text in texts):
            return True
        if not types and subject.name in listed(source.text):
            return True
    return False


def _within(one: Symbol, types: list[Symbol]) -> list[Symbol]:
    return [inner for inner in types if one.start < inner.start <= one.end]
