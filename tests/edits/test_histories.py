"""Any series of writes, undos, redos, crashes and the user's own edits, against a model of what each file must hold."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from optimizer.edits.journal import entries
from optimizer.edits.journalled import recover
from optimizer.edits.write import redo, undo, write
from optimizer.errors import Conflict
from optimizer.types import FileChange, Patch
from tests.edits.test_kill_points import Act, Place
from tests.faults.crashes import tree

Sides = tuple[bytes | None, bytes | None]
MEMORY = Path("/dev/shm")
PATHS = st.sampled_from(["a", "b.sh", "d/b", "d/e/c", "é x"])
CONTENTS = st.one_of(st.none(), st.sampled_from([b"", b"1", b"2\r\n"]), st.binary(max_size=20))


@dataclass
class Model:
    """What the files hold, what can be undone (the last first to go) and what can be redone (the same)."""

    files: dict[str, bytes] = field(default_factory=dict)
    done: list[dict[str, Sides]] = field(default_factory=list)
    undone: list[dict[str, Sides]] = field(default_factory=list)

    def fits(self, changes: dict[str, Sides], side: int) -> bool:
        """Whether each file is as that side has it; one that is to go may be gone already."""
        return all(
            self.files.get(path) == sides[side] or (sides[1 - side] is None and path not in self.files)
            for path, sides in changes.items()
        )

    def put(self, changes: dict[str, Sides], side: int) -> None:
        for path, sides in changes.items():
            self.files.pop(path, None)
            if (data := sides[side]) is not None:
                self.files[path] = data


class Histories(RuleBasedStateMachine):
    """A repository and a model of it, told the same things."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Place(Path(tempfile.mkdtemp(dir=MEMORY if os.access(MEMORY, os.W_OK) else None)))
        self.place.root.mkdir(parents=True)
        self.model = Model()

    def changes(self, new: dict[str, bytes | None]) -> dict[str, Sides]:
        files = self.model.files
        return {path: (files.get(path), after) for path, after in new.items() if files.get(path) != after}

    @rule(new=st.dictionaries(PATHS, CONTENTS, min_size=1))
    def write(self, new: dict[str, bytes | None]) -> None:
        changes = self.changes(new)
        if changes:
            write(self.place.root, patch_of(changes), self.place.journal, "")
            self.model.put(changes, 1)
            self.model.done.append(changes)
            self.model.undone.clear()

    @rule(path=PATHS, content=st.sampled_from([b"mine", b"1"]))
    def user_edits(self, path: str, content: bytes) -> None:
        place = self.place.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self.model.files[path] = content

    @rule(path=PATHS)
    def user_deletes(self, path: str) -> None:
        (self.place.root / path).unlink(missing_ok=True)
        self.model.files.pop(path, None)

    @rule(count=st.integers(1, 3), back=st.booleans())
    def goes(self, count: int, back: bool) -> None:
        model = self.model
        source, target, side = (model.done, model.undone, 0) if back else (model.undone, model.done, 1)
        chosen = source[::-1][:count]
        trial = Model(dict(model.files))
        fits = True
        for changes in chosen:
            fits = fits and trial.fits(changes, 1 - side)
            trial.put(changes, side)
        act = undo if back else redo
        if not fits:
            try:
                act(self.place.root, self.place.journal, count)
            except Conflict:
                return
            raise AssertionError("what does not fit was not refused")
        act(self.place.root, self.place.journal, count)
        model.files = trial.files
        del source[len(source) - len(chosen) :]
        target.extend(chosen)

    @rule(back=st.booleans(), share=st.floats(0, 1))
    def is_killed_while_going(self, back: bool, share: float) -> None:
        model = self.model
        source, target, side = (model.done, model.undone, 0) if back else (model.undone, model.done, 1)
        assume(source and model.fits(source[-1], 1 - side))
        done = self.done()
        self.killed(undo if back else redo, share)
        if any(entry.state in ("undoing", "redoing") for entry in entries(self.place.journal)):
            assert recover(self.place.root, self.place.journal)
        if self.done() != done:
            model.put(source[-1], side)
            target.append(source.pop())

    @rule(new=st.dictionaries(PATHS, CONTENTS, min_size=1), share=st.floats(0, 1))
    def is_killed_while_writing(self, new: dict[str, bytes | None], share: float) -> None:
        changes = self.changes(new)
        assume(changes)
        known = len(entries(self.place.journal))
        self.killed(lambda root, journal: write(root, patch_of(changes), journal, ""), share)
        recover(self.place.root, self.place.journal)
        if len(entries(self.place.journal)) == known:
            return
        self.model.undone.clear()
        if self.done() == len(self.model.done):
            self.model.undone.append(changes)  # rolled back: a redo writes it
        else:
            self.model.put(changes, 1)
            self.model.done.append(changes)

    def killed(self, act: Act, share: float) -> None:
        self.place.killed_at(act, int(share * 60), half=False)

    def done(self) -> int:
        return sum(entry.state == "done" for entry in entries(self.place.journal))

    @invariant()
    def as_the_model(self) -> None:
        assert tree_of(self.place.root) == self.model.files
        assert self.done() == len(self.model.done)
        assert recover(self.place.root, self.place.journal) == ""
        assert not list(self.place.root.rglob(".optimizer-*"))

    def teardown(self) -> None:
        """In the end all that is still as written goes back, to the byte."""
        model = self.model
        while model.done and model.fits(model.done[-1], 1):
            undo(self.place.root, self.place.journal)
            model.put(model.done.pop(), 0)
            assert tree_of(self.place.root) == model.files
        shutil.rmtree(self.place.base)


def patch_of(changes: dict[str, Sides]) -> Patch:
    return Patch(tuple(FileChange(path, before, after) for path, (before, after) in changes.items()))


def tree_of(root: Path) -> dict[str, bytes]:
    return {path: data for path, (data, _) in tree(root).items()}


Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=15)
TestHistories = pytest.mark.slow(Histories.TestCase)
