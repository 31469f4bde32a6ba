"""The whole loop with real git and real pytest: an edit that parses but fails a test goes on to the next model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import FAILS, GOOD, REQUEST, Optimize, assert_landed_and_undone
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

UNDEFINED = """calc/parse.py
<<<<<<< SEARCH
    return [int(part) for part in parts]
=======
    return [int(part) for part in skip_empty(parts)]
>>>>>>> REPLACE
"""


def test_from_a_failing_test_to_a_landed_change_and_back(tested: Optimize, loopback: Loopback, calc: Path) -> None:
    before = (calc / "calc/parse.py").read_bytes()
    granted = tested("trust", "grant", "tests")
    assert granted.code == 0, granted.err
    loopback.queue("ollama", Reply(text=FAILS, tokens=Tokens(900, 60)))
    loopback.queue("groq", Reply(text="Empty parts are skipped.", calls=(GOOD,), stop="tool", tokens=Tokens(1100, 40)))

    ran = tested(REQUEST, "--yes", "--json")

    assert ran.code == 0, ran.err
    verdicts = [event for event in ran.events if event["event"] == "verdict"]
    assert [verdict["ok"] for verdict in verdicts] == [False, True]
    (failed,) = (check for check in verdicts[0]["checks"] if check["passed"] is False)
    assert failed["name"] == "tests"
    assert verdicts[1]["confidence"] > 0.85
    (asked,) = loopback.asked("groq")
    assert "tests/test_parse.py::test_parts failed" in asked.text
    assert "tests/test_parse.py:5: in test_parts" in asked.text
    assert "assert [] == [1, 2]" in asked.text
    assert_landed_and_undone(tested, before)
    assert not list((tested.home / ".cache/optimizer/scratch").iterdir())


def test_a_name_that_nothing_defines_costs_no_run(tested: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text=UNDEFINED))
    loopback.queue("groq", Reply(text="Done.", calls=(GOOD,), stop="tool"))
    ran = tested(REQUEST, "--json")
    assert ran.code == 0, ran.err
    assert "calc/parse.py:7 uses skip_empty" in loopback.asked("groq")[0].text
    checks = {check["name"]: check for check in ran.event("verdict")["checks"]}
    assert checks["tests"]["passed"] is None
    assert "optimize trust grant tests" in checks["tests"]["detail"]


def test_trust_is_listed_given_and_taken_back(tested: Optimize, calc: Path) -> None:
    (listed,) = tested("trust", "list", "--json").events
    assert (listed["kind"], listed["command"], listed["allowed"]) == ("tests", "pytest", None)
    assert "optimize trust grant" in tested("trust").err
    assert tested("trust", "grant", "lint").code == 2
    assert tested("trust", "grant").code == 0
    assert tested("trust", "list", "--json").events[0]["allowed"] is True
    assert tested("trust", "revoke").code == 0
    assert tested("trust", "list", "--json").events[0]["allowed"] is None


def test_verify_explains_each_test_and_fails_with_its_own_code(tested: Optimize, calc: Path) -> None:
    assert tested("verify", "--json").events == [{"event": "verdict", "ok": True, "checks": []}]
    (calc / "calc/parse.py").write_text(
        "def parse_response(text):\n    return []\n\n\ndef total(text):\n    return 3\n"
    )
    explained = tested("verify", "--explain", "--json")
    assert explained.code == 0
    (step,) = explained.event("plan")["steps"]
    assert [one["path"] for one in step["tests"]] == ["tests/test_parse.py"]
    assert step["tests"][0]["via"][-1] == "calc/parse.py"
    assert step["skip"]
    assert tested("verify").code == 0
    tested("trust", "grant", "tests")
    failed = tested("verify", "--json")
    assert failed.code == 9
    assert "test_parts failed" in failed.event("verdict")["checks"][-1]["evidence"]


def test_verify_shows_evidence_once(tested: Optimize, calc: Path) -> None:
    (calc / "calc/parse.py").write_text((calc / "calc/parse.py").read_text() + "\nbroken\n")
    failed = tested("verify")
    assert failed.code == 9
    assert failed.out.count("uses broken") == 1


def test_a_change_that_weakens_a_test_needs_its_own_yes(tested: Optimize, loopback: Loopback, calc: Path) -> None:
    tested("trust", "grant", "tests")
    weaker = FAILS + (
        '\ntests/test_parse.py\n<<<<<<< SEARCH\n    assert parse_response("1,2") == [1, 2]\n=======\n'
        '    assert parse_response("1,2") is not None\n>>>>>>> REPLACE\n'
        '\ntests/test_parse.py\n<<<<<<< SEARCH\n    assert total("1,2") == 3\n=======\n'
        '    assert total("1,2") >= 0\n>>>>>>> REPLACE\n'
    )
    for options in (["--yes"], ["--yes", "--allow", "tests/test_parse.py"]):
        loopback.queue("ollama", Reply(text=weaker, tokens=Tokens(900, 60)))
        ran = tested(REQUEST, *options, "--json")
        tests = next(check for check in ran.event("verdict")["checks"] if check["name"] == "tests")
        assert tests["passed"] is None and "test_parse.test_parts" in tests["detail"]
        assert ran.code == (0 if "--allow" in options else 4), ran.err
        assert ("is not None" in (calc / "tests/test_parse.py").read_text()) is ("--allow" in options)


def test_a_change_that_could_judge_itself_needs_its_own_yes(tested: Optimize, loopback: Loopback, calc: Path) -> None:
    tested("trust", "grant", "tests")
    forging = (
        "calc/parse.py\n<<<<<<< SEARCH\ndef total(text):\n=======\nclass Any(int):\n    def __eq__(self, other):\n"
        "        return True\n\n\ndef total(text):\n>>>>>>> REPLACE\n"
    )
    for options in (["--yes"], ["--yes", "--allow", "calc/parse.py"]):
        loopback.queue("ollama", Reply(text=forging, tokens=Tokens(900, 60)))
        ran = tested("fix the tests of total in calc/parse.py", *options, "--json")
        assert ran.event("verdict")["judging"] == ["calc/parse.py"], ran.out
        assert ran.code == (0 if "--allow" in options else 4), ran.err
        assert ("Any(int)" in (calc / "calc/parse.py").read_text()) is ("--allow" in options)
