"""The dependency graph of a conversation as one page of HTML: a row for each block, and arcs between the rows.

The page loads nothing and runs no script. It is read on a phone too, in light and dark.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from math import sqrt
from typing import NamedTuple

from optimizer.report.dependencies import Link, Shown, kind_of, orphaned, why
from optimizer.report.figures import count
from optimizer.report.layout import inert

MOST = 400  # rows of a page
MANY = 300  # arcs from which they are drawn thin
ROW = 46  # pixels
GUTTER = 92  # pixels for the arcs, left of the rows
NAMED = 3  # names that a row lists

_LEGEND = {
    "file": "uses a file that was read",
    "information": "names or quotes it",
    "tool": "call, result, what follows",
    "flow": "answers the request",
}
_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1d2430;--soft:#5b6575;--line:#e3e7ee;--band:#f6f8fb;
--file:#0a7d55;--information:#2563c9;--tool:#a85a00;--flow:#8a93a3;--gone:#b3261e;--orphan:#9a4b00;
--goneback:#fdecea;--orphanback:#fff3e2}
@media(prefers-color-scheme:dark){:root{--bg:#12161d;--fg:#e6eaf1;--soft:#9aa6b8;--line:#262d39;--band:#181e27;
--file:#45c796;--information:#7fb0ff;--tool:#f0a95a;--flow:#6d7889;--gone:#ff8a80;--orphan:#ffb86b;
--goneback:#3a1a1a;--orphanback:#33240f}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);
font:15px/1.4 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.2rem .8rem 3rem}h1{font-size:1.25rem;margin:0 0 .4rem}
p{margin:.3rem 0;overflow-wrap:anywhere}.soft,.legend{color:var(--soft);font-size:.86rem}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.7rem 0 1rem;padding:0;list-style:none}
.legend i{display:inline-block;width:1.3rem;height:0;border-top-width:3px;border-top-style:solid;
vertical-align:middle;margin-right:.4rem}
.graph{position:relative}.graph svg{position:absolute;left:0;top:0}
path{fill:none;stroke-width:1.5;opacity:.55}svg.many path{stroke-width:1;opacity:.25}
path.hot,svg.many path.hot{stroke-width:2.5;opacity:1}
.file{stroke:var(--file);border-color:var(--file)}.information{stroke:var(--information);border-color:var(--information)}
.tool{stroke:var(--tool);border-color:var(--tool)}.flow{stroke:var(--flow);border-color:var(--flow)}
circle{fill:var(--soft)}circle.gone{fill:var(--gone)}circle.orphan{fill:var(--orphan)}
ol{list-style:none;margin:0;padding:0}
.rows li{height:46px;border-bottom:1px solid var(--line);padding:4px 8px;border-left:3px solid transparent}
.rows li.turn{border-top:2px solid var(--line)}
.rows li div{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.rows li div+div{font-size:.8rem;color:var(--soft)}
b{font-weight:600}.tag{font-size:.72rem;font-weight:600;border-radius:3px;margin-right:.4rem}
li.gone{background:var(--goneback);border-left-color:var(--gone)}li.gone .tag{color:var(--gone)}
li.gone .title{text-decoration:line-through}
li.orphan{background:var(--orphanback);border-left-color:var(--orphan)}li.orphan .tag{color:var(--orphan)}
""".replace("\n", "")


class Drawn(NamedTuple):
    """A graph to draw: its blocks in the order of time, its edges, and the blocks that are removed and orphaned."""

    title: str
    blocks: Sequence[Shown]
    links: Sequence[Link]
    removed: Collection[int] = ()
    orphaned: Collection[int] = ()


