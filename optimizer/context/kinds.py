"""The kind of each file of a tree, where a folder called `vendors` may well hold what was written here."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from optimizer.context.bm25 import Column
from optimizer.context.paths import FileKind, kind_of, vendored_folder
from optimizer.context.signals import Sheet
from optimizer.context.weights import KIND_FACTORS

if TYPE_CHECKING:
    from optimizer.index.words import Words

AS_OFTEN = 0.5
_LICENCE = re.compile(r"(?:(?:un)?licen[cs]e|copying|notice)(?:-\w+)?(?:\.(?:md|txt|rst))?", re.IGNORECASE)


class _ByPath(dict[int, FileKind]):
    """The kind of each file of a tree, found when it is asked for."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.words = words

    def __missing__(self, number: int) -> FileKind:
        kind = self[number] = kind_of(self.words.paths[number], self.words.origins.get(number, ""))
        return kind


class Kinds:
    """The kinds of the files of one request: `asked` are those its first line names, `tests` is the factor of tests."""

    def __init__(self, sheet: Sheet, asked: Collection[int], tests: float) -> None:
        self._sheet = sheet
        self._asked = asked
        self._tests = tests
        self._own: dict[str, bool] = {}
        self._by_path = sheet.words.once(_ByPath)

    def of(self, number: int) -> FileKind:
        """The kind of a file; one in a vendored folder that was written here is what it is without the folder."""
        words = self._sheet.words
        kind = self._by_path[number]
        if kind == "vendored" and self._is_own(folder := vendored_folder(words.paths[number])):
            return kind_of(words.paths[number][len(folder) + 1 :], words.origins.get(number, ""))
        return kind

    def factor(self, number: int) -> float:
        """How much a file counts by its kind; one that is asked for counts whatever its kind."""
        kind = self.of(number)
        return 1.0 if number in self._asked else self._tests if kind == "test" else KIND_FACTORS[kind]

    def weighted(self, sums: Column) -> Column:
        """The sums, each times the factor of its kind."""
        return {number: total * self.factor(number) for number, total in sums.items()}

    def _is_own(self, folder: str) -> bool:
        """Whether a vendored folder has no licence of its own and changes about as often as files like its own."""
        if folder not in self._own:
            paths = self._sheet.words.paths
            inside = {number: _ending(path) for number, path in enumerate(paths) if path.startswith(f"{folder}/")}
            endings = set(inside.values())
            alike = [number for number, path in enumerate(paths) if number not in inside and _ending(path) in endings]
            often = self._churn(inside)
            licensed = any(_LICENCE.fullmatch(paths[number].rpartition("/")[2]) for number in inside)
            self._own[folder] = not licensed and often > 0.0 and often >= AS_OFTEN * self._churn(alike)
        return self._own[folder]

    def _churn(self, numbers: Collection[int]) -> float:
        """How often these files change, on average."""
        churn = self._sheet.files["churn"].column
        return sum(churn.get(number, 0.0) for number in numbers) / max(1, len(numbers))


def _ending(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2]
