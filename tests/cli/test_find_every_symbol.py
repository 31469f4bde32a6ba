"""`find` gives the line of every symbol of made-up repositories in several languages."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from optimizer.cli.main import optimize

Make = Callable[[Mapping[str, str | bytes]], Path]
Place = tuple[str, int]

FORMS: Mapping[str, tuple[str, str]] = {  # how a function and a class with a method are written
    "py": ("def {0}(a):\n    return a\n", "class {0}:\n    def {1}(self):\n        return 1\n"),
    "js": ("function {0}(a) {{\n  return a;\n}}\n", "class {0} {{\n  {1}() {{\n    return 1;\n  }}\n}}\n"),
    "go": (
        "func {0}(a int) int {{\n\treturn a\n}}\n",
        "type {0} struct{{}}\nfunc (x {0}) {1}() int {{\n\treturn 1\n}}\n",
    ),
    "rb": ("def {0}(a)\n  a\nend\n", "class {0}\n  def {1}\n    1\n  end\nend\n"),
    "rs": (
        "fn {0}(a: u8) -> u8 {{\n    a\n}}\n",
        "struct {0};\nimpl {0} {{\n    fn {1}(&self) -> u8 {{\n        1\n    }}\n}}\n",
    ),
}
METHOD_AT = {"rs": 2}
BEGINS = {"go": "package main\n\n"}
PARTS = ("load", "parse", "größe", "row", "http", "cache", "x1", "node")


def made_up(seed: int, files: int) -> tuple[dict[str, str], dict[str, Place]]:
    """Files by path, and where each of their symbols stands; no two symbols share a name."""
    chance = random.Random(seed)
    texts: dict[str, str] = {}
    places: dict[str, Place] = {}
    for number in range(files):
        end = chance.choice(sorted(FORMS))
        path = f"{chance.choice(PARTS)}/{chance.choice(PARTS)}_{number}.{end}"
        text = BEGINS.get(end, "")
        for part in range(chance.randrange(1, 5)):
            line = text.count("\n") + 1
            stem = f"{chance.choice(PARTS)}_{chance.choice(PARTS)}_{number}_{part}"
            if chance.random() < 0.6:
                text += FORMS[end][0].format(stem) + "\n" * chance.randrange(3)
                places[stem] = (path, line)
            else:
                name = f"K{number}P{part}"
                text += FORMS[end][1].format(name, stem) + "\n" * chance.randrange(3)
                places[name] = (path, line)
                places[stem] = (path, line + METHOD_AT.get(end, 1))
        texts[path] = text
    return texts, places


def found(name: str, repository: Path, capsys: pytest.CaptureFixture[str]) -> list[Place]:
    capsys.readouterr()
    optimize.main(["find", name, "--project", str(repository), "--json"], standalone_mode=False)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(row["path"], row["line"]) for row in rows]


@pytest.mark.slow
def test_find_of_every_symbol_gives_its_line(
    make_repo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIMIZER_HOME", str(tmp_path / "home"))
    texts, places = made_up(3, 12)
    repository = make_repo(dict(texts))
    assert {name: found(name, repository, capsys) for name in places} == {
        name: [place] for name, place in places.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_find_of_every_symbol_of_more_repositories(
    seed: int, make_repo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIMIZER_HOME", str(tmp_path / "home"))
    texts, places = made_up(100 + seed, 40)
    repository = make_repo(dict(texts))
    for name, place in places.items():
        assert found(name, repository, capsys) == [place], name
