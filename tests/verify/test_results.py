"""What is read of a report that the tests themselves may have written."""

from __future__ import annotations

from pathlib import Path

from optimizer.verify import results


def test_a_report_beyond_all_measure_is_not_read(tmp_path: Path) -> None:
    reporting = results.reporter(("pytest",), "pytest", "pytest", tmp_path)
    case = b"<testsuites><testsuite><testcase classname='a' name='b'/></testsuite></testsuites>"
    Path(reporting.file).write_bytes(case)
    assert results.read(reporting, "", tmp_path).complete
    with Path(reporting.file).open("r+b") as file:
        file.truncate(results.MOST_BYTES + 1)
    assert not results.read(reporting, "", tmp_path).complete


def test_many_tests_of_one_name_are_all_kept() -> None:
    """Numbered one after the other, and without a search from the first for each: that would take an hour."""
    found = results.read(results.PRINTED, "ok 1 - a\n" * 200_000, Path("/x")).tests
    assert len(found) == 200_000
    assert {"a", "a #2", "a #200000"} <= found.keys()


def test_names_that_unittest_prints_are_read() -> None:
    printed = "test_a (a.T) ... ok\ntest_b (a.T)\nWhat it does. ... skipped 'x'\ntest_c (a.T) ... FAIL\n"
    assert results.read(results.PRINTED, printed, Path("/x")).tests == {
        "test_a (a.T)": "passed",
        "test_b (a.T)": "skipped",
        "test_c (a.T)": "failed",
    }


def test_a_runner_that_was_to_write_a_report_and_wrote_none_has_not_come_to_its_end(tmp_path: Path) -> None:
    reporting = results.reporter(("pytest",), "pytest", "pytest", tmp_path)
    assert not results.read(reporting, "2 passed in 0.01s\n", tmp_path).complete
