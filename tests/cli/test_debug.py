"""`--debug`: where the flag may stand, and what its lines never show."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Iterator

import click
import pytest

from optimizer.cli import debug
from optimizer.cli.commands import COMMANDS, CommandRow
from optimizer.cli.main import main
from optimizer.debug import debug as log

SECRET = "AKIA" + "Q7PLNZ2VXW4RTGHB"
WHAT = "no such thing"
KEY = "key-of-mine-771"


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    logger = logging.getLogger("optimizer")
    yield
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


@pytest.mark.parametrize(
    ("argv", "rest", "wanted"),
    [
        (["--debug", "where is x"], ["where is x"], True),
        (["where is x", "-v", "--debug"], ["where is x", "-v"], True),
        (["models", "list", "--debug"], ["models", "list"], True),
        (["run", "--", "--debug"], ["run", "--", "--debug"], False),
        (["where is x"], ["where is x"], False),
    ],
)
def test_the_flag_may_stand_anywhere(argv: list[str], rest: list[str], wanted: bool) -> None:
    assert debug.taken_out(argv) == (rest, wanted)


@pytest.mark.usefixtures("_as_it_was")
@pytest.mark.parametrize("name", ["GROQ_API_KEY", "OUR_SERVER_TOKEN"])
def test_keys_and_secrets_are_masked(capsys: pytest.CaptureFixture[str], name: str) -> None:
    debug.start({name: KEY})
    log("providers", "status %d, %s, %s", 401, f"no such key: {KEY}", f'aws_access_key_id = "{SECRET}"')
    err = capsys.readouterr().err
    assert "optimizer.providers: status 401" in err
    assert KEY not in err
    assert SECRET not in err


def test_nothing_is_loaded_for_a_log_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "logging")
    log("providers", "status %d", 200)
    assert "logging" not in sys.modules


@pytest.mark.usefixtures("_as_it_was")
def test_a_bug_is_one_line_and_its_traceback_is_in_the_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def broken() -> None:
        raise RuntimeError(f"{WHAT}: {KEY}")

    module = types.ModuleType("optimizer.cli.broken")
    module.command = broken  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(COMMANDS, "broken", CommandRow("broken:command", "", "", ()))
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    for arguments, shown in ((["broken"], False), (["broken", "--debug"], True)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        err = capsys.readouterr().err
        assert ended.value.code == 1
        assert f"RuntimeError: {WHAT}" in err
        assert ("in broken\n" in err, "Traceback" in err) == (shown, shown)
        assert KEY not in err.partition("error: internal")[0]
