"""What several languages share in reading the text of an import statement."""

from __future__ import annotations

import re

# A module, the names that are taken from it, and the form of the import.
Read = tuple[str, tuple[str, ...], str]

MOST_BRANCHES = 10_000
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
STRING = re.compile(r"\"([^\"]*)\"|'([^']*)'")


def branches(tree: str) -> list[str]:
    """`a::{b, c::{self, d}}` → a::b, a::c, a::c::d; without recursion, since the nesting is the writer's."""
    done: list[str] = []
    prefixes: list[str] = []
    prefix, word = "", ""
    for sign in tree + ",":
        if sign == "{":
            prefixes.append(prefix)
            prefix, word = prefix + word.strip(), ""
        elif sign in ",}":
            leaf = word.split(" as ")[0].strip()
            if leaf:
                path = prefix.rstrip(":") if leaf == "self" and prefix else prefix + leaf
                done.append("".join(path.split()))
            word = ""
            if sign == "}":
                prefix = prefixes.pop() if prefixes else ""
        else:
            word += sign
        if len(done) > MOST_BRANCHES:
            break
    return done
