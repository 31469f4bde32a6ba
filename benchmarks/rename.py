"""Rename real definitions with the installed command and run the tests of their project: which still pass.

usage: rename.py RESULT.json SEED COUNT FOLDER COMMAND [FOLDER COMMAND …]

FOLDER is a clean git checkout whose tests COMMAND runs. SEED draws COUNT definitions of each folder: of the program
itself, and used somewhere else too. Each rename happens in a fresh copy of the folder, with `--yes`, with no provider
and no settings. It is `done` (written, and the tests pass), `asked` (several definitions, or places not known),
`outside` (refused with the exit code of a safety rule, as the runtime of the language or a type of another library may
call it by its name; nothing is written, and the reason stands in `why`, to be judged by a reader), `refused` (by
anything else, such as a name that is not found), or `broke` (written, and the tests no longer pass).
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from time import perf_counter

from optimizer.errors import Conflict, SafetyRefused
from optimizer.index.files import Root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.languages.files_of_tests import FOLDERS, is_test
from optimizer.languages.table import language_of
from optimizer.retrieval import Symbol
from optimizer.settings import Settings

SECONDS = 300
SHORTEST = 3
USES = 50
ENDED = {Conflict.exit_code: "asked", SafetyRefused.exit_code: "outside"}


def main(result: str, seed: str, count: str, *given: str) -> None:
    """Try all folders, print a row for each definition, and write them."""
    pairs = zip(given[::2], given[1::2], strict=True)
    rows = [row for folder, command in pairs for row in tried(Path(folder).resolve(), command, seed, int(count))]
    ended = Counter(str(row["ended"]) for row in rows)
    about = {"date": date.today().isoformat(), "commit": git(Path(__file__).parent, "rev-parse", "--short", "HEAD")}
    about |= {"machine": f"{os.cpu_count()} cores, {platform.machine()}", "seed": seed}
    Path(result).write_text(json.dumps({**about, "ended": ended, "rows": rows}, indent=1) + "\n")
    print(dict(ended))


def tried(folder: Path, command: str, seed: str, count: int) -> Iterator[dict[str, object]]:
    """What came of the renames in one repository."""
    with tempfile.TemporaryDirectory() as scratch:
        if not passes(copy(folder, scratch), command):
            sys.exit(f"{folder}: the tests fail before any rename")
    with tempfile.TemporaryDirectory() as cache:
        index = open_index(Root(folder, True), Path(cache))
        refresh(index, Settings(), lambda _: None)
        drawn = draw(index, seed, count)
        index.close()
    commit = git(folder, "rev-parse", "--short", "HEAD")
    for symbol in drawn:
        row = {
            "repository": folder.name, "commit": commit, "language": (language_of(symbol.path) or symbol).name,
            "symbol": f"{symbol.path}:{symbol.line} {symbol.qualified}", "kind": symbol.kind,
        }  # fmt: skip
        with tempfile.TemporaryDirectory() as scratch:
            row |= one(copy(folder, scratch), scratch, command, symbol)
        print(f"{row['ended']:8}{row['seconds']:6.1f} s  {folder.name}  {row['symbol']}", flush=True)
        yield row


def draw(index: Index, seed: str, count: int) -> list[Symbol]:
    """Definitions in an order that the seed decides, each that has another use."""
    known = [symbol for path in index.paths() if counts(path) for symbol in index.symbols_in(path)]
    random.Random(seed).shuffle(known)
    drawn: dict[tuple[str, str], Symbol] = {}
    for symbol in known:
        if len(drawn) == count:
            break
        if len(symbol.name) < SHORTEST or symbol.name.startswith("__"):
            continue
        if any(use.kind != "definition" for use in index.references(symbol.name, USES)):
            drawn.setdefault((symbol.path, symbol.qualified), symbol)
    return list(drawn.values())


def counts(path: str) -> bool:
    """Whether a file is code of the program itself."""
    language = language_of(path)
    return (
        language is not None
        and not (language.outline or language.described)
        and not is_test(path)
        and not FOLDERS & {*path.split("/")}
    )


def copy(folder: Path, scratch: str) -> Path:
    """A fresh copy of a checkout, with what was installed or built in it."""
    return Path(shutil.copytree(folder, Path(scratch, folder.name), symlinks=True))


def one(folder: Path, scratch: str, command: str, symbol: Symbol) -> dict[str, object]:
    """Rename one definition and run the tests."""
    bare = symbol.name.rstrip("?!=")
    new = (f"{bare}_anew" if "_" in bare or bare.islower() else f"{bare}Anew") + symbol.name[len(bare) :]
    request = f"rename {symbol.qualified.replace('::', '.')} to {new} in {symbol.path}"
    home = {"OPTIMIZER_HOME": str(Path(scratch, "home"))}
    started = perf_counter()
    ran = subprocess.run(
        ["optimize", request, "--yes"], cwd=folder, capture_output=True, text=True, check=False, env=os.environ | home
    )
    row: dict[str, object] = {"seconds": round(perf_counter() - started, 2)}
    changed = git(folder, "diff", "--numstat").splitlines()
    if ran.returncode or not changed:
        ended = ENDED.get(ran.returncode, "refused")
        return row | {"ended": ended, "code": ran.returncode, "why": (ran.stderr or ran.stdout)[-600:]}
    if passes(folder, command):
        return row | {"ended": "done", "files": len(changed)}
    return row | {"ended": "broke", "files": len(changed), "diff": git(folder, "diff")[-3000:]}


def passes(folder: Path, command: str) -> bool:
    """Whether the tests of a project pass."""
    try:
        ran = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


def git(folder: Path, *arguments: str) -> str:
    """The output of git."""
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
