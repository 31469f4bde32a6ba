"""What modules that export by name take from each other and give to others: JavaScript and TypeScript; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages.naming.table import naming
from optimizer.languages.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

OWN_EXPORTS = frozenset({"exports", "module.exports"})
"""The objects whose members a module gives to others."""
_KEYWORD = re.compile(rb"(?<![\w$])(?:import|export|require)(?![\w$])")
_OLD = re.compile(rb"(?<![\w$.])(?:module\s*\.\s*)?exports\b")
_IS_MODULE = re.compile(rb"^\s*(?:import|export)\b|\brequire\s*\(|\bexports\b", re.M)
_NAMES = ("identifier", "type_identifier", "shorthand_property_identifier_pattern")
_STATEMENTS = ("import_statement", "export_statement")
_AROUND_CALLS = ("await_expression", "parenthesized_expression", "as_expression", "non_null_expression")
_ACCESS = ("member_expression", "subscript_expression")


class Taken(NamedTuple):
    """A name that a file takes from a module, as that module calls it, at byte `start`; `local`: as the file calls it.

    `holder`: the local name of the module, where the module itself is not written there. `passes_on`: the file gives
    the name to others and does not use it. `top`: taken at the top level, by a form that is not loaded later.
    """

    module: str
    name: str
    line: int
    start: int
    local: str
    holder: str = ""
    passes_on: bool = False
    top: bool = True


class Export(NamedTuple):
    """A name that a file gives to others, what the file itself calls it, and the module that it comes from, if any."""

    name: str
    own: str
    module: str = ""


class Namespace(NamedTuple):
    """The local name of a whole module; `default`: of what the module gives as its default."""

    name: str
    module: str
    default: bool = False


class Linkage(NamedTuple):
    """All that a file takes and gives; it also gives whatever the modules `all_of` give.

    `sure`: nothing else is given; otherwise only running the file would show that.
    """

    taken: tuple[Taken, ...]
    namespaces: tuple[Namespace, ...]
    given: tuple[Export, ...]
    all_of: tuple[str, ...]
    sure: bool

    @property
    def names(self) -> frozenset[str]:
        """The names that are given."""
        return frozenset(one.name for one in self.given)


_NOTHING = Linkage((), (), (), (), False)


def read(source: Source) -> Linkage:
    """What a file takes and gives, whatever of it parses."""
    root = source.root
    if root is None or naming(source.language).reach != "exports":
        return _NOTHING
    taken: list[Taken] = []
    namespaces: list[Namespace] = []
    given: list[Export] = []
    all_of: list[str] = []
    sure = not source.error_count and all(raw.kind != "script" for raw in source.imports)
    for match in _KEYWORD.finditer(source.text):
        node = root.descendant_for_byte_range(*match.span())
        statement = node.parent if node is not None else None
        if node is None or statement is None or node.child_count:
            continue
        if statement.type in _STATEMENTS and node.type in ("import", "export"):
            taken += _specified(statement)
            namespaces += _imported(statement)
            if statement.type == "export_statement":
                given += _exported(statement)
                all_of += _all_of(statement)
                sure = sure and not any(child.type in ("=", "as") for child in statement.children)
        elif statement.type == "call_expression" and statement.child_by_field_name("function") == node:
            required = _required(statement, root)
            taken += [one for one in required if isinstance(one, Taken)]
            namespaces += [one for one in required if isinstance(one, Namespace)]
    holders = {one.name for one in namespaces}
    taken += _of_holders(root, source.text, holders)
    sure = sure and not any(node.type in ("ambient_declaration", "module") for node in root.named_children)
    assigned, is_all = _assigned(source, root)
    taken.sort(key=lambda one: one.start)
    return Linkage(tuple(taken), tuple(namespaces), (*given, *assigned), tuple(all_of), sure and is_all)


def is_module(source: Source) -> bool:
    """Whether a file takes or gives anything as a module does; scripts that do not share their top level."""
    return _IS_MODULE.search(source.text) is not None


def is_given(node: Node) -> bool:
    """Whether a shorthand at `node` passes a name on to other files: to `exports`, or out of a module."""
    around = node.parent
    while around is not None and around.type not in ("statement_block", "program"):
        if around.type == "assignment_expression" and (around.text or b"").startswith((b"module.exports", b"exports")):
            return True
        if around.type == "variable_declarator":
            return node.type.endswith("pattern")
        around = around.parent
    return False


# ── import and export statements ─────────────────────────────────────────────────────────────────


def _module_of(node: Node | None) -> str:
    return _text(node).strip("'\"`") if node is not None else ""


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _specifiers(statement: Node) -> Iterator[tuple[Node, Node]]:
    """What stands in the braces of an import or export: the name before `as`, and the one after it, or the same."""
    pending = list(statement.named_children)
    while pending:
        node = pending.pop(0)
        if node.type in ("import_specifier", "export_specifier"):
            name = node.child_by_field_name("name")
            if name is not None:
                yield name, node.child_by_field_name("alias") or name
        elif node.type in ("import_clause", "named_imports", "export_clause"):
            pending += node.named_children


def _specified(statement: Node) -> Iterator[Taken]:
    module = _module_of(statement.child_by_field_name("source"))
    top = statement.parent is not None and statement.parent.parent is None
    for name, alias in _specifiers(statement) if module else ():
        if (text := _text(name).strip("'\"")) != "default":
            on = statement.type == "export_statement"
            yield Taken(module, text, name.start_point[0] + 1, name.start_byte, _text(alias), passes_on=on, top=top)


def _imported(statement: Node) -> Iterator[Namespace]:
    """The names that an import gives to a whole module."""
    module = _module_of(statement.child_by_field_name("source"))
    for clause in statement.named_children:
        if clause.type == "import_require_clause":
            module = _module_of(clause.child_by_field_name("source"))
            yield from (Namespace(_text(one), module) for one in clause.named_children if one.type == "identifier")
        for part in clause.named_children if clause.type == "import_clause" else ():
            if part.type == "identifier":
                yield Namespace(_text(part), module, default=True)
            elif part.type == "namespace_import":
                yield from (Namespace(_text(one), module) for one in part.named_children)


def _exported(statement: Node) -> Iterator[Export]:
    module = _module_of(statement.child_by_field_name("source"))
    for name, alias in _specifiers(statement):
        yield Export(_text(alias).strip("'\""), _text(name).strip("'\""), module)
    for node in statement.named_children:
        if node.type == "namespace_export":
            yield from (Export(_text(child), "", module) for child in node.named_children)
    pending = [statement.child_by_field_name("declaration")]
    while pending:
        declared = pending.pop()
        if declared is None:
            continue
        if (pattern := declared.child_by_field_name("name")) is not None:
            yield from (Export(one, one) for one in _bound(pattern))
        elif declared.type in ("ambient_declaration", "lexical_declaration", "variable_declaration"):
            pending += declared.named_children


def _all_of(statement: Node) -> Iterator[str]:
    if any(child.type == "*" for child in statement.children):
        yield _module_of(statement.child_by_field_name("source"))


def _bound(pattern: Node) -> Iterator[str]:
    pending = [pattern]
    while pending:
        node = pending.pop()
        if node.type in _NAMES:
            yield _text(node)
        pending += node.named_children


# ── modules that are loaded by a call ────────────────────────────────────────────────────────────


def _required(call: Node, root: Node) -> list[Taken | Namespace]:
    """What `require('module')` or `import('module')` is bound to."""
    arguments = call.child_by_field_name("arguments")
    first = arguments.named_child(0) if arguments is not None else None
    if arguments is None or first is None or first.type not in ("string", "template_string"):
        return []
    module, value = _module_of(first), _without_access(call)
    around = value.parent
    if around is None or value not in (around.child_by_field_name("value"), around.child_by_field_name("right")):
        return []
    target = around.child_by_field_name("name") or around.child_by_field_name("left")
    if target is None or target.type in ("identifier", "member_expression"):
        return [] if target is None else [Namespace(_text(target).rpartition(".")[2], module)]
    statement = around.parent
    top = value == call and _text(call).startswith("require") and arguments.named_child_count == 1
    top = top and statement is not None and statement.parent == root
    return [one._replace(module=module, top=top and one.top) for one in _unpacked(target)]


def _without_access(call: Node) -> Node:
    """The expression around a call that awaits it or takes something of it."""
    around = call.parent
    if around is None or not (around.type in _AROUND_CALLS or _is_object(around, call)):
        return call
    return _without_access(around)


def _is_object(around: Node, value: Node) -> bool:
    return around.type in _ACCESS and around.child_by_field_name("object") == value


def _unpacked(pattern: Node) -> Iterator[Taken]:
    """The names that `{…}` takes out of something."""
    for part in pattern.named_children if pattern.type == "object_pattern" else ():
        has_default = part.type == "object_assignment_pattern"
        name = part.child_by_field_name("left") if has_default else part.child_by_field_name("key") or part
        local = part.child_by_field_name("value") or name
        if name is not None and local is not None and name.type in (*_NAMES, "property_identifier"):
            at, line = name.start_byte, name.start_point[0] + 1
            yield Taken("", _text(name), line, at, _text(local), top=not has_default)


def _of_holders(root: Node, text: bytes, holders: set[str]) -> Iterator[Taken]:
    """The names of `const {…} = name`, where the name is that of a whole module."""
    names = b"|".join(re.escape(one.encode()) for one in sorted(holders))
    for match in re.finditer(rb"\}\s*=\s*(" + names + rb")(?![\w$.(\[])", text) if names else ():
        node = root.descendant_for_byte_range(*match.span(1))
        declared = node.parent if node is not None else None
        pattern = declared.child_by_field_name("name") if declared is not None else None
        if declared is not None and declared.type == "variable_declarator" and pattern is not None:
            yield from (one._replace(holder=match[1].decode(), top=False) for one in _unpacked(pattern))


# ── names that are given by assignment ───────────────────────────────────────────────────────────


def _assigned(source: Source, root: Node) -> tuple[list[Export], bool]:
    """The names of each `exports.name = …` and `module.exports = {…}`, and whether there is no other use of these."""
    given: list[Export] = []
    count = known = 0
    for match in _OLD.finditer(source.text):
        count += 1
        node = root.descendant_for_byte_range(match.end() - 1, match.end())
        while node is not None and node.parent is not None and node.parent.type == "member_expression":
            node = node.parent
        assignment = node.parent if node is not None else None
        if assignment is None or assignment.type != "assignment_expression":
            continue
        right = assignment.child_by_field_name("right")
        if node is None or right is None or assignment.child_by_field_name("left") != node:
            continue
        names, is_all = _given_by("".join(_text(node).split()).removeprefix("module."), right)
        given += names
        statement = assignment.parent
        is_top = statement is not None and statement.type == "expression_statement" and statement.parent == root
        known += is_all and is_top
    return given, count <= known


def _given_by(target: str, right: Node) -> tuple[list[Export], bool]:
    """What is given when `right` is assigned to `target`, and whether that is all."""
    if target.startswith("exports.") and target.count(".") == 1:
        name = target.removeprefix("exports.")
        return [Export(name, name)], not _OLD.search(right.text or b"")
    if target != "exports" or right.type != "object":
        return [], False
    names: list[Export] = []
    is_all = True
    for part in right.named_children:
        key = part.child_by_field_name("key") or part.child_by_field_name("name") or part
        if key.type not in ("property_identifier", "shorthand_property_identifier", "comment"):
            is_all = False
        elif key.type != "comment":
            names.append(Export(_text(key), _text(key) if key == part else ""))
    return names, is_all
