"""Bad input, bad servers, missing consent: one clear line, the cure, an exit code of its own, nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Optimize, Ran
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

EDIT = "make parse_response skip empty parts"


def refused(ran: Ran, code: int, *words: str) -> None:
    """The run ended with `code`, one line that says why, and one that says what to do."""
    assert ran.code == code, (ran.code, ran.err)
    errors = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, ran.err
    for word in words:
        assert word in ran.err, ran.err


@pytest.fixture
def alone(calc: Path, stand_in: Callable[..., Optimize]) -> Optimize:
    """A user with no key and no model server."""
    return stand_in(calc)


def test_empty_query(alone: Optimize) -> None:
    refused(alone("   "), 2, "empty", "try:")


def test_unknown_flag_and_misspelt_command(alone: Optimize) -> None:
    refused(alone("explain total", "--teir", "local"), 2, "--tier")
    refused(alone("contxt", "explain total"), 2, "context")


def test_unknown_model(alone: Optimize) -> None:
    refused(alone("explain total", "--model", "cluade-haiku-5-5"), 2, "cluade-haiku-5-5", "claude-haiku-5-5")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_tokns = 3\n", ("config.toml:1", "max_tokens")),
        ("[context]\nmax_files = 'many'\n", ("config.toml:2", "max_files")),
        ("max_tokens = = 3\n", ("config.toml",)),
        ("[features]\nlocal-model = false\n", ("config.toml:2", "local-models")),
    ],
)
def test_bad_configuration(alone: Optimize, text: str, words: tuple[str, ...]) -> None:
    alone.configure(text)
    refused(alone("where is total"), 2, *words, "try:")


def test_no_repository_works_and_home_is_refused(alone: Optimize, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "one.py").write_text("def lonely():\n    return 1\n")
    ran = alone("where is lonely", cwd=plain)
    assert (ran.code, ran.out.split()[0]) == (0, "one.py:1")
    refused(alone("where is lonely", cwd=alone.home), 2, "not a project", "--project")
    refused(alone("where is lonely", "--project", str(tmp_path / "nowhere")), 2, "nowhere")


def test_odd_files_are_skipped_and_the_rest_is_found(alone: Optimize, calc: Path) -> None:
    (calc / "huge.py").write_bytes(b"def huge_thing(): pass\n" * 200_000)
    (calc / "binary.py").write_bytes(b"\0\1\2def no(): pass\n" * 50)
    (calc / "latin.py").write_bytes(
        "def caf\xe9():\n    return 1\n\n\ndef plain_name():\n    return 2\n".encode("latin-1")
    )
    (calc / "deep.py").write_text("x = " + "(" * 50_000 + ")" * 50_000)
    os.mkfifo(calc / "pipe.py")
    (calc / ".env").write_text("TOKEN=canary-in-env\n")
    ran = alone("where is plain_name")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("latin.py:5")
    assert alone("where is huge_thing").code == 3
    context = alone("context", "canary-in-env TOKEN", "--json")
    assert context.code == 0
    assert ".env" not in context.out


def test_with_no_model_the_context_the_prices_and_the_next_step(alone: Optimize) -> None:
    ran = alone(EDIT)
    assert ran.code == 6
    for word in ("context:", "local", "free", "budget", "premium", "$", "ollama", "optimize keys set"):
        assert word in ran.err, word
    result = alone(EDIT, "--json").events
    assert [event["event"] for event in result] == ["context", "route", "result"]
    assert {quote["tier"] for quote in result[1]["quotes"]} == {"local", "free", "budget", "premium"}
    assert result[0]["files"][0]["path"] == "calc/parse.py"


def test_what_the_index_does_not_hold(alone: Optimize) -> None:
    ran = alone("where is parse_respons")
    assert ran.code == 3
    assert "parse_response" in ran.out + ran.err


def test_a_plain_word_that_is_no_name_is_a_request(alone: Optimize) -> None:
    ran = alone("where is happiness", "--json")
    assert ran.code == 6
    assert ["happiness" in text for text in ran.notices("not-named")] == [True]
    assert alone("where is happiness", "--tier", "index").code == 3


def test_an_ambiguous_rename(alone: Optimize, calc: Path) -> None:
    (calc / "calc/other.py").write_text("def total(text):\n    return text\n")
    refused(alone("rename total to sum_up", "--yes"), 8, "calc/other.py", "calc/parse.py")
    assert alone("rename total to sum_up in calc/other.py", "--yes").code == 0
    assert "def sum_up" in (calc / "calc/other.py").read_text()
    assert "def total" in (calc / "calc/parse.py").read_text()


# ── consent and secrets ──────────────────────────────────────────────────────────────────────────


def test_yes_is_not_consent(calc: Path, loopback: Loopback, stand_in: Callable[..., Optimize]) -> None:
    someone = stand_in(calc, GROQ_API_KEY="g-1")
    someone.configure(loopback.config("groq"))
    ran = someone(EDIT, "--yes")
    assert ran.code == 5
    assert "optimize consent grant groq" in ran.err
    assert not loopback.requests
    assert someone("consent", "grant", "grok").code == 2
    assert someone("consent", "grant", "groq").code == 0
    loopback.queue("groq", Reply(text="It is total (calc/parse.py:10)."))
    assert someone("explain total").code == 0
    assert "groq" in someone("consent", "log").out
    assert someone("consent", "revoke", "groq").code == 0
    assert someone("explain total").code == 5
    assert len(loopback.asked("groq")) == 1


def test_consent_holds_for_one_repository(user: Optimize, loopback: Loopback, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    (other / "a.py").write_text("def total():\n    return 1\n")
    ran = user("explain total", "--tier", "free", cwd=other)
    assert ran.code == 5
    assert not loopback.asked("groq")


def test_a_secret_in_the_context_stops_the_run(user: Optimize, loopback: Loopback, calc: Path) -> None:
    secret = "gsk_" + "Zb7Qw3Er9Ty1Ui5Op2As8Df4Gh6Jk0LzXcVbNm3Qw7Er1Ty5Ui9O"
    (calc / "calc/parse.py").write_text(f'KEY = "{secret}"\n\n\ndef total(text):\n    return KEY + text\n')
    ran = user("explain total and KEY", "--tier", "free")
    refused(ran, 5, "calc/parse.py")
    assert secret not in ran.err + ran.out
    assert not loopback.asked("groq")


# ── bad servers ──────────────────────────────────────────────────────────────────────────────────


def test_a_server_that_hangs(user: Optimize, loopback: Loopback) -> None:
    user.configure(loopback.config() + "\n[network]\nfirst_token_seconds = 1\nload_seconds = 1\nstall_seconds = 1\n")
    loopback.queue("ollama", Reply(text="It adds, see calc/parse.py:11."), Reply(text="late", stall_at=-1, stall=20))
    assert user("explain total", "--tier", "local").code == 0  # a server that was quick gets no more time to read
    ran = user("explain total", "--tier", "local")
    assert ran.code == 6
    assert "within 1 s" in ran.err


def test_a_stream_that_breaks_off_is_not_an_answer(user: Optimize, loopback: Loopback, calc: Path) -> None:
    before = (calc / "calc/parse.py").read_bytes()
    whole = "calc/parse.py\n```python\ndef parse_response(text):\n    return []\n```\n"
    loopback.queue("ollama", Reply(text=whole, pieces=6, cut_at=4))
    ran = user(EDIT, "--tier", "local", "--yes")
    assert ran.code == 6
    assert (calc / "calc/parse.py").read_bytes() == before
    assert user("metrics", "--json").events[0]["requests"] == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("calc/parse.py\n<<<<<<< SEARCH\nnot there at all\n=======\nx\n>>>>>>> REPLACE\n", "not"),
        ('calc/parse.py\n<<<<<<< SEARCH\n    parts = text.split(",")\n=======\nnever closed', ""),
        ("I changed it for you.", "no edit"),
    ],
)
def test_malformed_edits(user: Optimize, loopback: Loopback, calc: Path, text: str, word: str) -> None:
    before = (calc / "calc/parse.py").read_bytes()
    loopback.queue("ollama", Reply(text=text))
    ran = user(EDIT, "--tier", "local", "--yes")
    assert ran.code == 3, ran.err
    assert word in ran.err
    assert (calc / "calc/parse.py").read_bytes() == before


def test_a_read_only_file_is_not_forced(user: Optimize, loopback: Loopback, calc: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write read-only files")
    (calc / "calc/parse.py").chmod(0o444)
    body = "    return [int(part) for part in parts]\n=======\n    return []\n"
    edit = f"calc/parse.py\n<<<<<<< SEARCH\n{body}>>>>>>> REPLACE\n"
    loopback.queue("ollama", Reply(text=edit))
    refused(user(EDIT, "--tier", "local", "--yes"), 7, "read-only")


def test_a_damaged_index_is_rebuilt_and_said_so(alone: Optimize) -> None:
    assert alone("where is total").code == 0
    (store,) = (alone.home / ".cache/optimizer/index").glob("*.db")
    store.write_bytes(b"this is no database" * 400)
    ran = alone("where is total")
    assert ran.code == 0
    assert "damaged" in ran.err


def test_an_unwritable_home(alone: Optimize, tmp_path: Path) -> None:
    alone.env["OPTIMIZER_HOME"] = str(tmp_path / "file")
    (tmp_path / "file").write_text("in the way")
    for asked in (("where is total",), ("who calls parse_response",), ("find", "total"), ("refs", "total")):
        ran = alone(*asked)
        assert (ran.code, "calc/" in ran.out, str(tmp_path / "file") in ran.err) == (0, True, True), ran.err
        assert "Errno" not in ran.err
    refused(alone("index"), 7, "file", "try:")
    refused(alone("rename total to sum_of", "--yes"), 7, "file", "try:")  # no journal, no change
    assert "def total" in (alone.cwd / "calc/parse.py").read_text()
    refused(alone("explain total"), 7, "file", "try:")  # nothing could be booked


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs root, to become another user")
def test_a_folder_of_programs_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); os.chdir('/'); from pathlib import Path;"
        "from optimizer.git.run import find_git; os.setuid(65534); print(find_git(Path('/nowhere')))"
    )
    path = f"{closed}/below:{os.environ['PATH']}"
    command = [sys.executable, "-c", script, str(Path(__file__).parents[2])]
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
