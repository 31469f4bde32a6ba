"""What a person reads: no line twice, none wider than the terminal, and no count of one with an s."""

from __future__ import annotations

import re

import pytest

from optimizer.cli.context_table import print_context, print_files
from optimizer.lookup.questions import Citation, lines_of
from optimizer.reasons import NoAnswer
from optimizer.report.decision import no_model
from optimizer.report.evidence import phrase
from optimizer.report.layout import cells, wrapped
from optimizer.report.outcome import budget_line, context_line, verdict_line, verdict_text
from optimizer.retrieval import Context, ContextItem, RankedFile, Signal
from optimizer.types import Check, FileChange, LeftOut, Patch, Verdict
from optimizer.verify.checks import at_once

WHY = (Signal("messages"), Signal("title_messages"))


def context(query: str, *items: ContextItem) -> Context:
    return Context(query, sum(item.tokens for item in items), (RankedFile("a.py", 1.0, WHY),), items)


def item() -> ContextItem:
    return ContextItem("a.py", 1, 2, "f", "body", 7, 1.0, (Signal("title"),), "def f(): ...")


def test_a_check_of_many_files_is_told_once_and_each_failure_by_itself() -> None:
    good = [FileChange(f"{name}.py", b"a = 1\n", b"a = 2\n") for name in "abc"]
    named = [check.name for check in at_once(Patch(tuple(good)), None).checks]
    assert "parses" in named
    assert len(named) == len(set(named))
    bad = [FileChange(f"{name}.py", b"a = 1\n", b"a = (\n") for name in "xy"]
    failed = [check for check in at_once(Patch((*good, *bad)), None).checks if check.passed is False]
    assert [(check.name, check.detail[:4]) for check in failed] == [("parses", "x.py"), ("parses", "y.py")]


def test_a_check_that_some_file_passed_and_no_file_failed_has_passed() -> None:
    changes = (FileChange("a.bin", b"\0", b"\0\0"), FileChange("a.py", b"", b"a = 1\n"))
    assert {c.name: c.passed for c in at_once(Patch(changes), None).checks}["text"] is True


def test_checks_that_passed_share_a_line_and_each_other_one_has_its_own() -> None:
    why = "not run: nobody allowed them"
    checks = (Check("path", True), Check("text", True), Check("tests", None, why))
    lines = verdict_text(Verdict(True, (*checks, Check("lint", False, "E1")), 0.5)).split("\n")
    assert lines == [
        *lines[:1],
        f"tests {why}",
        "lint failed: E1",
    ]
    assert "path, text" in lines[0] and "0.50" in lines[0]


def test_what_ran_and_proves_nothing_is_not_among_what_did_not_run() -> None:
    idle = [Check(name, None, "not run: x", ran=False) for name in ("names", "uses", "lint")]
    why = "not counted: the change alters tests: test_a fails in its old form on the new code"
    first, second = verdict_line(Verdict(True, (Check("path", True), *idle, Check("tests", None, why)), 0.5)).split(
        "\n"
    )
    assert "uses and lint" in first and "tests" not in first
    assert second == f"tests {why}"


@pytest.mark.parametrize("columns", [20, 80])
def test_what_is_too_wide_is_broken_between_words_and_set_in(columns: int) -> None:
    text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    lines = wrapped(text, columns).split("\n")
    assert all(cells(line) < columns for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])
    assert " ".join(line.strip() for line in lines) == text
    assert wrapped(text, None) == text


def test_one_piece_of_one_file_is_not_pieces_of_files() -> None:
    assert context_line(context("f", item())) == "context: 7 tokens, 1 piece of 1 file"
    assert "token" not in context_line(context("f"))


def test_the_first_line_of_a_request_of_one_line_is_no_reason_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    print_context(context("one line", item()))
    print_files(context("one line", item()))
    shown = capsys.readouterr().out
    assert "first line" not in shown
    assert shown.count(phrase([Signal("title_messages")], "one line")) == 2
    print_context(context("one line\nand more", item()))
    assert shown.count("first line") == 0 < capsys.readouterr().out.count("first line")


def test_without_code_there_is_no_context_to_copy() -> None:
    left = (LeftOut("", "ollama", "local", NoAnswer("Ollama", "127.0.0.1:11434", "qwen")),)
    assert no_model((), left, "isn't it").endswith("--copy:\n  optimize context 'isn'\"'\"'t it'")
    assert no_model((), left, "why\n" + "x" * 300).endswith('\n  optimize context "…"')
    assert "--copy" not in no_model((), left, "")


def test_an_import_of_a_package_is_one_line_with_its_folder() -> None:
    rows = [Citation("mod/binding", "context.go", 26, "imports", target=f"binding/{name}.go") for name in "abc"]
    rows.append(Citation("os", "context.go", 27, "imports"))
    assert lines_of(rows) == (
        "context.go:26  mod/binding → binding/ (3 files)",
        *lines_of(rows[3:]),
    )
    assert len(lines_of(rows[:2])) == 2


def test_a_table_in_a_pipe_is_as_wide_as_a_usual_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    why = tuple(map(Signal, ("messages", "title_messages", "title", "path")))
    path = f"{'deep/' * 14}a_name_that_is_long.py"
    ranked = (RankedFile("a.py", 1.0, why), RankedFile(path, 0.1, why))
    wide = context("one line", item()._replace(why=why))._replace(files=ranked)
    print_context(wide)
    print_files(wide)
    lines = capsys.readouterr().out.splitlines()
    assert f"  {path}  0.10" in lines, "a path is never cut"
    assert max(cells(line) for line in lines if path not in line) == 80


def test_a_file_without_a_reason_leaves_no_blanks_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    print_files(context("one line", item())._replace(files=()))
    assert capsys.readouterr().out == "a.py  7 tokens\n"


def test_what_takes_the_tokens_of_a_request_is_one_line() -> None:
    parts = {"answer": 1500, "fixed": 688, "notes": 0, "asked": 5, "code": 3807}
    assert re.findall(r"\d[\d,]*", budget_line(6000, parts)) == ["6,000", "1,500", "688", "5", "3,807"]
