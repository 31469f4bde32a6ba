"""The conversation with one model: when it ends at once, what a look costs and gives, repairs and limits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from optimizer.agent.loop import LAST, REFUSED, TOO_LONG, UNUSABLE
from optimizer.agent.prompts import ANSWER_NOW
from optimizer.agent.serve import HIDDEN, MOST_CALLS, NOT_APPLIED, SAME, TOO_MANY
from optimizer.errors import AuthFailed, BadAnswer, EditRefused
from optimizer.report import progress
from optimizer.types import Patch
from tests.agent.conftest import DONE, EDIT, FILES, Workshop, look
from tests.loopback.replies import WIRES, Call, Reply, Tokens, Wire, refuse

BROKEN = Reply("shop/cart.py\n<<<<<<< SEARCH\n    return sum(price)\n=======\n    return 0\n>>>>>>> REPLACE\n")
RIGHT = Reply("shop/cart.py\n<<<<<<< SEARCH\n    return sum(prices)\n=======\n    return 0\n>>>>>>> REPLACE\n")
ANSWER = Reply("It adds, see shop/cart.py:2.")
WORK = [pytest.param(True, DONE, id="edits"), pytest.param(False, ANSWER, id="question")]


@pytest.mark.parametrize("wire", WIRES)
def test_edits_at_once_are_one_call(workshop: Workshop, wire: Wire) -> None:
    workshop.wire = wire
    talked = workshop.talk(DONE)
    assert talked.failure == ""
    assert "sum(prices, 0)" in talked.after("shop/cart.py")
    assert len(talked.requests) == 1
    assert not talked.steps and not talked.notices
    assert workshop.index.read("shop/cart.py") == b"def total(prices):\n    return sum(prices)\n\n\n" + (
        b"def count(prices):\n    return len(prices)\n"
    )


@pytest.mark.parametrize("wire", WIRES)
def test_a_model_looks_then_edits(workshop: Workshop, wire: Wire) -> None:
    workshop.wire = wire
    talked = workshop.talk(look("find_symbol", name="total"), look("read_file", path="shop/cart.py"), DONE)
    assert talked.failure == ""
    assert "sum(prices, 0)" in talked.after("shop/cart.py")
    assert [(step.step, step.tool, step.result) for step in talked.steps] == [
        (1, "find_symbol", "1 definition, 2 uses"),
        (2, "read_file", "lines 1-6 of 6"),
    ]
    assert "shop/cart.py:1-2 function def total(prices)" in talked.requests[1].text
    assert "shop/till.py:5: return total(prices)" in talked.requests[1].text
    assert "2\t    return sum(prices)" in talked.requests[2].text


def test_edits_gather_in_memory_and_are_seen_by_later_looks(workshop: Workshop) -> None:
    seen: list[Patch] = []

    def run_tests(patch: Patch, paths: tuple[str, ...]) -> str:
        seen.append(patch)
        return f"passed: {paths}"

    workshop.run_tests = run_tests
    tests = Call("run_tests", {"paths": ["tests/test_cart.py"]})
    again = Call("edit_file", {"path": "shop/cart.py", "start": 6, "end": 6, "content": "    return 0\n"})
    talked = workshop.talk(
        Reply("", calls=(EDIT, tests), stop="tool"),
        look("search_code", text="sum(prices, 0)"),
        Reply("Both done.", calls=(again,), stop="tool"),
    )
    assert [change.path for change in seen[0].changes] == ["shop/cart.py"]
    assert "applied" in talked.requests[1].text
    assert "passed: ('tests/test_cart.py',)" in talked.requests[1].text
    assert "shop/cart.py:2: return sum(prices, 0)" in talked.requests[2].text
    assert talked.after("shop/cart.py").count("return") == 2
    assert "sum(prices, 0)" in talked.after("shop/cart.py")
    assert "    return 0\n" in talked.after("shop/cart.py")
    assert talked.ended.patch is not None
    assert talked.ended.patch.changes[0].before == workshop.index.read("shop/cart.py")


def test_a_failed_edit_between_looks_is_told_and_applies_nothing(workshop: Workshop) -> None:
    wrong = Call("edit_file", {"path": "shop/none.py", "start": 2, "end": 2, "content": "x\n"})
    talked = workshop.talk(Reply("", calls=(EDIT, wrong, Call("find_symbol", {"name": "count"})), stop="tool"), DONE)
    assert [step.result for step in talked.steps][:2] == ["refused", "refused"]
    assert NOT_APPLIED.partition("{")[0] in talked.requests[1].text
    assert talked.after("shop/cart.py").count("sum(prices, 0)") == 1


@pytest.mark.parametrize(("edits", "end"), WORK)
def test_what_may_not_be_seen(workshop: Workshop, edits: bool, end: Reply) -> None:
    names = ("shop/.env", "deploy/id_rsa", "../outside", "/etc/passwd", ".git/config", "build/made.py", "shop/carts.py")
    calls = (*(Call("read_file", {"path": name}) for name in names), Call("search_code", {"text": "MADE"}))
    talked = workshop.talk(Reply("", calls=calls, stop="tool"), end, wants_edits=edits)
    assert talked.failure == ""
    told = talked.requests[1].text
    assert FILES["deploy/id_rsa"].strip() not in told
    assert "TOKEN" not in told
    assert "root:" not in told
    assert "MADE = 1" not in told
    assert len(talked.steps) == len(calls)
    assert "shop/cart.py" in told, "the nearest name"


@pytest.mark.parametrize(("edits", "end"), WORK)
def test_a_secret_in_a_result_stays_here(workshop: Workshop, edits: bool, end: Reply) -> None:
    secret = "AKIA" + "IOSFODNN7QQPLW3Z"
    (workshop.index.root.path / "README.md").write_text(f"# shop\n\naws_access_key_id = {secret}\n")
    talked = workshop.talk(look("read_file", path="README.md"), end, wants_edits=edits)
    assert talked.failure == ""
    assert secret not in talked.requests[1].text
    assert talked.steps[0].result.startswith(HIDDEN.partition("{")[0])


def test_the_same_call_is_told_then_stopped(workshop: Workshop) -> None:
    same = look("search_code", text="sum")
    talked = workshop.talk(same, same, same, DONE)
    assert talked.stopped == "repeats"
    assert len(talked.requests) == 3
    assert SAME in talked.requests[2].text
    assert talked.ended.patch is None


def test_an_edit_makes_the_same_call_a_new_one(workshop: Workshop) -> None:
    read = Call("read_file", {"path": "shop/cart.py"})
    talked = workshop.talk(
        Reply("", calls=(read,), stop="tool"), Reply("", calls=(EDIT, read), stop="tool"), Reply("Done.")
    )
    assert talked.failure == ""
    assert [step.result for step in talked.steps if step.tool == "read_file"] == ["lines 1-6 of 6"] * 2


def test_steps_are_limited_and_the_last_one_is_told(workshop: Workshop) -> None:
    workshop.limits = replace(workshop.limits, steps=2)
    looks = [look("search_code", text=f"word{n}") for n in range(3)]
    talked = workshop.talk(*looks, DONE)
    assert talked.stopped == "steps"
    assert len(talked.requests) == 3
    assert LAST in talked.requests[2].text
    assert LAST not in talked.requests[1].text


def test_tokens_money_and_window_are_limited(workshop: Workshop) -> None:
    workshop.limits = replace(workshop.limits, tokens=3000)
    asked = look("search_code", text="sum")
    talked = workshop.talk(replace(asked, tokens=Tokens(1800, 20)), DONE)
    assert talked.stopped == "tokens"
    workshop.limits = replace(workshop.limits, tokens=60_000, cost=500)
    workshop.costs = [700]
    workshop.loopback.reset()
    talked = workshop.talk(asked)
    assert talked.stopped == "cost"
    assert talked.ended.cost == 700


def test_an_attempt_ends_after_its_seconds(workshop: Workshop) -> None:
    workshop.limits = replace(workshop.limits, seconds=0.01)
    talked = workshop.talk(replace(look("find_symbol", name="total"), stall_at=0, stall=0.05), DONE)
    assert talked.stopped == "seconds"
    assert len(talked.requests) == 1


@pytest.mark.parametrize("tools", [True, False])
def test_an_edit_that_does_not_fit_goes_back_once_with_the_nearest_lines(workshop: Workshop, tools: bool) -> None:
    workshop.tools = tools
    talked = workshop.talk(BROKEN, RIGHT)
    assert talked.failure == ""
    assert "return 0" in talked.after("shop/cart.py")
    assert talked.notices == ["refused"]
    told = talked.requests[1].text
    assert REFUSED.partition("{")[0] in told
    assert "1: def total(prices):\n2:     return sum(prices)" in told
    assert talked.refused == 1


def test_a_second_broken_answer_ends_it(workshop: Workshop) -> None:
    talked = workshop.talk(BROKEN, BROKEN, RIGHT)
    assert isinstance(talked.ended.failure, EditRefused)
    assert len(talked.requests) == 2
    workshop.limits = replace(workshop.limits, repairs=0)
    workshop.loopback.reset()
    assert len(workshop.talk(BROKEN, RIGHT).requests) == 1


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply("Sure, I will do that."), "the answer holds no edit"),
        (Reply("", calls=(Call("edit_file", '{"path": "shop/cart.py", "start"'),), stop="tool"), "not JSON"),
        (Reply("", calls=(replace(EDIT, arguments={**EDIT.arguments, "path": "../x.py"}),), stop="tool"), "repository"),  # type: ignore[dict-item]
        (Reply("shop/cart.py\n```\ndef total(prices):\n    # ... rest unchanged\n```\n"), "leaves code out"),
        (Reply("shop/cart.py\n<<<<<<< SEARCH\n    return len(prices)\n=======\nnever"), "never closed"),
    ],
)
def test_what_else_is_mended(workshop: Workshop, reply: Reply, told: str) -> None:
    talked = workshop.talk(reply, RIGHT)
    assert told in talked.requests[1].text
    assert talked.failure == ""


def test_a_cut_call_is_never_made_and_asked_for_again_with_more_room(workshop: Workshop) -> None:
    cut = Reply("", calls=(Call("create_file", {"path": "new.py", "content": "x\n"}),), stop="length")
    talked = workshop.talk(cut, DONE)
    assert [change.path for change in (talked.ended.patch or Patch(())).changes] == ["shop/cart.py"]
    assert talked.requests[1].body["max_completion_tokens"] == 1000
    assert TOO_LONG in talked.requests[1].text


def test_a_cut_look_is_never_made(workshop: Workshop) -> None:
    talked = workshop.talk(replace(look("read_file", path="shop/cart.py"), stop="length"), DONE)
    assert not talked.steps
    assert talked.failure == ""


@pytest.mark.parametrize(
    ("wire", "failure"),
    [
        ("groq", refuse("groq", 400, "Failed to call a function. See failed_generation.", "tool_use_failed")),
        ("gemini", Reply("", stop="MALFORMED_FUNCTION_CALL")),
    ],
)
def test_a_call_the_provider_could_not_read_is_asked_for_once_more(
    workshop: Workshop, wire: Wire, failure: Reply
) -> None:
    workshop.wire = wire
    talked = workshop.talk(failure, DONE)
    assert talked.failure == ""
    assert UNUSABLE.partition("{")[0] in talked.requests[1].text
    assert talked.refused == 0
    workshop.loopback.reset()
    twice = workshop.talk(failure, failure, DONE)
    assert isinstance(twice.ended.failure, BadAnswer)
    assert len(twice.requests) == 2


def test_a_provider_that_fails_is_not_asked_again(workshop: Workshop) -> None:
    talked = workshop.talk(refuse("groq", 401, "Invalid API Key", "invalid_api_key"), DONE)
    assert isinstance(talked.ended.failure, AuthFailed)
    assert len(talked.requests) == 1


def test_an_unknown_tool_is_told_which_there_are(workshop: Workshop) -> None:
    talked = workshop.talk(look("bash", command="rm -rf /"), DONE)
    assert "edit_file, create_file, search_code" in talked.requests[1].text
    assert talked.failure == ""


def test_results_are_cut_to_their_share(workshop: Workshop) -> None:
    path = workshop.index.root.path / "shop/till.py"
    path.write_text("".join(f"value_{n} = {n}\n" for n in range(5000)))
    talked = workshop.talk(look("read_file", path="shop/till.py", start=1, end=5000), DONE)
    assert "(cut here" in talked.requests[1].text
    assert len(talked.requests[1].text) < 6000
    assert talked.steps[0].result == "lines 1-5000 of 5000, cut"


def test_a_question_gets_its_answer_in_one_call(workshop: Workshop) -> None:
    talked = workshop.talk(ANSWER, wants_edits=False)
    assert talked.ended.text == ANSWER.text
    assert talked.ended.patch is None
    assert len(talked.requests) == 1


@pytest.mark.parametrize("wire", WIRES)
def test_a_question_may_look_and_gets_the_last_text_as_its_answer(workshop: Workshop, wire: Wire) -> None:
    workshop.wire = wire
    first = replace(look("read_file", path="shop/cart.py"), text="I must see shop/cart.py.")
    talked = workshop.talk(first, ANSWER, wants_edits=False)
    assert (talked.ended.text, talked.failure) == (ANSWER.text, "")
    assert "2\t    return sum(prices)" in talked.requests[1].text
    assert "return sum(prices)" in talked.ended.seen


def test_the_calls_of_one_reply_are_limited(workshop: Workshop) -> None:
    calls = tuple(Call("search_code", {"text": f"word{n}"}) for n in range(MOST_CALLS + 2))
    talked = workshop.talk(Reply("", calls=calls, stop="tool"), ANSWER, wants_edits=False)
    assert [step.result for step in talked.steps[-3:]] == ["nothing", TOO_MANY, TOO_MANY]


def test_a_question_has_no_tools_that_edit(workshop: Workshop) -> None:
    talked = workshop.talk(DONE, ANSWER, wants_edits=False)
    assert talked.steps[0].result.endswith(": search_code, find_symbol, read_file")
    assert (talked.ended.patch, talked.ended.text) == (None, ANSWER.text)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("limit", ["steps", "repeats", "tokens", "cost", "seconds", "window"])
def test_a_question_that_reaches_a_limit_is_asked_for_its_answer(workshop: Workshop, limit: str, native: bool) -> None:
    limits = {"steps": {"steps": 1}, "tokens": {"tokens": 4000}, "cost": {"cost": 500}, "seconds": {"seconds": 1e-9}}
    workshop.limits = replace(workshop.limits, **limits.get(limit, {}))
    workshop.window = 1600 if limit == "window" else 128_000
    workshop.costs = [700, 0]
    workshop.tools = native
    asked = {"name": "read_file", "arguments": {"path": "shop/till.py"}}
    (workshop.index.root.path / "shop/till.py").write_text("".join(f"value_{n} = {n}\n" for n in range(2000)))
    call = look("read_file", path="shop/till.py") if native else Reply(f"<tool_call>{json.dumps(asked)}</tool_call>")
    calls = [call] * (3 if limit == "repeats" else 1)
    talked = workshop.talk(*(replace(one, tokens=Tokens(800, 20)) for one in calls), ANSWER, wants_edits=False)
    assert (talked.ended.text, talked.failure) == (ANSWER.text, "")
    last = talked.requests[-1]
    assert len(talked.requests) == len(calls) + 1
    assert ANSWER_NOW in last.text and "value_1 = 1" in last.text
    assert not last.body.get("tools")


def test_a_question_without_room_for_a_last_answer_ends_with_its_limit(workshop: Workshop) -> None:
    workshop.limits = replace(workshop.limits, tokens=2000)
    asked = replace(look("find_symbol", name="total"), tokens=Tokens(1500, 20))
    talked = workshop.talk(asked, ANSWER, wants_edits=False)
    assert (talked.stopped, len(talked.requests)) == ("tokens", 1)


def test_a_last_answer_that_is_cut_is_kept(workshop: Workshop) -> None:
    cut = Reply("It adds all of the", stop="length")
    talked = workshop.talk(look("find_symbol", name="total"), cut, wants_edits=False)
    assert (talked.ended.text, talked.ended.cut) == (cut.text, "length")


@pytest.mark.parametrize("looks", [True, False])
def test_a_call_in_place_of_an_answer_is_asked_about_once(workshop: Workshop, looks: bool) -> None:
    """Whether no more calls can be made, or none ever could: what stands before a call is no answer."""
    workshop.looks, workshop.tools = looks, False
    workshop.limits = replace(workshop.limits, steps=1)
    call = Reply('Let me see.\n<tool_call>{"name": "find_symbol", "arguments": {"name": "total"}}</tool_call>')
    talked = workshop.talk(*[call] * (1 + looks), ANSWER, wants_edits=False)
    assert (talked.ended.text, talked.failure, talked.refused) == (ANSWER.text, "", 1)
    assert progress.unusable("called") in talked.requests[-1].text
    workshop.loopback.reset()
    talked = workshop.talk(*[call] * (2 + looks), wants_edits=False)
    assert talked.failure == progress.unusable("called")


def test_an_answer_that_shows_a_call_is_streamed_whole(workshop: Workshop) -> None:
    text = f"A model asks so:\n\n{WRITTEN['JSON in a fence']}\n\nand gets lines of shop/cart.py."
    talked = workshop.talk(Reply(text), wants_edits=False)
    assert (talked.streamed, talked.ended.text, len(talked.requests)) == (text, text, 1)


def test_a_call_that_cannot_be_read_is_told_and_is_no_answer(workshop: Workshop) -> None:
    broken = Reply('Let me see.\n<tool_call>{"name": "find_symbol", "arg')
    talked = workshop.talk(broken, ANSWER, wants_edits=False)
    assert (talked.ended.text, talked.refused) == (ANSWER.text, 1)
    assert "never closed" in talked.requests[1].text


WRITTEN = {
    "function tags": "<function=find_symbol>\n<parameter=name>\ntotal\n</parameter>\n</function>",
    "JSON in a fence": '```json\n{"name": "find_symbol", "arguments": "{\\"name\\": \\"total\\"}"}\n```',
    "JSON in tags": '<tool_call>{"name": "find_symbol", "arguments": {"name": "total"}}</tool_call>',
}


@pytest.mark.parametrize("tools", [True, False])
@pytest.mark.parametrize(("edits", "end"), WORK)
@pytest.mark.parametrize("form", WRITTEN)
def test_calls_written_as_text_are_made(workshop: Workshop, form: str, edits: bool, end: Reply, tools: bool) -> None:
    workshop.tools = tools
    end = RIGHT if edits and not tools else end
    talked = workshop.talk(Reply(f"Let me see.\n\n{WRITTEN[form]}"), end, wants_edits=edits)
    assert talked.failure == ""
    assert [step.result for step in talked.steps] == ["1 definition, 2 uses"]
    assert edits or talked.streamed == f"Let me see.\n\n{ANSWER.text}"
    assert "shop/till.py:5: return total(prices)" in talked.requests[1].text


def test_edits_next_to_a_call_in_text_are_told_with_its_result(workshop: Workshop) -> None:
    workshop.tools = False
    call = f"\n{WRITTEN['JSON in tags']}\n"
    talked = workshop.talk(replace(BROKEN, text=BROKEN.text + call), RIGHT)
    assert NOT_APPLIED.partition("{")[0] in talked.requests[1].text
    assert "return 0" in talked.after("shop/cart.py")


def test_an_edit_of_an_ignored_file_is_refused_and_shows_nothing_of_it(workshop: Workshop) -> None:
    root = workshop.index.root.path
    (root / ".git/info/exclude").write_text("private.py\n")
    (root / "private.py").write_text("CANARY = 1\nother = 2\n")
    (root / "new.py").write_text("SHOWN = 1\nother = 2\n")
    for path, shown in (("private.py", False), ("new.py", True)):
        edit = Reply(text=f"{path}\n<<<<<<< SEARCH\nother = 3\n=======\nother = 4\n>>>>>>> REPLACE\n")
        talked = workshop.talk(edit, ANSWER)
        sent = " ".join(asked.text for asked in talked.requests)
        assert ("CANARY" in sent or "SHOWN" in sent) is shown
