"""The scorer of summaries: faults put into good summaries that it finds, and good summaries that it flags.

    python benchmarks/summaries.py [--half development|final] [--each 4] [--seed 1] [--misses] [--json OUT]

`summaries_cases` holds excerpts of conversations, each with a good summary, all written for this by one author. The
scorer was developed with those in `development.txt`; those in `final.txt` were written after it was finished, and a
figure is of the first run over them unless a page says otherwise. A fault is one mechanical change of a
good summary, at up to EACH places of a kind, chosen with the seed: a number, name, path, negation, decision or open
question goes, or a number, name or path is replaced by one that the excerpt does not hold. It is found when the scorer
reports something that it does not report of the good summary. A false flag is a good summary of which it reports
anything. Each good summary counts as written, as a list of its sentences, with these in reverse order, and with short
forms of negations.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from optimizer.session.score import Finding, score

CASES = Path(__file__).with_name("summaries_cases")
HALVES = ("development", "final")
NAME = re.compile(r"(?<![\w/.#-])(?:[A-Za-z]+_\w+|[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w+)(?![\w/.-]*/)(?!\.[a-z])")
PATH = re.compile(r"(?<![\w/])(?:[\w-]+/)+[\w-]+\.[a-z]{1,4}\b")
NUMBER = re.compile(r"(?<![\w.,/#-])\d+(?:[.,]\d+)*(?![\w/]|[.,]\d)")
NEGATION = re.compile(r"\b(?:not|never|no|without) |n't\b")
DECISION = re.compile(r"decid|decision|agreed|rejected|chose", re.IGNORECASE)
OPEN = re.compile(r"\bOpen: ")


class Case(NamedTuple):
    name: str
    source: str
    summary: str


class Fault(NamedTuple):
    kind: str
    text: str
    summary: str


def cases(half: str) -> list[Case]:
    """The cases of a half."""
    text = (CASES / f"{half}.txt").read_text(encoding="utf-8")
    pieces = re.split(r"^=== (.+)\n", text, flags=re.MULTILINE)[1:]
    found = []
    for name, body in zip(pieces[::2], pieces[1::2], strict=True):
        source, _, summary = body.partition("\n---\n")
        found.append(Case(name, source.strip(), summary.strip()))
    return found


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?!])\s+(?=\S)", text)


def good(case: Case) -> Iterator[str]:
    """The good summary in several forms."""
    parts = sentences(case.summary)
    yield case.summary
    yield "\n".join(f"- {one}" for one in parts)
    yield " ".join(reversed(parts))
    short = re.sub(r"\b(do|does|did|is|are|was|has|must)( not)\b", r"\1n't", case.summary)
    yield short.replace("cannot", "can't")


def faults(case: Case, others: Sequence[Case], each: int, chance: random.Random) -> Iterator[Fault]:
    """Faults of all kinds in the good summary of a case."""
    foreign = {
        pattern: sorted(
            {one for other in others for one in pattern.findall(other.source)} - set(pattern.findall(case.source))
        )
        for pattern in (NAME, PATH)
    }

    def number(_: str) -> str:
        return next(one for _ in range(99) if (one := str(chance.randrange(2, 9_999))) not in case.source)

    ways: list[tuple[str, re.Pattern[str], Callable[[str], str]]] = [
        ("lost number", NUMBER, lambda _: ""),
        ("lost name", NAME, lambda _: "it"),
        ("lost path", PATH, lambda _: "the file"),
        ("lost negation", NEGATION, lambda _: ""),
        ("invented number", NUMBER, number),
        ("invented name", NAME, lambda _: chance.choice(foreign[NAME])),
        ("invented path", PATH, lambda _: chance.choice(foreign[PATH])),
    ]
    for kind, pattern, other in ways:
        places = [m for m in pattern.finditer(case.summary) if "negation" in kind or case.summary.count(m[0]) == 1]
        for match in chance.sample(places, min(each, len(places))):
            text = case.summary[: match.start()] + other(match[0]) + case.summary[match.end() :]
            yield Fault(kind, case.summary[max(0, match.start() - 20) : match.end() + 30], re.sub(" +", " ", text))
    for kind, pattern in (("lost decision", DECISION), ("lost question", OPEN)):
        parts = sentences(case.summary)
        places_of = [at for at, one in enumerate(parts) if pattern.search(one)]
        for at in chance.sample(places_of, min(each, len(places_of))):
            yield Fault(kind, parts[at], " ".join([*parts[:at], *parts[at + 1 :]]))


def found(case: Case, fault: Fault) -> bool:
    """Whether the scorer reports something that it does not report of the good summary."""
    before = set(score(case.source, case.summary).findings)
    return bool(set(score(case.source, fault.summary).findings) - before)


def flags(chosen: Sequence[Case]) -> list[tuple[str, Sequence[Finding]]]:
    """What the scorer reports of each form of each good summary."""
    return [(case.name, score(case.source, text).findings) for case in chosen for text in good(case)]


def measured(half: str, each: int, seed: int, misses: bool) -> dict[str, object]:
    """All figures of a half."""
    chosen, chance = cases(half), random.Random(seed)
    everything = [case for one in HALVES for case in cases(one)]
    by_kind: dict[str, list[bool]] = {}
    for case in chosen:
        for fault in faults(case, [one for one in everything if one != case], each, chance):
            by_kind.setdefault(fault.kind, []).append(hit := found(case, fault))
            if misses and not hit:
                print(f"missed in {case.name}: {fault.kind}: {fault.text}")
    flagged = flags(chosen)
    facts = sum(all for one in chosen for _, all in score(one.source, one.summary).kept.values())
    if misses:
        print(*(f"flagged {name}: {found}" for name, found in flagged if found), sep="\n")
    total = [hit for hits in by_kind.values() for hit in hits]
    return {
        "excerpts": len(chosen),
        "faults": len(total),
        "found": sum(total),
        "found, %": round(100 * sum(total) / len(total), 1),
        "good summaries": len(flagged),
        "flagged": sum(bool(found) for _, found in flagged),
        "flagged, %": round(100 * sum(bool(found) for _, found in flagged) / len(flagged), 1),
        "flagged as written": sum(bool(score(one.source, one.summary).findings) for one in chosen),
        "facts that good summaries, as written, are held to": facts,
        "of these reported": sum(len(score(one.source, one.summary).findings) for one in chosen),
        "kinds": {kind: f"{sum(hits)} of {len(hits)}" for kind, hits in sorted(by_kind.items())},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=HALVES, action="append")
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    halves = options.half or HALVES
    results = {half: measured(half, options.each, options.seed, options.misses) for half in halves}
    for half, figures in results.items():
        print(half)
        for name, value in figures.items():
            print(f"  {name:52} {value}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
