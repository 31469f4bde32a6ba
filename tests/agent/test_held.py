"""What is streamed of a reply: all of an answer, nothing of a call written as text."""

from __future__ import annotations

import pytest

from optimizer.agent.held import Held

CALL = '{"name": "read_file", "arguments": {"path": "a.py"}}'
SHOWN = {
    f"Let me see.\n<tool_call>{CALL}</tool_call>": "Let me see.\n",
    f"Let me see.\n\n```json\n{CALL}\n```\n": "Let me see.\n\n",
    "<function=search_code>\n<parameter=text>x</parameter>\n</function>": "",
    f"[TOOL_CALLS] [{CALL}]": "",
    CALL: "",
}
ANSWERS = [
    "`total` adds them:\n\n```python\ndef total(x):\n    return sum(x)\n```\n\nSee `a.py`.\n",
    '<div> is a tag, and {"key": 1} an object.\n{"key": 1}\n[1, 2]\n',
    "1 < 2 <tool_call> in a line, `<tool_call>` in code",
    "```\n$ cat a\n```\n- [TODO] later\n",
]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(("text", "shown"), [*SHOWN.items(), *((text, text) for text in ANSWERS)])
def test_what_is_shown(text: str, shown: str, size: int) -> None:
    held = Held()
    taken = "".join(held.take(text[at : at + size]) for at in range(0, len(text), size))
    assert taken == shown
    assert taken + held.text == text


def test_an_answer_is_held_no_longer_than_a_few_characters() -> None:
    held, text = Held(), "\n".join(ANSWERS)
    for letter in text:
        held.take(letter)
        assert len(held.text) < 20
