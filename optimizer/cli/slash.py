"""The commands of a conversation: a row for each."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import click

from optimizer.cli import terminal
from optimizer.errors import InputError
from optimizer.report import talk as report
from optimizer.report.figures import count, money
from optimizer.report.layout import inert

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.images import Image
    from optimizer.session.conversation import Conversation, Mode
    from optimizer.session.store import EntryKind, Sessions

MOST_OUTPUT = 20_000  # characters of a command's output that are put on the table


class Talk(Protocol):
    """The conversation that is going on: what holds for its next turn, whether it is `over`, and how one is taken."""

    store: Sessions
    conversation: Conversation
    services: Services
    images: tuple[Image, ...]
    over: bool

    def take(self, text: str, writes: bool = True) -> None: ...


class Slash(NamedTuple):
    """A command: what it does with the words after it, and its line in the help."""

    act: Callable[[Talk, str], None]
    takes: str
    summary: str


def serve(talk: Talk, line: str) -> None:
    """Do what a line that begins with a slash says. Raises InputError for no such command, and what that raises."""
    name, _, rest = line[1:].partition(" ")
    if name not in SLASHES:
        import difflib

        near = difflib.get_close_matches(name, SLASHES, n=1)
        raise InputError(f"no command /{name}", f"did you mean /{near[0]}?" if near else "/help lists the commands")
    SLASHES[name].act(talk, rest.strip())


def _help(talk: Talk, rest: str) -> None:
    width = max(len(f"/{name} {row.takes}") for name, row in SLASHES.items())
    for name, row in SLASHES.items():
        click.echo(f"{f'/{name} {row.takes}':{width}}  {row.summary}")


def _command(*arguments: str) -> Callable[[Talk, str], None]:
    """A command of the program, with the words after it."""

    def act(talk: Talk, rest: str) -> None:
        root = click.get_current_context().find_root()
        words = [*arguments, "--project", str(talk.services.workspace.root), *_split(rest)]
        assert isinstance(root.command, click.Group)
        try:
            root.command.main(args=words, prog_name="optimize", standalone_mode=False, obj=root.obj)
        except click.UsageError as error:
            raise InputError(error.format_message(), "/help lists the commands") from error

    return act


def _split(rest: str) -> list[str]:
    """The words of a line, as a shell reads them. Raises InputError for a quotation mark without its other half."""
    try:
        return shlex.split(rest)
    except ValueError as error:
        raise InputError(f"{rest}: a quotation mark is not closed", "close it, or write \\ before it") from error


def _context(talk: Talk, rest: str) -> None:
    if rest:
        _command("context")(talk, shlex.quote(rest))
        return
    for block in talk.conversation.blocks:
        first = " ".join(block.text.split())[:60] or f"{block.tool} {block.arguments[:50]}"
        click.echo(f"{block.turn:4} {block.kind:12} {block.tokens:7,}  {inert(block.path or first)}")


def _cost(talk: Talk, rest: str) -> None:
    for turn in talk.conversation.turns:
        ended = turn.ended
        click.echo(
            f"{turn.number:4}  {money(ended.cost if ended else 0):>10}  {inert(' '.join(turn.text.split())[:60])}"
        )
    click.echo(f"this session: {money(talk.conversation.cost)}")
    _command("budget")(talk, "")


def _model(talk: Talk, rest: str) -> None:
    from optimizer.models.available import named

    models = talk.services.models.available().models
    if not models:
        raise InputError("no model can be asked here", "/doctor says why, and what to do")
    if not rest:
        for number, model in enumerate(models, 1):
            click.echo(f"{number:3}  {inert(model.id)}  ({model.tier}, {model.provider})")
        click.echo("/model NUMBER or ID asks that one only; /unpin leaves the choice to the router")
        return
    numbers = {str(number): model.id for number, model in enumerate(models, 1)}
    rest = numbers.get(rest, rest)
    if not any(named(model, rest) for model in models):
        raise InputError(
            f"no model {rest!r} can be asked here", "/model lists those that can, /doctor why others cannot"
        )
    _set(talk, {"model": rest})
    terminal.notice(f"from now on {rest} is asked only; /unpin ends that")


def _pin(talk: Talk, rest: str) -> None:
    answered = [turn.ended.model for turn in talk.conversation.turns if turn.ended and turn.ended.model]
    if not rest and not answered:
        raise InputError("no model has answered yet", "/pin MODEL, or /model for a list")
    _model(talk, rest or answered[-1])


def _unpin(talk: Talk, rest: str) -> None:
    _set(talk, {"model": None})
    terminal.notice("the router chooses the model again")


def _profile(talk: Talk, rest: str) -> None:
    if not rest:
        _command("profile", "list")(talk, "")
        return
    chosen = {"profile": None if rest == "none" else rest}
    talk.services = talk.services.for_next({**talk.conversation.preferences, **chosen})
    _set(talk, chosen)
    terminal.notice(f"profile {rest} holds for this session")


def _mode(mode: Mode) -> Callable[[Talk, str], None]:
    """Change the mode; with words after it, only for one turn."""

    def act(talk: Talk, rest: str) -> None:
        if not rest:
            _set(talk, {"mode": mode})
            terminal.notice(f"mode: {mode}")
            return
        before = talk.conversation.mode
        talk.conversation = replace(talk.conversation, mode=mode)  # not in the log: a kill must not make it stay
        try:
            talk.take(rest, writes=mode != "ask")
        finally:
            talk.conversation = replace(talk.conversation, mode=before)

    return act


def _add(talk: Talk, rest: str) -> None:
    from optimizer.engine.prepare import refresh
    from optimizer.session.staging import items, named

    if not rest:
        if not talk.conversation.staged:
            terminal.notice("nothing is on the table: /add FILE or SYMBOL, or /stage TEXT")
        for one in talk.conversation.staged:
            click.echo(f"{one.kind:7} {inert(one.name)}")
        return
    workspace = talk.services.workspace
    refresh(workspace)
    for name in _split(rest):
        found = named(name, workspace.index)
        _write(talk, "staged", found._asdict())
        tokens = sum(item.tokens for item in items((found,), workspace.index))
        terminal.notice(f"on the table: {found.kind} {found.name}, {tokens:,} tokens")


def _drop(talk: Talk, rest: str) -> None:
    known = {one.name for one in talk.conversation.staged}
    names = sorted(known) if rest == "all" else [rest] if rest in known else _split(rest)
    for name in names:
        if name not in known:
            there = ", ".join(map(repr, sorted(known)))
            raise InputError(f"{name!r} is not on the table", f"there are: {there}" if known else "the table is empty")
        _write(talk, "unstaged", {"name": name})
    terminal.notice(f"taken off the table: {', '.join(names) or 'nothing'}")


def _stage(talk: Talk, rest: str) -> None:
    if not rest:
        raise InputError("/stage takes the text of a note", "/stage All money is in integer cents")
    name = " ".join(rest.split())[:40]
    _write(talk, "staged", {"kind": "note", "name": name, "text": rest})
    terminal.notice(f"on the table: note {name!r}; it is part of this session")


def _run(talk: Talk, rest: str) -> None:
    if not rest:
        raise InputError("/run takes a command line", "/run git status")
    root = talk.services.workspace.root
    done = subprocess.run(
        ["sh", "-c", rest],
        cwd=root,
        stdin=subprocess.DEVNULL,  # its questions would not be seen before it ends
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = done.stdout.decode("utf-8", "replace")
    click.echo(inert(text), nl=not text.endswith("\n"))
    kept = text if len(text) <= MOST_OUTPUT else f"[…]\n{text[-MOST_OUTPUT:]}"
    if terminal.confirm(f"exit code {done.returncode}. Show this output to the model with the next request?"):
        name = f"$ {rest}"
        output = f"{name}\n{kept}\n(exit code {done.returncode})"
        _write(talk, "staged", {"kind": "output", "name": name, "text": output})


def _rewind(talk: Talk, rest: str) -> None:
    from optimizer.session.rewind import rewind

    words = rest.split()
    turns = len(talk.conversation.turns)
    if not words or not words[0].isdecimal():
        for turn in talk.conversation.turns:
            files = f"  wrote {', '.join(turn.ended.files)}" if turn.ended and turn.ended.files else ""
            click.echo(inert(f"{turn.number:4}  {' '.join(turn.text.split())[:60]}{files}"))
        click.echo("/rewind N [code|conversation|both] goes back to the end of turn N (0: the beginning)")
        return
    if not turns:
        raise InputError("there is no turn yet to go back behind", "begin with a request")
    to, what = int(words[0]), words[1] if len(words) > 1 else "both"
    if to >= turns or what not in ("code", "conversation", "both"):
        places = f"a turn from 0 to {turns - 1}, then code, conversation or both"
        raise InputError(f"/rewind {rest}: no such place", places)
    done = rewind(talk.store, talk.conversation, to, what, talk.services.workspace)
    talk.conversation = done.conversation
    files = f"; restored {count(len(done.restored), 'file')}" if done.restored else ""
    terminal.notice(f"back at the end of turn {to}{files if what != 'conversation' else ''}")


def _compact(talk: Talk, rest: str) -> None:
    from optimizer.session import upkeep

    found = upkeep.planned(talk.conversation, talk.services)
    if not found.levels:
        terminal.notice(report.not_compacted(found.why, found.saving, found.cost))
        return
    for block in talk.conversation.blocks:
        if block.id in found.levels:
            what = block.path or " ".join((block.tool, block.text[:50])).strip()
            click.echo(f"{block.turn:4} {block.kind:12} {block.tokens:7,}  {inert(what)} → {found.levels[block.id]}")
    line = report.compacted(found.dropped, found.saving, found.cost, found.why)
    if terminal.confirm(f"{line}. Do that now?"):
        talk.conversation = upkeep.compacted(talk.store, talk.conversation, found)


def _clear(talk: Talk, rest: str) -> None:
    _go_to(talk, talk.store.create(talk.services.workspace.repository))


def _resume(talk: Talk, rest: str) -> None:
    if not rest:
        _command("sessions", "list")(talk, "")
        return
    _go_to(talk, rest)


def _fork(talk: Talk, rest: str) -> None:
    _go_to(talk, talk.store.fork(talk.conversation.id))


def _go_to(talk: Talk, session: str) -> None:
    from optimizer.session.conversation import here, told

    log = talk.store.load(session)
    here(log, talk.services.workspace.repository)
    talk.conversation = now = told(log)
    terminal.notice(report.opened(now.id, len(now.turns), now.tokens, now.damaged))


def _export(talk: Talk, rest: str) -> None:
    from optimizer.session.export import markdown

    text = markdown(talk.conversation)
    if not rest:
        click.echo(inert(text))
        return
    path = Path(os.path.expanduser(rest))  # noqa: PTH111 - Path raises for a user that there is not
    if path.is_dir():
        raise InputError(f"{path} is a folder", f"/export {path / 'conversation.md'}")
    if path.exists() and not terminal.confirm(f"{path} exists. Replace it?"):
        return
    path.write_text(text, encoding="utf-8")
    terminal.notice(f"written to {path}")


def _image(talk: Talk, rest: str) -> None:
    from optimizer.cli.options import attached

    if not rest:
        raise InputError("/image takes files", "/image screenshot.png")
    talk.images = (*talk.images, *attached(tuple(_split(rest))))
    terminal.notice(f"{len(talk.images)} with the next request")


def _quit(talk: Talk, rest: str) -> None:
    talk.over = True


def _set(talk: Talk, values: Mapping[str, Any]) -> None:
    _write(talk, "set", values)


def _write(talk: Talk, kind: EntryKind, body: Mapping[str, Any]) -> None:
    from optimizer.session.conversation import add

    talk.conversation = add(talk.store, talk.conversation, kind, body)


SLASHES: Mapping[str, Slash] = {
    "help": Slash(_help, "", "List these commands."),
    "model": Slash(_model, "[ID]", "List the models, or ask one only."),
    "pin": Slash(_pin, "[MODEL]", "Stay with the model that answered last."),
    "unpin": Slash(_unpin, "", "Leave the choice of the model to the router."),
    "profile": Slash(_profile, "[NAME]", "List the profiles, or use one in this session."),
    "cost": Slash(_cost, "", "Show what each turn has cost, and the caps."),
    "context": Slash(_context, "[REQUEST]", "Show the pieces of the conversation, or what a request would add."),
    "map": Slash(_command("map"), "[FOLDER]", "Outline the repository."),
    "add": Slash(_add, "[NAME...]", "Put files or symbols on the table, or list what is there."),
    "drop": Slash(_drop, "NAME...|all", "Take them off."),
    "stage": Slash(_stage, "TEXT", "Put a note on the table."),
    "image": Slash(_image, "FILE...", "Send images with the next request."),
    "ask": Slash(_mode("ask"), "[REQUEST]", "Ask before changes are written; a REQUEST is answered, nothing written."),
    "plan": Slash(_mode("plan"), "[REQUEST]", "Only plan, change nothing."),
    "accept": Slash(_mode("accept-edits"), "[REQUEST]", "Write proven changes without asking."),
    "run": Slash(_run, "COMMAND", "Run a command here, and show its output to the model if you want."),
    "test": Slash(_command("verify"), "", "Check uncommitted changes, with the tests that reach them."),
    "undo": Slash(_command("undo"), "[N]", "Undo the last change."),
    "redo": Slash(_command("redo"), "[N]", "Apply it again."),
    "diff": Slash(_command("show"), "[N]", "Show the last change, or change N."),
    "rewind": Slash(_rewind, "[N] [WHAT]", "Go back to an earlier turn: code, conversation or both."),
    "compact": Slash(_compact, "", "Show what leaving out old reads and results would save, and do it."),
    "clear": Slash(_clear, "", "Begin a new session; this one is kept."),
    "resume": Slash(_resume, "[ID]", "List the sessions, or go on with one."),
    "fork": Slash(_fork, "", "Go on in a copy of this session."),
    "export": Slash(_export, "[FILE]", "Print the conversation as Markdown, or write it to a file."),
    "doctor": Slash(_command("doctor"), "", "Show what is installed, reachable, allowed and protected."),
    "quit": Slash(_quit, "", "Leave; the session is kept."),
}
