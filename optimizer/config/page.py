"""The documentation page of the settings, generated from what the code declares."""

from __future__ import annotations

import re
from collections.abc import Iterator

from optimizer.config.features import default_features, shipped_file
from optimizer.config.load import VARIABLES
from optimizer.config.options import OPTIONS
from optimizer.config.values import KINDS, ROWS, TYPES
from optimizer.setting import Setting
from optimizer.tiers import ASIDE
from optimizer.vendors import VENDORS

_INTRODUCTION = """\
# Settings

<!-- Generated:
python -c "import optimizer.config.page as p; print(p.settings_page(), end='')" > docs/reference/settings.md -->

Later places win: built-in default, your `config.toml`, a profile (docs/guides/profiles.md), the project's
`.optimizer.toml`, environment, command-line flag. `optimize config show --origin` shows where each value comes from.
Your file is `$XDG_CONFIG_HOME/optimizer/config.toml` (`~/.config/optimizer/config.toml`), or
`$OPTIMIZER_HOME/config/config.toml` when `OPTIMIZER_HOME` is set. A dot in a key is a table: `context.max_files = 8` is
written

```toml
[context]
max_files = 8
```

An unknown key, a value of the wrong type or a broken file stops the program with exit code 2 and names file and line.
This holds for the project's file too, which `--no-project-config` leaves out. A project's file never makes a run
cost more, send more or check less than you set yourself: settings marked *user only* are ignored there, others move
only as marked, and what is ignored is named in a notice, as are unknown sections. What the file does set is named
before the answer: `project sets: max_tier=budget`.

Corrections to models (a billed key, a new model, a larger window) go into `models.toml` next to your `config.toml`;
the top of `optimizer/models/catalogue.toml` explains the form.
"""


_FOR_PROJECTS = {
    "": " *User only.*",
    "any": "",
    "lower": " *A project may only lower it.*",
    "higher": " *A project may only raise it.*",
    "off": " *A project may only switch it off.*",
}


def settings_page() -> str:
    """The whole page as Markdown: every setting, feature, environment variable."""
    return "\n".join((_INTRODUCTION, *_settings(), "", *_options(), "", *_features(), "", *_variables(), ""))


def _settings() -> Iterator[str]:
    yield "| setting | default | allowed | what it does |"
    yield "|---|---|---|---|"
    for key, row in ROWS.items():
        default = f"`{_toml(row.default)}`" if key in TYPES else ""
        only = _FOR_PROJECTS[row.project]
        yield f"| `{key}` | {default} | {_allowed(row)} | {row.doc}{only} |"


def _allowed(row: Setting) -> str:
    if row.choices:
        own = ", or the name of your own `[[endpoint]]` (docs/guides/models.md)" if row.open_ended else ""
        return ", ".join(f"`{choice}`" for choice in row.choices) + own
    kind = TYPES.get(row.key)
    if kind in (int, float):
        low, high = row.range
        other = f"`{_toml(row.word)}`" if row.word else f"{row.special:g}" if row.special is not None else ""
        return f"{low:,} to {high:,}" + (f", or {other}" if other else "")
    if kind is bool:
        return "`true`, `false`"
    tables = {
        "endpoints": "a table of URLs",
        "features": "a table of `true` and `false`",
        "keywords": "a table of texts",
        "options": "tables of settings",
    }
    return tables.get(row.key, "text")


def _options() -> Iterator[str]:
    names = ", ".join(f"`{name}`" for name in OPTIONS)
    kinds = ", ".join(f"`{kind}`" for kind in KINDS if kind not in ASIDE)
    yield f"""\
## By model, provider and kind of work

Below `[options]`, {names} can be set for one model (its id or a glob), one provider (or server of your own) or one
kind of work:

```toml
[options.provider.groq]
temperature = 0

[options.model."my-coder:7b"]
top_p = 0.9
keep_alive = "30m"

[options.kind.quick]
answer_seconds = 30
```

For a call, those of its model count first, then those of its provider, of its kind of work, and the plain setting; a
flag or a variable counts before all of them. A parameter that a model does not take is not sent, with a notice. Of
`temperature` and `top_p`, Anthropic's models get the first only: several refuse both together.

`[keywords]` has words of your own that mark a request as of a kind of work, and count before all other words:

```toml
[keywords]
debug = "triage, kaputt"
```

The kinds: {kinds}. `[options.kind.NAME]` can also be for {", ".join(f"`{kind}`" for kind in sorted(ASIDE))}."""


def _features() -> Iterator[str]:
    yield "## Features"
    yield ""
    yield "Switches under `[features]` of your own file; the shipped defaults are in `features.toml`."
    yield ""
    yield "| switch | default | what it does |"
    yield "|---|---|---|"
    text = shipped_file().read_text(encoding="utf-8")
    for name, default in default_features().items():
        found = re.search(rf"^{name}\s*=[^#\n]*#\s*(.+)$", text, re.M)
        yield f"| `{name}` | `{_toml(default)}` | {found[1] if found else ''} |"


def _variables() -> Iterator[str]:
    yield "## Environment"
    yield ""
    yield "| variable | what it sets |"
    yield "|---|---|"
    for variable, key in VARIABLES.items():
        yield f"| `{variable}` | `{key}` |"
    for vendor in VENDORS.values():
        if vendor.keys:
            yield f"| {' or '.join(f'`{name}`' for name in vendor.keys)} | the key for `{vendor.name}` |"
    yield "| `OPTIMIZER_PASSPHRASE_FILE` | a file with the passphrase of stored keys, where there is no terminal |"
    yield "| `OPTIMIZER_HOME` | one directory for everything: `config/`, `state/` and `cache/` below it |"
    yield "| `XDG_CONFIG_HOME`, `XDG_STATE_HOME`, `XDG_CACHE_HOME` | where `optimizer/` is kept otherwise |"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
