"""How requests end on the screen: what happened, what it cost, what is next, each said once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Optimize
from tests.loopback.replies import refuse
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow


def test_without_a_model_files_are_named_and_each_cure_once(stand_in: Callable[..., Optimize], calc: Path) -> None:
    ran = stand_in(calc)("refactor parse_response")
    assert ran.code == 6
    assert ran.out.startswith("calc/parse.py")
    assert "first line" not in ran.out
    assert all(" tokens" in line for line in ran.out.splitlines())
    assert ran.err.count("ollama serve") == 1
    assert "optimize context" in ran.err


def test_without_a_model_and_without_code_nothing_is_there_to_copy(
    stand_in: Callable[..., Optimize], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    ran = stand_in(tmp_path / "empty")("refactor parse_response")
    assert (ran.code, ran.out) == (6, "")
    assert "nothing here resembles the request" in ran.err
    assert "--copy" not in ran.err


def test_a_request_that_every_model_failed_ends_with_an_error_and_no_tokens(user: Optimize, loopback: Loopback) -> None:
    loopback.answer("ollama", lambda _: refuse("ollama", 500, "out of memory"))
    ran = user("explain parse_response", "--tier", "local")
    assert ran.code == 6
    assert " 0 tokens in" not in ran.err
    assert ran.err.splitlines()[-2] == "error: no model gave an answer; nothing was changed"
    assert ran.err.splitlines()[-1].startswith("try:   ")


def test_a_rename_in_two_files_tells_each_check_once(user: Optimize) -> None:
    ran = user("rename total to sum_of", "--yes")
    assert ran.code == 0
    checks = next(line for line in ran.err.splitlines() if line.startswith("checks: "))
    assert checks.startswith("checks: path, text, markers, parses, imports, names, uses ok · confidence")
    assert "in 2 files" in ran.out


def test_a_rename_in_one_file_says_file(user: Optimize) -> None:
    assert "1 place in 1 file\n" in user("rename main to run_line", "--yes").out


def test_a_command_that_was_not_finished_is_told_in_one_line_or_by_its_help(user: Optimize) -> None:
    missing = user("budget", "set")
    assert missing.code == 2
    assert missing.err.splitlines()[0] == "error: Missing argument '{run|day|ask}'. Choose from: run, day, ask"
    helped = user("bench")
    assert (helped.code, helped.out) == (2, "")
    assert helped.err.startswith("Usage: optimize bench")
    assert "error:" not in helped.err


def test_a_misspelt_option_or_choice_meets_the_nearest(user: Optimize) -> None:
    option = user("explain total", "--teir", "local")
    assert (option.code, option.err.splitlines()[0]) == (2, "error: there is no option --teir")
    assert option.err.splitlines()[1].startswith("try:   did you mean --tier")
    choice = user("explain total", "--tier", "locl")
    assert choice.code == 2 and choice.err.splitlines()[-1] == "try:   did you mean local?"
    assert "'abc' is not a whole number." in user("undo", "abc").err
    assert "does not match the format YYYY-MM-DD." in user("metrics", "--date", "yesterday").err


def test_consent_alone_lists_what_was_granted_and_its_log_tells_when_as_people_do(user: Optimize) -> None:
    granted = user("consent")
    assert granted.code == 0
    assert {line.split()[0] for line in granted.out.splitlines()} == {"anthropic", "gemini", "groq"}
    assert user("consent", "log").out == "nothing was sent yet\n"


def test_a_model_named_alone_is_told_its_own_reason(stand_in: Callable[..., Optimize], calc: Path) -> None:
    user = stand_in(calc)
    for command in (("models", "test"), ("explain total", "--model")):
        ran = user(*command, "qwen2.5-coder:14b")
        assert ran.code == 6
        assert "Ollama does not answer at 127.0.0.1:9" in ran.err and "API_KEY" not in ran.err


def test_a_name_that_the_index_does_not_hold_is_told_once(user: Optimize) -> None:
    ran = user("where is parse_respons")
    assert (ran.code, ran.err) == (3, "")
    assert ran.out.startswith("parse_respons is not defined in this repository\ndid you mean:\n")


def test_a_dry_run_tells_who_would_be_asked_and_at_what_price(user: Optimize, loopback: Loopback) -> None:
    ran = user("explain total", "--dry-run", "--max-tier", "budget")
    assert ran.code == 0
    assert [line.split()[:2] for line in ran.out.splitlines() if line.strip()[0].isdigit()] == [
        ["1.", "qwen2.5-coder:7b"],
        ["2.", "openai/gpt-oss-120b"],
        ["3.", "claude-haiku-5-5"],
    ]
    assert "$0.0" in ran.out
    assert not any(loopback.asked(wire) for wire in ("ollama", "groq", "anthropic"))
