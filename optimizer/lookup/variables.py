"""Rename a parameter or a local variable of a Python function; calls name parameters too."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from optimizer.errors import Conflict, InputError
from optimizer.languages.naming import calls, variables
from optimizer.languages.naming.bases import TYPES
from optimizer.languages.naming.uses import find_uses
from optimizer.languages.source import Source
from optimizer.languages.table import language_of
from optimizer.lookup.inferred import Inferred, outside_base
from optimizer.lookup.names import definitions, holders, parts_of
from optimizer.lookup.outside import needed_outside
from optimizer.lookup.questions import Citation, Lookup, LookupResult
from optimizer.lookup.rename import inference_of, subject_of
from optimizer.lookup.renamed import Change, ChangedFile, place_of, refuse_unfit, replaced, report
from optimizer.lookup.subject import collect
from optimizer.types import FileChange, Patch

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.index.reader import Index
    from optimizer.lookup.subject import Subject
    from optimizer.retrieval import Symbol

_SPECIAL = re.compile(r"__\w+__")


@dataclass
class _Places:
    """Where a variable stands, file by file: what is renamed, what may mean it, and what only mentions it."""

    index: Index
    name: str
    ours: dict[str, dict[int, int]] = field(default_factory=dict)
    open: dict[str, dict[int, int]] = field(default_factory=dict)
    lines: dict[str, set[int]] = field(default_factory=dict)
    mentions: dict[str, set[int]] = field(default_factory=dict)
    breaks: bool = False
    sources: dict[str, Source] = field(default_factory=dict)

    def source(self, path: str) -> Source:
        if path not in self.sources:
            self.sources[path] = Source(path, self.index.read(path))
        return self.sources[path]

    def add(self, path: str, node: Node, *, sure: bool) -> None:
        (self.ours if sure else self.open).setdefault(path, {})[node.start_byte] = node.end_byte
        self.breaks |= not sure

    def ask(self, path: str, node: Node, *, breaks: bool) -> None:
        """Keep a line that may mean the variable without its name at a place that could be renamed."""
        self.lines.setdefault(path, set()).add(node.start_point[0] + 1)
        self.breaks |= breaks


def rename_variable(lookup: Lookup, index: Index) -> LookupResult | None:
    """The patch that renames the parameter or variable that `lookup.subject` ends with, of the function before it.

    None where what is before it is no function or class. Raises Conflict when several functions have it or the new
    name is taken there, SafetyRefused when something outside the repository may give it by its name.
    """
    *front, name = parts_of(lookup.subject)
    holder, new = ".".join(front), lookup.new_name
    found = [_constructor(index, one) for one in definitions(index, holder, lookup.within)] if front else []
    functions = [one for one in found if one is not None]
    if not functions:
        return None
    if _language(functions[0]) != "python":
        text = f"parameters and local variables are renamed in Python only, and {place_of(functions[0])} is not"
        return LookupResult((Citation(text),), False)
    places = _Places(index, name)
    having = [one for one in functions if _nodes(places, one)]
    if not having:
        return LookupResult((Citation(_missing(places, functions[0], lookup)),), False)
    if name == new:
        raise InputError(f"{name} already has that name")
    target, function = having[0], _function(places, having[0])
    if function is None:
        return None
    kind = "parameter" if name in variables.parameters(function) else "variable"
    if lookup.target == "parameter" and kind == "variable":
        return LookupResult((Citation(_missing(places, target, lookup)),), False)
    family: Sequence[Symbol] = (target,)
    if kind == "parameter":
        family = _Parameter(index, having, places, new).collect()
    elif len(having) > 1:
        raise Conflict(
            f"{lookup.subject} is defined {len(having)} times: {', '.join(map(place_of, having))}",
            f"name one: rename {kind} {name} of Class.{target.name} to {new}, or with `in PATH` at the end",
        )
    for one in family:
        _collect_body(places, one, new)
    return _result(lookup, target, places, kind, family)


def _constructor(index: Index, one: Symbol) -> Symbol | None:
    """A function as it is, a class as its constructor; None for what has no parameters."""
    if one.kind in TYPES:
        inits = [made for made in index.symbols_in(one.path) if made.qualified == f"{one.qualified}.__init__"]
        return inits[0] if inits else None
    return one if one.kind in ("function", "method") else None


def _language(one: Symbol) -> str:
    language = language_of(one.path)
    return language.name if language is not None else ""


def _missing(places: _Places, one: Symbol, lookup: Lookup) -> str:
    function = _function(places, one)
    known = ", ".join(variables.parameters(function)) if function is not None else ""
    what = "parameter" if lookup.target == "parameter" else "parameter or variable"
    return f"{places.name} is no {what} of {one.qualified} ({place_of(one)}); its parameters are {known or 'none'}"


# ── in the function ──────────────────────────────────────────────────────────────────────────────


def _function(places: _Places, one: Symbol) -> Node | None:
    root = places.source(one.path).root
    return None if root is None else variables.function_at(root, one.name, one.line)


def _nodes(places: _Places, one: Symbol) -> list[Node]:
    function = _function(places, one)
    return [] if function is None else variables.places(function, places.source(one.path).text, places.name)


def _collect_body(places: _Places, one: Symbol, new: str) -> None:
    """Add what means the variable in one function. Raises Conflict where the new name is taken there."""
    function, text = _function(places, one), places.source(one.path).text
    nodes = _nodes(places, one)
    if function is None or not nodes:
        return
    for node in nodes:
        if variables.is_imported(node):
            raise Conflict(
                f"{places.name} is an import at {one.path}:{node.start_point[0] + 1}", "rename it there with `as`"
            )
        places.add(one.path, node, sure=True)
    if clash := next(variables.named(function, text, new), None):
        raise Conflict(f"{new} is already used at {one.path}:{clash.start_point[0] + 1}", "choose another name")
    for node in variables.sees_all(function, text):
        places.ask(one.path, node, breaks=False)
    places.mentions.setdefault(one.path, set()).update(variables.mentions(function, text, places.name))


# ── at the calls ─────────────────────────────────────────────────────────────────────────────────


class _Parameter:
    """The parameter of one function, of those that override it or are overridden, and of their calls."""

    def __init__(self, index: Index, found: Sequence[Symbol], places: _Places, new: str) -> None:
        self.index, self.places, self.new = index, places, new
        self.subject, self.names = subject_of(index, found), inference_of(index)
        self.target = self.subject.target
        self.is_init = self.target.name == "__init__"
        if self.is_init:
            own = {
                one for one in self.subject.family if (one.path, one.parent) == (self.target.path, self.target.parent)
            }
            self.subject = replace(self.subject, family=frozenset(own))
        apart = [one for one in found if one not in self.subject.family]
        if apart:
            raise Conflict(
                f"{self.target.name} is defined {len(apart) + 1} times: "
                f"{', '.join(map(place_of, [self.target, *apart]))}",
                f"name one: rename parameter {places.name} of Class.{self.target.name} to {new}, or add `in PATH`",
            )
        self.escapes = False

    def collect(self) -> Sequence[Symbol]:
        """Add the keywords of calls, and give the functions that have the parameter."""
        is_called = self.subject.is_member and not _SPECIAL.fullmatch(self.target.name)
        if base := outside_base(self.subject, self.names) if is_called else "":
            raise needed_outside(self.subject, base)
        family = sorted(self.subject.family)
        for one in family:
            self._definition(one)
        self._calls(self.subject, is_method=self.subject.is_member)
        for one in self._made() if self.is_init else ():
            self._calls(subject_of(self.index, [one]), is_method=True)
        if self.escapes:
            self._unknown_calls()
        return [one for one in family if _nodes(self.places, one)]

    def _definition(self, one: Symbol) -> None:
        function, text = _function(self.places, one), self.places.source(one.path).text
        if function is None:
            return
        known = variables.parameters(function)
        if self.places.name not in known:
            if variables.takes_any(function):
                self.places.ask(one.path, function, breaks=variables.quotes(function, text, self.places.name))
            return
        for decorator in calls.unknown_decorators(function):
            text_of = (decorator.text or b"").decode("utf-8", "replace")
            self.places.ask(one.path, decorator, breaks=calls.is_fixture(decorator) or self.places.name in text_of)
        if one.name.startswith("test") and posixpath.basename(one.path).startswith(("test", "conftest")):
            self.places.ask(one.path, function, breaks=True)

    def _made(self) -> Iterator[Symbol]:
        """The classes whose calls give the parameter: that of the constructor, and those that inherit it."""
        classes = self.subject.classes
        owner = classes.owner(self.target) if classes is not None else None
        pending = [owner] if owner is not None else []
        while pending and classes is not None:
            one = pending.pop()
            yield one
            for below in classes.down.get(one, ()):
                if _constructor(self.index, below) is None:
                    pending.append(below)

    def _calls(self, subject: Subject, *, is_method: bool) -> None:
        function = _function(self.places, self.target)
        order = list(variables.parameters(function)) if function is not None else []
        at = order.index(self.places.name) - is_method
        aliases = {alias for uses in subject.uses.values() for use in uses if (alias := calls.alias_of(use.node))}
        for one in (subject, *(self._under(subject, alias) for alias in sorted(aliases))):
            judge = Inferred(one, self.names).verdict
            for path, use in ((path, use) for path, uses in one.uses.items() for use in uses):
                call = calls.call_of(use.node)
                if use.place.kind not in ("definition", "import") and self._matters(call):
                    verdict = judge(path, use)
                    if verdict != "other":
                        self._call(path, use.node, call, (verdict == "ours", at))

    def _under(self, subject: Subject, alias: str) -> Subject:
        """The subject under the name that imports of other files give it."""
        named = subject.target._replace(name=alias)
        sources, uses = collect(self.index, named, sorted(holders(self.index, alias) - {named.path}))
        return replace(subject, target=named, sources=sources, uses=uses)

    def _matters(self, call: Node | None) -> bool:
        if call is None or calls.spreads(call):
            return True
        return any(calls.keyword(call, name) for name in (self.places.name, self.new))

    def _call(self, path: str, node: Node, call: Node | None, how: tuple[bool, int]) -> None:
        sure, at = how
        given = calls.keyword(call, self.places.name) if call is not None else None
        if call is None:
            self.escapes |= sure
            around = calls.argument_of(node) if sure else None
            if around is not None and (given := calls.keyword(around, self.places.name)) is not None:
                self.places.add(path, given, sure=calls.is_partial(around))
        elif given is not None:
            self.places.add(path, given, sure=sure)
        elif sure and (clash := calls.keyword(call, self.new)) is not None:
            raise Conflict(f"{self.new} is already given at {path}:{clash.start_point[0] + 1}", "choose another name")
        elif sure and calls.spreads(call) and calls.positional(call) <= at:
            text = self.places.source(path).text
            root = self.places.source(path).root
            self.places.ask(path, call, breaks=root is not None and variables.quotes(root, text, self.places.name))

    def _unknown_calls(self) -> None:
        """Ask for keywords of the name at calls of what is not known, as the function is also handed on as a value."""
        for path in sorted(holders(self.index, self.places.name)):
            if not path.endswith(".py"):
                continue
            source = self.places.source(path)
            seen = {*self.places.ours.get(path, ()), *self.places.open.get(path, ())}
            for use in find_uses(source, self.places.name):
                callee = calls.callee_of(use.node) if use.role == "key" and use.place.start not in seen else None
                if callee is None:
                    continue
                line, start = callee.start_point[0] + 1, callee.start_byte
                meant = self.names.meaning(path, source.text, line, start)
                if all(one.kind in ("param", "statement") for one in meant):
                    self.places.add(path, use.node, sure=False)


# ── the result ───────────────────────────────────────────────────────────────────────────────────


def _result(lookup: Lookup, target: Symbol, places: _Places, kind: str, family: Sequence[Symbol]) -> LookupResult:
    new, files = lookup.new_name.encode(), []
    for path in sorted({*places.ours, *places.open, *places.lines}):
        spans = places.ours.get(path, {}) | (places.open.get(path, {}) if lookup.unresolved else {})
        mentioned = places.mentions.get(path, set()) - set(spans)
        words = {at: at + len(places.name.encode()) for at in mentioned}
        spans |= words if lookup.docs else {}
        before = places.source(path).data
        changes = tuple(_change(before, start, end, new) for start, end in sorted(spans.items()))
        lines = {before.count(b"\n", 0, start) + 1 for start in places.open.get(path, ())}
        rest = () if lookup.docs else tuple(_change(before, start, end, new) for start, end in sorted(words.items()))
        asked = tuple(sorted(lines | places.lines.get(path, set())))
        files.append(ChangedFile(path, before, changes, asked, (), rest))
    left = (
        ()
        if lookup.unresolved
        else tuple(Citation(places.name, file.path, line, "use") for file in files for line in file.open)
    )
    changed = [file for file in files if file.changes]
    patch = Patch(tuple(FileChange(file.path, file.before, replaced(file)) for file in changed))
    for file, change in zip(changed, patch.changes, strict=True):
        refuse_unfit(file, change, places.name, lookup.new_name)
    first = places.source(target.path).data.count(b"\n", 0, min(places.ours[target.path])) + 1
    what = target._replace(name=places.name, qualified=f"{places.name} of {target.qualified}", line=first)
    relatives = [one for one in family if (one.path, one.parent) != (target.path, target.parent)]
    rows = report(what, lookup.new_name, files, left, relatives, kind)
    return LookupResult(tuple(rows), True, patch, left, bool(left) and places.breaks)


def _change(before: bytes, start: int, end: int, new: bytes) -> Change:
    return Change(start, end, before.count(b"\n", 0, start) + 1, new)
