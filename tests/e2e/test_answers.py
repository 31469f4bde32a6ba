"""Answers in words: kept although cut, stopped when they go in circles, checked before they count."""

from __future__ import annotations

import sqlite3

import pytest

from optimizer.agent.prompts import ANSWER_NOW, SEEN
from optimizer.ledger.store import open_ledger
from tests.conftest import git
from tests.e2e.conftest import REQUEST, Optimize
from tests.loopback.replies import Call, Reply, Tokens, refuse
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

QUESTION = "explain how parse_response treats commas"
CUT, LATE = "It splits the text at commas and then", "It splits at c"
RIGHT = Reply(text="It splits the text at commas, see calc/parse.py:6.")
ROUND = "The function takes the text and returns the text that the function takes. "
RULE = (
    "Answer the request in a few short sentences, citing path:line for each claim about the code. No preamble. "
    "The code you need is shown with its paths and line numbers."
)
REFUSED = {
    "empty of words": "   ...",
    "refusal": "I don't have access to your files. Could you please share the code?",
    "echo of the rules": RULE,
    "echo of the request": QUESTION,
    "echo of the prompt": f"Request: {QUESTION}\n\nIt does.",
    "copied code": 'def parse_response(text):\n    """Split `text` into numbers."""\n    parts = text.split(",")\n'
    "    return [int(part) for part in parts]\ndef total(text):\n    return sum(parse_response(text))\n",
    "other matter": "The capital of France is Paris, which lies on the river Seine and has many museums.",
    "invented file": "Commas are handled in calc/commas.py.",
    "invented symbol": "The `split_by_comma` function of calc/parse.py does it.",
    "invented symbol without a file": "The `split_by_comma()` function is called by parse_response for each comma.",
    "invented line": "See line 400 of calc/parse.py, where it splits.",
    "loop": "parse_response splits. " + ROUND * 40,
}


def settled(user: Optimize) -> list[str]:
    """The outcomes in the ledger, oldest first."""
    (path,) = user.home.glob("**/ledger.sqlite3")
    with sqlite3.connect(path) as db:
        return [row[0] for row in db.execute("SELECT outcome FROM settlements ORDER BY id")]


def test_a_cut_answer_is_kept_and_its_model_is_not_asked_for_edits(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text=CUT, stop="length"))
    ran = user(QUESTION, "--json", "--tier", "local")
    result = ran.event("result")
    assert (ran.code, result["cut"], result["text"]) == (3, "length", CUT)
    assert len(loopback.asked("ollama")) == 1
    loopback.queue("ollama", Reply(text=CUT, stop="length"))
    assert CUT in user(QUESTION, "--tier", "local").out


def test_a_late_answer_is_kept(user: Optimize, loopback: Loopback) -> None:
    user.configure(loopback.config() + "\n[network]\nstall_seconds = 0.5\n")
    loopback.queue("ollama", Reply(text="It splits at commas.", stall_at=2, stall=5))
    ran = user(QUESTION, "--json", "--tier", "local")
    result = ran.event("result")
    assert (ran.code, result["cut"], result["text"]) == (6, "late", LATE)


def test_a_later_whole_answer_is_not_cut(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text=CUT, stop="length"))
    loopback.queue("groq", RIGHT)
    ran = user(QUESTION, "--json")
    assert (ran.code, ran.event("result")["cut"], ran.event("result")["text"]) == (0, "", RIGHT.text)


def test_an_answer_that_goes_in_circles_is_stopped_early(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text=ROUND * 400, pieces=3000, pause=0.002))
    ran = user(QUESTION, "--json", "--tier", "local")
    result = ran.event("result")
    assert (ran.code, result["cut"]) == (3, "loop")
    assert ROUND in result["text"] and len(result["text"]) < len(ROUND) * 40
    assert "moves on" in {check["name"] for check in result["verdict"]["checks"] if check["passed"] is False}
    assert settled(user) == ["checks-failed"]
    assert loopback.hung_up.wait(5)


