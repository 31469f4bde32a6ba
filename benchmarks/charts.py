"""Draw the charts of docs/benchmarks.md from benchmarks/results: python benchmarks/charts.py"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS, ASSETS = ROOT / "benchmarks/results", ROOT / "docs/assets"
INK, PALE, GRID, OURS, OTHER = "#1f2933", "#52606d", "#e4e7eb", "#2563eb", "#9aa5b1"
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 360, 56, 64, 48


def main() -> None:
    """Write both charts."""
    ASSETS.mkdir(exist_ok=True)
    (ASSETS / "context.svg").write_text(_svg(_context()), encoding="utf-8")
    (ASSETS / "routing.svg").write_text(_svg(_routing()), encoding="utf-8")


def _svg(parts: Iterator[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>', *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "middle") -> str:
    style = style or f'font-size="13" fill="{PALE}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {style}>{escape(text)}</text>'


def _title(text: str, below: str) -> Iterator[str]:
    yield _text(LEFT, 24, text, f'font-size="17" font-weight="bold" fill="{INK}"', "start")
    yield _text(LEFT, 44, below, anchor="start")


def _height(share: float) -> float:
    """The y of a share of the full height."""
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def _lines(labels: dict[float, str]) -> Iterator[str]:
    for share, label in labels.items():
        y = _height(share)
        yield f'<line x1="{LEFT}" x2="{WIDTH - 16}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        yield _text(LEFT - 8, y + 4, label, anchor="end")


def _context() -> Iterator[str]:
    results = json.loads((RESULTS / "retrieval.json").read_text(encoding="utf-8"))
    ours, bm25 = results["held back"]["held back"], results["bm25"]
    yield from _title("All changed files among the first k", "270 issues, 22 repositories, 9 languages; percent")
    yield from _lines({share / 100: str(share) for share in range(0, 101, 25)})
    step = (WIDTH - LEFT - 16) / len(ours)
    for number, name in enumerate(ours):
        middle = LEFT + step * (number + 0.5)
        for offset, values, colour in ((-46, bm25, OTHER), (2, ours, OURS)):
            y = _height(values[name] / 100)
            size = f'width="44" height="{_height(0) - y:.1f}"'
            yield f'<rect x="{middle + offset:.1f}" y="{y:.1f}" {size} fill="{colour}"/>'
            yield _text(middle + offset + 22, y - 5, f"{values[name]:.1f}", f'font-size="12" fill="{INK}"')
        yield _text(middle, HEIGHT - 26, f"k = {name.removeprefix('acc@')}")
    yield from _legend({"BM25": OTHER, "optimizer (weights of other repositories)": OURS})


def _legend(names: dict[str, str]) -> Iterator[str]:
    x = float(LEFT)
    for name, colour in names.items():
        yield f'<rect x="{x:.1f}" y="{HEIGHT - 15}" width="11" height="11" fill="{colour}"/>'
        yield _text(x + 17, HEIGHT - 5, name, anchor="start")
        x += 34 + 7.2 * len(name)


def _routing() -> Iterator[str]:
    rows = json.loads((RESULTS / "routing-2026-11-21.json").read_text(encoding="utf-8"))["replay"]
    points = [(row["strategy"], row["dollars"], row["solved"]) for row in rows]
    most, least, top = 200, 100, 230
    yield from _title("Tasks solved against cost", "246 recorded coding tasks replayed over 24 models; dollars")
    yield from _lines({(n - least) / (top - least): str(n) for n in range(100, 226, 25)})
    for dollars in range(0, most + 1, 50):
        yield _text(LEFT + dollars / most * (WIDTH - LEFT - 70), HEIGHT - 24, f"${dollars}")
    for name, dollars, solved in points:
        x, y = LEFT + dollars / most * (WIDTH - LEFT - 70), _height((solved - least) / (top - least))
        ours = name.startswith("ours")
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{7 if ours else 5}" fill="{OURS if ours else OTHER}"/>'
        label = name.removeprefix("ours, ").replace("catches", "check catches").replace("alarms", "false alarms")
        label = {"oracle": "the outcome known beforehand"}.get(label, label)
        at, anchor = ((x + 11, y + 4), "start") if dollars < 150 else ((x, y - 12), "middle")
        yield _text(*at, label, f'font-size="12" fill="{INK}"', anchor)
    yield from _legend({"fixed strategy": OTHER, "optimizer, by how good its check is": OURS})


if __name__ == "__main__":
    main()
