"""How many small faults in the code the tests notice: a seeded sample of mutants, each with the tests that reach it.

    python benchmarks/mutation.py map WORK [--tests DIR ...]        run the tests once and note which lines each reaches
    python benchmarks/mutation.py run WORK [--count 300] [--seed 10] [--jobs 2] [--json OUT]
    python benchmarks/mutation.py again WORK --json OUT             the survivors in OUT, with all tests that reach them

WORK is a folder for copies of this repository, emptied by `map`; nothing is changed in the tree itself. A mutant
changes one operator, condition, constant, statement or returned value in TARGETS. The sample is chosen by a hash of the
seed and the changed text, so that it stays much the same when code moves. The end-to-end tests take part (`reach.py`).
A mutant survives when none of the tests that reach its line fails; those with no test at all survive too.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import reach

ROOT = Path(__file__).parents[1]
INVALIDATION = tuple(f"optimizer/index/{name}.py" for name in ("files", "plan", "refresh"))
TARGETS = ("optimizer/engine", "optimizer/calls", "optimizer/verify", *INVALIDATION)
TESTS = ("tests/verify", "tests/index", "tests/calls", "tests/engine", "tests/agent", "tests/lookup", "tests/e2e")
# What runs as a process of its own, which `reach.py` does not see, and the tests that start it.
SEPARATE = {"optimizer/confine/supervise.py": ["tests/confine/test_run.py"]}
TAKES_LONG = "tests/engine/test_first_request.py"
PACKAGES = ("pytest", "hypothesis", "httpx", "click", "anthropic", "groq", "google.genai", "ollama", "openai")
MOST_TESTS, MOST_SECONDS = 60, 60.0  # of the tests that reach a mutant, quickest first
ALL_TESTS, ALL_SECONDS = 1000, 300.0  # of those, where the quickest let it live
CPU_SECONDS, WALL_SECONDS = 300, 400
SLOWEST_TEST = 20.0
LARGE = 20
COMPARE = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
BINARY = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.BitOr: "&", ast.BitAnd: "|"}


@dataclass(frozen=True)
class Mutant:
    """A change of one file: which bytes are replaced by what, on which line, and the lines that tests reach it by."""

    path: str
    line: int
    start: int
    end: int
    old: str
    new: str
    reach: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {' '.join(self.old.split())} -> {self.new}"


@dataclass(frozen=True)
class Result:
    """What became of a mutant (`killed`, `survived`, `no test`), how many tests reach it and ran, and which failed."""

    mutant: str
    result: str
    reaching: int
    tests: int
    killer: str
    seconds: float


class Most(NamedTuple):
    """How many tests a mutant meets at most, quickest first, and for how many seconds."""

    tests: int
    seconds: float


# ── mutants ──────────────────────────────────────────────────────────────────────────────────────


def mutants(root: Path, targets: Sequence[str]) -> list[Mutant]:
    """All mutants of the files in some folders."""
    paths = [path for target in targets for path in _files(root, target)]
    return [one for path in sorted(paths) for one in _of_file(root, path)]


def sample(found: Sequence[Mutant], count: int, seed: int, root: Path) -> list[Mutant]:
    """The same mutants for the same seed, whatever file or line they are on."""
    lines = {path: (root / path).read_text().splitlines() for path in {one.path for one in found}}
    seen: Counter[str] = Counter()
    keys = {}
    for one in found:
        text = f"{seed} {lines[one.path][one.line - 1].strip()} {one.old} {one.new}"
        seen[text] += 1
        keys[one] = hashlib.sha256(f"{text} {seen[text]}".encode()).digest()
    return sorted(sorted(found, key=keys.__getitem__)[:count], key=lambda one: (one.path, one.start))


def _of_file(root: Path, path: Path) -> Iterator[Mutant]:
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def at(line: int, column: int) -> int:
        return starts[line - 1] + column

    def changed(
        node: ast.expr | ast.stmt, new: str, statement: ast.stmt, part: tuple[int, int] | None = None
    ) -> Mutant:
        start, end = part or (at(node.lineno, node.col_offset), at(node.end_lineno or 0, node.end_col_offset or 0))
        line = source.count(b"\n", 0, start) + 1
        return Mutant(
            path.relative_to(root).as_posix(), line, start, end, source[start:end].decode(), new, _header(statement)
        )

    for statement in _statements(ast.parse(source)):
        if isinstance(statement, ast.Expr) and not isinstance(
            statement.value, ast.Constant | ast.Yield | ast.YieldFrom | ast.Await
        ):
            yield changed(statement, "pass", statement)
        if isinstance(statement, ast.AugAssign):
            yield changed(statement, "pass", statement)
        if isinstance(statement, ast.Break | ast.Continue):
            yield changed(statement, "continue" if isinstance(statement, ast.Break) else "break", statement)
        if isinstance(statement, ast.Return) and statement.value and not _is_none(statement.value):
            yield changed(statement.value, "None", statement)
        if isinstance(statement, ast.If | ast.While):
            yield changed(statement.test, f"not ({ast.unparse(statement.test)})", statement)
        for node in _expressions(statement):
            gap = _gap(node)
            for old, new in _operators(node, source, at, gap):
                yield changed(node, new, statement, old)
            if isinstance(node, ast.IfExp):
                yield changed(node.test, f"(not ({ast.unparse(node.test)}))", statement)
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
                yield changed(node, f"({ast.unparse(node.operand)})", statement)
            if isinstance(node, ast.Constant) and isinstance(node.value, bool | int):
                yield changed(node, _other(node.value), statement)


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """All statements but those for types only; definitions themselves are left out, not what they hold."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.stmt) and not isinstance(
            node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
        ):
            yield node
        if not isinstance(node, ast.expr):
            yield from _statements(node)


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement without those of statements within it, and without annotations."""
    waiting = [
        child for name, value in ast.iter_fields(statement) if name != "annotation"
        for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST)
    ]  # fmt: skip
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            continue
        yield node
        if not isinstance(node, ast.JoinedStr):
            waiting += ast.iter_child_nodes(node)


def _gap(node: ast.AST) -> list[tuple[ast.expr, ast.expr, str]]:
    """Pairs of operands and the operator that replaces theirs."""
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        return [(operands[n], operands[n + 1], COMPARE[type(op)]) for n, op in enumerate(node.ops)]
    if isinstance(node, ast.BoolOp):
        new = "or" if isinstance(node.op, ast.And) else "and"
        return [(one, two, new) for one, two in zip(node.values, node.values[1:], strict=False)]
    if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        return [(node.left, node.right, BINARY[type(node.op)])]
    return []


def _operators(node: ast.AST, source: bytes, at: Any, gap: list[Any]) -> Iterator[tuple[tuple[int, int], str]]:
    for one, two, new in gap:
        start, end = at(one.end_lineno, one.end_col_offset), at(two.lineno, two.col_offset)
        between = source[start:end]
        operator = between.strip(b"() \n\t\\")
        if operator and b"#" not in between:
            begin = start + between.index(operator)
            yield (begin, begin + len(operator)), new


def _header(statement: ast.stmt) -> tuple[int, int]:
    """The lines of a statement without those it holds."""
    inner = [child.lineno for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt)]
    return statement.lineno, max(statement.lineno, min([line - 1 for line in inner], default=statement.end_lineno or 0))


def _other(value: bool | int) -> str:
    """Another constant: the other truth value, one more, or twice a number so large that one more is the same."""
    if isinstance(value, bool):
        return str(not value)
    return str(2 * value if value > LARGE else value + 1)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


# ── which tests reach what ───────────────────────────────────────────────────────────────────────


def copy_tree(to: Path) -> None:
    """A copy of this tree as git sees it, compiled, and a repository of its own."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "copy"],
    ):
        subprocess.run(["git", *words], cwd=to, check=True)


