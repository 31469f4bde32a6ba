"""Rename one definition with all that surely means it, as a patch; what cannot be resolved is listed and left."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from optimizer.errors import Conflict, InputError
from optimizer.languages.naming.bases import TYPES
from optimizer.languages.naming.exports import is_given
from optimizer.languages.naming.in_text import SENDERS
from optimizer.languages.naming.table import Naming, group_of, naming_of
from optimizer.languages.naming.uses import binds, is_in_namespace, is_taken_apart
from optimizer.languages.source import Source
from optimizer.languages.table import language_of
from optimizer.lookup import file_of_class
from optimizer.lookup.family import Classes
from optimizer.lookup.names import definitions, holders, nearest, parts_of
from optimizer.lookup.outside import needed, needed_outside
from optimizer.lookup.questions import Citation, Lookup, LookupResult
from optimizer.lookup.receivers import Types
from optimizer.lookup.renamed import Change, ChangedFile, listed, place_of, refuse_unfit, replaced, report
from optimizer.lookup.resolve import free, local, member
from optimizer.lookup.subject import ResolvedUse, Subject, collect, leads
from optimizer.lookup.text_uses import InText, text_uses
from optimizer.lookup.unseen import not_here, remarks
from optimizer.retrieval import Symbol
from optimizer.types import FileChange, Patch

if TYPE_CHECKING:
    from optimizer.index.reader import Index
    from optimizer.languages.naming.uses import Use
    from optimizer.lookup.inference import Inference


def rename(lookup: Lookup, index: Index, found: Sequence[Symbol] = ()) -> LookupResult:
    """The patch that renames `lookup.subject` to `lookup.new_name`; the citations list what it changes and leaves.

    A name that is not in the index gives `found` False. `LookupResult.open` are places that cannot be resolved; with
    `lookup.unresolved` they are renamed too, and with `lookup.docs` comments, strings and other text. Raises Conflict
    when several definitions share the name and neither a class nor a path selects one, or when the new name is taken;
    SafetyRefused when something outside the repository needs the old name; InputError when it cannot be a name there.
    """
    name, new = parts_of(lookup.subject)[-1], lookup.new_name
    found = found or definitions(index, lookup.subject, lookup.within)
    if not found:
        near = nearest(name, index.all_names())
        texts = (f"{lookup.subject} is not defined here", *(f"did you mean {word}?" for word in near))
        if holder := definitions(index, ".".join(parts_of(lookup.subject)[:-1]), lookup.within):
            texts = (_not_in(name, holder[0]),)
        return LookupResult((*map(Citation, texts), *remarks(index, name)), False)
    name = found[0].name
    if name.endswith("=") and new.endswith("="):
        name, new = name[:-1], new[:-1]
        found = tuple(one._replace(name=name, qualified=one.qualified[:-1]) for one in found)
        lookup = replace(lookup, new_name=new)
    if name == new:
        raise InputError(f"{name} already has that name")
    if exact := [one for one in found if lookup.within and parts_of(one.qualified) == parts_of(lookup.subject)]:
        found = tuple(exact)
    subject = subject_of(index, _whole(index, found))
    _refuse_several(subject, found, lookup)
    places = resolved(subject)
    files = tuple(_files(subject, places, lookup))
    changed = [file for file in files if file.changes]
    if base := needed(subject, new, places):
        raise needed_outside(subject, base)
    _refuse_taken(subject, new, places)
    changes = tuple(FileChange(file.path, file.before, replaced(file)) for file in changed)
    for file, change in zip(changed, changes, strict=True):
        refuse_unfit(file, change, name, new)
    changes = tuple(file_of_class.moved(changes, subject, path := file_of_class.new_path(subject, new)))
    unknown = tuple(
        Citation(name, file.path, line, "use") for file in files for line in sorted({*file.open, *file.left})
    )
    left = () if lookup.unresolved else unknown
    hidden = () if lookup.unresolved else not_here(index, name).with_name
    left = (*left, *(Citation(name, path, 1, "use") for path in hidden))
    breaks = bool(hidden) or (bool(left) and any(_must_mean(subject, file) for file in files if file.open))
    kind = "attribute" if subject.is_attribute else subject.target.kind
    first, *lines = report(subject.target, new, files, left, _relatives(subject), kind)
    move = (Citation(f"its file becomes {path}", subject.target.path, 1, "rename"),) if path else ()
    return LookupResult((first, *move, *lines), True, Patch(changes), left, breaks)


def _not_in(name: str, holder: Symbol) -> str:
    where = f"{holder.qualified} ({place_of(holder)})"
    if naming_of(holder.path).is_inferred:
        return f"{name} is no definition, attribute, parameter or variable of {where}"
    return (
        f"{name} is no function, method, type or constant of {where}; "
        "fields, parameters and local variables are renamed in Python only"
    )


# ── what is meant ────────────────────────────────────────────────────────────────────────────────


def subject_of(index: Index, found: Sequence[Symbol]) -> Subject:
    """What the rename of the definitions is about."""
    target = _first(found)
    same = [one for one in index.symbols_named([target.name]) if group_of(one.path) == group_of(target.path)]
    paths = holders(index, target.name) | {one.path for one in found}
    if naming_of(target.path).mixes and target.kind == "method":
        paths |= {path for word in SENDERS for path in holders(index, word) if group_of(path) == group_of(target.path)}
    sources, uses = collect(index, target, sorted(paths))
    subject = Subject(index, target, sources, uses, frozenset({target}), others=())
    scope = None if subject.naming.is_inferred else _scope(target, uses.get(target.path, ()))
    subject = replace(subject, scope=scope)
    family, types, classes, receivers = {target, *_attributes(found)}, {target.parent.split(".")[-1]} - {""}, None, None
    owners: set[Symbol] = set()
    if subject.is_member:
        group = group_of(target.path)
        near = [path for path in index.paths() if group_of(path) == group]
        classes = Classes(index, near)
        related, reached = classes.family(
            target, [one for one in same if one.kind in ("method", "function") and one.parent]
        )
        family |= related
        types |= {one.name for one in reached}
        family |= _by_interface(same, index) if subject.naming.by_interface else set()
        types |= {one.parent.split(".")[-1] for one in family}
        owners = reached | {owner for one in family if (owner := classes.owner(one)) is not None}
        receivers = Types(index, classes, subject.naming)
        family |= {one for one in same if one.path == target.path and one.parent == target.parent}
    elif scope is None:
        family |= {one for one in same if _is_one(one, target, subject.naming)}
    else:
        family |= {one for one in same if (one.path, one.parent) == (target.path, target.parent)}
    others = tuple(one for one in same if one not in family)
    names = inference_of(index) if subject.naming.is_inferred else None
    return replace(
        subject, family=frozenset(family), types=frozenset(types), owners=frozenset(owners), others=others,
        classes=classes, names=names, receivers=receivers,
    )  # fmt: skip


def _attributes(found: Sequence[Symbol]) -> list[Symbol]:
    return [one for one in found if one.kind == "constant" and one.parent and naming_of(one.path).is_inferred]


def inference_of(index: Index) -> Inference:
    """The engine that knows what names mean, over the files of the index."""
    from optimizer.lookup.inference import Inference

    return Inference(index.root.path, index.paths())


def _first(found: Sequence[Symbol]) -> Symbol:
    """The definition that stands for all that are found: a type before its constructors."""
    return next((one for one in found if one.kind in TYPES), found[0])


def _scope(target: Symbol, uses: Sequence[Use]) -> tuple[int, int] | None:
    """The scope of a function or class within a function; None for what other places can take from around it."""
    for use in uses:
        if use.place.line == target.line and use.place.kind == "definition" and binds(use.node):
            return use.scope if not is_in_namespace(use.node) else None
    return None


def _whole(index: Index, found: Sequence[Symbol]) -> Sequence[Symbol]:
    """The definitions, or for a constructor that bears the name of its class the class."""
    target = _first(found)
    if target.kind == "method" and target.parent.split(".")[-1] == target.name:
        near = index.symbols_in(target.path)
        return [one for one in near if one.kind in TYPES and one.qualified == target.parent] or found
    return found


def _is_one(one: Symbol, target: Symbol, row: Naming) -> bool:
    """Whether two definitions are one thing: overloads, a constructor, a struct and its typedef, a repeated name."""
    if one.path == target.path and (one.parent == target.parent or target.name in (one.parent, target.parent)):
        return True
    if target.kind in TYPES and one.kind == "method" and one.parent.split(".")[-1] == target.name:
        return one.path == target.path
    if row.in_parts:
        return one.qualified == target.qualified and one.kind == target.kind
    (stem, ending), (body, other) = posixpath.splitext(one.path), posixpath.splitext(target.path)
    return row.stubs in (ending, other) and ending != other and stem == body and one.parent == target.parent


def _by_interface(same: Iterable[Symbol], index: Index) -> set[Symbol]:
    """The members of one name that an interface or a trait ties together."""
    methods = [one for one in same if one.kind == "method" or (one.parent and naming_of(one.path).in_traits)]
    holders = {one.name: one.kind for method in methods for one in index.symbols_named([method.parent.split(".")[-1]])}
    if any(naming_of(one.path).reach == "exports" for one in methods):
        methods = [one for one in methods if holders.get(one.parent.split(".")[-1]) in TYPES]
    tied = any(holders.get(one.parent.split(".")[-1]) in ("interface", "trait") for one in methods)
    return set(methods) if tied else set()


def _refuse_several(subject: Subject, found: Sequence[Symbol], lookup: Lookup) -> None:
    name = subject.name
    apart = [one for one in found if one not in subject.family]
    if apart:
        places = [subject.target, *apart]
        raise Conflict(
            f"{lookup.subject} is defined {len(places)} times: {listed(map(place_of, places))}",
            f"name one: rename Class.{name} to {lookup.new_name}, or rename {name} to {lookup.new_name} in PATH",
        )


def resolved(subject: Subject) -> list[ResolvedUse]:
    """Each use of the name, and whether it means the subject."""
    if (names := subject.names) is not None:
        from optimizer.lookup.inferred import Inferred, outside_base

        if subject.is_member and (base := outside_base(subject, names)):
            raise needed_outside(subject, base)
        judge = Inferred(subject, names).verdict
        if subject.is_attribute:
            from optimizer.lookup.fields import Fields

            judge = Fields(subject, names).verdict
    else:
        decide = member if subject.is_member else local if subject.scope else free

        def judge(path, use):  # type: ignore[no-untyped-def]
            return decide(subject, path, use)

    return [ResolvedUse(path, use, judge(path, use)) for path, uses in subject.uses.items() for use in uses]


# ── what is changed ──────────────────────────────────────────────────────────────────────────────


def _files(subject: Subject, places: Sequence[ResolvedUse], lookup: Lookup) -> Iterator[ChangedFile]:
    name, new = subject.name.encode(), lookup.new_name.encode()
    whole = re.compile(rb"(?<![\w$])" + re.escape(name) + rb"(?![\w$])")
    by_path: dict[str, list[ResolvedUse]] = {}
    for place in places:
        by_path.setdefault(place.path, []).append(place)
    for path, source in sorted(subject.sources.items()):
        own = by_path.get(path, [])
        ours = [one.use for one in own if one.verdict == "ours"]
        unknown = [one.use for one in own if one.verdict in ("open", "left")]
        changes = [_change(subject, use, name, new) for use in ours]
        lines = [one.use.place.line for one in own if one.verdict == "open"]
        left = tuple(sorted({one.use.place.line for one in own if one.verdict == "left"}))
        if lookup.unresolved:
            changes += [_change(subject, use, name, new) for use in unknown]
        for text in _in_strings(subject, path, source, bool(ours)):
            if text.ours or (lookup.unresolved and text.end > text.start):
                changes.append(Change(text.start, text.end, text.line, new))
            if not text.ours:
                lines.append(text.line)
        taken = {change.start for change in changes} | {one.use.place.start for one in own}
        rest = [match.start() for match in whole.finditer(source.data) if match.start() not in taken]
        mentions = tuple(Change(at, at + len(name), source.data.count(b"\n", 0, at) + 1, new) for at in rest)
        if lookup.docs:
            changes += mentions
        unique = {change.start: change for change in changes}
        ordered = tuple(unique[start] for start in sorted(unique))
        yield ChangedFile(path, source.data, ordered, tuple(sorted(set(lines))), left, () if lookup.docs else mentions)


def _change(subject: Subject, use: Use, name: bytes, new: bytes) -> Change:
    text = new
    if use.role == "shorthand" and subject.is_member and is_taken_apart(use.node):
        text = new + b": " + name
    elif use.role == "shorthand" and not is_given(use.node):
        text = name + b": " + new
    return Change(use.place.start, use.place.end, use.place.line, text)


def _in_strings(subject: Subject, path: str, source: Source, bound: bool) -> Iterator[InText]:
    known = {use.place.start for use in subject.uses.get(path, ())}
    is_read = path in subject.uses or source.language is None or source.language.outline
    found = text_uses(subject, path, source) if is_read else iter(())
    if subject.names is not None and (path in subject.uses or path.endswith((".toml", ".cfg", ".ini"))):
        from optimizer.lookup.inferred import strings

        found = chain(found, strings(subject, path, source, bound))
    if subject.is_attribute:
        from optimizer.lookup.fields import in_text

        found = chain(found, in_text(subject, path, source))
    return (one for one in found if one.start not in known)


def _must_mean(subject: Subject, file: ChangedFile) -> bool:
    """Whether what is not known in a file can hardly mean anything else of this repository."""
    is_alone = not subject.others or language_of(file.path) is None
    folders = {posixpath.dirname(path) for path in subject.paths}
    if subject.naming.reach in ("packages", "modules", "namespaces") or posixpath.dirname(file.path) in folders:
        return True
    return is_alone or any(leads(subject, file.path, path) for path in subject.paths)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def _refuse_taken(subject: Subject, new: str, places: Sequence[ResolvedUse]) -> None:
    """Refuse a new name that would mean something else, or something else it, where the subject is used."""
    from optimizer.lookup.taken import taken

    if place := taken(subject, new, places):
        raise Conflict(f"{new} is already {place[1]} at {place[0]}", "choose another name")


def _relatives(subject: Subject) -> list[Symbol]:
    target = subject.target
    own = (target.path, target.parent)
    others = sorted(one for one in subject.family if (one.path, one.parent) != own) if subject.is_member else []
    return list({(one.path, one.qualified): one for one in reversed(others)}.values())[::-1]
