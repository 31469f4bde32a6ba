"""Where text that no grammar reads as names may still mean a definition: macros, symbols, reflection, notebooks."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages.naming import in_text
from optimizer.languages.naming.table import group_of
from optimizer.languages.naming.written import UNKNOWN, Type, element
from optimizer.languages.table import Language, language_of
from optimizer.lookup import file_of_class

if TYPE_CHECKING:
    from optimizer.languages.naming.in_text import InExample
    from optimizer.languages.source import Source
    from optimizer.lookup.protocols import Verdict
    from optimizer.lookup.subject import Subject


class InText(NamedTuple):
    """The name within text: byte offsets, line, and whether it surely means the subject."""

    start: int
    end: int
    line: int
    ours: bool


def text_uses(subject: Subject, path: str, source: Source) -> Iterator[InText]:
    """The places of a file of the subject's own languages where text may mean it."""
    name, data = subject.name, source.data
    language = language_of(path)
    if subject.is_in_function:
        return
    if language is not None and not language.prose and file_of_class.is_named_with(subject):
        yield from (_place(subject, data, at, ours=True) for at in file_of_class.mentions(subject, data))
    if language is None or language.blocks:
        view = _outside_of_code(subject, data, language)
        yield from (_place(subject, data, at, ours=False) for at in in_text.words(view, name))
        if language is None and subject.is_member:
            yield from (_place(subject, data, at, ours=False) for at in in_text.in_templates(data, name))
        return
    form = in_text.form_of(language)
    if form.templates and subject.is_member:
        taken = (at for at in in_text.in_templates(data, name) if data[at - 1 : at] == b".")
        yield from (_place(subject, data, at, ours=False) for at in taken)
    if language.cells and _is_hidden(source, name):
        yield _place(subject, data, data.find(name.encode()), ours=False)
    if language.macros:
        yield from (_place(subject, data, at, ours=not subject.others) for at in in_text.in_macros(data, name))
    for example in in_text.in_examples(form, data, name):
        meant = _in_example(subject, path, example, form.plain)
        if meant is not None:
            yield _place(subject, data, example.start, ours=meant)
    if form.qualified and not subject.is_member and subject.target.parent:
        whole = in_text.after_whole(data, subject.target.parent, name)
        yield from (_place(subject, data, at, ours=True) for at in whole if not _is_comment(source, at))
    if subject.is_member and path in subject.paths_of_types:
        yield from (_place(subject, data, at, ours=False, length=0) for at in in_text.begun(form, data, name))
    if form.places and subject.is_member:
        yield from (_place(subject, data, at, ours=False, length=0) for at in _sent(subject, path, source))
    if form.places and not subject.is_member:
        constants = in_text.of_constants(data, name)
        yield from (_place(subject, data, at, ours=not subject.others) for at in constants)
    for at in in_text.reflected(form, data, name) if subject.is_member or form.functions else ():
        found = _by_place(subject, path, source, at) if form.places else False
        if found is not None:
            yield _place(subject, data, at, ours=found)


def _sent(subject: Subject, path: str, source: Source) -> Iterator[int]:
    """Where Ruby calls what may be the subject by a name that is a value, when strings have it as a word."""
    from optimizer.languages.naming.uses import owners

    if subject.receivers is None or not subject.is_in_quotes:
        return
    for at in in_text.sent(source.data):
        node = source.root.descendant_for_byte_range(at, at + 1) if source.root is not None else None
        call = node.parent if node is not None else None
        if call is None or call.type != "call":
            continue
        receiver = call.child_by_field_name("receiver")
        around = Type(next(iter(owners(call, source.text)), ""), (), path)
        held = subject.receivers.types(path, receiver) if receiver is not None else (around,)
        if any(one.name and subject.has(one) != "other" for one in held):
            yield at


def _is_comment(source: Source, at: int) -> bool:
    node = source.root.descendant_for_byte_range(at, at + 1) if source.root is not None else None
    return node is None or "comment" in node.type