def note_reached(work: Path, tests: Sequence[str], jobs: int) -> None:
    """Run the tests once in a fresh copy, WORK/clean, and note in WORK/reached what of the targets each reaches."""
    shutil.rmtree(work, ignore_errors=True)
    tree, out = work / "clean", work / "reached"
    out.mkdir(parents=True)
    copy_tree(tree)
    env = os.environ | {
        "REACH_FILES": os.pathsep.join(str(path) for target in TARGETS for path in _files(tree, target)),
        "REACH_OUT": str(out),
        "PYTHONPATH": os.pathsep.join([str(tree), str(tree / "benchmarks")]),
    }
    words = ["-p", "reach", "--slow", "-n", str(jobs), "-p", "no:cacheprovider", "--deselect", TAKES_LONG]
    present = [test for test in tests if (tree / test).exists()]
    subprocess.run([sys.executable, "-m", "pytest", *words, *present], cwd=tree, env=env, check=False)


def _files(tree: Path, target: str) -> list[Path]:
    return sorted(tree.glob(target if target.endswith(".py") else f"{target}/**/*.py"))


def reached(work: Path) -> dict[str, list[tuple[str, float, set[int]]]]:
    """Of each file, the tests that passed and reach it: their names, seconds and lines, quickest first."""
    found: dict[str, list[tuple[str, float, set[int]]]] = defaultdict(list)
    for path in sorted((work / "reached").glob("*.jsonl")):
        for row in map(json.loads, path.read_text().splitlines()):
            if row["ok"] and row["seconds"] <= SLOWEST_TEST:
                for name, lines in row["lines"].items():
                    relative = Path(name).relative_to(work / "clean").as_posix()
                    found[relative].append((row["test"], row["seconds"], set(lines)))
    for tests in found.values():
        tests.sort(key=lambda test: test[1])
    return found


