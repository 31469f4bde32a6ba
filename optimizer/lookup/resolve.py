"""Which uses of a name mean one definition, by how the language treats names: surely, surely not, or not known."""

from __future__ import annotations

import posixpath
import re

from optimizer.languages.naming import modules, packages
from optimizer.languages.naming.table import package_of
from optimizer.languages.naming.uses import (
    Use,
    is_field,
    is_key,
    is_of_object,
    is_setter,
    is_taken_apart,
    modules_around,
    starts_with,
)
from optimizer.lookup import exported
from optimizer.lookup.bare import bare, unpacked
from optimizer.lookup.protocols import Verdict
from optimizer.lookup.subject import Subject, leads
from optimizer.retrieval import Symbol


def member(subject: Subject, path: str, use: Use) -> Verdict:
    """What a use of the name means when a method is renamed, in a language without inference."""
    defined = {(one.path, one.line) for one in subject.family}
    if is_setter(use):
        return "ours" if use.owners and use.owners[0] in subject.types else "other"
    if is_taken_apart(use.node):
        return unpacked(subject, path, use)
    if use.place.kind == "definition" or use.role == "key":
        if (path, use.place.line) in defined or (use.role == "member" and subject.receiver(path, use) == "ours"):
            return "ours"
        return "open" if subject.is_in_literal and is_key(use.node) else "other"
    if use.role == "member":
        if _cannot_be_method(subject, use):
            return "other"
        verdict = subject.receiver(path, use)
        return "ours" if verdict == "open" and subject.is_own_word else verdict
    if use.role == "name" and subject.naming.bare_fields and use.scope is None and use.place.kind != "call":
        inside = any(owner in subject.types for owner in use.owners)
        return "ours" if subject.target.kind == "constant" and (inside or _imports_member(subject, path)) else "other"
    return bare(subject, path, use) if use.role == "name" and use.scope is None else "other"


def _cannot_be_method(subject: Subject, use: Use) -> bool:
    """Whether the way a member is taken rules the subject out: a field that is read, or a call with no object."""
    row = subject.naming
    if not row.fields_apart or not is_field(use):
        return False
    if subject.target.kind == "constant":
        return row.self_parameter != ""
    return use.place.kind != "call" or not re.search(rf"\b{row.self_parameter}\b", subject.target.signature)


def _imports_member(subject: Subject, path: str) -> bool:
    """Whether a file imports the name, or all that its type has, from its type."""
    last = subject.target.parent.split(".")[-1]
    modules = [raw.module.split(".") for raw in subject.sources[path].imports]
    return any([last, end] == one[-2:] for one in modules for end in (subject.name, "*"))


def local(subject: Subject, path: str, use: Use) -> Verdict:
    """What a use of the name means when something within a function is renamed."""
    return "ours" if path == subject.target.path and use.scope == subject.scope else "other"


def free(subject: Subject, path: str, use: Use) -> Verdict:
    """What a use of the name means when something of the top level is renamed."""
    defined = {(one.path, one.line) for one in subject.family}
    if use.place.kind == "definition" and use.role != "member":
        return "ours" if (path, use.place.line) in defined or _is_declared_again(subject, use) else "other"
    if subject.is_described:
        return "open"
    if use.role == "key" or use.scope is not None:
        return "other"
    if subject.naming.reach == "exports":
        return exported.meaning(subject, path, use)
    if use.role == "member":
        return _qualified(subject, path, use)
    if use.place.kind == "import" and _starts_outside(subject, path, use):
        return "other"
    return _plain(subject, path, use)


def _is_declared_again(subject: Subject, use: Use) -> bool:
    return use.scope is None and not use.owners and subject.naming.is_repeated and not subject.others


def _plain(subject: Subject, path: str, use: Use) -> Verdict:
    if path in subject.paths:
        return _in_module(subject, path, use)
    if path in subject.taken:
        return "other"
    if subject.naming.reach == "packages":
        together = posixpath.dirname(path) == posixpath.dirname(subject.target.path)
        return "ours" if together and not _is_external_test(subject, path) else "other"
    if subject.naming.reach == "namespaces":
        near = _package(subject, path) == _package(subject, subject.target.path) or _imports(subject, path)
        return "ours" if near else ("open" if _imports_outside(subject, path) is None else "other")
    reached = _imports(subject, path)
    if subject.others:
        if sources := _sources(subject, path):
            if sources <= subject.paths:
                return "ours"
            if sources <= subject.taken:
                return "other"
        return "ours" if reached and not any(leads(subject, path, one.path) for one in subject.others) else "open"
    if _imports_outside(subject, path):
        return "other"
    return "ours"


def _in_module(subject: Subject, path: str, use: Use) -> Verdict:
    """What a name alone means in a file that defines it, where a module within the file may define it too."""
    if not subject.naming.inner_modules:
        return "ours"
    around = modules_around(use)
    near = [one for one in (*subject.family, *subject.others) if one.path == path and one.kind != "method"]
    seen = [one for one in near if around[: len(parts := _parents(one))] == parts]
    best = max(seen, key=lambda one: len(_parents(one)), default=None)
    return "ours" if best in subject.family else "other"


