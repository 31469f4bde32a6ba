"""Which uses of a name mean one definition, by the rules of each language: surely, surely not, or not known."""

from __future__ import annotations

import posixpath
import re

from optimizer.languages.uses import Use
from optimizer.lookup.scripts import meaning
from optimizer.lookup.subject import SCRIPTS, Subject, Verdict, leads

_PACKAGE = re.compile(rb"^\s*(?:package|namespace)\s+([\w.\\]+)", re.M)


def member(subject: Subject, path: str, use: Use) -> Verdict:
    """What a use of the name means when a method is renamed, in a language without inference."""
    defined = {(one.path, one.line) for one in subject.family}
    if use.place.kind == "definition" or use.role == "key":
        return "ours" if (path, use.place.line) in defined else "other"
    if use.role == "member":
        if _cannot_be_method(subject, use):
            return "other"
        verdict = subject.receiver(path, use)
        return "ours" if verdict == "open" and subject.is_own_word else verdict
    if use.role == "name" and use.place.kind == "call" and use.scope is None and use.owners:
        inside = [owner for owner in use.owners if owner in subject.types]
        return "ours" if inside and path not in subject.taken and subject.language not in SCRIPTS else "other"
    if use.role == "name" and subject.language == "ruby" and use.owners and use.owners[0] in subject.types:
        return "ours" if use.scope is None else "other"
    return "other"


def _cannot_be_method(subject: Subject, use: Use) -> bool:
    """Whether the way a member is taken rules the subject out: a field that is read, or a call with no object."""
    parent = use.node.parent
    by_dot = parent is not None and parent.type in ("field_expression", "field_access", "token_tree")
    if subject.language == "rust" and by_dot and parent is not None and parent.type == "field_expression":
        return use.place.kind != "call" or not re.search(r"\bself\b", subject.target.signature)
    return subject.language == "java" and by_dot


def free(subject: Subject, path: str, use: Use) -> Verdict:
    """What a use of the name means when something of the top level is renamed."""
    defined = {(one.path, one.line) for one in subject.family}
    if use.place.kind == "definition" and use.role != "member":
        return "ours" if (path, use.place.line) in defined or _is_declared_again(subject, path, use) else "other"
    if subject.is_described:
        return "open"
    if use.role == "key" or use.scope is not None:
        return "other"
    if subject.language in SCRIPTS:
        return meaning(subject, path, use)
    if use.role == "member":
        return _qualified(subject, path, use)
    return _plain(subject, path)


def _is_declared_again(subject: Subject, path: str, use: Use) -> bool:
    return use.scope is None and not use.owners and subject.language in ("c", "cpp") and not subject.others


def _plain(subject: Subject, path: str) -> Verdict:
    if path in subject.paths:
        return "ours"
    if path in subject.taken:
        return "other"
    if subject.language == "go":
        return (
            "ours"
            if _folder(path) == _folder(subject.target.path) and not _is_external_test(subject, path)
            else "other"
        )
    if subject.language in ("java", "kotlin", "scala", "csharp", "php"):
        near = _package(subject, path) == _package(subject, subject.target.path) or _imports(subject, path)
        return "ours" if near else ("open" if _imports_outside(subject, path) is None else "other")
    reached = _imports(subject, path)
    if subject.others:
        return "ours" if reached and not any(leads(subject, path, one.path) for one in subject.others) else "open"
    if _imports_outside(subject, path):
        return "other"
    return "ours"


def _qualified(subject: Subject, path: str, use: Use) -> Verdict:
    last = re.split(r"\.|::|\\|->", use.receiver)[-1].strip()
    module = _module_names(subject)
    if subject.language == "go":
        return "ours" if last in _go_aliases(subject, path) else "other"
    if last in module:
        return "ours" if path not in subject.taken or last not in ("crate", "self", "super", "") else "open"
    if subject.target.parent and last == subject.target.parent.split(".")[-1]:
        return "ours"
    if subject.language in ("rust", "cpp", "ruby", "php", "java", "csharp", "kotlin") and not subject.others:
        is_value = subject.language in ("rust",) and last[:1].isupper()
        dotted = use.node.parent is not None and use.node.parent.type in _FIELDS
        return (
            "other"
            if is_value or dotted
            else "ours"
            if subject.target.kind != "function" or last.islower()
            else "other"
        )
    return "other"


_FIELDS = frozenset({"field_expression", "field_access", "method_invocation", "member_access_expression", "call",
                     "member_call_expression", "nullsafe_member_call_expression"})  # fmt: skip


def _module_names(subject: Subject) -> frozenset[str]:
    path = subject.target.path
    stem, folder = posixpath.splitext(posixpath.basename(path))[0], posixpath.basename(posixpath.dirname(path))
    if subject.language == "rust":
        up = posixpath.basename(posixpath.dirname(posixpath.dirname(path)))
        names = {
            stem,
            "crate",
            "self",
            "super",
            *((folder, up.replace("-", "_")) if stem in ("mod", "lib", "main") else ()),
        }
        return frozenset(names)
    return frozenset({stem} | set(subject.target.parent.split(".")))


def _go_aliases(subject: Subject, path: str) -> frozenset[str]:
    key = f"go {path}"
    if key not in subject.known:
        names: set[str] = set()
        folder, text = _folder(subject.target.path), subject.sources[path].text.decode("utf-8", "replace")
        for edge in subject.index.imports_of(path):
            if edge.target is not None and _folder(edge.target) == folder:
                alias = re.search(rf'(?:^|[\s(])(?:import\s+)?([\w.]+)[ \t]+"{re.escape(edge.module)}"', text, re.M)
                own = alias[1] if alias and alias[1] != "import" else ""
                names.add(own or _go_package(subject) or edge.module.rpartition("/")[2])
        subject.known[key] = frozenset(names)
    return subject.known[key]


def _go_package(subject: Subject) -> str:
    return _package(subject, subject.target.path)


def _is_external_test(subject: Subject, path: str) -> bool:
    return _package(subject, path).removesuffix("_test") != _package(subject, path) and _package(
        subject, path
    ) != _package(subject, subject.target.path)


def _package(subject: Subject, path: str) -> str:
    source = subject.sources.get(path)
    found = _PACKAGE.search(source.text if source else b"")
    return found[1].decode() if found else ""


def _folder(path: str) -> str:
    return posixpath.dirname(path)


def _imports(subject: Subject, path: str) -> bool:
    return any(leads(subject, path, one) for one in subject.paths)


def _imports_outside(subject: Subject, path: str) -> bool | None:
    """Whether a file imports this name from outside the repository; None where it imports all of a package."""
    lines = {use.place.line for use in subject.uses.get(path, ()) if use.place.kind == "import"}
    edges = [edge for edge in subject.index.imports_of(path) if edge.line in lines]
    if edges:
        return all(edge.target is None for edge in edges)
    return None if any(edge.module.endswith("*") for edge in subject.index.imports_of(path)) else False
