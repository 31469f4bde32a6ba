"""Types as they are written: `*Route`, `Vec<Box<dyn Shape>>`, `Foo | null`, `map[string]Foo`, `Foo[]`."""

from __future__ import annotations

import re
from typing import NamedTuple


class Type(NamedTuple):
    """A type by its name, with its parameters, and the file in which it is written; '' for what is not known."""

    name: str
    of: tuple[Type, ...] = ()
    path: str = ""
    around: str = ""  # what the name is taken from, with its sign: `package.`

    @property
    def whole(self) -> str:
        """The name as it is written, with what it is taken from."""
        return self.around + self.name


UNKNOWN = Type("")
WRITTEN = "object "
"""Begins the name of a type that stands for one object of JavaScript that is written out, at a byte of its file."""
# Types that say nothing of what a value is.
_ANY = frozenset(
    {"any", "unknown", "object", "Object", "mixed", "interface", "dynamic", "impl", "_", "id", "var", "auto"}
)
_EMPTY = frozenset({"null", "undefined", "void", "None", "nil", "false"})
_PLAIN = re.compile(
    r"^(?:const|mut|dyn|readonly|final|struct|typename|volatile|unsigned|in|out|ref|\?|&&|&|\*|:|'\w+)\s*"
)
_ANGLES = re.compile(r"([\w$.:\\]+?)(?:::)?\s*[<\[](.*)[>\]]\s*[*&?]*", re.S)
_LAST = re.compile(r"[A-Za-z_$][\w$]*$")
# A value of these is used as what is in it.
_SEEN_THROUGH = frozenset({"Box", "Rc", "Arc", "Ref", "RefMut", "Readonly", "Partial", "Required", "unique_ptr",
                           "shared_ptr", "MutexGuard", "Pin", "NonNull", "Cow", "Awaited", "NonNullable"})  # fmt: skip


def parse(text: str, path: str) -> tuple[Type, ...]:
    """The types that a piece of code names, one for each alternative."""
    parts = [part for part in _split(text.strip().lstrip(":").strip(), "|") if part.strip() not in _EMPTY]
    return tuple(_one(part, path) for part in parts) or (UNKNOWN,)


def _one(text: str, path: str) -> Type:
    text = text.strip().rstrip("?!").strip()
    while (plain := _PLAIN.sub("", text)) != text:
        text = plain.strip()
    if text.startswith("(") and text.endswith(")"):
        parts = _split(text[1:-1], ",")
        return _one(parts[0].split(" ")[-1] if parts and len(parts) > 1 else text[1:-1], path) if parts else UNKNOWN
    if text.startswith("["):
        return Type("[]", (_one(re.sub(r"^\[[^\]]*\]", "", text) or text[1:-1].split(";")[0], path),), path)
    if text.startswith("map["):
        return Type("map", (_one(text.partition("]")[2], path),), path)
    if text.endswith("]") and re.search(r"\[\s*\]$", text):
        return Type("[]", (_one(re.sub(r"\[\s*\]$", "", text), path),), path)
    if found := _ANGLES.fullmatch(text):
        name = re.split(r"\.|::|\\", found[1])[-1]
        of = tuple(_one(part, path) for part in _split(found[2], ","))
        return of[0] if name in _SEEN_THROUGH and of else Type(name, of, path, found[1].removesuffix(name))
    text = re.sub(r"(?:\s+const)?[\s*&]+$", "", text)
    last = _LAST.search(text)
    whole = last is not None and re.fullmatch(r"[\w$.:\\ ]+", text) is not None
    if not whole or last is None or last[0] in _ANY or "impl " in text:
        return UNKNOWN
    return Type(last[0], (), path, text[: last.start()].split(" ")[-1])


def _split(text: str, at: str) -> list[str]:
    """The parts between separators that no bracket encloses."""
    parts, depth, start = [], 0, 0
    for place, char in enumerate(text):
        depth += (char in "<([{") - (char in ">)]}" and text[place - 1 : place] not in ("-", "="))
        if char == at and not depth:
            parts.append(text[start:place])
            start = place + 1
    return [part for part in [*parts, text[start:]] if part.strip()]


def inner(one: Type) -> Type:
    """What is in a value of a type: awaited, unwrapped, or by an index."""
    return one.of[-1] if one.of else UNKNOWN


def element(one: Type) -> Type:
    """What a loop over a value of a type gives."""
    return one.of[-1] if one.of else UNKNOWN
