import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.images import Image
from optimizer.reasons import Sign
from optimizer.routing.classify import Opinion, classify
from optimizer.types import Context, ContextItem, Needs, Query, Task
from tests.pace import assert_linear

TRACEBACK = "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\nKeyError: 'x'\n"


def task(text: str, extra: str = "", files: int = 1, tokens: int = 1000) -> Task:
    items = tuple(ContextItem(f"f{n}.py", 1, 2, "", "body", 10, 1.0, "", "") for n in range(files))
    return classify(Query(text, extra), Context(text, 0, (), items), tokens)


def test_a_piped_failure_is_something_to_debug() -> None:
    assert task("the login page", TRACEBACK).kind == "debug"
    assert task("what is this?", TRACEBACK).kind == "debug"
    assert task("what is this?", TRACEBACK).wants_edits is False
    assert task("add a retry", TRACEBACK).kind == "edit"


@pytest.mark.parametrize(
    "text", ["whats the difference between rows and rows_where", "isn't total the same as sum", "hows total tested"]
)
def test_a_question_without_its_apostrophe_wants_no_edits(text: str) -> None:
    assert not task(text).wants_edits


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
    added = set(large.signs) - set(small.signs)
    assert added == {Sign("files_in_view", amount=6), Sign("long_prompt", amount=5000)}
    assert (large.input_tokens, large.output_tokens) == (5000, 600)


def test_a_task_tells_what_it_needs_of_a_model() -> None:
    assert task("add a flag", tokens=5000).needs == Needs(window=5600)
    assert task("hello").needs.soon
    assert task("where is parse_response").needs.soon
    assert task("run the tests").needs.tools


def test_an_image_is_needed_where_one_is_sent_and_missed_where_one_is_spoken_of() -> None:
    shot = Image("image/png", b"", 8, 6, "shot.png")
    none, missed = task("explain image() of a map"), task("make the page look like in mockup.png")
    assert Sign("image_missing") not in none.signs
    assert missed.signs.count(Sign("image_missing")) == 1
    assert none.needs.vision is missed.needs.vision is False
    for images in ((shot,), (shot, shot)):
        sent = classify(Query("make it look like in mockup.png", "", images), Context("", 0, (), ()), 1000)
        assert sent.needs.vision and sent.needs.images == images
        assert len(sent.signs) == len(missed.signs) and Sign("images", amount=len(images)) in sent.signs
    assert classify(Query("hello", "", (shot,)), Context("", 0, (), ()), 1000).kind != "quick"


def test_an_opinion_counts_before_the_words() -> None:
    query, context = Query("add a flag"), Context("add a flag", 0, (), ())
    got = classify(query, context, 1000, Opinion("design", "tiny", 0.9))
    assert (got.kind, got.difficulty, got.wants_edits) == ("design", 0.9, False)
    assert got.signs == (Sign("opinion", "design", model="tiny"), Sign("rated"))
    assert classify(query, context, 1000, Opinion("edit", "tiny")).difficulty == task("add a flag").difficulty


@given(text=st.text(max_size=200), extra=st.text(max_size=100), tokens=st.integers(0, 10**6))
def test_any_text_is_some_task(text: str, extra: str, tokens: int) -> None:
    got = task(text, extra, tokens=tokens)
    assert 0.0 <= got.difficulty <= 1.0
    assert got.input_tokens == tokens
    assert got.output_tokens > 0


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10**6,
        "  at (" * 10**5,
        "\n" * 10**6,
        "and then, " * 10**5,
        "error " * 10**5,
        "schreib für " * 10**4,
        "写" * 10**5,
    ],
)
def test_long_text_takes_no_time(text: str) -> None:
    assert_linear(lambda size: task(text[:size], text[:size]), len(text) // 4)