def tests_of(
    mutant: Mutant, known: Mapping[str, list[tuple[str, float, set[int]]]], most: Most
) -> tuple[list[str], int]:
    """The tests to run for a mutant, and how many reach it; of what runs on import, all that reach its file."""
    first, last = mutant.reach
    all_of_file = known.get(mutant.path, [])
    reaching = [test for test in all_of_file if any(first <= line <= last for line in test[2])]
    if not all_of_file:
        return SEPARATE.get(mutant.path, []), 0
    chosen, seconds = [], 0.0
    for name, took, _ in (reaching or all_of_file)[: most.tests]:
        seconds += took
        if seconds > most.seconds and chosen:
            break
        chosen.append(name)
    return chosen, len(reaching)


# ── running ──────────────────────────────────────────────────────────────────────────────────────


def run(work: Path, chosen: Sequence[Mutant], jobs: int, most: Most) -> Iterator[Result]:
    """Each mutant in a copy of the tree, by forks of this process that has the packages loaded."""
    known = reached(work)
    for slot in range(jobs):
        shutil.rmtree(work / str(slot), ignore_errors=True)
        shutil.copytree(work / "clean", work / str(slot), symlinks=True)
        compileall.compile_dir(str(work / str(slot) / "optimizer"), quiet=1)
    reach.load(*PACKAGES)
    waiting, running = list(chosen), {}
    free = list(range(jobs))
    while waiting or running:
        while waiting and free:
            mutant = waiting.pop(0)
            tests, reaching = tests_of(mutant, known, most)
            if not tests:
                yield Result(str(mutant), "no test", 0, 0, "", 0.0)
                continue
            slot = free.pop()
            running[_start(work, slot, mutant, tests)] = (slot, mutant, tests, reaching, time.monotonic())
        for pid in list(running):
            slot, mutant, tests, reaching, begun = running[pid]
            done, status = os.waitpid(pid, os.WNOHANG)
            late = time.monotonic() - begun > WALL_SECONDS
            if not done and late:
                os.killpg(pid, signal.SIGKILL)
                done, status = os.waitpid(pid, 0)
            if done:
                del running[pid]
                free.append(slot)
                yield _result(work, slot, (mutant, tests, reaching), status, time.monotonic() - begun)
        time.sleep(0.02)


