"""Words that are no request: they run what they say, or say what to use, and no model is asked."""

from __future__ import annotations

import pytest

from optimizer.cli.main import main, with_default
from optimizer.cli.words import INSTEAD, KEYS
from optimizer.errors import InputError
from optimizer.vendors import VENDORS


@pytest.mark.parametrize(("argv", "meant"), [
    (["version"], ["--version"]), (["help"], ["--help"]), (["HELP"], ["--help"]),
    (["help", "find"], ["find", "--help"]), (["help", "me", "fix", "it"], ["run", "help", "me", "fix", "it"]),
    (["login fails, why"], ["run", "login fails, why"]),
    (["login", "page", "is", "slow"], ["run", "login", "page", "is", "slow"]),
    (["init the database"], ["run", "init the database"]), (["run", "init"], ["run", "init"]),
    (["-v", "where is x"], ["run", "-v", "where is x"]), (["-q", "find", "x"], ["find", "x", "-q"]),
])  # fmt: skip
def test_what_a_line_means(argv: list[str], meant: list[str]) -> None:
    assert with_default(argv) == meant


@pytest.mark.parametrize("word", sorted(INSTEAD))
def test_a_word_that_is_no_request_is_refused_with_what_to_use(word: str) -> None:
    for argv in ([word], [word.title(), "--json"]):
        with pytest.raises(InputError) as refused:
            with_default(argv)
        assert refused.value.hint.startswith(INSTEAD[word])


@pytest.mark.parametrize("word", sorted(KEYS))
def test_login_gives_the_keys_as_lines_to_paste(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([word])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    pasted = [line.partition("#")[0].strip() for line in lines if line.strip().startswith("optimize keys set ")]
    assert sorted(pasted) == sorted(f"optimize keys set {one.name}" for one in VENDORS.values() if one.keys)
    named = [variable for one in VENDORS.values() for variable in one.keys[:1]]
    assert all(any(variable in line for line in lines) for variable in named)
