"""What a name means in JavaScript and TypeScript: imports, re-exports, namespaces and CommonJS, file by file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.languages.uses import Use
    from optimizer.lookup.subject import Subject, Verdict

_EXPORTS = ("exports", "module.exports")


def meaning(subject: Subject, path: str, use: Use) -> Verdict:
    """What a use that no local scope binds means when something of the top level is renamed."""
    if use.role == "member":
        if use.receiver in _EXPORTS:
            return "ours" if path in _exporters(subject) else "other"
        return "ours" if use.receiver.strip() in _aliases(subject, path) else "other"
    if path in subject.paths:
        return "ours"
    if use.role == "aliased":
        passed = _around(use, "import_statement") or _around(use, "export_statement") or b""
        own = b" from " not in passed and path in _bound(subject)
        return "ours" if own or _is_from(passed, _modules(subject, path, _exporters(subject))) else "other"
    return "ours" if path in _bound(subject) or _is_passed_on(subject, path, use) else _global(subject, path)


def _is_passed_on(subject: Subject, path: str, use: Use) -> bool:
    """Whether an export takes the name from a file that exports it."""
    statement = _around(use, "export_statement")
    return path in _exporters(subject) and statement is not None and b" from " in statement


def _global(subject: Subject, path: str) -> Verdict:
    """Scripts without modules share their top level; which of them meet on a page is not known."""
    is_module = re.compile(rb"^\s*(?:import|export)\b|\brequire\s*\(|\bexports\b", re.M)
    texts = [subject.sources[one].text for one in (subject.target.path, path)]
    return "other" if path in subject.taken or any(is_module.search(text) for text in texts) else "open"


def _exporters(subject: Subject) -> frozenset[str]:
    """The files from which the name can be imported: its own, and those that pass it on."""
    if "exporters" not in subject.known:
        found, bound = set(subject.paths), set[str]()
        while True:
            before = len(found), len(bound)
            for path, uses in subject.uses.items():
                if path in subject.paths:
                    continue
                text = subject.sources[path].text
                for module in _modules(subject, path, found):
                    star = rb"export\s*\*\s*from\s*['\"]" + re.escape(module) + rb"['\"]"
                    if re.search(star, text):
                        found.add(path)
                if any(_takes(subject, path, use, found) for use in uses):
                    if any(
                        _around(use, "export_statement")
                        and not _around(use, "import_statement")
                        and use.role == "name"
                        and _around(use, "export_clause")
                        for use in uses
                    ) or any(
                        use.role in ("shorthand", "member")
                        and b"exports" in (_around(use, "assignment_expression") or b"")
                        for use in uses
                    ):
                        found.add(path)
                    if any(_takes(subject, path, use, found) and not _around(use, "export_clause") for use in uses):
                        bound.add(path)
            if (len(found), len(bound)) == before:
                break
        subject.known["exporters"], subject.known["bound"] = frozenset(found), frozenset(bound)
    return subject.known["exporters"]


def _bound(subject: Subject) -> frozenset[str]:
    """The files whose top level binds the name to what is renamed."""
    _exporters(subject)
    return subject.known["bound"]


def _takes(subject: Subject, path: str, use: Use, exporters: set[str]) -> bool:
    """Whether an import or export statement, or a destructured `require`, takes the name from a file that has it."""
    if use.role not in ("name", "shorthand"):
        return False
    text = _around(use, "import_statement") or _around(use, "export_statement") or b""
    if not text and use.role == "shorthand":
        declared = _around(use, "variable_declarator") or b""
        text = declared if re.search(rb"\b(?:require|import)\s*\(", declared) else b""
        alias = re.search(rb"=\s*([\w$]+)\s*$", declared)
        if alias and alias[1].decode() in _aliases(subject, path, frozenset(exporters)):
            return True
    if use.node.parent is not None and use.node.parent.type == "import_clause":
        return False
    return _is_from(text, _modules(subject, path, exporters))


def _is_from(text: bytes, modules: set[bytes]) -> bool:
    return any(re.search(rb"['\"]" + re.escape(module) + rb"['\"]", text) for module in modules)


def _modules(subject: Subject, path: str, exporters: set[str] | frozenset[str]) -> set[bytes]:
    return {edge.module.encode() for edge in subject.index.imports_of(path) if edge.target in exporters}


def _aliases(subject: Subject, path: str, exporters: frozenset[str] | None = None) -> frozenset[str]:
    """The names that a file gives to whole modules from which the name can be taken."""
    exporters = _exporters(subject) if exporters is None else exporters
    text, names = subject.sources[path].text, set[str]()
    for module in _modules(subject, path, exporters):
        quoted = rb"\(?\s*['\"]" + re.escape(module) + rb"['\"]"
        for form in (rb"\*\s*as\s+([\w$]+)\s+from\s*", rb"([\w$]+)\s*=\s*(?:await\s+)?(?:require|import)\s*",
                     rb"import\s+([\w$]+)\s*=\s*require\s*"):  # fmt: skip
            names |= {match[1].decode() for match in re.finditer(form + quoted, text)}
        if any(b"exports" in subject.sources[one].text for one in subject.paths):
            names |= {match[1].decode() for match in re.finditer(rb"import\s+([\w$]+)\s+from\s*" + quoted, text)}
    return frozenset(names)


def _around(use: Use, kind: str) -> bytes | None:
    node = use.node.parent
    while node is not None and node.type != kind:
        node = node.parent
    return node.text if node is not None else None