def _by_place(subject: Subject, path: str, source: Source, start: int) -> bool | None:
    """Whether a symbol means the subject by the call that takes it; None: surely not, False: it may."""
    from optimizer.languages.naming.uses import owners

    node = source.root.descendant_for_byte_range(start, start + 1) if source.root is not None else None
    if node is not None and in_text.is_plain_symbol(node):
        return None
    is_block = False
    while node is not None and node.type not in ("call", "argument_list", "program", "method", "alias"):
        is_block = is_block or node.type == "block_argument"
        node = node.parent
    call = node.parent if node is not None and node.type == "argument_list" else node
    named = call.child_by_field_name("method") if call is not None and call.type == "call" else None
    if call is None or named is None or subject.receivers is None:
        return False if subject.is_own_word else None
    if named.text in in_text.OF_HASH:
        return None
    receiver, first = call.child_by_field_name("receiver"), node.named_children[0] if node is not None else None
    if is_block and receiver is not None:
        return _of_types(subject, map(element, subject.receivers.types(path, receiver)))
    if in_text.OF_ARGUMENT.fullmatch(named.text or b"") and first is not None and first.end_byte < start:
        return _of_types(subject, subject.receivers.types(path, first))
    around = Type(next(iter(owners(call, source.text)), ""), (), path)
    if in_text.DELEGATES.fullmatch(named.text or b"") and first is not None:
        field = (first.text or b"").decode("utf-8", "replace").strip(":'\"")
        held = list(subject.receivers.field(around, field)) or [UNKNOWN]
        found = {subject.has(around), *map(subject.has, held)}
        return True if found == {"ours"} else None if found == {"other"} else False
    if named.text not in in_text.OF_CLASS:
        return False if subject.is_own_word else None
    if receiver is not None and receiver.type != "self":
        found = {subject.has(one) for one in subject.receivers.types(path, receiver)}
        return True if found == {"ours"} else None if found == {"other"} else subject.is_own_word
    verdict = subject.has(around)
    return True if verdict == "ours" else None if verdict == "other" else False


def _of_types(subject: Subject, types: Iterable[Type]) -> bool | None:
    """Whether a symbol that is called on a value means the subject; where that is not known, it may."""
    found = {subject.has(one) for one in types}
    return True if found == {"ours"} else None if found == {"other"} else subject.is_own_word


def _in_example(subject: Subject, path: str, example: InExample, plain: bool) -> bool | None:
    """Whether an example means the subject; None where it surely does not."""
    taken_from, sign = example.taken_from, example.sign
    if subject.is_in_module and taken_from != subject.target.parent.split(".")[-1]:
        return None
    if not subject.is_member:
        if sign == ".":
            module = taken_from == posixpath.splitext(posixpath.basename(subject.target.path))[0]
            return True if plain and (module or not subject.others) else None
        return not (subject.taken if plain else subject.others)
    if sign == "::":
        return True if taken_from in subject.types else None
    if sign and not plain and (verdict := _by_receiver(subject, path, example)) != "open":
        return True if verdict == "ours" else None
    return subject.is_own_word if sign else None


def _by_receiver(subject: Subject, path: str, example: InExample) -> Verdict:
    """What a member means in the code of an example, by the type of what it is taken from there."""
    from optimizer.languages.naming.uses import find_uses
    from optimizer.languages.source import Source

    name = f"{path}:{example.code_start}{posixpath.splitext(path)[1]}"
    source = Source(name, example.code)
    if subject.receivers is None:
        return "open"
    subject.receivers.add(name, source)
    at = example.start - example.code_start
    use = next((one for one in find_uses(source, subject.name) if one.place.start == at), None)
    return subject.receiver(name, use) if use is not None and use.role == "member" else "open"


def _outside_of_code(subject: Subject, data: bytes, page: Language | None) -> bytes:
    """What templates of pages, and scripts whose language is not known, may use."""
    if page is not None:
        from optimizer.languages import blocks

        return blocks.unread(data, page) if page.name in group_of(subject.target.path) else b""
    return data if data.startswith(b"#!") else b""


def _place(subject: Subject, data: bytes, start: int, *, ours: bool, length: int | None = None) -> InText:
    size = len(subject.name.encode()) if length is None else length
    return InText(start, start + size, data.count(b"\n", 0, start) + 1, ours)


def _is_hidden(source: Source, name: str) -> bool:
    """Whether code cells of a notebook hold a name where it cannot be read in its place."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    try:
        cells = json.loads(source.data).get("cells", [])
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (ValueError, KeyError, TypeError, AttributeError):
        return name.encode() in source.data
    return len(word.findall(code)) > len(word.findall(source.text.decode("utf-8", "replace")))
