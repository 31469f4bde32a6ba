"""Examine this machine for `optimize doctor`: facts, without the network beyond loopback, and without writing."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import StorageError
from optimizer.report.diagnosis import Finding
from optimizer.report.figures import count
from optimizer.wiring.stores import PASSPHRASE_FILE

if TYPE_CHECKING:
    from optimizer.confine.run import Layer
    from optimizer.providers.endpoints import Endpoint
    from optimizer.wiring.models import Stock
    from optimizer.wiring.workspace import Start

LAYER_SECONDS = 1.0
MOST_NAMED = 3


def findings(stock: Stock, start: Start) -> Iterator[Finding]:
    """All findings, those on protection first."""
    for look in (_commands, _files, _keys, _consents, _network, _records, _models, _index, _unprotected):
        try:
            yield from look(stock, start)
        except StorageError as error:
            yield Finding("broken", (error.message, error.hint))


def _commands(stock: Stock, start: Start) -> Iterator[Finding]:
    from optimizer.index.files import Root
    from optimizer.privacy import trust
    from optimizer.verify.commands import Means, bounds, commands
    from optimizer.verify.trusted import allowed

    places, root = stock.config.places, stock.root
    here, look = Root(root, (root / ".git").exists()), stock.models.look
    means = Means(here, places.state, places.cache, stock.config.settings, start.env, look)
    wanted = [layer for layer in bounds(means, LAYER_SECONDS).layers if layer != "none"]
    with ThreadPoolExecutor() as pool:
        held = pool.map(lambda layer: _holds(layer, root, start), wanted)
        working = tuple(layer for layer, holds in zip(wanted, held, strict=True) if holds)
    yield Finding("confined", working) if working else Finding("unconfinable")
    if trust.decision(places.state, str(root), trust.UNCONFINED, look=look):
        yield Finding("unconfined_allowed")
    run = [one.text for one in commands(means) if allowed(one, means)]
    yield Finding("trusted", (", ".join(run),)) if run else Finding("untrusted")


def _holds(layer: Layer, root: Path, start: Start) -> bool:
    """Whether `true` runs in a layer here."""
    from optimizer.confine.run import Bounds, run
    from optimizer.confine.view import Place

    with tempfile.TemporaryDirectory(prefix="optimizer-", ignore_cleanup_errors=True) as area:
        ended = run(("true",), Place(root, Path(area)), start.env, Bounds(LAYER_SECONDS, (layer,)))
    return ended.layer == layer and ended.code == 0


def _files(stock: Stock, _: Start) -> Iterator[Finding]:
    from optimizer.git import run as git
    from optimizer.git.owner import is_ours

    if not os.path.lexists(stock.root / ".git"):
        yield Finding("no_repository")
    elif (program := git.find_git(stock.root)) is None:
        yield Finding("git_missing")
    elif not is_ours(stock.root):
        yield Finding("git_refuses", (str(stock.root),))
    elif git.run(program, stock.root, ("rev-parse", "--git-dir"), LAYER_SECONDS) is None:
        yield Finding("git_silent")
    else:
        yield Finding("git")


def _keys(stock: Stock, start: Start) -> Iterator[Finding]:
    from optimizer.privacy.keys.store import listed

    endpoints = stock.models.endpoints()
    stored = {one.provider: one.place for one in listed(stock.config.places.state).keys}
    for name, one in endpoints.items():
        if one.key:
            yield Finding("key", (name, "the environment"))
        elif one.is_locked:
            yield Finding("key_locked", (name,))
        elif one.has_key:
            where = "the system's keyring" if stored[name] == "keyring" else "the encrypted file"
            yield Finding("key", (name, where))
        if one.has_key and one.base_url.startswith("http://") and not one.local and not _on_loopback(one):
            yield Finding("plain_http", (name, one.host))
    if not any(one.has_key or one.is_locked for one in endpoints.values()):
        yield Finding("no_key")
    path = start.env.get(PASSPHRASE_FILE, "").strip()
    if path and _open_to_others(Path(path).expanduser()):
        yield Finding("passphrase_open", (path,))


def _on_loopback(endpoint: Endpoint) -> bool:
    from urllib.parse import urlsplit

    from optimizer.providers.endpoints import is_loopback

    return is_loopback(urlsplit(endpoint.base_url).hostname or "")


def _consents(stock: Stock, _: Start) -> Iterator[Finding]:
    given = [one for one in stock.models.endpoints().values() if not one.local and stock.models.consented(one.provider)]
    named = ", ".join(f"{one.provider} ({one.destination})" for one in given)
    yield Finding("consent", (named,)) if given else Finding("no_consent")


def _network(stock: Stock, start: Start) -> Iterator[Finding]:
    from optimizer.config.network import certificates

    proxies = {one.proxy for one in stock.models.endpoints().values() if one.proxy}
    for proxy in sorted(proxies, key=lambda one: one.variable):
        yield (
            Finding("proxy_used", (proxy.host, proxy.variable))
            if proxy.used
            else Finding("proxy_unused", (proxy.variable,))
        )
    named = certificates(start.env)
    for variable, path in named:
        found = Path(path).exists()
        yield Finding("certificates", (variable,)) if found else Finding("certificates_missing", (variable, path))
    if not proxies and not named:
        yield Finding("direct")


def _records(stock: Stock, _: Start) -> Iterator[Finding]:
    state = stock.config.places.state
    if state.is_relative_to(stock.root) and (stock.root / ".git").exists():
        yield Finding("state_inside", (str(state),))
    elif _open_to_others(state):
        yield Finding("state_open", (str(state),))
    else:
        yield Finding("state_private", (str(state),))


def _open_to_others(path: Path) -> bool:
    if os.name == "nt":
        return False
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:
        return False


def _models(stock: Stock, _: Start) -> Iterator[Finding]:
    """Servers of this machine are knocked at, and nothing is asked of them."""
    from optimizer.models.available import last_known, listens

    catalogue, usable = stock.models.catalogue(), list[str]()
    for one in stock.models.endpoints().values():
        known = last_known(one, stock.config.places.state)
        if one.local:
            title = one.provider if one.wire else one.vendor.title
            if not listens(one):
                yield Finding("server_silent", (title, one.host))
                continue
            ids = tuple(name for name in (known.ids if known else ()) if not catalogue.unfit(name, one.provider))
            yield Finding("server", (title, one.host, _first(ids) or "none"))
        elif one.has_key and stock.models.consented(one.provider):
            ids = catalogue.offered(one.provider, one.host) or (known.ids if known else ())
        else:
            continue
        usable += ids
    yield Finding("models", (count(len(usable), "model"), _first(usable))) if usable else Finding("no_model")


def _first(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")


def _index(stock: Stock, _: Start) -> Iterator[Finding]:
    from optimizer.index.files import find_root
    from optimizer.index.reader import index_file, open_index

    root = find_root(stock.root)
    file = index_file(root, stock.config.places.cache)
    if not file.exists():
        yield Finding("no_index")
        return
    when = datetime.fromtimestamp(file.stat().st_mtime).astimezone()
    index = open_index(root, stock.config.places.cache)
    try:
        yield Finding("index", (f"{len(index.paths()):,}", f"{when:%Y-%m-%d %H:%M}"))
    finally:
        index.close()


def _unprotected(stock: Stock, _: Start) -> Iterator[Finding]:
    endpoints = stock.models.endpoints().values()
    if any(one.key for one in endpoints):
        yield Finding("environment")
    if any(not one.local and stock.models.consented(one.provider) for one in endpoints):
        yield Finding("sent")
    yield Finding("formless")
    yield Finding("images")
