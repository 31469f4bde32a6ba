"""How a command ended on a tree is known as long as the tree, the contents and the command are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.confine.run import Ended
from optimizer.index.files import Root
from optimizer.settings import Settings
from optimizer.verify.commands import Means
from optimizer.verify.earlier import KEPT, recall, remember
from optimizer.verify.results import Results

RUN = ("pytest", "-q")
ENDED = Ended(1, "1 failed", 0.5)
RESULTS = Results({"a.test_b": "failed"}, True, "report")


@pytest.fixture
def means(make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path) -> Means:
    root = Root(make_repo({"a.py": "x = 1\n"}), True)
    return Means(root, tmp_path / "state", tmp_path / "cache", Settings(), {"PATH": "/bin"})


def test_it_is_known_for_the_same_tree_contents_and_command_only(means: Means) -> None:
    remember(means, RUN, {}, ENDED, RESULTS)
    remember(means, ("ruff",), {}, ENDED._replace(code=0), RESULTS)
    assert recall(means, RUN, {}) == (ENDED, RESULTS)
    assert recall(means, ("ruff",), {}) == (ENDED._replace(code=0), RESULTS)
    assert recall(means, (*RUN, "-x"), {}) is None
    assert recall(means, RUN, {"a.py": b"x = 2\n"}) is None
    assert recall(replace(means, env={"PATH": "/usr/bin"}), RUN, {}) is None
    assert recall(replace(means, settings=Settings(verify_seconds=9)), RUN, {}) is None
    (means.root.path / "b.py").write_text("")
    assert recall(means, RUN, {}) is None


@pytest.mark.parametrize(
    "ended", [ENDED._replace(code=None, timed_out=True), ENDED._replace(missing="no"), ENDED._replace(code=None)]
)
def test_what_did_not_end_by_itself_is_not_known(means: Means, ended: Ended) -> None:
    remember(means, RUN, {}, ended, RESULTS)
    assert recall(means, RUN, {}) is None


def test_the_oldest_are_forgotten(means: Means) -> None:
    for number in range(KEPT + 3):
        remember(means, (*RUN, str(number)), {}, ENDED, RESULTS)
    assert len(list((means.cache / "earlier").iterdir())) == KEPT
    assert recall(means, (*RUN, str(KEPT + 2)), {}) == (ENDED, RESULTS)


def test_a_damaged_record_is_not_known(means: Means) -> None:
    remember(means, RUN, {}, ENDED, RESULTS)
    (file,) = (means.cache / "earlier").iterdir()
    file.write_text("[]")
    assert recall(means, RUN, {}) is None
