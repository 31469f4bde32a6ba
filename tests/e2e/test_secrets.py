"""Secrets in what is sent, copied, printed and kept: refused, allowed by their fingerprint, or replaced."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import Optimize
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow
SECRET = "gs" + "k_Zb7Qw3Er9Ty1Ui5Op2As8Df4Gh6Jk0LzXcVbNm3Qw7Er1Ty5Ui9O"
CODE = f'KEY = "{SECRET}"\n\n\ndef total(text):\n    return KEY + text\n'
EDIT = "calc/parse.py\n<<<<<<< SEARCH\n{key}\n=======\n{key}\nMORE = 1\n>>>>>>> REPLACE\n"


@pytest.fixture
def leaky(user: Optimize, calc: Path) -> Optimize:
    """The user, with a key in the file that requests are about."""
    (calc / "calc/parse.py").write_text(CODE)
    return user


def sent(loopback: Loopback, wire: str) -> str:
    return "\n".join(one.raw.decode() for one in loopback.requests if one.wire == wire)


def test_a_finding_may_be_allowed_by_the_fingerprint_that_the_refusal_names(
    leaky: Optimize, loopback: Loopback, calc: Path
) -> None:
    ran = leaky("explain total and KEY", "--tier", "free")
    assert ran.code == 5
    (fingerprint,) = re.findall(r'"([0-9a-f]{16})" to secrets\.allow', ran.err.replace("\n", " "))
    (calc / ".optimizer.toml").write_text(f'[secrets]\nallow = "{fingerprint}"\n')
    assert leaky("explain total and KEY", "--tier", "free").code in (2, 5)
    (calc / ".optimizer.toml").unlink()
    assert not loopback.asked("groq")
    leaky.configure(leaky.config.read_text() + f'\n[secrets]\nallow = "{fingerprint}"\n')
    loopback.queue("groq", Reply(text="total adds KEY (calc/parse.py:5)."))
    assert leaky("explain total and KEY", "--tier", "free").code == 0
    assert SECRET in sent(loopback, "groq")


def test_a_placeholder_is_sent_and_put_back_in_the_edit(leaky: Optimize, loopback: Loopback, calc: Path) -> None:
    leaky.configure(leaky.config.read_text() + '\n[secrets]\nfound = "redact"\n')
    loopback.queue("groq", Reply(text=EDIT.format(key='KEY = "__SECRET_1__"')))
    ran = leaky("add MORE = 1 below KEY in calc/parse.py", "--tier", "free", "--yes")
    assert ran.code == 0, ran.err
    assert SECRET not in sent(loopback, "groq") and 'KEY = \\"__SECRET_1__\\"' in sent(loopback, "groq")
    assert (calc / "calc/parse.py").read_text() == CODE.replace('"\n\n\n', '"\nMORE = 1\n\n\n', 1)
    kept = "".join(path.read_text() for path in leaky.home.glob(".local/state/optimizer/transcripts/*"))
    assert kept and SECRET not in kept


@pytest.mark.parametrize("form", [("--format", "md"), ("--format", "xml"), ("--copy",)])
def test_what_is_copied_or_printed_for_elsewhere_is_scanned(
    leaky: Optimize, tmp_path: Path, form: tuple[str, ...]
) -> None:
    clipboard, programs = tmp_path / "clipboard", tmp_path / "programs"
    programs.mkdir()
    (programs / "pbcopy").write_text(f"#!/bin/sh\ncat > {clipboard}\n")
    (programs / "pbcopy").chmod(0o755)
    leaky.env["PATH"] = f"{programs}:{leaky.environment()['PATH']}"
    ran = leaky("context", "total", "KEY", *form)
    assert ran.code == 5, ran.out
    assert SECRET not in ran.out + ran.err and not clipboard.exists()
    leaky.configure(leaky.config.read_text() + '\n[secrets]\nfound = "redact"\n')
    ran = leaky("context", "total", "KEY", *form)
    text = clipboard.read_text() if clipboard.exists() else ran.out
    assert ran.code == 0 and 'KEY = "__SECRET_1__"' in text and SECRET not in text


def test_a_key_in_parts_and_colours_is_not_sent(user: Optimize, loopback: Loopback) -> None:
    half = len(SECRET) // 2
    for piped in (
        f"\x1b[31m{SECRET[:half]}\x1b[0m\x1b[1m{SECRET[half:]}\x1b[0m failed\n",
        f"key: {SECRET[::-1]}\n",
        f'KEY = ("{SECRET[:half]}"\n       "{SECRET[half:]}")\n',
        "DB_PASS=correcthorsebattery\n",
    ):
        assert user("explain the failure", "--tier", "free", stdin=piped).code == 5, piped
    assert not loopback.asked("groq")
