"""Which occurrences of a name mean one definition by inference, also in strings that name it with its module."""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming import in_text
from optimizer.languages.naming.bases import PLAIN, bases_of
from optimizer.languages.naming.table import naming_of
from optimizer.languages.naming.uses import function_around, has_open_parameter, is_parameter
from optimizer.lookup.fixtures import calls
from optimizer.lookup.module_fixtures import is_given_by_pytest
from optimizer.lookup.other_members import is_of_no_owner, text_of_type
from optimizer.lookup.subject import leads
from optimizer.lookup.text_uses import InText

if TYPE_CHECKING:
    from optimizer.languages.naming.uses import Use
    from optimizer.languages.source import Source
    from optimizer.lookup.inference import Inference, Location
    from optimizer.lookup.protocols import Verdict
    from optimizer.lookup.subject import Subject
    from optimizer.retrieval import Symbol


MOST_CALLS = 50
# Libraries for tests whose objects have no members that code of a repository has by chance.
_HARMLESS = frozenset({"pytest", "hypothesis", "freezegun", "typing_extensions", "pretend", "nose", "__future__"})


class Inferred:
    """The verdicts on the uses of one subject."""

    def __init__(self, subject: Subject, names: Inference) -> None:
        self.subject, self.names = subject, names
        self.family = {(one.path, one.line) for one in subject.family}
        self._alone: dict[str, bool] = {}
        self._tied = {(one.path, one.line) for one in subject.others if self._is_in_protocol(one)}
        if subject.is_member:
            self._join_inherited()
        else:
            self._join_top_level()

    def _join_top_level(self) -> None:
        """All bindings of the name at the top level of its file are one variable."""
        path = self.subject.target.path
        for use in self.subject.uses.get(path, ()):
            if use.role == "name" and use.place.kind != "import" and self._is_top_level(path, use):
                self.family.add((path, use.place.line))

    def _join_inherited(self) -> None:
        """What overrides a method by a base that is no name of a class, such as what a function gives."""
        known = {(one.path, one.line) for one in self.subject.others}
        defined = {
            (path, use.place.line): {(one.path, one.line) for one in self._of_use(path, use)}
            for path, uses in self.subject.uses.items()
            for use in uses
            if use.place.kind == "definition" and (path, use.place.line) in known | self.family
        }
        while joined := [
            (one, *above)
            for one, above in defined.items()
            if (above & self.family and one not in self.family) or (one in self.family and above & known - self.family)
        ]:
            self.family.update(place for places in joined for place in places if place in known)

    def _of_use(self, path: str, use: Use) -> tuple[Location, ...]:
        return self.names.meaning(path, self.subject.sources[path].text, use.place.line, use.place.start)

    def _is_top_level(self, path: str, use: Use) -> bool:
        if use.scope is None:
            return not use.owners or use.owners == (self.subject.name,)
        text = self.subject.sources[path].text[use.scope[0] : use.scope[1]]
        return in_text.makes_global(text, self.subject.name)

    def verdict(self, path: str, use: Use) -> Verdict:
        """Whether a use means the subject."""
        if (path, use.place.line) in self.family and use.place.kind == "definition":
            return "ours"
        if use.role == "key":
            return "other"
        found = self._of_use(path, use)
        here = path == self.subject.target.path and not self.subject.is_member
        if here and not found and use.role == "name" and self._is_top_level(path, use):
            return "ours"
        return self._judge(path, use, found)

    def _judge(self, path: str, use: Use, found: tuple[Location, ...]) -> Verdict:
        ours = [one for one in found if (one.path, one.line) in self.family]
        rest = [one for one in found if one not in ours and (one.path, one.line) != (path, use.place.line)]
        if ours:
            is_sure = use.role != "member" or not (rest or (self._is_shared() and self._is_given(path, use)))
            return "ours" if is_sure else "open"
        if any((one.path, one.line) in self._tied for one in found):
            return "open"
        if use.role == "member" and any(one.path for one in found) and self._is_given(path, use):
            return "open"
        if found or use.place.kind == "import":
            return "other"
        if self.subject.is_member:
            if use.role != "member":
                return "other"
            if found_by_fixture := self._of_fixture(path, use):
                return found_by_fixture
            if is_given_by_pytest(self.subject, path, use) or is_of_no_owner(self.subject, path, use):
                return "other"
            return "ours" if self._is_only(path) else "open"
        if use.role == "member":
            return "other" if self.subject.is_in_function else "open" if self._is_of_module(path) else "left"
        return "open" if use.role == "name" and self._takes_all(path) else "other"

    def _is_given(self, path: str, use: Use) -> bool:
        """Whether a member is taken from a parameter that other files give too; the engine stops at its own file."""
        if not self.subject.is_member or not has_open_parameter(use, use.receiver):
            return False
        name = function_around(use).child_by_field_name("name")
        called = (name.text or b"").decode("utf-8", "replace") if name is not None else ""
        calls = self.subject.index.references(called, MOST_CALLS) if called else ()
        return any(one.kind == "call" and one.path != path for one in calls)

    def _is_shared(self) -> bool:
        """Whether anything but the subject may be meant by its name."""
        from optimizer.lookup.inference import is_standard

        return bool(self.subject.others) or is_standard(self.subject.name)

    def _is_of_module(self, path: str) -> bool:
        """Whether a member of an unknown value is likely the subject, taken from a module that the file loads."""
        return not self._is_shared() and in_text.loads_modules(self.subject.sources[path].text)

    def _of_fixture(self, path: str, use: Use) -> Verdict | None:
        """What a member means whose object a fixture of the class gives; None where none does."""
        classes, name = self.subject.classes, use.receiver
        if classes is None or not use.owners or not name.isidentifier() or not is_parameter(use, name):
            return None
        found: set[Verdict] = set()
        for place, expression in calls(self.subject.index, classes, path, use.owners[0], name):
            text = self.subject.index.read(place)
            meant, _ = self.names.member(place, text, expression, self.subject.name)
            ours = any((one.path, one.line) in self.family for one in meant)
            found.add("ours" if ours else "other" if meant else "open")
        return (found.pop() if len(found) == 1 else "open") if found else None

    def _is_in_protocol(self, method: Symbol) -> bool:
        """Whether a method is one of a protocol, which any class may be used as."""
        owner = self.subject.classes.owner(method) if self.subject.classes else None
        return owner is not None and any(base.split(".")[-1].split("[")[0] == "Protocol" for base in bases_of(owner))

    def _is_only(self, path: str) -> bool:
        """Whether nothing else that a file can reach has a member of this name."""
        from optimizer.lookup.inference import is_standard

        subject = self.subject
        if path not in self._alone:
            edges = [edge.module for edge in subject.index.imports_of(path) if edge.target is None]
            outside = {one.lstrip(".").split(".")[0] for one in edges} - _HARMLESS - sys.stdlib_module_names
            near = any(leads(subject, path, one) for one in subject.paths)
            self._alone[path] = near and not outside and not subject.others and not subject.has_other_members
        return self._alone[path] and not is_standard(subject.name)

    def _takes_all(self, path: str) -> bool:
        return in_text.takes_all(self.subject.sources[path].text)