def _sources(subject: Subject, path: str) -> set[str]:
    """The files that a file takes the name from by a path: where it names it, else where it takes all."""
    if subject.naming.reach != "modules":
        return set()
    edges = [(edge.module.rpartition("::")[2], edge.target or "") for edge in subject.index.imports_of(path)]
    named = {target for last, target in edges if last == subject.name}
    return named or {target for last, target in edges if last == "*"}


def _crates(subject: Subject, path: str) -> frozenset[str]:
    """What a file calls the crates whose root defines the subject; a name from its own root holds in all modules."""
    key = f"crates {path}"
    if subject.naming.reach != "modules":
        return frozenset()
    if key not in subject.known:
        found, seen, pending = set[str](), {path}, [path]
        while pending:
            one = pending.pop()
            crates = {edge.module for edge in subject.index.imports_of(one) if edge.target in subject.paths}
            data = subject.index.read(one) if crates else b""
            found |= {name for crate in crates if "::" not in crate for name in modules.called(crate, data)}
            above = {edge.source for edge in subject.index.importers_of(one)} - seen
            above = {up for up in above if one.startswith(posixpath.dirname(up))}
            seen |= above
            pending += above
        subject.known[key] = frozenset(found)
    return subject.known[key]


def _parents(one: Symbol) -> list[str]:
    return one.parent.split(".") if one.parent else []


def _starts_outside(subject: Subject, path: str, use: Use) -> bool:
    """Whether a path starts outside the repository, or with a module that the file imports from there."""
    head, standard = starts_with(use) if subject.naming.standard else "", subject.naming.standard
    if not head or head in ("crate", "self", "super", "Self"):
        return False
    outside = (raw for raw in subject.sources[path].imports if re.split(r"::", raw.module)[0] in standard)
    return head in standard or any(head in (*re.split(r"::", raw.module), *raw.names) for raw in outside)


_NEAR = frozenset({"crate", "self", "super"})


def _qualified(subject: Subject, path: str, use: Use) -> Verdict:
    last = re.split(r"\.|::|\\|->", use.receiver)[-1].strip()
    if subject.naming.reach == "packages":
        return "ours" if last in _package_names(subject, path) else "other"
    if subject.naming.standard and (is_of_object(use) or _starts_outside(subject, path, use)):
        return "other"
    if subject.naming.inner_modules and path in subject.paths and last in _NEAR:
        around = modules_around(use)
        parents = around[:-1] if last == "super" else around if last == "self" else []
        near = {one for one in (*subject.family, *subject.others) if one.path == path and _parents(one) == parents}
        return "ours" if near & subject.family else "other" if near else "open"
    if last in _module_names(subject):
        return "ours" if path not in subject.taken or last not in ("crate", "self", "super", "") else "open"
    if subject.target.parent and last == subject.target.parent.split(".")[-1]:
        return "ours"
    if not subject.target.parent and use.receiver.strip() in _crates(subject, path):
        return "ours"
    is_member = subject.naming.capital_values and last[:1].isupper()
    if not subject.naming.qualified or subject.others or is_of_object(use):
        return "open" if subject.naming.standard and not is_member and not is_of_object(use) else "other"
    return "ours" if not is_member and (subject.target.kind != "function" or last.islower()) else "other"


def _module_names(subject: Subject) -> frozenset[str]:
    if subject.naming.reach == "modules":
        return modules.names_of(subject.target.path)
    stem = posixpath.splitext(posixpath.basename(subject.target.path))[0]
    return frozenset({stem} | set(subject.target.parent.split(".")))


def _package_names(subject: Subject, path: str) -> frozenset[str]:
    """What a file calls the package of the subject."""
    key = f"package {path}"
    if key not in subject.known:
        folder, own = posixpath.dirname(subject.target.path), _package(subject, subject.target.path)
        edges = (edge for edge in subject.index.imports_of(path) if edge.target is not None)
        modules = {edge.module for edge in edges if posixpath.dirname(edge.target or "") == folder}
        imports = (raw for raw in subject.sources[path].imports if raw.module in modules)
        subject.known[key] = frozenset(packages.local_name(raw, own) for raw in imports)
    return subject.known[key]


def _is_external_test(subject: Subject, path: str) -> bool:
    name, mark = _package(subject, path), subject.naming.outside_tests
    return name.endswith(mark) and name != _package(subject, subject.target.path)


def _package(subject: Subject, path: str) -> str:
    source = subject.sources.get(path)
    return package_of(source.text, subject.naming) if source else ""


def _imports(subject: Subject, path: str) -> bool:
    return any(leads(subject, path, one) for one in subject.paths)


def _imports_outside(subject: Subject, path: str) -> bool | None:
    """Whether a file imports this name from outside the repository; None where it imports all of a package."""
    lines = {use.place.line for use in subject.uses.get(path, ()) if use.place.kind == "import"}
    edges = [edge for edge in subject.index.imports_of(path) if edge.line in lines]
    if edges:
        return all(edge.target is None for edge in edges)
    return None if any(edge.module.endswith("*") for edge in subject.index.imports_of(path)) else False
