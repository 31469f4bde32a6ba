"""The cases of `secret_cases.toml`, filled in: secrets are put together at run time, so that no file holds one."""

from __future__ import annotations

import base64
import random
import re
import string
import tomllib
import uuid
from functools import cache
from pathlib import Path
from typing import NamedTuple

ALNUM = string.ascii_letters + string.digits
LETTERS = {
    "A": ALNUM,
    "a": string.ascii_lowercase + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "B": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "b": ALNUM + "+/",
    "w": ALNUM + "_-",
    "h": "0123456789abcdef",
    "d": "123456789",
    "L": string.ascii_letters,
    "x": "x",
    "0": "0",
}
_SLOT = re.compile(r"\{([A-Za-z0])(\d+)\}|\{(uuid|pem3|basic)\}")


class Kind(NamedTuple):
    """What a rule finds, and what it leaves alone, as templates."""

    rule: str
    found: tuple[str, ...]
    clean: tuple[str, ...]


@cache
def kinds() -> tuple[Kind, ...]:
    """All rules with their cases."""
    data = tomllib.loads(Path(__file__).with_name("secret_cases.toml").read_text("utf-8"))
    return tuple(Kind(rule, tuple(row["found"]), tuple(row["clean"])) for rule, row in data.items())


def filled(template: str, seed: int = 0) -> str:
    """A template with letters drawn for its slots: the same ones each time for a seed."""
    drawn = random.Random(f"{template}{seed}")

    def fill(slot: re.Match[str]) -> str:
        if slot[3] == "uuid":
            return str(uuid.UUID(int=drawn.getrandbits(128)))
        if slot[3] == "pem3":
            return "\n".join(letters("b", 64, drawn) for _ in range(3))
        if slot[3] == "basic":
            return base64.b64encode(f"deploy:{letters('A', 14, drawn)}".encode()).decode()
        return letters(slot[1], int(slot[2]), drawn)

    return _SLOT.sub(fill, template).replace("¦", "")


def letters(kind: str, count: int, drawn: random.Random) -> str:
    """So many letters of a kind, with at least one digit and, where it has them, letters of both cases."""
    alphabet = LETTERS[kind]
    while True:
        text = "".join(drawn.choices(alphabet, k=count))
        wanted = [
            set(group) & set(alphabet) for group in (string.digits, string.ascii_lowercase, string.ascii_uppercase)
        ]
        if count < 8 or all(not group or group & set(text) for group in wanted):
            return text
