"""Tests hold no sentences outside the snapshots: a sentence can be changed in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDERS = ("agent", "api", "cli", "e2e")
PHRASE = re.compile(r"(?<![\w./=-])(?!optimize )[A-Za-z'’]+[,;:.]?(?: [A-Za-z'’]+[,;:.]?){3,}(?![\w(=/])")
COMMAND = re.compile(r"\boptimize(?: [a-z]+)+")


def held(node: ast.AST) -> Iterator[str]:
    """The texts that an assert compares with; what is handed to a call is input."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Call):
        compares = {"all", "any", "count", "endswith", "index", "search", "sorted", "startswith"}
        if getattr(node.func, "attr", getattr(node.func, "id", "")) in compares:
            for argument in node.args:
                yield from held(argument)
    else:
        for child in ast.iter_child_nodes(node):
            yield from held(child)


def phrases(source: str) -> list[str]:
    """The phrases of four words or more in asserts and in `match=`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        asserted = [node.test] if isinstance(node, ast.Assert) else []
        matched = [one.value for one in node.keywords if one.arg == "match"] if isinstance(node, ast.Call) else []
        found += [text for one in (*asserted, *matched) for text in held(one) if PHRASE.search(COMMAND.sub("", text))]
    return found


def test_a_phrase_is_found() -> None:
    assert phrases("assert 'the file is not there' in err\nassert run('do what I ask for') == 3") == [
        "the file is " + "not there"
    ]
    assert phrases("with raises(E, match='no such file here'): pass") == ["no such " + "file here"]
    assert not phrases("assert 'optimize consent grant groq' in err")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_assert_holds_a_sentence(folder: str) -> None:
    files = sorted((Path(__file__).parent / folder).glob("*.py"))
    assert files
    assert {file.name: found for file in files if (found := phrases(file.read_text(encoding="utf-8")))} == {}