def outside_base(subject: Subject, names: Inference) -> str:
    """A base outside the repository that has, or may have, the method that is renamed; '' for none."""
    if subject.classes is None:
        return ""
    for owner in sorted({one for member in subject.family if (one := subject.classes.owner(member)) is not None}):
        for one in sorted(subject.classes.above([owner])):
            for base in bases_of(one):
                if base.split(".")[-1] in PLAIN or subject.classes.meant(base, one.path):
                    continue
                text = subject.index.read(one.path)
                found, known = names.member(one.path, text, base, subject.name)
                if found or not known:
                    return f"{base} ({one.path}:{one.line})"
    return ""


def strings(subject: Subject, path: str, source: Source, bound: bool) -> Iterator[InText]:
    """Where strings name the subject: with its module, in `__all__`, as an annotation, or by reflection.

    `bound`: the top level of the file has the subject under its name.
    """
    if subject.is_in_function:
        return
    data = source.text
    found = {start: True for start, module in in_text.after_modules(data, subject.name) if _names(module, subject)}
    if subject.names is not None and naming_of(path).is_inferred:
        if bound and not subject.is_member:
            found |= dict.fromkeys(in_text.in_exports(data, subject.name), True)
            found |= dict.fromkeys(in_text.in_fields(data, subject.name), True)
            is_class = subject.target.kind == "class"
            found |= dict.fromkeys(in_text.in_annotations(data, subject.name), is_class)
        for start, expression in in_text.by_reflection(data, subject.name):
            meant = _reflected(subject, path, data, expression)
            if meant is not None:
                found.setdefault(start, meant)
        if subject.is_member:
            found = dict.fromkeys(in_text.in_formats(data, subject.name), False) | found
        if subject.is_member and _takes_any(subject):
            found = dict.fromkeys(in_text.quoted(data, subject.name), False) | found
    for start, ours in sorted(found.items()):
        yield InText(start, start + len(subject.name.encode()), data.count(b"\n", 0, start) + 1, ours)


def _takes_any(subject: Subject) -> bool:
    """Whether a type that has the subject, or one it is derived from, takes members by names that are values."""
    if "takes any" not in subject.known:
        classes = subject.classes
        types = classes.above(classes.below(subject.owners)) if classes is not None else set()
        takes = any(in_text.takes_any(text_of_type(subject, one)) for one in types)
        subject.known["takes any"] = frozenset({"yes"} if takes else ())
    return bool(subject.known["takes any"])


def _reflected(subject: Subject, path: str, data: bytes, expression: str) -> bool | None:
    """Whether an expression has the subject as a member; None where it surely has another, False where it may."""
    if subject.names is None or not re.fullmatch(r"[\w.]+", expression):
        return False
    if not subject.is_member and not in_text.imports_name(data, expression.split(".")[0]):
        return None
    found, _ = subject.names.member(path, data, expression, subject.name)
    family = {(one.path, one.line) for one in subject.family}
    return True if any((one.path, one.line) in family for one in found) else None if found else False


def _names(dotted: str, subject: Subject) -> bool:
    """Whether a dotted name is that of the module, or for a method the class, that the subject is in."""
    path = posixpath.splitext(subject.target.path)[0].removesuffix("/__init__")
    inner = subject.target.parent.split(".") if subject.target.parent else []
    whole = [*path.split("/"), *inner]
    parts = dotted.split(".")
    if len(parts) > len(whole) or whole[-len(parts) :] != parts:
        return False
    return len(parts) > 1 + len(inner) or len(parts) == len(whole) or _is_import_root(subject, whole, len(parts))


def _is_import_root(subject: Subject, whole: list[str], count: int) -> bool:
    folder = "/".join(whole[: len(whole) - count])
    return f"{folder}/__init__.py" not in subject.index.paths()
