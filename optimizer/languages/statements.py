"""The text of one import statement → what it names, for each language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Read = tuple[str, tuple[str, ...], str]

MOST_BRANCHES = 10_000
_PYTHON_FROM = re.compile(r"from\s*(.*?)\s*\bimport\b(.*)", re.S)
_PYTHON_COMMENT = re.compile(r"#[^\n]*|\\\r?\n|[()]")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
_JS_MODULE = re.compile(r"(?:\bfrom|^import|\(|^export\b.*?\bfrom)\s*(?:/\*.*?\*/\s*)?(['\"`])(.*?)\1", re.S)
_JS_CLAUSE = re.compile(r"^(?:import|export)\s+(?:type\s+)?(.*?)\s*\bfrom\s*['\"]", re.S)
_STRING = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_RUST_USE = re.compile(r"^.*?\buse\s+(.*?);?\s*$", re.S)
_RUST_MOD = re.compile(r"\bmod\s+(?:r#)?(\w+)")
_RUST_CRATE = re.compile(r"\bcrate\s+(\w+)")
_SCALA_RENAME = re.compile(r"\s*(?:=>|\bas\b)\s*\w+")
_SCALA_WILDCARD = re.compile(r"\.(?:_|given)\Z")
_ELIXIR = re.compile(r"(\w+)[\s(]+([A-Z][\w.]*?)(?:\.\{([^{}]*)\})?(?![\w.])")
_SHELL_EXPANSION = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)|\$\{[^{}]*\}|\$\w+|`[^`]*`")
_PHP_GROUP = re.compile(r"^(.*?)\{(.*)\}\s*$", re.S)


def _python(text: str, kind: str) -> list[Read]:
    if "#" in text or "\\" in text or "(" in text:
        text = _PYTHON_COMMENT.sub(" ", text)
    if match := _PYTHON_FROM.match(text):
        names = [words[0] for part in match[2].split(",") if (words := part.split())]
        return [("".join(match[1].split()), tuple(names), "from")]
    parts = text.removeprefix("import").split(",")
    return [(words[0], (), "import") for part in parts if (words := part.split())]


def _javascript(text: str, kind: str) -> list[Read]:
    match = _JS_MODULE.search(text)
    if not match or "${" in match[2]:
        return []
    clause = _JS_CLAUSE.match(text) if kind in ("import", "export") else None
    names: list[str] = []
    if clause:
        for part in _COMMENT.sub(" ", clause[1]).replace("{", ",").replace("}", ",").split(","):
            words = part.removeprefix("type ").split()
            if words:
                names.append(words[0])
    return [(match[2], tuple(names), "require" if "require" in text[: match.start() + 1] else kind)]


def _go(text: str, kind: str) -> list[Read]:
    alias, _, module = text.rpartition(" ")
    return [(module.strip('"`'), (alias.strip(),) if alias.strip() else (), kind)]


def _rust(text: str, kind: str) -> list[Read]:
    if kind == "use":
        match = _RUST_USE.match(_COMMENT.sub(" ", text))
        return [(path, (), kind) for path in _branches(match[1])] if match else []
    found = (_RUST_MOD if kind == "mod" else _RUST_CRATE).search(text)
    return [(found[1], (), kind)] if found else []


def _branches(tree: str) -> list[str]:
    """`a::{b, c::{self, d}}` → a::b, a::c, a::c::d; without recursion, since the nesting is the writer's."""
    done: list[str] = []
    prefixes: list[str] = []
    prefix, word = "", ""
    for sign in tree + ",":
        if sign == "{":
            prefixes.append(prefix)
            prefix, word = prefix + word.strip(), ""
        elif sign in ",}":
            leaf = word.split(" as ")[0].strip()
            if leaf:
                path = prefix.rstrip(":") if leaf == "self" and prefix else prefix + leaf
                done.append("".join(path.split()))
            word = ""
            if sign == "}":
                prefix = prefixes.pop() if prefixes else ""
        else:
            word += sign
        if len(done) > MOST_BRANCHES:
            break
    return done


def _java(text: str, kind: str) -> list[Read]:
    words = "".join(_COMMENT.sub(" ", text).rstrip("; \r\n").replace("import", " ", 1).split(" ")).split()
    name = "".join(words)
    if name.startswith("static") and " static" in f" {' '.join(text.split()[1:])}":
        return [(name.removeprefix("static"), (), "static")]
    return [(name, (), kind)] if name else []


