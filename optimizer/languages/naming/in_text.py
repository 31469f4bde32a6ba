"""Where text is used as a name: strings of reflection, examples that are run as tests, lists of exports; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.table import Language

_MACRO = re.compile(rb"^[ \t]*#[ \t]*define\b(?:[^\n]*\\\r?\n)*[^\n]*", re.M)
_FENCED = re.compile(
    rb"(?m)^[ \t]*//[/!][ \t]*```(?:rust|should_panic|no_run)?[ \t]*\r?\n((?:[ \t]*//[/!](?![ \t]*```).*\n)*)"
)
_PROMPTS = re.compile(rb"(?m)^[ \t]*(?:>>>|\.\.\.)[ \t](.*)$")
_QUALIFIED = re.compile(rb"(\w+)\s*(::|\.)\s*$")


@dataclass(frozen=True, slots=True)
class Form:
    """How a language uses text as a name: what stands `before` and `after` it, and examples that are run as tests.

    `functions`: the text may name a function too, and not only a member. `plain`: code of an example uses what its
    module has without naming the module.
    """

    before: bytes = b""
    after: bytes = b""
    functions: bool = False
    examples: re.Pattern[bytes] | None = None
    plain: bool = False


_SCRIPT = Form(rb"(?:\[\s*|\(\s*[^()'\"`]*,\s*)['\"`]", rb"['\"`]")
_FORMS: Mapping[str, Form] = {
    "ruby": Form(rb"(?<![\w:]):[\"']?|\b(?:\w*send\w*|method|respond_to\?|define_method)[ (]+['\"]", rb"[\"']?"),
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "php": Form(
        rb"(?:array\(|\[)[^\[\]()]*,\s*['\"]|\b(?:call_user_\w*|is_callable|method_exists)\(.*?['\"]",
        rb"['\"]",
        functions=True,
    ),
    "java": Form(rb"\bget(?:Declared)?(?:Method|Field)\(\s*\"", rb"\""),
    "go": Form(rb"\b(?:MethodByName|FieldByName)\(\s*\"", rb"\""),
    "rust": Form(examples=_FENCED),
    "python": Form(examples=_PROMPTS, plain=True),
}
_NONE = Form()


def form_of(language: Language | None) -> Form:
    """How a language uses text as a name."""
    return _FORMS.get(language.name, _NONE) if language else _NONE


def reflected(form: Form, data: bytes, name: str) -> Iterator[int]:
    """Where a string or symbol may name something by `name`."""
    if form.before:
        word = re.escape(name.encode())
        for match in re.finditer(rb"(?:" + form.before + rb")(" + word + rb")" + form.after + rb"(?![\w?!])", data):
            yield match.start(1)


def in_macros(data: bytes, name: str) -> Iterator[int]:
    """Where macros have `name` as a word that is no member."""
    for macro in _MACRO.finditer(data):
        for match in re.finditer(rb"(?<![\w.>])" + re.escape(name.encode()) + rb"(?!\w)", macro[0]):
            yield macro.start() + match.start()


def in_examples(form: Form, data: bytes, name: str) -> Iterator[tuple[int, str, str]]:
    """Where examples that are run as tests have `name`; what it is taken from there, and by which sign."""
    word = re.compile(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?!\w)")
    for block in form.examples.finditer(data) if form.examples else ():
        for match in word.finditer(block[1]):
            start = block.start(1) + match.start()
            taken = _QUALIFIED.search(data[max(0, start - 80) : start])
            yield start, taken[1].decode("utf-8", "replace") if taken else "", taken[2].decode() if taken else ""


def words(view: bytes, name: str) -> Iterator[int]:
    """Where a text that no grammar reads has `name`."""
    for match in re.finditer(rb"(?<![\w$.])" + re.escape(name.encode()) + rb"(?![\w$])", view):
        yield match.start()


# ── Python ───────────────────────────────────────────────────────────────────────────────────────

_REFLECTION = (
    rb"(?:\b(?:attrgetter|methodcaller)\s*\(\s*"
    rb"|(?:\b(?:getattr|setattr|hasattr|delattr)|\bpatch\.(?:object|multiple)|\b(?:monkeypatch|mocker|mp)\.[\w.]+)\s*"
    rb"\(\s*((?:[^(),]|\([^()]*\))+?)\s*,\s*)"
)
_EXPORTED = re.compile(rb"^__all__\s*(?:\+?=|\.extend\(|\.append\()[^=]*?[\])]", re.M | re.S)


def after_modules(data: bytes, name: str) -> Iterator[tuple[int, str]]:
    """Where `name` follows a dotted name, and that name: in strings, comments and configuration."""
    for match in re.finditer(rb"([\w.]+)[.:](" + re.escape(name.encode()) + rb")(?![\w])", data):
        yield match.start(2), match[1].decode("utf-8", "replace")


def in_exports(data: bytes, name: str) -> Iterator[int]:
    """Where `__all__` has `name`."""
    quoted = re.compile(rb"(['\"])(" + re.escape(name.encode()) + rb")\1")
    for block in _EXPORTED.finditer(data):
        yield from (block.start() + match.start(2) for match in quoted.finditer(block[0]))


def in_annotations(data: bytes, name: str) -> Iterator[int]:
    """Where an annotation in quotes has `name`."""
    word = re.escape(name.encode())
    for match in re.finditer(rb"(?:->|:)\s*(['\"])[^'\"\n]*?\b(" + word + rb")\b[^'\"\n]*?\1", data):
        yield match.start(2)


def by_reflection(data: bytes, name: str) -> Iterator[tuple[int, str]]:
    """Where a call such as `getattr` has `name` in a string, and the expression whose member it is, '' for none."""
    for match in re.finditer(_REFLECTION + rb"(['\"])(" + re.escape(name.encode()) + rb")\2", data):
        yield match.start(3), (match[1] or b"").decode("utf-8", "replace")


def takes_all(data: bytes) -> bool:
    """Whether a file imports all names of a module."""
    return re.search(rb"^\s*from\s+\S+\s+import\s+\*", data, re.M) is not None


def makes_global(data: bytes, name: str) -> bool:
    """Whether a function declares that `name` is the one of the top level."""
    return re.search(rb"^\s*global\b.*\b" + re.escape(name.encode()) + rb"\b", data, re.M) is not None
