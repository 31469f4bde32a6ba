"""Wire objects: what `--json` prints and other programs rely on. Keys are added, never renamed or removed.

Values of higher rooms come in as they are, and only the attributes named here are read.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.events import Event, Routed
    from optimizer.retrieval import Context, Skipped
    from optimizer.types import LeftOut, Outcome, Patch, Verdict

Wire = dict[str, Any]

EVENTS: Mapping[str, str] = {
    "Chosen": "context",
    "Routed": "route",
    "Notice": "notice",
    "TextDelta": "text",
    "Stepped": "step",
    "Proposed": "patch",
    "Judged": "verdict",
    "Reviewed": "review",
    "Recorded": "usage",
}
_ITEM = ("path", "start", "end", "symbol", "kind", "tokens", "score", "why")


def plain(value: Any) -> Any:
    """A frozen value or named tuple as JSON knows it; bytes are left out."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if not isinstance(item, bytes)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]
    if isinstance(value, date | Path):
        return str(value)
    return None if isinstance(value, bytes) else value


def skipped(files: Iterable[Skipped]) -> list[Wire]:
    """The files that the index left out, with the reason."""
    from optimizer.report import left_out

    return [{"path": one.path, "why": left_out.why(one), "code": one.code} for one in files]


# ── a request ────────────────────────────────────────────────────────────────────────────────────


def event(one: Event) -> Wire | None:
    """An event of the engine; None for one that is not on the wire."""
    name = EVENTS.get(type(one).__name__)
    return {"event": name, **_payload(name, one)} if name else None


def _payload(name: str, one: Any) -> Wire:
    if name == "patch":
        return patch(one.patch)
    if name == "context":
        return context(one.context)
    if name == "route":
        return route(one)
    if name == "verdict":
        return dict(plain(one.verdict))
    return dict(plain(one.record if name == "usage" else one))


def result(outcome: Outcome, landed: str) -> Wire:
    """The last object of a request: how it ended, and what became of the change."""
    fields = plain(outcome._replace(patch=None))
    files = [change.path for change in outcome.patch.changes] if outcome.patch else []
    fields.pop("patch")
    return {"event": "result", **fields, "files": files, "landed": landed, "landing": plain(outcome.landed)}


def failure(exit_code: int, kind: str, error: str, hint: str) -> Wire:
    """The last object of a command that failed; `kind` is the name of the error's class."""
    return {"event": "result", "exit_code": exit_code, "kind": kind, "error": error, "hint": hint}


def context(found: Context) -> Wire:
    """A context without the texts of its items."""
    from optimizer.report import evidence

    return {
        "query": found.query,
        "tokens": found.tokens,
        "files": [{"path": f.path, "score": f.score, "why": list(evidence.phrases(f.why))} for f in found.files],
        "items": [
            {name: getattr(item, name) for name in _ITEM} | {"why": evidence.phrase(item.why)} for item in found.items
        ],
        "timing_ms": dict(found.timing_ms),
    }


def ranked(file: Any) -> Wire:
    """A ranked file with all its signals."""
    signals = {name: round(value, 4) for name, value in file.columns.items()}
    return {"path": file.path, "score": file.score, "signals": signals}


def route(routed: Routed) -> Wire:
    """A decision: the task, the attempts in their order, what is left out, and prices."""
    from optimizer.report import reasons

    attempts = [
        {
            "model": plain(one.model),
            "reason": reasons.attempt(one),
            **coded(one.reason),
            "estimate": one.estimate,
            "standby": one.standby,
            "size": plain(one.size),
        }
        for one in routed.route.attempts
    ]
    left_out = [{"model": one.model, **missing(one)} for one in routed.route.left_out]
    said = reasons.route(routed.task, routed.route)
    decided = {"attempts": attempts, "reason": said, "left_out": left_out, "plan": plain(routed.route.plan)}
    task = plain(routed.task) | {"reasons": [reasons.sign(one) for one in routed.task.signs]}
    return {"task": task, "route": decided, "quotes": plain(routed.quotes)}


def missing(left: LeftOut) -> Wire:
    """Why a provider, or a model of it, cannot be asked."""
    from optimizer.report import reasons

    return {
        "provider": left.provider,
        "tier": left.tier,
        "why": reasons.why(left),
        "cure": reasons.hint(left),
        **coded(left.reason),
    }


def coded(reason: Any) -> Wire:
    """A reason for programs: its kind, and the figures and names that belong to it."""
    if isinstance(reason, Enum):
        return {"code": reason.value, "facts": {}}
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(reason).__name__).lower()
    return {"code": name, "facts": plain(reason)}


def patch(one: Patch) -> Wire:
    """A change as files and a diff."""
    from optimizer.report.diff import unified

    return {"files": [change.path for change in one.changes], "diff": unified(one)}


def verdict(one: Verdict | None) -> Wire:
    """A verdict; None where there was nothing to check."""
    return {"event": "verdict", **(plain(one) if one else {"ok": True, "checks": []})}


# ── the index ────────────────────────────────────────────────────────────────────────────────────


def row(one: Any) -> Wire:
    """A row of find, refs or deps; `target` is null for what is outside the repository."""
    fields = {"path": one.path, "line": one.line, "kind": one.kind, "symbol": one.symbol, "text": one.text}
    return fields | {"target": one.target or None} if one.kind in ("imports", "imported") else fields


def not_found(exit_code: int, error: str, hint: str, near: Iterable[Any]) -> Wire:
    """A lookup without a result, with the nearest rows."""
    return failure(exit_code, "NotFound", error, hint) | {"near": [row(one) for one in near if one.path]}


