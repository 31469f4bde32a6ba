"""Judge a patch by tests: those that passed without it have to run and pass with it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from optimizer.confine.run import Ended
from optimizer.report import checks as report
from optimizer.types import Check, FileChange, Patch
from optimizer.verify import excerpt, judges
from optimizer.verify.checks import not_counted, not_run
from optimizer.verify.commands import Run
from optimizer.verify.copies import Copies, Ran
from optimizer.verify.set_up import changes_tests, is_new_test, is_of_tests

CHEAP_SECONDS = 10.0
MOST_RUN_AGAIN = 5
NO_TESTS = 5  # pytest's exit code when it collected none
_TOKEN = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|\w+|[^\w\s]")
_CASE_NUMBERS = re.compile(r"\d+(?=[-\]])")
_NAME = re.compile(r"[^\W\d]\w*")
_ENDS = re.compile(
    rb"process\[|process\.(?:exit|reallyExit|abort|kill)\b|\{[^}=\n]*\bexit\b[^}=\n]*\}\s*=\s*(?:process|require)\b"
    rb"|require\(['\"](?:node:)?process['\"]\)|from ['\"](?:node:)?process['\"]|\b_exit\b|\bexec(?:v|l)[pe]{0,2}\b"
    rb"|sys\.exit\b|SystemExit|os\.(?:kill|abort)\b|\b\w+\.Exit\b|syscall\.(?:Kill|Exec|RawSyscall\w*|Syscall\w*)\b"
    rb"|process::(?:exit|abort|\{[^}]*\b(?:exit|abort)\b)|\.exec\(\)|\basm!|\blink_name\b|\b_?exit\s*\(|System\.exit\b|\bdie\b"
    rb"|Deno\.exit"
)


class Tested(NamedTuple):
    """The check, the changed files of tests that hold the program to less than before, and those of `judges`."""

    check: Check
    weakened: tuple[str, ...] = ()
    judging: tuple[str, ...] = ()


def judge(run: Run, copies: Copies) -> Tested:
    """Run tests with the patch and without it. Raises StorageError when no copy can be made."""
    after = copies.run(run, "after")
    if why := why_not_run(run, after.ended):
        return Tested(not_run("tests", why))
    if _is_cheap(run, after.ended):
        whole = judge(replace(run, files=run.files + run.further, further=()), copies)
        if whole.check.passed is not None or whole.weakened or whole.judging:
            return whole
    before = copies.run(run, "before")
    judging = judges.reached(copies.patch.changes)
    if check := _failed(run, after, before, copies) or _left_early(run, after, before):
        return Tested(private(_with_layer(check, after.ended), after.ended, run), judging=judging)
    held_to_less = _held_to_less(run, after, before, copies)
    found = held_to_less or Tested(_passed_or_not(run, after, before, copies.patch, is_judging=bool(judging)))
    check = private(_with_layer(found.check, after.ended), after.ended, run)
    return found._replace(check=check, judging=judging)


def _with_layer(check: Check, ended: Ended) -> Check:
    """The check with what confined its command in its detail."""
    limits = report.confined(ended.layer)
    return check if limits in check.detail else check._replace(detail=f"{check.detail}; {limits}")


def why_not_run(run: Run, ended: Ended) -> str:
    """Why a command did not run; '' where it did."""
    return report.skipped("unconfined", run.command.text, run.command.kind) if ended.unconfined else ended.missing


def why_stopped(run: Run, ended: Ended) -> str:
    """Why a command was stopped; '' where it ended by itself."""
    if ended.exceeded:
        return report.exceeded(run.command.text, ended.exceeded)
    return report.timed_out(run.command.text, ended.seconds) if ended.timed_out else ""


def private(check: Check, ended: Ended, run: Run) -> Check:
    """The check without what a command printed that nothing confined: models are shown it."""
    is_open = ended.layer == "none" and check.passed is False
    return check._replace(evidence=report.unconfined(run.command.text)) if is_open else check


def is_adapted(change: FileChange) -> bool:
    """Whether a change only puts names in the place of others, each always in that of the same one."""
    if change.before is None or change.after is None:
        return False
    old, new = (_TOKEN.findall(text.decode("utf-8", "replace")) for text in (change.before, change.after))
    pairs = {(one, other) for one, other in zip(old, new, strict=False) if one != other}
    names = all(_NAME.fullmatch(one) and _NAME.fullmatch(other) for one, other in pairs)
    return (
        len(old) == len(new) and names and len({one for one, _ in pairs}) == len(pairs) == len({to for _, to in pairs})
    )


def _is_cheap(run: Run, ended: Ended) -> bool:
    """Whether all tests will take no more than CHEAP_SECONDS, at the pace of those that ran."""
    affordable = ended.seconds * (1 + len(run.further) / max(len(run.files), 1)) <= CHEAP_SECONDS
    return ended.code == 0 and bool(run.further) and affordable


def _failed(run: Run, after: Ran, before: Ran, copies: Copies) -> Check | None:
    """The check where tests fail, or the runner does; None where neither fails."""
    ended, command, is_pytest = after.ended, run.command.text, run.command.tool == "pytest"
    failed_tests = excerpt.failed_tests if is_pytest else excerpt.failed_elsewhere
    failed = failed_tests(ended.output)
    new = _newly(failed, failed_tests(before.ended.output), copies.patch)
    unprinted = not failed and bool(after.results.named("failed") - before.results.named("failed"))
    is_covered_less = is_pytest and ended.code == 1 and not failed and " passed" in ended.output
    nothing_ran = is_pytest and ended.code == NO_TESTS
    if not (new or unprinted) and (ended.code == 0 or is_covered_less or nothing_ran):
        return None
    if not (new or unprinted) and failed and _others_passed(after, before):
        return None
    if not (new or unprinted) and (failed or before.ended.code != 0):
        return not_counted("tests", report.fails_without(command, len(failed)))
    if stopped := why_stopped(run, ended):
        return Check("tests", False, stopped, excerpt.of_any(ended.output, after.tree) or stopped)
    if is_pytest and new and _by_chance(run, new, copies):
        return not_counted("tests", report.failed_once(min(new)))
    is_named = is_pytest and new
    shown = excerpt.of_pytest(ended.output, new, after.tree) if is_named else excerpt.of_any(ended.output, after.tree)
    what = report.first_of(sorted(new)) if new else command
    return Check("tests", False, f"{what} failed", shown)


def _newly(failed: frozenset[str], before: frozenset[str], patch: Patch) -> frozenset[str]:
    """The tests that newly fail. A change of tests may shift the numbers that pytest gives to cases of one test."""
    new = failed - before
    if not any(map(changes_tests, patch.changes)):
        return new
    were, are = (Counter(map(_numberless, names)) for names in (before, failed))
    return frozenset(name for name in new if are[_numberless(name)] > were[_numberless(name)])


def _numberless(name: str) -> str:
    return _CASE_NUMBERS.sub("", name)


def _others_passed(after: Ran, before: Ran) -> bool:
    """Whether reports that came to their end name tests that pass, next to those that fail without the patch too."""
    return bool(after.results.named("passed")) and all(
        one.results.complete and one.results.source == "report" for one in (after, before)
    )


def _by_chance(run: Run, failed: frozenset[str], copies: Copies) -> bool:
    """Whether the failed tests, run alone, pass by their report with the patch or fail without it too."""
    if any("::" not in name for name in failed) or len(failed) > MOST_RUN_AGAIN:
        return False
    alone = replace(run, files=tuple(sorted(failed)))
    again = copies.run(alone, "after")
    still = excerpt.failed_tests(again.ended.output)
    if again.ended.code == 0 or not still:
        passed = again.results.named("passed") if again.results.complete else ()
        return again.ended.code == 0 and len(passed) >= len(failed)
    return still <= excerpt.failed_tests(copies.run(alone, "before").ended.output)


def _left_early(run: Run, after: Ran, before: Ran) -> Check | None:
    """The check where the runner did not come to its end, but does without the patch."""
    if after.results.complete or not (before.results.complete and before.results.tests):
        return None
    early = report.left_early(run.command.text)
    return Check("tests", False, early, excerpt.of_any(after.ended.output, after.tree) or early)


def _held_to_less(run: Run, after: Ran, before: Ran, copies: Copies) -> Tested | None:
    """The outcome where a test that passed is gone, is skipped, or fails in its old form; None where none is."""
    passed = before.results.named("passed")
    still = frozenset(name for name in after.results.named("passed") if name in passed or not _is_file(name, after))
    if after.results.source == "none" != before.results.source:
        still = frozenset()
    gone = passed - still if len(still) < len(passed) else frozenset()
    changed = tuple(
        one.path for one in copies.patch.changes if copies.changes_tests(one, run) and not _is_harmless(one)
    )
    if not changed and gone:
        lost = report.lost(sorted(gone))
        return Tested(Check("tests", False, lost, lost))
    if not changed:
        return None
    refuted = _refuted(run, passed, copies)
    silenced = {name for name in gone & refuted if not _is_removed(name, copies.patch.changes)}
    if silenced:
        lost = report.lost(sorted(silenced))
        return Tested(Check("tests", False, lost, lost))
    if not (gone or refuted):
        return None
    why = report.weakened(sorted(gone), sorted(refuted - gone))
    return Tested(not_counted("tests", why), changed)


def _is_file(name: str, ran: Ran) -> bool:
    """Whether the name of a test is that of its file: so node names a file that ended before its first test."""
    return os.path.isfile(ran.tree / name)  # noqa: PTH113  # a name may be too long for a path


def _refuted(run: Run, passed: frozenset[str], copies: Copies) -> frozenset[str]:
    """The tests that fail in their old form with the patch, twice; none where it changes nothing but tests."""
    if not copies.changes_more(run):
        return frozenset()
    refuted = passed - copies.run(run, "old tests").results.named("passed")
    return refuted and refuted - copies.run(run, "old tests").results.named("passed")


def _is_removed(name: str, changes: Iterable[FileChange]) -> bool:
    """Whether a change takes the text of a test away, by the last word of its name."""
    word = re.split(r"\W", name.partition("[")[0])[-1].encode()
    return any(word in (one.before or b"") and word not in (one.after or b"") for one in changes)


def _is_harmless(change: FileChange) -> bool:
    """Whether a change of tests holds the program to no less: a new file of tests, or other names."""
    return is_new_test(change) or is_adapted(change)


def _passed_or_not(run: Run, after: Ran, before: Ran, patch: Patch, *, is_judging: bool) -> Check:
    ended, command = after.ended, run.command.text
    if run.command.tool == "pytest" and ended.code == NO_TESTS:
        return not_run("tests", report.no_test_collected())
    if is_judging:
        return not_counted("tests", report.changes_its_judge())
    if after.results.source != "report" and _adds_an_end(patch.changes):
        return not_counted("tests", report.ends_by_itself(command))
    if after.results.source == "none" and _last_line(before.ended) not in ended.output:
        return not_counted("tests", report.prints_otherwise(command))
    passed = report.passed(command, len(run.files), ended.seconds, report.confined(ended.layer))
    if failed := len(after.results.named("failed")):
        passed += f"; {report.failing_without(failed)}"
    elif ended.code:
        passed += "; it also wants coverage, which a part of the tests lacks"
    return Check("tests", True, passed)


def _adds_an_end(changes: Iterable[FileChange]) -> bool:
    """Whether the code of the program gets more places that end the process."""
    found = [
        (_ENDS.findall(one.after or b""), _ENDS.findall(one.before or b""))
        for one in changes
        if not is_of_tests(one.path)
    ]
    return any(len(after) > len(before) for after, before in found)


def _last_line(ended: Ended) -> str:
    """The last line without figures that a command printed; '' where there is none."""
    lines = [line for line in ended.output.split("\n") if line.strip() and not re.search(r"\d", line)]
    return lines[-1] if ended.code == 0 and lines else ""
