"""What a name without a receiver means when a member is renamed: by the types around it, or by what is taken apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from optimizer.languages.naming.expressions import is_defined_in_macro

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.languages.naming.uses import Use
    from optimizer.lookup.protocols import Verdict
    from optimizer.lookup.subject import Subject

_GIVES_ITSELF = re.compile(rb"\b(?:instance|class|module)_e(?:val|xec)\b")
_BLOCKS = ("do_block", "block")


def bare(subject: Subject, path: str, use: Use) -> Verdict:
    """What a member means that stands alone, where no local scope binds it."""
    row = subject.naming
    if is_defined_in_macro(use.node):
        return "open"
    if not row.bare_members or not (use.place.kind == "call" or row.bare_reads) or path in subject.taken:
        return "other"
    around = use.owners[:1] if row.bare_reads else use.owners
    for one in around:
        if (found := _of_type(subject, path, one)) is not None:
            return found
    return "open" if _may_be_given(subject, use) else "other"


def _of_type(subject: Subject, path: str, name: str) -> Verdict | None:
    """What code of a type means; None where the type has no such member."""
    classes = subject.classes
    meant = classes.meant(name, path) if classes is not None else ()
    if classes is None or not meant:
        return "ours" if name in subject.types else None
    above = classes.above(meant)
    ours, other = bool(above & subject.owners), bool(above & subject.other_owners)
    if ours or other:
        return "open" if ours and other else "ours" if ours else "other"
    return "open" if subject.is_left_to(meant) else None


def _may_be_given(subject: Subject, use: Use) -> bool:
    """Whether a block of Ruby may be run as code of an object that has the subject."""
    if not subject.naming.bare_reads or not _is_in_block(use.node):
        return False
    return any(_GIVES_ITSELF.search(subject.sources[path].text) for path in subject.paths)


def _is_in_block(node: Node) -> bool:
    at: Node | None = node
    while at is not None and at.type not in _BLOCKS:
        at = at.parent if at.type != "method" else None
    return at is not None


def unpacked(subject: Subject, path: str, use: Use) -> Verdict:
    """What a member means that a pattern takes from a value: it may be meant unless the value is of another type."""
    at: Node | None = use.node
    while at is not None and (at.type.endswith("pattern") or at.type == use.node.type):
        at = at.parent
    value = at.child_by_field_name("value") if at is not None and at.type == "variable_declarator" else None
    is_direct = value is not None and use.node.parent is not None and at == _above_pattern(use.node)
    if value is None or not is_direct or subject.receivers is None:
        return "open" if not subject.is_known_outside and not subject.others else "other"
    found = {subject.has(one) for one in subject.receivers.types(path, value)}
    return found.pop() if len(found) == 1 else "open"


def _above_pattern(node: Node) -> Node | None:
    """What is above the pattern that a name is in directly."""
    at = node.parent
    while at is not None and at.type in ("pair_pattern", "object_assignment_pattern"):
        at = at.parent
    return at.parent if at is not None else None