def page(drawn: Drawn) -> str:
    """The page.

    Of more blocks than it has rows, those that a removal touches stay, those that they take from, and the last ones.
    """
    rows = _chosen(drawn)
    place = {block.id: number for number, block in enumerate(rows)}
    links = [link for link in drawn.links if link.source in place and link.target in place]
    height = len(rows) * ROW
    legend = "".join(f'<li><i class="{kind}"></i>{text}</li>' for kind, text in _LEGEND.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_text(drawn.title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{_text(drawn.title)}</h1>{''.join(_head(drawn, len(rows)))}"
        f'<ul class="legend">{legend}</ul><div class="graph">'
        f'<svg class="{"many" if len(links) > MANY else ""}" width="{GUTTER}" height="{height}" '
        'role="img" aria-label="edges between the blocks">'
        f"{''.join(_arcs(drawn, links, place))}{''.join(_dots(drawn, rows))}</svg>"
        f'<ol class="rows" style="padding-left:{GUTTER}px">{"".join(_rows(drawn, rows, links))}</ol>'
        "</div></main></body></html>\n"
    )


def _head(drawn: Drawn, rows: int) -> Iterator[str]:
    if drawn.removed:
        lost = [block for block in drawn.blocks if block.id in drawn.orphaned]
        yield f"<p><b>{_text(orphaned(sorted(drawn.removed), lost))}</b></p>"
    tokens = sum(block.tokens for block in drawn.blocks)
    left = len(drawn.blocks) - rows
    more = f"; {count(left, 'block')} left out here" if left else ""
    yield f'<p class="soft">{count(len(drawn.blocks), "block")}, {count(tokens, "token")}{more}. '
    yield "An arc leads from a block down to one that takes something from it.</p>"


def _chosen(drawn: Drawn) -> list[Shown]:
    if len(drawn.blocks) <= MOST:
        return list(drawn.blocks)
    touched = {*drawn.removed, *drawn.orphaned}
    near = [link.source for link in drawn.links if link.target in touched]
    last = [block.id for block in reversed(drawn.blocks)]
    kept = set(list(dict.fromkeys([*sorted(touched), *near, *last]))[:MOST])
    return [block for block in drawn.blocks if block.id in kept]


def _arcs(drawn: Drawn, links: Sequence[Link], place: Mapping[int, int]) -> Iterator[str]:
    """The arcs, those of the removed blocks last, so that they lie on top."""
    for link in sorted(links, key=lambda one: one.source in drawn.removed):
        start, end = (place[one] * ROW + ROW / 2 for one in (link.source, link.target))
        out = GUTTER - 8 - min(GUTTER - 14, 10 + 9 * sqrt((end - start) / ROW)) * 4 / 3
        hot = " hot" if link.source in drawn.removed and link.target in drawn.orphaned else ""
        name = f"#{link.target} takes from #{link.source}: {why([link.kind], link.names)}"
        yield (
            f'<path class="{escape(link.kind)}{hot}" d="M{GUTTER - 8} {start:.0f}C{out:.0f} {start:.0f} {out:.0f} '
            f'{end:.0f} {GUTTER - 8} {end:.0f}"><title>{_text(name)}</title></path>'
        )


def _dots(drawn: Drawn, rows: Sequence[Shown]) -> Iterator[str]:
    for number, block in enumerate(rows):
        yield f'<circle class="{_state(drawn, block.id)}" cx="{GUTTER - 8}" cy="{number * ROW + ROW // 2}" r="4"/>'


def _rows(drawn: Drawn, rows: Sequence[Shown], links: Sequence[Link]) -> Iterator[str]:
    sources: dict[int, dict[int, list[str]]] = {}
    for link in links:
        if link.kind != "flow":
            sources.setdefault(link.target, {}).setdefault(link.source, []).extend(link.names)
    for block in rows:
        state = _state(drawn, block.id)
        tag = {"gone": "removed", "orphan": "orphaned"}.get(state, "")
        begins = " turn" if block.kind == "user" else ""
        title = _text(" ".join(block.title.split()))
        marked = f'<span class="tag">{tag}</span>' if tag else ""
        taken = _text(_from(sources.get(block.id, {})))
        yield (
            f'<li id="b{block.id}" class="{state}{begins}"><div><b>#{block.id} {_text(kind_of(block))}</b> '
            f'<span class="title">{title}</span></div><div>{marked}{count(block.tokens, "token")}{taken}</div></li>'
        )


def _from(sources: Mapping[int, Sequence[str]]) -> str:
    """What a block takes, and from which: names first, of the last blocks first."""
    parts = []
    for id, names in sorted(sources.items(), reverse=True):
        plain = list(dict.fromkeys(name for name in names if name))
        more = f" and {len(plain) - NAMED} more" if len(plain) > NAMED else ""
        parts.append(f"#{id}" + (f" {', '.join(plain[:NAMED])}{more}" if plain else ""))
    return f" · from {'; '.join(parts)}" if parts else ""


def _state(drawn: Drawn, id: int) -> str:
    return "gone" if id in drawn.removed else "orphan" if id in drawn.orphaned else ""


def _text(text: str) -> str:
    return escape(inert(text))
