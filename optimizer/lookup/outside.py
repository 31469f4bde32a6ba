"""Whether something outside the repository needs the old name of a definition."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from optimizer.lookup.family import TYPES

if TYPE_CHECKING:
    from optimizer.languages.uses import Use
    from optimizer.lookup.subject import Place, Subject

# Methods by which the standard library of Go knows a type.
_METHODS_OF_GO = """
Accept Addr Begin Close CloseNotify Columns Commit Deadline Done Enabled Err Error Exec Flush Format Get
GoString GobDecode GobEncode Handle Header Hijack Info Int63 Is IsDir LastInsertId Len Less LocalAddr Lock
MarshalBinary MarshalJSON MarshalText MarshalXML ModTime Mode Name Network Next Open Pop Prepare Push Query Read
ReadAt ReadByte ReadDir ReadFrom ReadRune RemoteAddr Rollback RoundTrip RowsAffected Scan Seed Seek ServeHTTP
Set SetDeadline SetReadDeadline SetWriteDeadline Size Stat String Swap Sys Temporary Timeout Type Uint64 Unlock
UnmarshalBinary UnmarshalJSON UnmarshalText UnmarshalXML UnreadByte UnreadRune Unwrap Value WithAttrs WithGroup
Write WriteAt WriteByte WriteHeader WriteString WriteTo
"""
_GO = frozenset(_METHODS_OF_GO.split())
# Names by which a language, its runtime or its test runner calls something.
_RUNTIME = {
    "go": re.compile(r"main|init|(?:Test|Benchmark|Example|Fuzz)(?:[A-Z_].*|)"),
    "rust": re.compile(r"main"), "c": re.compile(r"main|LLVMFuzzer\w+"), "cpp": re.compile(r"main"),
    "java": re.compile(r"main|toString|equals|hashCode|compareTo|close|iterator|readResolve|writeReplace"),
    "python": re.compile(r"__\w+__|(?:setUp|tearDown|setup_|teardown_)\w*"),
    "ruby": re.compile(r"initialize|inspect|each|method_missing|respond_to_missing\?|call|to_\w+|hash|eql\?"),
    "javascript": re.compile(r"constructor|toString|toJSON|valueOf|then"), "php": re.compile(r"__\w+"),
    "typescript": re.compile(r"constructor|toString|toJSON|valueOf|then"),
}  # fmt: skip


def needed(subject: Subject, new: str, places: Sequence[Place]) -> str:
    """What outside the repository knows the subject by its name; '' for nothing."""
    target, language = subject.target, subject.language
    pattern = _RUNTIME.get("typescript" if language == "tsx" else language)
    if pattern and pattern.fullmatch(target.name):
        return f"the runtime of {language}"
    if language == "go" and subject.is_member and target.name in _GO:
        return "interfaces of the standard library"
    if language == "go" and target.name[:1].isupper() and not new[:1].isupper():
        folder = posixpath.dirname(target.path)
        if subject.is_member or any(p.verdict == "ours" and posixpath.dirname(p.path) != folder for p in places):
            return "other packages"
    if language == "java" and target.kind in TYPES and posixpath.basename(target.path) == f"{target.name}.java":
        return f"its file {target.path}"
    if subject.is_member and language not in ("python", "notebook"):
        return _base(subject, places)
    return ""


def _base(subject: Subject, places: Sequence[Place]) -> str:
    defined = [p.use for p in places if p.verdict == "ours" and p.use.place.kind == "definition"]
    if subject.language == "rust":
        return next((trait for use in defined if (trait := _trait(use)) and not _is_ours(subject, trait)), "")
    if subject.classes is None or subject.language == "go":
        return ""
    for one in sorted(subject.family):
        owner = subject.classes.owner(one)
        for base in (
            () if owner is None else (b for up in subject.classes.above([owner]) for b in subject.classes.outside(up))
        ):
            if subject.language not in ("java", "kotlin", "csharp") or any(map(_overrides, defined)):
                return base
    return ""


def _trait(use: Use) -> str:
    node = use.node.parent
    while node is not None and node.type != "impl_item":
        node = node.parent
    trait = node.child_by_field_name("trait") if node is not None else None
    return (
        ""
        if trait is None or trait.text is None
        else trait.text.decode("utf-8", "replace").split("<")[0].split("::")[-1]
    )


def _is_ours(subject: Subject, trait: str) -> bool:
    return any(one.kind == "trait" for one in subject.index.symbols_named([trait]))


def _overrides(use: Use) -> bool:
    node = use.node.parent
    while node is not None and "method" not in node.type and "function" not in node.type:
        node = node.parent
    return node is not None and re.search(rb"@Override\b|\boverride\b", (node.text or b"")[:400]) is not None