def _c(text: str, kind: str) -> list[Read]:
    start = min((place for place in (text.find('"'), text.find("<")) if place >= 0), default=-1)
    if start < 0:
        return []
    end = text.find('"' if text[start] == '"' else ">", start + 1)
    name = text[start + 1 : end].strip()
    return [(name, (), "include-local" if text[start] == '"' else "include-system")] if end > 0 and name else []


def _ruby(text: str, kind: str) -> list[Read]:
    match = _STRING.search(text)
    module = (match[1] or match[2] or "") if match else ""
    return [(module, (), text.split("(")[0].split()[0])] if module and "#{" not in module else []


def _php(text: str, kind: str) -> list[Read]:
    return _php_use(text) if kind == "use" else _php_include(text, kind)


def _php_use(text: str) -> list[Read]:
    body = _COMMENT.sub(" ", text).strip().removeprefix("use").strip().rstrip(";")
    prefix = ""
    if group := _PHP_GROUP.match(body):
        prefix, body = group[1].strip(), group[2]
    found: list[Read] = []
    for part in body.split(","):
        words = f"{prefix} {part.strip()}".split() if prefix.endswith(("function", "const")) else part.split()
        kind = "use"
        for word in (prefix.split()[:1] or [""])[0], (words or [""])[0]:
            if word in ("function", "const"):
                kind = f"use-{word}"
        base = prefix.split()[-1] if prefix else ""
        words = [word for word in words if word not in ("function", "const")]
        if words:
            found.append(((base + words[0]).lstrip("\\"), (), kind))
    return found


def _php_include(text: str, kind: str) -> list[Read]:
    literals = [first or second for first, second in _STRING.findall(text)]
    if len(literals) != 1 or not literals[0] or "$" in text:
        return []
    ups = text.count("dirname(") - ("__FILE__" in text)
    here = "__DIR__" in text or "__FILE__" in text
    return [("../" * ups + literals[0].lstrip("/") if here else literals[0], (), kind)]


def _csharp(text: str, kind: str) -> list[Read]:
    words = _COMMENT.sub(" ", text).replace(";", " ").split()
    form = "static" if "static" in words else kind
    return [(words[-1].removeprefix("global::"), (), form)]


def _kotlin(text: str, kind: str) -> list[Read]:
    words = _COMMENT.sub(" ", text).split()
    return [(words[1].rstrip(";"), (), kind)] if len(words) > 1 else []


def _swift(text: str, kind: str) -> list[Read]:
    return [(_COMMENT.sub(" ", text).split()[-1].rstrip(";"), (), kind)]


def _scala(text: str, kind: str) -> list[Read]:
    body = _SCALA_RENAME.sub("", _COMMENT.sub(" ", text).strip().removeprefix("import"))
    return [(_SCALA_WILDCARD.sub(".*", path), (), kind) for path in _branches(body)]


def _lua(text: str, kind: str) -> list[Read]:
    match = _STRING.search(text)
    module = (match[1] or match[2] or "") if match else ""
    return [(module, (), text[: match.start()].rstrip(" \t\r\n("))] if match and module else []


def _elixir(text: str, kind: str) -> list[Read]:
    match = _ELIXIR.match(text)
    if match is None:
        return []
    if match[3] is None:
        return [(match[2], (), match[1])]
    return [(f"{match[2]}.{name}", (), match[1]) for part in match[3].split(",") if (name := part.strip())]


def _bash(text: str, kind: str) -> list[Read]:
    """`. "$(dirname "$0")/x.sh"` → x.sh: what stands before a path is taken for the folder of the script."""
    words = _SHELL_EXPANSION.sub("$", text).split()
    path = words[1].strip("\"'") if len(words) > 1 else ""
    form = "source-here" if path.startswith("$") else "source"
    path = path.lstrip("$").lstrip("/") if form == "source-here" else path
    return [(path, (), form)] if path and "$" not in path else []


READERS: Mapping[str, Callable[[str, str], list[Read]]] = {
    "python": _python,
    "javascript": _javascript,
    "typescript": _javascript,
    "tsx": _javascript,
    "go": _go,
    "rust": _rust,
    "java": _java,
    "c": _c,
    "cpp": _c,
    "ruby": _ruby,
    "php": _php,
    "csharp": _csharp,
    "kotlin": _kotlin,
    "swift": _swift,
    "scala": _scala,
    "lua": _lua,
    "elixir": _elixir,
    "bash": _bash,
}
