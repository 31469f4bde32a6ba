"""The text of one import statement → what it names, for each language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Read = tuple[str, tuple[str, ...], str]

_PYTHON_FROM = re.compile(r"from\s*(.*?)\s*\bimport\b(.*)", re.S)
_PYTHON_COMMENT = re.compile(r"#[^\n]*|\\\r?\n|[()]")


def _python(text: str, kind: str) -> list[Read]:
    if "#" in text or "\\" in text or "(" in text:
        text = _PYTHON_COMMENT.sub(" ", text)
    if match := _PYTHON_FROM.match(text):
        names = [words[0] for part in match[2].split(",") if (words := part.split())]
        return [("".join(match[1].split()), tuple(names), "from")]
    parts = text.removeprefix("import").split(",")
    return [(words[0], (), "import") for part in parts if (words := part.split(" as ")[0].split())]


READERS: Mapping[str, Callable[[str, str], list[Read]]] = {
    "python": _python,
}
