"""The rules of ignore files as git reads them: which names a file of rules hides, and which it shows again.

The wildcards are those of git's `wildmatch.c`, on bytes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

# Rules with more `**/` than this take too long on a deep path: the rest of such a rule counts as matched.
MOST_DEEP = 3
_FLAGS = re.DOTALL | (re.IGNORECASE if sys.platform in ("darwin", "win32") else 0)
_LITERAL = rb"[^*?\[\\]*"
_DEEP, _HERE, _ANYTHING = b"(?:.*/)?", b"[^/]*", b".*"
_CLASSES = {
    b"alnum": rb"[A-Za-z0-9]",
    b"alpha": rb"[A-Za-z]",
    b"blank": rb"[ \t]",
    b"cntrl": rb"[\x00-\x1f\x7f]",
    b"digit": rb"[0-9]",
    b"graph": rb"[!-~]",
    b"lower": rb"[a-z]",
    b"print": rb"[ -~]",
    b"punct": rb"[!-/:-@\[-`{-~]",
    b"space": rb"[ \t-\r]",
    b"upper": rb"[A-Z]",
    b"xdigit": rb"[A-Fa-f0-9]",
}


class Group(NamedTuple):
    """Rules of one file that follow each other and all hide, or all show; None where there are none of a kind.

    Those without a slash match the `name` of a file or folder, the others its `path`.
    """

    hides: bool
    name: re.Pattern[bytes] | None
    path: re.Pattern[bytes] | None


class Rules(NamedTuple):
    """The rules of one file, those that count most first; `prefix` is its folder with `/` at the end, or b''."""

    prefix: bytes
    groups: tuple[Group, ...]


class _Rule(NamedTuple):
    hides: bool
    anywhere: bool
    pattern: bytes


def rules_of(data: bytes, prefix: bytes = b"") -> Rules:
    """Read a file of rules, any bytes; what git cannot read as a rule is none."""
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    rules = [rule for line in lines if (rule := _rule(line.removesuffix(b"\r"))) is not None]
    groups = groupby(reversed(rules), key=lambda rule: rule.hides)
    return Rules(prefix, tuple(_group(hides, tuple(same)) for hides, same in groups))


def hidden(chain: Sequence[Rules], path: bytes) -> bool:
    """Whether the rules of some files hide a path, apart from the folders it lies in; the last file counts most.

    The path of a folder ends with `/`.
    """
    for prefix, groups in reversed(chain):
        if not path.startswith(prefix):
            continue
        inner = path[len(prefix) :]
        name = inner[inner.rfind(b"/", 0, -1) + 1 :]
        for group in groups:
            if (group.name and group.name.fullmatch(name)) or (group.path and group.path.fullmatch(inner)):
                return group.hides
    return False


def hidden_within(chain: Sequence[Rules], path: bytes, known: dict[bytes, bool]) -> bool:
    """Whether the rules hide a file or a folder that it lies in; `known` keeps the answers for folders."""
    return _hidden_folder(chain, path.rpartition(b"/")[0], known) or hidden(chain, path)


def _hidden_folder(chain: Sequence[Rules], folder: bytes, known: dict[bytes, bool]) -> bool:
    if not folder:
        return False
    answer = known.get(folder)
    if answer is None:
        above = _hidden_folder(chain, folder.rpartition(b"/")[0], known)
        answer = known[folder] = above or hidden(chain, folder + b"/")
    return answer


# ── from rules to regular expressions ─────────────────────────────────────────────────────────────


def _group(hides: bool, rules: Sequence[_Rule]) -> Group:
    names = [rule.pattern for rule in rules if rule.anywhere]
    paths = [rule.pattern for rule in rules if not rule.anywhere]
    return Group(hides, _any(names), _any(paths))


def _any(patterns: Sequence[bytes]) -> re.Pattern[bytes] | None:
    return re.compile(b"|".join(patterns), _FLAGS) if patterns else None


def _rule(line: bytes) -> _Rule | None:
    if not line or line.startswith(b"#"):
        return None
    line = _trimmed(line)
    hides = not line.startswith(b"!")
    line = line[0 if hides else 1 :]
    only_folders = line.endswith(b"/")
    line = line.removesuffix(b"/")
    if not line:
        return None
    anywhere = b"/" not in line
    pieces = _pieces(line.removeprefix(b"/"), hides, anywhere)
    if pieces is None:
        return None
    return _Rule(hides, anywhere, pieces + (b"/" if only_folders else b"/?"))


def _trimmed(line: bytes) -> bytes:
    """Without the spaces at its end that no backslash stands before."""
    bare = line.rstrip(b" ")
    slashes = len(bare) - len(bare.rstrip(b"\\"))
    return bare + b" " if slashes % 2 and len(bare) < len(line) else bare


def _pieces(glob: bytes, hides: bool, anywhere: bool) -> bytes | None:
    """The regular expression of a glob; None for one that matches nothing."""
    found: list[bytes] = []
    # git compares what stands before the first wildcard by itself, so that a `**` after it counts as one at the start
    start = 0 if anywhere else len(re.match(_LITERAL, glob)[0])  # type: ignore[index]
    at = deep = 0
    while at < len(glob):
        if glob[at : at + 1] == b"*":
            at, piece = _star(glob, at, start)
            deep += piece in (_DEEP, _ANYTHING)
            if deep > MOST_DEEP:
                return _joined([*found, _ANYTHING]) if hides else None
            if not (found and found[-1] == piece):
                found.append(piece)
            continue
        length, atom = _atom(glob, at)
        if not atom:
            return None
        found.append(atom)
        at += length
    return _joined(found)


def _star(glob: bytes, at: int, start: int) -> tuple[int, bytes]:
    """Where the stars from `at` on end, and what they match: `**` between slashes goes over folders."""
    end = at
    while glob[end : end + 1] == b"*":
        end += 1
    bounded = at in (0, start) or glob[at - 1 : at] == b"/"
    if end - at < 2 or not bounded or glob[end : end + 1] not in (b"", b"/"):
        return end, _HERE
    return (end + 1, _DEEP) if glob[end : end + 1] == b"/" else (end, _ANYTHING)


def _atom(glob: bytes, at: int) -> tuple[int, bytes]:
    """The length of what stands at `at`, and what it matches; b'' for what matches nothing."""
    sign = glob[at : at + 1]
    if sign == b"?":
        return 1, b"[^/]"
    if sign == b"[":
        return _class(glob, at)
    if sign == b"\\":
        return 2, re.escape(glob[at + 1 : at + 2])
    return 1, re.escape(sign)


def _joined(pieces: Sequence[bytes]) -> bytes:
    """Join the pieces; between two stars of one name the first match is the only one tried, as it is the best."""
    joined = b""
    open_star = False
    for number, piece in enumerate(pieces):
        if piece == _HERE:
            later = next((one for one in pieces[number + 1 :] if one in (_HERE, _DEEP, _ANYTHING, b"/")), b"")
            joined += b")" if open_star else b""
            open_star = later == _HERE
            joined += b"(?>[^/]*?" if open_star else _HERE
        else:
            joined += piece
    return joined


def _class(glob: bytes, start: int) -> tuple[int, bytes]:
    """The length of a class of characters and what it matches; b'' where it has no end."""
    at = start + 1
    negated = glob[at : at + 1] in (b"!", b"^")
    at += negated
    members: set[int] = set()
    before = -1  # the first character of a range, if the next is `-`
    first = True
    while first or glob[at : at + 1] != b"]":
        first = False
        one = glob[at : at + 1]
        if not one:
            return 0, b""
        if one == b"-" and before >= 0 and glob[at + 1 : at + 2] not in (b"", b"]"):
            at += 1 + (glob[at + 1 : at + 2] == b"\\")
            if at >= len(glob):
                return 0, b""
            members.update(range(before, glob[at] + 1))
            before = -1
        elif one == b"[" and glob[at + 1 : at + 2] == b":":
            end = glob.find(b"]", at + 2)
            if end < 0:
                return 0, b""
            if end > at + 2 and glob[end - 1 : end] == b":":
                named = _CLASSES.get(glob[at + 2 : end - 1])
                if named is None:
                    return 0, b""
                members.update(byte for byte in range(256) if re.match(named, bytes((byte,))))
                at, before = end, -1
            else:
                members.add(before := one[0])
        else:
            at += one == b"\\"
            if at >= len(glob):
                return 0, b""
            members.add(before := glob[at])
        at += 1
    matched = (set(range(256)) - members if negated else members) - {ord("/")}
    return at + 1 - start, b"[" + b"".join(_escaped(matched)) + b"]" if matched else b""


def _escaped(members: Iterable[int]) -> Iterator[bytes]:
    return (b"\\x%02x" % byte for byte in sorted(members))
