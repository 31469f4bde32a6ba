"""Where text is used as a name: strings of reflection, examples that are run as tests, lists of exports; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages.table import Language

if TYPE_CHECKING:
    from tree_sitter import Node

_MACRO = re.compile(rb"^[ \t]*#[ \t]*define\b(?:[^\n]*\\\r?\n)*[^\n]*", re.M)
_FENCED = re.compile(
    rb"(?m)^[ \t]*//[/!][ \t]*```(?:rust|should_panic|no_run)?[ \t]*\r?\n((?:[ \t]*//[/!](?![ \t]*```).*\n)*)"
)
_MARGIN = re.compile(rb"(?m)^[ \t]*//[/!](?:[ \t]*#(?=[ \t]|$))?")
_QUOTED = re.compile(rb'"(?:\\.|[^"\\\n])*"')
_PROMPTS = re.compile(rb"(?m)^[ \t]*(?:>>>|\.\.\.)[ \t](.*)$")
_TEMPLATES = re.compile(rb"\{\{.*?\}\}|<%.*?%>|\{%.*?%\}", re.S)
_TAG = re.compile(rb"\{%[-+]?\s*\w+")
OF_CLASS = frozenset(
    b"alias_method define_method private public protected module_function private_class_method public_class_method"
    b" send public_send __send__ respond_to? method instance_method public_instance_method method_defined? attr_reader"
    b" attr_writer attr_accessor remove_method undef_method protected_instance_methods"
    b" private_constant public_constant deprecate_constant".split()
)
"""Methods of Ruby whose symbols name methods of their receiver."""
OF_ARGUMENT = re.compile(
    rb"(?:assert|refute)_(?:not_)?(?:predicate|respond_to|operator|send)|def_(?:instance_)?delegators?"
)
"""Methods of Ruby whose symbols name methods of their first argument."""
OF_HASH = frozenset(b"key? has_key? fetch delete dig include? store values_at slice except member?".split())
"""Methods of Ruby whose symbols are keys."""
DELEGATES = re.compile(rb"def_(?:instance_)?delegators?")
"""Methods of Ruby whose symbols name methods of what their first symbol names, and of the class around."""
_KEYS = ("element_reference", "binary", "pattern", "when")
_QUALIFIED = re.compile(rb"(\w+)\s*(::|\.)\s*$")


@dataclass(frozen=True, slots=True)
class Form:
    """How a language uses text as a name: what stands `before` and `after` it, and examples that are run as tests.

    `functions`: the text may name a function too, and not only a member. `built`: how a member is taken by a name that
    is put together when the program runs. `places`: what a symbol means is to be seen from the call around it.
    `qualified`: strings hold code, in which a name stands with all that is around it. `plain`: code of an example uses
    what its module has without naming the module. `templates`: strings may be templates that take members.
    """

    before: bytes = b""
    after: bytes = b""
    functions: bool = False
    built: re.Pattern[bytes] | None = None
    places: bool = False
    qualified: bool = False
    examples: re.Pattern[bytes] | None = None
    plain: bool = False
    templates: bool = False


_SCRIPT = Form(rb"(?:\[\s*|\(\s*[^()'\"`]*,\s*)['\"`]", rb"['\"`]", built=re.compile(rb"\bthis\["))
_FORMS: Mapping[str, Form] = {
    "ruby": Form(
        rb"(?<![\w:]):[\"']?|\b(?:\w*send\w*|method|respond_to\?|define_method)[ (]+['\"]",
        rb"[\"']?",
        built=re.compile(rb"\b(?:public_)?send[ (]"),
        places=True,
        qualified=True,
    ),
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "php": Form(
        rb"(?:array\(|\[)[^\[\]()]*,\s*['\"]|\b(?:call_user_\w*|is_callable|method_exists)\(.*?['\"]"
        rb"|=>\s*['\"]|\breturn\s+['\"]|[(,]\s*['\"](?:\w+\\\\)*",
        rb"['\"]",
        functions=True,
        built=re.compile(rb"->\{|->\$\w+\s*\(|\bcall_user_func|::\$\w+\s*\(|\[\$this,\s*\$"),
    ),
    "java": Form(rb"\bget(?:Declared)?(?:Method|Field)\(\s*\"", rb"\""),
    "go": Form(rb"\b(?:MethodByName|FieldByName)\(\s*\"", rb"\"", templates=True),
    "rust": Form(examples=_FENCED),
    "python": Form(examples=_PROMPTS, plain=True, built=re.compile(rb"\b(?:getattr|methodcaller|attrgetter)\s*\(")),
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


_SENDS = re.compile(rb"\b(?:public_send|__send__|send)[ (]+(?![ :'\"])")
SENDERS = ("send", "public_send", "__send__")


def sent(data: bytes) -> Iterator[int]:
    """Where code of Ruby calls a method by a name that is a value."""
    yield from (match.start() for match in _SENDS.finditer(data))


def in_quotes(data: bytes, name: str) -> bool:
    """Whether a string of one line has `name` as a word."""
    word = re.escape(name.encode())
    return re.search(rb"(['\"])(?:(?!\1)[^\n])*(?<!\w)" + word + rb"(?!\w)(?:(?!\1)[^\n])*\1", data) is not None


def of_constants(data: bytes, name: str) -> Iterator[int]:
    """Where a statement of Ruby names a constant by its symbol, as `autoload` does."""
    form = rb"\b(?:autoload|\w+_constant|const_get|const_defined\?)\b[ (]*(?::\w+, *)*:(" + re.escape(name.encode())
    yield from (match.start(1) for match in re.finditer(form + rb")(?!\w)", data))


def is_plain_symbol(node: Node) -> bool:
    """Whether a symbol of Ruby is a key or is compared, so that it names no method."""
    symbol = node if node.type == "simple_symbol" else node.parent
    around = symbol.parent if symbol is not None else None
    if symbol is None or around is None or symbol.type != "simple_symbol":
        return False
    return around.type in _KEYS or (around.type == "pair" and around.child_by_field_name("key") == symbol)


def begun(form: Form, data: bytes, name: str) -> Iterator[int]:
    """Where a string begins `name` and others are added to it, in a file that takes members by such names."""
    if form.built is None or not form.built.search(data):
        return
    for word in re.finditer(r"(?<=[a-z0-9])[A-Z]|(?<=_)[A-Za-z]", name):
        first = re.escape(name[: word.start()].encode())
        for match in re.finditer(rb"['\"`]" + first + rb"(?:['\"]\s*[.+]|[#$]?\{|\$\w|\$\{|%[sd(])", data):
            yield match.start() + 1


def in_templates(data: bytes, name: str) -> Iterator[int]:
    """Where a template may take a member, or a function, by its name."""
    word = re.compile(rb"(?<![\w$])" + re.escape(name.encode()) + rb"(?![\w$])")
    for block in _TEMPLATES.finditer(data):
        tag = _TAG.match(block[0])
        yield from (block.start() + match.start() for match in word.finditer(block[0], tag.end() if tag else 0))


def after_whole(data: bytes, parent: str, name: str) -> Iterator[int]:
    """Where `name` stands with all that is around it."""
    whole = re.escape(parent.replace(".", "::").encode()) + rb"::(" + re.escape(name.encode())
    yield from (match.start(1) for match in re.finditer(rb"(?<![\w:])" + whole + rb")(?!\w)", data))


def in_macros(data: bytes, name: str) -> Iterator[int]:
    """Where macros have `name` as a word that is no member."""
    for macro in _MACRO.finditer(data):
        for match in re.finditer(rb"(?<![\w.>])" + re.escape(name.encode()) + rb"(?!\w)", macro[0]):
            yield macro.start() + match.start()


class InExample(NamedTuple):
    """A name in an example: its offset, what it is taken from and by which sign, and the code with its offset."""

    start: int
    taken_from: str
    sign: str
    code: bytes
    code_start: int


def in_examples(form: Form, data: bytes, name: str) -> Iterator[InExample]:
    """Where examples that are run as tests have `name`; their code has blanks for what marks it as a comment."""
    word = re.compile(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?!\w)")
    for block in form.examples.finditer(data) if form.examples else ():
        code = _MARGIN.sub(lambda margin: b" " * len(margin[0]), block[1])
        for match in word.finditer(_QUOTED.sub(lambda quoted: b" " * len(quoted[0]), block[1])):
            start = block.start(1) + match.start()
            taken = _QUALIFIED.search(data[max(0, start - 80) : start])
            words = (taken[1].decode("utf-8", "replace"), taken[2].decode()) if taken else ("", "")
            yield InExample(start, *words, code, block.start(1))


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


_FILLED = re.compile(rb"(?:\*\*|%\s*|format_map\()(?:globals|locals|vars)\(\)")


def in_fields(data: bytes, name: str) -> Iterator[int]:
    """Where strings have `name` as a field, in a file that fills such fields from all its names."""
    if _FILLED.search(data):
        for match in re.finditer(rb"(?:\{|%\()(" + re.escape(name.encode()) + rb")[}!:.\[)]", data):
            yield match.start(1)


def in_formats(data: bytes, name: str) -> Iterator[int]:
    """Where a format of Python takes a member by its name, in a file that fills such formats."""
    word = re.escape(name.encode())
    if b".format" in data:
        yield from (match.start(1) for match in re.finditer(rb"\{[\w.\[\]]*\.(" + word + rb")[}!:.\[]", data))
    if re.search(rb"\bvars\(|__dict__", data):
        yield from (match.start(1) for match in re.finditer(rb"%\((" + word + rb")\)", data))


def imports_name(data: bytes, name: str) -> bool:
    """Whether an import statement has `name`."""
    return re.search(rb"^\s*(?:import|from)\b.*\b" + re.escape(name.encode()) + rb"\b", data, re.M) is not None


_BY_VARIABLE = re.compile(rb"\b(?:getattr\s*\(\s*[\w.]+\s*,\s*(?![frbu]?['\"])|__getattribute__\s*\(\s*self\s*,\s*\w)")


def takes_any(data: bytes) -> bool:
    """Whether code of Python takes members by names that it gets as values."""
    return _BY_VARIABLE.search(data) is not None


def quoted(data: bytes, name: str) -> Iterator[int]:
    """Where a string is the name."""
    yield from (match.start(2) for match in re.finditer(rb"(['\"])(" + re.escape(name.encode()) + rb")\1", data))


def loads_modules(data: bytes) -> bool:
    """Whether a file of Python loads modules while it runs, so that a value may be one."""
    return re.search(rb"\b(?:importlib|import_module|__import__|sys\.modules|reload|runpy)\b", data) is not None


def takes_all(data: bytes) -> bool:
    """Whether a file imports all names of a module."""
    return re.search(rb"^\s*from\s+\S+\s+import\s+\*", data, re.M) is not None


def makes_global(data: bytes, name: str) -> bool:
    """Whether a function declares that `name` is the one of the top level."""
    return re.search(rb"^\s*global\b.*\b" + re.escape(name.encode()) + rb"\b", data, re.M) is not None
