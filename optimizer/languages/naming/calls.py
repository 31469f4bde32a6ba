"""What calls of Python give by name, and what else decides on the parameters of a function."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

# Decorators that call what they decorate with the arguments as they are.
_TRANSPARENT = re.compile(
    r"@\s*(?:[\w.]*\.)?(?:staticmethod|classmethod|property|\w+\.setter|abstractmethod|override|overload|final|wraps"
    r"|lru_cache|cache|contextmanager|asynccontextmanager|cached_property|no_type_check|typechecked|deprecated)"
    r"\s*(?:\(.*\))?\s*",
    re.S,
)


def call_of(name: Node) -> Node | None:
    """The call of what a name means, `name(…)` or `x.name(…)`."""
    at = name
    if at.parent is not None and at.parent.type == "attribute":
        at = at.parent
    call = at.parent
    return call if call is not None and call.type == "call" and call.child_by_field_name("function") == at else None


def alias_of(name: Node) -> str:
    """The other name that an import gives to what it takes; '' for none."""
    around = name.parent.parent if name.parent is not None and name.parent.type == "dotted_name" else None
    alias = around.child_by_field_name("alias") if around is not None and around.type == "aliased_import" else None
    return "" if alias is None else (alias.text or b"").decode("utf-8", "replace")


def argument_of(name: Node) -> Node | None:
    """The call that is given what a name means."""
    at = name.parent if name.parent is not None and name.parent.type == "attribute" else name
    around = at.parent if at is not None else None
    return around.parent if around is not None and around.type == "argument_list" else None


def keyword(call: Node, name: str) -> Node | None:
    """The name of a keyword argument of a call."""
    for one in _arguments(call):
        key = one.child_by_field_name("name") if one.type == "keyword_argument" else None
        if key is not None and key.text == name.encode():
            return key
    return None


def spreads(call: Node) -> bool:
    """Whether a call gives keywords that are not written there, `**options`."""
    return any(one.type == "dictionary_splat" for one in _arguments(call))


def positional(call: Node) -> int:
    """How many arguments a call surely gives by position."""
    return sum(
        one.type not in ("keyword_argument", "dictionary_splat", "list_splat", "comment") for one in _arguments(call)
    )


def is_partial(call: Node) -> bool:
    """Whether a call binds arguments of its first one."""
    function = call.child_by_field_name("function")
    return function is not None and (function.text or b"").split(b".")[-1] in (b"partial", b"partialmethod")


def callee_of(key: Node) -> Node | None:
    """The last name of what is called with a keyword argument."""
    around = key.parent.parent if key.parent is not None and key.parent.type == "keyword_argument" else None
    call = around.parent if around is not None else None
    function = call.child_by_field_name("function") if call is not None and call.type == "call" else None
    if function is not None and function.type == "attribute":
        return function.child_by_field_name("attribute")
    return function


def unknown_decorators(function: Node) -> list[Node]:
    """The decorators of a function that may give it arguments by name."""
    around = function.parent
    if around is None or around.type != "decorated_definition":
        return []
    marks = [one for one in around.named_children if one.type == "decorator"]
    return [one for one in marks if not _TRANSPARENT.fullmatch((one.text or b"").decode("utf-8", "replace"))]


def is_fixture(decorator: Node) -> bool:
    """Whether a decorator makes a fixture, which is given others by the names of its parameters."""
    return b"fixture" in (decorator.text or b"")


def _arguments(call: Node) -> list[Node]:
    arguments = call.child_by_field_name("arguments")
    return [] if arguments is None else arguments.named_children


_COPIES = re.compile(rb"(?:[\w.]*\.)?(?:replace|evolve|_replace|__replace__)")


def copied(key: Node) -> Node | None:
    """The last name of the object that a call copies with other fields: `replace(x, key=…)`, `x._replace(key=…)`."""
    callee = callee_of(key)
    if callee is None or not _COPIES.fullmatch(callee.text or b""):
        return None
    at: Node | None = callee
    if (callee.text or b"").startswith(b"_"):
        at = callee.parent.child_by_field_name("object") if callee.parent is not None else None
    else:
        call = call_of(callee)
        at = _arguments(call)[0] if call is not None else None
    while at is not None and at.type in ("attribute", "call"):
        at = at.child_by_field_name("attribute") or at.child_by_field_name("function")
    return at if at is not None and at.type == "identifier" else None
