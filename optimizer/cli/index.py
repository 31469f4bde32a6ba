"""`optimize index`: update the index, keep it up to date, show its contents, and fill in its vectors."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import options, output
from optimizer.cli.terminal import confirm, emit, interactive, notice, paint, width
from optimizer.errors import InputError, StorageError
from optimizer.report import left_out, wire
from optimizer.report.figures import count, duration, size
from optimizer.report.layout import inert, table
from optimizer.retrieval import Skipped

if TYPE_CHECKING:
    from optimizer.engine.services import Services, Workspace
    from optimizer.index.embed import Embedder
    from optimizer.index.refresh import Refreshed
    from optimizer.index.survey import Survey
    from optimizer.index.vectors import Piece, Vectors

Contents = Mapping[str, int | None]

SHORTEST_WAIT, LONGEST_WAIT = 1.0, 5.0  # seconds between looks
IDLE_LOOKS = 20
SHARE_OF_A_CORE = 0.1
MOST_LINES = 20
MARKS = {"new": "green", "changed": "yellow", "gone": "red"}
MEASURED = 32  # functions embedded before the rest is estimated
SEMANTIC_OFF = "semantic-search is off, so the vectors are not used; set semantic-search = true under [features]"


@click.command("index")
@click.option("--watch", is_flag=True, help="Keep it up to date until Ctrl-C (exit code 0).")
@click.option("--stats", is_flag=True, help="Show its contents.")
@click.option("--embed", is_flag=True, help="Compute a vector for every function, for semantic-search.")
@click.option("--download", is_flag=True, help="With --embed: download the model from its hub. No code is sent.")
@click.option("--yes", "-y", is_flag=True, help="With --embed: start without asking, however long it takes.")
@click.option("--verbose", "-v", is_flag=True, help="List every skipped file.")
@options.project
@options.as_json
def command(watch: bool, stats: bool, verbose: bool, as_json: bool, **given: Any) -> int:
    """Update the index of this repository and report what that took.

    All other commands do so by themselves; nothing is written into the repository.
    """
    from optimizer.engine import prepare

    if given["download"] and not given["embed"]:
        raise click.UsageError("--download goes with --embed")
    with options.open_services(given["project"], {}, looks=True, may_walk=lambda *_: True) as services:
        workspace = services.workspace
        if not workspace.index.file.is_relative_to(workspace.places.cache):
            hint = "check the disk and its permissions, or set OPTIMIZER_HOME"
            raise StorageError(f"the index cannot be kept below {workspace.places.cache}", hint)
        done = prepare.refresh(services.workspace)
        if done.notice:
            notice(done.notice)
        workspace.index.history()  # read now, so that no request waits for it
        _report(workspace, done, verbose, as_json)
        if stats:
            _print_stats(workspace, as_json)
        if given["embed"]:
            _embed(workspace, as_json, download=given["download"], yes=given["yes"])
        if watch:
            _watch(services, as_json)
    return 0


# ── what a refresh did ───────────────────────────────────────────────────────────────────────────


def _report(workspace: Workspace, done: Refreshed, verbose: bool, as_json: bool) -> None:
    from optimizer.index.survey import disk_bytes

    index = workspace.index
    if as_json:
        fields = wire.plain(done) | {"skipped": wire.skipped(done.skipped)}
        emit({"event": "index", **fields, "bytes": disk_bytes(index), "file": str(index.file)})
        return
    counts = f"{done.parsed:,} parsed, {done.unchanged:,} unchanged, {done.removed:,} removed"
    click.echo(f"{count(done.parsed + done.unchanged, 'file')} in {done.seconds:.2f} s: {counts}")
    lines = skipped_lines(done.skipped, verbose)
    if len(lines) == 1:
        click.echo(f"{len(done.skipped):,} skipped: {left_out.why(done.skipped[0])}")
    elif lines:
        click.echo("\n".join([f"{len(done.skipped):,} skipped:", *lines]))
    for line in table([(f"{size(disk_bytes(index))} on disk:", str(index.file))], width(), ""):
        click.echo(inert(line))


def skipped_lines(skipped: Iterable[Skipped], verbose: bool) -> list[str]:
    """How many files were skipped for each reason; with `verbose`, each of them."""
    by_reason: dict[str, list[str]] = {}
    for item in skipped:
        by_reason.setdefault(left_out.why(item), []).append(item.path)
    lines = []
    for why, paths in sorted(by_reason.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        lines.append(f"  {len(paths):>7,}  {inert(why)}")
        lines += [f"           {inert(path)}" for path in paths] if verbose else []
    return lines


# ── contents ─────────────────────────────────────────────────────────────────────────────────────


def _print_stats(workspace: Workspace, as_json: bool) -> None:
    from optimizer.index.survey import survey

    figures = survey(workspace.index)
    if as_json:
        emit({"event": "stats", **wire.plain(figures), "skipped": wire.skipped(figures.skipped)})
    else:
        click.echo(stats_text(figures))


def stats_text(figures: Survey) -> str:
    """The figures of an index as a table."""
    lines = ["", f"{'language':<14}{'files':>9}{'size':>12}{'symbols':>10}"]
    for row in figures.languages:
        note = "" if row.installed else "  no grammar: install the extra `languages`"
        lines.append(f"{row.language:<14}{row.files:>9,}{size(row.bytes):>12}{row.symbols:>10,}{note}")
    lines.append(f"{'all':<14}{figures.files:>9,}{size(figures.source_bytes):>12}{figures.symbols:>10,}")
    share = figures.imports_resolved / figures.imports if figures.imports else 0.0
    ratio = figures.disk_bytes / figures.source_bytes if figures.source_bytes else 0.0
    without = sum(row.files for row in figures.languages if not row.installed)
    lines += [
        "",
        f"{'units':<18}{figures.units:,}: functions, class heads, rests of files",
        f"{'imports':<18}{figures.imports:,}; {figures.imports_resolved:,} ({share:.0%}) resolve to a file here",
        f"{'history':<18}{count(figures.commits, 'commit')}",
        f"{'without grammar':<18}{count(without, 'file')}",
        f"{'index':<18}{ratio:.2f} × the size of the source",
    ]
    return "\n".join(lines)


# ── watching ─────────────────────────────────────────────────────────────────────────────────────


def _watch(services: Services, as_json: bool) -> None:
    """Refresh again and again, less often while nothing happens, until Ctrl-C or the end of the reader."""
    from optimizer.engine import prepare
    from optimizer.index.survey import contents

    index, streams = services.workspace.index, click.get_current_context().find_object(output.Streams)
    known, idle, wait = contents(index), 0, SHORTEST_WAIT
    notice(f"watching {services.workspace.root}; press Ctrl-C to stop")
    try:
        while not (streams and streams.lost):
            index.forget()  # a sleeping reader would keep the store from shrinking
            time.sleep(wait)
            done = prepare.refresh(services.workspace)
            if done.notice:
                notice(done.notice)
            now = contents(index)
            changes = list(changed(known, now))
            _print_changes(changes, as_json)
            known, idle = now, 0 if changes else idle + 1
            wait = next_wait(idle, done.seconds)
    except KeyboardInterrupt:
        notice("stopped watching")


def next_wait(idle: int, took: float) -> float:
    """Seconds until the next look, after `idle` looks without a change; the last one took `took` seconds."""
    longest = min(LONGEST_WAIT, max(SHORTEST_WAIT, SHORTEST_WAIT * idle / IDLE_LOOKS))
    return max(longest, took / SHARE_OF_A_CORE)


def _print_changes(changes: Sequence[tuple[str, str]], as_json: bool) -> None:
    """Print a line for each change; where many files changed at once, the first of them and how many more."""
    at = time.strftime("%H:%M:%S")
    for what, path in changes if as_json else changes[:MOST_LINES]:
        if as_json:
            emit({"event": what, "path": path})
        else:
            click.echo(f"{at}  {paint(f'{what:<7}', fg=MARKS[what])}  {inert(path)}")
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


# ── vectors ──────────────────────────────────────────────────────────────────────────────────────


def _embed(workspace: Workspace, as_json: bool, *, download: bool, yes: bool) -> None:
    """Compute a vector for every function: measure a few, estimate the rest, ask, go on; finished ones are kept.

    Raises NotFound or ConfigError when there is no usable model, InputError when no prompt is possible, StorageError.
    """
    from optimizer.context.files import FileLines
    from optimizer.context.semantic import pieces_of
    from optimizer.index.embed import choice_from, open_model
    from optimizer.index.vectors import missing, open_vectors

    index, choice = workspace.index, choice_from(workspace.settings, workspace.places.cache)
    if download and not choice.directory:
        notice(f"downloading {choice.name} to {choice.fetched}, unless it is there; no code is sent")
    embedder = open_model(choice, download=download)
    with closing(open_vectors(index.file, choice.id)) as vectors:
        if vectors.notice:
            notice(vectors.notice)
        left = missing(pieces_of(index, FileLines(index)), vectors)
        index.forget()  # a waiting reader would keep the store from shrinking
        started = time.monotonic()
        done = _fill(left, embedder, vectors, workspace, yes)
        _report_vectors(done, time.monotonic() - started, vectors, as_json)
    if not workspace.features.semantic_search:
        notice(SEMANTIC_OFF)


def _fill(left: Sequence[Piece], embedder: Embedder, vectors: Vectors, workspace: Workspace, yes: bool) -> int:
    from optimizer.index.vectors import fill

    step = max(1, len(left) // MEASURED)
    measured = left[::step][:MEASURED]
    rest = [piece for piece in left if piece not in set(measured)]
    started = time.monotonic()
    fill(measured, embedder, vectors, lambda _: None)
    if rest:
        seconds = (time.monotonic() - started) / len(measured) * len(rest)
        estimate = f"about {duration(seconds)} for {count(len(rest), 'function')}"
        if yes:
            notice(f"embedding: {estimate}; Ctrl-C stops it and keeps what is done")
        elif not interactive():
            raise InputError(f"embedding takes {estimate}; {len(measured)} are done", "optimize index --embed --yes")
        elif not confirm(f"Embedding takes {estimate}. Continue?", default=True):
            return len(measured)
        fill(rest, embedder, vectors, workspace.progress)
    return len(left)


def _report_vectors(done: int, seconds: float, vectors: Vectors, as_json: bool) -> None:
    total, file = vectors.count(), vectors.file
    if as_json:
        fields = {"event": "embed", "embedded": done, "vectors": total, "seconds": round(seconds, 2), "file": str(file)}
        emit(fields)
    else:
        click.echo(f"{count(done, 'function')} embedded in {duration(seconds)}; {count(total, 'vector')} in {file}")