def test_a_change_that_goes_in_circles_is_not_asked_for_again(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text=ROUND * 400, pieces=3000))
    ran = user(REQUEST, "--json", "--yes", "--tier", "local")
    assert (ran.code, ran.event("result")["cut"]) == (3, "loop")
    assert len(loopback.asked("ollama")) == 1


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_answer_goes_to_the_next_model(user: Optimize, loopback: Loopback, what: str) -> None:
    loopback.queue("ollama", Reply(text=REFUSED[what]))
    loopback.queue("groq", RIGHT)
    ran = user(QUESTION, "--json")
    assert (ran.code, ran.event("result")["text"]) == (0, RIGHT.text)
    assert settled(user) == ["checks-failed", "accepted"]


NONSENSE = {
    "digits under an odd name": "a;1;2;0\n<<<<<<< SEARCH\n=======\n" + "1;2;0;" * 30 + "\n>>>>>>> REPLACE\n",
    "digits": "calc/rates.py\n<<<<<<< SEARCH\n=======\n1\n2\n3\n>>>>>>> REPLACE\n",
    "an ending of no kind": "calc/rates.1;2\n<<<<<<< SEARCH\n=======\nsome words\n>>>>>>> REPLACE\n",
    "the example of the rules": "path/to/file.py\n<<<<<<< SEARCH\n=======\nx = 1\n>>>>>>> REPLACE\n",
    "the rules": "calc/parse.py\n<<<<<<< SEARCH\n    parts = text.split(\",\")\n=======\n"
    "    parts = text.split(\",\")\n"
    "    # \nlines as they stand now, without line numbers, enough of them to be found once\n>>>>>>> REPLACE\n",
    "another file": "notes.md\n<<<<<<< SEARCH\n=======\n# Notes\n\nSome words about nothing.\n>>>>>>> REPLACE\n",
    "a file of no name": "parser\n<<<<<<< SEARCH\n=======\nsome words and more\n>>>>>>> REPLACE\n",
    "an empty file": "calc/empty.py\n<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE\n",
}  # fmt: skip


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_not_written(user: Optimize, loopback: Loopback, what: str) -> None:
    loopback.answer("ollama", lambda _: Reply(text=NONSENSE[what]))
    ran = user("fix parse_response for empty parts", "--json", "--yes", "--tier", "local")
    assert ran.code == 3, ran.out
    assert git(user.cwd, "status", "--porcelain") == ""


def test_a_change_that_nothing_speaks_for_is_not_written_without_a_question(user: Optimize, loopback: Loopback) -> None:
    text = "todo.txt\n<<<<<<< SEARCH\n=======\nskip empty parts\n>>>>>>> REPLACE\n"
    loopback.answer("ollama", lambda _: Reply(text=text))
    ran = user("add some ideas for later", "--json", "--yes", "--tier", "local")
    assert (ran.code, git(user.cwd, "status", "--porcelain")) == (4, "")
    user.configure("confidence_yes = 0.1\n" + loopback.config())
    assert user("add some ideas for later", "--yes", "--tier", "local").code == 0
    assert (user.cwd / "todo.txt").exists()


def test_a_file_that_the_request_names_is_written(user: Optimize, loopback: Loopback) -> None:
    text = "README.md\n<<<<<<< SEARCH\nAdds numbers.\n=======\nAdds whole numbers.\n>>>>>>> REPLACE\n"
    loopback.answer("ollama", lambda _: Reply(text=text))
    assert user("update README.md: whole numbers", "--yes", "--tier", "local").code == 0
    text = "docs/ideas.txt\n<<<<<<< SEARCH\n=======\nskip empty parts\n>>>>>>> REPLACE\n"
    loopback.answer("ollama", lambda _: Reply(text=text))
    assert user("create docs/ideas.txt", "--yes", "--tier", "local").code == 0


def test_a_groundless_answer_about_the_repository_is_none(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text="This project is about an ecosystem that grows with machine learning."))
    loopback.queue("groq", Reply(text="It adds numbers, see README.md:3."))
    ran = user("what is this project good for", "--json")
    assert (ran.code, len(loopback.asked("groq"))) == (0, 1)


