"""The table of commands: a row for each; adding a command is its file and its row here."""

from __future__ import annotations

from typing import NamedTuple

from optimizer.vendors import NAMES


class CommandRow(NamedTuple):
    """A command: where it is (module:attribute), its line and section in the help, and its examples.

    Several names are also the first words of requests: `words` is how many words the command takes at most (None: any
    number), so `find bugs in the parser` is a request; `verbs` are its subcommands where those decide (`profile the
    parser` is a request); `numbers`: its words are numbers (`show 3`). `quick` commands run without garbage collection:
    it would take a tenth of their time and find nothing.
    """

    target: str
    section: str
    summary: str
    examples: tuple[str, ...]
    words: int | None = None
    verbs: frozenset[str] = frozenset()
    numbers: bool = False
    quick: bool = False


LONGEST_WORD = 30  # letters; a longer one begins no request: it may be a key in the wrong place
ASK, LOOK, CHECK = "Ask and change", "Look, without a model", "Check"
MODELS, SETTINGS = "Models and money", "Settings and privacy"

COMMANDS: dict[str, CommandRow] = {
    "run": CommandRow(
        "run:command",
        ASK,
        "Answer a request or change the code (the default command).",
        (
            'optimize "make parse_response skip empty parts"',
            'optimize "rename total to sum_of" --yes --commit',
            'optimize "why does this dialog look wrong" --image shot.png',
        ),
    ),
    "chat": CommandRow(
        "chat:command",
        ASK,
        "Talk about the repository in a session that is kept.",
        ("optimize chat", "optimize chat --continue", 'optimize chat --prompt "now add a test" --continue'),
        words=0,
    ),
    "sessions": CommandRow(
        "sessions:command",
        ASK,
        "List, show, export, draw and remove sessions.",
        ("optimize sessions list", "optimize sessions show 3f2a", "optimize sessions graph 3f2a --remove 4"),
        verbs=frozenset({"list", "show", "rm", "export", "graph"}),
    ),
    "undo": CommandRow(
        "changes:undo",
        ASK,
        "Undo the last applied change.",
        ("optimize undo", "optimize undo 3", "optimize undo --merge"),
        words=1,
    ),
    "redo": CommandRow("changes:redo", ASK, "Apply the last undone change again.", ("optimize redo",), words=1),
    "log": CommandRow(
        "changes:log",
        ASK,
        "List the applied changes.",
        ("optimize log --limit 5", "optimize log --transcript 3"),
        words=0,
    ),
    "show": CommandRow(
        "changes:show_change",
        ASK,
        "Show a change as a diff.",
        ("optimize show", "optimize show 3"),
        words=1,
        numbers=True,
    ),
    "context": CommandRow(
        "context:command",
        LOOK,
        "Show what would be sent for a request, and why.",
        ('optimize context "why does login fail"', 'optimize context "why does login fail" --copy'),
        quick=True,
    ),
    "find": CommandRow(
        "lookup:find",
        LOOK,
        "Find a symbol or a file.",
        ("optimize find parse_response", "optimize find Parser.parse --in src"),
        words=1,
        quick=True,
    ),
    "refs": CommandRow(
        "lookup:refs", LOOK, "List the uses of a symbol.", ("optimize refs parse_response",), quick=True
    ),
    "deps": CommandRow(
        "lookup:deps",
        LOOK,
        "List what a file imports, or what imports it.",
        ("optimize deps src/parser.py", "optimize deps src/parser.py --reverse"),
        quick=True,
    ),
    "map": CommandRow(
        "lookup:map_",
        LOOK,
        "Outline the repository, most important files first.",
        ("optimize map", "optimize map src --tokens 500"),
        words=1,
    ),
    "index": CommandRow(
        "index:command",
        LOOK,
        "Update the index, watch it, or show its contents.",
        ("optimize index --stats", "optimize index --watch"),
        words=0,
    ),
    "helper": CommandRow(
        "helper:command",
        LOOK,
        "Start, stop and look at the helper in the background.",
        ("optimize helper start", "optimize helper status"),
        verbs=frozenset({"start", "status", "stop", "logs", "cancel"}),
    ),
    "bench": CommandRow(
        "bench:command",
        LOOK,
        "Measure how well code is found, on this repository's commits.",
        ("optimize bench retrieval --commits 20", "optimize bench retrieval --reader claude-haiku-4-5"),
        words=1,
    ),
    "verify": CommandRow(
        "verify:command", CHECK, "Check uncommitted changes.", ("optimize verify", "optimize verify --explain"), words=0
    ),
    "trust": CommandRow(
        "trust:command",
        CHECK,
        "Manage which commands may run to check changes.",
        ("optimize trust list", "optimize trust grant tests"),
    ),
    "route": CommandRow(
        "route:command",
        MODELS,
        "Show which models would be asked for a request, and why.",
        ('optimize route "refactor parse_response" --explain',),
    ),
    "models": CommandRow(
        "models:command",
        MODELS,
        "List, pull, test and pin models.",
        ("optimize models list", "optimize models recommend"),
        words=2,
    ),
    "budget": CommandRow(
        "budget:command",
        MODELS,
        "Show today's cost, the caps, and what is left.",
        ("optimize budget", "optimize budget set day 2"),
        words=3,
    ),
    "metrics": CommandRow(
        "metrics:command",
        MODELS,
        "Show requests, success and cost of a day.",
        ("optimize metrics --daily", "optimize metrics --date 2026-11-20"),
    ),
    "profile": CommandRow(
        "profile:command",
        SETTINGS,
        "List, create and select profiles.",
        ("optimize profile list",),
        verbs=frozenset({"list", "show", "use", "create", "copy", "delete", "export", "import", "validate"}),
    ),
    "config": CommandRow(
        "config:command",
        SETTINGS,
        "Show the settings in force and their origins.",
        ("optimize config show",),
        verbs=frozenset({"show", "path", "import", "schema", "validate"}),
    ),
    "doctor": CommandRow(
        "doctor:command",
        SETTINGS,
        "Show what is protected here, by what, and what is not.",
        ("optimize doctor", "optimize doctor --json"),
        words=0,
    ),
    "keys": CommandRow(
        "keys:command",
        SETTINGS,
        "Store, list, test and remove the keys of providers.",
        ("optimize keys", "optimize keys set groq", "optimize keys test"),
        verbs=frozenset({"list", "set", "test", "rm", *NAMES}),
    ),
    "consent": CommandRow(
        "consent:command",
        SETTINGS,
        "Manage which services may receive this repository's code.",
        ("optimize consent grant groq", "optimize consent log"),
    ),
}


def takes(name: str, words: list[str]) -> bool:
    """Whether words are what a command takes; `show parse_reply` is a request, `show 3` is not."""
    row = COMMANDS[name]
    if row.numbers and not all(word.isdigit() for word in words):
        return False
    if row.verbs and len(words) > 1:
        return words[0] in row.verbs or len(words[0]) > LONGEST_WORD
    return row.words is None or len(words) <= row.words
