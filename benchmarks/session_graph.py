"""The dependency graph of a conversation: CPU time of a block, of 10,000 blocks, and of questions to it.

    python benchmarks/session_graph.py REPO [--blocks 10000] [--seed 1] [--json OUT]

Conversations are made of the Python files of REPO: turns with a request that names something that was shown, reads of
up to 200 lines, calls with results, answers that quote code, and edits, so that blocks are as long as in real ones. A
block takes as long as the mean of its thousand; the last thousand, with all others before it, shows what growth costs.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from optimizer.session.blocks import Block, BlockKind
from optimizer.session.graph import Graph, edges, graph_of, orphans
from optimizer.session.removal import cascade, impact, order
from optimizer.session.trim import names_in

LINES = 200  # of a read
GROUP = 1_000
READ_SIZES = (20, 60, 120, LINES)


def talk(files: Sequence[tuple[str, list[str]]], wanted: int, chance: random.Random) -> list[Block]:
    """The blocks of a conversation about files."""
    blocks: list[Block] = []
    message = 0

    def add(kind: BlockKind, text: str, **fields: object) -> None:
        made = {"id": len(blocks) + 1, "turn": turn, "message": message, "kind": kind, "text": text, **fields}
        blocks.append(Block(**{"tokens": len(text) // 4, **made}))  # type: ignore[arg-type]

    turn = 0
    while len(blocks) < wanted:
        turn, message = turn + 1, message + 1
        path, lines = chance.choice(files)
        start = chance.randrange(max(1, len(lines) - 20))
        shown = lines[start : start + chance.choice(READ_SIZES)]
        text = "\n".join(
            [f"## {path} ({len(lines)} lines in all)", *(f"{start + n + 1}\t{x}" for n, x in enumerate(shown))]
        )
        add("file-read", text, path=path, start=start + 1, end=start + len(shown))
        names = sorted(names_in("\n".join(shown))) or ["nothing_here"]
        add("user", f"Request: why does {chance.choice(names)} lose what {chance.choice(names)} has?")
        for number in range(chance.randrange(1, 4)):
            message += 1
            call = f"call_{turn}_{number}"
            add("assistant", f"I look where {chance.choice(names)} is used in {path}.")
            arguments = json.dumps({"query": chance.choice(names)})
            add("tool-use", "", tool="search_code", call=call, arguments=arguments)
            message += 1
            other, hits = chance.choice(files)
            found = chance.sample(hits, min(len(hits), 30))
            add("tool-result", "\n".join(f"{other}: {line}" for line in found), tool="search_code", call=call)
        message += 1
        quoted = "\n".join(shown[:8])
        add(
            "assistant", f"The cause is {chance.choice(names)}:\n```\n{quoted}\n```\n" + "It is called too early. " * 20
        )
        add("edit", quoted, path=path, start=start + 1, end=start + 8)
    return blocks[:wanted]


def timed(blocks: Sequence[Block]) -> tuple[Graph, list[float]]:
    """The graph, and the CPU milliseconds of a block in each thousand."""
    graph, found = Graph(), []
    for at in range(0, len(blocks), GROUP):
        names_in.cache_clear()
        begun = time.process_time()
        for block in blocks[at : at + GROUP]:
            graph.add(block)
        found.append((time.process_time() - begun) * 1_000 / len(blocks[at : at + GROUP]))
    return graph, found


def measured(files: Sequence[tuple[str, list[str]]], wanted: int, seed: int) -> dict[str, float]:
    """All figures."""
    chance = random.Random(seed)
    blocks = talk(files, wanted, chance)
    graph, per_block = timed(blocks)
    single = []
    half = graph_of(blocks[: len(blocks) // 2])
    for block in blocks[len(blocks) // 2 :]:
        begun = time.thread_time()
        half.add(block)
        single.append((time.thread_time() - begun) * 1_000)
    gone = set(chance.sample(range(1, len(blocks) + 1), 10))
    return {
        "blocks": len(blocks),
        "mean bytes of a block": round(statistics.mean(len(one.text) for one in blocks)),
        "edges": sum(1 for _ in edges(graph)),
        "all, s": round(sum(per_block) * GROUP / 1_000, 3),
        "first thousand, ms a block": round(per_block[0], 4),
        "last thousand, ms a block": round(per_block[-1], 4),
        "99 % of blocks below, ms": round(sorted(single)[len(single) * 99 // 100], 3),
        **{name: round(value, 2) for name, value in asked(graph, gone)},
    }


def asked(graph: Graph, gone: set[int]) -> Iterator[tuple[str, float]]:
    """CPU milliseconds of questions about ten removed blocks, and of the order of all."""
    for name, question in (("orphans", orphans), ("impact", impact), ("cascade", cascade)):
        begun = time.process_time()
        question(graph, gone)
        yield f"{name}, ms", (time.process_time() - begun) * 1_000
    begun = time.process_time()
    order(graph)
    yield "order of all, ms", (time.process_time() - begun) * 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--blocks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    paths = sorted(options.repository.rglob("*.py"))[:400]
    files = [
        (str(path.relative_to(options.repository)), path.read_text("utf-8", "replace").split("\n")) for path in paths
    ]
    found = measured([one for one in files if len(one[1]) > 30], options.blocks, options.seed)
    for name, value in found.items():
        print(f"{name:32} {value:>12,}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
