"""`optimize index`: bring the index up to date, keep it so, and show what it holds."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import options, show, terminal
from optimizer.cli.terminal import paint, width
from optimizer.humanize import size
from optimizer.report.layout import inert, table
from optimizer.retrieval import Skipped

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.index.refresh import Refreshed
    from optimizer.index.survey import Survey

Contents = Mapping[str, int | None]

SHORTEST_WAIT, LONGEST_WAIT = 1.0, 5.0  # seconds between looks
IDLE_LOOKS = 20
SHARE_OF_A_CORE = 0.1
MOST_LINES = 20
MARKS = {"new": "green", "changed": "yellow", "gone": "red"}


@click.command("index")
@click.option("--watch", is_flag=True, help="Keep it up to date until Ctrl-C (which ends it with exit code 0).")
@click.option("--stats", is_flag=True, help="Show what it holds.")
@click.option("--embed", is_flag=True, help="Give every function a vector, for semantic-search.")
@click.option("--download", is_flag=True, help="With --embed: let the model be fetched from its hub. No code is sent.")
@click.option("--yes", "-y", is_flag=True, help="With --embed: begin without asking, however long it takes.")
@click.option("--verbose", "-v", is_flag=True, help="Name every file that was skipped.")
@options.project
@options.as_json
def command(watch: bool, stats: bool, verbose: bool, as_json: bool, **given: Any) -> int:
    """Bring the index of this repository up to date and say what that took.

    All other commands do so by themselves; nothing is written into the repository.
    """
    from optimizer.engine import prepare

    if given["download"] and not given["embed"]:
        raise click.UsageError("--download goes with --embed")
    with options.open_services(given["project"], {}, looks=True) as services:
        done = prepare.refresh(services.workspace)
        if done.notice:
            terminal.notice(done.notice)
        services.workspace.index.history()  # read now, so that no request waits for it
        report = _report_json if as_json else _report
        report(services, done, verbose)
        if stats:
            from optimizer.index.survey import survey

            figures = survey(services.workspace.index)
            fields = {"event": "stats", **show.plain(figures)}
            click.echo(json.dumps(fields, ensure_ascii=False) if as_json else stats_text(figures))
        if given["embed"]:
            from optimizer.cli.embed import Wishes, embed

            embed(services, Wishes(given["download"], given["yes"], as_json))
        if watch:
            _watch(services, as_json)
    return 0


# ── what a refresh did ───────────────────────────────────────────────────────────────────────────


def _report(services: Services, done: Refreshed, verbose: bool) -> None:
    from optimizer.index.survey import disk_bytes

    counts = f"{done.parsed:,} read anew, {done.unchanged:,} unchanged, {done.removed:,} gone"
    files = done.parsed + done.unchanged
    click.echo(f"{files:,} file{'s' if files != 1 else ''} in {done.seconds:.2f} s: {counts}")
    lines = skipped_lines(done.skipped, verbose)
    if len(lines) == 1:
        click.echo(f"{len(done.skipped):,} skipped: {done.skipped[0].why}")
    elif lines:
        click.echo("\n".join([f"{len(done.skipped):,} skipped:", *lines]))
    for line in table(
        [(f"{size(disk_bytes(services.workspace.index))} on disk:", str(services.workspace.index.file))], width(), ""
    ):
        click.echo(inert(line))


def _report_json(services: Services, done: Refreshed, verbose: bool) -> None:
    from optimizer.index.survey import disk_bytes

    fields = show.plain(done) | {
        "bytes": disk_bytes(services.workspace.index),
        "file": str(services.workspace.index.file),
    }
    click.echo(json.dumps({"event": "index", **fields}, ensure_ascii=False))


def skipped_lines(skipped: Iterable[Skipped], verbose: bool) -> list[str]:
    """How many files were left out for each reason; with `verbose` each of them."""
    by_reason: dict[str, list[str]] = {}
    for item in skipped:
        by_reason.setdefault(item.why, []).append(item.path)
    lines = []
    for why, paths in sorted(by_reason.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        lines.append(f"  {len(paths):>7,}  {inert(why)}")
        lines += [f"           {inert(path)}" for path in paths] if verbose else []
    return lines


# ── what it holds ────────────────────────────────────────────────────────────────────────────────


def stats_text(figures: Survey) -> str:
    """The figures of an index as a table."""
    lines = ["", f"{'language':<14}{'files':>9}{'size':>12}{'symbols':>10}"]
    for row in figures.languages:
        note = "" if row.installed else "  found by words only: pip install 'optimizer[languages]'"
        lines.append(f"{row.language:<14}{row.files:>9,}{size(row.bytes):>12}{row.symbols:>10,}{note}")
    lines.append(f"{'all':<14}{figures.files:>9,}{size(figures.source_bytes):>12}{figures.symbols:>10,}")
    share = figures.imports_resolved / figures.imports if figures.imports else 0.0
    ratio = figures.disk_bytes / figures.source_bytes if figures.source_bytes else 0.0
    without = sum(row.files for row in figures.languages if not row.installed)
    lines += [
        "",
        f"{'units':<18}{figures.units:,}: functions, heads of classes, rests of files",
        f"{'imports':<18}{figures.imports:,}, of which {figures.imports_resolved:,} ({share:.0%}) lead to a file here",
        f"{'history':<18}{figures.commits:,} commit{'s' if figures.commits != 1 else ''}",
        f"{'without grammar':<18}{without:,} file{'s' if without != 1 else ''}",
        f"{'index':<18}{ratio:.2f} × the size of the source",
    ]
    return "\n".join(lines)


# ── watching ─────────────────────────────────────────────────────────────────────────────────────


def _watch(services: Services, as_json: bool) -> None:
    """Look again and again, less often while nothing happens, until Ctrl-C."""
    from optimizer.engine import prepare
    from optimizer.index.survey import contents

    known, idle, wait = contents(services.workspace.index), 0, SHORTEST_WAIT
    terminal.notice(f"watching {services.workspace.root}; Ctrl-C ends it")
    try:
        while True:
            services.workspace.index.forget()  # a reader that sleeps would keep the store from shrinking
            time.sleep(wait)
            done = prepare.refresh(services.workspace)
            if done.notice:
                terminal.notice(done.notice)
            now = contents(services.workspace.index)
            changes = list(changed(known, now))
            _tell(changes, as_json)
            known, idle = now, 0 if changes else idle + 1
            wait = next_wait(idle, done.seconds)
    except KeyboardInterrupt:
        terminal.notice("stopped watching")


def next_wait(idle: int, took: float) -> float:
    """Seconds until the next look, after `idle` looks that found nothing, the last of which took `took` seconds."""
    longest = min(LONGEST_WAIT, max(SHORTEST_WAIT, SHORTEST_WAIT * idle / IDLE_LOOKS))
    return max(longest, took / SHARE_OF_A_CORE)


def _tell(changes: Sequence[tuple[str, str]], as_json: bool) -> None:
    """One line a change; where many files changed at once, the first of them and how many more."""
    at = time.strftime("%H:%M:%S")
    for what, path in changes if as_json else changes[:MOST_LINES]:
        line = json.dumps({"event": what, "path": path}, ensure_ascii=False)
        click.echo(line if as_json else f"{at}  {paint(f'{what:<7}', fg=MARKS[what])}  {inert(path)}")
    if len(changes) > MOST_LINES and not as_json:
        click.echo(f"{at}  and {len(changes) - MOST_LINES:,} more files")
    sys.stdout.flush()


def changed(before: Contents, after: Contents) -> Iterable[tuple[str, str]]:
    """(what, path) for each file that differs, in order of path; what is new, changed or gone."""
    for path in sorted({*before, *after}):
        if path not in before:
            yield "new", path
        elif path not in after:
            yield "gone", path
        elif before[path] != after[path]:
            yield "changed", path
