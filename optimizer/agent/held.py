"""Hold back what is, or may become, a call written as text while a reply streams: a person reads answers, not calls."""

from __future__ import annotations

import re

_CALL = re.compile(
    r"[ \t]*(?:<(?:\w+:)?(?:tool_calls?|function_calls?|tool_code|function|invoke)[=> ]|\[TOOL_CALLS\]|<\|python_tag\|>"
    r'|(?:`{3,}\w*\s*)?[\[{]\s*(?:\{\s*)?"(?:name|tool|tool_name|function|tool_calls)")'
)
_MAYBE = re.compile(r'[ \t]*(?:<[\w:|]{0,30}>?|\[[A-Z_]{0,12}|(?:`{1,9}\w*\s*)?(?:[\[{]\s*){0,2}(?:"\w{0,10})?)')


class Held:
    """The part of a reply that is held back so far, in `text`."""

    def __init__(self) -> None:
        self.text = ""
        self._fresh = True  # it begins a line

    def take(self, piece: str) -> str:
        """Take the next piece of a reply; what can be shown."""
        text = self.text + piece
        starts = [*([0] if self._fresh else []), *(line.end() for line in re.finditer("\n", text))]
        at = next((start for start in starts if _CALL.match(text, start) or _MAYBE.fullmatch(text, start)), -1)
        self._fresh = at >= 0
        at = at if self._fresh else len(text)
        self.text = text[at:]
        return text[:at]
