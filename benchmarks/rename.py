"""Rename real definitions with the installed command and run the tests of their project: which still pass.

usage: rename.py RESULT.json COUNT FOLDER COMMAND [FOLDER COMMAND …]

FOLDER is a clean git checkout whose tests COMMAND runs. Of each folder COUNT definitions are drawn by a hash of their
names: those used somewhere else, outside tests. A rename is done (`done`), refused (`refused`), or wrong (`broken`:
written, and the tests that passed no longer do).
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from optimizer.index.files import Root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.languages.table import FOLDERS, is_test, language_of
from optimizer.retrieval import Symbol
from optimizer.settings import Settings

SECONDS = 300
SHORTEST = 3


def main(result: str, count: int, *given: str) -> None:
    """Try all folders and write what came of each definition."""
    rows = [row for number in range(0, len(given), 2) for row in tried(Path(given[number]), given[number + 1], count)]
    ended = Counter(str(row["ended"]) for row in rows)
    languages = Counter(str(row["language"]) for row in rows)
    Path(result).write_text(json.dumps({"ended": ended, "languages": languages, "rows": rows}, indent=1) + "\n")
    print(dict(ended), dict(languages))


def tried(folder: Path, command: str, count: int) -> Iterator[dict[str, object]]:
    """What came of the renames in one repository."""
    if not passes(folder, command):
        sys.exit(f"{folder}: the tests fail before any rename")
    with tempfile.TemporaryDirectory() as cache:
        index = open_index(Root(folder.resolve(), True), Path(cache))
        refresh(index, Settings(), lambda _: None)
        drawn = list(draw(index, count))
        index.close()
    for symbol in drawn:
        row = {
            "repository": folder.name, "language": (language_of(symbol.path) or symbol).name,
            "symbol": f"{symbol.path}:{symbol.line} {symbol.qualified}", "kind": symbol.kind,
        }  # fmt: skip
        row |= one(folder, command, symbol)
        print(json.dumps(row), flush=True)
        yield row


def draw(index: Index, count: int) -> Iterator[Symbol]:
    """Definitions in an order that their names decide."""
    known = [symbol for path in index.paths() if counts(path) for symbol in index.symbols_in(path)]
    known.sort(key=lambda one: hashlib.sha256(f"{one.path} {one.qualified}".encode()).digest())
    named = (one for one in known if len(one.name) >= SHORTEST and not one.name.startswith("__"))
    used = (one for one in named if any(use.kind != "definition" for use in index.references(one.name, 50)))
    yield from islice(used, count)


def counts(path: str) -> bool:
    """Whether a file is code of the program itself."""
    language = language_of(path)
    return language is not None and not language.outline and not is_test(path) and not FOLDERS & {*path.split("/")}


def one(folder: Path, command: str, symbol: Symbol) -> dict[str, object]:
    """Rename one definition, run the tests, and put everything back."""
    bare, mark = symbol.name.rstrip("?!="), symbol.name[len(symbol.name.rstrip("?!=")) :]
    new = f"{bare}_anew{mark}" if "_" in bare or bare.islower() else f"{bare}Anew{mark}"
    request = f"rename {symbol.qualified.replace('::', '.')} to {new} in {symbol.path}"
    ran = subprocess.run(["optimize", request, "--yes"], cwd=folder, capture_output=True, text=True, check=False)
    changed = git(folder, "diff", "--numstat")
    if ran.returncode or not changed:
        return {"ended": "refused", "code": ran.returncode, "why": ran.stderr[-400:]}
    ok = passes(folder, command)
    kept = {} if ok else {"diff": git(folder, "diff")[-3000:]}
    git(folder, "checkout", "-q", ".")
    return {"ended": "done" if ok else "broken", "files": len(changed.splitlines()), **kept}


def passes(folder: Path, command: str) -> bool:
    """Whether the tests of a project pass."""
    try:
        ran = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


def git(folder: Path, *arguments: str) -> str:
    """The output of git."""
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
