"""Words that look like commands but are none, and are no request to a model either: what to use instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optimizer.errors import UPGRADE, InputError

ASK = 'optimize "REQUEST" asks; optimize --help lists the commands'
INSTEAD: Mapping[str, str] = {
    "init": 'nothing has to be set up: optimize "where is NAME" works at once, optimize models lists models',
    "setup": 'nothing has to be set up: optimize "where is NAME" works at once, optimize models lists models',
    "install": "local models: optimize models pull NAME; parsers: pipx install --force '.[languages]' in your clone",
    "update": UPGRADE,
    "upgrade": UPGRADE,
    "status": "optimize verify (your changes), optimize log, optimize budget, optimize models list",
    "ask": ASK,
    "repl": ASK,
    "start": ASK,
    "exit": ASK,
    "quit": ASK,
    "commands": "optimize --help",
    "settings": "optimize config show",
    "logout": "optimize keys rm PROVIDER, or unset its variable; optimize consent revoke takes back a consent",
    "cost": "optimize budget, optimize metrics",
    "usage": "optimize budget, optimize metrics",
    "stats": "optimize metrics, optimize index --stats",
    "history": "optimize log",
    "revert": "optimize undo",
    "diff": "optimize show",
}
KEYS = frozenset({"login", "auth", "signin"})


def as_command(argv: Sequence[str]) -> list[str] | None:
    """The command line that is meant by one that only asks for the version, for help or how to give keys.

    None for a request. Raises InputError, with what to use, for a word that is no request.
    """
    words = [word for word in argv if not word.startswith("-")]
    first = argv[0].lower()
    if len(words) == 1 and first == "version":
        return ["--version"]
    if first == "help" and len(words) <= 2:
        from optimizer.cli.commands import COMMANDS

        if len(words) == 1:
            return ["--help"]
        return [words[1], "--help"] if words[1] in COMMANDS else None
    if len(words) == 1 and first in KEYS:
        return ["login"]
    if len(words) == 1 and first in INSTEAD:
        raise InputError(f"no command {argv[0]!r}", f"{INSTEAD[first]}; as a request: optimize run {argv[0]}")
    return None


def keys(columns: int | None = None) -> str:
    """How to give the keys of the providers in the cloud, as lines to paste; in so many columns, None for any."""
    from optimizer.report.layout import table, wrapped
    from optimizer.vendors import VENDORS

    rows = [(f"optimize keys set {one.name}", f"# {one.key_page}") for one in VENDORS.values() if one.keys]
    rows.sort(key=lambda row: not row[1].startswith("# free"))
    variables = ", ".join(one.keys[0] for one in VENDORS.values() if one.keys)
    first = "There is no account to log in to. Store a key in your system's keyring, or in an encrypted file:"
    last = (
        f"A key in the environment comes first: {variables}.\n"
        "Before code of a repository is sent anywhere, you are asked: optimize consent grant PROVIDER.\n"
        "A model on this machine needs no key: optimize models recommend."
    )
    lines = "\n".join(table(rows, columns, flowing=False))
    return f"{wrapped(first, columns, 0)}\n\n{lines}\n\n{wrapped(last, columns)}"
