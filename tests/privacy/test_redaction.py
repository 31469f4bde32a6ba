"""Placeholders for secrets: nothing of a secret is in a prompt, and an answer gets all of it back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import SecretFound
from optimizer.privacy.secrets.redact import Handling, exported, handling, redact, restored
from optimizer.privacy.secrets.scan import scan
from optimizer.settings import Settings
from optimizer.types import Completion, Message, Prompt, ToolCall, ToolResult, Usage
from tests.privacy.secret_cases import filled, kinds

GROQ, GITHUB = (
    next(filled(kind.found[0]) for kind in kinds() if kind.rule == rule) for rule in ("a Groq key", "a GitHub token")
)
ENCODED = "Z3" + "NrX2ExQjJjM0Q0ZTVGNmc3SDhpOUowazFMMm0zTjRvNVA2cTdSOHM5VDB1MVYydzNYNHk1WjY="


def prompt(*messages: Message, system: str = "") -> Prompt:
    return Prompt(system, messages, (), 100, 10)


def answer(text: str, *calls: ToolCall) -> Completion:
    return Completion(text, calls, Usage(), "end", "m", 1.0)


def test_secrets_in_every_part_of_a_prompt_become_placeholders() -> None:
    call = ToolCall("edit_file", {"path": "a.py", "content": [f"K = '{GROQ}'", {"deep": GITHUB}]})
    given = prompt(
        Message("user", f"Why does {GROQ} fail?\nX = {ENCODED}"),
        Message("assistant", "", calls=(call,)),
        Message("user", "", results=(ToolResult(call, f"3\tT = '{GITHUB}'"),)),
        system=f"Use {GITHUB}.",
    )
    redacted = redact(given)
    assert not any(secret in repr(redacted.prompt) for secret in (GROQ, GITHUB, ENCODED))
    assert sorted(redacted.secrets.values()) == sorted([GROQ, GITHUB, ENCODED])
    place = {secret: placeholder for placeholder, secret in redacted.secrets.items()}
    assert redacted.prompt.system == f"Use {place[GITHUB]}."
    assert redacted.prompt.messages[2].results[0].text == f"3\tT = '{place[GITHUB]}'"
    reply = answer(f"K = '{place[GROQ]}'", ToolCall("edit_file", {"content": f"{place[GITHUB]} {place[ENCODED]}"}))
    back = restored(reply, redacted.secrets)
    assert back.text == f"K = '{GROQ}'" and back.tool_calls[0].arguments == {"content": f"{GITHUB} {ENCODED}"}


def test_placeholders_stay_the_same_from_turn_to_turn_and_are_none_that_stand_there() -> None:
    first = Message("user", f"__SECRET_1__ = '{GROQ}'")
    one = redact(prompt(first))
    two = redact(prompt(first, Message("assistant", "Yes."), Message("user", f"and {GITHUB}")))
    assert one.prompt.messages[0] == two.prompt.messages[0]
    assert "__SECRET_1__" not in two.secrets and len(two.secrets) == 2
    assert redact(one.prompt).secrets == {}


@given(st.lists(st.sampled_from([GROQ, GITHUB, "x = 1", "\n", "ключ ", "__SECRET_2__", '"']), max_size=12))
def test_what_is_redacted_is_restored(parts: list[str]) -> None:
    text = " ".join(parts)
    redacted = redact(prompt(Message("user", text)))
    sent = redacted.prompt.messages[0].text
    assert GROQ not in sent and GITHUB not in sent
    assert scan(sent) == ()
    assert restored(answer(sent), redacted.secrets).text == text


def test_what_is_allowed_is_sent_as_it_is() -> None:
    (found,) = scan(f"K = '{GROQ}'")
    how = handling(Settings(secrets_found="redact", secrets_allow=f"{found.fingerprint.upper()}, {'0' * 16}"))
    assert how == Handling(True, (found.fingerprint, "0" * 16))
    given = prompt(Message("user", f"{GROQ} and {GITHUB}"))
    assert list(redact(given, how.allowed).secrets.values()) == [GITHUB]
    assert scan(GROQ, allowed=(found.fingerprint,)) == ()


def test_a_text_for_elsewhere_is_refused_or_has_placeholders() -> None:
    text = f"### a.py\n\n```py\nK = '{GROQ}'\n```\n"
    with pytest.raises(SecretFound) as caught:
        exported(text, Handling())
    assert caught.value.exit_code == 5 and "line 4" in caught.value.message
    assert GROQ[4:12] not in caught.value.whole and scan(text)[0].fingerprint in caught.value.hint
    assert exported(text, Handling(redacts=True)) == text.replace(GROQ, "__SECRET_1__")
    assert exported("x = 1", Handling()) == "x = 1"


def test_no_json_around_a_secret_is_broken() -> None:
    text = json.dumps({"key": GROQ, "other": [GITHUB]})
    assert json.loads(exported(text, Handling(redacts=True))) == {"key": "__SECRET_1__", "other": ["__SECRET_2__"]}
