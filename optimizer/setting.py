"""What a setting is: its row, and how it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal, NamedTuple

Direction = Literal["", "any", "lower", "higher", "off"]


class Setting(NamedTuple):
    """A row: the dotted key in a config file, the default and the line of documentation.

    A number is within `range`, or is `special`, or the text `word` is in its place; a text is one of `choices` where
    there are some (any other too where `open_ended`: the name of a server of the user's own) or fits `pattern`, which
    `form` describes, and is empty only if `may_be_empty`.
    `env` is the environment variable that sets it. What is `user_only` is imported from no file of others by itself.
    `project` is where a project's file may move the user's own value: nowhere (''), or where a run costs no more,
    sends no more and checks no less. `name` is the attribute of Settings.
    """

    key: str
    default: Any
    doc: str
    range: tuple[float, float] = (0, 0)
    special: float | None = None
    word: str = ""
    choices: tuple[str, ...] = ()
    open_ended: bool = False
    pattern: str = ""
    form: str = ""
    may_be_empty: bool = False
    env: str = ""
    user_only: bool = False
    project: Direction = ""
    name: str = ""

    def initial(self) -> Any:
        """The default, as a value of its own."""
        return dict(self.default) if isinstance(self.default, Mapping) else self.default


def setting(key: str, default: Any, doc: str, **limits: Any) -> Any:
    """Declare a setting; `limits` are the further fields of its row."""
    return field(metadata={"row": Setting(key, default, doc, **limits)})