def _start(work: Path, slot: int, mutant: Mutant, tests: Sequence[str]) -> int:
    tree = work / str(slot)
    (work / f"{slot}.killer").write_text("")
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        log = os.open(work / f"{slot}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(tree)
        sys.path[:0] = [str(tree), str(tree / "benchmarks")]
        sys.dont_write_bytecode = True
        path = tree / mutant.path
        source = path.read_bytes()
        path.write_bytes(source[: mutant.start] + mutant.new.encode() + source[mutant.end :])
        code = _pytest(tests, work / f"{slot}.killer")
    finally:
        os._exit(code)
    return 0


def _pytest(tests: Sequence[str], killer: Path) -> int:
    import pytest

    class Watch:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                killer.write_text(report.nodeid)

    options = [
        "-o",
        "addopts=--import-mode=importlib",
        "-x",
        "-q",
        "--slow",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    return int(pytest.main([*options, *tests], plugins=[Watch(), reach]))


def _result(work: Path, slot: int, about: tuple[Mutant, list[str], int], status: int, seconds: float) -> Result:
    mutant, tests, reaching = about
    shutil.copy2(work / "clean" / mutant.path, work / str(slot) / mutant.path)
    code = os.waitstatus_to_exitcode(status)
    killer = (work / f"{slot}.killer").read_text() or ("" if code == 0 else f"exit {code}")
    return Result(str(mutant), "killed" if code else "survived", reaching, len(tests), killer, round(seconds, 1))


def report(results: Sequence[Result]) -> None:
    """The counts by room, and each mutant that no test noticed."""
    rooms: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        rooms[result.mutant.partition(":")[0].rpartition("/")[0]][result.result] += 1
        rooms["all"][result.result] += 1
    for result in results:
        if result.result != "killed":
            print(f"{result.result:9} {result.mutant}   ({result.tests} of {result.reaching} tests)")
    for room, counts in sorted(rooms.items()):
        lost, count = counts["survived"] + counts["no test"], counts.total()
        print(f"{room:24} {count:4} mutants, {counts['killed']:4} killed, {lost:3} not: {lost / count:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["map", "run", "again", "list"])
    parser.add_argument("work", type=Path)
    parser.add_argument("--tests", nargs="+", default=TESTS)
    parser.add_argument("--only", default="", help="only mutants with this in their line of the list")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    if arguments.what == "map":
        note_reached(work, arguments.tests, arguments.jobs)
        return
    found = mutants(work / "clean", TARGETS)
    chosen = sample(found, arguments.count, arguments.seed, work / "clean")
    chosen = [one for one in chosen if arguments.only in str(one)]
    print(f"{len(chosen)} of {len(found)} mutants", flush=True)
    if arguments.what == "list":
        print(*chosen, sep="\n")
        return
    results, most = [], Most(MOST_TESTS, MOST_SECONDS)
    if arguments.what == "again":
        before = [Result(**row) for row in json.loads(arguments.json.read_text())["results"]]
        results = [one for one in before if one.result == "killed"]
        chosen = [one for one in chosen if str(one) not in {result.mutant for result in results}]
        most = Most(ALL_TESTS, ALL_SECONDS)
    for result in run(work, chosen, arguments.jobs, most):
        results.append(result)
        print(
            f"{len(results):4} {result.result:9} {result.seconds:6.1f} s  {result.mutant}  {result.killer}", flush=True
        )
    report(results)
    if arguments.json:
        about = {"seed": arguments.seed, "targets": TARGETS, "mutants": len(found)}
        rows = sorted((asdict(result) for result in results), key=lambda row: row["mutant"])
        arguments.json.write_text(json.dumps(about | {"results": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
