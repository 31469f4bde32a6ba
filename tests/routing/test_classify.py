import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.routing.classify import classify
from optimizer.types import Context, ContextItem, Query, Task

TRACEBACK = "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\nKeyError: 'x'\n"

# what is typed → kind, whether edits are wanted
LABELLED = [
    ("refactor parse_response", "refactor", True),
    ("Refactor the session class to use dataclasses", "refactor", True),
    ("split optimizer/cli.py into smaller modules", "refactor", True),
    ("please extract the retry logic into its own function", "refactor", True),
    ("rename Client.send to Client.request", "refactor", True),
    ("move the helpers from utils.py to text.py", "refactor", True),
    ("simplify the conditions in is_valid", "refactor", True),
    ("could you clean up the imports in views.py?", "refactor", True),
    ("deduplicate the two parsers", "refactor", True),
    ("convert this module to async", "refactor", True),
    ("rewrite load() without recursion", "refactor", True),
    ("I want to inline the wrapper around open_db", "refactor", True),
    ("migrate the tests from unittest to pytest", "refactor", True),
    ("add a --verbose flag to the CLI", "edit", True),
    ("Add type hints to models.py", "edit", True),
    ("implement __repr__ for Config", "edit", True),
    ("make the timeout configurable", "edit", True),
    ("change the default port to 8080", "edit", True),
    ("please remove the deprecated argument from connect", "edit", True),
    ("can you support YAML in load_config?", "edit", True),
    ("write a docstring for parse_header", "edit", True),
    ("update the version in setup.py", "edit", True),
    ("replace print with logging in worker.py", "edit", True),
    ("handle empty input in tokenize", "edit", True),
    ("validate the email address before saving the user", "edit", True),
    ("speed up build_index", "edit", True),
    ("optimize the query in get_orders", "edit", True),
    ("I'd like you to cache the result of fetch_rates", "edit", True),
    ("let users choose the output directory", "edit", True),
    ("use pathlib instead of os.path in scanner.py", "edit", True),
    ("document the public functions of store.py", "edit", True),
    ("In server.py, add a health check endpoint", "edit", True),
    ("the port is hard-coded, please make it an option", "edit", True),
    ("write tests for the tokenizer", "test", True),
    ("add unit tests for Ledger.add", "test", True),
    ("add a test that covers the empty list", "test", True),
    ("test the error paths of open_db", "test", True),
    ("create pytest cases for parse_date", "test", True),
    ("increase the coverage of routing.py", "test", True),
    ("cover the branch where the file is missing", "test", True),
    ("generate property tests for the parser", "test", True),
    ("improve the tests of the scheduler", "test", True),
    ("fix the KeyError in load_user", "debug", True),
    ("fix the failing test test_login", "debug", True),
    ("debug the memory leak in the worker pool", "debug", True),
    ("Can you fix this?", "debug", True),
    ("investigate and fix the race in Cache.get", "debug", True),
    ("the app crashes when the config file is empty", "debug", True),
    ("parse_date returns None for leap days but should return a date", "debug", True),
    ("login doesn't work with special characters", "debug", True),
    ("IndexError: list index out of range in rank.py", "debug", True),
    ("make the tests pass again", "debug", True),
    ("give Config a __repr__", "edit", True),
    ("why does parse_response crash on empty input?", "debug", False),
    ("why is test_upload failing?", "debug", False),
    ("what causes the deadlock in the pool, and can you fix it?", "debug", True),
    ("stop the server from leaking file handles", "debug", True),
    ("resolve the circular import between a.py and b.py", "debug", True),
    ("explain how the router works", "explain", False),
    ("what does parse_response return?", "explain", False),
    ("how does the cache decide what to evict?", "explain", False),
    ("where is the consent checked?", "explain", False),
    ("describe the architecture", "explain", False),
    ("summarize store.py", "explain", False),
    ("walk me through the startup sequence", "explain", False),
    ("is Session thread-safe?", "explain", False),
    ("how do I add a new provider?", "explain", False),
    ("which functions write to disk", "explain", False),
    ("can you explain the retry policy?", "explain", False),
    ("tell me what this repository is about", "explain", False),
    ("compare load() and load_all()", "explain", False),
    ("review my changes to policy.py", "explain", False),
    ("give me an overview of the index", "explain", False),
    ("the scheduler?", "explain", False),
    ("hello", "general", False),
    ("parse_response", "general", False),
    ("thanks a lot", "general", False),
    ("Grüße an alle", "general", False),
]


def task(text: str, extra: str = "", files: int = 1, tokens: int = 1000) -> Task:
    items = tuple(ContextItem(f"f{n}.py", 1, 2, "", "body", 10, 1.0, "", "") for n in range(files))
    return classify(Query(text, extra), Context(text, 0, (), items), tokens)


@pytest.mark.parametrize(("text", "kind", "wants_edits"), LABELLED)
def test_labelled_requests(text: str, kind: str, wants_edits: bool) -> None:
    got = task(text)
    assert (got.kind, got.wants_edits) == (kind, wants_edits), got.reasons
    assert got.reasons[0]


def test_there_are_enough_labels() -> None:
    assert len(LABELLED) >= 60
    assert {kind for _, kind, _ in LABELLED} == {"explain", "edit", "refactor", "test", "debug", "general"}


def test_a_piped_failure_is_something_to_debug() -> None:
    assert task("the login page", TRACEBACK).kind == "debug"
    assert task("what is this?", TRACEBACK).kind == "debug"
    assert task("what is this?", TRACEBACK).wants_edits is False
    assert task("add a retry", TRACEBACK).kind == "edit"


@pytest.mark.parametrize(
    ("easier", "harder"),
    [
        ("fix the typo in the README", "fix the race in Cache.get"),
        ("rename the constant", "refactor the whole codebase to async"),
        ("add a log message", "add a log message to every handler, then migrate the callers"),
        ("explain f", "refactor f"),
    ],
)
def test_difficulty_follows_the_words(easier: str, harder: str) -> None:
    assert task(easier).difficulty < task(harder).difficulty


def test_difficulty_follows_the_context_and_says_why() -> None:
    small, large = task("add a flag"), task("add a flag", files=6, tokens=5000)
    assert large.difficulty == pytest.approx(small.difficulty + 0.2)
    assert "6 files in view" in large.reasons
    assert "a prompt of 5000 tokens" in large.reasons
    assert (large.input_tokens, large.output_tokens) == (5000, 600)


@given(text=st.text(max_size=200), extra=st.text(max_size=100), tokens=st.integers(0, 10**6))
def test_any_text_is_some_task(text: str, extra: str, tokens: int) -> None:
    got = task(text, extra, tokens=tokens)
    assert 0.0 <= got.difficulty <= 1.0
    assert got.input_tokens == tokens
    assert got.output_tokens > 0


@pytest.mark.parametrize("text", ["a" * 10**6, "  at (" * 10**5, "\n" * 10**6, "and then, " * 10**5, "error " * 10**5])
def test_long_text_takes_no_time(text: str) -> None:
    begin = time.process_time()
    task(text, text)
    assert time.process_time() - begin < 0.5
