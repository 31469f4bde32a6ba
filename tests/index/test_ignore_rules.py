"""Rules of ignore files: the same verdicts as git's."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from optimizer.index.ignore_rules import hidden_within, rules_of
from tests.conftest import CLEAN, git

WHOLE = [
    "[[:alpha:]a]",
    "[!a]",
    "[^^]",
    "[]a]",
    "[\\]]",
    "[z-a]",
    "[a-\\b]",
    "[--a]",
    "[[:x:]]",
    "[[:a]",
    "[!]a]",
    "[/]",
]
PIECES = st.sampled_from([*"ab.*?!#/[]\\- é\r", "**", "**/", "/**", "\\ ", "\\*", *WHOLE])
LINES = st.lists(st.lists(PIECES, min_size=1, max_size=6).map("".join), min_size=1, max_size=4).map("\n".join)
NAMES = ["a", "b", "ab", "a.b", "x y", "[a]", "!a", "#a", "a*", "é", "a\\b", "-", "a ", ".a", "aab", "^"]


def some_paths() -> list[str]:
    choose = random.Random(5)
    return sorted({"/".join(choose.choices(NAMES, k=choose.randint(1, 4))) for _ in range(80)})


PATHS = some_paths()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rules")
    git(root, "init", "-q")
    return root


def git_hides(root: Path, rules: bytes) -> list[bool]:
    (root / ".git/info/exclude").write_bytes(rules)
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "-v", "-n", "--stdin"],
        cwd=root,
        env={**os.environ, **CLEAN, "HOME": str(root)},
        input=b"".join(os.fsencode(path) + b"\0" for path in PATHS),
        capture_output=True,
        check=False,
    )
    patterns = done.stdout.split(b"\0")[2::4]
    return [bool(pattern) and not pattern.startswith(b"!") for pattern in patterns]


@settings(max_examples=30)
@given(lines=LINES)
@example("a**/b")
@example("/a/**\n!/a/b/")
@example("*\n!*/\n!a.b")
@example("[[:alpha:]]")
@example("\ufeffa\n!**/")
@example("a\\")
def test_the_verdicts_are_those_of_git(empty: Path, lines: str) -> None:
    data, known = lines.encode(), dict[bytes, bool]()
    found = [hidden_within([rules_of(data)], os.fsencode(path), known) for path in PATHS]
    assert found == git_hides(empty, data)


@pytest.mark.parametrize("rule", ["*a" * 60 + "b", "**/a/" * 60 + "b", "*?" * 60 + "b", "a/**/" * 40 + "b"])
def test_no_rule_takes_for_ever(rule: str) -> None:
    for path in (b"a" * 200, b"a/" * 100 + b"a", b"/".join([b"a" * 50] * 30)):
        hidden_within([rules_of(rule.encode())], path, {})


def test_what_is_too_deep_to_match_is_hidden_and_never_shown() -> None:
    deep = b"**/a/**/b/**/c/**/d/e"
    assert hidden_within([rules_of(deep)], b"a/b/c/d/e", {})
    assert hidden_within([rules_of(b"*\n!" + deep)], b"a/b/c/d/e", {})


def test_rules_of_a_folder_hold_below_it_and_the_nearest_counts_most() -> None:
    chain = [rules_of(b"*.txt\n/top\n"), rules_of(b"!keep.txt\n/top\n", b"sub/")]
    hidden = [name for name in (b"a.txt", b"sub/a.txt", b"sub/keep.txt", b"sub/top", b"sub/x/top", b"top", b"x/top")
              if hidden_within(chain, name, {})]  # fmt: skip
    assert hidden == [b"a.txt", b"sub/a.txt", b"sub/top", b"top"]
