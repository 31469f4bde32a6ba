"""Measure the offline token count against a real tokenizer's: JSON lines of {"text", "tokens"} in, the error out.

Make the file with any tokenizer, for instance Node's `gpt-tokenizer` (`encode(text).length`, o200k_base), on pieces of
about 40 lines of real code and prose; then `python benchmarks/tokens.py pieces.jsonl`.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from optimizer.context.budget import count_tokens

FEW_TOKENS = 40
UNDER = 0.05


def main(path: str) -> None:
    """Print the relative error over the pieces in `path` and the speed of counting."""
    pieces = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
    pieces = [piece for piece in pieces if piece["tokens"] >= FEW_TOKENS]
    started = time.process_time()
    counts = [count_tokens(piece["text"]) for piece in pieces]
    seconds = time.process_time() - started
    errors = sorted(count / piece["tokens"] - 1 for count, piece in zip(counts, pieces, strict=True))
    under = sum(error < -UNDER for error in errors) / len(errors)
    size = sum(len(piece["text"].encode()) for piece in pieces)
    print(f"{len(errors)} pieces, mean error {statistics.mean(errors):+.1%}, spread {statistics.stdev(errors):.1%}")
    print(f"lowest {errors[0]:+.1%}, highest {errors[-1]:+.1%}, under-counted by more than {UNDER:.0%}: {under:.2%}")
    whole = sum(counts) / sum(piece["tokens"] for piece in pieces) - 1
    print(f"all together {whole:+.1%}, {size / seconds / 1e6:.1f} MB/s")


if __name__ == "__main__":
    main(sys.argv[1])