def look(text: str = "") -> Reply:
    return Reply(text, calls=(Call("read_file", {"path": "calc/cli.py"}),), stop="tool", tokens=Tokens(1500, 20))


def test_a_question_may_look_and_only_its_answer_is_on_stdout(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("groq", look("I have to see calc/cli.py."), RIGHT)
    ran = user(QUESTION, "--tier", "free", "-v")
    assert (ran.code, ran.out) == (0, RIGHT.text + "\n")
    assert 'step 1: read_file {"path": "calc/cli.py"} → lines 1-5 of 5' in ran.err
    first, second = loopback.asked("groq")
    assert "edit_file" not in first.text and "print(total(line))" in second.text
    assert booked(user) == [("answered", 1500), ("accepted", 1200)]


def test_an_answer_may_speak_of_what_was_looked_at(user: Optimize, loopback: Loopback) -> None:
    (user.cwd / "calc/birds.py").write_text('"""Marmots hibernate while pelicans migrate."""\n')
    reads = Call("read_file", {"path": "calc/birds.py"})
    answer = Reply("Pelicans migrate, marmots hibernate.")
    loopback.queue("groq", Reply("", calls=(reads,), stop="tool"), answer, answer)
    assert user(QUESTION, "--tier", "free").code == 0
    assert user(QUESTION, "--tier", "free").code == 3


def test_an_answer_at_once_is_one_call(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("groq", RIGHT)
    assert user(QUESTION, "--tier", "free").code == 0
    assert booked(user) == [("accepted", 1200)]


@pytest.mark.parametrize(
    ("model", "flags", "native", "written"),
    [
        ("window = 32768", (), True, False),
        ("window = 32768", ("--no-agent",), False, False),
        ("window = 8192", (), False, False),
        ("window = 32768\ntools = false", (), False, True),
        ("window = 8192\ntools = false", (), False, False),
    ],
)
def test_which_questions_may_look(
    user: Optimize, loopback: Loopback, model: str, flags: tuple[str, ...], native: bool, written: bool
) -> None:
    user.config.with_name("models.toml").write_text(f'[[model]]\nid = "qwen2.5-coder*"\n{model}\n')
    loopback.queue("ollama", RIGHT)
    assert user(QUESTION, "--tier", "local", *flags).code == 0
    (asked,) = loopback.asked("ollama")
    assert (bool(asked.body.get("tools")), "<tool_call>" in asked.text) == (native, written)
    loopback.queue("ollama", RIGHT)
    assert user("what is 3 * 4", "--tier", "local", *flags).code == 0
    assert "search_code" not in loopback.asked("ollama")[1].text


def test_a_server_that_refuses_tools_is_asked_without_them(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", refuse("ollama", 400, "qwen2.5-coder:7b does not support tools"), RIGHT)
    ran = user(QUESTION, "--tier", "local", "--json")
    assert (ran.code, len(ran.notices("no-tools"))) == (0, 1)
    first, second = loopback.asked("ollama")
    assert first.body["tools"] and not second.body.get("tools") and "<tool_call>" in second.text
    loopback.queue("ollama", RIGHT)
    again = user(QUESTION, "--tier", "local", "--json")
    assert (again.code, again.notices("no-tools")) == (0, [])
    assert not loopback.asked("ollama")[2].body.get("tools")


def test_a_question_goes_on_with_what_another_model_has_seen(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", look(), refuse("ollama", 404, "no such model"))
    loopback.queue("groq", Reply("`main` prints the total, see calc/cli.py:5. It splits at commas."))
    ran = user(QUESTION, "--json")
    assert (ran.code, len(ran.notices("taking-over"))) == (0, 1)
    (taken,) = loopback.asked("groq")
    assert SEEN in taken.text and "print(total(line))" in taken.text and ANSWER_NOW not in taken.text


def booked(user: Optimize) -> list[tuple[str, int]]:
    """The outcome and the tokens read of each call."""
    ledger = open_ledger(user.home / ".local/state/optimizer")
    try:
        return [(one.outcome, one.usage.prompt) for one in ledger.records("2", "3")]
    finally:
        ledger.close()
