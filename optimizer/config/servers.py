"""The user's own compatible servers, the `[[endpoint]]`s of models.toml, and which names a provider may have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from optimizer.config.document import Document, read_document
from optimizer.config.suggest import did_you_mean, nearest
from optimizer.config.values import BadValue, Given, check_url
from optimizer.errors import ConfigError
from optimizer.vendors import NAMES as PROVIDERS
from optimizer.vendors import REMOTE, key_variable

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_FIELDS = ("name", "url", "key")


@dataclass(frozen=True, slots=True)
class OwnEndpoint:
    """One `[[endpoint]]` of the user's file: a compatible server, and the environment variable that holds its key."""

    name: str
    url: str
    key: str


def own_endpoints(document: Document) -> Iterator[OwnEndpoint]:
    """The servers that a file names. Raises ConfigError, with file and line, for one that cannot be."""
    tables = document.data.get("endpoint", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        place = document.place("endpoint")
        raise ConfigError(f"{place}: endpoint is a list of servers", "write each server below [[endpoint]]")
    seen = {*PROVIDERS, REMOTE}
    for number, table in enumerate(tables):
        at = partial(_place, document, number)
        for field_name, value in table.items():
            if field_name not in _FIELDS:
                raise ConfigError(f"{at(field_name)}: unknown field {field_name!r}", did_you_mean(field_name, _FIELDS))
            if not isinstance(value, str) or not value.isprintable():
                raise ConfigError(f"{at(field_name)}: {field_name}: expected text", "correct the value")
        name, url = table.get("name", ""), table.get("url", "")
        if not NAME.fullmatch(name) or name in seen:
            hint = f"choose another than {', '.join(sorted(seen))}: small letters, digits and -"
            raise ConfigError(f"{at('name')}: {name!r} cannot be the name of a server", hint)
        seen.add(name)
        try:
            checked = check_url(url)
        except BadValue as error:
            raise ConfigError(f"{at('url')}: url: {error}", error.hint) from error
        yield OwnEndpoint(name, checked, table.get("key") or key_variable(name))


def _place(document: Document, number: int, field_name: str) -> str:
    """Where a field of a server stands, or its table where it has none."""
    return document.place(f"endpoint.{number}.{field_name}")


def check_provider(one: Given, models_file: Path, more: str = "") -> None:
    """Raise ConfigError, with its place, when `provider` names neither a vendor nor a server of `models_file`.

    Any other setting passes, and the file is read only for a name that is not a vendor's.
    """
    scoped = one.key.startswith("options.provider.")
    name = one.key.removeprefix("options.provider.").rpartition(".")[0] if scoped else str(one.value)
    if not (scoped or one.key == "provider") or name in ("", REMOTE, *PROVIDERS):
        return
    document = read_document(models_file)
    own = [server.name for server in own_endpoints(document)] if document else []
    if name in own:
        return
    layer, where = one.origin
    place = f"{where}: " if layer == "env" else f"{where}: provider: " if where else "provider: "
    hint = did_you_mean(name, (*PROVIDERS, *own))
    if not nearest(name, (*PROVIDERS, *own)):
        hint = f"a server of your own gets its name from an [[endpoint]] in {models_file}"
    raise ConfigError(f"{place}expected one of {', '.join((*PROVIDERS, *own))}, found {name!r}", hint + more)
