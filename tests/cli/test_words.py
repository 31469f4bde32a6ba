"""What is a command and what a request; text that fits its columns."""

from __future__ import annotations

import shlex
from itertools import groupby

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.cli.commands import COMMANDS
from optimizer.cli.index import LONGEST_WAIT, SHORTEST_WAIT, changed, next_wait
from optimizer.cli.main import optimize, with_default
from optimizer.errors import InputError
from optimizer.report.figures import size
from optimizer.report.layout import cells, cut, cut_start


@pytest.mark.parametrize(
    "argv",
    [
        ["find", "parse"],
        ["find", "--json", "parse"],
        ["find", "parse", "--project", "elsewhere"],
        ["map"],
        ["map", "src", "--tokens", "500"],
        ["index", "--watch"],
        ["refs", "parse"],
        ["context", "why", "does", "it", "fail"],
        ["undo"],
        ["undo", "2", "--merge"],
        ["redo", "--json"],
        ["log", "--limit", "3"],
        ["show"],
        ["show", "12"],
    ],
)
def test_commands(argv: list[str]) -> None:
    assert with_default(argv) == argv


@pytest.mark.parametrize(
    "argv",
    [
        ["find bugs"],
        ["find bugs", "--dry-run"],
        ["find", "bugs", "in", "the", "parser"],
        ["find", "dead", "code", "--yes"],
        ["map", "the", "errors", "to", "codes"],
        ["index", "the", "new", "table"],
        ["bind", "the", "socket", "to", "localhost"],
        ["fine", "tune", "the", "cache"],
        ["maps", "of", "strings", "leak"],
        ["explain", "refs"],
        ["refactor"],
        ["--tier", "local", "find bugs"],
        ["show", "parse_reply"],
        ["show", "me", "parse_reply"],
        ["log", "every", "request"],
        ["undo", "the", "last", "rename"],
        ["how", "does", "login", "work"],
        ["how", "logs", "rotate"],
    ],
)
def test_requests(argv: list[str]) -> None:
    assert with_default(argv) == ["run", *argv]


@pytest.mark.parametrize(
    "argv", [["contxt", "x"], ["metrcs"], ["consnt", "grant", "groq"], ["idnex"], ["unod"], ["finds", "x"]]
)
def test_misspelt_commands(argv: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        with_default(argv)
    assert any(repr(name) in caught.value.message for name in COMMANDS)


@given(st.text(), st.integers(1, 40))
def test_cut_text_fits(text: str, space: int) -> None:
    for shorter in (cut(text, space), cut_start(text, space)):
        assert cells(shorter) <= space
    assert cells(text) > space or cut(text, space) == text
    assert cut(text, None) == text


def test_wide_and_combining_characters() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert cut("日本語", 5) == "日本…"


def test_waits_between_looks() -> None:
    waits = [next_wait(idle, 0.05) for idle in range(500)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (SHORTEST_WAIT, LONGEST_WAIT)
    assert next_wait(0, 2.0) == 20.0


def test_changes_between_two_looks() -> None:
    before, after = {"a": 1, "b": 2, "c": None}, {"b": 3, "c": None, "d": 4}
    assert list(changed(before, after)) == [("gone", "a"), ("changed", "b"), ("new", "d")]


def test_sizes_as_read() -> None:
    assert [size(count) for count in (0, 999, 1500, 2_500_000, 3 * 10**9)] == [
        "0 bytes",
        "999 bytes",
        "1.5 kB",
        "2.5 MB",
        "3.00 GB",
    ]


def test_every_command_has_an_example_that_is_this_command_and_its_section_is_in_one_piece() -> None:
    sections = [row.section for row in COMMANDS.values()]
    assert len([name for name, _ in groupby(sections)]) == len(set(sections))
    top = click.Context(optimize, help_option_names=["-h", "--help"])
    for name, row in COMMANDS.items():
        assert row.examples
        for line in row.examples:
            argv = with_default(shlex.split(line)[1:])
            assert argv[0] == name
            command = optimize.get_command(top, name)
            assert command is not None
            command.make_context(name, argv[1:], parent=top)


@pytest.mark.parametrize("name", ["", "models", "profile", "config", "trust", "budget", "consent", "bench"])
def test_no_short_help_is_cut_in_a_terminal_of_80_columns(name: str) -> None:
    top = click.Context(optimize, info_name="optimize", terminal_width=80, help_option_names=["-h", "--help"])
    command = optimize.get_command(top, name) if name else optimize
    assert command is not None
    context = click.Context(command, info_name=name, parent=top, terminal_width=80) if name else top
    lines = command.get_help(context).splitlines()
    assert not [line for line in lines if line.startswith("  ") and line.endswith("...")]
    assert all(len(line) <= 80 for line in lines)