def outlined(file: Any) -> Iterable[Wire]:
    """A file of an outline, then its symbols."""
    yield {"path": file.path, "kind": "file", "score": file.score}
    for symbol in file.symbols:
        fields = {"path": symbol.path, "line": symbol.line, "kind": symbol.kind, "symbol": symbol.qualified}
        yield fields | {"text": symbol.signature}


# ── changes ──────────────────────────────────────────────────────────────────────────────────────


def change(entry: Any, state: str) -> Wire:
    """A change of the journal; `state` is its wording for people."""
    return {
        "event": "change",
        "id": entry.id,
        "at": entry.at,
        "state": state,
        "label": entry.label,
        "request": entry.request,
        "files": list(entry.paths),
        "bytes": entry.size,
        "merged": entry.merged,
    }


def shown_change(entry: Any, state: str, merged: str, diff: str) -> Wire:
    """A change of the journal with its diff."""
    fields = change(entry, state)
    kept = {name: fields[name] for name in ("event", "id", "at", "state", "label", "files")}
    return kept | {"merged": merged, "diff": diff}


def restored(event: str, one: Any) -> Wire:
    """A file that undo or redo touched."""
    return {"event": event, "entry": one.entry, "path": one.path, "what": one.what}


# ── checks ───────────────────────────────────────────────────────────────────────────────────────


def plan(files: Sequence[str], runs: Iterable[tuple[Any, str]]) -> Wire:
    """The commands that would check a change, each with the reason for which it is skipped, '' for none."""
    return {"event": "plan", "files": list(files), "steps": [_run(run, skip) for run, skip in runs]}


def _run(run: Any, skip: str) -> Wire:
    from optimizer.report import checks

    tests = [{"path": t.path, "why": checks.reached_by(t.by), **plain(t.by)} for t in run.tests]
    return _command(run.command) | {"skip": skip, "files": list(run.files), "tests": tests}


def trusted(found: Any, allowed: bool | None) -> Wire:
    """A command of a repository, and whether it may be run; null where there is no answer yet."""
    return _command(found) | {"allowed": allowed}


def _command(found: Any) -> Wire:
    from optimizer.report import checks

    fields = {"kind": found.kind, "command": found.text, "source": found.source}
    return fields | {"why": checks.found_by(found.by), "by": plain(found.by)}


# ── money and consent ────────────────────────────────────────────────────────────────────────────


def budget(caps: Any, spent: Any, counted: int) -> Wire:
    """What today has cost, in micro-dollars; null where there is no cap."""
    return {
        "event": "budget",
        "spent": spent.cost,
        "unknown_calls": spent.unknown,
        "counted": counted,
        "caps": {"run": caps.run, "day": caps.day, "ask": caps.ask},
        "left": None if caps.day is None else max(0, caps.day - counted),
    }


def grant(one: Any) -> Wire:
    """A consent."""
    return {"destination": one.destination, "host": one.host, "repository": one.repository, "at": one.at}


def finding(one: Any) -> Wire:
    """What the doctor found; `cure` is '' for what is well."""
    from optimizer.report import diagnosis

    cure = diagnosis.cure(one)
    return {
        "event": "finding",
        "area": diagnosis.area(one),
        "code": one.code,
        "ok": not cure,
        "text": diagnosis.text(one),
        "cure": cure,
        "values": list(one.values),
    }


def stored_key(one: Any) -> Wire:
    """A stored key: never more of it than its last letters."""
    return {"provider": one.provider, "last": one.last, "source": one.place, "at": one.at}


# ── models ───────────────────────────────────────────────────────────────────────────────────────


def model(row: Any, chosen: bool, day: date) -> Wire:
    """A model of the list; prices in dollars for a million tokens, null where unknown."""
    from optimizer.report import reasons

    one = row.model
    return {
        "event": "model",
        "id": one.id,
        "provider": one.provider,
        "host": row.host,
        "tier": one.tier,
        "local": one.local,
        "loaded": one.resident,
        "window": one.window,
        "max_output": one.max_output,
        "tools": one.tools,
        "vision": one.vision,
        "licence": one.licence,
        "may_train": one.trains,
        "size": row.size or None,
        "price": None if row.price is None else {"input": row.price[0], "output": row.price[1]},
        "priced_at": day.isoformat(),
        "health": reasons.state(row.health),
        "chosen": chosen,
        "can_be_asked": row.left is None,
        "why": reasons.why(row.left) if row.left else "",
        "cure": reasons.hint(row.left) if row.left else "",
        "code": coded(row.left.reason)["code"] if row.left else "",
    }


def loaded(one: Any) -> Wire:
    """A model in the memory of a server."""
    return {
        "event": "loaded",
        "model": one.id,
        "bytes": one.size,
        "vram": one.vram,
        "window": one.window or None,
        "until": one.until or None,
    }


def facts(about: Any, kept: Iterable[Any]) -> Wire:
    """What is known about a model, each fact with its origin."""
    found = {fact.name: {"value": _sorted(fact.value), "origin": fact.origin} for fact in kept}
    return {"event": "facts", "model": about.id, "provider": about.provider, "facts": found, "notes": list(about.notes)}


def _sorted(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset | tuple) else value


def advice(one: Any) -> Wire:
    """A model that fits this machine, or does not."""
    from optimizer.report import memory

    return {
        "event": "advice",
        "model": one.id,
        "bytes": one.estimate.bytes,
        "fits": one.fits,
        "installed": one.held,
        "strength": one.strength,
        "why": memory.advised(one),
        "how": one.how,
    }
